"""Waiting on a real phone: the estimated wait, learned from real calls and told in words; overflow by a condition; a callback offered."""

import asyncio

from callcenter.domain import facts as f
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.policy import AnswerAfter
from tests.support.asterisk import MENU_TONES, MUSIC_TONES, PROMPT_TONES
from tests.support.center import AGENT_TONES, RunningCenter, running_center

SUPPORT = {"name": "support", "music": "tones", "wrap_up_s": 0}
CARRIER = {"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"], "host": "127.0.0.1"}
ENOUGH = 11
"""So many contacts taken from the line, and the next may be told something."""


async def in_line(center: RunningCenter, number: int) -> Call:
    call = await center.call(f"+12025550{number:03d}")
    await call.send_digit("2")
    await center.fact(f.ContactEntered, number=number)
    return call


async def test_the_estimated_wait_is_told_in_words() -> None:
    queue = [SUPPORT | {"announce": {"ewt": True, "first_after_s": 2, "every_s": 60}}]
    async with running_center(queue=queue) as center:
        callers = [await in_line(center, number) for number in range(1, ENOUGH + 2)]
        await center.agent("alice", AnswerAfter(0.1))
        for call in callers[:ENOUGH]:
            await call.hears(AGENT_TONES["alice"], within=30, for_s=0.1)
            await call.hang_up()
        await callers[-1].hears(AGENT_TONES["alice"], within=30, for_s=0.1)
        assert all(fact.under is None for fact in center.all(f.ContactAnnounced))

        waits = await in_line(center, ENOUGH + 2)
        for prompt in ("your-wait-is-under", "en-1", "en-minute"):
            await waits.hears(PROMPT_TONES[prompt], within=20, for_s=0.3)
        await waits.hears(MUSIC_TONES)
        told = await center.fact(f.ContactAnnounced)
        assert told.under is not None
        assert told.prompts == ("your-wait-is-under", "en-1", "en-minute")
        await callers[-1].hang_up()
        await waits.hears(AGENT_TONES["alice"])


async def test_who_would_wait_behind_too_many_goes_elsewhere_and_who_has_waited_is_offered_a_callback() -> None:
    support = SUPPORT | {
        "callback": {"key": ""},
        "overflow": [{"when": "waiting > 1", "to": "flow:main"}, {"waited_s": 3, "to": "callback"}],
    }
    async with running_center(queue=[support], trunk=[CARRIER], calling={"trunk": "carrier"}) as center:
        first = await in_line(center, 1)
        await first.hears(MUSIC_TONES)
        second = await center.call("+12025550002")
        await second.send_digit("2")
        await second.hears(MENU_TONES)  # sent back to the menu at once
        await first.hears(PROMPT_TONES["callback-offer"], within=20, for_s=0.3)
        rules = [fact.rule for fact in center.all(f.ContactOverflowed)]
        assert rules == ["waiting > 1: flow:main", "waited 3 s: callback"]
        await asyncio.gather(first.hang_up(), second.hang_up())
