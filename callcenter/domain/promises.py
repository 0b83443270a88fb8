"""Promising a callback, keeping its place, and taking its turn: what the router and the flows need of callbacks.

What happens to a callback on the way is told in ``callbacks``.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from callcenter.domain import find_me
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.callback import Callback, CallbackState
from callcenter.domain.calling_times import may_call_at
from callcenter.domain.commands import Dial, RingAgent
from callcenter.domain.config import CallbackConfig
from callcenter.domain.facts import AgentState, AgentStateChanged, CallBegan, ContactEntered, Direction, LegCreated
from callcenter.domain.facts.callbacks import (
    AttemptOutcome,
    BrokenWhy,
    CallbackAttempted,
    CallbackBroken,
    CallbackCreated,
    CallbackKept,
    CallbackPutOff,
    CallbackReleased,
    CallbackReserved,
    CallbackSource,
    CallbackUnreached,
    KeptHow,
    ReleasedWhy,
)
from callcenter.domain.ivr.speech import LANGUAGE
from callcenter.domain.numbers import CheckedNumber, NumberRefusal
from callcenter.domain.presence import become_free
from callcenter.domain.routing_config import Needs
from callcenter.domain.turn import Turn
from callcenter.domain.waiter import Waiter

REACHED_PRIORITY = 1_000_000
"""Who has waited for our call does not wait again: before everybody else."""


def policy(turn: Turn, callback: Callback) -> CallbackConfig:
    """How its queue calls back; the usual way where the queue does so no longer, because a promise is a promise."""
    queue = turn.state.config.queues.get(callback.queue)
    return queue.callback if queue is not None and queue.callback is not None else CallbackConfig()


# --- the promise --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller asks for."""

    queue: str
    number: str
    """As it was given."""
    priority: int
    place: datetime
    source: CallbackSource
    due_at: datetime
    left: ContactEntered | None = None
    """The contact that leaves its queue for it."""


def check(turn: Turn, number: str) -> CheckedNumber:
    """Whether we could call it."""
    if not turn.state.config.calling.trunk:
        return CheckedNumber("", NumberRefusal.INVALID, "there is no trunk to call through; set calling.trunk")
    return may_be_called(turn, number)


def may_be_called(turn: Turn, number: str) -> CheckedNumber:
    """By the rules of numbers, and by the wish of whose number it is."""
    checked = turn.state.config.calling.rules(number)
    if checked.may_be_dialed and (asked := turn.state.do_not_call.get(checked.number)) is not None:
        said = f"{checked.number} is on the do-not-call list since {asked.at.date()}"
        return CheckedNumber(checked.number, NumberRefusal.DO_NOT_CALL, said)
    return checked


def promise(turn: Turn, call: Call, wish: Wish) -> bool:
    """Promise the caller on the line a callback; say whether it could be. The same number is promised once for the queue."""
    checked = check(turn, wish.number)
    config = turn.state.config.queues.get(wish.queue)
    if not checked.may_be_dialed or config is None or config.callback is None:
        return False
    if (checked.number, wish.queue) in turn.state.callbacks.by_number:
        return True
    numbers = turn.state.config.numbers
    shown = config.callback.number_shown or (call.began.dialed if call.began.dialed in numbers else next(iter(numbers), ""))
    turn.emit(
        replace(
            CallbackCreated(
                turn.now,
                turn.ids.draw(),
                wish.queue,
                checked.number,
                call.began.caller_name,
                wish.priority,
                wish.place,
                wish.due_at,
                wish.due_at + config.callback.expires_after,
                wish.source,
                shown,
                call.id,
                *((left.contact, "", None, "", left.require, left.prefer, left.rule) if (left := wish.left) is not None else ()),
            ),
            language=call.attributes.get(LANGUAGE, ""),
        )
    )
    return True


# --- the caller is there ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """How a caller enters a queue to whom we have promised something."""

    queue: str
    priority: int
    place: datetime
    needs: Needs | None = None
    """What it needed from the beginning, for who was called back; None: what its flow says."""
    freed: Agent | None = None
    """To be routed once the caller stands in line."""


def entry(turn: Turn, call: Call, queue: str) -> Entry | None:
    """The promised place, for a caller whom we have called, or who calls before we do; None: nothing was promised."""
    callbacks = turn.state.callbacks
    reached = callbacks.by_call.get(call.id)
    if reached is not None and reached.state is CallbackState.REACHED:
        created = reached.created
        needs = Needs(created.require, created.prefer, rule=created.rule)
        return Entry(reached.queue, REACHED_PRIORITY, created.place, needs, release(turn, reached, ReleasedWhy.REACHED))
    if not callbacks.by_number or not call.began.caller or call.began.direction is not Direction.INBOUND:
        return None
    known = callbacks.by_number.get((turn.state.config.calling.rules(call.began.caller).number, queue))
    return _merge(turn, call, known) if known is not None else None


def _merge(turn: Turn, call: Call, callback: Callback) -> Entry | None:
    """The caller calls first: the promise is kept by the place in line, and nobody is dialed."""
    if callback.state not in (CallbackState.CREATED, CallbackState.DUE, CallbackState.ATTEMPTED):
        return None
    ours = turn.state.calls.get(callback.live_call)
    freed = release(turn, callback, ReleasedWhy.NOBODYS_FAULT)
    if callback.state is CallbackState.ATTEMPTED and callback.attempt is not None:
        turn.emit(CallbackUnreached(turn.now, callback.id, callback.attempt.attempt, AttemptOutcome.CANCELLED, turn.now))
    if ours is not None:
        end(turn, ours)
    turn.emit(CallbackKept(turn.now, callback.id, KeptHow.MERGED, is_in_time(turn, callback), call.id))
    return Entry(callback.queue, callback.created.priority, callback.created.place, freed=freed)


