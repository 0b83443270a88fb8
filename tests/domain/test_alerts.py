"""Alerts fire after the figure was beyond the threshold for so long, once, and are over when it is far enough back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain.alert_figures import Vitals, measured
from callcenter.domain.alerts import About, AlertRule, AlertWatch, Severity, sentence
from callcenter.domain.conditions import Comparator, Condition, Figure, Metric
from callcenter.domain.config import MissPolicy, QueueConfig
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.timeline import EPOCH
from callcenter.sim.world import World, small_center

WAITING = AlertRule("crowd", Condition(Metric.WAITING, Comparator.ABOVE, 5, timedelta(seconds=30), release=2))


def at(second: float) -> datetime:
    return EPOCH + timedelta(seconds=second)


def look(watch: AlertWatch, second: float, values: Mapping[str, float | None], rule: AlertRule = WAITING) -> list[str]:
    """The queues for which it holds."""
    measured = [(About(queue), value) for queue, value in values.items() if rule.queue in ("", queue)]
    return [firing.about.queue for firing in watch.look([rule], lambda rule: measured, at(second))]


def test_it_fires_when_the_figure_has_been_beyond_for_so_long_without_a_break() -> None:
    watch = AlertWatch()
    assert [look(watch, second, {"support": value}) for second, value in ((0, 6), (20, 5), (21, 6), (40, 9), (50, 9))] == [[]] * 5
    assert look(watch, 51, {"support": 6}) == ["support"]


def test_it_is_over_once_the_figure_is_as_far_back_as_the_rule_says() -> None:
    watch = AlertWatch()
    for second in (0, 30):
        look(watch, second, {"support": 9})
    assert [look(watch, 31 + n, {"support": value}) for n, value in enumerate((5, 3, 6, 2))] == [["support"]] * 3 + [[]]


def test_each_queue_by_itself_unless_one_is_named() -> None:
    watch, values = AlertWatch(), {"support": 9.0, "sales": 1.0, "billing": 7.0}
    look(watch, 0, values)
    assert look(watch, 30, values) == ["support", "billing"]
    only = AlertRule("crowd", WAITING.condition, queue="billing")
    watch = AlertWatch()
    look(watch, 0, values, only)
    assert look(watch, 30, values, only) == ["billing"]


def test_what_nobody_can_tell_stays_as_it_was() -> None:
    watch = AlertWatch()
    for second in (0, 30):
        look(watch, second, {"support": 9})
    assert look(watch, 31, {"support": None}) == ["support"]


def test_after_a_restart_it_goes_on_where_it_was() -> None:
    watch = AlertWatch()
    watch.resume({("crowd", About("support")): at(-60)})
    (firing,) = watch.look([WAITING], lambda rule: [(About("support"), 4)], at(0))
    assert firing.since == at(-60)
    assert look(watch, 1, {"support": 2}) == []


def test_a_rule_or_a_queue_that_is_gone_holds_for_nobody() -> None:
    watch = AlertWatch()
    for second in (0, 30):
        look(watch, second, {"support": 9})
    assert look(watch, 31, {}) == []
    assert look(watch, 32, {"support": 9}) == [], "and begins anew when it is back"


@pytest.mark.parametrize(
    ("rule", "value", "said"),
    [
        (WAITING, 7, "crowd: support waiting > 5 for 30 s (now 7)"),
        (AlertRule("slow", Condition(Metric.SERVICE_LEVEL, Comparator.BELOW, 0.8)), 0.725, "slow: support service level < 0.8 (now 0.72)"),
        (AlertRule("x", Condition(Metric.EWT, Comparator.AT_LEAST, 60), severity=Severity.ALARM), None, "x: support ewt >= 60"),
    ],
)
def test_it_is_said_in_a_sentence(rule: AlertRule, value: float | None, said: str) -> None:
    assert sentence(rule, About("support"), value) == said


def test_while_nothing_of_a_rule_can_be_told_what_fired_fires_on() -> None:
    watch = AlertWatch()
    for second in (0, 30):
        look(watch, second, {"support": 9, "sales": 0})
    assert [firing.about.queue for firing in watch.look([WAITING], lambda rule: None, at(600))] == ["support"]
    assert look(watch, 601, {"support": 0, "sales": 0}) == []


# --- figures of agents, nodes and the center -------------------------------------------------------


TRUNKS = {"carrier": True, "backup": False}


def figure(world: World, figure: Metric | Figure, queue: str = "", vitals: Vitals | None = None) -> dict[str, float | None]:
    rule = AlertRule("r", Condition(figure, Comparator.ABOVE, 1), queue)
    found = measured(rule, world.center.state, vitals or {}, TRUNKS, world.now)
    assert found is not None
    return {about.shown: value for about, value in found}


def test_how_long_an_agent_has_been_in_a_state() -> None:
    world = World(small_center((QueueConfig("support", wrap_up=timedelta(seconds=40)), QueueConfig("sales")), ("alice", "bob")))
    world.agent_ready("alice")
    world.tell(e.AgentNotReadyRequested("alice", "break"))
    world.run_for(90)
    assert figure(world, Figure.NOT_READY_FOR) == {"alice": 90.0, "bob": 0.0}
    world.tell(e.AgentReadyRequested("alice"))
    leg = world.caller_arrives("support")
    world.run_for(30)
    talked = figure(world, Figure.TALKING_FOR, "support")["alice"]
    assert talked is not None
    assert 20 < talked <= 30
    assert figure(world, Figure.NOT_READY_FOR) == {"alice": 0.0, "bob": 0.0}
    world.pbx.party_hangs_up(leg)
    world.run_for(10)
    assert figure(world, Figure.WRAP_UP_FOR)["alice"] == 10.0
    assert figure(world, Figure.WRAP_UP_FOR, "no such queue") == {}


def test_offers_missed_in_a_row_count_also_once_they_have_taken_her_out() -> None:
    world = World(replace(small_center(), missed_offers=MissPolicy(most=2)))
    world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    world.agent_ready("alice")
    world.caller_arrives()
    counted = []
    for _ in range(30):
        world.run_for(5)
        counted.append(figure(world, Figure.MISSED_OFFERS)["alice"])
    assert list(dict.fromkeys(counted)) == [0, 1, 2]


def test_who_gives_up_and_who_is_not_called_back() -> None:
    world = World(small_center())
    assert figure(world, Figure.ABANDON_RATE) == {"support": None}
    for _ in range(3):
        leg = world.caller_arrives()
        world.run_for(30)
        world.pbx.party_hangs_up(leg)
    world.agent_ready("alice")
    world.caller_arrives()
    world.run_for(20)
    assert figure(world, Figure.ABANDON_RATE) == {"support": 0.75}
    assert figure(world, Figure.CALLBACK_OVERDUE) == {"support": 0.0}


def test_a_node_that_is_away_and_what_only_the_processes_know() -> None:
    world = World(small_center())
    assert figure(world, Figure.NODE_AWAY) == {"node1": 0.0}
    world.tell(e.NodeDisconnected("node1"))
    assert figure(world, Figure.NODE_AWAY) == {"node1": 1.0}
    assert figure(world, Figure.DATABASE_AWAY, vitals={Figure.DATABASE_AWAY: 7.0}) == {"center": 7.0}
    assert figure(world, Figure.ENGINE_LAG) == {"center": None}
    assert figure(world, Figure.TRUNK_AWAY) == {"carrier": 0.0, "backup": 1.0}
    for one in (Figure.NODE_AWAY, Figure.TRUNK_AWAY, Metric.WAITING):
        rule = AlertRule("r", Condition(one, Comparator.AT_LEAST, 1))
        assert measured(rule, None, {}, None, world.now) is None, "while the engine is away nobody knows"


def test_every_figure_is_measured_somewhere() -> None:
    world = World(small_center())
    for one in (*Metric, *Figure):
        assert figure(world, one), one
