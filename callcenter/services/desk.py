"""What people may ask the engine for over the control socket, as requests and answers."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from callcenter.domain import permitted
from callcenter.domain.events import (
    AgentDialEndRequested,
    AgentDialRequested,
    AgentLoginRequested,
    AgentLogoutRequested,
    AgentNotReadyRequested,
    AgentReadyRequested,
    CancelRequested,
    CompleteRequested,
    ConferenceRequested,
    ConsoleBack,
    ConsoleGone,
    ConsultRequested,
    DispositionChosen,
    Event,
    OptInRequested,
    OptOutRequested,
    PaymentEndRequested,
    PaymentRequested,
    SwapRequested,
    TransferRequested,
    WrapUpEndRequested,
    WrapUpExtensionRequested,
)
from callcenter.services import explanations, mandate
from callcenter.services.agent_desk import AgentDesk
from callcenter.services.calendar_desk import CalendarDesk
from callcenter.services.callback_desk import CallbackDesk
from callcenter.services.config_desk import ConfigDesk
from callcenter.services.console_desk import ConsoleDesk
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.do_not_call_desk import DoNotCallDesk
from callcenter.services.engine import Engine
from callcenter.services.live_view import between_contacts, live_view
from callcenter.services.ports import Clock
from callcenter.services.supervision_desk import SupervisionDesk
from callcenter.services.voicemail_desk import VoicemailDesk

Operation = Callable[[JsonObject], Awaitable[Mapping[str, object]]]


class Desk:
    """Answers requests; each operation is a method named after it."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        reload: Callable[[], Awaitable[str]],
        journal: Callable[[], Mapping[str, object]] = dict,
        take_up_flows: Callable[[], Awaitable[None]] | None = None,
        trunks: Callable[[], Mapping[str, bool]] = dict,
    ) -> None:
        """``journal`` tells how the journal is: ``held`` and ``lost`` records, and the ``trouble`` of its disk, if any.

        ``trunks`` tells which of them answer.
        """
        self._engine = engine
        self._clock = clock
        self._reload = reload
        self._journal = journal
        self._take_up_flows = take_up_flows
        self._trunks = trunks
        callbacks, calendars, do_not_call = CallbackDesk(engine, clock), CalendarDesk(engine, clock), DoNotCallDesk(engine)
        voicemail, agents, supervision = VoicemailDesk(engine), AgentDesk(engine, clock), SupervisionDesk(engine)
        console = ConsoleDesk(engine)
        self._operations: dict[str, Operation] = {
            "state": self.state,
            "trunks": self.trunks,
            "agent_login": self.agent_login,
            "agent_ready": self.agent_ready,
            "agent_not_ready": self.agent_not_ready,
            "agent_logout": self.agent_logout,
            "console_gone": self.console_gone,
            "console_back": self.console_back,
            "agent_transfer": self.agent_transfer,
            "agent_consult": self.agent_consult,
            "agent_complete": self.agent_complete,
            "agent_cancel": self.agent_cancel,
            "agent_swap": self.agent_swap,
            "agent_conference": self.agent_conference,
            "agent_payment_begin": self.agent_payment_begin,
            "agent_payment_end": self.agent_payment_end,
            "agent_wrap_up_end": self.agent_wrap_up_end,
            "agent_extend": self.agent_extend,
            "agent_disposition": self.agent_disposition,
            "agent_opt_in": self.agent_opt_in,
            "agent_opt_out": self.agent_opt_out,
            "agent_figures": agents.agent_figures,
            "agent_note": console.agent_note,
            "agent_script": console.agent_script,
            "agent_quality": console.agent_quality,
            "agent_resume": console.agent_resume,
            "agent_dial": self.agent_dial,
            "agent_dial_end": self.agent_dial_end,
            "explain": self.explain,
            "reload": self.reload,
            "config_in_use": ConfigDesk(engine).config_in_use,
            "take_up_flows": self.take_up_flows,
            "flows": self.flows,
            "drain": self.drain,
            "calendar_list": calendars.calendar_list,
            "calendar_show": calendars.calendar_show,
            "calendar_switch": calendars.calendar_switch,
            "callback_list": callbacks.callback_list,
            "callback_add": callbacks.callback_add,
            "callback_edit": callbacks.callback_edit,
            "callback_cancel": callbacks.callback_cancel,
            "message_delete": voicemail.message_delete,
            "message_heard": voicemail.message_heard,
            "supervise_begin": supervision.supervise_begin,
            "supervise_switch": supervision.supervise_switch,
            "supervise_end": supervision.supervise_end,
            "agent_force": supervision.agent_force,
            "contact_move": supervision.contact_move,
            "contact_priority": supervision.contact_priority,
            "notice_send": supervision.notice_send,
            "notice_ack": supervision.notice_ack,
            "notice_list": supervision.notice_list,
            "do_not_call_list": do_not_call.do_not_call_list,
            "do_not_call_add": do_not_call.do_not_call_add,
            "do_not_call_remove": do_not_call.do_not_call_remove,
        }

    async def handle(self, request: JsonObject) -> Mapping[str, object]:
        """Answer one request. Raises ControlError with a sentence."""
        do = str(request.get("do"))
        operation = self._operations.get(do)
        if operation is None:
            raise ControlError(f"there is no operation '{request.get('do')}'; there are: ping, {', '.join(sorted(self._operations))}")
        return await operation(self._permitted(do, request))

    def _permitted(self, do: str, request: JsonObject) -> JsonObject:
        """The request, by whom it is; what a person asks about others she must be allowed to. Raises ControlError."""
        signed = mandate.signed_of(request)
        if signed is None or do not in permitted.OTHERS:
            return request
        why_not = permitted.refusal(signed, do, request, self._engine.center.state)
        if why_not is not None:
            raise ControlError(why_not)
        return {**request, "by": signed.person}

    async def state(self, request: JsonObject) -> Mapping[str, object]:
        return {**live_view(self._engine.center.state, self._engine.seq, self._clock.now()), "journal": self._journal()}

    async def trunks(self, request: JsonObject) -> Mapping[str, object]:
        """Whether each trunk that we call out through can be reached; of others nobody knows."""
        return {"trunks": dict(self._trunks())}

    async def agent_login(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, AgentLoginRequested(_text(request, "agent")))

    async def agent_ready(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, AgentReadyRequested(_text(request, "agent")))

    async def agent_not_ready(self, request: JsonObject) -> Mapping[str, object]:
        first = self._engine.center.state.config.not_ready_reasons[0]
        return await self._ask(request, AgentNotReadyRequested(_text(request, "agent"), _text(request, "reason", first)))

    async def agent_logout(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, AgentLogoutRequested(_text(request, "agent")))

    async def console_gone(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, ConsoleGone(_text(request, "agent")))

    async def console_back(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, ConsoleBack(_text(request, "agent")))

    async def agent_transfer(self, request: JsonObject) -> Mapping[str, object]:
        """To a ``queue``, a ``colleague``, or a ``number`` outside that she may call by herself."""
        if request.get("number") is not None and request.get("queue") is None and request.get("colleague") is None:
            return await self._ask(request, TransferRequested(_text(request, "agent"), number=_text(request, "number")))
        return await self._ask(request, TransferRequested(_text(request, "agent"), *_where_to(request)))

    async def agent_dial(self, request: JsonObject) -> Mapping[str, object]:
        """She calls a ``colleague``, or a ``number`` (extension or outside), for a ``queue``: her own phone is rung first."""
        number, colleague, queue = (_text(request, key) if request.get(key) is not None else "" for key in ("number", "colleague", "queue"))
        return await self._ask(request, AgentDialRequested(_text(request, "agent"), number, colleague, queue))

    async def agent_dial_end(self, request: JsonObject) -> Mapping[str, object]:
        """She hangs up the call of her own."""
        return await self._ask(request, AgentDialEndRequested(_text(request, "agent")))

    async def agent_consult(self, request: JsonObject) -> Mapping[str, object]:
        """Somebody of a ``queue``, a ``colleague``, or a ``number`` outside that she may call by herself."""
        if request.get("number") is not None and request.get("queue") is None and request.get("colleague") is None:
            return await self._ask(request, ConsultRequested(_text(request, "agent"), number=_text(request, "number")))
        return await self._ask(request, ConsultRequested(_text(request, "agent"), *_where_to(request)))

    async def agent_complete(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, CompleteRequested(_text(request, "agent")))

    async def agent_cancel(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, CancelRequested(_text(request, "agent")))

    async def agent_swap(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, SwapRequested(_text(request, "agent")))

    async def agent_conference(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, ConferenceRequested(_text(request, "agent")))

    async def agent_payment_begin(self, request: JsonObject) -> Mapping[str, object]:
        """Her caller goes through ``flow`` to pay; without one, the first of ``payments.flows``."""
        flow = _text(request, "flow") if request.get("flow") is not None else ""
        return await self._ask(request, PaymentRequested(_text(request, "agent"), flow))

    async def agent_payment_end(self, request: JsonObject) -> Mapping[str, object]:
        """She wants the caller back now."""
        return await self._ask(request, PaymentEndRequested(_text(request, "agent")))

    async def agent_wrap_up_end(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, WrapUpEndRequested(_text(request, "agent")))

    async def agent_extend(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, WrapUpExtensionRequested(_text(request, "agent")))

    async def agent_disposition(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, DispositionChosen(_text(request, "agent"), _text(request, "disposition")))

    async def agent_opt_in(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, OptInRequested(_text(request, "agent"), _text(request, "queue")))

    async def agent_opt_out(self, request: JsonObject) -> Mapping[str, object]:
        return await self._ask(request, OptOutRequested(_text(request, "agent"), _text(request, "queue")))

    async def explain(self, request: JsonObject) -> Mapping[str, object]:
        """Why a contact waits; ``contact`` is its id, the beginning of it, or the caller's number."""
        return explanations.waiting(self._engine.center.state, _text(request, "contact"), self._clock.now())

    async def reload(self, request: JsonObject) -> Mapping[str, object]:
        return {"ok": True, "detail": await self._reload()}

    async def take_up_flows(self, request: JsonObject) -> Mapping[str, object]:
        """Callers who come from now on get the flows that are published now; says which those are."""
        if self._take_up_flows is None:
            raise ControlError("this engine takes up flows with 'callcenter reload' only")
        await self._take_up_flows()
        return await self.flows(request)

    async def flows(self, request: JsonObject) -> Mapping[str, object]:
        """Which versions callers get, and how many are inside which."""
        state = self._engine.center.state
        inside = Counter((call.flow.flow.name, call.flow.flow.version) for call in state.calls.values() if call.flow is not None)
        return {
            "flows": {name: flow.version for name, flow in state.config.flows.items()},
            "canaries": {name: {"version": canary.flow.version, "share": canary.share} for name, canary in state.config.canaries.items()},
            "inside": [{"flow": name, "version": version, "callers": count} for (name, version), count in sorted(inside.items())],
        }

    async def drain(self, request: JsonObject) -> Mapping[str, object]:
        """Let no further calls in (the dialplan's fallback has them), and say how many are still on."""
        self._engine.close_guard()
        state = self._engine.center.state
        return {"calls": sum(call.ended_at is None and not between_contacts(state, call) for call in state.calls.values())}

    async def _ask(self, request: JsonObject, event: Event) -> Mapping[str, object]:
        refusal = await self._engine.request(event)
        if refusal is not None:
            raise ControlError(refusal)
        agent = self._engine.center.state.agents.get(_text(request, "agent"))
        if agent is None:
            return {"ok": True}
        later = agent.remembered
        until = agent.until.isoformat() if agent.until else None
        return {"ok": True, "state": agent.state, "reason": agent.reason, "later": later.state if later else None, "until": until}


def _where_to(request: JsonObject) -> tuple[str, str]:
    """Queue and colleague, of which one is empty."""
    given = [name for name in ("queue", "colleague") if request.get(name) is not None]
    if len(given) != 1:
        raise ControlError("name a queue, a colleague or a number, one of them")
    return _text(request, "queue") if "queue" in given else "", _text(request, "colleague") if "colleague" in given else ""


def _text(request: JsonObject, name: str, default: str | None = None) -> str:
    text = request.get(name, default)
    if not isinstance(text, str) or not text or len(text) > 200:
        raise ControlError(f"'{name}' is missing or no text")
    return text
