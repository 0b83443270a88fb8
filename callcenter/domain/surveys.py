"""Surveys: whom a queue asks after the talk, and what an answer is about."""

from callcenter.domain.call import Call
from callcenter.domain.contact import Contact
from callcenter.domain.facts import ContactParted, SurveyAnswered, SurveyOffered
from callcenter.domain.ivr.surveying import SurveyNode
from callcenter.domain.survey_kinds import SurveyKind
from callcenter.domain.turn import Turn

DECLINED = frozenset({"", "0", "no", "false"})


def offer(turn: Turn, call: Call, contact: Contact) -> bool:
    """The agent has hung up: the caller goes on into the survey, if there is one for this caller. False: there is none."""
    rule, leg = turn.state.queue(contact.entered.queue).config.survey, call.caller_leg
    if rule is None or leg is None or leg.closing:
        return False
    if rule.attribute and call.attributes.get(rule.attribute, "").lower() in DECLINED:
        return False
    caller = call.began.caller
    asked_not_before = turn.state.surveyed.get(caller)
    if asked_not_before is not None and turn.now < asked_not_before:
        return False
    agent = contact.offer.agent if contact.offer is not None else ""
    not_before = turn.now + rule.not_again_within
    turn.emit(SurveyOffered(turn.now, call.id, contact.id, contact.entered.queue, agent, caller, rule.flow, not_before))
    turn.send_on(call, rule.flow)
    return True


def comment_left(turn: Turn, call: Call, message: str) -> None:
    """A message was left: the answer, if a survey asked for it. Who hangs up after speaking has answered, too."""
    node = call.flow.flow.nodes.get(call.flow.node) if call.flow is not None else None
    if isinstance(node, SurveyNode) and node.is_spoken:
        answered(turn, call, node.question, node.kind, message)


def answered(turn: Turn, call: Call, question: str, kind: SurveyKind, value: str) -> None:
    """The answer counts for the talk before it, if there was one."""
    parted = next((fact for _, fact in reversed(call.history) if isinstance(fact, ContactParted)), None)
    of_talk = (parted.contact, parted.queue, parted.agent) if parted is not None else ("", "", "")
    flow = call.flow.flow.name if call.flow is not None else ""
    turn.emit(SurveyAnswered(turn.now, call.id, question, kind, value, *of_talk, flow))
