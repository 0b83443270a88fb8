"""A recorded day once more: the same with the same configuration, and truthful about another one."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from callcenter.apps.replay import from_journal
from callcenter.domain import facts as f
from callcenter.domain.agent import MICRO_BREAK
from callcenter.domain.config import CallbackConfig, CallingConfig, CenterConfig, QueueConfig
from callcenter.domain.events import (
    AgentLogoutRequested,
    AgentNotReadyRequested,
    AgentReadyRequested,
    CancelRequested,
    CompleteRequested,
    ConsultRequested,
    TransferRequested,
)
from callcenter.domain.overflow_rules import Overflow, OverflowTo
from callcenter.sim.replay.comparison import QueueFigures, calibrate, figures, outcomes, worse_classes, worse_off
from callcenter.sim.replay.people import NothingToLearn
from callcenter.sim.replay.recorded import RecordedDay, recorded_day
from callcenter.sim.replay.run import Replayed, replay
from callcenter.sim.world import World, small_center
from tests.support.simulated_day import OPENS, SALES, SUPPORT, DayPlan, SimulatedDay, config_of, seconds, simulated_day

PLAIN = DayPlan()
LIVELY = DayPlan(shifts=True, transfer_share=0.15, missed_share=0.05, ceiling=0.92, seed=2)

SKILLED = replace(LIVELY, skilled=True)
CROWDED = replace(SKILLED, agents=24, hours=3, support_per_hour=450, sales_per_hour=150)
"""Six agents begin at the very same moment."""


def hours(count: float) -> datetime:
    return OPENS + timedelta(hours=count)


def read(day: SimulatedDay, from_h: float = 0, to_h: float | None = None) -> RecordedDay:
    return recorded_day(from_journal(day.journal.folder), hours(from_h), hours(day.plan.hours if to_h is None else to_h))


def record_of(day: RecordedDay, config: CenterConfig) -> Mapping[str, QueueFigures]:
    contacts = [contact.record for contact in day.contacts.values()]
    return figures(contacts, [stay for agent in day.agents.values() for stay in agent.stays], day, config, {})


def figures_of(replayed: Replayed, day: RecordedDay, config: CenterConfig) -> Mapping[str, QueueFigures]:
    assert replayed.faults == ()
    return figures(replayed.contacts, replayed.stays, day, config, {})


@pytest.mark.parametrize(
    ("plan", "from_h", "to_h"),
    [
        (PLAIN, 0, 4),
        (LIVELY, 0, 4),
        (SKILLED, 0, 4),
        (CROWDED, 0, 3),
        (replace(LIVELY, ceiling=None), 2.5, 3.5),
        (replace(PLAIN, seed=3), 3, 4),
    ],
    ids=[
        "a plain day",
        "shifts, breaks, transfers, missed offers",
        "skills and strategies",
        "a crowd",
        "an hour in its midst",
        "another's last hour",
    ],
)
def test_with_unchanged_configuration_the_day_is_the_same(plan: DayPlan, from_h: float, to_h: float, tmp_path: Path) -> None:
    lived = simulated_day(plan, tmp_path)
    day = read(lived, from_h, to_h)
    was, now = record_of(day, lived.config), figures_of(replay(day, lived.config, seed=1), day, lived.config)
    assert all(each.reproduced for each in calibrate(was, now))
    # Nothing but people's doings is taken from the record, and yet not a second differs.
    for queue in (SUPPORT, SALES, ""):
        assert now[queue].counted.offered > 30
        assert now[queue].counted == was[queue].counted
        assert now[queue].occupancy == pytest.approx(was[queue].occupancy, abs=1e-6)


def test_the_lively_day_is_one(tmp_path: Path) -> None:
    """So that the test above says something."""
    lived = simulated_day(LIVELY, tmp_path)
    facts = list(from_journal(tmp_path))
    assert any(isinstance(fact, f.AgentStateChanged) and fact.reason == MICRO_BREAK for fact in facts)
    for kind, least in (
        (f.AgentOptedOut, 2),
        (f.AgentPhoneChanged, 2),
        (f.OfferMissed, 20),
        (f.AgentRequestRemembered, 5),
        (f.ContactAbandoned, 100),
        (f.ContactParted, 300),
    ):
        assert sum(isinstance(fact, kind) for fact in facts) >= least, kind
    assert sum(isinstance(fact, f.ContactEntered) and fact.transferred_from != "" for fact in facts) >= 40
    requests = [request for agent in read(lived).agents.values() for _, _, request in agent.requests]
    for kind in (AgentNotReadyRequested, AgentLogoutRequested, AgentReadyRequested):
        assert sum(isinstance(request, kind) for request in requests) >= len(lived.config.agents)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_fewer_agents_would_have_meant(seed: int, tmp_path: Path) -> None:
    """Recorded with twelve agents, replayed with nine, beside the truth: the same callers lived through with nine.

    The record is 15 points of service level and more from that truth; patience is all that the replay has to guess.
    """
    many, few = DayPlan(seed=seed, agents=12), DayPlan(seed=seed, agents=9)
    day = read(simulated_day(many, tmp_path / "many"))
    guessed = figures_of(replay(day, config_of(few), seed=1), day, config_of(few))
    truth_day = read(simulated_day(few, tmp_path / "few"))
    truth, record = record_of(truth_day, config_of(few)), record_of(day, config_of(many))
    for queue in (SUPPORT, ""):
        true_level, level, recorded_level = (each[queue].service_level for each in (truth, guessed, record))
        assert true_level is not None
        assert level == pytest.approx(true_level, abs=0.04)
        assert recorded_level is not None
        assert recorded_level > true_level + 0.15
        assert guessed[queue].abandon_rate == pytest.approx(truth[queue].abandon_rate, abs=0.04)
        assert guessed[queue].occupancy == pytest.approx(truth[queue].occupancy, abs=0.02)


def test_who_is_worse_off(tmp_path: Path) -> None:
    """With sales taken from most of their agents, callers of sales wait longer, and support gains."""
    lived = simulated_day(PLAIN, tmp_path)
    day = read(lived)
    one_for_sales = {name: agent if name == "agent-1" else replace(agent, queues=(SUPPORT,)) for name, agent in lived.config.agents.items()}
    before, now = (outcomes(replay(day, config, 1)) for config in (lived.config, replace(lived.config, agents=one_for_sales)))
    worse = worse_off(day, before, now)
    classes = {(each.queue, each.priority): each for each in worse_classes(day, before, now, worse)}
    assert worse[0].queue == SALES
    assert worse[0].grew == max(each.grew for each in worse) > seconds(60)
    sales = classes[SALES, 0]
    assert sales.worse > 100
    assert sales.lost > 50
    assert sales.mean_change > seconds(20)
    assert all(each.mean_change < seconds(0) for key, each in classes.items() if key[0] == SUPPORT)
    assert sum(each.worse for each in classes.values()) == len(worse)
    assert worse_off(day, before, before) == []


def test_a_shorter_wrap_up_timer_ends_only_what_the_timer_had_ended(tmp_path: Path) -> None:
    lived = simulated_day(PLAIN, tmp_path)
    day = read(lived)
    hasty = {name: replace(queue, wrap_up=seconds(16)) for name, queue in lived.config.queues.items()}
    replayed = replay(day, replace(lived.config, queues=hasty), 1)
    now = {replayed.recorded_as.get(contact.contact_id): contact for contact in replayed.contacts}
    compared = 0
    for contact in day.contacts.values():
        became = now.get(contact.id)
        if contact.handling is not None and became is not None and became.wrap_up is not None:
            compared += 1
            expected = seconds(16) if contact.handling.by_timer else contact.handling.wrap_up
            assert abs(became.wrap_up - expected) < seconds(0.001)
    assert compared > 400


def test_a_queue_that_overflows_only_now_sends_callers_where_they_never_were(tmp_path: Path) -> None:
    lived = simulated_day(PLAIN, tmp_path)
    day = read(lived)
    support = replace(lived.config.queues[SUPPORT], max_wait=seconds(20), overflow_flow="to-sales")
    config = replace(lived.config, queues={**lived.config.queues, SUPPORT: support})
    now = figures_of(replay(day, config, 1), day, config)
    was = record_of(day, lived.config)
    assert now[SUPPORT].counted.overflowed > 20
    assert now[SALES].counted.offered == was[SALES].counted.offered + now[SUPPORT].counted.overflowed


def test_callers_need_again_what_they_needed(tmp_path: Path) -> None:
    """VIPs go to agents who can do gold; with one such agent left it is they who are worse off."""
    lived = simulated_day(replace(SKILLED, shifts=False), tmp_path)
    day = read(lived)
    only_one = {
        name: agent if name == "agent-1" else replace(agent, skills={"selling": agent.skills["selling"]})
        for name, agent in lived.config.agents.items()
    }
    before, now = (outcomes(replay(day, config, 1)) for config in (lived.config, replace(lived.config, agents=only_one)))
    needed = [contact.id for contact in day.counted if contact.entered.require == "gold >= 50"]
    golden = [name for name in needed if name in before and name in now]  # a transfer may not come about again
    assert len(golden) > 40
    assert {int(before[name].agent[-1]) % 2 for name in golden if before[name].agent} == {1}
    assert {now[name].agent for name in golden if now[name].agent} == {"agent-1"}
    classes = worse_classes(day, before, now, worse_off(day, before, now))
    worst = max(classes, key=lambda each: each.mean_change)
    assert (worst.queue, worst.priority, worst.require) == (SUPPORT, 5, "gold >= 50")
    assert worst.mean_change > seconds(10)


def test_where_nobody_was_answered_there_is_nothing_to_learn() -> None:
    world = World(start=OPENS)
    leg = world.caller_arrives()
    world.run_for(30)
    world.pbx.party_hangs_up(leg)
    world.run_for(1)
    day = recorded_day(world.facts, OPENS, OPENS + seconds(60))
    assert len(day.counted) == 1
    with pytest.raises(NothingToLearn, match="nobody was answered"):
        replay(day, world.config, 1)


def test_a_callback_keeps_its_agent_from_others_and_its_caller_leaves_as_before() -> None:
    config = replace(small_center([QueueConfig(SUPPORT, callback=CallbackConfig())], ["alice"]), calling=CallingConfig("carrier"))
    world = World(config, start=OPENS)
    ann = world.caller_arrives(caller="+12025550101")
    world.run_for(3)
    world.pbx.party_presses(ann, "1")
    world.run_for(27)
    world.agent_ready("alice")  # and so ann is called back
    world.run_for(10)
    assert [dial.number for dial in world.pbx.dialed] == ["+12025550101"]
    world.caller_arrives(caller="+12025550102")
    world.run_for(40)
    world.pbx.party_hangs_up(next(channel.id for channel in world.pbx.channels.values() if channel.number == "+12025550101"))
    world.run_for(30)
    world.pbx.party_hangs_up(next(iter(world.talking().values())))
    world.run_for(60)

    day = recorded_day(world.facts, OPENS, OPENS + timedelta(hours=1))
    assert day.called_back == 1
    was, now = record_of(day, config), figures_of(replay(day, config, seed=1), day, config)
    assert now[SUPPORT].counted == was[SUPPORT].counted
    assert (now[SUPPORT].counted.overflowed, now[SUPPORT].counted.answered) == (1, 1)
    assert now[SUPPORT].counted.wait > seconds(45)  # alice talked to ann


def test_who_pressed_a_key_and_went_elsewhere_does_so_again() -> None:
    support = QueueConfig(SUPPORT, wrap_up=seconds(0), keys={"9": Overflow(OverflowTo.QUEUE, SALES)})
    made = small_center([support, QueueConfig(SALES, wrap_up=seconds(0))], ["alice", "bob"])
    agents = {name: replace(agent, queues=(queue,)) for (name, agent), queue in zip(made.agents.items(), (SUPPORT, SALES), strict=True)}
    config = replace(made, agents=agents)
    world = World(config, start=OPENS)
    world.agent_ready("alice")
    world.agent_ready("bob")
    first = world.caller_arrives(SUPPORT)
    world.run_for(10)
    second = world.caller_arrives(SUPPORT)
    world.run_for(12)
    world.pbx.party_presses(second, "9")
    world.run_for(30)
    assert world.talking() == {"alice": first, "bob": second}
    for leg in (first, second):
        world.pbx.party_hangs_up(leg)
    world.run_for(60)

    day = recorded_day(world.facts, OPENS, OPENS + timedelta(hours=1))
    was, now = record_of(day, config), figures_of(replay(day, config, seed=1), day, config)
    assert {queue: now[queue].counted for queue in (SUPPORT, SALES)} == {queue: was[queue].counted for queue in (SUPPORT, SALES)}
    assert (now[SUPPORT].counted.overflowed, now[SALES].counted.answered) == (1, 1)
    # With two agents for support nobody waits long enough to press anything.
    both = replace(config, agents={name: replace(agent, queues=(SUPPORT, SALES)) for name, agent in config.agents.items()})
    now = figures_of(replay(day, both, seed=1), day, both)
    assert (now[SUPPORT].counted.answered, now[SUPPORT].counted.overflowed, SALES in now) == (2, 0, False)


def test_transfers_to_a_colleague_happen_again_and_consults_as_far_as_they_moved_the_caller() -> None:
    config = small_center([QueueConfig(SUPPORT, wrap_up=seconds(0))], ["alice", "bob"])
    world = World(config, start=OPENS)
    world.agent_ready("alice")

    def hangs_up() -> None:
        world.run_for(20)
        world.pbx.party_hangs_up(next(iter(world.talking().values())))
        world.run_for(60)

    blind = world.caller_arrives(SUPPORT)
    world.run_for(10)
    world.agent_ready("bob")
    world.tell(TransferRequested("alice", colleague="bob"))
    world.run_for(10)
    assert world.talking() == {"bob": blind}
    hangs_up()
    for end in (CancelRequested, CompleteRequested):
        world.caller_arrives(SUPPORT)
        world.run_for(10)
        (agent,) = world.talking()
        world.tell(ConsultRequested(agent, colleague="bob" if agent == "alice" else "alice"))
        world.run_for(15)
        world.tell(end(agent))
        hangs_up()
    assert world.refusals == []

    day = recorded_day(world.facts, OPENS, OPENS + timedelta(hours=1))
    assert day.consults == 1
    replayed = replay(day, config, seed=1)
    was, now = record_of(day, config), figures_of(replayed, day, config)
    assert (was[SUPPORT].counted.offered, was[SUPPORT].counted.answered) == (5, 5)  # three callers, two of them twice
    assert (now[SUPPORT].counted.offered, now[SUPPORT].counted.answered) == (5, 5)
    by_caller = outcomes(replayed)
    assert [by_caller[name].agent for name in day.contacts] == [contact.record.agent for contact in day.contacts.values()]
