"""A caller leaves a message: greeting, beep, review; hanging up loses nothing; the books balance; lamps follow."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.books import fold_call
from callcenter.domain.commands import recorded_prompt
from callcenter.domain.config import AgentConfig, CenterConfig, Device, QueueConfig
from callcenter.domain.contact import ContactState
from callcenter.domain.events import MessageDeleteRequested, MessageFailed, MessageHeardRequested, NodeConnected, PhoneReachable
from callcenter.domain.facts import DroppedWhy, VisitOutcome
from callcenter.domain.ivr.speech import LANGUAGES, Languages
from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.domain.overflow_rules import Overflow, OverflowTo
from callcenter.sim.fake_pbx import Channel, Mood, Phone
from callcenter.sim.world import NODE, World, small_center

SUPPORT, ALICE = "queue:support", "agent:alice"
GREETING = ["voicemail-greeting", "beep"]
REVIEW = "voicemail-review"


def config(**mailbox: object) -> CenterConfig:
    """Key 0 leads from the queue to its mailbox; who is offered to alice, and not taken, to hers."""
    queue = QueueConfig("support", keys={"0": Overflow(OverflowTo.VOICEMAIL, SUPPORT)}, ring_timeout=timedelta(seconds=5))
    center = small_center([queue], ["alice", "bob"])
    alice = AgentConfig("alice", "phone-of-alice", ("support",), devices=(Device(ring=timedelta(seconds=5)),), then_voicemail=True)
    boxes = (MailboxConfig(SUPPORT, lamps=("alice", "bob"), **mailbox), MailboxConfig(ALICE, lamps=("alice",)))  # type: ignore[arg-type]
    return replace(center, agents={**center.agents, "alice": alice}, mailboxes={box.name: box for box in boxes})


class Story:
    """A caller who waits presses 0."""

    def __init__(self, center: CenterConfig | None = None) -> None:
        self.world = World(center or config())
        self.leg = self.world.caller_arrives()
        self.caller = self.world.pbx.channels[self.leg]
        self.world.run_for(1)
        self.presses("0")

    def presses(self, *keys: str, then: float = 0) -> None:
        for key in keys:
            self.world.pbx.party_presses(self.leg, key)
        self.world.run_for(then)

    def hangs_up(self) -> None:
        self.world.pbx.party_hangs_up(self.leg)
        self.world.run_for(1)

    def talks(self, seconds: float) -> None:
        """Hears the greeting, and says something for so long; then presses #."""
        self.world.run_for(4 + seconds)
        self.presses("#", then=2)

    @property
    def heard(self) -> list[str]:
        return self.caller.heard

    def facts(self, kind: type) -> list[object]:
        return [fact for fact in self.world.facts if isinstance(fact, kind)]

    def left(self) -> f.MessageLeft:
        (fact,) = self.facts(f.MessageLeft)
        assert isinstance(fact, f.MessageLeft)
        return fact

    def outcome(self) -> str:
        (ended,) = self.facts(f.VisitEnded)
        assert isinstance(ended, f.VisitEnded)
        return ended.outcome

    def dropped(self) -> list[str]:
        return [fact.why for fact in self.world.facts if isinstance(fact, f.MessageDropped)]


def test_the_greeting_the_beep_a_message_and_the_review() -> None:
    story = Story()
    story.talks(7)
    assert story.heard[-3:] == [*GREETING, REVIEW]
    story.presses("1", then=5)
    left = story.left()
    assert (left.mailbox, left.caller, left.length) == (SUPPORT, "+12025550123", timedelta(seconds=7))
    assert left.kept_until == left.at + timedelta(days=30)
    (contact,) = story.facts(f.ContactEntered)
    assert left.contact == contact.contact  # type: ignore[attr-defined]
    assert story.heard[-1] == "voicemail-kept"
    assert story.outcome() == VisitOutcome.LEFT
    assert story.world.pbx.channels == {}
    assert story.world.center.state.calls == {}
    assert story.world.faults == []


def test_the_contact_has_overflowed_and_the_books_balance() -> None:
    story = Story()
    story.talks(7)
    story.hangs_up()
    books = fold_call(fact for fact in story.world.facts if getattr(fact, "call", ""))
    (contact,) = books.contacts
    assert (contact.state, contact.why) == (ContactState.OVERFLOWED, "key_pressed")
    assert books.call is not None
    assert books.call.ended_at is not None


