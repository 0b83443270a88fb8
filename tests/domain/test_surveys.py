"""Surveys: questions by keys, and callers who go on into them when the agent hangs up first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.books import fold_call
from callcenter.domain.center import Center
from callcenter.domain.config import QueueConfig
from callcenter.domain.contact import ContactState
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import CollectNode, Flow, HangUpNode, PromptNode, QueueNode, SurveyNode
from callcenter.domain.ivr.validation import Known, faults
from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.domain.survey_kinds import SurveyKind, SurveyRule
from callcenter.sim.world import World, small_center

CSAT = SurveyNode("satisfied", SurveyKind.CSAT, "how-satisfied", "recommend", "thanks", attribute="csat")
NPS = SurveyNode("recommend", SurveyKind.NPS, "would-you-recommend", "solved", "thanks")
SOLVED = SurveyNode("solved", SurveyKind.CHOICE, "was-it-solved", "thanks", "thanks", choices={"1": "yes", "2": "no"})
SURVEY = Flow(
    "how-was-it",
    "satisfied",
    {"satisfied": CSAT, "recommend": NPS, "solved": SOLVED, "thanks": PromptNode("thank-you", "end"), "end": HangUpNode()},
)
ASKS_FIRST = Flow(
    "asks-first",
    "may-we",
    {"may-we": CollectNode("may-we-ask", "survey", "support", "support", max_length=1), "support": QueueNode("support")},
)
DID, ASKING_DID = "+18005550200", "+18005550201"
ANN = "+12025550123"
SAID = 2.0
"""Seconds that a prompt takes."""


def world(rule: SurveyRule | None = None) -> World:
    queue = QueueConfig("support", survey=rule, wrap_up=timedelta(seconds=30))
    made = World(small_center([queue], flows=[SURVEY, ASKS_FIRST]))
    made.agent_ready("alice")
    return made


def answers(it: World) -> list[tuple[str, str, str]]:
    return [(fact.question, fact.asked, fact.value) for fact in it.facts if isinstance(fact, f.SurveyAnswered)]


def talk(it: World, caller: str = ANN) -> str:
    """The caller and an agent talk; returns the caller's leg."""
    leg = it.caller_arrives(caller=caller)
    it.run_for(10)
    assert it.talking() == {"alice": leg}
    return leg


def agent_hangs_up(it: World) -> None:
    (leg,) = [channel.id for channel in it.pbx.channels.values() if channel.endpoint == "phone-of-alice"]
    it.pbx.party_hangs_up(leg)


# --- questions ----------------------------------------------------------------------------------


def test_all_questions_are_answered_by_keys() -> None:
    it = world()
    leg = it.pbx.call_in(DID)
    for keys in ("5", "10", "2"):
        it.run_for(SAID + 0.1)
        for key in keys:
            it.pbx.party_presses(leg, key)
    it.run_for(1)
    assert answers(it) == [("satisfied", "csat", "5"), ("recommend", "nps", "10"), ("solved", "choice", "no")]
    assert it.pbx.channels[leg].heard[-1] == "thank-you"
    assert not it.faults


@pytest.mark.parametrize(("keys", "value"), [("0", "0"), ("9", "9"), ("1", "1"), ("1#", "1"), ("10", "10")])
def test_ten_is_two_keys_with_a_moment_between(keys: str, value: str) -> None:
    it = world()
    leg = it.pbx.call_in(DID)
    it.pbx.party_presses(leg, "3")
    it.run_for(SAID + 0.1)
    for key in keys:
        it.pbx.party_presses(leg, key)
    it.run_for(NPS.next_digit.total_seconds() + 0.1)
    assert answers(it)[1:] == [("recommend", "nps", value)]


@pytest.mark.parametrize("key", ["0", "6", "9", "*", "#"])
def test_another_key_is_asked_again_then_let_be(key: str) -> None:
    it = world()
    leg = it.pbx.call_in(DID)
    for _ in range(CSAT.tries):
        it.run_for(SAID + 0.1)
        it.pbx.party_presses(leg, key)
    it.run_for(1)
    assert answers(it) == []
    assert it.pbx.channels[leg].heard == ["how-satisfied", "how-satisfied", "thank-you"]


def test_silence_is_no_answer() -> None:
    it = world()
    it.pbx.call_in(DID)
    it.run_for(60)
    assert answers(it) == []


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (replace(SOLVED, choices={}), "must not be empty"),
        (replace(NPS, choices={"1": "yes"}), "are for kind 'choice'"),
        (replace(NPS, mailbox="queue:support"), "is for kind 'comment'"),
    ],
)
def test_what_cannot_be(node: SurveyNode, said: str) -> None:
    flow = replace(SURVEY, nodes={**SURVEY.nodes, "solved" if node.kind is SurveyKind.CHOICE else "recommend": node})
    assert any(said in str(fault) for fault in faults(flow, Known()))


# --- in the caller's own words --------------------------------------------------------------------

COMMENT = SurveyNode("why", SurveyKind.COMMENT, "tell-us-why", "thanks", "thanks", mailbox="queue:support")
TELL = Flow("tell", "why", {"why": COMMENT, "thanks": PromptNode("thank-you", "end"), "end": HangUpNode()})


