"""A real caller in a flow that asks another system, which is well, down, slow, and talks garbage: never silence, never over the budget."""

import json

import pytest

from callcenter.domain import facts as f
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.tones import TonePair
from tests.pbx.test_payments import dips_answer, process
from tests.support.asterisk import PROMPT_TONES
from tests.support.center import RunningCenter, running_center
from tests.support.dip_source import Answer, DipSource, a_flood, dip_source, saying, silence

pytestmark = pytest.mark.pbx
FOUND, NOBODY, SORRY, FILLER = "you-entered", "comfort", "en-4", "enter-code"
BUDGET = 1.5


def flow() -> dict[str, object]:
    look = {"type": "dip", "source": "crm", "parameters": {"caller": "{caller}"}, "filler": FILLER, "budget_s": BUDGET}
    return {
        "main": {
            "start": "look",
            "node": {
                "look": {**look, "next": "found", "otherwise": "nobody", "failed": "sorry"},
                "found": {"type": "prompt", "prompt": [FOUND, "{digits:account}"], "next": "end"},
                "nobody": {"type": "prompt", "prompt": NOBODY, "next": "end"},
                "sorry": {"type": "prompt", "prompt": SORRY, "next": "end"},
                "end": {"type": "hang_up"},
            },
        }
    }


def crm(source: DipSource, **more: object) -> dict[str, object]:
    return {
        "url": f"{source.url}/customers/{{caller}}",
        "allow_private": True,
        "budget_s": BUDGET,
        "attributes": {"account": {"path": "account", "type": "digits"}},
        "breaker": {"failures": 3, "open_for_s": 1},
        **more,
    }


async def asks(center: RunningCenter, heard: str, *, filler: bool = False, caller: str = "+12025550123") -> f.FlowAnswered:
    """A caller goes through the flow and hears this; what was kept of the answer."""
    number = len(center.all(f.CallEnded)) + 1
    call: Call = await center.call(caller)
    if filler:
        await call.hears(tones(FILLER), for_s=0.2)
    await call.hears(tones(heard), for_s=0.2)
    await call.ended()
    await center.fact(f.CallEnded, number=number)
    asked, answered = center.all(f.FlowAsked)[-1], center.all(f.FlowAnswered)[-1]
    assert (answered.at - asked.at).total_seconds() <= BUDGET + 0.05
    return answered


def tones(prompt: str) -> TonePair:
    return PROMPT_TONES[prompt]


async def test_a_source_that_is_well_then_slow_silent_mad_down_and_well_again() -> None:
    async with (
        dip_source(saying({"account": "12"})) as source,
        running_center(flow=flow(), dip={"crm": crm(source)}) as center,
        process(center, "dips"),
    ):
        await dips_answer(center)
        answered = await asks(center, FOUND)
        assert dict(zip(answered.names, answered.values, strict=True)) == {"account": "12", "dip_fallback": "none"}
        assert source.asked[0].path == "/customers/%2B12025550123"
        source.answer = saying({}, "404 Not Found")
        await asks(center, NOBODY)
        mad: list[Answer] = [silence, saying(b"<html>"), a_flood]
        for answer in mad:
            source.answer = answer
            assert (await asks(center, SORRY, filler=answer is silence)).outcome == "failed"
        asked = len(source.asked)
        source.answer = saying({"account": "34"})
        await asks(center, SORRY)  # the breaker is open: it is left alone
        assert len(source.asked) == asked
        await center.until(lambda: _probed(center))
        assert len(source.asked) == asked + 1
        await source.stop()
        await asks(center, SORRY)


async def _probed(center: RunningCenter) -> bool:
    """One more caller; whether the source was asked again and answered."""
    number = len(center.all(f.CallEnded)) + 1
    await (await center.call()).ended()
    await center.fact(f.CallEnded, number=number)
    return center.all(f.FlowAnswered)[-1].outcome == "answered"


async def test_the_last_good_answer_and_the_defaults_stand_in_and_a_redirect_inside_is_not_followed() -> None:
    async with dip_source(saying({"account": "12"})) as source, dip_source(saying({"account": "666"})) as inside:
        dip = crm(source, cached_for_s=60, defaults={"account": "9"})
        async with running_center(flow=flow(), dip={"crm": dip}) as center, process(center, "dips"):
            await dips_answer(center)
            await asks(center, FOUND)
            source.answer = saying({}, "302 Found", f"Location: {inside.url}/")
            answered = await asks(center, FOUND)
            assert dict(zip(answered.names, answered.values, strict=True)) == {"account": "12", "dip_fallback": "cached"}
            answered = await asks(center, SORRY, caller="+12025550199")  # nobody knows this one
            assert dict(zip(answered.names, answered.values, strict=True)) == {"account": "9", "dip_fallback": "default"}
            assert inside.asked == []
        async with running_center(flow=flow(), dip={"crm": dip}) as center:  # without the process that asks
            answered = await asks(center, SORRY)
            assert dict(zip(answered.names, answered.values, strict=True)) == {"account": "9", "dip_fallback": "default"}
            assert "2025550123" not in json.dumps(center.log_file.read_text())