@pytest.mark.parametrize("when", ["recording", "review", "playback"])
def test_hanging_up_keeps_what_was_said(when: str) -> None:
    story = Story()
    if when == "recording":
        story.world.run_for(4 + 6)
    else:
        story.talks(6)
    if when == "playback":
        story.presses("2")
        assert story.heard[-1].startswith("recorded:")
    story.hangs_up()
    assert story.left().length == timedelta(seconds=6)
    assert story.outcome() == VisitOutcome.CALLER_LEFT
    assert story.world.center.state.calls == {}


def test_hanging_up_before_anything_was_said_leaves_nothing() -> None:
    for seconds in (1, 4.5, 5.5):
        story = Story()
        story.world.run_for(seconds)
        story.hangs_up()
        assert story.facts(f.MessageLeft) == []
        assert story.outcome() == VisitOutcome.CALLER_LEFT


def test_a_message_is_heard_said_again_and_cancelled() -> None:
    story = Story()
    story.talks(4)
    first = story.facts(f.MessageBegan)[0]
    story.presses("2", then=2)
    assert story.heard[-2:] == [recorded_prompt(first.message), REVIEW]  # type: ignore[attr-defined]
    story.presses("3", then=2)
    assert story.heard[-1] == "beep"
    story.world.run_for(5)
    story.presses("#", then=2)
    story.presses("*", then=6)
    assert story.dropped() == [DroppedWhy.SAID_AGAIN, DroppedWhy.CANCELLED]
    assert story.heard[-2:] == ["voicemail-cancelled", "goodbye"]
    assert story.outcome() == VisitOutcome.CANCELLED
    assert story.facts(f.MessageLeft) == []


def test_who_is_silent_has_finished_and_who_never_answers_wants_it_kept() -> None:
    story = Story()
    story.world.pbx.messages.talk[story.leg] = timedelta(seconds=8)
    story.world.run_for(4 + 8 + 4.9)
    assert story.heard[-1] == "beep"
    story.world.run_for(0.2)
    assert story.heard[-1] == REVIEW
    story.world.run_for(40)
    assert story.heard.count(REVIEW) == 3
    assert story.left().length == timedelta(seconds=8)
    assert story.outcome() == VisitOutcome.LEFT


def test_a_message_is_at_most_so_long() -> None:
    story = Story(config(longest=timedelta(seconds=20)))
    story.world.run_for(4 + 20 + 1)
    assert story.heard[-1] == REVIEW
    story.hangs_up()
    assert story.left().length == timedelta(seconds=20)


def test_nothing_said_is_no_message_and_the_caller_may_try_again() -> None:
    story = Story()
    story.world.pbx.messages.talk[story.leg] = timedelta(seconds=0)
    story.world.run_for(60)
    assert story.heard.count("voicemail-too-short") == 3
    assert story.heard[-2:] == ["voicemail-too-short", "goodbye"]
    assert story.dropped() == [DroppedWhy.TOO_SHORT] * 3
    assert story.outcome() == VisitOutcome.FAILED


def test_a_full_disk_is_told_and_nobody_hangs() -> None:
    story = Story()
    story.world.pbx.messages.disk_full = True
    story.world.run_for(20)
    assert story.heard[-2:] == ["voicemail-not-recorded", "goodbye"]
    assert (story.dropped(), story.outcome()) == ([DroppedWhy.FAILED], VisitOutcome.FAILED)
    assert story.world.pbx.channels == {}


def test_a_message_that_the_pbx_reports_as_failed_is_told_too() -> None:
    story = Story()
    story.world.run_for(4.5)
    (began,) = story.facts(f.MessageBegan)
    story.world.tell(MessageFailed(story.leg, began.message))  # type: ignore[attr-defined]
    story.world.run_for(10)
    assert story.heard[-2:] == ["voicemail-not-recorded", "goodbye"]
    assert (story.dropped(), story.outcome()) == ([DroppedWhy.FAILED], VisitOutcome.FAILED)


def test_a_key_at_once_is_no_message_and_no_fault() -> None:
    story = Story()
    story.world.pbx.messages.talk[story.leg] = timedelta()
    story.world.run_for(4.1)
    story.presses("#", then=1)
    assert "voicemail-too-short" in story.heard
    assert story.dropped() == [DroppedWhy.TOO_SHORT]


def test_a_full_mailbox_and_one_that_is_gone_are_told() -> None:
    story = Story(config(most=0))
    story.world.run_for(10)
    assert story.heard[-2:] == ["voicemail-full", "goodbye"]
    gone = Story(replace(config(), mailboxes={}))
    gone.world.run_for(10)
    assert gone.heard[-2:] == ["voicemail-not-recorded", "goodbye"]
    assert gone.outcome() == VisitOutcome.FAILED


