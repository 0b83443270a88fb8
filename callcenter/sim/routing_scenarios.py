"""Scenarios that put the production router to the test, each with the gate it must pass and nothing tuned to its result.

=========  =========================================================================================================
v-model    two classes, one pool of agents: the marginal cost of waiting against first come first served and strict
           priority, on Σ(wait ÷ target)². Gurvich and Whitt: for convex costs, serve whose next second costs most.
chain      six classes; agents with two skills each, in a ring, against agents with all six. Wallace and Whitt (2004):
           two skills, well combined, do nearly as well as all.
fairness   equal agents: the spread of their occupancy, under each strategy that promises to share the work.
vip        one caller in ten is a VIP, at 95 % load: how long do the others wait at most?
=========  =========================================================================================================
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from callcenter.domain.config import AgentConfig, CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.erlang import agents_for
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.domain.routing_config import Between, Routing, Skill, Strategy
from callcenter.sim.routing_simulation import CallerClass, Outcome, difference, quantile, simulate_routing

Told = Callable[[int], None]
Figure = str | float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scenario came to."""

    scenario: str
    title: str
    calls: int
    """In each of its runs."""
    seed: int
    rows: Sequence[Mapping[str, Figure]]
    """One per run: ``rule``, and its figures; ``…_se`` is the standard error of the figure before it."""
    gate: str
    figures: Mapping[str, Figure]
    """What the gate looks at."""
    passed: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """How to run one."""

    title: str
    calls: int
    """Enough to be sure."""
    runs: int
    run: Callable[[int, int, Told], Verdict]
    """With calls, seed, and who hears how many more have come."""


def _center(
    queues: Sequence[QueueConfig],
    agents: Sequence[AgentConfig],
    doors: Mapping[str, QueueNode],
    between: Between = Between.PRIORITY,
) -> CenterConfig:
    """A center whose numbers lead straight into queues."""
    return CenterConfig(
        queues={queue.name: queue for queue in queues},
        agents={agent.name: agent for agent in agents},
        numbers={did: NumberConfig(did, f"by {did}") for did in doors},
        flows={f"by {did}": Flow(f"by {did}", "enter", {"enter": node}) for did, node in doors.items()},
        between_queues=between,
    )


def _queue(name: str, *, target_s: float = 20, routing: Routing | None = None) -> QueueConfig:
    return QueueConfig(name, routing or Routing(), wrap_up=timedelta(0), target_wait=timedelta(seconds=target_s), record=False)


def _agents(count: int, queues: Sequence[str], skills: Callable[[int], Mapping[str, Skill]] = lambda number: {}) -> list[AgentConfig]:
    return [AgentConfig(f"agent-{number:03d}", f"phone-{number:03d}", tuple(queues), skills=skills(number)) for number in range(count)]


def _calls_per_hour(agents: int, aht_s: float, load: float) -> float:
    """So that this share of the agents' time is work."""
    return agents * load * 3600 / aht_s


# --- v-model ----------------------------------------------------------------------------------------------

V_AGENTS, V_AHT_S, V_LOAD = 20, 180.0, 0.95
V_TARGETS_S = {"gold": 20.0, "basic": 60.0}


def v_model(calls: int, seed: int, told: Told) -> Verdict:
    """Half the callers are promised 20 s, half 60 s. A wait costs (wait ÷ target)²."""
    rate = _calls_per_hour(V_AGENTS, V_AHT_S, V_LOAD) / 2
    classes = [CallerClass(name, f"+1800555010{n}", rate, V_AHT_S) for n, name in enumerate(V_TARGETS_S)]

    def cost(name: str, wait_s: float) -> float:
        return (wait_s / V_TARGETS_S[name]) ** 2

    def under(between: Between, gold_priority: int) -> Outcome:
        doors = {each.did: QueueNode(each.name, gold_priority if each.name == "gold" else 0) for each in classes}
        queues = [_queue(name, target_s=target_s) for name, target_s in V_TARGETS_S.items()]
        return simulate_routing(_center(queues, _agents(V_AGENTS, list(V_TARGETS_S)), doors, between), classes, calls, seed, told)

    outcomes = {
        "marginal_cost": under(Between.MARGINAL_COST, 0),
        "fifo": under(Between.LONGEST_WAIT, 0),
        "strict_priority": under(Between.PRIORITY, 1),
    }
    ours = outcomes["marginal_cost"]
    rows: list[Mapping[str, Figure]] = []
    for rule, outcome in outcomes.items():
        mean, error = outcome.mean(cost)
        apart, apart_se = difference(outcome, ours, cost) if rule != "marginal_cost" else (None, None)
        means: dict[str, Figure] = {f"{name}_wait_s": sum(waits) / len(waits) for name in V_TARGETS_S for waits in [outcome.counted(name)]}
        total = sum(cost(name, wait) for name in V_TARGETS_S for wait in outcome.counted(name))
        rows.append(
            {"rule": rule, "cost": total, "cost_per_call": mean, "cost_per_call_se": error, "more": apart, "more_se": apart_se, **means}
        )
    costs = {str(row["rule"]): row["cost"] for row in rows}
    best = min(costs, key=lambda rule: float(costs[rule] or 0))
    return Verdict(
        "v-model", SCENARIOS["v-model"].title, calls, seed, rows, "the marginal-cost rule has the lowest Σ(wait ÷ target)² of the three",
        {"best": best, **costs}, best == "marginal_cost",
    )  # fmt: skip


