"""Conditions on what a queue measures: when they hold, and that they do not flap."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.center import Center
from callcenter.domain.conditions import Comparator, Condition, Metric, Phase, Standing, faults, observe
from callcenter.domain.config import QueueConfig
from callcenter.domain.ids import Ids
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
ABOVE, AT_LEAST, BELOW, AT_MOST = Comparator


def seen(condition: Condition, values: Sequence[float | None]) -> str:
    """The phases over one look a second: ``.`` off, ``/`` rising, ``#`` on."""
    standing, drawn = Standing(), ""
    for second, value in enumerate(values):
        now = START + timedelta(seconds=second)
        phase = observe(condition, standing, value, now)
        standing = standing if phase is standing.phase else Standing(phase, now)
        drawn += {Phase.OFF: ".", Phase.RISING: "/", Phase.ON: "#"}[phase]
    return drawn


@pytest.mark.parametrize(
    ("condition", "values", "phases"),
    [
        (Condition(Metric.WAITING, ABOVE, 3), [3, 4, 3], ".#."),
        (Condition(Metric.WAITING, AT_LEAST, 3), [2, 3, 2], ".#."),
        (Condition(Metric.AGENTS_READY, BELOW, 2), [2, 1, 2], ".#."),
        (Condition(Metric.AGENTS_LOGGED_IN, AT_MOST, 0), [1, 0, 1], ".#."),
        (Condition(Metric.EWT, ABOVE, 100), [101, 99, 91, 90, 99], "###.."),  # a dead band of a tenth
        (Condition(Metric.SERVICE_LEVEL, BELOW, 0.5), [0.4, 0.5, 0.54, 0.55], "###."),
        (Condition(Metric.WAITING, ABOVE, 10, release=5), [11, 10, 6, 5, 6], "###.."),
        (Condition(Metric.WAITING, ABOVE, 3, timedelta(seconds=2)), [4, 4, 3, 4, 4, 4, 4, 3], "//.//##."),
        (Condition(Metric.EWT, ABOVE, 100, timedelta(seconds=2)), [101, None, 101, 101, 101, None], "/.//#."),
    ],
)
def test_when_a_condition_holds(condition: Condition, values: Sequence[float | None], phases: str) -> None:
    assert seen(condition, values) == phases


def test_a_condition_reads_as_a_sentence() -> None:
    condition = Condition(Metric.EWT, ABOVE, 360, timedelta(seconds=30), 300, "sales")
    assert condition.key == "sales: ewt > 360 for 30 s, released at 300"


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (Condition(Metric.WAITING, BELOW, 0), "'waiting < 0' can never hold: no metric is below 0"),
        (Condition(Metric.WAITING, ABOVE, -1), "'waiting > -1' can never hold: no metric is below 0"),
        (Condition(Metric.SERVICE_LEVEL, BELOW, 80), "'service_level < 80' is about a service level above 1; write 0.8 for 80 %"),
        (Condition(Metric.EWT, ABOVE, 60, release=90), "'ewt > 60, released at 90' would be released above its own threshold"),
        (Condition(Metric.EWT, BELOW, 60, release=30), "'ewt < 60, released at 30' would be released below its own threshold"),
        (Condition(Metric.SERVICE_LEVEL, BELOW, 0.8), None),
    ],
)
def test_what_can_never_hold_or_never_let_go(condition: Condition, why: str | None) -> None:
    assert faults(condition) == why


# --- in a center --------------------------------------------------------------------------------

MANY = Condition(Metric.WAITING, AT_LEAST, 2, timedelta(seconds=3))
LONG = Condition(Metric.LONGEST_WAIT, ABOVE, 20)


def watched(*conditions: Condition) -> World:
    return World(small_center([QueueConfig("support", watched=conditions)]))


def changes(world: World) -> list[tuple[str, str, float]]:
    return [(c.condition, str(c.phase), (c.at - START).total_seconds()) for c in world.facts if isinstance(c, f.ConditionChanged)]


