"""Who gets whom.

The invariant the router keeps: no pool ever has both a waiter and an agent that may take it. So a contact that comes to wait looks at the
first agent of its pool, an agent who becomes ready at the heads of the pools she fits, and nothing else is ever looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from callcenter.domain import find_me
from callcenter.domain.agent import Agent
from callcenter.domain.config import Device
from callcenter.domain.contact import Contact
from callcenter.domain.facts import AdvancedWhy, AgentState, AgentStateChanged, ContactOffered, SkillsExpired, WaiterAdvanced
from callcenter.domain.line import Place
from callcenter.domain.queue import Pool, Queue
from callcenter.domain.routing_config import Between, Strategy
from callcenter.domain.strategies import AgentRank, idle_since
from callcenter.domain.turn import Turn
from callcenter.domain.waiter import CONTACT, Band, Waiter

Urgency = tuple[int, int, int, float, float, str]
"""Starving, waits for her alone, her level, what ``between_queues`` looks at, the date, the id; lowest first."""


def route_waiter(turn: Turn, waiter: Waiter) -> None:
    """Somebody has come to stand in line, or more agents may take them."""
    queue = turn.state.queue(waiter.queue)
    if waiter.id not in turn.state.waiters:
        _ring_along(turn, queue)
    elif waiter.preferred:
        agent = turn.state.agents.get(waiter.preferred)
        if agent is not None and agent.state is AgentState.READY:
            _give(turn, waiter, queue, agent)
    else:
        _route_pool(turn, queue.pool(waiter))


def route_queue(turn: Turn, queue: Queue) -> None:
    """Anything may have changed in the queue: pair its waiters and agents, first come first served, while there are both."""
    while (pool := min((pool for pool in queue.awake if _pairs(pool)), key=_head, default=None)) is not None:
        _serve(turn, pool)
    _ring_along(turn, queue)


def _pairs(pool: Pool) -> bool:
    return len(pool.waiting) > 0 and len(pool.ready) > 0


def _head(pool: Pool) -> tuple[int, float, float, str]:
    head = pool.waiting.head()
    assert head is not None
    return head


def _route_pool(turn: Turn, pool: Pool) -> None:
    while _pairs(pool):
        _serve(turn, pool)


def _serve(turn: Turn, pool: Pool) -> None:
    """The first waiter of the pool meets the first agent."""
    waiter = turn.state.waiters[_head(pool)[-1]]
    best = pool.ready.head()
    assert best is not None
    _give(turn, waiter, pool.queue, turn.state.agents[best[-1]], pool)


def route_agent(turn: Turn, agent: Agent) -> None:
    """Give a ready agent the most urgent waiter at the heads of the pools she fits.

    When nobody waits, she rings along for the first of the contacts that ring everybody.
    """
    while agent.state is AgentState.READY and (own := turn.state.callbacks.own_of(agent.name)) is not None:
        turn.its_turn[own.kind](turn, own, agent)
    while agent.state is AgentState.READY and (heads := list(_heads(turn, agent))):
        _, waiter, pool = min(heads, key=lambda head: head[0])
        _give(turn, waiter, turn.state.queue(waiter.queue), agent, pool)
    for name in agent.serves if agent.state is AgentState.READY else ():
        _ring_along(turn, turn.state.queue(name))


def _heads(turn: Turn, agent: Agent) -> Iterator[tuple[Urgency, Waiter, Pool | None]]:
    personal = turn.state.lines.personal.get(agent.name)
    if personal is not None and (place := personal.head()) is not None:
        waiter = turn.state.waiters[place[-1]]
        yield _urgency(turn, waiter, agent, alone=True), waiter, None
    for name in agent.serves:
        best: tuple[Place, Pool] | None = None
        for pool in turn.state.queues[name].awake:
            if (
                pool.waiting.ranks
                and agent.name in pool.ready.ranks
                and (place := pool.waiting.head()) is not None
                and (best is None or place < best[0])
            ):
                best = place, pool
        if best is not None:
            waiter = turn.state.waiters[best[0][-1]]
            yield _urgency(turn, waiter, agent), waiter, best[1]


def _urgency(turn: Turn, waiter: Waiter, agent: Agent, alone: bool = False) -> Urgency:
    queue = turn.state.queue(waiter.queue)
    serving = agent.serves.get(waiter.queue)
    at = waiter.place.timestamp()
    looked_at = 0.0
    match turn.state.config.between_queues:
        case Between.PRIORITY:
            looked_at = -queue.priority_of(waiter, turn.now)
        case Between.MARGINAL_COST:
            looked_at = -marginal_cost(waiter.wait(turn.now), queue.config.target_wait)
    return 0 if waiter.band is Band.STARVING else 1, 0 if alone else 1, serving.level if serving else 0, looked_at, at, waiter.id


def marginal_cost(wait: timedelta, target: timedelta) -> float:
    """What a second more costs, when a wait costs (wait / target)²: its derivative, 2 · wait / target², per second."""
    target_s = max(target.total_seconds(), 1.0)
    return 2 * wait.total_seconds() / target_s**2


# --- giving -------------------------------------------------------------------------------------


def _give(turn: Turn, waiter: Waiter, queue: Queue, agent: Agent, pool: Pool | None = None) -> None:
    """The waiter's turn has come, and this agent is there to take it; ``pool`` is None when it waited for her alone."""
    if waiter.kind != CONTACT:
        turn.its_turn[waiter.kind](turn, waiter, agent)
        if waiter.id in turn.state.waiters and agent.state is AgentState.READY:
            raise AssertionError(f"the turn of {waiter.kind} {waiter.id} came, and neither did it step out nor was {agent.name} reserved")
        return
    contact = turn.state.contacts[waiter.id]
    if pool is None:
        offer_to(turn, contact, agent, queue, 1, (), (f"preferred {agent.name}",))
    elif queue.routing.strategy is Strategy.RING_ALL:
        _ring_all(turn, contact, pool)
    else:
        ahead = pool.ready.first(4)
        rank = next((rank for rank in ahead if rank[-1] == agent.name), None) or pool.ready.rank_of(agent.name)
        others = [other[-1] for other in ahead if other[-1] != agent.name][:3]
        offer_to(turn, contact, agent, queue, len(pool.ready), others, rank_words(turn, queue, agent, rank) if rank else ())


