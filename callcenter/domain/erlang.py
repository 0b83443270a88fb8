"""Erlang's formulas: how long callers wait, how many give up, how many agents it takes.

Calls come at random (Poisson), last exponentially long, and are served in the order they came. Erlang B: who
finds all agents busy leaves at once. Erlang C: everybody waits. Erlang A: everybody waits, exponentially long
at most. Times are floats of seconds (``…_s``), finer than ``timedelta`` can hold; ratios are 0 to 1.

All sums are of positive terms only, so that nothing cancels: the relative error stays near 1e-13 for hundreds of agents.
"""

from dataclasses import dataclass
from functools import cache
from math import cos, exp, expm1, fsum, inf, log, pi

SECONDS_PER_HOUR = 3600.0
NEGLIGIBLE = 1e-18
"""A tail smaller than this share of its sum is left out."""
TOO_LARGE = 1e200
"""Sums are scaled down before they reach this times itself."""


class Overload(ValueError):
    """More work is offered than the agents can do, and nobody gives up: the line grows for ever."""


@dataclass(frozen=True, slots=True)
class ErlangC:
    """What callers and agents find when everybody waits."""

    occupancy: float
    p_wait: float
    """Share of callers who wait at all."""
    asa_s: float
    service_level: float
    """Share of callers answered within the target wait."""
    queue_length: float
    """How many wait, on average."""
    p90_wait_s: float
    """Nine callers of ten wait no longer than this."""


@dataclass(frozen=True, slots=True)
class ErlangA:
    """What callers and agents find when callers give up."""

    occupancy: float
    p_wait: float
    p_abandon: float
    """Abandoned ÷ offered."""
    wait_s: float
    """Mean wait of all callers, answered or not."""
    asa_s: float
    """Mean wait of the answered."""
    service_level: float
    """Answered within the target wait ÷ offered."""
    service_level_answered: float
    """Answered within the target wait ÷ answered."""
    queue_length: float


def offered_load(calls_per_hour: float, aht_s: float) -> float:
    """Arrival rate × average handle time, in erlangs."""
    return calls_per_hour * aht_s / SECONDS_PER_HOUR


# --- Erlang B -----------------------------------------------------------------------------------


def blocking(load: float, agents: int) -> float:
    """Erlang B: the share of calls that find all agents (or lines) busy and leave at once."""
    blocked, _ = _blocked_and_carried(load, agents)
    return blocked


def load_for_blocking(agents: int, share: float) -> float:
    """The load in erlangs of which just ``share`` is blocked."""
    if not 0 < share < 1:
        raise ValueError(f"the blocked share lies between 0 and 1, which {share:g} does not")
    low, high = 0.0, 1.0
    while blocking(high, agents) < share:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if blocking(middle, agents) < share else (low, middle)
    return high


def _blocked_and_carried(load: float, agents: int) -> tuple[float, float]:
    """Both shares, so that the smaller need not be had by subtraction."""
    if not (0 <= load < inf and agents >= 1):
        raise ValueError(f"load and agents are positive, which {load:g} erlangs and {agents} agents are not")
    blocked, carried = 1.0, 0.0
    for n in range(1, agents + 1):
        busy = load * blocked
        blocked, carried = busy / (n + busy), n / (n + busy)
    return blocked, carried


# --- Erlang C -----------------------------------------------------------------------------------


def erlang_c(calls_per_hour: float, aht_s: float, agents: int, target_s: float = 20.0) -> ErlangC:
    """Everybody waits for as long as it takes. Raises Overload when the load is not below the number of agents."""
    load = offered_load(calls_per_hour, aht_s)
    blocked, carried = _blocked_and_carried(load, agents)
    spare = agents - load
    if spare <= 0:
        raise Overload(f"{agents} agents cannot carry {load:g} erlangs when nobody gives up; it takes {int(load) + 1} at least")
    p_wait = agents * blocked / (spare + load * blocked)
    at_once = spare * carried / (spare + load * blocked)
    asa_s = p_wait * aht_s / spare
    return ErlangC(
        occupancy=load / agents,
        p_wait=p_wait,
        asa_s=asa_s,
        service_level=at_once - p_wait * expm1(-spare * target_s / aht_s),
        queue_length=asa_s * calls_per_hour / SECONDS_PER_HOUR,
        p90_wait_s=log(10 * p_wait) * aht_s / spare if p_wait > 0.1 else 0.0,
    )


# --- Erlang A -----------------------------------------------------------------------------------


def erlang_a(calls_per_hour: float, aht_s: float, agents: int, patience_s: float, target_s: float = 20.0) -> ErlangA:
    """Callers give up after ``patience_s`` on average, exponentially distributed; infinite patience makes it Erlang C."""
    if patience_s == inf:
        c = erlang_c(calls_per_hour, aht_s, agents, target_s)
        return ErlangA(c.occupancy, c.p_wait, 0.0, c.asa_s, c.asa_s, c.service_level, c.service_level, c.queue_length)
    if not (patience_s > 0 and calls_per_hour > 0 and aht_s > 0):
        raise ValueError(f"calls, handle time and patience are positive, which {calls_per_hour:g}, {aht_s:g} and {patience_s:g} are not")
    load = offered_load(calls_per_hour, aht_s)
    rates = _Rates(calls_per_hour / SECONDS_PER_HOUR, agents / aht_s, 1 / patience_s)
    blocked, carried = _blocked_and_carried(load, agents)
    line = _sum_line(rates)
    # Shares of time, scaled down alike: all agents busy and nobody waiting is 1 in ``line``, and blocked ÷ carried of the rest.
    rest = carried * exp(-line.log_scale)
    whole = rest + blocked * line.busy
    at_once = rest / whole
    answered = at_once + blocked * line.answered / whole
    queue_length = blocked * line.waiting / whole
    in_time = at_once
    if blocked > 0:
        in_time += _answered_within(target_s, rates, log(blocked) - line.log_scale - log(whole))
    p_abandon = queue_length * rates.loss / rates.arrival
    return ErlangA(
        occupancy=load * answered / agents,
        p_wait=blocked * line.busy / whole,
        p_abandon=p_abandon,
        wait_s=patience_s * p_abandon,
        asa_s=blocked * line.answered_wait_s / whole / answered,
        service_level=in_time,
        service_level_answered=in_time / answered,
        queue_length=queue_length,
    )


