"""What the services need from the outside, as protocols. Adapters and the simulator provide them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from callcenter.domain.commands import AskOutside, Command, WithdrawAsk
from callcenter.domain.events import Event, LegArrived, Refusal
from callcenter.domain.facts import Fact
from callcenter.domain.ivr.grammar import Grammar


class CommandError(Exception):
    """A command was not carried out."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{refusal}: {detail}" if detail else str(refusal))
        self.refusal = refusal
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SeenLeg:
    """One channel of a node's snapshot."""

    leg: str
    up: bool
    ringing: bool
    ours: bool
    """It is inside our application (or was created by us for it)."""
    endpoint: str
    """The PJSIP endpoint it belongs to; empty for other technologies."""
    arrival: LegArrived | None = None
    """For a leg inside our application that came in from outside: the arrival we would have been told."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one node holds right now."""

    node: str
    started_at: datetime
    legs: Mapping[str, SeenLeg] = field(default_factory=dict)
    bridges: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """From bridge id to the legs in it; bridges of our application only."""
    playbacks: frozenset[str] = frozenset()
    """Which of the playbacks, and recordings of messages, we asked about are still going on."""


class Inbox(Protocol):
    """Where adapters put events; never blocks."""

    def __call__(self, event: Event) -> None: ...


class Telephony(Protocol):
    """The PBX: several Asterisk nodes, or a fake.

    After ``start``, events of each node come in that node's order. For each (re)connection of a node
    ``on_connect(node)`` is called before any event of the new connection is delivered; events that follow
    are kept back until it returns, so that the snapshot taken inside comes before what happens after it, and
    commands are refused with NODE_AWAY until that snapshot was read, or it has returned without one: what was
    decided before may be wrong by now. ``NodeDisconnected`` is told when a connection is lost; ``NodeConnected`` is
    the engine's to say, once it has caught up.
    """

    @property
    def nodes(self) -> Sequence[str]: ...

    async def start(self) -> None:
        """Begin to connect to all nodes, and go on trying."""

    async def close(self) -> None:
        """Leave the nodes; calls stay up."""

    async def run(self, command: Command) -> None:
        """Carry out the command. Raises CommandError.

        A leg, bridge or playback that is gone already is success for commands that end it.
        """

    async def snapshot(self, node: str, playbacks: Sequence[str]) -> Snapshot:
        """What the node holds now; ``playbacks`` are those whose fate the caller wants to know. Raises CommandError(NODE_AWAY).

        The recording of a message is asked about as its ``recorded_prompt``.
        """

    async def watch(self, node: str, leg: str) -> None:
        """Ask for the end of a leg outside our application: ``FallbackTalkEnded`` will follow."""

    async def release(self, node: str, leg: str) -> None:
        """Hang up a leg that belongs to nobody. Never raises for a leg that is gone."""

    async def destroy_bridge(self, node: str, bridge: str) -> None:
        """Destroy a bridge that belongs to nobody."""

    async def beat(self, node: str) -> None:
        """Tell the node's dialplan that we are alive: write the node's own time into its heartbeat global. Raises CommandError."""

    async def tell_hours(self, node: str, did: str, hint: str) -> None:
        """Tell the node's dialplan when the number is open (``domain.fallback_hours``); empty: always. Raises CommandError."""


class Answers(Protocol):
    """Who answers what flows ask of the outside. Neither call waits for the answer, which comes as ``AskAnswered``."""

    async def ask(self, command: AskOutside) -> None:
        """Begin to look for the answer; to ask the same again changes nothing."""

    async def withdraw(self, command: WithdrawAsk) -> None:
        """Nobody waits for that answer any more."""


class Recorder(Protocol):
    """Records a leg on its node; a part of telephony that speaks another interface of the PBX."""

    async def start(self, node: str, leg: str, recording: str) -> None:
        """Record what the leg says (left) and hears (right). Raises CommandError."""

    async def take_up(self, node: str, leg: str, recording: str) -> None:
        """The same of a leg that talks already: if that recording has begun, it goes on. Raises CommandError."""

    async def stop(self, node: str, leg: str, recording: str) -> None:
        """Stop recording the leg; one that is gone, or was never recorded, is success. Raises CommandError."""

    def hears_another(self, node: str, leg: str) -> None:
        """The recorded leg hears another party from now on. Never waits."""

    def is_over(self, node: str, leg: str) -> None:
        """The recorded leg has ended, and its recording with it. Never waits."""


class Phones(Protocol):
    """Asks agents' phones whether they are there; a part of telephony that speaks another interface of the PBX."""

    async def ask(self, node: str, endpoint: str) -> None:
        """``PhoneReachable`` follows if the phone answers, else nothing. Raises CommandError."""


class Lamps(Protocol):
    """Lights the message lamps of agents' phones; a part of telephony that speaks another interface of the PBX."""

    async def show(self, node: str, endpoint: str, new: int, old: int) -> None:
        """Tell the phone how many messages wait. A phone that is not there is told nothing, and that is no error. Raises CommandError."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC; never goes back, whatever is done to the wall clock."""


class Journal(Protocol):
    """The local, durable record of facts."""

    def append(self, facts: Sequence[Fact]) -> int:
        """Write the facts of one event as one record, read back whole or not at all; return its sequence number.

        Survives a kill of the process when it returns, a power cut after ``sync``.
        """

    async def sync(self) -> None:
        """Return once all appended so far is on disk (one fsync serves many callers)."""


FactListener = Callable[[int, Sequence[Fact]], None]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser made of an utterance."""

    phrase: str
    """One of the grammar's (or several, parted by a space, where several in a row may be said); empty: none of them."""
    value: str
    """What it means."""
    confidence: float
    """0 to 1: how sure the recogniser is."""


NONE_OF_THEM = Heard("", "", 0.0)
"""Something was said, and it was none of the phrases."""


class RecogniserError(Exception):
    """It could not be recognised: no recogniser, none that answers, or one that answered nonsense. The sentence says which."""


class Recogniser(Protocol):
    """Hears one utterance of a caller.

    Whoever wants it no longer cancels the task; nothing of it is left then.
    """

    @property
    def rate(self) -> int:
        """Samples per second it wants: 8000 or 16000."""

    async def hear(self, audio: AsyncIterator[bytes], grammar: Grammar, no_speech: timedelta, limit: timedelta) -> Heard | None:
        """Listen to frames (16 bit little-endian, one channel) until the caller has said something; None: nothing was said.

        Ends ``no_speech`` after the first frame when nobody speaks, and ``limit`` after it in any case. Raises RecogniserError.
        """


@dataclass(frozen=True, slots=True)
class Ear:
    """One way to hear a leg."""

    node: str
    leg: str
    url: str
    """A WebSocket that sends frames, 16 bit little-endian, one channel."""
    media: str
    """Ids of ours on the node: the channel that carries the audio, the one that picks it up, and the bridge between them."""
    snoop: str
    bridge: str


class Ears(Protocol):
    """Lets somebody outside hear what a leg says; a part of telephony."""

    async def open_ear(self, node: str, leg: str, rate: int) -> Ear:
        """Prepare it: the audio comes once somebody connects to ``Ear.url``. Raises CommandError, with nothing left behind."""

    async def close_ear(self, ear: Ear) -> None:
        """Nobody listens any more; nothing of it is left on the node, or the next snapshot clears it away."""
