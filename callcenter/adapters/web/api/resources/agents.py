"""Agents: what they do now, and what they are told to do."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, model_validator

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Line, Name, Nothing, Request, Shown
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.resources import scope
from callcenter.domain.audit import Deed
from callcenter.domain.facts import AgentState
from callcenter.domain.rights import Right, may

TAG = "agents"


class AgentShown(Shown):
    """An agent, and what she does now."""

    name: str
    state: AgentState
    reason: Annotated[str, Field(description="Why she is not ready.")]
    since: AwareDatetime | None
    until: Annotated[AwareDatetime | None, Field(description="When the state ends by itself.")]
    contact: Annotated[str, Field(description="The contact that is hers now; empty: none.")]
    queues: list[str]
    opted_out: Annotated[list[str], Field(description="Queues of hers that she does not serve now by her own wish.")]
    phone_reachable: bool
    skills: dict[str, int]
    team: str


class AgentList(Shown):
    """All agents within scope."""

    items: list[AgentShown]


class AgentQuery(Request):
    state: AgentState | None = None
    queue: Annotated[Line, Field(description="Only agents of this queue.")] = ""


class AgentBecame(Shown):
    """What an agent is after a command."""

    agent: str
    state: AgentState
    reason: str
    later: Annotated[AgentState | None, Field(description="What she will be after this contact, as she has asked.")]
    until: AwareDatetime | None


class NotReadyRequest(Request):
    reason: Annotated[Name | None, Field(description="One of `center.not_ready_reasons`; without it, the first.")] = None


class DispositionRequest(Request):
    disposition: Annotated[Name, Field(description="One of the queue's dispositions.")]


class WhereTo(Request):
    """To a queue, a colleague or a number outside; one of them."""

    queue: Name | None = None
    colleague: Name | None = None
    number: Name | None = None

    @model_validator(mode="after")
    def one_of_them(self) -> "WhereTo":
        if [self.queue, self.colleague, self.number].count(None) != 2:
            raise ValueError("name a queue, a colleague or a number, one of them")
        return self


class DialRequest(Request):
    """A colleague, or a number (an extension, or outside); one of both."""

    colleague: Name | None = None
    number: Name | None = None
    queue: Annotated[Name | None, Field(description="For which queue; its number is shown to who is called.")] = None

    @model_validator(mode="after")
    def one_of_both(self) -> "DialRequest":
        if (self.number is None) is (self.colleague is None):
            raise ValueError("name a colleague or a number, one of both")
        return self


class NoteRequest(Request):
    contact: Name
    note: Annotated[str, Field(max_length=4000, description="Takes the place of what stood there; empty: nothing.")]


class Figures(Shown):
    """An agent's own figures of today, this moment included."""

    agent: str
    day: str | None
    contacts: int
    talk_s: float | None
    hold_s: float | None
    wrap_up_s: float | None
    aht_s: float | None
    occupancy: float | None


class OptRequest(Request):
    queue: Name


class PaymentRequest(Request):
    flow: Annotated[Name | None, Field(description="One of `payments.flows`; without it, the first.")] = None


async def agents(asked: Asked[AgentQuery, Nothing], ports: Ports) -> AgentList:
    """Those within scope, by name."""
    found = [_shown(agent, ports) for agent in _all(await ports.live.picture())]
    query = asked.query
    return AgentList(
        items=[
            agent
            for agent in found
            if may(asked.signed, Right.SEE_WALLBOARD, ports.configured().agent(agent.name))
            and (query.state is None or agent.state is query.state)
            and (not query.queue or query.queue in agent.queues)
        ]
    )


async def agent(asked: Asked[Nothing, Nothing], ports: Ports) -> AgentShown:
    name = scope.known_agent(asked, ports, Right.SEE_WALLBOARD, Right.COMMAND_OWN_AGENT)
    found = next((each for each in _all(await ports.live.picture()) if each.get("name") == name), None)
    return _shown(found or {"name": name, "state": "logged_out", "reason": "", "phone_reachable": False, "contact": ""}, ports)


def _all(picture: Mapping[str, object]) -> list[Mapping[str, object]]:
    found = picture.get("agents")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _shown(agent: Mapping[str, object], ports: Ports) -> AgentShown:
    configured = ports.configured().agents.get(str(agent.get("name")), {})
    given = {"since": None, "until": None, "queues": [], "opted_out": [], "skills": {}, "team": "", **configured, **agent}
    return AgentShown.model_validate(given)


