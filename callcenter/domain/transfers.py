"""What agents ask for when a caller is to go on with somebody else, at the console, on the command line or by the keys of their phones.

*Blind*: the caller is moved without talking first. *Consult*: the agent talks to the third party first (``consults``).
To a queue: the caller is a new contact of that queue. To a colleague: a new contact of the queue the caller was served by, offered
to her alone; if she does not answer, it waits there at the place of the old one. Priority and what the caller needs go along; the old
contact's dates never change. To a number outside: only if the agent may call it by herself (``own_numbers``, ``asking_outside``).
"""

from datetime import datetime

from callcenter.domain import announcing, asking_outside, consults, overflowing
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.commands import Answer, AnswerRefer
from callcenter.domain.contact import Contact
from callcenter.domain.delivery import enter_queue, leave, part, settle, taken_along
from callcenter.domain.events import LegArrived, LegReferred
from callcenter.domain.facts import AgentState, ConsultBegan, ConsultTurned, ContactEntered, EndedWhy, Hears, LegJoined
from callcenter.domain.ivr.flow import transferred_outside
from callcenter.domain.own_numbers import is_one, may_call_outside
from callcenter.domain.queue import Queue
from callcenter.domain.router import offer_to, route_waiter
from callcenter.domain.turn import Turn

# --- blind --------------------------------------------------------------------------------------


def blind(turn: Turn, agent: Agent, queue: str, colleague: str, number: str = "") -> None:
    """The talk ends for the agent, and the caller waits anew, or hears a number outside ring."""
    contact = her_caller(turn, agent)
    if number and not queue and not colleague:
        if contact is not None and (allowed := may_call_outside(turn, agent, number, transfer=True)):
            _send_outside(turn, contact, allowed)
        return
    target = _target(turn, agent, queue, colleague) if contact else None
    if contact is not None and target is not None:
        _move(turn, contact, target)


def _send_outside(turn: Turn, contact: Contact, number: str) -> None:
    """If nobody answers there, the caller waits in the queue again."""
    call = turn.state.calls[contact.entered.call]
    part(turn, contact, EndedWhy.TRANSFERRED)
    turn.send_on(call, transferred_outside(contact.entered.queue, number))


def _move(turn: Turn, contact: Contact, target: Queue | Agent) -> None:
    call, entered = turn.state.calls[contact.entered.call], contact.entered
    if isinstance(target, Queue):
        part(turn, contact, EndedWhy.TRANSFERRED)
        enter_queue(turn, call, target.name, entered.priority, taken_along(turn, entered, target.name), transferred_from=contact.id)
        return
    agent = leave(turn, contact, EndedWhy.TRANSFERRED)
    queue = turn.state.queue(entered.queue)
    new = _enter(turn, call, contact, queue, turn.ids.draw(), place=entered.place, colleague=target.name)
    offer_to(turn, new, target, queue, 1, (), (f"for {target.name}",))
    settle(turn, agent)


def _enter(
    turn: Turn, call: Call, old: Contact, queue: Queue, new: str, *, place: datetime, colleague: str, consult: bool = False
) -> Contact:
    entered, now = old.entered, turn.now
    until = overflowing.next_look(turn, queue, now)
    said = (None, None) if consult else announcing.first_dates(queue.config.announce, now)
    along = taken_along(turn, entered, queue.name)
    needs = along.require, along.prefer, along.rule
    place_and_caller = (now, place, entered.caller, until, old.id)
    turn.emit(
        ContactEntered(
            now, call.id, new, queue.name, entered.priority, *place_and_caller, *said, *needs, for_agent=colleague, consult=consult
        )
    )
    return turn.state.contacts[new]


# --- consult ------------------------------------------------------------------------------------


def consult(turn: Turn, agent: Agent, queue: str, colleague: str, number: str = "") -> None:
    """The caller is put on hold, and the agent is about to talk to whoever answers."""
    contact = her_caller(turn, agent)
    target = _whom_to_ask(turn, agent, queue, colleague, number) if contact else None
    if contact is None or target is None or contact.offer is None:
        return
    if contact.offer.leg not in turn.state.calls[contact.entered.call].legs:
        turn.refuse(f"{agent.name} has a leg that stays up between contacts; from such a leg there is no consulting yet, only transferring")
        return
    _consult(turn, contact, target, contact.offer.leg)


def _whom_to_ask(turn: Turn, agent: Agent, queue: str, colleague: str, number: str) -> Queue | Agent | str | None:
    """A queue, a colleague, or a number outside in E.164; else it is said why not."""
    if number and not queue and not colleague:
        return may_call_outside(turn, agent, number, transfer=True) or None
    return _target(turn, agent, queue, colleague, consult=True)


