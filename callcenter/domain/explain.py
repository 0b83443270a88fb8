"""Why a contact waits, and why an agent was offered it: by the same predicates as the router's.

For a contact that waits, who could take it now, why each other agent cannot, and what will change by itself, when. For an offer of the past
the same, on the state as it was right before: facts are folded up to it (``past``).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.domain.agent import Agent
from callcenter.domain.config import CenterConfig
from callcenter.domain.facts import AgentState, ContactConnected, ContactEntered, ContactOffered, Fact
from callcenter.domain.ids import Ids
from callcenter.domain.queue import Pool, Queue, Unfit
from callcenter.domain.router import rank_words
from callcenter.domain.routing_config import RelaxStep
from callcenter.domain.skills import unmet
from callcenter.domain.state import State
from callcenter.domain.strategies import AgentRank
from callcenter.domain.turn import Turn
from callcenter.domain.waiter import Band, Waiter
from callcenter.domain.watch import measure


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent who could take it, in the order in which she would be offered it."""

    agent: str
    rank: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """An agent who could not, and why."""

    agent: str
    why: str


@dataclass(frozen=True, slots=True)
class Coming:
    """What will change by itself."""

    what: str
    at: datetime | None = None
    """None: when a condition holds."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one contact at one moment."""

    contact: str
    queue: str
    at: datetime
    waited: timedelta
    state: str
    ahead: int
    """How many stand before it in the queue's line."""
    priority: float
    """What it has grown to."""
    requires: str
    prefers: str
    directed_by: str
    """The routing rule, if any."""
    preferred: str
    """The agent it waits for alone, or why it does not wait for one."""
    candidates: tuple[Candidate, ...]
    others: tuple[Other, ...]
    elsewhere: int
    """Agents who do not serve the queue at all."""
    coming: tuple[Coming, ...]
    winner: str = ""
    """With an offer of the past: who was offered it."""


def explain(state: State, contact_id: str, now: datetime) -> Explanation | None:
    """The contact as it stands now; None when it does not wait."""
    waiter = state.waiter(contact_id)
    if waiter is None:
        return None
    queue = state.queue(waiter.queue)
    turn = Turn(state, Ids("explain"), now, {})
    pool = Pool(queue, (waiter.require, waiter.prefer, waiter.rung))
    contact = state.contacts.get(contact_id)
    entered = contact.entered if contact is not None else None
    place = queue.place_of(waiter)
    judged = [(agent, _lost(state, waiter, pool, agent)) for _, agent in sorted(state.agents.items()) if queue.name in agent.serves]
    able = sorted((_rank(queue, pool, agent), agent) for agent, why in judged if not why)
    preferred = f"waits for {waiter.preferred} alone" if waiter.preferred else entered.preferred_skipped if entered else ""
    return Explanation(
        contact=contact_id,
        queue=queue.name,
        at=now,
        waited=waiter.wait(now),
        state=contact.state.value if contact is not None else waiter.kind,
        ahead=sum(1 for other in queue.waiting.in_order() if (before := queue.waiting.rank_of(other)) is not None and before < place),
        priority=round(queue.priority_of(waiter, now), 3),
        requires=str(pool.require),
        prefers=str(pool.prefer),
        directed_by=entered.rule if entered else "",
        preferred=preferred,
        candidates=tuple(Candidate(agent.name, rank_words(turn, queue, agent, ranked)) for ranked, agent in able),
        others=tuple(Other(agent.name, why) for agent, why in judged if why),
        elsewhere=len(state.agents) - len(judged),
        coming=tuple(_coming(turn, queue, waiter)),
    )


def _rank(queue: Queue, pool: Pool, agent: Agent) -> AgentRank:
    """Who waits for one agent alone is hers, whatever her rank."""
    fits = pool.fit(agent)
    level, gap = (0, 0) if isinstance(fits, Unfit) else fits
    return level, gap, *queue.looked_at(agent), agent.name


# --- why not ------------------------------------------------------------------------------------


def _lost(state: State, waiter: Waiter, pool: Pool, agent: Agent) -> str:
    """Why she cannot be offered it now; empty when she can."""
    if waiter.preferred and waiter.preferred != agent.name:
        return f"it waits for {waiter.preferred} alone"
    fits = pool.fit(agent)
    if isinstance(fits, Unfit) and not waiter.preferred:
        return _unfit(fits, pool, agent)
    return _not_ready(state, waiter, agent)


def _unfit(why: Unfit, pool: Pool, agent: Agent) -> str:
    serving = agent.serves[pool.queue.name]
    match why:
        case Unfit.GROUP:
            return f"belongs to {', '.join(serving.groups)}, which is not called now"
        case Unfit.DELAY:
            return f"is offered what has waited {serving.delay.total_seconds():g} s"
        case Unfit.SKILL:
            return f"lacks {unmet(pool.require, agent.skills)}"


