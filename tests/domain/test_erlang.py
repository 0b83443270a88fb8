"""Erlang's formulas against tabled values, against sums of 60 digits, and against each other."""

from decimal import Decimal, localcontext
from math import inf

import pytest

from callcenter.domain.erlang import ErlangA, Overload, agents_for, blocking, erlang_a, erlang_c, load_for_blocking, offered_load

ERLANG_B = [(5, 10, 0.0183845703), (10, 15, 0.0364969455), (25, 30, 0.0526031722), (80, 90, 0.0262319839), (500, 520, 0.0143617705)]

ERLANG_C = """
    100  180   8    5.000000  0.625000  0.16726651   10.035990  0.88014831   0.278778   30.8651
    200  180  14   10.000000  0.714286  0.17413193    7.835937  0.88835002   0.435330   24.9589
    360  240  28   24.000000  0.857143  0.33313853   19.988312  0.76129581   1.998831   72.2033
    360  240  30   24.000000  0.800000  0.17286206    6.914482  0.89515386   0.691448   21.8929
    600  300  55   50.000000  0.909091  0.38454732   23.072839  0.72445981   3.845473   80.8138
    1200 180  65   60.000000  0.923077  0.42007229   15.122603  0.75898209   5.040868   51.6692
    60   300   6    5.000000  0.833333  0.58751645  176.254935  0.45037426   2.937582  531.2202
    3000 210 180  175.000000  0.972222  0.61001597   25.620671  0.62109153  21.350559   75.9492
    20   120   2    0.666667  0.333333  0.16666667   15.000000  0.86654377   0.083333   45.9743
"""  # calls/h, AHT s, agents, load, occupancy, P(wait), ASA s, SL(20), waiting, P90 wait s

ERLANG_A = """
    100  180   5   60  0.780714  0.44950399  0.21928617  13.157170   9.241889  0.65145303  0.83443255  0.365477
    100  180   8  120  0.606337  0.12582291  0.02986088   3.583306   2.880097  0.91964510  0.94795177  0.099536
    360  240  24  120  0.905073  0.44688277  0.09492719  11.391263  10.327707  0.71945725  0.79491643  1.139126
    360  240  28  180  0.832761  0.21932467  0.02844515   5.120128   4.670368  0.88235975  0.90819345  0.512013
    600  300  50   90  0.927323  0.37911180  0.07267693   6.540923   5.919579  0.81636910  0.88035025  1.090154
    1200 180  60  300  0.955086  0.57836113  0.04491351  13.474053  13.224390  0.69182741  0.72436101  4.491351
    3000 210 170  120  0.977071  0.57250565  0.05084519   6.101422   5.981646  0.87686911  0.92384203  5.084519
    60   300   4  240  0.879091  0.70658471  0.29672758  71.214620  64.330341  0.34455847  0.48993599  1.186910
    20   120   1   60  0.455515  0.45551486  0.31672772  19.003663   8.793813  0.59435030  0.86985864  0.105576
"""  # calls/h, AHT s, agents, patience s, occupancy, P(wait), P(abandon), wait of all, ASA s, SL of offered, of answered, waiting

NAMES_C = ("occupancy", "p_wait", "asa_s", "service_level", "queue_length", "p90_wait_s")
NAMES_A = ("occupancy", "p_wait", "p_abandon", "wait_s", "asa_s", "service_level", "service_level_answered", "queue_length")


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def assert_as_printed(value: float, printed: str) -> None:
    """Equal to the last digit that the table prints."""
    digits = len(printed.partition(".")[2])
    assert abs(value - float(printed)) <= 0.51 * 10**-digits, (value, printed)


# --- the tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("load", "agents", "share"), ERLANG_B)
def test_erlang_b(load: float, agents: int, share: float) -> None:
    assert blocking(load, agents) == pytest.approx(share, abs=5.1e-11)


@pytest.mark.parametrize("row", rows(ERLANG_C))
def test_erlang_c(row: list[str]) -> None:
    calls_per_hour, aht_s, agents = float(row[0]), float(row[1]), int(row[2])
    assert_as_printed(offered_load(calls_per_hour, aht_s), row[3])
    result = erlang_c(calls_per_hour, aht_s, agents)
    for name, printed in zip(NAMES_C, row[4:], strict=True):
        assert_as_printed(getattr(result, name), printed)


