"""The do-not-call list over the control socket; it is answered when it is on disk, and survives a kill."""

from dataclasses import replace

import pytest

from callcenter.domain.config import CallbackConfig, CallingConfig, QueueConfig
from callcenter.domain.facts import DoNotCallAdded
from callcenter.services.control import ControlError, Json
from callcenter.services.desk import Desk
from callcenter.sim.world import small_center
from tests.support.virtual import VirtualCenter, in_virtual_time

ANN = "+12025550101"
CENTER = replace(small_center([QueueConfig("support", callback=CallbackConfig())]), calling=CallingConfig("carrier"))


async def _nothing_to_reload() -> str:
    return ""


async def ask(center: VirtualCenter, do: str, **fields: Json) -> dict[str, object]:
    return dict(await Desk(center.engine, center.clock, _nothing_to_reload).handle({"do": do, **fields}))


@in_virtual_time(config=CENTER)
async def test_on_the_list_with_date_and_source_and_off_it_again(center: VirtualCenter) -> None:
    before = center.now
    assert await ask(center, "do_not_call_add", number=ANN, by="sue", note="by letter") == {"ok": True}
    (shown,) = (await ask(center, "do_not_call_list"))["numbers"]  # type: ignore[misc]
    (fact,) = center.kept(DoNotCallAdded)
    assert before <= fact.at <= center.now
    assert shown == {"number": ANN, "since": fact.at.isoformat(), "source": "person", "call": "", "by": "sue", "note": "by letter"}
    with pytest.raises(ControlError, match="do-not-call list since"):
        await ask(center, "callback_add", queue="support", number=ANN)
    await ask(center, "do_not_call_remove", number=ANN, by="sue")
    assert (await ask(center, "do_not_call_list"))["count"] == 0


@pytest.mark.parametrize(
    ("do", "number", "says"),
    [
        ("do_not_call_add", "hello", "is no telephone number"),
        ("do_not_call_add", "", "'number' is missing"),
        ("do_not_call_add", ANN + "\n", "on one line"),
        ("do_not_call_remove", ANN, "is not on the do-not-call list"),
    ],
)
def test_what_cannot_be_is_refused(do: str, number: str, says: str) -> None:
    @in_virtual_time(config=CENTER)
    async def story(center: VirtualCenter) -> None:
        with pytest.raises(ControlError, match=says):
            await ask(center, do, number=number)

    story()