def _consult(turn: Turn, contact: Contact, target: Queue | Agent | str, leg: str) -> None:
    call = turn.state.calls[contact.entered.call]
    if isinstance(target, str):
        asking_outside.begin(turn, call, contact, target, leg)
        _arrange(turn, call)
        return
    queue = target if isinstance(target, Queue) else turn.state.queue(contact.entered.queue)
    colleague = "" if isinstance(target, Queue) else target.name
    asked = turn.ids.draw()
    assert contact.offer is not None
    turn.emit(ConsultBegan(turn.now, call.id, asked, contact.offer.agent, leg, turn.ids.draw_leg(call.node)))
    new = _enter(turn, call, contact, queue, asked, place=turn.now, colleague=colleague, consult=True)
    _arrange(turn, call)
    if isinstance(target, Queue):
        route_waiter(turn, new.waiter)
    else:
        offer_to(turn, new, target, queue, 1, (), (f"for {target.name}",))


def _arrange(turn: Turn, call: Call) -> None:
    if consults.arranges_holds(turn, call):
        consults.hold_as_heard(turn, call)
    consults.arrange(turn, call)


def complete(turn: Turn, agent: Agent) -> None:
    """The agent leaves; the caller goes on with the consulted, or waits for one."""
    call = _her_consult(turn, agent)
    if call is not None:
        consults.hand_over(turn, call, EndedWhy.TRANSFERRED)


def cancel(turn: Turn, agent: Agent) -> None:
    """Back to the caller."""
    call = _her_consult(turn, agent)
    if call is not None:
        consults.call_off(turn, call)


def swap(turn: Turn, agent: Agent) -> None:
    """Talk to the other one; from a conference, to the consulted alone."""
    call = _her_answered_consult(turn, agent)
    if call is not None and call.consult is not None:
        _turn_to(turn, call, Hears.CALLER if call.consult.hears is Hears.CONSULTED else Hears.CONSULTED)


def conference(turn: Turn, agent: Agent) -> None:
    """All three hear each other."""
    call = _her_answered_consult(turn, agent)
    if call is not None and call.consult is not None and call.consult.hears is not Hears.ALL:
        _turn_to(turn, call, Hears.ALL)


def _turn_to(turn: Turn, call: Call, hears: Hears) -> None:
    assert call.consult is not None
    turn.emit(ConsultTurned(turn.now, call.id, call.consult.contact, call.consult.agent, hears))
    consults.hold_as_heard(turn, call)
    consults.arrange(turn, call)


# --- by the keys of a phone ---------------------------------------------------------------------


def referred(turn: Turn, event: LegReferred) -> None:
    """A phone's transfer key: blind to what was dialed, or of two legs that are to be one call without it."""
    call = turn.state.legs.get(event.leg)
    if call is None:
        return
    agent = turn.state.agents.get(call.legs[event.leg].agent)
    done = agent is not None and (_refer_blind(turn, agent, call, event) if event.into is None else _refer_into(turn, agent, call, event))
    if not done:
        turn.want(AnswerRefer(call.id, call.node, event.leg, done=False))


def _refer_blind(turn: Turn, agent: Agent, call: Call, event: LegReferred) -> bool:
    contact = her_caller(turn, agent)
    if contact is None or contact.entered.call != call.id:
        return False
    if event.dialed not in turn.state.extensions:
        number = may_call_outside(turn, agent, event.dialed, transfer=True)
        if number:
            turn.want(AnswerRefer(call.id, call.node, event.leg, done=True))
            _send_outside(turn, contact, number)
        return bool(number)
    target = _dialed(turn, agent, event.dialed)
    if target is None:
        return False
    turn.want(AnswerRefer(call.id, call.node, event.leg, done=True))
    _move(turn, contact, target)
    return True


def _refer_into(turn: Turn, agent: Agent, call: Call, event: LegReferred) -> bool:
    own = consults.talk_leg(turn.state, call)
    if _her_consult(turn, agent) is not call or call.consult is None or {event.leg, event.into} != {own, call.consult.leg}:
        return False
    turn.want(AnswerRefer(call.id, call.node, event.leg, done=True))
    consults.hand_over(turn, call, EndedWhy.TRANSFERRED)
    return True


def dialed_in_talk(turn: Turn, agent: Agent, event: LegArrived) -> bool:
    """Whether an agent who has put her caller on hold has dialed somebody to consult; that leg belongs to the same call then."""
    contact = turn.state.contacts.get(agent.contact)
    known = event.dialed in turn.state.extensions
    if agent.state is not AgentState.TALKING or contact is None or not (known or is_one(event.dialed)):
        return False
    call = turn.state.calls[contact.entered.call]
    contact = her_caller(turn, agent)
    queue, colleague = turn.state.extensions.get(event.dialed, ("", ""))
    target = _whom_to_ask(turn, agent, queue, colleague, event.dialed) if contact else None
    if contact is None or target is None or event.node != call.node:
        return False
    turn.emit(LegJoined(turn.now, call.id, event.leg, agent.name, event.dialed))
    if not event.up:
        turn.want(Answer(call.id, call.node, event.leg))
    _consult(turn, contact, target, event.leg)
    return True


# --- what may be asked for ----------------------------------------------------------------------