@pytest.mark.parametrize("row", rows(ERLANG_A))
def test_erlang_a(row: list[str]) -> None:
    result = erlang_a(float(row[0]), float(row[1]), int(row[2]), float(row[3]))
    for name, printed in zip(NAMES_A, row[4:], strict=True):
        assert_as_printed(getattr(result, name), printed)


def test_the_rational_row_is_exact() -> None:
    result = erlang_c(20, 120, 2)
    assert result.p_wait == pytest.approx(1 / 6, rel=1e-14)
    assert result.asa_s == pytest.approx(15, rel=1e-14)


def test_a_textbook_page() -> None:
    result = erlang_c(720, 240, 55, target_s=15)
    assert_as_printed(result.p_wait, "0.23870094")
    assert_as_printed(result.asa_s, "8.184032")
    assert_as_printed(result.service_level, "0.84588309")


# --- to twelve digits, by sums of sixty ---------------------------------------------------------


def exact_blocking(load: Decimal, agents: int) -> Decimal:
    term = whole = Decimal(1)
    for n in range(1, agents + 1):
        term = term * load / n
        whole += term
    return term / whole


def exact_a(calls_per_hour: int, aht_s: int, agents: int, patience_s: int, target_s: int) -> dict[str, Decimal]:
    """By the states' probabilities, one by one, and Simpson's rule on a fine grid."""
    arrival, service, loss = Decimal(calls_per_hour) / 3600, Decimal(agents) / aht_s, 1 / Decimal(patience_s)
    term, below = Decimal(1), Decimal(0)
    for n in range(1, agents + 1):
        below += term
        term = term * arrival * aht_s / n
    all_busy, busy, waiting, asa, mean, k = term, Decimal(0), Decimal(0), Decimal(0), Decimal(0), 0
    while k < 50 or term > busy * Decimal("1e-40"):
        departure = service + (k + 1) * loss
        mean += 1 / departure
        busy += term
        waiting += k * term
        asa += term * service / departure * mean
        term, k = term * arrival / departure, k + 1
    whole = below + busy
    steps = 4000
    grid = [Decimal(target_s) * i / steps for i in range(steps + 1)]
    density = [((-service - loss) * t + arrival / loss * (1 - (-loss * t).exp())).exp() for t in grid]
    simpson = density[0] + density[-1] + 4 * sum(density[1:-1:2]) + 2 * sum(density[2:-1:2])
    abandoned = waiting * loss / arrival / whole
    return {
        "p_wait": busy / whole,
        "p_abandon": abandoned,
        "asa_s": asa / whole / (1 - abandoned),
        "queue_length": waiting / whole,
        "service_level": (below + all_busy * service * simpson * target_s / steps / 3) / whole,
    }


@pytest.mark.parametrize(("load", "agents"), [(5, 10), (160, 170), (500, 520), (700, 600), (40, 700), (995, 1000)])
def test_erlang_b_and_c_to_twelve_digits(load: int, agents: int) -> None:
    with localcontext(prec=60):
        b = exact_blocking(Decimal(load), agents)
        assert blocking(load, agents) == pytest.approx(float(b), rel=1e-12)
        if load < agents:
            c = agents * b / (agents - load * (1 - b))
            assert erlang_c(load * 20, 180, agents).p_wait == pytest.approx(float(c), rel=1e-12)


@pytest.mark.parametrize(
    "row",
    [(100, 180, 5, 60, 20), (360, 240, 24, 120, 20), (3000, 210, 170, 120, 20), (9000, 240, 620, 300, 10), (4000, 200, 150, 1000, 300)],
)
def test_erlang_a_to_ten_digits(row: tuple[int, int, int, int, int]) -> None:
    result = erlang_a(*row)
    with localcontext(prec=60):
        for name, exact in exact_a(*row).items():
            assert getattr(result, name) == pytest.approx(float(exact), rel=1e-10), name


# --- identities ---------------------------------------------------------------------------------