def test_the_pound_key_skips_the_greeting_and_the_star_leaves() -> None:
    story = Story()
    story.presses("#", then=2.5)
    assert story.heard[-3:] == [*GREETING, "beep"]
    assert story.world.pbx.messages.live
    other = Story()
    other.presses("*", then=6)
    assert other.heard[-2:] == ["voicemail-cancelled", "goodbye"]


def test_who_is_taken_at_none_of_her_devices_goes_to_her_mailbox() -> None:
    world = World(config())
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    leg = world.caller_arrives()
    caller: Channel = world.pbx.channels[leg]
    world.run_for(5 + 2 + 2 + 10)
    assert [fact for fact in caller.heard if fact in GREETING] == GREETING
    world.pbx.party_hangs_up(leg)
    world.run_for(1)
    (left,) = [fact for fact in world.facts if isinstance(fact, f.MessageLeft)]
    (overflowed,) = [fact for fact in world.facts if isinstance(fact, f.ContactOverflowed)]
    assert (left.mailbox, overflowed.why, overflowed.contact) == (ALICE, f.OverflowWhy.VOICEMAIL, left.contact)
    assert world.pbx.messages.lamps["phone-of-alice"] == (1, 0)


def test_the_lamp_goes_on_with_a_new_message_and_off_when_it_was_heard() -> None:
    story = Story()
    world = story.world
    world.tell(PhoneReachable("phone-of-bob"))
    assert world.pbx.messages.lamps["phone-of-bob"] == (0, 0)
    story.talks(5)
    story.hangs_up()
    message = story.left().message
    assert world.pbx.messages.lamps["phone-of-bob"] == (1, 0)
    world.tell(MessageHeardRequested(message, "web"))
    world.tell(MessageHeardRequested(message, "web"))
    assert world.pbx.messages.lamps["phone-of-bob"] == (0, 1)
    assert len(story.facts(f.MessageHeard)) == 1
    world.tell(MessageDeleteRequested(message, "web"))
    assert world.pbx.messages.lamps["phone-of-bob"] == (0, 0)
    world.tell(MessageDeleteRequested(message, "web"))
    assert world.refusals == [f"there is no message '{message}'; 'callcenter voicemail list' shows those there are"]


def test_a_message_is_kept_for_its_time_even_over_a_restart() -> None:
    story = Story()
    story.talks(5)
    story.hangs_up()
    story.world.crash_and_restore()
    story.world.tell(NodeConnected(NODE, story.world.pbx.started_at))
    story.world.run_for(timedelta(days=29, hours=23).total_seconds())
    assert story.facts(f.MessageDeleted) == []
    story.world.run_for(3600)
    (deleted,) = story.facts(f.MessageDeleted)
    assert (deleted.message, deleted.by) == (story.left().message, "retention")  # type: ignore[attr-defined]
    assert story.world.center.state.mailboxes.messages == {}


def test_killed_while_the_caller_speaks_and_again_in_the_review() -> None:
    story = Story()
    story.world.run_for(4 + 3)
    story.world.crash_and_restore()
    story.world.tell(NodeConnected(NODE, story.world.pbx.started_at))
    story.world.run_for(2)
    story.presses("#", then=1)
    assert story.heard[-1] == REVIEW
    story.world.crash_and_restore()
    story.world.tell(NodeConnected(NODE, story.world.pbx.started_at))
    story.world.run_for(3)
    story.presses("1", then=5)
    assert story.left().length == timedelta(seconds=5)
    assert story.world.faults == []


def test_what_came_of_it_is_the_same_in_any_language() -> None:
    center = config(most=0)
    world = World(replace(center, languages=Languages("en", {"en": LANGUAGES["en"], "es": LANGUAGES["es"]})))
    leg = world.caller_arrives()
    world.run_for(1)
    next(iter(world.center.state.calls.values())).attributes["language"] = "es"
    world.pbx.party_presses(leg, "0")
    caller = world.pbx.channels[leg]
    world.run_for(10)
    assert "es/voicemail-full" in caller.heard
    (ended,) = [fact for fact in world.facts if isinstance(fact, f.VisitEnded)]
    assert ended.outcome is VisitOutcome.FAILED


def test_the_last_place_in_a_mailbox_is_that_of_who_came_first() -> None:
    story = Story(config(most=1))
    late = story.world.caller_arrives(caller="+12025550124")
    story.world.run_for(1)
    story.world.pbx.party_presses(late, "0")
    story.world.run_for(1)
    assert "voicemail-full" in story.world.pbx.channels[late].heard[-1]
    story.talks(5)
    story.hangs_up()
    assert len(story.world.center.state.mailboxes.mailbox(SUPPORT).messages) == 1
    assert story.world.center.state.mailboxes.expected(SUPPORT) == 1