@dataclass(frozen=True, slots=True)
class _Rates:
    """Per second."""

    arrival: float
    service: float
    """Of all agents together."""
    loss: float
    """Of one waiting caller."""


@dataclass(frozen=True, slots=True)
class _LineSums:
    """Over the states with all agents busy and k = 0, 1, 2 ... callers waiting, relative to k = 0, times exp(-log_scale)."""

    log_scale: float
    busy: float
    waiting: float
    """Weighted by k."""
    answered: float
    """Weighted by the chance that who comes now is answered in the end."""
    answered_wait_s: float
    """The same, weighted by how long that takes."""


def _sum_line(rates: _Rates) -> _LineSums:
    """Who comes as the (k+1)-th in line waits for k+1 departures, the rates of which fall from service + k·loss to service.

    So the chance to be answered is a telescoping product, service ÷ (service + (k+1)·loss), and the mean wait of
    those who are is the sum of the 1 ÷ (service + j·loss) for j = 1 ... k+1.
    """
    log_scale, weight, mean_wait_s = 0.0, 1.0, 0.0
    busy = waiting = answered = answered_wait_s = 0.0
    k = 0
    while True:
        departure = rates.service + (k + 1) * rates.loss
        mean_wait_s += 1 / departure
        share = weight * rates.service / departure
        busy += weight
        waiting += weight * k
        answered += share
        answered_wait_s += share * mean_wait_s
        if rates.arrival < departure and weight * (k + 1) <= NEGLIGIBLE * waiting * (1 - rates.arrival / departure):
            return _LineSums(log_scale, busy, waiting, answered, answered_wait_s)
        weight *= rates.arrival / departure
        k += 1
        if weight > TOO_LARGE:
            weight, busy, waiting = weight / TOO_LARGE, busy / TOO_LARGE, waiting / TOO_LARGE
            answered, answered_wait_s = answered / TOO_LARGE, answered_wait_s / TOO_LARGE
            log_scale += log(TOO_LARGE)


def _answered_within(target_s: float, rates: _Rates, log_all_busy: float) -> float:
    """The share of callers who wait, and are answered within the target: an integral over the wait.

    ``log_all_busy`` is the logarithm of the share of time in which all agents are busy and nobody waits. Summed over
    the line's states, the density of the wait of the answered is that share times service × exp(exponent(wait)).
    """
    arrival, service, loss = rates.arrival, rates.service, rates.loss
    outset = log_all_busy + log(service)

    def density(wait_s: float) -> float:
        return exp(outset - (service + loss) * wait_s - arrival / loss * expm1(-loss * wait_s))

    width = 4 / max(service + loss, arrival)  # over which the density changes by a factor of exp(4) at most: easy for 16 nodes
    total, begin = 0.0, 0.0
    while begin < target_s:
        half = min(width, target_s - begin) / 2
        part = half * fsum(weight * density(begin + half * (1 + node)) for node, weight in _gauss_legendre())
        total += part
        begin += width
        if part <= NEGLIGIBLE * total and arrival * exp(-loss * begin) < service:
            break
    return total


@cache
def _gauss_legendre(count: int = 16) -> tuple[tuple[float, float], ...]:
    """Nodes and weights for integrals from -1 to 1: the roots of Legendre's polynomial, by Newton's method."""
    found = []
    for i in range(count):
        x = cos(pi * (i + 0.75) / (count + 0.5))
        for _ in range(8):
            value, before = x, 1.0
            for n in range(2, count + 1):
                value, before = ((2 * n - 1) * x * value - (n - 1) * before) / n, value
            slope = count * (x * value - before) / (x * x - 1)
            x -= value / slope
        found.append((x, 2 / ((1 - x * x) * slope * slope)))
    return tuple(found)


# --- staffing -----------------------------------------------------------------------------------


def agents_for(
    service_level: float, calls_per_hour: float, aht_s: float, *, target_s: float = 20.0, patience_s: float = inf, limit: int = 100_000
) -> int:
    """The fewest agents who answer that share of all callers within the target wait. Raises ValueError above ``limit``."""
    if not 0 < service_level < 1:
        raise ValueError(f"a service level lies between 0 and 1, which {service_level:g} does not")
    enough = fewest = int(offered_load(calls_per_hour, aht_s)) + 1 if patience_s == inf else 1
    step = 1

    def reached(agents: int) -> bool:
        return erlang_a(calls_per_hour, aht_s, agents, patience_s, target_s).service_level >= service_level

    while not reached(enough):
        fewest, enough, step = enough + 1, enough + step, 2 * step
        if enough > limit:
            raise ValueError(f"not even {limit} agents reach a service level of {service_level:g}")
    while fewest < enough:
        middle = (fewest + enough) // 2
        fewest, enough = (fewest, middle) if reached(middle) else (middle + 1, enough)
    return enough