@pytest.mark.parametrize("row", rows(ERLANG_A))
def test_erlang_a_agrees_with_itself(row: list[str]) -> None:
    calls_per_hour, aht_s, agents, patience_s = float(row[0]), float(row[1]), int(row[2]), float(row[3])
    result = erlang_a(calls_per_hour, aht_s, agents, patience_s)
    load = offered_load(calls_per_hour, aht_s)
    assert result.wait_s == pytest.approx(patience_s * result.p_abandon, rel=1e-12)
    assert result.queue_length == pytest.approx(calls_per_hour / 3600 * result.wait_s, rel=1e-12)
    assert result.occupancy == pytest.approx(load * (1 - result.p_abandon) / agents, rel=1e-12)
    never = erlang_a(calls_per_hour, aht_s, agents, patience_s, target_s=100 * patience_s)
    assert never.service_level == pytest.approx(1 - result.p_abandon, rel=1e-12)


@pytest.mark.parametrize("row", rows(ERLANG_C))
def test_patient_callers_make_it_erlang_c(row: list[str]) -> None:
    calls_per_hour, aht_s, agents = float(row[0]), float(row[1]), int(row[2])
    patient, c = erlang_a(calls_per_hour, aht_s, agents, 1e12), erlang_c(calls_per_hour, aht_s, agents)
    endless = erlang_a(calls_per_hour, aht_s, agents, inf)
    for name in ("occupancy", "p_wait", "asa_s", "service_level", "queue_length"):
        assert getattr(patient, name) == pytest.approx(getattr(c, name), rel=1e-7)
        assert getattr(endless, name) == getattr(c, name)


@pytest.mark.parametrize(("load", "agents", "share"), ERLANG_B)
def test_impatient_callers_make_it_erlang_b(load: float, agents: int, share: float) -> None:
    assert erlang_a(load * 20, 180, agents, 1e-9).p_abandon == pytest.approx(blocking(load, agents), rel=1e-8)


def test_far_too_few_and_far_too_many_agents_are_no_trouble() -> None:
    drowned, bored = erlang_a(3000, 210, 30, 1200), erlang_a(10, 21, 300, 1200)
    assert drowned.occupancy == pytest.approx(1)
    assert drowned.p_abandon == pytest.approx(1 - 30 / 175)
    assert drowned.service_level == pytest.approx(0, abs=1e-100)
    assert bored == ErlangA(bored.occupancy, 0, 0, 0, 0, 1, 1, 0)


# --- staffing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calls_per_hour", "aht_s", "agents"), [(100, 180, 8), (360, 240, 29), (600, 300, 57), (1200, 180, 66), (3000, 210, 184)]
)
def test_agents_for_80_20(calls_per_hour: float, aht_s: float, agents: int) -> None:
    assert agents_for(0.8, calls_per_hour, aht_s) == agents
    assert erlang_c(calls_per_hour, aht_s, agents - 1).service_level < 0.8 <= erlang_c(calls_per_hour, aht_s, agents).service_level


def test_callers_who_give_up_need_fewer_agents() -> None:
    assert_as_printed(erlang_c(360, 240, 29).service_level, "0.840283")
    with_patience = agents_for(0.8, 360, 240, patience_s=180)
    assert with_patience < 29
    levels = [erlang_a(360, 240, agents, 180).service_level for agents in (with_patience - 1, with_patience)]
    assert levels[0] < 0.8 <= levels[1]
    assert agents_for(0.5, 20, 120, patience_s=60) == 1


@pytest.mark.parametrize(("agents", "load"), [(5, 1.8752), (10, 5.5294)])
def test_the_load_at_three_percent_blocking(agents: int, load: float) -> None:
    found = load_for_blocking(agents, 0.03)
    assert found == pytest.approx(load, abs=5.1e-5)
    assert blocking(found, agents) == pytest.approx(0.03, rel=1e-13)


# --- the impossible -----------------------------------------------------------------------------


def test_too_much_work_is_said_not_computed() -> None:
    with pytest.raises(Overload, match="24 agents cannot carry 24 erlangs when nobody gives up; it takes 25 at least"):
        erlang_c(360, 240, 24)
    with pytest.raises(Overload):
        erlang_a(360, 240, 24, inf)


def test_nonsense_is_refused() -> None:
    for nonsense in (
        lambda: blocking(-1, 5),
        lambda: blocking(5, 0),
        lambda: load_for_blocking(5, 1.0),
        lambda: erlang_a(100, 180, 5, 0),
        lambda: agents_for(1.0, 100, 180),
        lambda: agents_for(0.999999, 100, 180, patience_s=60, target_s=0, limit=3),
    ):
        with pytest.raises(ValueError, match=r"which|not even"):
            nonsense()
