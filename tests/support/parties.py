"""Callers and agents as a story speaks of them, whether the PBX is a fake in virtual time or a real Asterisk.

alice = await center.agent("alice")
await alice.ready()
caller = await center.calls()
await caller.hears("menu")
await caller.presses("2")
await alice.talks()
await caller.hangs_up()
assert await caller.story() == [...]
"""

import abc
import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.commands import AskOutside
from callcenter.domain.ivr.dipping import DipQuestion
from callcenter.domain.ivr.questions import ANSWERED, FAILED
from callcenter.services.answering import Answer
from callcenter.services.engine import Engine

T = TypeVar("T")
PATIENCE = 40.0
"""Seconds a story waits for something that is sure to come."""

UNSAID = (f.ContactEnded, f.FlowPassed)
"""Facts about the time after a call, which may come before or after what else happens to it; and what the next fact of a flow says too."""


class FactBook:
    """Every fact of the center so far; hand ``keep`` to the engine."""

    def __init__(self) -> None:
        self.facts: list[f.Fact] = []
        self._more = asyncio.Event()

    def keep(self, seq: int, facts: Sequence[f.Fact]) -> None:
        self.facts += facts
        self._more.set()
        self._more = asyncio.Event()

    async def until(self, find: Callable[[], T | None], what: str = "") -> T:
        """Wait until there is such a thing."""
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := find()) is None:
                    await self._more.wait()
                return found
        except TimeoutError:
            raise AssertionError(f"{what or 'what the story waits for'} did not happen") from None

    def of(self, kind: type[T], **same: object) -> list[T]:
        return [fact for fact in self.facts if isinstance(fact, kind) and all(getattr(fact, k) == v for k, v in same.items())]


class Party(abc.ABC):
    """One call as somebody outside sees it."""

    def __init__(self, center: "StoryCenter", find: Callable[[], f.CallBegan | None]) -> None:
        self.center = center
        self._find = find

    async def began(self) -> f.CallBegan:
        return await self.center.book.until(self._find, "the call")

    async def meets(self, kind: type[T], **same: object) -> T:
        """Wait for a fact about this call."""
        call = (await self.began()).call
        return await self.center.book.until(lambda: next(iter(self.center.book.of(kind, call=call, **same)), None), kind.__name__)

    async def story(self) -> list[str]:
        """Once the call is over: its facts in order, each as kind, who and why."""
        began = await self.began()
        await self.meets(f.CallEnded)
        lines = [fact for fact in self.center.book.facts if getattr(fact, "call", "") == began.call and not isinstance(fact, UNSAID)]
        kinds = (f.ContactOffered, f.LegJoined, f.LegCreated, f.LegMoved)
        agents = [*(fact for fact in self.center.book.facts if isinstance(fact, kinds)), *self._own_legs()]
        names = {**{fact.leg: self.center.short(fact.agent) for fact in agents}, began.leg: "caller"}
        return [_line(fact, names, self.center.short) for fact in lines]

    def _own_legs(self) -> list[f.LegCreated]:
        """Of colleagues in calls of agents' own."""
        dialed = self.center.book.of(f.OwnCallDialed)
        return [f.LegCreated(fact.at, fact.call, fact.leg, fact.colleague) for fact in dialed if fact.colleague]

    @abc.abstractmethod
    async def hears(self, what: str) -> None:
        """A prompt's id, ``music``, or an agent's name."""

    @abc.abstractmethod
    async def presses(self, key: str) -> None: ...

    async def speaks_for(self, seconds: float) -> None:
        """Says something all the time; here for so long before anything else happens."""
        await asyncio.sleep(seconds)

    @abc.abstractmethod
    async def hangs_up(self) -> None: ...

    @abc.abstractmethod
    async def vanishes(self) -> None:
        """The far end is unplugged: no more audio, no word."""

    async def arrives_again(self) -> None:
        """The PBX tells the same arrival a second time."""
        began = await self.began()
        arrival = next(event for event in self.center.told if isinstance(event, e.LegArrived) and event.leg == began.leg)
        self.center.engine.tell(arrival)
        await self.center.engine.caught_up()


