"""Callbacks over the control socket, and on the real engine: nothing is said or dialed before it is on disk."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain.commands import Dial, Play
from callcenter.domain.config import CallbackConfig, CallingConfig, QueueConfig
from callcenter.domain.facts import callbacks as cf
from callcenter.services.control import ControlError, Json
from callcenter.services.desk import Desk
from callcenter.sim.world import small_center
from tests.support.virtual import VirtualCenter, in_virtual_time

ANN, BEN = "+12025550101", "+12025550102"
CENTER = replace(small_center([QueueConfig("support", callback=CallbackConfig())]), calling=CallingConfig("carrier"))


async def _nothing_to_reload() -> str:
    return ""


async def ask(center: VirtualCenter, do: str, **fields: Json) -> dict[str, object]:
    return dict(await Desk(center.engine, center.clock, _nothing_to_reload).handle({"do": do, **fields}))


async def refusal(center: VirtualCenter, do: str, **fields: Json) -> str:
    with pytest.raises(ControlError) as refused:
        await ask(center, do, **fields)
    return str(refused.value)


async def listed(center: VirtualCenter, **fields: Json) -> list[dict[str, object]]:
    found = (await ask(center, "callback_list", **fields))["callbacks"]
    assert isinstance(found, list)
    return found


@in_virtual_time(config=CENTER)
async def test_a_supervisor_adds_lists_edits_and_cancels(center: VirtualCenter) -> None:
    later = (center.now + timedelta(hours=2)).isoformat()
    answer = await ask(center, "callback_add", queue="support", number=ANN, at=later, owner="alice", name="Ann", by="sue")
    (shown,) = await listed(center)
    assert shown == answer["shown"]
    assert (shown["number"], shown["due_at"], shown["owner"], shown["state"]) == (ANN, later, "alice", "created")
    callback = str(answer["callback"])
    await ask(center, "callback_edit", callback=callback, number=BEN, owner="", by="sue")
    (shown,) = await listed(center, queue="support")
    assert (shown["number"], shown["due_at"], shown["owner"]) == (BEN, later, "")
    assert await listed(center, owner="alice") == []
    await ask(center, "callback_cancel", callback=callback, by="sue")
    assert await listed(center) == []
    assert [fact.by for fact in center.kept(cf.CallbackBroken)] == ["sue"]


@in_virtual_time(config=CENTER)
async def test_asking_again_after_a_lost_answer_promises_once(center: VirtualCenter) -> None:
    for _ in range(2):
        answer = await ask(center, "callback_add", queue="support", number=ANN, callback="mine")
        assert answer["callback"] == "mine"
    assert len(center.kept(cf.CallbackCreated)) == 1


@in_virtual_time(config=CENTER)
async def test_what_cannot_be_is_refused_with_a_sentence(center: VirtualCenter) -> None:
    assert "'number' is missing" in await refusal(center, "callback_add", queue="support")
    assert "with its zone" in await refusal(center, "callback_add", queue="support", number=ANN, at="2026-11-22T15:00")
    assert "with its zone" in await refusal(center, "callback_add", queue="support", number=ANN, at="tomorrow")
    assert "owned_for_s" in await refusal(center, "callback_add", queue="support", number=ANN, owned_for_s=-1)
    assert "priority" in await refusal(center, "callback_add", queue="support", number=ANN, priority=10_000)
    assert "on one line" in await refusal(center, "callback_add", queue="support", number=ANN, name="Ann\nevil")
    assert "not a telephone number" in await refusal(center, "callback_add", queue="support", number="911")
    assert "at most a year" in await refusal(center, "callback_add", queue="support", number=ANN, at="2036-11-22T15:00:00+00:00")
    assert "nothing to change" in await refusal(center, "callback_edit", callback="x")
    assert "no open callback 'x'" in await refusal(center, "callback_cancel", callback="x")
    assert center.kept(cf.CallbackCreated) == []


@in_virtual_time(config=CENTER)
async def test_nothing_is_said_or_dialed_before_the_promise_and_the_attempt_are_on_disk(center: VirtualCenter) -> None:
    """The journal notes syncs beside commands: each Play that confirms, and each Dial, comes after one."""
    done = center.journal.done
    synced: list[int] = []

    async def sync() -> None:
        synced.append(len(done))

    center.engine._outbox._sync = sync  # type: ignore[union-attr]
    caller = center.calls(caller=ANN)
    await center.pass_time(2)
    center.pbx.party_presses(caller, "1")
    await center.pass_time(4)
    await center.agent_ready("alice")
    await center.pass_time(5)
    (dial,) = [n for n, each in enumerate(done) if isinstance(each, Dial)]
    (attempted,) = [n for n, each in enumerate(done) if isinstance(each, cf.CallbackAttempted)]
    (created,) = [n for n, each in enumerate(done) if isinstance(each, cf.CallbackCreated)]
    confirmed = next(n for n, each in enumerate(done) if isinstance(each, Play) and each.prompts == ("callback-promised",))
    assert any(attempted < n <= dial for n in synced)
    assert any(created < n <= confirmed for n in synced)


@in_virtual_time(config=CENTER)
async def test_a_dial_whose_answer_is_lost_is_not_given_again(center: VirtualCenter) -> None:
    """It was carried out, or not: either way the attempt is used, and there is one leg at most."""
    for lost in ("request", "answer"):
        setattr(center.wire, f"loses_{lost}", lambda command: isinstance(command, Dial))
        before = len(center.kept(cf.CallbackAttempted))
        await ask(center, "callback_add", queue="support", number=ANN)
        await center.agent_ready("alice")
        await center.pass_time(20)
        setattr(center.wire, f"loses_{lost}", lambda command: False)
        assert len(center.kept(cf.CallbackAttempted)) == before + 1
        legs = [channel.id for channel in center.pbx.channels.values() if channel.number == ANN]
        assert len(legs) == (lost == "answer")
        for leg in legs:
            assert center.talking() == {"alice": leg}
            center.pbx.party_hangs_up(leg)
        await center.pass_time(15)
        for shown in await listed(center):
            await ask(center, "callback_cancel", callback=str(shown["callback"]))


@in_virtual_time(config=CENTER)
async def test_the_live_view_counts_callbacks_apart_from_callers_on_the_line(center: VirtualCenter) -> None:
    center.calls(caller=BEN)
    await ask(center, "callback_add", queue="support", number=ANN)
    await center.pass_time(1)
    state = await ask(center, "state")
    (queue,) = state["queues"]  # type: ignore[misc]
    assert (queue["waiting"], queue["callbacks"], [caller["caller"] for caller in queue["line"]]) == (1, 1, [BEN])  # type: ignore[index]
    await center.agent_ready("alice")
    await center.agent_ready("bob")
    await center.pass_time(2.5)
    phases = {call["caller"]: call["phase"] for call in (await ask(center, "state"))["calls"]}  # type: ignore[index, union-attr, attr-defined]
    assert phases == {BEN: "talking", ANN: "calling"}
