"""What supervisors do: hear contacts on their own phones, force states, move callers, send notices."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field, model_validator

from callcenter.adapters.web.access import NotAllowed
from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Name, Nothing, Request, Shown
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import not_found, refused
from callcenter.adapters.web.api.resources import scope
from callcenter.adapters.web.api.resources.told import tell
from callcenter.domain.events import ForcedState
from callcenter.domain.facts import AgentState
from callcenter.domain.rights import Right, of_queue
from callcenter.domain.supervision_modes import SupervisionMode

TAG = "supervision"
Reason = Annotated[Line, Field(description="Why, for the record.")]


class SuperviseRequest(Request):
    mode: SupervisionMode = SupervisionMode.LISTEN
    stay: Annotated[bool, Field(description="With her next contacts, too.")] = False
    reason: Annotated[Name, Field(description="Why, for the record.")]


class SwitchModeRequest(Request):
    mode: SupervisionMode


class ForceRequest(Request):
    state: ForcedState
    reason: Annotated[Line, Field(description="With `not_ready`: one of `center.not_ready_reasons`.")] = ""
    why: Reason = ""


class Forced(Shown):
    """What she is now, and what she will be after this contact."""

    agent: str
    state: AgentState | None
    later: AgentState | None


class MoveRequest(Request):
    """To a queue, or to an agent who is ready; one of both."""

    queue: Name | None = None
    agent: Name | None = None
    why: Reason = ""

    @model_validator(mode="after")
    def one_of_both(self) -> "MoveRequest":
        if (self.queue is None) is (self.agent is None):
            raise ValueError("name a queue or an agent, one of both")
        return self


class PriorityRequest(Request):
    """A priority, or the head of the line; one of both."""

    priority: Annotated[int | None, Field(ge=-1000, le=1000)] = None
    head: bool = False
    why: Reason = ""

    @model_validator(mode="after")
    def one_of_both(self) -> "PriorityRequest":
        if self.head is (self.priority is not None):
            raise ValueError("give a priority, or head: true, one of both")
        return self


class NoticeRequest(Request):
    """To these agents and to who serves these queues; without both, to all."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]
    agents: Annotated[list[Name], Field(max_length=1000)] = Field(default_factory=list)
    queues: Annotated[list[Name], Field(max_length=1000)] = Field(default_factory=list)
    lasts_s: Annotated[float, Field(gt=0, le=31 * 86_400)] = 8 * 3600.0


class NoticeShown(Shown):
    """A message to people on screens."""

    notice: str
    text: str
    by: str
    at: AwareDatetime
    expires_at: AwareDatetime
    unseen: Annotated[list[str], Field(description="Agents who have not acknowledged it.")]


class NoticeList(Shown):
    """Notices that are not over."""

    items: list[NoticeShown]


class NoticeSent(Shown):
    notice: str
    agents: list[str]


async def supervise(asked: Asked[Nothing, SuperviseRequest], ports: Ports) -> None:
    """Your phone rings; with it you hear her contact. You must be an agent with a phone yourself."""
    name = scope.known_agent(asked, ports, Right.LISTEN)
    body = asked.body
    how: dict[str, Any] = {"mode": body.mode, "stay": body.stay, "reason": body.reason}
    await tell(asked, ports, "supervise_begin", supervisor=_me(asked), agent=name, **how)


async def switch(asked: Asked[Nothing, SwitchModeRequest], ports: Ports) -> None:
    """Of whom you supervise now."""
    await tell(asked, ports, "supervise_switch", supervisor=_me(asked), mode=asked.body.mode)


async def end(asked: Asked[Nothing, Nothing], ports: Ports) -> None:
    await tell(asked, ports, "supervise_end", supervisor=_me(asked))


async def force(asked: Asked[Nothing, ForceRequest], ports: Ports) -> Forced:
    """In the middle of a contact it comes after it."""
    name = scope.known_agent(asked, ports, Right.FORCE_STATE)
    body = asked.body
    given: dict[str, Any] = {"reason": body.reason} if body.state is ForcedState.NOT_READY else {}
    answer = await tell(asked, ports, "agent_force", agent=name, state=body.state, why=body.why, **given)
    return Forced.model_validate({**answer, "agent": name})