def is_in_time(turn: Turn, callback: Callback) -> bool:
    """Soon enough after its turn, or the chosen time."""
    return callback.promised_at is None or turn.now <= callback.promised_at + policy(turn, callback).in_time


def end(turn: Turn, call: Call) -> None:
    """Hang up whoever is still in a call of ours."""
    for leg in list(call.legs.values()):
        turn.hang_up(call, leg)


def release(turn: Turn, callback: Callback, why: ReleasedWhy) -> Agent | None:
    """The agent reserved for it, if any, is free again with her old idle-since, and is returned: route her when all is settled."""
    reserved = callback.reserved
    if reserved is None:
        return None
    agent = turn.state.agents[reserved.agent]
    turn.emit(CallbackReleased(turn.now, callback.id, agent.name, why))
    become_free(turn, agent, idle_since=agent.idle_since)
    return agent


def forbid(turn: Turn, callback: Callback) -> Agent | None:
    """The caller does not want to be called any more: the promise is taken back, and nobody is rung for it any longer.

    Who was reserved is returned, to be routed. Whoever talks already talks on.
    """
    if callback.state not in (CallbackState.CREATED, CallbackState.DUE, CallbackState.ATTEMPTED):
        return None
    ours = turn.state.calls.get(callback.live_call)
    freed = release(turn, callback, ReleasedWhy.NOBODYS_FAULT)
    if callback.state is CallbackState.ATTEMPTED and callback.attempt is not None:
        turn.emit(CallbackUnreached(turn.now, callback.id, callback.attempt.attempt, AttemptOutcome.CANCELLED, None))
    turn.emit(CallbackBroken(turn.now, callback.id, BrokenWhy.DO_NOT_CALL))
    if ours is not None:
        end(turn, ours)
    return freed


# --- its turn -----------------------------------------------------------------------------------


def its_turn(turn: Turn, waiter: Waiter, agent: Agent) -> None:
    """It is at the head, and this agent is free for it: she is reserved, unless it may not be called now, or no more at all."""
    callback = turn.state.callbacks.open[waiter.id]
    checked = may_be_called(turn, callback.number)
    opens = may_call_at(turn, checked)
    if turn.now >= callback.expires_at:
        turn.emit(CallbackBroken(turn.now, callback.id, BrokenWhy.EXPIRED))
    elif not checked.may_be_dialed:
        why = BrokenWhy.DO_NOT_CALL if checked.refusal is NumberRefusal.DO_NOT_CALL else BrokenWhy.INVALID_NUMBER
        turn.emit(CallbackBroken(turn.now, callback.id, why))
    elif opens != turn.now:
        turn.emit(CallbackPutOff(turn.now, callback.id, min(opens or callback.expires_at, callback.expires_at)))
    else:
        _reserve(turn, callback, agent)


def _reserve(turn: Turn, callback: Callback, agent: Agent) -> None:
    node, call = turn.state.node_to_call, turn.ids.draw()
    caller_leg = turn.ids.draw_leg(node)
    config, created = policy(turn, callback), callback.created
    trunk = turn.state.config.calling.trunk
    number, name = callback.number, created.caller_name
    turn.emit(
        CallBegan(turn.now, call, node, caller_leg, Direction.OUTBOUND, number, number, name, trunk, caller_leg, language=created.language)
    )
    _, device = find_me.first(agent, turn.state.queue(callback.queue).config)
    agent_first = config.agent_first and not device.number  # on a phone outside she accepts callers only, who are there already
    agent_leg = turn.ids.draw_leg(node) if agent_first else ""
    ring_time = device.ring if agent_first else config.ring_time
    turn.emit(CallbackReserved(turn.now, callback.id, callback.queue, call, node, agent.name, agent_leg, turn.now + ring_time))
    turn.emit(AgentStateChanged(turn.now, agent.name, AgentState.RESERVED, idle_since=agent.idle_since))
    if agent_leg:
        turn.emit(LegCreated(turn.now, call, agent_leg, agent.name))
        turn.want(RingAgent(call, node, agent_leg, agent.name, agent.endpoint, number, name, ring_time))
    else:
        attempt(turn, callback)


def attempt(turn: Turn, callback: Callback) -> None:
    """Dial the caller. The leg was named when the call began, and the attempt is what it is named after."""
    reserved = callback.reserved
    assert reserved is not None
    call = turn.state.calls[reserved.call]
    leg, config = call.began.leg, policy(turn, callback)
    number = leg.removeprefix(f"{reserved.node}-")
    turn.emit(
        CallbackAttempted(
            turn.now,
            callback.id,
            callback.queue,
            number,
            callback.number,
            call.began.trunk,
            call.id,
            reserved.node,
            leg,
            reserved.agent,
            turn.now + config.ring_time,
        )
    )
    turn.emit(LegCreated(turn.now, call.id, leg))
    turn.want(Dial(call.id, reserved.node, leg, callback.number, call.began.trunk, callback.created.shown, config.ring_time))
