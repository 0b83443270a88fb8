"""Listening by phone: from her own desk phone, or from outside with number and PIN; what the keys do, and who is kept out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.agent import OWN_CALL
from callcenter.domain.commands import recorded_prompt
from callcenter.domain.config import AgentConfig, CallbackConfig, CallingConfig, CenterConfig, QueueConfig
from callcenter.domain.events import (
    AgentLoginRequested,
    AgentLogoutRequested,
    AgentNotReadyRequested,
    AgentReadyRequested,
    Event,
    MessageDeleteRequested,
    NodeConnected,
)
from callcenter.domain.facts import VisitOutcome
from callcenter.domain.ivr.flow import Flow, HangUpNode, PromptNode, VoicemailNode, faults
from callcenter.domain.ivr.questions import Question
from callcenter.domain.ivr.validation import Known
from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.domain.mailbox_pin import NONE_SET, RIGHT, WRONG, MailboxPinQuestion
from callcenter.sim.fake_pbx import Channel
from callcenter.sim.scripted_answers import Scripted
from callcenter.sim.world import NODE, World, small_center

SUPPORT, ALICE = "queue:support", "agent:alice"
PIN = "4711"
LEAVE = Flow(
    "leave", "box", {"box": VoicemailNode("thanks", "sorry", SUPPORT), "thanks": PromptNode("thanks", "end"),
                     "sorry": PromptNode("sorry", "end"), "end": HangUpNode()},
)  # fmt: skip
LISTEN = Flow("listen", "box", {**LEAVE.nodes, "box": VoicemailNode("thanks", "sorry")})
LEAVE_DID, LISTEN_DID = "+18005550200", "+18005550201"


def config(**mailbox: object) -> CenterConfig:
    queue = QueueConfig("support", callback=CallbackConfig())
    center = small_center([queue], ["alice", "bob"], [LEAVE, LISTEN])
    boxes = (MailboxConfig(SUPPORT, "7001", lamps=("alice",), **mailbox), MailboxConfig(ALICE, "7002", lamps=("alice",)))  # type: ignore[arg-type]
    return replace(center, mailboxes={box.name: box for box in boxes}, calling=CallingConfig("carrier"))


class Story:
    """Mailboxes with the PIN 4711, unless told otherwise."""

    def __init__(self, center: CenterConfig | None = None, *, pin: str = PIN) -> None:
        self.world = World(center or config())
        self.pin = pin
        self.world.answers.script = self.check
        self.leg = ""

    def check(self, question: Question) -> Scripted:
        assert isinstance(question, MailboxPinQuestion)
        outcome = (RIGHT if question.pin == self.pin else WRONG) if self.pin else NONE_SET
        return Scripted(outcome, after=timedelta(seconds=0.2))

    def leave(self, caller: str = "+12025550123", seconds: float = 5) -> str:
        """Somebody leaves a message for support; returns it."""
        leg = self.world.pbx.call_in(LEAVE_DID, caller)
        self.world.run_for(4 + seconds)
        self.world.pbx.party_hangs_up(leg)
        self.world.run_for(1)
        return [fact.message for fact in self.world.facts if isinstance(fact, f.MessageLeft)][-1]

    def dial(self, code: str = "*211", agent: str = "alice") -> Channel:
        self.leg = self.world.pbx.dial_from_phone(f"phone-of-{agent}", code)
        channel = self.world.pbx.channels[self.leg]
        self.world.run_for(1)
        return channel

    def call(self) -> Channel:
        self.leg = self.world.pbx.call_in(LISTEN_DID)
        channel = self.world.pbx.channels[self.leg]
        self.world.run_for(3)
        return channel

    def presses(self, keys: str, then: float = 1) -> None:
        for key in keys:
            self.world.pbx.party_presses(self.leg, key)
        self.world.run_for(then)

    def kinds(self, kind: type) -> int:
        return sum(isinstance(fact, kind) for fact in self.world.facts)

    def outcomes(self) -> list[str]:
        return [fact.outcome for fact in self.world.facts if isinstance(fact, f.VisitEnded)]


def test_a_message_by_flow_goes_on_by_the_right_exit() -> None:
    story = Story()
    for keys, said in (("#1", "thanks"), ("#*", "sorry")):
        leg = story.world.pbx.call_in(LEAVE_DID)
        caller = story.world.pbx.channels[leg]
        story.world.run_for(9)
        for key in keys:
            story.world.pbx.party_presses(leg, key)
            story.world.run_for(3)
        story.world.run_for(5)
        assert caller.heard[-1] == said
    assert story.outcomes() == [VisitOutcome.LEFT, VisitOutcome.CANCELLED]
    assert story.world.center.state.calls == {}
    assert story.world.faults == []


def test_her_own_phone_opens_a_mailbox_without_pin() -> None:
    story = Story(pin="")
    message = story.leave()
    assert story.world.pbx.messages.lamps["phone-of-alice"] == (1, 0)
    alice = story.dial()
    assert alice.heard[0] == "voicemail-new"
    assert alice.heard[-1] == recorded_prompt(message)
    story.world.run_for(60)
    assert story.world.pbx.messages.lamps["phone-of-alice"] == (0, 1)
    assert "voicemail-menu" in alice.heard
    story.presses("*", then=3)
    assert story.outcomes()[-1] == VisitOutcome.LISTENED
    assert story.world.pbx.channels == {}


def test_while_she_listens_she_is_offered_nothing_and_then_she_is_next_again() -> None:
    story = Story(pin="")
    story.leave()
    for name in ("alice", "bob"):
        story.world.agent_ready(name)
        story.world.run_for(1)
    alice, idle_since = story.world.agent("alice"), story.world.agent("alice").idle_since
    desk = story.dial().id
    assert (alice.state, alice.reason) == ("not_ready", OWN_CALL)
    caller = story.world.caller_arrives()
    story.world.run_for(4)
    assert story.world.talking() == {"bob": caller}, "though alice has been idle for longer"
    story.world.crash_and_restore()
    alice = story.world.agent("alice")
    assert (alice.state, alice.own_call != "") == ("not_ready", True)
    story.world.pbx.party_hangs_up(desk)
    story.world.run_for(1)
    assert (alice.state, alice.idle_since, alice.own_call) == ("ready", idle_since, "")


@pytest.mark.parametrize(
    ("asked", "state"), [(AgentNotReadyRequested("alice", "break"), "not_ready"), (AgentLogoutRequested("alice"), "logged_out")]
)
def test_what_she_asks_for_while_she_listens_holds_afterwards(asked: Event, state: str) -> None:
    story = Story(pin="")
    story.leave()
    story.world.agent_ready("alice")
    desk = story.dial().id
    story.world.tell(asked)
    story.world.pbx.party_hangs_up(desk)
    story.world.run_for(1)
    assert story.world.agent("alice").state == state


def test_who_asks_to_be_ready_while_she_listens_is_once_she_has_listened() -> None:
    story = Story(pin="")
    story.leave()
    story.world.tell(AgentLoginRequested("alice"))
    desk = story.dial().id
    story.world.tell(AgentReadyRequested("alice"))
    assert (story.world.agent("alice").state, story.world.agent("alice").reason) == ("not_ready", OWN_CALL)
    story.world.pbx.party_hangs_up(desk)
    story.world.run_for(1)
    assert story.world.agent("alice").state == "ready"


def test_a_pin_that_is_set_is_asked_for_there_too() -> None:
    story = Story()
    message = story.leave()
    alice = story.dial()
    assert alice.heard == ["voicemail-pin"]
    story.presses("4711#")
    assert alice.heard[-1] == recorded_prompt(message)
    assert story.kinds(f.PinAccepted) == 1


def test_from_outside_with_number_and_pin() -> None:
    story = Story()
    message = story.leave()
    owner = story.call()
    assert owner.heard == ["voicemail-number"]
    story.presses("7001#")
    assert owner.heard[-1] == "voicemail-pin"
    story.presses("4711#")
    assert owner.heard[-1] == recorded_prompt(message)
    story.presses("*", then=5)
    assert owner.heard[-1] == "thanks"


@pytest.mark.parametrize(("number", "pin", "set_pin"), [("7001", "0000", PIN), ("9999", PIN, PIN), ("7001", PIN, "")])
def test_whatever_is_wrong_the_same_is_said(number: str, pin: str, set_pin: str) -> None:
    story = Story(pin=set_pin)
    message = story.leave()
    owner = story.call()
    for _ in range(3):
        story.presses(f"{number}#", then=3)
        story.presses(f"{pin}#", then=6)
    assert owner.heard.count("voicemail-wrong-pin") == 3
    assert recorded_prompt(message) not in owner.heard
    story.world.run_for(10)
    assert owner.heard[-1] == "sorry"
    assert story.world.pbx.channels == {}


def test_too_many_wrong_pins_lock_the_mailbox_for_a_while_even_over_a_restart() -> None:
    story = Story()
    message = story.leave()
    for _ in range(2):
        story.call()
        for _ in range(3):
            story.presses("7001#", then=3)
            story.presses("9001#", then=6)
        story.world.run_for(20)
    assert story.kinds(f.PinRefused) == 5, "the sixth was not even checked"
    story.world.crash_and_restore()
    story.world.tell(_up(story))
    owner = story.call()
    story.presses("7001#", then=3)
    story.presses(f"{PIN}#", then=6)
    assert owner.heard.count("voicemail-wrong-pin") == 1
    story.world.pbx.party_hangs_up(story.leg)
    story.world.run_for(15 * 60)
    owner = story.call()
    story.presses("7001#", then=3)
    story.presses(f"{PIN}#", then=3)
    assert owner.heard[-1] == recorded_prompt(message)


def _up(story: Story) -> NodeConnected:
    return NodeConnected(NODE, story.world.pbx.started_at)


def test_no_fact_holds_a_digit_of_the_pin() -> None:
    story = Story()
    story.leave()
    story.call()
    story.presses("7001#", then=3)
    since = len(story.world.facts)
    story.presses("4711#", then=3)
    assert not [fact for fact in story.world.facts[since:] if "4711" in repr(fact)]
    (question,) = (command.question for command in story.world.answers.asked)
    assert "4711" not in repr(question)


def test_a_checker_that_never_answers_keeps_nobody_in_silence() -> None:
    story = Story()
    story.leave()
    story.world.answers.script = lambda question: Scripted(RIGHT, never=True)
    alice = story.dial()
    story.world.run_for(5)
    assert alice.heard[-2:] == ["voicemail-wrong-pin", "voicemail-pin"]
    assert story.kinds(f.PinRefused) == 0


def test_next_again_delete_and_save() -> None:
    story = Story(pin="")
    first, second, third = (story.leave(f"+1202555012{n}") for n in range(3))
    alice = story.dial()
    story.presses("2")
    assert alice.heard.count(recorded_prompt(first)) == 2
    story.presses("1")
    assert alice.heard[-1] == recorded_prompt(second)
    story.presses("3")
    assert alice.heard[-1] == recorded_prompt(third)
    assert "voicemail-deleted" in alice.heard
    story.world.run_for(3600)
    assert story.world.pbx.channels == {}
    alice = story.dial()
    assert alice.heard[-1] == recorded_prompt(first)
    story.presses("5")
    assert "voicemail-saved" in alice.heard
    (saved,) = (fact for fact in story.world.facts if isinstance(fact, f.MessageSaved))
    assert saved.kept_until == saved.at + timedelta(days=30)
    story.presses("11")
    assert alice.heard[-1] == "voicemail-no-more"
    assert list(story.world.center.state.mailboxes.messages) == [first, third]
    assert story.world.pbx.messages.lamps["phone-of-alice"] == (0, 2)


def test_call_back_is_a_callback_of_her_own() -> None:
    story = Story(pin="")
    story.leave("+12025550177")
    alice = story.dial()
    story.presses("4", then=3)
    assert "voicemail-will-call-back" in alice.heard
    (created,) = (fact for fact in story.world.facts if isinstance(fact, f.CallbackCreated))
    assert (created.number, created.owner, created.queue) == ("+12025550177", "alice", "support")
    assert story.world.refusals == []
    story.presses("4", then=3)
    assert "not-possible" in alice.heard, "it is promised already"
    story.presses("*", then=3)
    story.world.agent_ready("alice")
    story.world.run_for(20)
    assert [dial.number for dial in story.world.pbx.dialed] == ["+12025550177"]


def test_a_withheld_number_cannot_be_called_back() -> None:
    story = Story(pin="")
    story.leave("")
    alice = story.dial()
    assert "voicemail-unknown-caller" in alice.heard
    story.presses("4")
    assert "not-possible" in alice.heard


def test_the_owner_records_a_greeting_and_callers_hear_it() -> None:
    story = Story(pin="")
    alice = story.dial()
    assert alice.heard == ["voicemail-none", "voicemail-no-more"]
    story.presses("9", then=4 + 6)
    assert alice.heard[-2:] == ["voicemail-record-greeting", "beep"]
    story.presses("#")
    assert alice.heard[-1] == "voicemail-greeting-review"
    story.presses("1", then=3)
    (changed,) = (fact for fact in story.world.facts if isinstance(fact, f.GreetingChanged))
    assert alice.heard[-2:] == ["voicemail-greeting-kept", "voicemail-no-more"]
    caller = story.world.pbx.channels[story.world.pbx.call_in(LEAVE_DID)]
    assert caller.heard[0] == recorded_prompt(changed.greeting)
    story.world.crash_and_restore()
    story.world.tell(_up(story))
    other = story.world.pbx.channels[story.world.pbx.call_in(LEAVE_DID)]
    assert other.heard[0] == recorded_prompt(changed.greeting)


def test_a_star_code_for_a_mailbox_that_is_not_there_is_not_possible() -> None:
    story = Story(pin="")
    for code, agent in (("*21", "bob"), ("*212", "alice"), ("*210", "alice")):
        channel = story.dial(code, agent)
        assert channel.heard == ["not-possible"], code


def test_a_message_that_is_deleted_while_it_is_heard() -> None:
    story = Story(pin="")
    first, second = story.leave("+12025550121"), story.leave("+12025550122")
    alice = story.dial()
    story.world.tell(MessageDeleteRequested(first, "web"))
    story.presses("3")
    assert alice.heard[-1] == recorded_prompt(second)
    assert story.kinds(f.MessageDeleted) == 1
    assert story.world.faults == []


def test_killed_while_she_listens() -> None:
    story = Story(pin="")
    message = story.leave()
    alice = story.dial()
    story.world.crash_and_restore()
    story.world.tell(_up(story))
    story.world.run_for(42)
    assert "voicemail-menu" in alice.heard
    story.presses("3", then=3)
    assert message not in story.world.center.state.mailboxes.messages
    assert story.world.faults == []


def test_a_flow_that_names_a_mailbox_which_is_not_there() -> None:
    known = Known({"mailbox": [ALICE]})
    (fault,) = faults(LEAVE, known)
    assert str(fault) == "node 'box', queue: names mailbox 'queue:support', which does not exist; mailboxes: agent:alice"


def test_agents_of_other_queues_have_no_way_in() -> None:
    center = config()
    bob = AgentConfig("bob", "phone-of-bob", ())
    story = Story(replace(center, agents={**center.agents, "bob": bob}), pin="")
    story.leave()
    assert story.dial("*211", "bob").heard == ["not-possible"]