def _ring_all(turn: Turn, contact: Contact, pool: Pool) -> None:
    ready = pool.ready.in_order()
    for name in ready:
        agent, rank = turn.state.agents[name], pool.ready.rank_of(name)
        others = [other for other in ready if other != name][:3]
        offer_to(turn, contact, agent, pool.queue, len(ready), others, rank_words(turn, pool.queue, agent, rank) if rank else ())


def _ring_along(turn: Turn, queue: Queue) -> None:
    """Ring-all offers a contact that rings already to those who have become ready for it, too."""
    if queue.routing.strategy is not Strategy.RING_ALL or not queue.at_hand:
        return
    for name in queue.ringing.in_order():
        contact = turn.state.contacts[name]
        pool = queue.pool(contact.waiter)
        if pool.ready:
            _ring_all(turn, contact, pool)


def rank_words(turn: Turn, queue: Queue, agent: Agent, rank: AgentRank) -> tuple[str, ...]:
    """The rank as it is kept and explained."""
    level, gap, _, _, _ = rank
    routing, tally, window = queue.routing, agent.tally, turn.state.config.window
    words = str(routing.strategy)
    match routing.strategy:
        case Strategy.ROUND_ROBIN:
            last = tally.turns.get(queue.name)
            words += f" {(turn.now - last).total_seconds():.1f} s ago" if last else " never"
        case Strategy.LEAST_OCCUPIED:
            words += f" {tally.occupancy_at(turn.now, window):.1%}"
        case Strategy.FEWEST_CONTACTS:
            words += f" {tally.contacts_at(turn.now, window):.2f}"
        case Strategy.LEAST_TALK:
            words += f" {tally.talk_at(turn.now, window):.0f} s"
        case Strategy.LIST_ORDER:
            words += f" {agent.order + 1}"
    since = idle_since(agent, routing.idle_clock)
    idle = f"idle {(turn.now - since).total_seconds():.1f} s" if since else "idle always"
    return f"level {level}", f"gap {gap}", words, idle