class AgentParty(abc.ABC):
    """An agent and the phone."""

    def __init__(self, center: "StoryCenter", name: str) -> None:
        self.center = center
        self.name = center.long(name)

    async def ready(self) -> None:
        assert await self.center.engine.request(e.AgentLoginRequested(self.name)) is None
        assert await self.center.engine.request(e.AgentReadyRequested(self.name)) is None

    async def transfers(self, queue: str) -> None:
        assert await self.center.engine.request(e.TransferRequested(self.name, self.center.long(queue))) is None

    async def asks(self, event: e.Event) -> None:
        """What she wants at the console."""
        assert await self.center.engine.request(event) is None

    async def becomes(self, state: f.AgentState, reason: str = "") -> None:
        wanted = f"{state} {reason}".strip()
        await self.center.book.until(lambda: True if self.states()[-1:] == [wanted] else None, f"{self.name} {wanted}")

    def states(self) -> list[str]:
        return [f"{fact.state} {fact.reason}".strip() for fact in self.center.book.of(f.AgentStateChanged, agent=self.name)]

    @abc.abstractmethod
    def answers(self) -> None: ...

    @abc.abstractmethod
    def is_busy(self) -> None: ...

    @abc.abstractmethod
    def declines(self) -> None: ...

    @abc.abstractmethod
    def never_answers(self) -> None: ...

    @abc.abstractmethod
    async def is_unreachable(self) -> None:
        """The phone is not registered."""

    @abc.abstractmethod
    async def is_back(self) -> None:
        """The phone is registered again; nobody tells the engine."""

    @abc.abstractmethod
    async def rings(self) -> None: ...

    @abc.abstractmethod
    async def talks(self) -> None:
        """Wait until the phone is in a call with a caller."""

    @abc.abstractmethod
    async def is_called(self) -> None:
        """Wait until the phone has answered a call, whoever is on the other side."""

    @abc.abstractmethod
    async def hears(self, what: str) -> None:
        """Another agent by name, ``caller``, ``music`` or ``ringing``; on the leg she used last."""

    @abc.abstractmethod
    async def presses(self, keys: str) -> None:
        """In the middle of the talk."""

    @abc.abstractmethod
    async def consults_by_phone(self, extension: str) -> None:
        """Press hold, and dial."""

    @abc.abstractmethod
    async def hangs_up_second(self) -> None:
        """End what was dialed last."""

    @abc.abstractmethod
    async def refers(self, extension: str, *, attended: bool = False) -> bool:
        """Press the transfer key; the phone is told whether it was done. ``attended``: of both legs."""

    @abc.abstractmethod
    async def holds(self) -> None: ...

    @abc.abstractmethod
    async def resumes(self) -> None: ...

    @abc.abstractmethod
    async def hangs_up(self) -> None: ...

    @abc.abstractmethod
    async def vanishes(self) -> None: ...

    @abc.abstractmethod
    async def dials(self, code: str) -> Party: ...

    @abc.abstractmethod
    async def shows(self, new: int, old: int) -> None:
        """Wait until the phone has been told of so many new and old messages."""


class StoryCenter(abc.ABC):
    """One story's part of a center: its own agents, queues and number, so that stories do not meet."""

    engine: Engine

    def __init__(self, story: int, book: FactBook, told: list[e.Event]) -> None:
        self.story = story
        self.book = book
        self.told = told
        self.sparse = True
        """Phones send few packets; where Asterisk mixes, that would be heard as breaks."""
        self._callers = 0

    def long(self, name: str) -> str:
        return f"s{self.story}-{name}"

    def short(self, name: str) -> str:
        return name.removeprefix(f"s{self.story}-")

    @property
    def did(self) -> str:
        """Leads to the menu of the story, whose key 2 leads to its queue ``support``."""
        return did(self.story)

    def extension(self, name: str) -> str:
        """Of an agent or a queue of this story."""
        return extension(self.story, name)

    def next_caller_id(self) -> str:
        self._callers += 1
        return f"+1202555{self.story:02d}{self._callers:02d}"

    def find_caller(self, caller: str) -> Callable[[], f.CallBegan | None]:
        before = len(self.book.of(f.CallBegan, caller=caller))
        return lambda: next(iter(self.book.of(f.CallBegan, caller=caller)[before:]), None)

    @abc.abstractmethod
    async def calls(self, number: str = "", caller: str = "") -> Party:
        """Somebody calls; ``caller``: the number of who has called before."""

    @abc.abstractmethod
    async def is_called(self, number: str) -> Party:
        """Wait until somebody outside, whose phone answers, is called by us, and has answered."""

    @property
    def mobile(self) -> str:
        """Where frank of this story is looked for outside."""
        return mobile(self.story)

    def find_called(self, number: str) -> Callable[[], f.CallBegan | None]:
        """The call of ours to that number."""
        return lambda: next(iter(self.book.of(f.CallBegan, caller=number, direction=f.Direction.OUTBOUND)), None)

    @abc.abstractmethod
    async def agent(self, name: str) -> AgentParty:
        """An agent with a phone that is there and answers."""


