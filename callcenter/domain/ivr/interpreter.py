"""The flow interpreter: where a flow run goes next. Pure; it says, listens and leaves, others do it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.domain.ivr.flow import Flow, HangUpNode, MenuNode, PromptNode, QueueNode


@dataclass(slots=True)
class FlowRun:
    """One caller inside a flow."""

    flow: Flow
    node: str = ""
    tries: int = 0
    """How often the menu we are in was left without a valid key."""
    playback: str = ""
    """What we are saying; empty once it has ended."""
    prompts: tuple[str, ...] = ()
    until: datetime | None = None
    """While listening: when the caller's time is up."""


@dataclass(frozen=True, slots=True)
class Say:
    """Be at ``node`` and say the prompts."""

    node: str
    tries: int
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for a key for so long."""

    timeout: timedelta


@dataclass(frozen=True, slots=True)
class EnterQueue:
    """Leave the flow for a queue."""

    queue: str
    priority: int


@dataclass(frozen=True, slots=True)
class HangUpCaller:
    """Leave the flow and end the call."""


Step = Say | Listen | EnterQueue | HangUpCaller


def start(flow: Flow) -> Step:
    return _enter(flow, flow.start)


def is_lost(run: FlowRun) -> bool:
    """The flow was changed while we were away: the node we are in is gone, or is another kind of thing now."""
    return not isinstance(run.flow.nodes.get(run.node), MenuNode if run.until is not None else PromptNode | MenuNode)


def after_prompt(run: FlowRun) -> Step:
    """The prompt of the present node has been said."""
    match run.flow.nodes[run.node]:
        case PromptNode(next=target):
            return _enter(run.flow, target)
        case MenuNode(timeout=timeout):
            return Listen(timeout)
        case node:
            raise AssertionError(f"a {type(node).__name__} says nothing")


def choices(run: FlowRun) -> Mapping[str, str]:
    """The keys that mean something at the present node."""
    node = run.flow.nodes[run.node]
    return node.choices if isinstance(node, MenuNode) else {}


def listens(run: FlowRun) -> bool:
    """Whether a key means anything here, valid or not; a plain prompt is not interrupted."""
    return isinstance(run.flow.nodes[run.node], MenuNode)


def after_key(run: FlowRun, digit: str) -> Step:
    """The caller pressed a key in a menu."""
    target = choices(run).get(digit)
    return _enter(run.flow, target) if target else without_key(run)


def without_key(run: FlowRun) -> Step:
    """The caller pressed a wrong key, or none in time: say it again, or take the way out."""
    node = run.flow.nodes[run.node]
    assert isinstance(node, MenuNode)
    if run.tries + 1 >= node.tries:
        return _enter(run.flow, node.otherwise)
    prompts = (node.invalid_prompt, node.prompt) if node.invalid_prompt else (node.prompt,)
    return Say(run.node, run.tries + 1, prompts)


def _enter(flow: Flow, name: str) -> Step:
    match flow.nodes[name]:
        case PromptNode(prompt=prompt) | MenuNode(prompt=prompt):
            return Say(name, 0, (prompt,))
        case QueueNode(queue=queue, priority=priority):
            return EnterQueue(queue, priority)
        case HangUpNode():
            return HangUpCaller()
