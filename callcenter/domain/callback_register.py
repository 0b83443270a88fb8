"""The callbacks that are not settled, as part of the state: a fold over their facts. Found by number, by call, by agent; never scanned."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from callcenter.domain.callback import CALLBACK_TRANSITIONS, SETTLED, Callback, CallbackState, promised
from callcenter.domain.facts.callbacks import (
    CallbackAttempted,
    CallbackBridged,
    CallbackBroken,
    CallbackCreated,
    CallbackDue,
    CallbackEdited,
    CallbackFact,
    CallbackKept,
    CallbackPutOff,
    CallbackReached,
    CallbackReleased,
    CallbackReserved,
    CallbackUnreached,
)
from callcenter.domain.line import Line
from callcenter.domain.machine import Alarm, IllegalTransition, transition
from callcenter.domain.waiter import Waiter

if TYPE_CHECKING:
    from callcenter.domain.state import State

CALLBACK = "callback"
"""The kind of waiter."""
DUE, EXPIRY, OWNER, RING = "callback_due", "callback_expiry", "callback_owner", "callback_ring"
DEADLINES = frozenset({DUE, EXPIRY, OWNER, RING})


class CallbackRegister:
    """Read freely; changed by ``State.apply`` only."""

    def __init__(self, state: "State") -> None:
        self._state = state
        self.open: dict[str, Callback] = {}
        self.by_number: dict[tuple[str, str], Callback] = {}
        """From number and queue; there is one promise for both at most."""
        self.by_call: dict[str, Callback] = {}
        """From our call to an agent or the caller for it, as long as it is under way."""
        self.asked_in: dict[str, Callback] = {}
        """From the call in which the caller asked for it."""
        self.owned: dict[str, Line[tuple[int, datetime, str]]] = {}
        """By agent: her own callbacks that are due and wait for her alone."""
        self.next_due: dict[str, Line[tuple[datetime, str]]] = {}
        """By queue: those for which nobody is being called, in the order of their dates."""
        self._appliers: dict[type, Callable[[Callback, Any], None]] = {
            CallbackEdited: self._edited,
            CallbackDue: lambda callback, fact: None,
            CallbackPutOff: self._due_again,
            CallbackReserved: self._reserved,
            CallbackReleased: self._released,
            CallbackAttempted: self._attempted,
            CallbackReached: lambda callback, fact: None,
            CallbackUnreached: self._due_again,
            CallbackBridged: self._bridged,
            CallbackKept: lambda callback, fact: None,
            CallbackBroken: lambda callback, fact: None,
        }

    # --- what is so -----------------------------------------------------------------------------

    def waits_for_call(self, callback: Callback) -> bool:
        """The caller is still on the line on which it was promised: nobody is called who is talking to us."""
        call = self._state.calls.get(callback.created.call)
        return call is not None and call.caller_leg is not None

    def own_of(self, agent: str) -> Waiter | None:
        """The first of the agent's own callbacks that are due."""
        line = self.owned.get(agent)
        rank = line.head() if line is not None else None
        return self._waiter(self.open[rank[-1]]) if rank else None

    def next_of(self, queue: str, count: int) -> list[Callback]:
        """Those of the queue that are due next, soonest first."""
        line = self.next_due.get(queue)
        return [self.open[rank[-1]] for rank in line.first(count)] if line is not None else []

    def next_for(self, agent: str, count: int) -> list[Callback]:
        """The callbacks of her queues that are due next and are nobody else's, her own first of those due at once."""
        config = self._state.config.agents.get(agent)
        found = {each.id: each for queue in (config.queues if config else ()) for each in self.next_of(queue, 2 * count)}
        mine = [(each.due_at, each.owner != agent, each.id) for each in found.values() if each.owner in ("", agent) and each.due_at]
        return [found[callback] for _, _, callback in sorted(mine)[:count]]

    def still_set(self, alarm: Alarm) -> bool:
        """Whether the deadline means anything still."""
        at, kind, subject = alarm
        callback = self.open.get(subject)
        if callback is None:
            return False
        if kind == RING:
            ends = callback.attempt.until if callback.state is CallbackState.ATTEMPTED and callback.attempt else None
            if callback.state is CallbackState.DUE and callback.reserved is not None:
                ends = callback.reserved.until
            return ends == at
        if callback.state not in (CallbackState.CREATED, CallbackState.DUE) or callback.reserved is not None:
            return False
        if kind == DUE:
            return callback.state is CallbackState.CREATED and callback.due_at == at
        return at == (callback.expires_at if kind == EXPIRY else callback.owner_until)

    def history(self) -> Iterator[tuple[int, CallbackFact]]:
        """The facts of all that is open, numbered."""
        for callback in self.open.values():
            yield from callback.history

    # --- what happens ---------------------------------------------------------------------------

    def apply(self, fact: CallbackFact) -> None:
        """Let the fact have happened. Raises IllegalTransition before anything is changed."""
        if isinstance(fact, CallbackCreated):
            if fact.callback in self.open or (fact.number, fact.queue) in self.by_number:
                raise IllegalTransition(fact.callback, "promised", fact)
            callback = self.open[fact.callback] = promised(fact)
            if fact.call:
                self.asked_in[fact.call] = callback
            self._set_deadlines(callback)
        else:
            callback = self.open[fact.callback]
            callback.state = transition(CALLBACK_TRANSITIONS, callback.id, callback.state, fact)
            self._forget(callback)
            self._appliers[type(fact)](callback, fact)
        if callback.state in SETTLED:
            del self.open[callback.id]
            self.asked_in.pop(callback.created.call, None)
            return
        self.by_number[callback.number, callback.queue] = callback
        if not callback.live_call and callback.due_at is not None:
            self.next_due.setdefault(callback.queue, Line()).put((callback.due_at, callback.id))
        if callback.live_call:
            self.by_call[callback.live_call] = callback
        self.line_up(callback)

    def keep(self, number: int, fact: CallbackFact) -> None:
        """For checkpoints."""
        callback = self.open.get(fact.callback)
        if callback is not None:
            callback.history.append((number, fact))

    def line_up(self, callback: Callback) -> None:
        """Where it belongs: in its queue's line, in its owner's, or nowhere while nobody could be called."""
        state = self._state
        waits = callback.state is CallbackState.DUE and callback.reserved is None
        possible = waits and bool(state.config.calling.trunk and state.node_to_call)
        own = possible and callback.owner in state.config.agents
        in_queue = possible and not own and callback.queue in state.config.queues
        stands = state.waiters.get(callback.id)
        if in_queue and stands is not None and stands.queue == callback.queue:
            return  # and keeps what it has grown to
        self._step_out(callback)
        if own:
            self.owned.setdefault(callback.owner, Line()).put(callback.rank)
        elif in_queue:
            state.stand_in_line(self._waiter(callback))

    def line_up_all(self) -> None:
        """The configuration has changed, or a node has come or gone."""
        for callback in self.open.values():
            self.line_up(callback)

    # --- inside ---------------------------------------------------------------------------------

    def _waiter(self, callback: Callback) -> Waiter:
        created = callback.created
        place, needs = created.place, (created.require, created.prefer)
        return Waiter(callback.id, callback.queue, created.priority, place, place, CALLBACK, *needs)

    def _step_out(self, callback: Callback) -> None:
        self._state.step_out(callback.id)
        if callback.owner in self.owned:
            self.owned[callback.owner].take(callback.id)

    def _forget(self, callback: Callback) -> None:
        """Take it out of wherever it is found; what changed is put in again afterwards."""
        self._step_out(callback)
        self.by_number.pop((callback.number, callback.queue), None)
        if callback.queue in self.next_due:
            self.next_due[callback.queue].take(callback.id)
        for call in {callback.attempt.call if callback.attempt else "", callback.reserved.call if callback.reserved else ""}:
            self.by_call.pop(call, None)

    def _set_deadlines(self, callback: Callback) -> None:
        deadlines = self._state.deadlines
        if callback.due_at is not None:
            deadlines.set(callback.due_at, DUE, callback.id)
        deadlines.set(callback.expires_at, EXPIRY, callback.id)
        if callback.owner_until is not None:
            deadlines.set(callback.owner_until, OWNER, callback.id)

    def _edited(self, callback: Callback, fact: CallbackEdited) -> None:
        if fact.due_at != callback.due_at:
            callback.promised_at = fact.due_at
        callback.queue, callback.number, callback.due_at, callback.expires_at = fact.queue, fact.number, fact.due_at, fact.expires_at
        callback.owner, callback.owner_until = fact.owner, fact.owner_until
        self._set_deadlines(callback)

    def _due_again(self, callback: Callback, fact: CallbackPutOff | CallbackUnreached) -> None:
        callback.due_at, callback.reserved = fact.due_at, None
        self._set_deadlines(callback)

    def _reserved(self, callback: Callback, fact: CallbackReserved) -> None:
        callback.reserved = fact
        callback.promised_at = callback.promised_at or fact.at
        self._state.deadlines.set(fact.until, RING, callback.id)

    def _released(self, callback: Callback, fact: CallbackReleased) -> None:
        callback.reserved = None
        self._set_deadlines(callback)

    def _attempted(self, callback: Callback, fact: CallbackAttempted) -> None:
        callback.attempt = fact
        callback.attempts += 1
        self._state.deadlines.set(fact.until, RING, callback.id)

    def _bridged(self, callback: Callback, fact: CallbackBridged) -> None:
        callback.reserved = None
        callback.in_time = fact.in_time