def offer_to(
    turn: Turn, contact: Contact, agent: Agent, queue: Queue, candidates: int, runners_up: Sequence[str], rank: tuple[str, ...]
) -> None:
    """Propose the contact to the agent, who is reserved for it until the ring time-out; with a leg that is up, she has it at once."""
    call = turn.state.calls[contact.entered.call]
    stays = turn.state.leg_of(agent)
    at_once = stays is not None and turn.state.legs[stays.id].node == call.node
    leg = stays.id if stays is not None and at_once else turn.ids.draw_leg(call.node)
    index, device = (0, Device(ring=queue.config.ring_timeout)) if at_once else find_me.first(agent, queue.config)
    until = turn.now + device.ring
    offer = turn.ids.draw()
    offered = ContactOffered(turn.now, call.id, contact.id, queue.name, offer, agent.name, leg, until, candidates, tuple(runners_up), rank)
    turn.emit(replace(offered, number=device.number, device=index, stays=at_once) if at_once or agent.devices else offered)
    turn.emit(AgentStateChanged(turn.now, agent.name, AgentState.RESERVED, contact=contact.id, idle_since=agent.idle_since))
    if at_once:
        turn.to_take.append((contact, offer))
    else:
        turn.want(find_me.ring(turn, call, leg, agent, device))


# --- as time passes -----------------------------------------------------------------------------


def advance(turn: Turn, waiter: Waiter) -> None:
    """What the waiter has waited long enough for happens now, even while a phone rings for it."""
    queue = turn.state.queue(waiter.queue)
    rung, band = max(waiter.rung, queue.rung_at(waiter.wait(turn.now))), min(waiter.band, queue.band_at(waiter, turn.now))
    over = bool(waiter.preferred) and waiter.preferred_until is not None and waiter.preferred_until <= turn.now
    if over:
        why = AdvancedWhy.PREFERRED_OVER
    elif rung > waiter.rung:
        why = AdvancedWhy.RELAXED
    elif band < waiter.band:
        why = AdvancedWhy.STARVING if band is Band.STARVING else AdvancedWhy.CAPPED
    else:
        return
    _advanced(turn, waiter, rung, Band(band), "" if over else waiter.preferred, why)


def give_up_preferred(turn: Turn, waiter: Waiter) -> None:
    """It no longer waits for one agent alone."""
    if waiter.preferred:
        _advanced(turn, waiter, waiter.rung, waiter.band, "", AdvancedWhy.PREFERRED_OVER)


def _advanced(turn: Turn, waiter: Waiter, rung: int, band: Band, preferred: str, why: AdvancedWhy) -> None:
    contact = turn.state.contacts.get(waiter.id)
    call = contact.entered.call if contact is not None else ""
    if call and waiter.preferred and not preferred and turn.state.calls[call].handed_on is not None:
        turn.unanswered.append(waiter.id)
        return
    turn.emit(WaiterAdvanced(turn.now, call, waiter.id, waiter.queue, rung, int(band), preferred, why))
    route_waiter(turn, waiter)


def expire_skills(turn: Turn, agent: Agent) -> None:
    """The date of some of her skills has come."""
    config = turn.state.config.agents[agent.name]
    expired = (name for name in agent.skills if (until := config.skills[name].until) is not None and until <= turn.now)
    turn.emit(SkillsExpired(turn.now, agent.name, tuple(sorted(expired))))
