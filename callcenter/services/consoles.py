"""The consoles that are open: each agent's own events, numbered, kept for a while for those who come back, and told at once.

A console is a person's, however many tabs show it. All tabs are told the same events under the same numbers; the newest one leads: it alone
has the audio. A tab that comes back after a gap says up to which number it was told, and gets the rest, or, when that can no longer be had,
a picture of everything.

The server owns the call: whoever is gone for less than ``GONE_AFTER`` has missed nothing. After that the engine is told.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import orjson
import structlog

from callcenter.domain.agent import CONSOLE_GONE
from callcenter.domain.facts import AgentState, Fact
from callcenter.services.console_view import agent_view, contact_view, notices_view, supervision_view, touched
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused
from callcenter.services.replica import Replica

log = structlog.get_logger(__name__)

GONE_AFTER = 12.0
"""Seconds without a sign of life after which nobody sits there any more."""
BACK_AFTER_START = 30.0
"""Seconds that consoles have to find their way back after a restart of ours."""
FORGET_AFTER = 900.0
"""Seconds after which what a closed console was told is forgotten."""
LOOK_EVERY = 1.0
EVENTS_KEPT = 200
TABS = 10
"""Of one person at once."""
WAITING_MOST = 256
"""Messages that may wait for a tab that takes none; one more, and it must come back for a picture."""

Ask = Callable[..., Awaitable[JsonObject]]
"""``await ask("agent_ready", agent="alice")``; raises EngineAway, RequestRefused."""


class Full(Exception):
    """This person has too many tabs open."""


class TabGone(Protocol):
    """Told when a tab is to be closed: why."""

    def __call__(self, why: str) -> None: ...


@dataclass(eq=False)
class Tab:
    """One page in one browser. ``wake`` is called when there is something to send."""

    close: TabGone
    wake: Callable[[], None]
    waiting: deque[bytes] = field(default_factory=deque)
    closed: bool = False

    def put(self, message: bytes) -> None:
        """Never blocks, never grows without limit."""
        if self.closed:
            return
        if len(self.waiting) >= WAITING_MOST:
            self.closed = True
            self.waiting.clear()
            self.close("too slow")
            return
        self.waiting.append(message)
        self.wake()


@dataclass(eq=False)
class Console:
    """What one person was told, and where."""

    person: str
    agent: str
    sees: Callable[[str], bool] = lambda queue: False
    """Whether alerts of that queue are hers to see."""
    session: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0
    kept: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))
    tabs: list[Tab] = field(default_factory=list)
    """The one that leads last."""
    shown: dict[str, bytes] = field(default_factory=dict)
    """By what: as it was told last."""
    offer: str = ""
    heard_at: float = 0.0
    gone: bool = False
    """The engine was told that nobody sits here."""
    answers: dict[str, "asyncio.Future[JsonObject]"] = field(default_factory=dict)
    """By the id of the command: what became of it, or will."""

    def tell(self, event: str, **fields: Json) -> None:
        """To all tabs, and to whoever comes back."""
        self.seq += 1
        message = orjson.dumps({"seq": self.seq, "event": event, **fields})
        self.kept.append((self.seq, message))
        for tab in list(self.tabs):
            tab.put(message)

    def missed(self, session: str, since: int) -> list[bytes] | None:
        """What was told above that number; None: it can no longer be had."""
        lost_up_to = self.kept[0][0] - 1 if self.kept else self.seq
        if session != self.session or not lost_up_to <= since <= self.seq:
            return None
        return [message for seq, message in self.kept if seq > since]


class Consoles:
    """All of them. Follows the replica; asks the engine nothing but to say who is gone, and who is back."""

    def __init__(self, replica: Replica, ask: Ask, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._replica, self._ask, self._clock = replica, ask, clock
        self._consoles: dict[str, Console] = {}
        """By person."""
        self._by_agent: dict[str, Console] = {}
        self._began = False
        self.beside: Callable[[Console], dict[str, Json]] = lambda console: {}
        """What every picture holds, too: alerts."""
        replica.watch(self._happened)

    @property
    def open(self) -> int:
        """How many tabs there are."""
        return sum(len(console.tabs) for console in self._consoles.values())

    # --- tabs -----------------------------------------------------------------------------------

    def open_consoles(self) -> list[Console]:
        return [console for console in self._consoles.values() if console.tabs]

    def enter(
        self, person: str, agent: str, tab: Tab, session: str = "", since: int = 0, sees: Callable[[str], bool] = lambda queue: False
    ) -> Console:
        """The tab is told everything from now on, beginning with what it missed; the newest one leads. Raises Full."""
        console = self._console(person, agent)
        console.sees = sees
        if len(console.tabs) >= TABS:
            raise Full(f"{TABS} tabs are open already; close one of them")
        missed = console.missed(session, since)
        self.heard(console)
        for other in console.tabs:
            other.put(orjson.dumps({"event": "lead", "lead": False}))
        console.tabs.append(tab)
        tab.put(orjson.dumps(self._hello(console, missed is not None)))
        if missed is None:
            self._picture(console, tab)
        for message in missed or ():
            tab.put(message)
        return console

    def leave(self, console: Console, tab: Tab) -> None:
        """The next newest one leads."""
        tab.closed = True
        if tab not in console.tabs:
            return
        led = console.tabs[-1] is tab
        console.tabs.remove(tab)
        if led and console.tabs:
            console.tabs[-1].put(orjson.dumps({"event": "lead", "lead": True}))

    def lead(self, console: Console, tab: Tab) -> None:
        """The person wants the audio here."""
        if tab in console.tabs and console.tabs[-1] is not tab:
            console.tabs[-1].put(orjson.dumps({"event": "lead", "lead": False}))
            console.tabs.remove(tab)
            console.tabs.append(tab)
            tab.put(orjson.dumps({"event": "lead", "lead": True}))

    def heard(self, console: Console) -> None:
        """Somebody is there."""
        console.heard_at = asyncio.get_running_loop().time()

    def tell_agent(self, agent: str, event: str, **fields: Json) -> bool:
        """Something for the console of that agent; False: she has none open."""
        console = self._by_agent.get(agent)
        if console is None or not console.tabs:
            return False
        console.tell(event, **fields)
        return True

    def tell_all(self, event: str, wanted: Callable[[Console], bool] = lambda console: True, **fields: Json) -> None:
        for console in self._consoles.values():
            if console.tabs and wanted(console):
                console.tell(event, **fields)

    def _console(self, person: str, agent: str) -> Console:
        console = self._consoles.get(person)
        if console is None or console.agent != agent:  # she is another agent now
            console = self._consoles[person] = Console(person, agent)
            if agent:
                console.gone = agent in self._by_agent and self._by_agent[agent].gone
                self._by_agent[agent] = console
            self._note(console)
        return console

    def _hello(self, console: Console, resumed: bool) -> JsonObject:
        return {
            "event": "hello",
            "session": console.session,
            "seq": console.seq,
            "resumed": resumed,
            "lead": True,
            "person": console.person,
            "agent": console.agent,
            "at": self._clock().isoformat(),
            "engine": self._replica.here,
        }

    def _picture(self, console: Console, tab: Tab) -> None:
        now = {"event": "picture", "seq": console.seq, "engine": self._replica.here, **self._views(console), **self.beside(console)}
        tab.put(orjson.dumps(now))

    # --- what happens ---------------------------------------------------------------------------

    def _happened(self, seq: int, facts: Sequence[Fact]) -> None:
        """A watcher of the replica."""
        state = self._replica.state
        if state is None:
            return
        if not facts:
            self.tell_all("engine", here=self._replica.here)
            for console in self._by_agent.values():
                self._show(console)
            return
        for name in touched(state, facts):
            watched = self._by_agent.get(name)
            if watched is not None:
                self._show(watched)

    def _views(self, console: Console) -> dict[str, Json]:
        """Everything that is her own, by what it is; the contact first, for it may be a screen pop."""
        state, name = self._replica.state, console.agent
        if state is None or not name:
            return {"contact": None, "agent": None, "notices": [], "supervision": None}
        return {
            "contact": contact_view(state, name),
            "agent": agent_view(state, name),
            "notices": notices_view(state, name),
            "supervision": supervision_view(state, name),
        }

    def _note(self, console: Console) -> dict[str, Json]:
        """What is new to her."""
        views = self._views(console)
        now = {part: orjson.dumps(view) for part, view in views.items()}
        before, console.shown = console.shown, now
        return {part: view for part, view in views.items() if before.get(part) != now[part]}

    def _show(self, console: Console) -> None:
        """Tell what has changed. A new offer is the screen pop."""
        for part, view in self._note(console).items():
            if part == "contact":
                offer = str(view["offer"]) if isinstance(view, dict) and view["state"] == "offered" else ""
                console.tell("offer" if offer and offer != console.offer else "contact", contact=view)
                console.offer = offer
            else:
                console.tell(part, **{part: view})

    # --- who is gone ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled: tell the engine who is gone, and who is back."""
        while True:
            self._begin()
            now = asyncio.get_running_loop().time()
            for console in list(self._consoles.values()):
                await self._look(console, now)
            await asyncio.sleep(LOOK_EVERY)

    def _begin(self) -> None:
        """Whose console was open when the process before this one ended has some time to come back."""
        state = self._replica.state
        if self._began or state is None or not self._replica.here:
            return
        self._began = True
        for name, config in state.config.agents.items():
            if config.browser and name not in self._by_agent and state.agents[name].state is not AgentState.LOGGED_OUT:
                awaited = self._consoles[f"agent {name}"] = self._by_agent[name] = Console("", name)
                awaited.heard_at = asyncio.get_running_loop().time() + BACK_AFTER_START - GONE_AFTER

    async def _look(self, console: Console, now: float) -> None:
        silent = now - console.heard_at
        if not console.tabs and silent > FORGET_AFTER:
            self._forget(console)
        if not console.agent or self._by_agent.get(console.agent) is not console or not self._replica.here:
            return
        try:
            if silent >= GONE_AFTER and not console.gone:
                await self._ask("console_gone", agent=console.agent)
                console.gone = True
                log.info("console_gone", agent=console.agent)
            elif console.tabs and silent < GONE_AFTER and (console.gone or self._taken_for_gone(console)):
                await self._ask("console_back", agent=console.agent)
                console.gone = False
        except EngineAway:
            pass  # it is told once it is there again
        except RequestRefused as refused:
            log.warning("console_not_told", agent=console.agent, why=str(refused))
            console.gone = silent >= GONE_AFTER

    def _taken_for_gone(self, console: Console) -> bool:
        """By a process before this one."""
        state = self._replica.state
        agent = state.agents.get(console.agent) if state is not None else None
        later = agent.remembered if agent is not None else None
        return later is not None and later.reason == CONSOLE_GONE

    def _forget(self, console: Console) -> None:
        for person, known in list(self._consoles.items()):
            if known is console:
                del self._consoles[person]
        if self._by_agent.get(console.agent) is console:
            del self._by_agent[console.agent]