def test_conditions_are_looked_at_once_a_second_while_somebody_waits() -> None:
    world = watched(MANY, LONG)
    first = world.caller_arrives()
    world.run_for(10)
    assert changes(world) == []
    second = world.caller_arrives()
    world.run_for(30)
    assert [(key, phase) for key, phase, _ in changes(world)] == [(MANY.key, "rising"), (MANY.key, "on"), (LONG.key, "on")]
    at = [at for _, _, at in changes(world)]
    assert 10 <= at[0] <= 11
    assert at[1] == at[0] + 3
    assert 20 < at[2] <= 21
    queue = world.center.state.queue("support")
    assert queue.holds(MANY)
    assert queue.holds(LONG)

    world.pbx.party_hangs_up(first)
    world.pbx.party_hangs_up(second)
    world.run_for(1)
    assert not queue.holds(MANY)
    assert not queue.holds(LONG)
    assert world.center.deadline is None  # nobody waits, nothing stands: nothing to look at


def test_a_condition_on_another_queue() -> None:
    many = Condition(Metric.WAITING, AT_LEAST, 2, queue="sales")
    world = World(small_center([QueueConfig("support", watched=(many,)), QueueConfig("sales")]))
    world.caller_arrives("support")
    world.caller_arrives("sales")
    world.run_for(2)
    assert not world.center.state.queue("support").holds(many)
    world.caller_arrives("sales")
    world.run_for(2)
    assert world.center.state.queue("support").holds(many)
    assert not world.center.state.queue("sales").standings


def test_what_a_queue_measures() -> None:
    world = watched(MANY)
    for name in ("alice", "bob"):
        world.pbx.phones[f"phone-of-{name}"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=1))
    queue = world.center.state.queue("support")
    world.agent_ready("alice")
    assert (queue.serving, queue.logged_in) == (1, 1)
    callers = [world.caller_arrives() for _ in range(3)]
    world.run_for(60)
    assert queue.measures.service_level(world.now) == 1.0  # one answered in 1.05 s, two still waiting
    world.pbx.party_hangs_up(callers[1])
    assert queue.measures.service_level(world.now) == 0.5
    world.pbx.party_hangs_up(callers[0])
    world.run_for(11 + 2)
    seen_there = queue.measures.seen(world.now)
    assert seen_there.starts == 1  # the first caller never stood in line
    assert seen_there.gone == 1
    assert seen_there.agent_seconds == pytest.approx(70)
    assert seen_there.waited_seconds == pytest.approx(2 * 60 + 10)
    assert seen_there.ring_seconds == pytest.approx(1.05)
    world.tell(e.AgentNotReadyRequested("alice", "break"))
    world.pbx.party_hangs_up(callers[2])
    world.run_for(20)
    assert (queue.serving, queue.logged_in) == (0, 1)


def test_what_was_measured_survives_a_restart_and_a_change_of_configuration() -> None:
    world = watched(MANY, LONG)
    world.agent_ready("alice")
    for _ in range(4):
        world.caller_arrives()
        world.run_for(7)
    world.tell(e.ConfigChanged(small_center([QueueConfig("support", watched=(LONG,), wrap_up=timedelta())], agents=["alice"])))
    world.run_for(5)
    state = world.center.state
    for facts in (world.facts, list(world.center.checkpoint())):
        restored = Center.restore(state.config, Ids("r"), facts).state.queue("support")
        live = state.queue("support")
        assert (restored.measures.remembered(), restored.standings) == (live.measures.remembered(), live.standings)
        assert (restored.measures.line, restored.measures.agents) == (live.measures.line, live.measures.agents)
        assert list(live.standings) == [LONG.key]


def test_a_checkpoint_that_does_not_know_who_was_not_answered_raises_no_alarm() -> None:
    """One of an older version: its minutes have a field less."""
    world = watched(MANY, LONG)
    world.agent_ready("alice")
    world.caller_arrives()
    world.run_for(7)
    measures = world.center.state.queue("support").measures
    measures.recall([text.rpartition(" ")[0] for text in measures.remembered()])
    assert (measures.service_level(world.now), measures.abandon_rate(world.now)) == (1.0, 0.0)
