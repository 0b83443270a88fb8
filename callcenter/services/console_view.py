"""What the console of one agent shows of the center: she herself, and the contact that she is offered, has, or wraps up after."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from callcenter.domain.agent import Agent
from callcenter.domain.call import Call, Consult, LegState
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.facts import Fact
from callcenter.domain.state import State
from callcenter.domain.supervision import STATE_OF
from callcenter.services.control import Json, JsonObject


def agent_view(state: State, name: str) -> JsonObject | None:
    """Her row; None: there is no such agent (any more)."""
    agent = state.agents.get(name)
    if agent is None:
        return None
    config, later = state.config.agents.get(name), agent.remembered
    return {
        "name": agent.name,
        "state": agent.state.value,
        "reason": agent.reason,
        "since": _date(agent.since),
        "until": _date(agent.until),
        "later": {"state": later.state.value, "reason": later.reason} if later is not None else None,
        "queues": list(agent.queues),
        "opted_out": list(agent.opted_out),
        "may_opt_out": list(config.may_opt_out) if config is not None else [],
        "phone": "browser" if config is not None and config.browser else "desk",
        "phone_reachable": agent.reachable,
        "leg_up": bool(agent.leg),
        "extended": agent.extended,
        "contact": agent.contact,
        "own_call": _own_call(state, agent),
    }


def _own_call(state: State, agent: Agent) -> JsonObject | None:
    """The call of her own that she is in, or that rings her phone; None: there is none."""
    calls = (state.calls.get(name) for name in sorted(agent.own_calls))
    call = next((call for call in calls if call is not None and call.own is not None), None)
    if call is None or call.own is None:
        return None
    began, hers = call.own.began, [leg for leg in call.legs.values() if leg.agent == agent.name and not leg.closing]
    return {
        "began_by": began.agent,
        "to": began.colleague or began.number,
        "talks": call.own.answered_at is not None,
        "on_it": any(leg.state is LegState.UP or leg.id in call.own.resuming for leg in hers),
        "resuming": any(leg.id in call.own.resuming for leg in hers),
    }


def contact_view(state: State, name: str) -> JsonObject | None:
    """The contact that is hers now; None: she has none."""
    agent = state.agents.get(name)
    contact = state.contacts.get(agent.contact) if agent is not None else None
    call = state.calls.get(contact.entered.call) if contact is not None else None
    if agent is None or contact is None or call is None:
        return None
    return {**_whose(call, contact), **_stage(agent, contact), **_settings(state, contact), **_beside(state, call)}


def _whose(call: Call, contact: Contact) -> JsonObject:
    """Who calls, and what is known of it: for the screen pop."""
    entered, began = contact.entered, call.began
    return {
        "contact": contact.id,
        "call": call.id,
        "queue": entered.queue,
        "direction": began.direction.value,
        "caller": entered.caller,
        "caller_name": began.caller_name,
        "dialed": began.dialed,
        "began_at": _date(began.at),
        "entered_at": _date(entered.entered_at),
        "priority": entered.priority,
        "attributes": dict(call.attributes),
        "lists": list(call.lists),
        "directed_by": entered.rule,
        "requires": entered.require,
        "prefers": entered.prefer,
        "transferred_from": entered.transferred_from,
        "for_agent": entered.for_agent,
        "consulted": entered.consult,
    }


def _stage(agent: Agent, contact: Contact) -> JsonObject:
    """Where it stands with her."""
    offered = next((offered for offered in contact.offers.values() if offered.agent == agent.name), None)
    return {
        "state": contact.state.value,
        "offer": offered.offer if offered is not None else "",
        "offered_at": _date(offered.at) if offered is not None else None,
        "offered_until": _date(offered.until) if offered is not None else None,
        "rings": offered.number if offered is not None else "",
        "leg": offered.leg if offered is not None else "",
        "stays": offered.stays if offered is not None else False,
        "connected_at": _date(contact.connected_at),
        "held_since": _date(contact.held_since),
        "resuming": contact.resuming,
        "hold": _seconds(contact.hold),
        "parted_at": _date(contact.parted_at),
    }


def _settings(state: State, contact: Contact) -> JsonObject:
    """What its queue asks of her."""
    config = state.queue(contact.entered.queue).config
    return {
        "disposition": contact.disposition,
        "note": contact.note,
        "answers": {script: dict(answers) for script, answers in contact.answers.items()},
        "dispositions": list(config.dispositions.choices),
        "disposition_required": config.dispositions.required,
        "may_extend": config.wrap_up_extension > timedelta(0),
    }


def _beside(state: State, call: Call) -> JsonObject:
    """What goes on beside the talk."""
    payment = call.payment
    return {
        "consult": _consult(state, call.consult) if call.consult is not None else None,
        "payment": payment.flow if payment is not None else "",
        "recorded": bool(call.recording),
        "paused": call.paused,
    }


def _consult(state: State, consult: Consult) -> JsonObject:
    """Whom an agent asks: the colleague who was named or has answered, else the queue."""
    if consult.outside is not None:
        number, talks = consult.outside.number, consult.answered_at is not None
        return {"contact": "", "agent": consult.agent, "hears": consult.hears.value, "answered": talks, "with": number}
    asked = state.contacts[consult.contact]
    answered = asked.offer.agent if asked.state is ContactState.CONNECTED and asked.offer is not None else ""
    return {
        "contact": consult.contact,
        "agent": consult.agent,
        "hears": consult.hears.value,
        "answered": bool(answered),
        "with": answered or asked.entered.for_agent or asked.entered.queue,
    }


def notices_view(state: State, name: str) -> list[Json]:
    """The notices she has not acknowledged, the oldest first."""
    return [
        {"notice": sent.notice, "text": sent.text, "by": sent.by, "to": sent.to, "at": _date(sent.at), "expires_at": _date(sent.expires_at)}
        for sent in (notice.sent for notice in state.notices.unseen_by(name))
    ]


def supervision_view(state: State, name: str) -> JsonObject | None:
    """Whom she hears, as a supervisor, or is about to; None: nobody."""
    call = state.supervising.get(name)
    supervision = call.supervision if call is not None else None
    if supervision is None:
        return None
    mode = next((mode.value for mode, stage in STATE_OF.items() if stage is supervision.state), "")
    return {
        "agent": supervision.agent,
        "state": supervision.state.value,
        "mode": mode,
        "contact": supervision.contact,
        "queue": supervision.queue,
        "stay": supervision.began.stay,
    }


def touched(state: State, facts: Iterable[Fact]) -> set[str]:
    """Agents whose consoles may show something else after these facts. Costs nothing that grows with the center."""
    names: set[str] = set()
    for fact in facts:
        names.update(name for name in (getattr(fact, "agent", ""), getattr(fact, "supervisor", ""), getattr(fact, "colleague", "")) if name)
        names.update(getattr(fact, "agents", ()) or getattr(fact, "unseen", ()))  # of a notice
        call = state.calls.get(getattr(fact, "call", ""))
        if call is not None:
            names.update(_agents_of(state, call))
    return names


def _agents_of(state: State, call: Call) -> Iterable[str]:
    if call.own is not None:
        yield from filter(None, (call.own.began.agent, call.own.began.colleague))
    for contact in (state.contacts.get(call.contact), state.contacts.get(call.consult.contact) if call.consult is not None else None):
        if contact is not None:
            yield from (offered.agent for offered in contact.offers.values())


def _date(at: datetime | None) -> Json:
    return at.isoformat() if at is not None else None


def _seconds(span: timedelta) -> float:
    return round(span.total_seconds(), 3)