def her_caller(turn: Turn, agent: Agent) -> Contact | None:
    """The contact of the caller whom the agent may transfer; else it is said why she may not."""
    contact = turn.state.contacts.get(agent.contact)
    if agent.state is not AgentState.TALKING or contact is None:
        turn.refuse(f"{agent.name} is not talking to a caller, so there is nobody to transfer")
        return None
    call = turn.state.calls[contact.entered.call]
    if call.consult is not None:
        consulting = call.consult.agent == agent.name
        turn.refuse(
            f"{agent.name} is consulting already; complete or cancel that first"
            if consulting
            else f"{agent.name} is being consulted; the caller is {call.consult.agent}'s"
        )
        return None
    if call.payment is not None:
        turn.refuse(f"{agent.name}'s caller is paying; wait for the end of that, or call it off")
        return None
    if contact.resuming:
        turn.refuse(f"{agent.name}'s phone was lost and rings again; the caller waits for her")
        return None
    return contact if _within_reach(turn, call) else None


def consulting(turn: Turn, agent: Agent) -> bool:
    """Whether she consults somebody at the moment."""
    contact = turn.state.contacts.get(agent.contact)
    call = turn.state.calls.get(contact.entered.call) if contact is not None else None
    return call is not None and call.consult is not None and call.consult.agent == agent.name


def _within_reach(turn: Turn, call: Call) -> bool:
    if turn.state.node(call.node).away or call.caller_leg is None or call.caller_leg.closing:
        turn.refuse("the call is out of our reach at the moment; try again in a few seconds")
        return False
    return True


def _her_consult(turn: Turn, agent: Agent) -> Call | None:
    """The call in which the agent consults somebody."""
    contact = turn.state.contacts.get(agent.contact)
    call = turn.state.calls[contact.entered.call] if agent.state is AgentState.TALKING and contact else None
    if call is None or call.consult is None or call.consult.agent != agent.name:
        turn.refuse(f"{agent.name} is not consulting anybody")
        return None
    return call if _within_reach(turn, call) else None


def _her_answered_consult(turn: Turn, agent: Agent) -> Call | None:
    """The same, once somebody has answered, and as long as it is ours to say whom she hears."""
    call = _her_consult(turn, agent)
    if call is None:
        return None
    if consults.is_by_phone(turn.state, call):
        turn.refuse(f"{agent.name} has dialed the consulted with her phone; its own keys swap and join")
        return None
    if not consults.consulted(turn.state, call):
        turn.refuse("nobody has answered yet")
        return None
    if turn.state.contacts[call.contact].resuming:
        turn.refuse(f"{agent.name}'s phone was lost and rings again; whom she hears can be said once she is back")
        return None
    return call


def to_extension(turn: Turn, agent: Agent, extension: str, *, consults: bool = False) -> None:
    """She has entered whom the caller is to go on with, or whom she wants to talk to first, by the keys of her phone."""
    queue, colleague = turn.state.extensions.get(extension, ("", ""))
    if not consults:
        blind(turn, agent, queue, colleague, extension or "nobody")
    else:
        consult(turn, agent, queue, colleague, extension or "nobody")


def _dialed(turn: Turn, agent: Agent, extension: str) -> Queue | Agent | None:
    queue, colleague = turn.state.extensions.get(extension, ("", ""))
    if not queue and not colleague:
        turn.refuse(f"'{extension}' is no extension of a queue or an agent; calls to the outside are not allowed")
        return None
    return _target(turn, agent, queue, colleague)


def _target(turn: Turn, agent: Agent, queue: str, colleague: str, *, consult: bool = False) -> Queue | Agent | None:
    if bool(queue) is bool(colleague):
        turn.refuse("name a queue or a colleague, one of both")
        return None
    if queue:
        return _queue(turn, queue, consult=consult)
    return _colleague(turn, agent, colleague)


def _queue(turn: Turn, name: str, *, consult: bool) -> Queue | None:
    """A consult that would overflow at once is refused: the agent has the caller still."""
    if name not in turn.state.config.queues:
        turn.refuse(f"there is no queue '{name}'; queues: {', '.join(sorted(turn.state.config.queues))}")
        return None
    queue = turn.state.queue(name)
    limit = queue.config.max_waiting
    if consult and limit is not None and queue.unanswered >= limit:
        turn.refuse(f"queue '{name}' is full: {queue.unanswered} wait there")
        return None
    if consult and not queue.config.wait_without_agents and not queue.logged_in:
        turn.refuse(f"nobody is logged in to queue '{name}'")
        return None
    return queue


def _colleague(turn: Turn, agent: Agent, name: str) -> Agent | None:
    """RESERVED is the whole protection against double booking, so only who is ready can be reached."""
    colleague = turn.state.agents.get(name)
    if colleague is None or name not in turn.state.config.agents:
        turn.refuse(f"there is no agent '{name}'; agents: {', '.join(sorted(turn.state.config.agents))}")
        return None
    if colleague is agent:
        turn.refuse(f"{name} has the caller already")
        return None
    if colleague.state is not AgentState.READY:
        turn.refuse(f"{name} is {colleague.state.replace('_', ' ')}{f' ({colleague.reason})' if colleague.reason else ''}, not ready")
        return None
    return colleague
