"""The center at this moment, health, and who asks."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Nothing, Shown
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.resources.agents import AgentShown
from callcenter.adapters.web.api.resources.agents import _shown as agent_shown
from callcenter.adapters.web.api.resources.calendars import CalendarShown
from callcenter.adapters.web.api.resources.queues import QueueShown
from callcenter.adapters.web.api.resources.queues import _shown as queue_shown
from callcenter.domain.rights import Right, may, of_queue

TAG = "live"


class NodeShown(Shown):
    """An Asterisk of ours."""

    name: str
    connected: bool
    since: AwareDatetime | None
    calls: int


class LiveCall(Shown):
    """A call in progress."""

    call: str
    node: str
    direction: str
    caller: Annotated[str | None, Field(description="null: the right to see contacts is missing.")]
    dialed: str
    began_at: AwareDatetime
    phase: str
    contact: str
    queue: str
    agent: str
    since: AwareDatetime


class LiveState(Shown):
    """Everything within scope. `seq` is the number of the last journal record in it."""

    seq: int
    at: AwareDatetime
    nodes: list[NodeShown]
    queues: list[QueueShown]
    agents: list[AgentShown]
    calendars: list[CalendarShown]
    calls: list[LiveCall]


class Health(Shown):
    """Whether the center can do all it should."""

    ready: bool
    engine: bool
    nodes: dict[str, bool]
    database: bool
    disk: dict[str, Any]
    journal: dict[str, Any]
    journal_lag: int | None


class Me(Shown):
    """Who asks, and what she may."""

    person: str
    name: str
    agent: str
    roles: list[str]
    rights: list[str]
    queues: Annotated[list[str] | None, Field(description="Upon which queues; null: all. Likewise teams and campaigns.")]
    teams: list[str] | None
    campaigns: list[str] | None
    token: Annotated[str, Field(description="Names the token; empty: a session.")]


async def state(asked: Asked[Nothing, Nothing], ports: Ports) -> LiveState:
    picture: Mapping[str, Any] = await ports.live.picture()
    configured, who = ports.configured(), asked.signed
    numbers = may(who, Right.SEE_CONTACTS)
    calls = [call for call in picture["calls"] if _sees(asked, str(call.get("queue") or ""))]
    return LiveState.model_validate(
        {
            **picture,
            "queues": [queue_shown(each, ports) for each in picture["queues"] if may(who, Right.SEE_WALLBOARD, of_queue(each["name"]))],
            "agents": [
                agent_shown(each, ports) for each in picture["agents"] if may(who, Right.SEE_WALLBOARD, configured.agent(each["name"]))
            ],
            "calls": [{**call, "caller": call["caller"] if numbers else None} for call in calls],
        }
    )


def _sees(asked: Asked[Any, Any], queue: str) -> bool:
    scope = asked.signed.scope
    return scope.queues is None or queue in scope.queues


async def health(asked: Asked[Nothing, Nothing], ports: Ports) -> Health:
    return Health.model_validate(await ports.health())


async def me(asked: Asked[Nothing, Nothing], ports: Ports) -> Me:
    who = asked.signed
    limits = {name: None if limit is None else sorted(limit) for name, limit in _limits(who.scope)}
    return Me(
        person=who.person,
        name=who.shown,
        agent=who.agent,
        roles=sorted(who.roles),
        rights=sorted(who.rights),
        token=who.token,
        **limits,
    )


def _limits(scope: Any) -> list[tuple[str, Any]]:
    return [("queues", scope.queues), ("teams", scope.teams), ("campaigns", scope.campaigns)]


ENDPOINTS = (
    Endpoint("GET", "/live", state, "Everything that goes on", Right.SEE_WALLBOARD, TAG, answers=LiveState),
    Endpoint("GET", "/health", health, "Whether the center can do all it should", Right.SEE_WALLBOARD, TAG, answers=Health),
    Endpoint("GET", "/me", me, "Who I am, and what I may", frozenset(Right), TAG, answers=Me),
)
