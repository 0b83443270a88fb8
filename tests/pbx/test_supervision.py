"""Supervisors on a real Asterisk: who hears whom in every mode, by distinct tones.

Asked for on a page (the web process's console socket, as a browser speaks it) and by the keys of a phone.
"""

import asyncio
import random
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from callcenter.domain import facts as f
from callcenter.domain.facts import SupervisionMode
from callcenter.domain.rights import RIGHTS, Role, Signed
from callcenter.services.control_client import RequestRefused
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.ear import StreamClosed
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.state import CallState
from callcenter.sim.sip.tones import TonePair, goertzel, tone_pair
from tests.support.asterisk import PROMPT_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE, RunningCenter, running_center
from tests.support.console_page import Page, page_of

pytestmark = pytest.mark.pbx

AGENT_TONES |= {"sam": tone_pair(42), "tess": tone_pair(23)}
LISTEN, WHISPER, BARGE, TAKE_OVER = SupervisionMode
MARKER = tone_pair(22)
"""What the caller says while paying."""
CONFIRMED = {LISTEN: "you-listen", WHISPER: "you-whisper", BARGE: "you-are-in-the-call", TAKE_OVER: "the-caller-is-yours"}
KEYS = {LISTEN: "4", WHISPER: "5", BARGE: "6", TAKE_OVER: "7"}
HEARD: dict[SupervisionMode, dict[str, set[str]]] = {
    LISTEN: {"caller": {"alice"}, "alice": {"caller"}, "sam": {"caller", "alice"}},
    WHISPER: {"caller": {"alice"}, "alice": {"caller", "sam"}, "sam": {"caller", "alice"}},
    BARGE: {"caller": {"alice", "sam"}, "alice": {"caller", "sam"}, "sam": {"caller", "alice"}},
    TAKE_OVER: {"caller": {"sam"}, "sam": {"caller"}},
}
TONES: dict[str, TonePair] = {"caller": CALLER_TONE, **AGENT_TONES}
PEOPLE = [
    {"name": "alice", "queues": ["support"], "extension": "2001"},
    {"name": "bob", "queues": ["support"], "extension": "2002"},
    {"name": "sam"},
    {"name": "tess"},
]
SUPERVISORS = [{"name": "sam", "queues": ["support"]}, {"name": "tess", "queues": ["*"]}]


@dataclass
class Floor:
    """alice talks to a caller, and sam's phone is there."""

    center: RunningCenter
    phones: dict[str, Phone]
    pages: dict[str, Page]
    """Of each supervisor."""
    calls: dict[str, Call] = field(default_factory=dict)

    async def alice_talks(self) -> None:
        self.calls["caller"] = caller = await self.center.call()
        await caller.send_digit("2")
        self.calls["alice"] = await self.phones["alice"].incoming(20)
        await caller.hears(TONES["alice"])
        await self.calls["alice"].hears(CALLER_TONE)

    async def begins(self, mode: SupervisionMode, supervisor: str = "sam", **more: Any) -> None:
        await self.pages[supervisor].asks("supervise_begin", agent="alice", mode=str(mode), reason="coaching", **more)
        self.calls[supervisor] = await (await self.phones[supervisor].incoming(10)).answered()

    async def dials(self, code: str, supervisor: str = "sam") -> None:
        self.calls[supervisor] = await self.phones[supervisor].invite(code)

    async def switches(self, mode: SupervisionMode) -> None:
        await self.pages["sam"].asks("supervise_switch", mode=str(mode))

    async def ends(self) -> None:
        await self.pages["sam"].asks("supervise_end")
        await self.calls["sam"].ended()

    async def confirmed(self, mode: SupervisionMode) -> None:
        await self.calls["sam"].hears(PROMPT_TONES[CONFIRMED[mode]], for_s=0.3)

    async def proves(self, heard: dict[str, set[str]], for_s: float = 0.7) -> None:
        """Each hears whom it should for so long, and from then on not a moment of anybody else."""
        for party, others in heard.items():
            for other in sorted(others):
                await self.calls[party].hears(TONES[other], for_s=0.3)
        since = {party: _now_at(self.calls[party]) for party in heard}
        await asyncio.sleep(for_s)
        for party, others in heard.items():
            strangers = {name: pair for name, pair in TONES.items() if name not in others and name != party}
            tones = self.calls[party].heard_tones(*strangers.values(), at_least=0.2)
            found = {tone.pair for tone in tones if tone.end_s > since[party] + 0.3}
            assert [name for name, pair in strangers.items() if pair in found] == [], party

    def missing(self) -> Callable[[], int]:
        """How many packets caller and alice will have said and not heard of each other, from now on. A busy machine only delays them."""
        caller, alice = self.calls["caller"], self.calls["alice"]

        def counted() -> int:
            return caller.packets_sent - alice.packets_received + alice.packets_sent - caller.packets_received

        before = counted()
        return lambda: counted() - before

    async def nothing_left(self, channels: int = 2, bridges: int = 1) -> None:
        pbx = self.center.pbx
        await self.center.until(lambda: f"\n{channels} active channel" in "\n" + pbx.cli("core show channels count"))
        await self.center.until(lambda: len(pbx.cli("bridge show all").splitlines()) == 1 + bridges)


