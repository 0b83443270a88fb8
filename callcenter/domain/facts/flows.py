"""Facts of flow runs: what a caller hears and does before the queue.

Reports fold over them: the node a run is at follows from ``FlowStarted``, ``FlowPassed`` (an edge: node and exit), ``FlowEntered`` and
``FlowReturned``; retries from the ``tries`` of ``FlowMoved``; where callers drop off from ``FlowEnded``.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FlowStarted:
    at: datetime
    call: str
    flow: str
    version: int = 0
    """The published one, which the caller goes through to the end; 0: the flow was none that is published."""
    subflows: tuple[str, ...] = ()
    """The flows it may enter, each as ``name@version``."""
    again: bool = False
    """The run begins anew, because the version it was in is no longer there."""


@dataclass(frozen=True, slots=True)
class FlowMoved:
    """The flow run is at ``node`` now and says ``prompts`` as ``playback``."""

    at: datetime
    call: str
    node: str
    tries: int
    playback: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowPassed:
    """The run left ``node`` by its exit of that name (a key, ``next``, ``otherwise``, ``failed`` ...), for node ``to``."""

    at: datetime
    call: str
    node: str
    exit: str
    to: str


@dataclass(frozen=True, slots=True)
class FlowListened:
    """The prompt of a menu has ended; the caller has until ``until`` to press a key."""

    at: datetime
    call: str
    until: datetime


@dataclass(frozen=True, slots=True)
class FlowKeyPressed:
    """A key that the menu knows (``node`` is where it leads) or does not know (``node`` is empty)."""

    at: datetime
    call: str
    digit: str
    """Empty in a secret entry, and where it is kept for a later node: it may be part of one."""
    node: str


@dataclass(frozen=True, slots=True)
class FlowDigitTaken:
    """A digit of an entry; the next one must come before ``until``."""

    at: datetime
    call: str
    digit: str
    """Empty in a secret entry."""
    until: datetime


@dataclass(frozen=True, slots=True)
class FlowCollected:
    """The caller's entry is whole: from now on it is the call's attribute of that name."""

    at: datetime
    call: str
    attribute: str
    digits: str
    """Empty for a secret entry, which is no attribute."""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class FlowAttributesSet:
    """These are attributes of the call from now on."""

    at: datetime
    call: str
    names: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowAsked:
    """Something was asked of the outside at ``node``; the caller waits until ``until`` at most, and hears ``prompts`` meanwhile."""

    at: datetime
    call: str
    ask: str
    node: str
    until: datetime
    playback: str = ""
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowAnswered:
    """What came of it: the answer, ``failed``, ``late``, or ``key`` when the caller pressed one instead; and what is known now."""

    at: datetime
    call: str
    ask: str
    outcome: str
    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowDialed:
    """At ``node`` a number outside is rung for the caller, who hears that; it has until ``until`` to answer."""

    at: datetime
    call: str
    leg: str
    number: str
    node: str
    until: datetime


@dataclass(frozen=True, slots=True)
class FlowTransferred:
    """It was answered: both hear each other until one of them hangs up."""

    at: datetime
    call: str
    leg: str
    bridge: str


@dataclass(frozen=True, slots=True)
class FlowEntered:
    """At ``node`` the run went on in a sub-flow, with these parameters."""

    at: datetime
    call: str
    node: str
    flow: str
    version: int
    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowReturned:
    """The sub-flow came back from its ``node``."""

    at: datetime
    call: str
    node: str
    outcome: str


@dataclass(frozen=True, slots=True)
class FlowFailed:
    """Something went wrong at ``node``: on with ``to``, the error exit of the flow at that depth (0 is the outermost)."""

    at: datetime
    call: str
    node: str
    why: str
    depth: int
    to: str
    """Empty: there is no error exit, and a goodbye follows."""


@dataclass(frozen=True, slots=True)
class FlowEnded:
    at: datetime
    call: str
    exit: str
    """``queue``, ``hang_up``, ``transfer``, ``caller_left`` or ``error``."""
    node: str = ""
    """Where."""
    may_resume: bool = False
    """The caller was handed to one agent; when she does not answer, ``FlowResumed`` follows."""


@dataclass(frozen=True, slots=True)
class FlowResumed:
    """The agent did not answer to whom the caller was handed: the flow run goes on where it had ended."""

    at: datetime
    call: str


FlowFact = (
    FlowStarted
    | FlowMoved
    | FlowPassed
    | FlowListened
    | FlowKeyPressed
    | FlowDigitTaken
    | FlowCollected
    | FlowAttributesSet
    | FlowAsked
    | FlowAnswered
    | FlowDialed
    | FlowTransferred
    | FlowEntered
    | FlowReturned
    | FlowFailed
    | FlowEnded
    | FlowResumed
)
