"""What happens to callbacks: their dates, the legs of our calls for them, what people ask, and what becomes of the contact."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from callcenter.domain import promises
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call, Leg, LegState
from callcenter.domain.callback import Callback, CallbackState
from callcenter.domain.callback_register import DUE, EXPIRY, OWNER
from callcenter.domain.commands import Play
from callcenter.domain.contact import Contact, ContactState
from callcenter.domain.delivery import MISSED_BY_CAUSE, NOBODYS_FAULT, connect, overflow
from callcenter.domain.events import CallbackCancelRequested, CallbackEditRequested, CallbackRequested, Cause
from callcenter.domain.facts import (
    AgentState,
    ContactAbandoned,
    ContactAnnounced,
    ContactConnected,
    ContactEntered,
    ContactOffered,
    ContactParted,
    EndedWhy,
    LegGone,
    MissedWhy,
    OverflowWhy,
)
from callcenter.domain.facts.callbacks import (
    AttemptOutcome,
    BrokenWhy,
    CallbackBridged,
    CallbackBroken,
    CallbackCreated,
    CallbackDue,
    CallbackEdited,
    CallbackKept,
    CallbackOffered,
    CallbackReached,
    CallbackReleased,
    CallbackSource,
    CallbackUnreached,
    KeptHow,
    ReleasedWhy,
)
from callcenter.domain.ivr.flow import CALLBACK_GREETING, CALLBACK_OFFER, CALLBACK_PROMISED, CALLBACK_TO_AGENT
from callcenter.domain.ivr.kind import PromiseCallback
from callcenter.domain.presence import become, take_out
from callcenter.domain.router import route_agent, route_queue
from callcenter.domain.turn import Turn

_S = CallbackState
LONGEST_AHEAD = timedelta(days=366)

OUTCOME_BY_CAUSE: Mapping[Cause, AttemptOutcome] = {
    Cause.BUSY: AttemptOutcome.BUSY,
    Cause.NO_ANSWER: AttemptOutcome.NO_ANSWER,
    Cause.REJECTED: AttemptOutcome.REJECTED,
    Cause.INVALID_NUMBER: AttemptOutcome.INVALID_NUMBER,
    Cause.CONGESTION: AttemptOutcome.CONGESTION,
}
"""Whatever is not listed has failed, unknown fates among it: they count as used."""


# --- the caller asks ----------------------------------------------------------------------------


def key_pressed(turn: Turn, call: Call, contact: Contact, digit: str) -> None:
    """A waiting caller pressed a key. With a number we may call, the promise is made at once; else the flow asks for one."""
    queue = turn.state.queue(contact.entered.queue)
    config = queue.config.callback
    if config is None or digit != config.key or contact.state is not ContactState.WAITING or call.caller_leg is None:
        return
    entered = contact.entered
    wish = promises.Wish(queue.name, call.began.caller, entered.priority, entered.place, CallbackSource.KEY, turn.now, entered)
    if promises.promise(turn, call, wish) or config.flow:
        overflow(turn, contact, OverflowWhy.CALLBACK_TAKEN, config.flow or CALLBACK_PROMISED.name)


def promise(turn: Turn, call: Call, asked: PromiseCallback) -> bool:
    """A flow asks for it. Who has left the queue for it keeps that place; who asks twice in one call corrects the first."""
    number = call.attributes.get(asked.attribute, "")
    due_at = turn.now + asked.after if asked.after is not None else turn.now
    first = turn.state.callbacks.asked_in.get(call.id)
    if first is not None and first.queue == asked.queue:
        return _correct(turn, first, number, due_at if asked.after is not None else None)
    left = turn.state.contacts.get(call.left)
    kept = left.entered if left is not None and left.entered.queue == asked.queue else None
    priority, place = (kept.priority, kept.place) if kept is not None else (asked.priority, turn.now)
    return promises.promise(
        turn,
        call,
        promises.Wish(
            asked.queue,
            number,
            priority,
            place if asked.after is None else due_at,
            CallbackSource.FLOW,
            due_at,
            kept,
        ),
    )


def _correct(turn: Turn, callback: Callback, number: str, due_at: datetime | None) -> bool:
    """Another number, or another time; false when the number cannot be called: then the first promise stands."""
    checked = promises.check(turn, number)
    if not checked.may_be_dialed or turn.state.callbacks.by_number.get((checked.number, callback.queue), callback) is not callback:
        return False
    due_at = due_at or callback.due_at or turn.now
    if (checked.number, due_at) != (callback.number, callback.due_at):
        turn.emit(CallbackEdited(turn.now, callback.id, callback.queue, checked.number, due_at, callback.expires_at))
    return True


def left_behind(turn: Turn, call: Call, queue: str) -> ContactEntered | None:
    """How a caller had entered this queue who left it for a callback (or was offered one), and will wait after all."""
    left = turn.state.contacts.get(call.left)
    if left is None or left.entered.queue != queue or left.why not in (OverflowWhy.CALLBACK_TAKEN, OverflowWhy.RULE):
        return None
    return left.entered


# --- dates --------------------------------------------------------------------------------------


def due(turn: Turn, kind: str, callback_id: str) -> None:
    """A date of the callback has come."""
    callback = turn.state.callbacks.open[callback_id]
    if kind == DUE:
        _stand_in_line(turn, callback)
    elif kind == EXPIRY:
        turn.emit(CallbackBroken(turn.now, callback.id, BrokenWhy.EXPIRED))
    elif kind == OWNER:
        _to_anyone(turn, callback)
    elif callback.state is _S.ATTEMPTED:
        _unreached(turn, callback, AttemptOutcome.NO_ANSWER)
    elif callback.reserved is not None:
        _missed(turn, callback, MissedWhy.NO_ANSWER)


def _stand_in_line(turn: Turn, callback: Callback) -> None:
    """Unless the caller is still on the line with us; then when that call ends."""
    if callback.state is not _S.CREATED or callback.due_at is None or callback.due_at > turn.now:
        return
    if turn.state.callbacks.waits_for_call(callback):
        return
    turn.emit(CallbackDue(turn.now, callback.id))
    _route(turn, callback)


def _route(turn: Turn, callback: Callback) -> None:
    """Somebody may be free for it: its owner, or anybody of its queue."""
    owner = turn.state.agents.get(callback.owner)
    if owner is not None and owner.name in turn.state.config.agents:
        route_agent(turn, owner)
    elif callback.queue in turn.state.config.queues:
        route_queue(turn, turn.state.queue(callback.queue))


def route_owners(turn: Turn) -> None:
    """Agents with callbacks of their own may be free for them."""
    for name in sorted(turn.state.callbacks.owned):
        if name in turn.state.agents:
            route_agent(turn, turn.state.agents[name])


def _to_anyone(turn: Turn, callback: Callback) -> None:
    """Its owner did not get to it in time."""
    due_at = callback.due_at or turn.now
    turn.emit(CallbackEdited(turn.now, callback.id, callback.queue, callback.number, due_at, callback.expires_at))
    _stand_in_line(turn, callback)


def _settle(turn: Turn, callback: Callback) -> None:
    """After an agent was released: dates that came meanwhile are obeyed."""
    if callback.state is _S.DUE and turn.now >= callback.expires_at:
        turn.emit(CallbackBroken(turn.now, callback.id, BrokenWhy.EXPIRED))
    elif callback.state is _S.DUE and callback.owner and callback.owner_until is not None and turn.now >= callback.owner_until:
        _to_anyone(turn, callback)


# --- legs ---------------------------------------------------------------------------------------


def leg_answered(turn: Turn, callback: Callback, call: Call, leg: Leg) -> None:
    """The agent or the caller picked up. A leg that is no longer wanted is closing already."""
    reserved, last = callback.reserved, callback.attempt
    if leg.closing:
        turn.hang_up(call, leg)
    elif callback.state is _S.DUE and reserved is not None and reserved.leg == leg.id:
        turn.want(Play(call.id, call.node, leg.id, turn.ids.draw_leg(call.node), (CALLBACK_TO_AGENT,)))
        promises.attempt(turn, callback)
    elif callback.state is _S.ATTEMPTED and last is not None and last.leg == leg.id:
        _reached(turn, callback, call)
    else:
        turn.hang_up(call, leg)


def _reached(turn: Turn, callback: Callback, call: Call) -> None:
    """The caller answered: agent first, both hear each other; caller first, the greeting is said, and then an agent is next."""
    last, reserved = callback.attempt, callback.reserved
    assert last is not None
    turn.emit(CallbackReached(turn.now, callback.id, last.attempt, call.id))
    agent_leg = call.legs.get(reserved.leg) if reserved is not None else None
    if reserved is None or agent_leg is None or agent_leg.state is not LegState.UP:
        turn.send_on(call, promises.policy(turn, callback).greeting_flow or CALLBACK_GREETING.name)
        return
    created, contact, offer = callback.created, turn.ids.draw(), turn.ids.draw()
    queue, number = callback.queue, callback.number
    entered = ContactEntered(turn.now, call.id, contact, queue, promises.REACHED_PRIORITY, turn.now, created.place, number)
    turn.emit(replace(entered, require=created.require, prefer=created.prefer, rule=created.rule))
    turn.emit(ContactOffered(turn.now, call.id, contact, queue, offer, reserved.agent, reserved.leg, turn.now, 1))
    reached = turn.state.contacts[contact]
    connect(turn, reached, reached.offers[offer])


def _leg_gone(turn: Turn, fact: LegGone) -> None:
    callback = turn.state.callbacks.by_call.get(fact.call)
    if callback is None:
        asked = turn.state.callbacks.asked_in.get(fact.call)
        if asked is not None:
            _stand_in_line(turn, asked)
        return
    last, reserved = callback.attempt, callback.reserved
    if last is not None and fact.leg == last.leg:
        if callback.state is _S.ATTEMPTED:
            _unreached(turn, callback, OUTCOME_BY_CAUSE.get(fact.cause, AttemptOutcome.FAILED))
        elif callback.state is _S.REACHED:
            _unreached(turn, callback, AttemptOutcome.ABANDONED)
    elif reserved is not None and fact.leg == reserved.leg:
        _agent_gone(turn, callback, fact.cause)


def _agent_gone(turn: Turn, callback: Callback, cause: Cause) -> None:
    """Her phone is gone before the caller was there. The attempt, if one was begun, is used up."""
    if callback.state is _S.ATTEMPTED:
        fault = cause in NOBODYS_FAULT or cause is Cause.LOST
        _unreached(turn, callback, AttemptOutcome.FAILED if fault else AttemptOutcome.CANCELLED)
    elif cause in NOBODYS_FAULT:
        agent = promises.release(turn, callback, ReleasedWhy.NOBODYS_FAULT)
        _after_release(turn, callback, agent)
    else:
        _missed(turn, callback, MISSED_BY_CAUSE.get(cause, MissedWhy.NO_ANSWER))


def _missed(turn: Turn, callback: Callback, why: MissedWhy) -> None:
    """RONA: the callback keeps its place and goes to the next agent; no attempt was made."""
    reserved = callback.reserved
    assert reserved is not None
    agent, call = turn.state.agents[reserved.agent], turn.state.calls.get(reserved.call)
    remembered = agent.remembered
    turn.emit(CallbackReleased(turn.now, callback.id, agent.name, ReleasedWhy.MISSED))
    if remembered is not None and remembered.state is not AgentState.READY:
        become(turn, agent, remembered.state, remembered.reason)
    else:
        take_out(turn, agent, callback.queue, why)
    if call is not None:
        promises.end(turn, call)
    _after_release(turn, callback, None)


def _after_release(turn: Turn, callback: Callback, agent: Agent | None) -> None:
    _settle(turn, callback)
    if callback.state is _S.DUE:
        _route(turn, callback)
    if agent is not None:
        route_agent(turn, agent)


def _unreached(turn: Turn, callback: Callback, outcome: AttemptOutcome) -> None:
    """The attempt is over: the next one by the retry rule, or the promise is broken. Whoever is still in the call is let go."""
    last, config = callback.attempt, promises.policy(turn, callback)
    assert last is not None
    call = turn.state.calls.get(last.call)
    again_at = turn.now + config.retry_after
    final = outcome is AttemptOutcome.INVALID_NUMBER
    no_more = final or callback.attempts >= config.attempts or again_at >= callback.expires_at
    freed = promises.release(turn, callback, ReleasedWhy.UNREACHED)
    turn.emit(CallbackUnreached(turn.now, callback.id, last.attempt, outcome, None if no_more else again_at))
    if no_more:
        turn.emit(CallbackBroken(turn.now, callback.id, BrokenWhy.INVALID_NUMBER if final else BrokenWhy.UNREACHED))
    if call is not None:
        promises.end(turn, call)
    if freed is not None:
        route_agent(turn, freed)


# --- what other stories mean for callbacks ------------------------------------------------------


def heed(turn: Turn, fact: object) -> None:
    """A fact of another story has happened; perhaps it is about a callback."""
    heeded = HEEDED.get(type(fact))
    if heeded is not None and (turn.state.callbacks.open or heeded is _announced):
        heeded(turn, fact)


def _connected(turn: Turn, fact: ContactConnected) -> None:
    callback = turn.state.callbacks.by_call.get(fact.call)
    if callback is not None and callback.state is _S.REACHED:
        in_time = promises.is_in_time(turn, callback)
        turn.emit(CallbackBridged(turn.now, callback.id, fact.call, fact.contact, fact.agent, in_time))


def _parted(turn: Turn, fact: ContactParted) -> None:
    """They have talked, unless the PBX could not connect them."""
    callback = turn.state.callbacks.by_call.get(fact.call)
    if callback is None or callback.state is not _S.BRIDGED:
        return
    if fact.why is EndedWhy.CONNECT_FAILED:
        _unreached(turn, callback, AttemptOutcome.FAILED)
    else:
        turn.emit(CallbackKept(turn.now, callback.id, KeptHow.BRIDGED, callback.in_time, fact.call))


def _left(turn: Turn, fact: ContactAbandoned) -> None:
    """Caller first: the caller was there, and no agent was in time. Who overflowed is still on the line, and may yet be connected."""
    callback = turn.state.callbacks.by_call.get(fact.call)
    if callback is not None and callback.state is _S.REACHED:
        _unreached(turn, callback, AttemptOutcome.ABANDONED)


def _announced(turn: Turn, fact: ContactAnnounced) -> None:
    """The announcement that we would call back counts once for each contact."""
    contact = turn.state.contacts[fact.contact]
    config = turn.state.queue(fact.queue).config.callback
    if config is not None and CALLBACK_OFFER in fact.prompts and not contact.callback_offered:
        turn.emit(CallbackOffered(turn.now, fact.call, fact.contact, fact.queue))


HEEDED: Mapping[type, Callable[..., None]] = {
    ContactAnnounced: _announced,
    ContactConnected: _connected,
    ContactParted: _parted,
    ContactAbandoned: _left,
    LegGone: _leg_gone,
}


# --- people -------------------------------------------------------------------------------------


def request(turn: Turn, event: CallbackRequested) -> None:
    """Promise a callback on the word of one of ours. Asking again for the same one changes nothing."""
    callbacks, config = turn.state.callbacks, turn.state.config.queues.get(event.queue)
    if event.callback in callbacks.open:
        return
    checked = promises.check(turn, event.number)
    if not _is_possible(turn, event.queue, event.owner):
        return
    if not checked.may_be_dialed:
        turn.refuse(checked.sentence)
        return
    due_at = max(event.due_at or turn.now, turn.now)
    if due_at > turn.now + LONGEST_AHEAD:
        turn.refuse("a callback may be at most a year ahead")
        return
    known = callbacks.by_number.get((checked.number, event.queue))
    if known is not None:
        turn.refuse(f"{checked.number} is promised a callback from {event.queue} already: {known.id}; edit that one")
        return
    assert config is not None
    policy = config.callback
    assert policy is not None
    shown = policy.number_shown or next(iter(turn.state.config.numbers), "")
    owner_until = due_at + (policy.owned_for if event.owned_for is None else event.owned_for) if event.owner else None
    turn.emit(
        CallbackCreated(
            turn.now,
            event.callback,
            event.queue,
            checked.number,
            event.caller_name,
            event.priority,
            due_at,
            due_at,
            due_at + policy.expires_after,
            CallbackSource.PERSON,
            shown,
            owner=event.owner,
            owner_until=owner_until,
            by=event.by,
        )
    )
    _stand_in_line(turn, callbacks.open[event.callback])


def _is_possible(turn: Turn, queue: str, owner: str) -> bool:
    config = turn.state.config
    calling = sorted(name for name, each in config.queues.items() if each.callback is not None)
    if queue not in calling:
        turn.refuse(f"nobody is called back from a queue '{queue}'; queues with callbacks: {', '.join(calling) or 'none'}")
    elif owner and owner not in config.agents:
        turn.refuse(f"there is no agent '{owner}'; agents: {', '.join(sorted(config.agents)) or 'none'}")
    else:
        return True
    return False


def _found(turn: Turn, callback_id: str) -> Callback | None:
    """One that may be changed: nobody is being called for it."""
    callback = turn.state.callbacks.open.get(callback_id)
    if callback is None:
        turn.refuse(f"there is no open callback '{callback_id}'")
    elif callback.live_call:
        turn.refuse(f"callback {callback_id} is being called right now; try again in a minute")
        return None
    return callback


def edit(turn: Turn, event: CallbackEditRequested) -> None:
    """Change what is promised. The attempts already made still count."""
    callback = _found(turn, event.callback)
    if callback is None:
        return
    queue = callback.queue if event.queue is None else event.queue
    owner = callback.owner if event.owner is None else event.owner
    checked = promises.check(turn, callback.number if event.number is None else event.number)
    if not _is_possible(turn, queue, owner):
        return
    if not checked.may_be_dialed:
        turn.refuse(checked.sentence)
        return
    if turn.state.callbacks.by_number.get((checked.number, queue), callback) is not callback:
        turn.refuse(f"{checked.number} is promised another callback from {queue} already")
        return
    due_at = callback.due_at or turn.now
    if event.due_at is not None:
        due_at = max(event.due_at, turn.now)
    config = turn.state.config.queues[queue].callback
    assert config is not None
    if due_at > turn.now + LONGEST_AHEAD:
        turn.refuse("a callback may be at most a year ahead")
        return
    expires_at = callback.expires_at if event.due_at is None else due_at + config.expires_after
    until = callback.owner_until if event.owner is None and event.due_at is None else due_at + config.owned_for
    turn.emit(CallbackEdited(turn.now, callback.id, queue, checked.number, due_at, expires_at, owner, until if owner else None, event.by))
    _stand_in_line(turn, callback)


def cancel(turn: Turn, event: CallbackCancelRequested) -> None:
    """The promise is taken back."""
    callback = _found(turn, event.callback)
    if callback is not None:
        turn.emit(CallbackBroken(turn.now, callback.id, BrokenWhy.CANCELLED, event.by))