_SEE = frozenset({Right.SEE_WALLBOARD, Right.COMMAND_OWN_AGENT})
_FIGURES = frozenset({Right.COMMAND_OWN_AGENT, Right.SEE_REPORTS})
_COMMAND = frozenset({Right.COMMAND_OWN_AGENT, Right.FORCE_STATE})

# --- commands -----------------------------------------------------------------------------------------


def _command(do: str, about: str) -> Callable[[Asked[Any, Any], Ports], Awaitable[AgentBecame]]:
    """A command of an agent's own, or of somebody who may change her state."""

    async def command(asked: Asked[Any, Any], ports: Ports) -> AgentBecame:
        name = scope.known_agent(asked, ports, Right.COMMAND_OWN_AGENT, Right.FORCE_STATE)
        given = asked.body.model_dump(exclude_none=True)
        answer = await ports.engine(do, agent=name, **given)
        if name != asked.signed.agent:
            await ports.audit(asked.by, Deed("agent_commanded", f"agent {name}", after={"command": do.removeprefix("agent_"), **given}))
        return AgentBecame.model_validate({"agent": name, "reason": "", "later": None, "until": None, **answer})

    command.__name__ = do.removeprefix("agent_")
    command.__doc__ = about
    return command


async def note(asked: Asked[Nothing, NoteRequest], ports: Ports) -> None:
    """Upon a contact of hers."""
    name = scope.known_agent(asked, ports, Right.COMMAND_OWN_AGENT)
    await ports.engine("agent_note", agent=name, contact=asked.body.contact, note=asked.body.note)


async def figures(asked: Asked[Nothing, Nothing], ports: Ports) -> Figures:
    name = scope.known_agent(asked, ports, Right.COMMAND_OWN_AGENT, Right.SEE_REPORTS)
    return Figures.model_validate(await ports.engine("agent_figures", agent=name))


def _post(path: str, do: str, summary: str, about: str = "", body: type[Request] | type[Nothing] = Nothing) -> Endpoint:
    return Endpoint("POST", f"/agents/{{agent}}/{path}", _command(do, about), summary, _COMMAND, TAG, body=body, answers=AgentBecame)


ENDPOINTS = (
    Endpoint("GET", "/agents", agents, "All agents and what they do now", Right.SEE_WALLBOARD, TAG, query=AgentQuery, answers=AgentList),
    Endpoint("GET", "/agents/{agent}", agent, "One agent", _SEE, TAG, answers=AgentShown),
    _post("login", "agent_login", "Log in; not ready yet"),
    _post("ready", "agent_ready", "Be ready for contacts"),
    _post("not-ready", "agent_not_ready", "Be not ready, for a reason", "In the middle of a contact, after it.", NotReadyRequest),
    _post("logout", "agent_logout", "Log out", "In the middle of a contact, after it."),
    _post("wrap-up-end", "agent_wrap_up_end", "End the wrap-up", "What was asked for during the contact is obeyed; else she is ready."),
    _post("extend", "agent_extend", "Extend the wrap-up, once for each contact"),
    _post("disposition", "agent_disposition", "Say what the contact has achieved", "", DispositionRequest),
    _post("transfer", "agent_transfer", "Move the caller to a queue, a colleague or a number, without talking first", "", WhereTo),
    _post("consult", "agent_consult", "Put the caller on hold, and talk to somebody else first", "", WhereTo),
    _post("complete", "agent_complete", "Leave: the caller goes on with the consulted"),
    _post("cancel", "agent_cancel", "Call the consult off"),
    _post("swap", "agent_swap", "Talk to the other one of caller and consulted"),
    _post("conference", "agent_conference", "Let caller, agent and consulted hear each other"),
    _post("opt-in", "agent_opt_in", "Serve a queue again", "", OptRequest),
    _post("opt-out", "agent_opt_out", "Serve a queue no longer for now", "", OptRequest),
    _post("payment-begin", "agent_payment_begin", "Send the caller to pay, unheard and unrecorded", "", PaymentRequest),
    _post("payment-end", "agent_payment_end", "Have the caller back from paying"),
    _post(
        "dial", "agent_dial", "Call a colleague or a number, from her own phone", "Which numbers she may call is configured.", DialRequest
    ),
    _post("dial-end", "agent_dial_end", "Hang up the call of her own"),
    Endpoint("POST", "/agents/{agent}/note", note, "Write a note", Right.COMMAND_OWN_AGENT, TAG, body=NoteRequest, status=204),
    Endpoint("GET", "/agents/{agent}/figures", figures, "Her figures of today", _FIGURES, TAG, answers=Figures, problems=(409,)),
)
