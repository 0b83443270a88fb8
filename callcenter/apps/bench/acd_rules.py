"""What ``bench acd`` switches on for its second table: every rule the router knows, in every queue.

50 skills, of which each agent has eight; six strategies in turn (no ring-all among hundreds); a hard and a soft requirement per queue,
and a third of the contacts bring one of their own; three steps of relaxing by time and one by a condition, with a reserve group;
priorities that grow, a cap and a starvation bound; levels and delays; the last agent; a caller list and routing rules that look at
each contact.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.domain.config import AgentConfig, CenterConfig, NumberConfig
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.domain.routing_config import (
    Between,
    CallerList,
    IdleClock,
    ListedNumber,
    Membership,
    Needs,
    RelaxStep,
    Routing,
    RoutingRule,
    Skill,
    Strategy,
)

SKILLS, SKILLS_PER_AGENT = 50, 8
STRATEGIES = [strategy for strategy in Strategy if strategy is not Strategy.RING_ALL]
NEEDY = "-needy"
"""Ends the name of the number whose callers bring a requirement of their own."""


def everything_on(config: CenterConfig, random: Random) -> CenterConfig:
    """The same center with all rules in force."""
    skills = [f"skill-{n}" for n in range(SKILLS)]
    queues = {name: replace(queue, routing=_routing(n, skills)) for n, (name, queue) in enumerate(config.queues.items())}
    agents = {name: _agent(n, agent, skills, random) for n, (name, agent) in enumerate(config.agents.items())}
    needy = {
        name + NEEDY: Flow(
            name + NEEDY, "enter", {"enter": QueueNode(name, n % 3, Needs(f"{skills[(n + 7) % SKILLS]} or {skills[n % SKILLS]}"))}
        )
        for n, name in enumerate(queues)
    }
    return replace(
        config,
        queues=queues,
        agents=agents,
        numbers={**config.numbers, **{name: NumberConfig(name, name) for name in needy}},
        flows={**config.flows, **needy},
        between_queues=Between.MARGINAL_COST,
        caller_lists=(CallerList("vip", priority=3, entries=tuple(ListedNumber(f"+12025551{n:03}", "a customer") for n in range(100))),),
        routing_rules=tuple(RoutingRule(f"rule-{n}", {"caller": (f"+120255520{n:02}",)}, priority=5) for n in range(20)),
    )


def _routing(n: int, skills: Sequence[str]) -> Routing:
    mine, wished = skills[n % SKILLS], skills[(n + 3) % SKILLS]
    return Routing(
        strategy=STRATEGIES[n % len(STRATEGIES)],
        idle_clock=list(IdleClock)[n % 3],
        require=f"{mine} >= 30 or not {wished} >= 90",
        prefer=f"{wished} >= 60",
        relax=(
            RelaxStep("sooner", after=timedelta(seconds=15), prefer=""),
            RelaxStep("lower", after=timedelta(seconds=60), require=f"{mine} or not {wished} >= 95"),
            RelaxStep("anybody", after=timedelta(seconds=240), waive=tuple(skills)),
            RelaxStep(
                "reserve", when=Condition(Metric.WAITING, Comparator.AT_LEAST, 60, timedelta(seconds=5)), groups=(f"group-{n % 10}",)
            ),
        ),
        acceleration=1.0,
        priority_cap=4.0,
        starve_after=timedelta(minutes=10),
        last_agent_wait=timedelta(seconds=10),
    )


def _agent(n: int, agent: AgentConfig, skills: Sequence[str], random: Random) -> AgentConfig:
    memberships = {name: Membership(place // 3, timedelta(seconds=30 * (place > 3))) for place, name in enumerate(agent.queues)}
    levels = {name: Skill(random.randint(0, 100)) for name in random.sample(skills, SKILLS_PER_AGENT)}
    return replace(agent, memberships=memberships, skills=levels, groups=(f"group-{n % 10}",) if n % 20 == 0 else ())