def person(agent: str) -> Signed:
    """Who has signed in, a supervisor with that phone."""
    return Signed(f"{agent}@example.org", agent, rights=RIGHTS[Role.SUPERVISOR], agent=agent)


def _now_at(call: Call) -> float:
    return asyncio.get_running_loop().time() - call.began_at


@asynccontextmanager
async def floor(queue: dict[str, Any] | None = None, **tables: Any) -> AsyncIterator[Floor]:
    queues = [{"name": "support", "music": "tones", "wrap_up_s": 1, **(queue or {})}]
    async with running_center(agent=PEOPLE, supervisor=SUPERVISORS, queue=queues, **tables) as center, AsyncExitStack() as stack:
        phones = {"alice": await center.agent("alice", AnswerAfter(0.2))}
        for name in ("sam", "tess"):
            phones[name] = await center.phone(name, AnswerAfter(0.2))
        pages = {name: await stack.enter_async_context(page_of(center, person(name))) for name in ("sam", "tess")}
        it = Floor(center, phones, pages)
        await it.alice_talks()
        yield it
        for call in it.calls.values():
            if call.is_up:
                await call.hang_up()
        await it.nothing_left(0, 0)


async def test_listen_whisper_barge_take_over_from_a_screen_and_by_phone() -> None:
    async with floor() as it:
        await it.begins(LISTEN)
        await it.confirmed(LISTEN)
        await it.proves(HEARD[LISTEN])
        await it.switches(WHISPER)
        await it.proves(HEARD[WHISPER])
        await it.switches(BARGE)
        await it.proves(HEARD[BARGE])
        await it.ends()
        await it.nothing_left()
        await killed(it, 5, random.Random(1))

        await it.dials("*452001")
        await it.confirmed(WHISPER)
        await it.proves(HEARD[WHISPER])
        await it.calls["sam"].send_digit("7")
        await it.confirmed(TAKE_OVER)
        await it.calls["alice"].ended()
        await it.proves(HEARD[TAKE_OVER])
        assert [contact.agent for contact in it.center.all(f.ContactConnected)] == ["alice", "sam"]
        assert [turned.by for turned in it.center.all(f.SupervisionTurned)][:3] == ["", "sam@example.org", "sam@example.org"]
        by_phone = it.center.all(f.DoneByPhone)[-2:]
        assert [(done.agent, done.do, done.values[-1]) for done in by_phone] == [
            ("sam", "supervise_begin", "False"),
            ("sam", "supervise_switch", "take_over"),
        ]


async def killed(it: Floor, times: int, chance: random.Random, *, engine_every: int = 5) -> None:
    """The supervisor's phone vanishes or hangs up at any moment of any mode, now and then the engine is killed; the contact hears nothing
    of it, and no ear is left.
    """
    before, missing = len(it.center.all(f.SupervisionBegan)), it.missing()
    for n in range(1, times + 1):
        mode = chance.choice((LISTEN, WHISPER, BARGE))
        if chance.random() < 0.5:
            await it.dials(f"*4{KEYS[mode]}2001")
        else:
            await it.begins(mode)
        await it.center.fact(f.SupervisionBegan, before + n)
        await asyncio.sleep(chance.random() * 0.6)
        if chance.random() < 0.5 and it.calls["sam"].is_up:
            await it.calls["sam"].send_digit(KEYS[chance.choice((LISTEN, WHISPER, BARGE))])
            await asyncio.sleep(chance.random() * 0.1)
        if n % engine_every == 0:
            await it.center.kill_engine()
            if chance.random() < 0.5:
                await it.calls["sam"].hang_up()
            await it.center.start_engine()
        if it.calls["sam"].state is not CallState.ENDED:
            await it.calls["sam"].hang_up()  # gives up, if nobody has answered yet
        await it.center.fact(f.SupervisionEnded, before + n)
        await it.nothing_left()
    assert it.calls["caller"].is_up
    assert it.calls["alice"].is_up
    assert missing() < 10 * times, "a fifth of a second each time, both ways"
    await it.proves({"caller": {"alice"}, "alice": {"caller"}}, 0.4)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_supervisor_killed_50_times_hurts_no_call_and_leaves_nothing() -> None:
    async with floor() as it:
        await killed(it, 50, random.Random(50))
        assert len(it.center.all(f.SupervisionEnded)) == 50
        assert it.center.all(f.ContactParted) == []