# --- chain ------------------------------------------------------------------------------------------------

CHAIN_CLASSES, CHAIN_AHT_S, CHAIN_TARGET_S = 6, 300.0, 20.0
CHAIN_AGENTS = (90, 240, 600)
"""Centers of these sizes. Two skills are almost as good as all where each skill has many agents: the gate looks at the largest, and what
smaller ones lose stands beside it; the first is as large as Wallace and Whitt's example."""
CHAIN_GAP = 0.02


def chain_rate(agents: int) -> float:
    """Calls per hour of all classes: the most for which that many agents with all skills answer 80 % in time, by Erlang C."""
    low, high = 0.0, agents * 3600 / CHAIN_AHT_S
    while high - low > 1:
        middle = (low + high) / 2
        enough = agents_for(0.8, middle, CHAIN_AHT_S, target_s=CHAIN_TARGET_S) <= agents
        low, high = (middle, high) if enough else (low, middle)
    return low


def chain(calls: int, seed: int, told: Told) -> Verdict:
    """Six languages: agent n speaks languages n and n+1, or all of them."""
    names = [f"language-{n}" for n in range(CHAIN_CLASSES)]
    queues = [_queue(name, target_s=CHAIN_TARGET_S, routing=Routing(require=f"{name} >= 50")) for name in names]

    def two(number: int) -> Mapping[str, Skill]:
        return {names[(number + step) % CHAIN_CLASSES]: Skill(100) for step in (0, 1)}

    def every(number: int) -> Mapping[str, Skill]:
        return {name: Skill(100) for name in names}

    def in_time(name: str, wait_s: float) -> float:
        return float(wait_s <= CHAIN_TARGET_S)

    rows: list[Mapping[str, Figure]] = []
    gaps: dict[str, Figure] = {}
    for agents in CHAIN_AGENTS:
        rate = chain_rate(agents) / CHAIN_CLASSES
        classes = [CallerClass(name, f"+1800555010{n}", rate, CHAIN_AHT_S) for n, name in enumerate(names)]
        doors = {each.did: QueueNode(each.name) for each in classes}
        outcomes = {
            rule: simulate_routing(_center(queues, _agents(agents, names, skills), doors), classes, calls, seed, told)
            for rule, skills in (("two_skills", two), ("all_skills", every))
        }
        for rule, outcome in outcomes.items():
            level, error = outcome.mean(in_time)
            by_class = [sum(wait <= CHAIN_TARGET_S for wait in waits) / len(waits) for name in names for waits in [outcome.counted(name)]]
            asa, asa_se = outcome.mean(lambda name, wait_s: wait_s)
            row: dict[str, Figure] = {"rule": f"{rule}_{agents}", "service_level": level, "service_level_se": error}
            rows.append({**row, "worst_class": min(by_class), "best_class": max(by_class), "asa_s": asa, "asa_s_se": asa_se})
        gaps[f"gap_{agents}"], gaps[f"gap_{agents}_se"] = difference(outcomes["all_skills"], outcomes["two_skills"], in_time)
    gap = float(gaps[f"gap_{CHAIN_AGENTS[-1]}"] or 0)
    return Verdict(
        "chain", SCENARIOS["chain"].title, calls, seed, rows,
        f"with two skills for each of {CHAIN_AGENTS[-1]} agents the service level is at most 2 points below that with all skills",
        {"gap": gap, **gaps, "limit": CHAIN_GAP}, gap <= CHAIN_GAP,
    )  # fmt: skip


# --- fairness ---------------------------------------------------------------------------------------------

