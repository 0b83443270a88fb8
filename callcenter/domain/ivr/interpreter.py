"""The flow interpreter: where a flow run goes next. Pure; it says, listens and leaves, others do it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callcenter.domain.ivr import speech
from callcenter.domain.ivr.flow import CallbackNode, CollectNode, Flow, HangUpNode, MenuNode, PromptNode, QueueNode
from callcenter.domain.routing_config import Needs

DIGITS = frozenset("0123456789")


@dataclass(slots=True)
class FlowRun:
    """One caller inside a flow."""

    flow: Flow
    attributes: dict[str, str] = field(default_factory=dict)
    """Those of the call, which outlive the flow run."""
    node: str = ""
    tries: int = 0
    """How often the menu or entry we are in was left without a valid key."""
    playback: str = ""
    """What we are saying; empty once it has ended."""
    prompts: tuple[str, ...] = ()
    digits: str = ""
    """What has been pressed so far, where digits are collected."""
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
class TakeDigit:
    """Keep the digit as part of the entry, and wait for the next one for so long."""

    digit: str
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class Keep:
    """The entry is whole: keep it as an attribute of the call, then ``go_on``."""

    attribute: str
    digits: str


@dataclass(frozen=True, slots=True)
class PromiseCallback:
    """Promise a callback as the node says, then go on ``after_promise``."""

    node: CallbackNode


@dataclass(frozen=True, slots=True)
class EnterQueue:
    """Leave the flow for a queue."""

    queue: str
    priority: int
    needs: Needs


@dataclass(frozen=True, slots=True)
class HangUpCaller:
    """Leave the flow and end the call."""


Step = Say | Listen | TakeDigit | Keep | PromiseCallback | EnterQueue | HangUpCaller


def start(run: FlowRun) -> Step:
    return _enter(run, run.flow.start)


def is_lost(run: FlowRun) -> bool:
    """The flow was changed while we were away: the node we are in is gone, or is another kind of thing now."""
    node = run.flow.nodes.get(run.node)
    return not isinstance(node, MenuNode | CollectNode if run.until is not None else PromptNode | MenuNode | CollectNode)


def after_prompt(run: FlowRun) -> Step:
    """The prompt of the present node has been said."""
    match run.flow.nodes[run.node]:
        case PromptNode(next=target):
            return _enter(run, target)
        case MenuNode(timeout=timeout) | CollectNode(first_digit=timeout):
            return Listen(timeout)
        case node:
            raise AssertionError(f"a {type(node).__name__} says nothing")


def choices(run: FlowRun) -> Mapping[str, str]:
    """The keys that mean something at the present node."""
    node = run.flow.nodes[run.node]
    return node.choices if isinstance(node, MenuNode) else {}


def listens(run: FlowRun) -> bool:
    """Whether a key means anything here, valid or not; a plain prompt is not interrupted."""
    return isinstance(run.flow.nodes[run.node], MenuNode | CollectNode)


def after_key(run: FlowRun, digit: str) -> Step:
    """The caller pressed a key in a menu or an entry."""
    node = run.flow.nodes[run.node]
    if isinstance(node, CollectNode):
        return _after_digit(run, node, digit)
    target = choices(run).get(digit)
    return _enter(run, target) if target else _again(run)


def _after_digit(run: FlowRun, node: CollectNode, digit: str) -> Step:
    if digit == node.terminator:
        return _end_of_entry(run, node)
    if digit not in DIGITS:
        return _again(run)
    entered = run.digits + digit
    return Keep(node.attribute, entered) if len(entered) >= node.max_length else TakeDigit(digit, node.next_digit)


def _end_of_entry(run: FlowRun, node: CollectNode) -> Step:
    return Keep(node.attribute, run.digits) if len(run.digits) >= node.min_length else _again(run)


def go_on(run: FlowRun) -> Step:
    """The entry has been kept."""
    node = run.flow.nodes[run.node]
    assert isinstance(node, CollectNode)
    return _enter(run, node.next)


def after_promise(run: FlowRun, node: CallbackNode, promised: bool) -> Step:
    """The callback is promised, or it cannot be."""
    return _enter(run, node.next if promised else node.otherwise)


def without_key(run: FlowRun) -> Step:
    """No key came in time: what has been entered so far may do; else say it again, or take the way out."""
    node = run.flow.nodes[run.node]
    return _end_of_entry(run, node) if isinstance(node, CollectNode) and run.digits else _again(run)


def _again(run: FlowRun) -> Step:
    node = run.flow.nodes[run.node]
    assert isinstance(node, MenuNode | CollectNode)
    if run.tries + 1 >= node.tries:
        return _enter(run, node.otherwise)
    prompts = (*speech.pieces(node.invalid_prompt or ()), *speech.pieces(node.prompt))
    return Say(run.node, run.tries + 1, speech.say(prompts, run.attributes))


def _enter(run: FlowRun, name: str) -> Step:
    match run.flow.nodes[name]:
        case PromptNode(prompt=prompt) | MenuNode(prompt=prompt) | CollectNode(prompt=prompt):
            return Say(name, 0, speech.say(prompt, run.attributes))
        case CallbackNode() as node:
            return PromiseCallback(node)
        case QueueNode(queue=queue, priority=priority, needs=needs):
            return EnterQueue(queue, priority, needs)
        case HangUpNode():
            return HangUpCaller()
