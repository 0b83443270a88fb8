"""Alerts fire after the figure was beyond the threshold for so long, once, and are over when it is far enough back."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from callcenter.domain.alerts import AlertRule, AlertWatch, Severity, sentence
from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.sim.timeline import EPOCH

WAITING = AlertRule("crowd", Condition(Metric.WAITING, Comparator.ABOVE, 5, timedelta(seconds=30), release=2))


def at(second: float) -> datetime:
    return EPOCH + timedelta(seconds=second)


def look(watch: AlertWatch, second: float, values: Mapping[str, float | None], rule: AlertRule = WAITING) -> list[str]:
    """The queues for which it holds."""
    return [firing.queue for firing in watch.look([rule], list(values), lambda queue, metric: values[queue], at(second))]


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
    watch.resume({("crowd", "support"): at(-60)})
    (firing,) = watch.look([WAITING], ["support"], lambda queue, metric: 4, at(0))
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
    assert sentence(rule, "support", value) == said