def _not_ready(state: State, waiter: Waiter, agent: Agent) -> str:
    match agent.state:
        case AgentState.READY:
            return ""
        case AgentState.NOT_READY:
            return f"is not ready ({agent.reason.replace('_', ' ')})"
        case AgentState.LOGGED_OUT:
            return "is logged out"
        case AgentState.RESERVED if agent.contact == waiter.id:
            return "is being offered it"
        case AgentState.RESERVED:
            return "is being offered another contact"
        case AgentState.WRAP_UP:
            return "wraps up" + (f" until {agent.until:%H:%M:%S}" if agent.until else "")
        case _:
            return "is talking"


# --- what comes ---------------------------------------------------------------------------------


def _coming(turn: Turn, queue: Queue, waiter: Waiter) -> Iterator[Coming]:
    """By date first, then by condition."""
    dated = [Coming(what, at) for what, at in _dated(turn, queue, waiter) if at > turn.now]
    yield from sorted(dated, key=lambda coming: (coming.at or turn.now, coming.what))
    for step in queue.routing.relax:
        if step.when is not None and not queue.holds(step.when):
            measured = turn.state.queue(step.when.queue) if step.when.queue else queue
            value = measure(turn, measured, step.when.metric)
            yield Coming(f"{step.name} when {step.when.key} (now {'unknown' if value is None else f'{value:g}'}): {effect(step)}")


def _dated(turn: Turn, queue: Queue, waiter: Waiter) -> Iterator[tuple[str, datetime]]:
    if waiter.preferred and waiter.preferred_until is not None:
        yield f"it no longer waits for {waiter.preferred} alone", waiter.preferred_until
    for step in queue.routing.relax:
        if step.after is not None:
            yield f"{step.name}: {effect(step)}", waiter.entered_at + step.after
    for agent in turn.state.agents.values():
        serving = agent.serves.get(queue.name)
        if serving is not None and serving.delay:
            yield f"{agent.name} may be offered it", waiter.entered_at + serving.delay
    if waiter.band is not Band.STARVING and queue.routing.starve_after is not None:
        yield "it comes before everybody else", waiter.entered_at + queue.routing.starve_after
    cap = queue.routing.priority_cap
    if waiter.band is Band.AGEING and cap is not None and queue.routing.acceleration > 0:
        yield f"its priority has grown to {cap:g}", queue.cap_date(waiter, cap)


def effect(step: RelaxStep) -> str:
    """What a step of relaxing does, in words."""
    words = []
    if step.require is not None:
        words.append(f"requires {step.require or 'nothing'}")
    if step.prefer is not None:
        words.append(f"prefers {step.prefer or 'nobody'}")
    if step.waive:
        words.append(f"waives {', '.join(step.waive)}")
    if step.groups:
        words.append(f"calls {', '.join(step.groups)}")
    return ", ".join(words)


# --- the past -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Past:
    """All that the facts say of how a contact was offered."""

    entered: ContactEntered
    offers: tuple[tuple[ContactOffered, Explanation], ...]
    connected: ContactConnected | None


def past(
    config: CenterConfig,
    facts: Iterable[Fact],
    contact_id: str,
    on_unfit: Callable[[Fact], None] = lambda fact: None,
    *,
    changes: Iterable[tuple[datetime, CenterConfig]] = (),
) -> Past | None:
    """Fold the facts, and explain each offer of the contact on the state right before it.

    Rules are those of ``config``, and from each date of ``changes`` on, which are in their order, those that came into use then. Facts
    whose beginnings are no longer there (calls that began before the first of them) are left out and told to ``on_unfit``.
    """
    state = State(config)
    to_come = list(changes)[::-1]
    entered: ContactEntered | None = None
    connected: ContactConnected | None = None
    offers: list[tuple[ContactOffered, Explanation]] = []
    for fact in facts:
        while to_come and to_come[-1][0] <= fact.at:
            state.configure(to_come.pop()[1])
        if isinstance(fact, ContactOffered) and fact.contact == contact_id:
            explained = explain(state, contact_id, fact.at)
            if explained is not None:
                offers.append((fact, explained))
        try:
            state.apply(fact)
        except Exception:
            on_unfit(fact)
        if isinstance(fact, ContactEntered) and fact.contact == contact_id:
            entered = fact
        elif isinstance(fact, ContactConnected) and fact.contact == contact_id:
            connected = fact
    return Past(entered, tuple(offers), connected) if entered is not None else None