FAIR_AGENTS, FAIR_AHT_S, FAIR_LOAD = 12, 180.0, 0.8
FAIR_SPREAD = 0.03
PROMISING = (Strategy.LONGEST_IDLE, Strategy.ROUND_ROBIN, Strategy.LEAST_OCCUPIED, Strategy.FEWEST_CONTACTS, Strategy.LEAST_TALK)
"""Strategies that share the work; list order and ring-all do not promise to."""


def fairness(calls: int, seed: int, told: Told) -> Verdict:
    """Twelve agents alike, four fifths of their time is work."""
    classes = [CallerClass("callers", "+18005550100", _calls_per_hour(FAIR_AGENTS, FAIR_AHT_S, FAIR_LOAD), FAIR_AHT_S)]
    rows: list[Mapping[str, Figure]] = []
    for strategy in PROMISING:
        queue = _queue("queue", routing=Routing(strategy))
        config = _center([queue], _agents(FAIR_AGENTS, ["queue"]), {classes[0].did: QueueNode("queue")})
        occupancy = simulate_routing(config, classes, calls, seed, told).occupancy().values()
        low, high = min(occupancy), max(occupancy)
        rows.append({"rule": strategy.value, "mean": sum(occupancy) / len(occupancy), "lowest": low, "highest": high, "spread": high - low})
    worst = max(float(row["spread"] or 0) for row in rows)
    return Verdict(
        "fairness", SCENARIOS["fairness"].title, calls, seed, rows,
        "with each strategy that shares the work, the occupancies of equal agents differ by 3 points at most",
        {"widest_spread": worst, "limit": FAIR_SPREAD}, worst <= FAIR_SPREAD,
    )  # fmt: skip


# --- vip --------------------------------------------------------------------------------------------------

VIP_AGENTS, VIP_AHT_S, VIP_LOAD, VIP_SHARE = 20, 180.0, 0.95, 0.1
VIP_TIMES = 3.0
HEAD_START = 10
"""Priority points of a VIP; with one point a minute, as good as having waited ten minutes."""
AGEING = Routing(acceleration=1.0, priority_cap=float(HEAD_START), starve_after=timedelta(minutes=15))


def vip(calls: int, seed: int, told: Told) -> Verdict:
    """One caller in ten comes first, but nobody waits for ever: priority ages."""
    rate = _calls_per_hour(VIP_AGENTS, VIP_AHT_S, VIP_LOAD)
    classes = [
        CallerClass("vip", "+18005550100", rate * VIP_SHARE, VIP_AHT_S),
        CallerClass("normal", "+18005550101", rate * (1 - VIP_SHARE), VIP_AHT_S),
    ]

    def under(head_start: int, routing: Routing) -> Outcome:
        doors = {each.did: QueueNode("queue", head_start if each.name == "vip" else 0) for each in classes}
        config = _center([_queue("queue", routing=routing)], _agents(VIP_AGENTS, ["queue"]), doors)
        return simulate_routing(config, classes, calls, seed, told)

    outcomes = {"nobody_is_vip": under(0, AGEING), "vip_with_ageing": under(HEAD_START, AGEING), "vip_strictly_first": under(1, Routing())}
    rows: list[Mapping[str, Figure]] = []
    for rule, outcome in outcomes.items():
        row: dict[str, Figure] = {"rule": rule}
        for name in ("vip", "normal"):
            waits = outcome.counted(name)
            row |= {f"{name}_mean_s": sum(waits) / len(waits), f"{name}_p99_s": quantile(waits, 0.99), f"{name}_max_s": max(waits)}
        rows.append(row)
    p99 = quantile(outcomes["nobody_is_vip"].counted(), 0.99)
    longest = max(outcomes["vip_with_ageing"].counted("normal"))
    return Verdict(
        "vip", SCENARIOS["vip"].title, calls, seed, rows,
        "beside VIPs no normal caller waits longer than three times the p99 of the run without VIPs",
        {"p99_without_vip_s": p99, "longest_normal_s": longest, "times": longest / p99, "limit": VIP_TIMES}, longest <= VIP_TIMES * p99,
    )  # fmt: skip


SCENARIOS: Mapping[str, Scenario] = {
    "v-model": Scenario("Two classes, targets 20 s and 60 s, 20 agents for both, 95 % load", 60_000, 3, v_model),
    "chain": Scenario("Six classes; as many calls as agents with all skills answer 80 % of in 20 s", 30_000, 2 * len(CHAIN_AGENTS), chain),
    "fairness": Scenario("12 equal agents, 80 % load", 45_000, len(PROMISING), fairness),
    "vip": Scenario("20 agents, 95 % load, one caller in ten a VIP", 60_000, 3, vip),
}