def did(story: int) -> str:
    return f"+18005551{story:03d}"


EXTENDED = ("support", "second", "alice", "bob", "carol")


async def answered_for_stories(command: AskOutside) -> Answer:
    """What the other systems of stories know."""
    question = command.question
    assert isinstance(question, DipQuestion)
    await asyncio.sleep(0.5)
    return Answer(ANSWERED, {"code": "42"}) if question.source == "codes" else Answer(FAILED)


def mobile(story: int) -> str:
    """Frank's."""
    return f"+1202559{story:02d}99"


def extension(story: int, name: str) -> str:
    return f"2{story:02d}{EXTENDED.index(name)}"


def story_settings(raw: dict[str, Any], stories: int, outside_port: int = 5060) -> dict[str, Any]:
    """``raw`` for so many stories: each its number, menu, queues ``support`` (alice, bob, eve), ``second`` (carol), ``care`` (dora, carol).

    Key 3 leads to ``care``, which requires a disposition; key 4 asks for a code, and says it back;
    key 5 leads to ``told``, where callers are told their position after 2 s, and comforted; carol serves it, too;
    key 6 leads to ``busy``, whose agent is never there: after 4 s its callers are sent to ``second``, and by key 9 to the menu.
    Key 7 leads to ``team``, where all phones ring (gina, hugo); key 8 to ``again``, whose callers wait for whom they had last (both);
    key 1 to ``away``, whose agent, frank, is looked for at his desk and then outside. Key 9 hands the caller to frank's number outside;
    key 0 looks a code up, which is said, and key * does so in vain (``answered_for_stories``). Agents send callers to pay by ``pay``.
    sam serves no queue, and may hear the contacts of ``support``.
    A caller who waits in ``support`` is called back on key 9, and leaves a message on key 0; everybody outside has the phone at
    ``outside_port``, and may be called by agents.
    """
    raw = {**raw, "trunk": [{**raw["trunk"][0], "host": "127.0.0.1", "port": outside_port}], "calling": {"trunk": raw["trunk"][0]["name"]}}
    raw["own_calls"] = {"allowed": ["+1202559"]}
    names = [f"s{story}" for story in range(stories)]
    policy = {"music": "tones", "wrap_up_s": 1, "ring_timeout_s": 3}
    queues = [{"name": f"{name}-{queue}", **policy} for name in names for queue in ("support", "second")]
    for queue in queues:
        if queue["name"].endswith("-support"):
            queue["callback"] = {"key": "9"}
            queue["keys"] = {"0": "voicemail"}
            queue["voicemail"] = {}
    agents = [{"name": f"{name}-{agent}", "queues": [f"{name}-support"]} for name in names for agent in ("alice", "bob")]
    carol = {"queues": ["second", "care", "told"], "may_opt_out": ["care"]}
    agents += [{"name": f"{name}-carol", **{key: [f"{name}-{queue}" for queue in of] for key, of in carol.items()}} for name in names]
    announce = {"position": "yes", "first_after_s": 2, "comfort": ["comfort"], "comfort_every_s": 15}
    queues += [{"name": f"{name}-told", **policy, "announce": announce} for name in names]
    for name in names:
        away = {"overflow": [{"waited_s": 4, "to": f"queue:{name}-second"}], "keys": {"9": f"flow:{name}"}}
        queues.append({"name": f"{name}-busy", **policy, **away})
    care = {"wrap_up_s": 30, "wrap_up_extension_s": 30, "dispositions": ["solved", "open"], "disposition_required": True}
    queues += [{"name": f"{name}-care", **policy, **care} for name in names]
    agents += [{"name": f"{name}-eve", "queues": [f"{name}-support"], "leg": "persistent"} for name in names]
    agents += [{"name": f"{name}-sam"} for name in names]
    agents += [{"name": f"{name}-dora", "queues": [f"{name}-care"]} for name in names]
    agents += [{"name": f"{name}-erin", "queues": [f"{name}-busy"]} for name in names]
    routing: dict[str, dict[str, Any]] = {"team": {"strategy": "ring_all"}, "again": {"last_agent_wait_s": 5}, "away": {}}
    queues += [{"name": f"{name}-{queue}", **policy, **how} for name in names for queue, how in routing.items()]
    agents += [{"name": f"{name}-{each}", "queues": [f"{name}-team", f"{name}-again"]} for name in names for each in ("gina", "hugo")]
    for story, name in enumerate(names):
        devices = [{"phone": "desk", "ring_s": 2}, {"number": mobile(story), "ring_s": 15, "accept_s": 15}]
        agents.append({"name": f"{name}-frank", "queues": [f"{name}-away"], "find_me": devices})
    looked = {"filler": "please-wait", "next": "repeat", "otherwise": "enter", "failed": "enter"}
    flows: dict[str, Any] = {
        name: {
            "start": "menu",
            "node": {
                "menu": {
                    "type": "menu",
                    "prompt": "menu",
                    "choices": {
                        **{"2": "enter", "3": "care", "4": "code", "5": "told", "6": "busy", "7": "team", "8": "again", "1": "away"},
                        **{"9": "outside", "0": "look", "*": "look-in-vain"},
                    },
                    "otherwise": "enter",
                    "timeout_s": 3,
                    "tries": 1,
                },
                "code": {"type": "collect", "prompt": "enter-code", "attribute": "code", "next": "repeat", "otherwise": "enter"},
                "repeat": {"type": "prompt", "prompt": ["you-entered", "{digits:code}"], "next": "enter"},
                "outside": {"type": "transfer", "number": mobile(story), "ring_s": 10, "otherwise": "enter"},
                "look": {"type": "dip", "source": "codes", **looked},
                "look-in-vain": {"type": "dip", "source": "broken", **looked},
                "enter": {"type": "queue", "queue": f"{name}-support"},
                "care": {"type": "queue", "queue": f"{name}-care"},
                "told": {"type": "queue", "queue": f"{name}-told"},
                **{queue: {"type": "queue", "queue": f"{name}-{queue}"} for queue in ("busy", *routing)},
            },
        }
        for story, name in enumerate(names)
    }
    entry = {"type": "collect", "prompt": "enter-code", "attribute": "card", "secret": True, "next": "done", "otherwise": "done"}
    flows["pay"] = {"start": "card", "node": {"card": entry, "done": {"type": "return", "outcome": "paid"}}}
    source = {"url": "http://127.0.0.1:9/", "allow_private": True, "attributes": {"code": {"path": "code", "type": "digits"}}}
    others = {"dip": {"codes": source, "broken": source}, "payments": {"flows": ["pay"]}}
    numbers = [{"did": did(story), "flow": name, "fallback_queue": f"{name}-support"} for story, name in enumerate(names)]
    for each in (*queues, *agents):
        story, name = each["name"].removeprefix("s").split("-")
        if name in EXTENDED:
            each["extension"] = extension(int(story), name)
    supervisors = [{"name": f"{name}-sam", "queues": [f"{name}-support"]} for name in names]
    raw = {**raw, "supervisor": supervisors, "center": {**raw["center"], "phone_transfers": True}}
    long_menu = {"id": "menu", "source": "tone:500+700:4"}
    prompts = [long_menu, *(prompt for prompt in raw["prompt"] if prompt["id"] != "menu")]
    return {**raw, **others, "queue": queues, "agent": agents, "flow": flows, "number": numbers, "prompt": prompts}


SAID = ("state", "why", "stage", "exit", "cause", "digit", "digits", "node", "direction", "short", "hears")


def _line(fact: f.Fact, names: dict[str, str], short: Callable[[str], str]) -> str:
    """Such as ``OfferMissed alice busy``."""
    leg, agent = getattr(fact, "leg", ""), getattr(fact, "agent", "")
    who = [names[leg]] if leg in names and not isinstance(fact, f.CallBegan) else [short(agent)] if agent else []
    fields = () if isinstance(fact, f.RecordingStarted | f.ContactOffered) else ("exit",) if isinstance(fact, f.FlowEnded) else SAID
    said = [str(getattr(fact, field)) for field in fields if getattr(fact, field, None) not in (None, "", False)]
    if isinstance(fact, f.CallBegan):
        said = [str(fact.direction), fact.dialed if fact.direction is f.Direction.INTERNAL else ""]
    return " ".join(word for word in [type(fact).__name__, *who, *said] if word)