def commenting() -> tuple[World, str]:
    """A caller who has heard the prompt, the greeting of the mailbox, and the beep."""
    it = World(replace(small_center(flows=[TELL]), mailboxes={"queue:support": MailboxConfig("queue:support")}))
    leg = it.pbx.call_in(DID)
    it.run_for(SAID + 2 * SAID + 3)
    assert it.pbx.channels[leg].heard == ["tell-us-why", "voicemail-greeting", "beep"]
    return it, leg


def the_comment(it: World) -> f.SurveyAnswered:
    (answered,) = [fact for fact in it.facts if isinstance(fact, f.SurveyAnswered)]
    (left,) = [fact for fact in it.facts if isinstance(fact, f.MessageLeft)]
    assert (answered.question, answered.asked, answered.value) == ("why", SurveyKind.COMMENT, left.message)
    return answered


def test_a_comment_is_a_message_and_the_survey_goes_on() -> None:
    it, leg = commenting()
    it.pbx.party_presses(leg, "#")
    it.run_for(1)
    it.pbx.party_presses(leg, "1")
    it.run_for(SAID + 1)
    assert it.pbx.channels[leg].heard[-1] == "thank-you"
    the_comment(it)
    assert not it.faults


def test_who_hangs_up_after_speaking_has_answered() -> None:
    it, leg = commenting()
    it.pbx.party_hangs_up(leg)
    it.run_for(1)
    the_comment(it)
    assert not it.faults


def test_who_cancels_has_not_answered() -> None:
    it, leg = commenting()
    for key in ("#", "*"):
        it.pbx.party_presses(leg, key)
        it.run_for(1)
    it.run_for(SAID)
    assert answers(it) == []
    assert it.pbx.channels[leg].heard[-1] == "thank-you"


# --- after the talk -----------------------------------------------------------------------------


def test_when_the_agent_hangs_up_first_the_caller_is_asked() -> None:
    it = world(SurveyRule("how-was-it"))
    leg = talk(it)
    agent_hangs_up(it)
    it.run_for(SAID + 0.1)
    assert it.agent("alice").state == "wrap_up", "her time with this contact is over"
    it.pbx.party_presses(leg, "4")
    it.run_for(1)
    (answered,) = [fact for fact in it.facts if isinstance(fact, f.SurveyAnswered)]
    assert (answered.question, answered.value, answered.queue, answered.agent) == ("satisfied", "4", "support", "alice")
    it.pbx.party_hangs_up(leg)
    it.run_for(40)
    assert it.agent("alice").state == "ready"
    assert not it.center.state.calls
    assert not it.faults


def test_the_contact_counts_as_without_a_survey() -> None:
    records = []
    for rule in (None, SurveyRule("how-was-it")):
        it = world(rule)
        leg = talk(it)
        agent_hangs_up(it)
        it.run_for(3)
        it.pbx.party_hangs_up(leg)
        it.run_for(60)
        (contact,) = fold_call(it.facts).contacts
        records.append(contact)
    plain, surveyed = records
    assert (plain.survey_offered, surveyed.survey_offered) == (False, True)
    assert replace(surveyed, survey_offered=False) == plain
    assert surveyed.state is ContactState.ENDED


def test_who_hangs_up_first_is_not_asked() -> None:
    it = world(SurveyRule("how-was-it"))
    leg = talk(it)
    it.pbx.party_hangs_up(leg)
    it.run_for(60)
    assert not [fact for fact in it.facts if isinstance(fact, f.SurveyOffered | f.SurveyAnswered)]


def offered(it: World) -> int:
    return sum(isinstance(fact, f.SurveyOffered) for fact in it.facts)


def talk_and_leave(it: World, caller: str = ANN) -> None:
    leg = talk(it, caller)
    agent_hangs_up(it)
    it.run_for(3)
    it.pbx.party_hangs_up(leg)
    it.run_for(60)


def test_nobody_is_asked_twice_within_the_time() -> None:
    it = world(SurveyRule("how-was-it", not_again_within=timedelta(days=30)))
    talk_and_leave(it)
    talk_and_leave(it)
    assert offered(it) == 1
    talk_and_leave(it, "+12025550199")
    assert offered(it) == 2
    it.run_for(timedelta(days=30).total_seconds())
    talk_and_leave(it)
    assert offered(it) == 3


def test_a_withheld_number_cannot_be_known_again() -> None:
    it = world(SurveyRule("how-was-it", not_again_within=timedelta(days=30)))
    talk_and_leave(it, "")
    talk_and_leave(it, "")
    assert offered(it) == 2


def test_who_was_asked_is_known_after_a_restart() -> None:
    it = world(SurveyRule("how-was-it", not_again_within=timedelta(days=30)))
    for n in range(3):
        talk_and_leave(it, f"+1202555020{n}")
    before = dict(it.center.state.surveyed)
    assert len(before) == 3
    restored = Center.restore(it.config, Ids("again"), list(it.center.checkpoint()))
    assert list(restored.state.surveyed.items()) == list(before.items())
    it.crash_and_restore()
    talk_and_leave(it, "+12025550200")
    assert offered(it) == 3


@pytest.mark.parametrize(("key", "asked"), [("1", 1), ("0", 0), ("", 0)])
def test_only_who_said_yes_before(key: str, asked: int) -> None:
    it = world(SurveyRule("how-was-it", attribute="survey"))
    leg = it.pbx.call_in(ASKING_DID, ANN)
    it.run_for(SAID + 0.1)
    if key:
        it.pbx.party_presses(leg, key)
    it.run_for(40)
    assert it.talking()
    agent_hangs_up(it)
    it.run_for(1)
    assert offered(it) == asked