ROUND = (LISTEN, WHISPER, BARGE, LISTEN, BARGE, WHISPER, LISTEN)
"""Each switch between them, once."""


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("by_phone", [False, True], ids=["from a screen", "by phone"])
async def test_who_hears_whom_after_every_switch(by_phone: bool) -> None:
    async with floor() as it:
        if by_phone:
            await it.dials("*442001")
        else:
            await it.begins(LISTEN)
        await it.proves(HEARD[LISTEN])
        for _, mode in pairwise(ROUND):
            await (it.calls["sam"].send_digit(KEYS[mode]) if by_phone else it.switches(mode))
            await it.confirmed(mode)
            await it.proves(HEARD[mode])
        with suppress(StreamClosed):  # it is over before the key is up
            await it.calls["sam"].send_digit("*")
        await it.calls["sam"].ended()
        await it.proves({"caller": {"alice"}, "alice": {"caller"}})


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("by_phone", [False, True], ids=["from a screen", "by phone"])
async def test_taken_over_from_every_mode(by_phone: bool) -> None:
    async with floor() as it:
        for n, mode in enumerate(SupervisionMode, 1):
            await (it.dials(f"*4{KEYS[mode]}2001") if by_phone else it.begins(mode))
            await it.confirmed(mode)
            if mode is not TAKE_OVER:
                await (it.calls["sam"].send_digit(KEYS[TAKE_OVER]) if by_phone else it.switches(TAKE_OVER))
            await it.calls["alice"].ended()
            await it.proves(HEARD[TAKE_OVER])
            await it.calls["caller"].hang_up()
            await it.calls["sam"].ended()
            await it.nothing_left(0, 0)
            await it.center.fact(f.ContactEnded, 2 * n)
            latest = it.center.pbx.node.recordings / f"{it.center.all(f.RecordingStarted)[-1].recording}.raw"
            assert loudness(latest, TONES["sam"])[1] > 0.5
            if n < len(SupervisionMode):
                await it.alice_talks()
        parted = [(fact.agent, fact.why) for fact in it.center.all(f.ContactParted)]
        assert parted == [("alice", "transferred"), ("sam", "caller_hung_up")] * 4


async def test_a_whisper_is_in_no_recording_and_who_barges_in_is_in_its_right_channel() -> None:
    async with floor() as it:
        await it.begins(WHISPER)
        await it.calls["alice"].hears(TONES["sam"], for_s=1.5)
        await it.ends()
        (started,) = it.center.all(f.RecordingStarted)
        file = it.center.pbx.node.recordings / f"{started.recording}.raw"
        await it.center.until(lambda: loudness(file, TONES["alice"])[1] > 0.3)
        assert max(loudness(file, TONES["sam"])) < 0.05
        await it.begins(BARGE)
        await it.calls["caller"].hears(TONES["sam"], for_s=1)
        await it.center.until(lambda: loudness(file, TONES["sam"])[1] > 0.2)
        left, right = loudness(file, TONES["sam"])
        assert left < 0.05 < 0.2 < right


