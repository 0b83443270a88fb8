"""Flows, their usual nodes, and those flows that nobody has to write.

Prompts are ids of the prompt catalogue, never file names; values among them are said by ``ivr.speech``.
"""

from collections.abc import Mapping

from callcenter.domain.ivr.deciding import Case, ConditionNode, ReturnNode, SetNode, SubflowNode
from callcenter.domain.ivr.document import CALLER, LANGUAGE, Flow
from callcenter.domain.ivr.keys import CollectNode, LanguageNode, MenuNode
from callcenter.domain.ivr.leaving import CallbackNode, HangUpNode, OutsideNode, QueueNode, TransferNode
from callcenter.domain.ivr.listening import SpeechNode
from callcenter.domain.ivr.messages import VoicemailNode
from callcenter.domain.ivr.node import Node
from callcenter.domain.ivr.speaking import PromptNode
from callcenter.domain.ivr.surveying import SurveyNode
from callcenter.domain.ivr.switch_flow import PREFIX as SWITCH
from callcenter.domain.ivr.switch_flow import hours_switch_flow
from callcenter.domain.ivr.validation import attributes_set, faults

__all__ = [
    "CALLER",
    "LANGUAGE",
    "CallbackNode",
    "Case",
    "CollectNode",
    "ConditionNode",
    "Flow",
    "HangUpNode",
    "LanguageNode",
    "MenuNode",
    "Node",
    "OutsideNode",
    "PromptNode",
    "QueueNode",
    "ReturnNode",
    "SetNode",
    "SpeechNode",
    "SubflowNode",
    "SurveyNode",
    "TransferNode",
    "VoicemailNode",
    "attributes_set",
    "faults",
]


def say_and_hang_up(name: str) -> Flow:
    """A flow that says the prompt of its own name and ends the call."""
    return Flow(name, "say", {"say": PromptNode(name, "end"), "end": HangUpNode()})


GOODBYE = say_and_hang_up("goodbye")
"""What a caller gets who reached nobody: never silence."""

UNKNOWN_NUMBER = say_and_hang_up("unknown-number")
"""What answers a DID that nobody has configured."""

CONFIRM_READY = say_and_hang_up("you-are-ready")
CONFIRM_NOT_READY = say_and_hang_up("you-are-not-ready")
CONFIRM_LOGGED_OUT = say_and_hang_up("you-are-logged-out")
CONFIRM_LOGGED_IN = say_and_hang_up("you-are-logged-in")
CONFIRM_DONE = say_and_hang_up("desk-done")
CONFIRM_LINE_BUSY = say_and_hang_up("desk-line-busy")
CONFIRM_NO_ANSWER = say_and_hang_up("desk-no-answer")
CONFIRM_NOT_ALLOWED = say_and_hang_up("desk-not-allowed")
CONFIRM_DISPOSITION = say_and_hang_up("disposition-noted")
CONFIRM_EXTENDED = say_and_hang_up("wrap-up-extended")
CONFIRM_OPTED_IN = say_and_hang_up("queue-joined")
CONFIRM_OPTED_OUT = say_and_hang_up("queue-left")
CONFIRM_PAYMENT = say_and_hang_up("caller-pays")
CONFIRM_PAYMENT_OVER = say_and_hang_up("you-are-connected")
CONFIRM_NOT_POSSIBLE = say_and_hang_up("not-possible")
"""What an agent hears who used a star code."""

CALLBACK_PROMISED = say_and_hang_up("callback-promised")
"""What a caller hears who took a callback."""

CALLBACK_GREETING = Flow("callback-greeting", "say", {"say": PromptNode("callback-greeting", "enter"), "enter": QueueNode("")})
"""What a caller hears whom we have called back, before an agent is there. Without a name, the queue is the callback's."""

CALLBACK_OFFER = "callback-offer"
"""The announcement that tells a waiting caller of it; a comfort prompt of the queue."""

CALLBACK_TO_AGENT = "callback-to-agent"
"""What an agent hears before the caller is dialed."""

BUILT_IN_FLOWS: Mapping[str, Flow] = {
    flow.name: flow
    for flow in (
        GOODBYE,
        CALLBACK_PROMISED,
        CALLBACK_GREETING,
        UNKNOWN_NUMBER,
        CONFIRM_READY,
        CONFIRM_NOT_READY,
        CONFIRM_LOGGED_IN,
        CONFIRM_LOGGED_OUT,
        CONFIRM_DONE,
        CONFIRM_LINE_BUSY,
        CONFIRM_NO_ANSWER,
        CONFIRM_NOT_ALLOWED,
        CONFIRM_DISPOSITION,
        CONFIRM_EXTENDED,
        CONFIRM_OPTED_IN,
        CONFIRM_OPTED_OUT,
        CONFIRM_PAYMENT,
        CONFIRM_PAYMENT_OVER,
        CONFIRM_NOT_POSSIBLE,
    )
}


NOTICE = "+notice"
"""Behind the name of what confirms a star code: and there is a notice."""

_OFFER = "callback-offer:"


def callback_offer(queue: str) -> str:
    """The name of the flow that offers a callback to who has waited in this queue."""
    return f"{_OFFER}{queue}"


_OUTSIDE = "outside:"


def transferred_outside(queue: str, number: str) -> str:
    """The name of the flow of a caller whom an agent sends to a number outside; who reaches nobody there waits in the queue again."""
    return f"{_OUTSIDE}{queue}:{number}"


def _transferred_outside(queue: str, number: str) -> Flow:
    nodes: dict[str, Node] = {"dial": OutsideNode(number, "back"), "back": QueueNode(queue)}
    return Flow(transferred_outside(queue, number), "dial", nodes)


def _callback_offer(queue: str) -> Flow:
    """Who does not press the key, or cannot be called back, comes back to the place in line."""
    nodes: dict[str, Node] = {
        "offer": MenuNode("callback-offer", {"1": "promise"}, "back", tries=1),
        "promise": CallbackNode(queue, "promised", "back"),
        "promised": PromptNode(CALLBACK_PROMISED.name, "end"),
        "end": HangUpNode(),
        "back": QueueNode(queue),
    }
    return Flow(callback_offer(queue), "offer", nodes)


def _with_notice(confirmation: str) -> Flow:
    return Flow(confirmation + NOTICE, "say", {"say": PromptNode((confirmation, "you-have-a-notice"), "end"), "end": HangUpNode()})


def built_in(name: str) -> Flow | None:
    """A flow that nobody has to write."""
    if name.startswith(SWITCH):
        return hours_switch_flow(name.removeprefix(SWITCH))
    if name.endswith(NOTICE):
        return _with_notice(name.removesuffix(NOTICE))
    if name.startswith(_OUTSIDE):
        return _transferred_outside(*name.removeprefix(_OUTSIDE).split(":"))
    return _callback_offer(name.removeprefix(_OFFER)) if name.startswith(_OFFER) else BUILT_IN_FLOWS.get(name)
