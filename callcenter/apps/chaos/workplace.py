"""The center of a simulated day: small, and with everything in it that a center may have."""

from dataclasses import replace
from datetime import timedelta

from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.domain.config import (
    AgentConfig,
    AnnounceConfig,
    CallbackConfig,
    CallingConfig,
    CenterConfig,
    Device,
    DispositionRule,
    MissPolicy,
    OccupancyRule,
    PositionTold,
    QueueConfig,
    SupervisorConfig,
)
from callcenter.domain.ivr.flow import CallbackNode, CollectNode, Flow, HangUpNode, MenuNode, PromptNode, QueueNode
from callcenter.domain.overflow_rules import Overflow, OverflowRow, OverflowTo
from callcenter.domain.routing_config import Routing, Strategy
from callcenter.sim.world import small_center

AGENTS = ("alice", "bob", "carol", "dave", "erin")
MOBILE = "+12025559001"
"""Where carol is looked for when she is not at her desk."""
CALLBACK_ATTEMPTS = 2

MENU = Flow(
    "menu",
    "welcome",
    {
        "welcome": PromptNode("welcome", "ask"),
        "ask": MenuNode("press-1", {"1": "in", "2": "vip", "5": "later", "9": "code"}, "end", timeout=timedelta(seconds=4), tries=2),
        "code": CollectNode("enter-code", "code", "in", "end", min_length=1, max_length=3, tries=2),
        "later": CallbackNode("support", "end", "in", after=timedelta(seconds=40)),
        "in": QueueNode("support"),
        "vip": QueueNode("support", 3),
        "end": HangUpNode(),
    },
)
AGENT_FIRST = CallbackConfig(
    "5",
    attempts=CALLBACK_ATTEMPTS,
    retry_after=timedelta(seconds=15),
    ring_time=timedelta(seconds=12),
    expires_after=timedelta(minutes=3),
    owned_for=timedelta(seconds=20),
)
CROWD = Condition(Metric.WAITING, Comparator.ABOVE, 3, timedelta(seconds=2), release=1)
QUEUES = (
    QueueConfig(
        "sales",
        wrap_up=timedelta(),
        max_waiting=3,
        record=False,
        ring_timeout=timedelta(seconds=8),
        callback=replace(AGENT_FIRST, agent_first=False),
        keys={"9": Overflow(OverflowTo.QUEUE, "care")},
    ),
    QueueConfig(
        "support",
        wrap_up=timedelta(seconds=5),
        max_wait=timedelta(seconds=60),
        overflow_flow="menu",
        watched=(
            Condition(Metric.WAITING, Comparator.AT_LEAST, 2, timedelta(seconds=3)),
            Condition(Metric.LONGEST_WAIT, Comparator.ABOVE, 10),
        ),
        announce=AnnounceConfig(
            PositionTold.MORE, 2, ewt=True, first_after=timedelta(seconds=5), every=timedelta(seconds=20), comfort=("comfort",)
        ),
        callback=AGENT_FIRST,
        overflows=(
            OverflowRow(Overflow(OverflowTo.CALLBACK), waited=timedelta(seconds=25)),
            OverflowRow(Overflow(OverflowTo.QUEUE, "sales"), CROWD),
        ),
    ),
    QueueConfig(
        "care",
        wrap_up=timedelta(seconds=5),
        wrap_up_extension=timedelta(seconds=4),
        dispositions=DispositionRule(("solved", "open"), required=True, then_not_ready="lunch"),
        announce=AnnounceConfig(first_after=timedelta(seconds=5), comfort=("comfort",), comfort_every=timedelta(seconds=20)),
    ),
    QueueConfig("team", routing=Routing(Strategy.RING_ALL), wrap_up=timedelta(seconds=1), max_wait=timedelta(seconds=40)),
    QueueConfig("zoo", wrap_up=timedelta(seconds=3), wait_without_agents=False),
)


def workplace() -> CenterConfig:
    """Everybody serves every queue, but sam, who supervises. Bob's leg stays up; carol is looked for; all may be dialed by colleagues."""
    config = small_center(QUEUES, AGENTS, [MENU])
    agents = {
        name: replace(agent, may_opt_out=agent.queues, extension=f"20{n}", persistent=name == "bob")
        for n, (name, agent) in enumerate(config.agents.items())
    }
    found = Device(ring=timedelta(seconds=6)), Device(MOBILE, timedelta(seconds=8), timedelta(seconds=5))
    agents["carol"] = replace(agents["carol"], devices=found)
    agents["sam"] = AgentConfig("sam", "phone-of-sam")
    queues = {name: replace(queue, extension=f"30{n}") for n, (name, queue) in enumerate(config.queues.items())}
    return replace(
        config,
        agents=agents,
        queues=queues,
        calling=CallingConfig("carrier"),
        supervisors={"sam": SupervisorConfig("sam", ("*",))},
        missed_offers=MissPolicy(most=2, within=timedelta(seconds=60), rest=timedelta(seconds=3), busy_rest=timedelta(seconds=8)),
        occupancy=OccupancyRule(0.8, timedelta(seconds=5)),
    )
