"""What an agent writes of a contact: kept with it, hers alone, within limits, and never upon the next one."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import QueueConfig
from callcenter.domain.work import ANSWERS_LIMIT, NOTE_LIMIT, WRITTEN_LIMIT
from callcenter.sim.world import World, small_center

T = TypeVar("T")
FIGURES = e.TalkFigures(500, 3, 2.5, 40.0, 0.1, 9.0, 80.0)


def talking() -> tuple[World, str, str]:
    world = World(small_center([QueueConfig("support")], ["alice", "bob"]))
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(4)
    return world, caller, world.agent("alice").contact


def kept(world: World, kind: type[T]) -> list[T]:
    return [fact for fact in world.facts if isinstance(fact, kind)]


def refusal(world: World, event: e.Event) -> str:
    return world.center.handle(event, world.now).refusal or ""


def test_a_note_is_kept_with_the_contact_and_the_last_one_counts() -> None:
    world, caller, contact = talking()
    world.tell(e.NoteWritten("alice", contact, "wants\nher money back"))
    world.tell(e.NoteWritten("alice", contact, "wants\nher money back"))
    world.pbx.party_hangs_up(caller)
    world.run_for(1)
    world.tell(e.NoteWritten("alice", contact, "got it"))
    assert [fact.note for fact in kept(world, f.ContactNoted)] == ["wants\nher money back", "got it"]
    assert world.center.state.contacts[contact].note == "got it"


def test_answers_of_a_script_and_how_the_talk_sounded_are_kept() -> None:
    world, _, contact = talking()
    world.tell(e.ScriptAnswered("alice", contact, "sale", ("plan", "email"), ("gold", "a@example.org"), True))
    world.tell(e.TalkHeard("alice", contact, FIGURES))
    (filled,), (measured,) = kept(world, f.ScriptFilled), kept(world, f.TalkMeasured)
    assert dict(zip(filled.fields, filled.answers, strict=True)) == {"plan": "gold", "email": "a@example.org"}
    assert filled.done
    assert (measured.received, measured.lost, measured.worst_rtt_ms) == (500, 3, 80.0)


def test_without_a_wrap_up_the_figures_come_after_the_end_and_are_kept_once() -> None:
    config = small_center([QueueConfig("support", wrap_up=timedelta(0))], ["alice", "bob"])
    world = World(replace(config, agents={name: replace(agent, browser=True) for name, agent in config.agents.items()}))
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(4)
    contact = world.agent("alice").contact
    world.pbx.party_hangs_up(caller)
    world.run_for(2)
    assert world.agent("alice").contact == ""
    assert "not bob's" in refusal(world, e.TalkHeard("bob", contact, FIGURES))
    world.crash_and_restore()
    assert refusal(world, e.TalkHeard("alice", contact, FIGURES)) == ""
    assert "not alice's" in refusal(world, e.TalkHeard("alice", contact, FIGURES))
    world.caller_arrives()
    world.run_for(4)
    second = world.agent("alice").contact
    assert second not in ("", contact)
    world.run_for(60)
    assert "not alice's" in refusal(world, e.TalkHeard("alice", contact, FIGURES))


def test_only_she_who_has_the_contact_writes_of_it_and_only_while_she_has_it() -> None:
    world, caller, contact = talking()
    assert "not bob's" in refusal(world, e.NoteWritten("bob", contact, "hello"))
    assert "not alice's" in refusal(world, e.NoteWritten("alice", "another", "hello"))
    world.pbx.party_hangs_up(caller)
    world.run_for(60)
    assert "not alice's" in refusal(world, e.NoteWritten("alice", contact, "too late"))
    assert "not alice's" in refusal(world, e.TalkHeard("alice", contact, FIGURES))


def test_nobody_fills_the_memory() -> None:
    world, _, contact = talking()
    assert "at most" in refusal(world, e.NoteWritten("alice", contact, "x" * (NOTE_LIMIT + 1)))
    assert "at most" in refusal(world, e.ScriptAnswered("alice", contact, "s", ("a",), ("x" * ANSWERS_LIMIT,), True))
    assert "one answer" in refusal(world, e.ScriptAnswered("alice", contact, "s", ("a", "a"), ("1", "2"), True))
    assert "one answer" in refusal(world, e.ScriptAnswered("alice", contact, "s", ("a",), (), True))
    for n in range(WRITTEN_LIMIT):
        assert refusal(world, e.NoteWritten("alice", contact, f"{n}")) == ""
    assert "times" in refusal(world, e.NoteWritten("alice", contact, "once more"))
