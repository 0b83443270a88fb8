"""Patience by Kaplan and Meier, against published figures and what must hold for any callers."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.patience import Watched, kaplan_meier


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_the_textbook_example() -> None:
    """The 6-mercaptopurine arm of Freireich et al. 1963, as worked in Kalbfleisch and Prentice: 21 observed, 12 of them censored."""
    relapsed = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    patience = kaplan_meier([Watched(seconds(t), True) for t in relapsed] + [Watched(seconds(t), False) for t in censored])
    expected = {5: 1.0, 6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448, 35: 0.448}
    assert {t: round(patience.longer_than(seconds(t)), 3) for t in expected} == expected


def test_without_the_answered_callers_would_look_impatient() -> None:
    """Exponential patience of 60 s on average, most answered before: the estimate still finds the median, 60 s × ln 2."""
    chance = Random(7)
    watched = []
    for _ in range(20_000):
        patience, answered_after = chance.expovariate(1 / 60), chance.expovariate(1 / 40)
        watched.append(Watched(seconds(min(patience, answered_after)), patience < answered_after))
    learned = kaplan_meier(watched)
    assert learned.beyond(timedelta(), 0.5) == pytest.approx(seconds(41.59), abs=seconds(1.5))
    naive = sorted(each.wait for each in watched if each.gave_up)
    assert naive[len(naive) // 2] < seconds(20)
    # Exponential patience has no memory: who has waited a minute is as patient as at the beginning.
    drawn = learned.beyond(seconds(60), 0.5)
    assert drawn is not None
    assert drawn - seconds(60) == pytest.approx(seconds(41.59), abs=seconds(4))


def test_where_nobody_gave_up_nobody_will() -> None:
    assert kaplan_meier([Watched(seconds(30), False)] * 3).beyond(seconds(10), 0.1) is None
    assert kaplan_meier([]).beyond(timedelta(), 0.5) is None


def test_past_the_longest_abandon_callers_give_up_at_the_mean_rate() -> None:
    patience = kaplan_meier([Watched(seconds(10), True), Watched(seconds(90), False)])
    assert patience.beyond(seconds(20), 1.0) == seconds(20)
    assert patience.beyond(seconds(20), 0.367879441) == pytest.approx(seconds(120), abs=seconds(0.01))  # one abandon in 100 s of waiting


waits = st.floats(0.001, 600).map(seconds)


@given(st.lists(st.builds(Watched, waits, st.booleans()), max_size=30), waits, st.floats(0.001, 1))
def test_a_patience_is_longer_than_the_wait_it_is_known_to_outlast(watched: list[Watched], wait: timedelta, chance: float) -> None:
    patience = kaplan_meier(watched)
    drawn = patience.beyond(wait, chance)
    assert drawn is None or drawn >= wait
    more_patient = patience.beyond(wait, chance / 2)
    assert drawn is None or (more_patient is not None and more_patient >= drawn)
    assert all(a >= b for a, b in zip((1.0, *patience.shares), patience.shares, strict=False))
