"""The flow of the emergency switch, for each calendar: PIN, how it stands, close or open again, until when."""

from callcenter.domain.ivr.deciding import Case, ConditionNode
from callcenter.domain.ivr.document import Flow
from callcenter.domain.ivr.expressions import HoursOpen
from callcenter.domain.ivr.keys import CollectNode, MenuNode
from callcenter.domain.ivr.leaving import HangUpNode
from callcenter.domain.ivr.node import Node
from callcenter.domain.ivr.speaking import PromptNode
from callcenter.domain.ivr.switching import PinNode, SwitchNode, SwitchTo

PREFIX = "hours-switch:"
HOURS = "switch_hours"
"""The attribute that holds for how many hours it is to be closed."""


def hours_switch(calendar: str) -> str:
    """The name of the flow that switches this calendar."""
    return f"{PREFIX}{calendar}"


def hours_switch_flow(calendar: str) -> Flow:
    closed, refused = SwitchTo.CLOSED, "refused"
    nodes: dict[str, Node] = {
        "pin": PinNode(calendar, "enter-pin", "how_it_stands", refused, refused, invalid_prompt="wrong-pin"),
        "how_it_stands": ConditionNode((Case(HoursOpen(calendar), "is_open"),), "is_closed"),
        "is_open": PromptNode("hours-are-open", "what"),
        "is_closed": PromptNode("hours-are-closed", "what"),
        "what": MenuNode("hours-switch", {"1": "until_when", "2": "open_again"}, refused),
        "until_when": MenuNode("hours-switch-until", {"1": "close", "2": "close_today", "3": "ask_hours"}, refused),
        "ask_hours": CollectNode("hours-switch-hours", HOURS, "close_for", refused, max_length=3),
        "close": SwitchNode(calendar, closed, "closed", refused),
        "close_today": SwitchNode(calendar, closed, "closed", refused, until_midnight=True),
        "close_for": SwitchNode(calendar, closed, "closed", refused, for_hours=HOURS),
        "open_again": SwitchNode(calendar, SwitchTo.HOURS, "follows", refused),
        "closed": PromptNode("hours-switched", "end"),
        "follows": PromptNode("hours-switched-back", "end"),
        refused: PromptNode("not-possible", "end"),
        "end": HangUpNode(),
    }
    return Flow(hours_switch(calendar), "pin", nodes)