def loudness(file: Path, pair: TonePair) -> tuple[float, float]:
    """The greatest share of this pair in any fifth of a second, of the left and of the right channel."""
    samples = array("h", file.read_bytes()[: file.stat().st_size // 4 * 4])
    found = []
    for channel in (samples[0::2], samples[1::2]):
        greatest = 0.0
        for begin in range(0, len(channel) - 1600, 1600):
            window = list(channel[begin : begin + 1600])
            energy = sum(sample * sample for sample in window)
            if energy > 1600 * 100:
                greatest = max(greatest, sum(goertzel(window, frequency) for frequency in pair) / energy)
        found.append(greatest)
    return found[0], found[1]


PAY = {
    "main": {"start": "support", "node": {"support": {"type": "queue", "queue": "support"}}},
    "pay": {
        "start": "card",
        "node": {
            "card": {"type": "collect", "prompt": "enter-code", "attribute": "card", "secret": True, "next": "back", "otherwise": "back"},
            "back": {"type": "return"},
        },
    },
}


@pytest.mark.long
@pytest.mark.parametrize("mode", [LISTEN, WHISPER, BARGE])
async def test_nobody_hears_who_pays(mode: SupervisionMode) -> None:
    """Neither voice nor keys, by any ear; afterwards the supervisor listens again."""
    async with floor(flow=PAY, payments={"flows": ["pay"]}) as it:
        await it.begins(mode)
        await it.confirmed(mode)
        await it.proves(HEARD[mode])
        await it.center.ask("agent_payment_begin", agent="alice")
        await it.calls["caller"].hears(PROMPT_TONES["enter-code"], for_s=0.3)
        it.calls["caller"].play(MARKER)
        for refused in (WHISPER, BARGE, TAKE_OVER):
            with pytest.raises(RequestRefused, match="is paying"):
                await it.switches(refused)
        await it.proves({"sam": set(), "caller": set()})
        for digit in "4111":
            await it.calls["caller"].send_inband_digit(digit)
        it.calls["caller"].play(CALLER_TONE)
        await it.calls["caller"].send_digits("4111#")
        await it.proves(HEARD[LISTEN])
        assert it.calls["sam"].heard_tones(MARKER) == []
        assert it.calls["alice"].heard_tones(MARKER) == []
        assert it.calls["sam"].digits_received == ""


@pytest.mark.long
@pytest.mark.parametrize("mode", [LISTEN, WHISPER, BARGE])
async def test_a_consult_is_heard_and_the_caller_after_it_again(mode: SupervisionMode) -> None:
    async with floor() as it:
        it.phones["bob"] = await it.center.agent("bob", AnswerAfter(0.2))
        await it.begins(mode)
        await it.confirmed(mode)
        for _ in range(2):
            await it.center.ask("agent_consult", agent="alice", colleague="bob")
            it.calls["bob"] = await (await it.phones["bob"].incoming(10)).answered()
            await it.calls["bob"].hears(TONES["alice"])
            whispers = {"sam"} if mode is WHISPER else set()
            await it.proves({"alice": {"bob", *whispers}, "bob": {"alice"}, "sam": {"alice", "bob"}, "caller": set()})
            with pytest.raises(RequestRefused, match="in a consult"):
                await it.switches(TAKE_OVER)
            await it.center.ask("agent_cancel", agent="alice")
            await it.calls["bob"].ended()
            await it.proves(HEARD[WHISPER if mode is WHISPER else LISTEN])
            await it.center.until(lambda: it.center.all(f.AgentStateChanged, agent="bob")[-1].state == "ready")


@pytest.mark.long
async def test_two_supervisors_on_one_call_get_clear_answers_and_it_goes_on() -> None:
    async with floor(queue={"supervision": "both"}) as it:
        await it.begins(LISTEN)
        told = (it.calls[name].hears(PROMPT_TONES["supervisor-listens"], for_s=0.3) for name in ("alice", "caller"))
        await asyncio.gather(*told)
        await it.proves(HEARD[LISTEN])
        with pytest.raises(RequestRefused, match="sam supervises alice already"):
            await it.begins(LISTEN)
        await it.begins(WHISPER, "tess")
        await it.proves({"caller": {"alice"}, "alice": {"caller", "tess"}, "sam": {"caller", "alice"}, "tess": {"caller", "alice"}})
        both = (it.pages[name].asks("supervise_switch", mode="take_over") for name in ("sam", "tess"))
        answers = await asyncio.gather(*both, return_exceptions=True)
        assert [type(answer) for answer in answers] == [dict, RequestRefused]
        await it.calls["tess"].ended()
        await it.proves(HEARD[TAKE_OVER])


@pytest.mark.long
@pytest.mark.parametrize("mode", SupervisionMode)
async def test_a_supervisor_whose_session_ends_hears_nobody_any_more(mode: SupervisionMode) -> None:
    """It may have been taken from her. The two who talk go on; a caller whom she has taken over stays with her."""
    async with floor() as it:
        await it.begins(LISTEN)
        if mode is not LISTEN:
            await it.switches(mode)
        await it.confirmed(mode)
        it.pages["sam"].session_ended.set()
        if mode is TAKE_OVER:
            await it.proves(HEARD[TAKE_OVER], 3)
            assert it.center.all(f.SupervisionEnded) != []
        else:
            await it.calls["sam"].ended()
            await it.proves({"caller": {"alice"}, "alice": {"caller"}})
            await it.center.fact(f.SupervisionEnded)


@pytest.mark.long
async def test_who_stays_hears_the_agents_next_contact() -> None:
    async with floor() as it:
        await it.dials("*482001")
        await it.proves(HEARD[LISTEN])
        await it.calls["caller"].hang_up()
        await it.calls["alice"].ended()
        await it.nothing_left(1, 0)
        await it.alice_talks()
        await it.proves(HEARD[LISTEN])


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", SupervisionMode)
async def test_a_killed_engine_finds_everybody_where_they_were(mode: SupervisionMode) -> None:
    async with floor() as it:
        await it.begins(mode)
        await it.confirmed(mode)
        missing = it.missing() if mode is not TAKE_OVER else None
        await it.center.kill_engine()
        await it.proves(HEARD[mode])
        await it.center.start_engine()
        await it.proves(HEARD[mode])
        assert missing is None or missing() < 50


@pytest.mark.long
async def test_a_double_click_rings_once_and_who_cannot_be_heard_is_said_so() -> None:
    """Nobody hears herself, a supervisor, who has no caller, who is in a call of her own; who has a caller herself hears nobody."""
    async with floor() as it:
        it.phones["bob"] = await it.center.agent("bob", AnswerAfter(0.2))
        sam = it.pages["sam"]
        for agent, said in (("sam", "cannot supervise herself"), ("tess", "is a supervisor"), ("bob", "bob is not talking")):
            with pytest.raises(RequestRefused, match=said):
                await sam.asks("supervise_begin", agent=agent, mode="listen")
        await it.center.ask("agent_login", agent="tess")
        await it.center.ask("agent_dial", agent="bob", colleague="tess")
        it.calls["bob"] = await (await it.phones["bob"].incoming(10)).answered()
        it.calls["tess"] = await (await it.phones["tess"].incoming(10)).answered()
        await it.calls["bob"].hears(TONES["tess"])
        with pytest.raises(RequestRefused, match="bob is not talking to a caller"):
            await sam.asks("supervise_begin", agent="bob", mode="listen")
        await it.calls["bob"].hang_up()
        await it.calls["tess"].ended()

        clicks = (sam.asks("supervise_begin", agent="alice", mode="whisper") for _ in range(2))
        answers = await asyncio.gather(*clicks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [dict, RequestRefused]
        it.calls["sam"] = await (await it.phones["sam"].incoming(10)).answered()
        await asyncio.gather(*(it.switches(BARGE) for _ in range(3)))
        await it.proves(HEARD[BARGE])
        assert len(it.phones["sam"].calls) == 1
        assert [turned.mode for turned in it.center.all(f.SupervisionTurned)] == [WHISPER, BARGE]
        await it.switches(TAKE_OVER)
        await it.calls["alice"].ended()
        await it.proves(HEARD[TAKE_OVER])
        with pytest.raises(RequestRefused, match="sam is talking"):
            await sam.asks("supervise_begin", agent="bob", mode="listen")


@pytest.mark.long
async def test_in_a_conference_all_three_are_heard_and_nobody_joins_or_takes_it() -> None:
    async with floor() as it:
        it.phones["bob"] = await it.center.agent("bob", AnswerAfter(0.2))
        await it.begins(LISTEN)
        await it.confirmed(LISTEN)
        await it.center.ask("agent_consult", agent="alice", colleague="bob")
        it.calls["bob"] = await (await it.phones["bob"].incoming(10)).answered()
        await it.calls["bob"].hears(TONES["alice"])
        await it.center.ask("agent_conference", agent="alice")
        everybody = ("caller", "alice", "bob")
        for quiet in everybody:  # three at once are too loud for one ear
            speaking = [name for name in everybody if name != quiet]
            it.calls[quiet].play(None)
            heard = {name: {other for other in speaking if other != name} for name in everybody}
            await it.proves({**heard, "sam": set(speaking)})
            it.calls[quiet].play(TONES[quiet])
        it.calls["bob"].play(None)
        await it.switches(WHISPER)
        await it.proves({"caller": {"alice"}, "alice": {"caller", "sam"}, "bob": {"caller", "alice"}, "sam": {"caller", "alice"}})
        it.calls["bob"].play(TONES["bob"])
        for refused in (BARGE, TAKE_OVER):
            with pytest.raises(RequestRefused, match="in a consult"):
                await it.switches(refused)
        await it.center.ask("agent_complete", agent="alice")
        await it.calls["alice"].ended()
        await it.calls["sam"].ended()
        await it.proves({"caller": {"bob"}, "bob": {"caller"}})
