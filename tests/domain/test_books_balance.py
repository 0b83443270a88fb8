"""The books of what the production core really writes balance, whatever callers, agents and nodes do."""

import random
from collections import defaultdict
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain import kpi
from callcenter.domain.books import call_touched, fold_call, fold_stays
from callcenter.domain.config import QueueConfig
from callcenter.domain.contact import ContactState
from callcenter.domain.events import (
    CancelRequested,
    Cause,
    CompleteRequested,
    ConferenceRequested,
    ConsultRequested,
    Event,
    LegEnded,
    NodeConnected,
    SwapRequested,
    TransferRequested,
)
from callcenter.domain.records import CallBooks, ContactRecord
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import NODE, World, small_center

ZERO = timedelta(0)
QUEUES = (
    QueueConfig("support", max_wait=timedelta(seconds=60), max_waiting=6),
    QueueConfig("sales", wrap_up=timedelta(seconds=3)),
)


def wild_day(seed: int) -> World:
    """Callers come and go; agents answer, let it ring, hang up, transfer; now and then the node crashes or our process does."""
    chance = random.Random(seed)
    world = World(small_center(QUEUES, ("alice", "bob", "carol")), seed=str(seed))
    for name in ("alice", "bob", "carol"):
        world.agent_ready(name)
    for _ in range(300):
        world.run_for(chance.expovariate(1 / 4))
        act = chance.random()
        legs = list(world.pbx.channels)
        if act < 0.4:
            world.caller_arrives(chance.choice(("support", "sales")))
        elif act < 0.7 and legs:
            world.pbx.party_hangs_up(chance.choice(legs))
        elif act < 0.8:
            name = chance.choice(("alice", "bob", "carol"))
            world.pbx.phones[f"phone-of-{name}"] = Phone(chance.choice(list(Mood)))
            world.agent_ready(name)
        elif act < 0.9 and world.talking():
            talk_about(world, chance)
        elif act < 0.92:
            world.crash_and_restore()
        elif act < 0.93:
            node_crashes(world)
    while world.pbx.channels:
        for leg in list(world.pbx.channels):
            if leg in world.pbx.channels:
                world.pbx.party_hangs_up(leg)
        world.run_for(1)
    world.run_for(120)
    return world


def talk_about(world: World, chance: random.Random) -> None:
    """An agent transfers, consults, or goes on with a consult."""
    agent = chance.choice(sorted(world.talking()))
    queue, colleague = chance.choice((("support", ""), ("sales", ""), *(("", name) for name in ("alice", "bob", "carol"))))
    asked: tuple[Event, ...] = (
        TransferRequested(agent, queue, colleague),
        ConsultRequested(agent, queue, colleague),
        SwapRequested(agent),
        ConferenceRequested(agent),
        CancelRequested(agent),
        CompleteRequested(agent),
    )
    (event,) = chance.choices(asked, (2, 6, 2, 2, 1, 3))
    world.tell(event)
    world.run_for(chance.choice((0, 4)))


def node_crashes(world: World) -> None:
    """And is back at once; we are told what became of its legs."""
    world.lose_node()
    world.pbx.crash()
    world.pbx.listening = True
    for leg in sorted(world.center.state.legs):
        world.tell(LegEnded(leg, Cause.NODE_CRASH))
    world.tell(NodeConnected(NODE, world.pbx.started_at))


def books_of(world: World) -> list[CallBooks]:
    of_call: dict[str, list[f.Fact]] = defaultdict(list)
    for fact in world.facts:
        if call := call_touched(fact):
            of_call[call].append(fact)
    return [fold_call(facts) for facts in of_call.values()]


@pytest.mark.parametrize("seed", range(8))
def test_the_books_balance(seed: int) -> None:
    world = wild_day(seed)
    books = books_of(world)
    began = [fact for fact in world.facts if isinstance(fact, f.CallBegan)]
    assert len(began) > 50
    assert sorted(each.call.call_id for each in books if each.call) == sorted(fact.call for fact in began)  # one CDR per call
    for each in books:
        assert each.call is not None
        assert each.call.ended_at is not None
        assert each.call.ended_by is not None
        assert each.call.wait + each.call.talk + each.call.hold <= each.call.ended_at - each.call.started_at
        assert each.call.contacts == len(each.contacts)
    contacts = [contact for each in books for contact in each.contacts]
    for contact in contacts:
        check(contact)
    counted = kpi.sums(contacts, timedelta(seconds=20))
    assert counted.offered == counted.answered + counted.abandoned + counted.overflowed
    assert counted.answered == counted.handled
    assert min(counted.answered, counted.abandoned, counted.overflowed) > 0


def check(contact: ContactRecord) -> None:
    """Nothing is left open, and the spans are those between the dates."""
    assert contact.state in (ContactState.ENDED, ContactState.ABANDONED, ContactState.OVERFLOWED), contact
    assert contact.ended_at is not None
    assert contact.wait is not None
    assert contact.wait >= ZERO
    assert contact.offers >= contact.offers_missed
    if contact.state is ContactState.ENDED:
        assert contact.answered_at is not None
        assert contact.parted_at is not None
        assert contact.talk is not None
        assert contact.hold is not None
        assert contact.wrap_up is not None
        assert contact.agent
        assert contact.entered_at + contact.wait == contact.answered_at
        assert contact.answered_at + contact.talk + contact.hold == contact.parted_at
        assert contact.parted_at + contact.wrap_up == contact.ended_at
    else:
        assert contact.entered_at + contact.wait == contact.ended_at
        assert contact.answered_at is None


@pytest.mark.parametrize("seed", range(3))
def test_agents_time_agrees_with_their_contacts(seed: int) -> None:
    world = wild_day(seed)
    busy: dict[str, timedelta] = defaultdict(timedelta)
    for each in books_of(world):
        for contact in each.contacts:
            busy[contact.agent] += (contact.talk or ZERO) + (contact.hold or ZERO) + (contact.wrap_up or ZERO)
    for name in ("alice", "bob", "carol"):
        stays = fold_stays(fact for fact in world.facts if isinstance(fact, f.AgentStateChanged) and fact.agent == name)
        at_work = [stay for stay in stays if stay.state in (f.AgentState.TALKING, f.AgentState.WRAP_UP)]
        spent = sum(((stay.ended_at or world.now) - stay.began_at for stay in at_work), ZERO)
        assert spent == busy[name]