async def move(asked: Asked[Nothing, MoveRequest], ports: Ports) -> None:
    """A contact that waits."""
    name, body = await _waiting(asked, ports), asked.body
    where = {name: value for name, value in (("queue", body.queue), ("agent", body.agent)) if value is not None}
    await tell(asked, ports, "contact_move", contact=name, why=body.why, **where)


async def reorder(asked: Asked[Nothing, PriorityRequest], ports: Ports) -> None:
    """A contact that waits."""
    name, body = await _waiting(asked, ports), asked.body
    where: dict[str, Any] = {"head": True} if body.head else {"priority": body.priority}
    await tell(asked, ports, "contact_priority", contact=name, why=body.why, **where)


async def notices(asked: Asked[Nothing, Nothing], ports: Ports) -> NoticeList:
    return NoticeList.model_validate({"items": (await ports.engine("notice_list"))["notices"]})


async def send(asked: Asked[Nothing, NoticeRequest], ports: Ports) -> NoticeSent:
    body = asked.body
    for queue in body.queues:
        scope.check(asked, Right.SEND_NOTICES, of_queue(queue))
    for agent in body.agents:
        scope.check(asked, Right.SEND_NOTICES, ports.configured().agent(agent))
    if not body.queues and not body.agents and asked.signed.scope.queues is not None:
        raise NotAllowed(Right.SEND_NOTICES)
    to: dict[str, Any] = {"agents": list(body.agents), "queues": list(body.queues)}
    answer = await tell(asked, ports, "notice_send", text=body.text, lasts_s=body.lasts_s, **to)
    return NoticeSent.model_validate(answer)


async def acknowledge(asked: Asked[Nothing, Nothing], ports: Ports) -> None:
    """You have seen it."""
    await ports.engine("notice_ack", notice=asked.path["notice"], agent=_me(asked))


def _me(asked: Asked[Any, Any]) -> str:
    agent: str = asked.signed.agent
    if not agent:
        raise refused("you are no agent: this is for people who have a phone here")
    return agent


async def _waiting(asked: Asked[Any, Any], ports: Ports) -> str:
    """The contact of the path, which must wait in a queue within scope. Raises Problem, NotAllowed."""
    name = asked.path["contact"]
    queue = await ports.live.queue_of(name)
    if queue is None:
        raise not_found(f"no contact '{name}' waits")
    scope.check(asked, Right.MOVE_CONTACTS, of_queue(queue))
    return name


ENDPOINTS = (
    Endpoint("POST", "/agents/{agent}/supervise", supervise, "Hear her contact", Right.LISTEN, TAG, body=SuperviseRequest, status=202),
    Endpoint("PATCH", "/supervision", switch, "Switch the mode", Right.LISTEN, TAG, body=SwitchModeRequest, status=204),
    Endpoint("DELETE", "/supervision", end, "Hear it no longer", Right.LISTEN, TAG, status=204),
    Endpoint("POST", "/agents/{agent}/force", force, "Change her state for her", Right.FORCE_STATE, TAG, body=ForceRequest, answers=Forced),
    Endpoint("POST", "/contacts/{contact}/move", move, "Move who waits", Right.MOVE_CONTACTS, TAG, body=MoveRequest, status=204),
    Endpoint(
        "POST", "/contacts/{contact}/priority", reorder, "Reorder who waits", Right.MOVE_CONTACTS, TAG, body=PriorityRequest, status=204
    ),
    Endpoint("GET", "/notices", notices, "Notices", Right.SEND_NOTICES, TAG, answers=NoticeList),
    Endpoint(
        "POST", "/notices/{notice}/acknowledge", acknowledge, "You have seen it", Right.COMMAND_OWN_AGENT, TAG, body=Nothing, status=204
    ),
    Endpoint("POST", "/notices", send, "Send one", Right.SEND_NOTICES, TAG, body=NoticeRequest, answers=NoticeSent, status=201),
)
