"""What an agent becomes: the next state when she is free again, and what is remembered for later.

Who is ready is told to the router by its callers; this module only moves agents between states.
"""

from datetime import datetime, timedelta

from callcenter.domain import leg_ringing
from callcenter.domain.agent import ASK_PHONE_AFTER, FALLBACK_CALL, LEG_RINGS, MICRO_BREAK, MISSED_OFFER, OWN_CALL, PHONE_UNREACHABLE, Agent
from callcenter.domain.facts import (
    AgentPhoneChanged,
    AgentRemoved,
    AgentRequestRemembered,
    AgentState,
    AgentStateChanged,
    AgentTakenOut,
    MissedOffersCounted,
    MissedWhy,
)
from callcenter.domain.turn import Turn


def become(
    turn: Turn, agent: Agent, state: AgentState, reason: str = "", *, idle_since: datetime | None = None, until: datetime | None = None
) -> None:
    """Move to a state of rest. ``idle_since`` is for READY: None means from now on."""
    if state is AgentState.READY:
        idle_since = idle_since or turn.now
    if state is AgentState.LOGGED_OUT:
        _hang_up_leg(turn, agent)
    turn.emit(AgentStateChanged(turn.now, agent.name, state, reason, idle_since=idle_since, until=until))
    if agent.name in turn.state.struck_off:
        turn.emit(AgentRemoved(turn.now, agent.name))


def _hang_up_leg(turn: Turn, agent: Agent) -> None:
    """Who goes home leaves no leg behind."""
    for leg in (agent.leg, agent.leg_to_be):
        call = turn.state.legs.get(leg)
        if call is not None:
            turn.hang_up(call, call.legs[leg])


def become_free(turn: Turn, agent: Agent, idle_since: datetime | None = None, *, after_contact: bool = False) -> None:
    """After an offer or a contact: obey what was asked for meanwhile; else ready, if she can be."""
    remembered = agent.remembered
    if agent.name not in turn.state.config.agents:
        become(turn, agent, AgentState.LOGGED_OUT)
    elif remembered is not None and remembered.state is not AgentState.READY:
        become(turn, agent, remembered.state, remembered.reason)
    elif agent.fallback_leg:
        rest(turn, agent, FALLBACK_CALL)
    elif agent.own_call:
        rest(turn, agent, OWN_CALL, idle_since=idle_since)
    elif not agent.can_be_rung:
        wait_for_phone(turn, agent)
    elif after_contact and (pause := _micro_break(turn, agent)):
        rest(turn, agent, MICRO_BREAK, turn.now + pause)
    else:
        go_ready(turn, agent, idle_since)


def go_ready(turn: Turn, agent: Agent, idle_since: datetime | None = None) -> None:
    """Ready; with a leg that is to stay up and does not, once that is up."""
    if not agent.persistent or turn.state.leg_of(agent) is not None:
        become(turn, agent, AgentState.READY, idle_since=idle_since)
    elif agent.leg_to_be:  # it rings already
        if agent.reason != LEG_RINGS:
            rest(turn, agent, LEG_RINGS, turn.now + leg_ringing.RING_TIME + leg_ringing.GRACE)
    elif until := leg_ringing.ring(turn, agent):
        rest(turn, agent, LEG_RINGS, until)
    else:
        wait_for_phone(turn, agent)


def _micro_break(turn: Turn, agent: Agent) -> timedelta | None:
    """How long she rests before the next offer, because she has been busy too much lately."""
    rule = turn.state.config.occupancy
    if rule is None or agent.since is None:
        return None
    occupancy = agent.load.after(agent.state, turn.now - agent.since).occupancy
    return rule.micro_break if occupancy is not None and occupancy > rule.ceiling else None


def rest(turn: Turn, agent: Agent, reason: str, until: datetime | None = None, idle_since: datetime | None = None) -> None:
    """Not ready for a reason that ends by itself, on that date at the latest; then she is ready again, idle since then if not before."""
    become(turn, agent, AgentState.NOT_READY, reason, idle_since=idle_since, until=until)
    remember(turn, agent, AgentState.READY)


def wait_for_phone(turn: Turn, agent: Agent) -> None:
    """Not ready until her phone answers; it is asked now and then."""
    rest(turn, agent, PHONE_UNREACHABLE, turn.now + ASK_PHONE_AFTER)


def take_out(turn: Turn, agent: Agent, queue: str, why: MissedWhy, contact: str = "") -> None:
    """RONA: the agent missed an offer. A short rest, or not ready until she says so, or until her phone answers; supervisors are told.

    ``contact`` is empty for a callback whose caller was not dialed yet.

    Her idle clock runs on: a miss neither improves her place nor, as long as she may go on, costs it.
    """
    policy = turn.state.config.missed_offers
    if why is MissedWhy.UNREACHABLE:
        turn.emit(AgentTakenOut(turn.now, agent.name, contact, queue, why, 0))
        if agent.reachable and not agent.has_outside:
            turn.emit(AgentPhoneChanged(turn.now, agent.name, reachable=False))
        wait_for_phone(turn, agent)
        return
    counts = why is not MissedWhy.BUSY or policy.busy_counts
    recent = tuple(date for date in agent.missed_at if date > turn.now - policy.within)
    missed_at = (*recent, turn.now) if counts else recent
    if counts and len(missed_at) >= policy.most:
        _count(turn, agent, ())
        turn.emit(AgentTakenOut(turn.now, agent.name, contact, queue, why, len(missed_at)))
        become(turn, agent, AgentState.NOT_READY, MISSED_OFFER)
    else:
        _count(turn, agent, missed_at)
        pause = policy.busy_rest if why is MissedWhy.BUSY else policy.rest
        rest(turn, agent, MISSED_OFFER, turn.now + pause, agent.idle_since)


def _count(turn: Turn, agent: Agent, missed_at: tuple[datetime, ...]) -> None:
    if missed_at != agent.missed_at:
        turn.emit(MissedOffersCounted(turn.now, agent.name, missed_at))


def remember(turn: Turn, agent: Agent, state: AgentState, reason: str = "") -> None:
    turn.emit(AgentRequestRemembered(turn.now, agent.name, state, reason))
