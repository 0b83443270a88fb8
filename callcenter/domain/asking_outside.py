"""An agent asks somebody outside about her caller before she hands the caller on: a consult (``consults``) with a number.

::

    the number rings ──► answered: agent and number talk, the caller hears music ──► swap, conference
          │                     ├── complete ────────────► caller and number talk until one of them hangs up
          │                     └── cancel, number hangs up ► agent and caller are together again
          ├── busy, no answer ──► agent and caller are together again
          └── complete ─────────► the caller hears the number ring, and waits in the queue again if nobody is there

Only a number that she may call by herself, and that costs the caller nothing more. What is shown there is the number of the caller's
queue. If she is lost before an answer, nobody has said that the caller is to go there: the head of the line.
"""

from datetime import timedelta

from callcenter.domain.call import Call, Consult, Leg
from callcenter.domain.commands import CloseBridge, ConnectLegs, Dial, StartMusic, StopMusic, StopRinging
from callcenter.domain.contact import Contact
from callcenter.domain.delivery import leave, part, queue_music, settle
from callcenter.domain.events import Cause
from callcenter.domain.facts import (
    CallerHandedOutside,
    EndedWhy,
    OutsideConsultAnswered,
    OutsideConsulted,
    OutsideConsultEnded,
    OwnEndedWhy,
)
from callcenter.domain.ivr.flow import transferred_outside
from callcenter.domain.own_numbers import GRACE, WHY_BY_CAUSE, shown_for
from callcenter.domain.turn import Turn

LOST = (Cause.LOST, Cause.UNKNOWN)


def begin(turn: Turn, call: Call, contact: Contact, number: str, own_leg: str) -> None:
    """The number rings; whom the agent hears meanwhile is the matter of ``consults``."""
    assert contact.offer is not None
    config, agent = turn.state.config, turn.state.agents[contact.offer.agent]
    ring, shown = config.own_calls.ring, shown_for(turn, agent, contact.entered.queue)
    leg, bridge = turn.ids.draw_leg(call.node), turn.ids.draw_leg(call.node)
    until = turn.now + ring + GRACE
    turn.emit(OutsideConsulted(turn.now, call.id, leg, agent.name, own_leg, bridge, number, shown, until))
    turn.want(Dial(call.id, call.node, leg, number, config.calling.trunk, shown, ring))


def talk(turn: Turn, consult: Consult) -> timedelta:
    """How long agent and number have talked."""
    return turn.now - consult.answered_at if consult.answered_at is not None else timedelta()


def answered(turn: Turn, call: Call, leg: Leg) -> bool:
    """Whether that was the number that is asked; then they hear each other, unless it is too late."""
    consult = call.consult
    if consult is None or consult.outside is None or consult.outside.leg != leg.id:
        return False
    own = call.legs.get(consult.leg)
    if leg.closing or own is None or own.closing:
        turn.hang_up(call, leg)
        return True
    turn.emit(OutsideConsultAnswered(turn.now, call.id, leg.id, consult.agent))
    if turn.state.contacts[call.contact].resuming:  # who asks is not there at the moment
        turn.want(StartMusic(call.id, call.node, leg.id, queue_music(turn, call)))
        return True
    turn.want(StopRinging(call.id, call.node, own.id))
    turn.connect(call, consult.bridge, (own.id, leg.id))
    return True


def end(turn: Turn, call: Call, why: OwnEndedWhy) -> None:
    """It is over, and the agent has the caller again (``consults.back_to_caller``)."""
    turn.over.append((call, _over(turn, call, why)))


def _over(turn: Turn, call: Call, why: OwnEndedWhy) -> Consult:
    consult = call.consult
    assert consult is not None
    assert consult.outside is not None
    asked = consult.outside
    turn.emit(OutsideConsultEnded(turn.now, call.id, asked.leg, asked.agent, asked.number, why, talk(turn, consult)))
    turn.hang_up(call, call.legs.get(asked.leg))
    return consult


def time_is_up(turn: Turn, call: Call) -> None:
    """Nobody has said what became of the ringing."""
    end(turn, call, OwnEndedWhy.NO_ANSWER)


def caller_left(turn: Turn, call: Call) -> None:
    """Nobody is left to ask about."""
    if call.consult is not None and call.consult.outside is not None:
        consult = _over(turn, call, OwnEndedWhy.CALLED_OFF)
        turn.want(CloseBridge(call.id, call.node, consult.bridge))


def leg_ended(turn: Turn, call: Call, leg: Leg, cause: Cause) -> bool:
    """Whether that was the number that is asked; then the agent has her caller again."""
    consult = call.consult
    if consult is None or consult.outside is None or consult.outside.leg != leg.id:
        return False
    hung_up = consult.answered_at is not None
    end(turn, call, OwnEndedWhy.HUNG_UP if hung_up else WHY_BY_CAUSE.get(cause, OwnEndedWhy.UNREACHABLE))
    return True


def lost_while_it_rings(turn: Turn, call: Call, cause: Cause) -> bool:
    """Whether the agent whose leg has ended was lost before an answer; then it rings no more, and she is lost as from any talk."""
    consult = call.consult
    if consult is None or consult.outside is None or consult.answered_at is not None or cause not in LOST:
        return False
    _over(turn, call, OwnEndedWhy.CALLED_OFF)
    turn.want(CloseBridge(call.id, call.node, consult.bridge))
    turn.hang_up(call, call.legs.get(consult.leg))
    return True


def hand_over(turn: Turn, call: Call, consult: Consult, why: EndedWhy) -> None:
    """The agent leaves: the caller talks to the number, or hears it ring."""
    asked, contact = consult.outside, turn.state.contacts[call.contact]
    assert asked is not None
    if consult.answered_at is None:
        _over(turn, call, OwnEndedWhy.CALLED_OFF)
        turn.want(CloseBridge(call.id, call.node, consult.bridge))
        turn.hang_up(call, call.legs.get(consult.leg))
        part(turn, contact, why)
        turn.want(StopMusic(call.id, call.node, call.began.leg))
        turn.send_on(call, transferred_outside(contact.entered.queue, asked.number))
        return
    agent = leave(turn, contact, why)
    turn.emit(CallerHandedOutside(turn.now, call.id, asked.leg, agent.name, asked.number, talk(turn, consult)))
    turn.hang_up(call, call.legs.get(consult.leg))
    for leg in (call.began.leg, asked.leg):
        turn.want(StopMusic(call.id, call.node, leg))
    turn.want(ConnectLegs(call.id, call.node, call.bridge, (call.began.leg, call.outside)))
    settle(turn, agent)
