"""What facts of agents change."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.agent import AGENT_MOVES
from callcenter.domain.deadlines import KEYS, REST, WRAP_UP
from callcenter.domain.enrolment import SERVING, count_in, count_out, enroll, forget_agent, learn_skills, served_queues, strike_off
from callcenter.domain.figures import Figures, stayed
from callcenter.domain.load import Load
from callcenter.domain.machine import IllegalTransition
from callcenter.domain.tally import AgentTally

if TYPE_CHECKING:
    from callcenter.domain.state import State


def agent_state_changed(state: "State", fact: f.AgentStateChanged) -> None:
    agent = state.agent(fact.agent)
    if fact.state not in AGENT_MOVES[agent.state] and f.AgentStateChanged in agent.history:
        raise IllegalTransition(agent.name, agent.state, fact.state)
    state.lines.stand_back(agent)
    comes_or_goes = (agent.state is f.AgentState.LOGGED_OUT) is not (fact.state is f.AgentState.LOGGED_OUT)
    comes_or_goes = comes_or_goes or (agent.state in SERVING) is not (fact.state in SERVING)
    if comes_or_goes:
        count_out(state, agent)
    if agent.since is not None:
        agent.load = agent.load.after(agent.state, fact.at - agent.since)
        agent.figures = stayed(agent.figures, state.config.time_zone, agent.state, agent.since, fact.at)
    agent.tally.moved(agent.state, fact.state, fact.at, state.config.window)
    agent.state, agent.reason, agent.since = fact.state, fact.reason, fact.at
    agent.idle_since, agent.contact, agent.until = fact.idle_since, fact.contact, fact.until
    agent.extended, agent.keys, agent.keys_until = False, "", None
    agent.history.pop(f.WrapUpExtended, None)
    agent.history.pop(f.AgentKeysTaken, None)
    agent.history.pop(f.AgentPhoneAsked, None)
    if fact.state not in (f.AgentState.TALKING, f.AgentState.WRAP_UP):
        agent.remembered = None
        agent.history.pop(f.AgentRequestRemembered, None)
    if fact.until is not None:
        state.deadlines.set(fact.until, WRAP_UP if fact.state is f.AgentState.WRAP_UP else REST, agent.name)
    if comes_or_goes:
        count_in(state, agent)
        for name in agent.queues:
            state.recount(state.queue(name), fact.at)
    state.lines.line_up(agent)
    if agent.name not in state.config.agents:
        strike_off(state, agent)


def agent_request_remembered(state: "State", fact: f.AgentRequestRemembered) -> None:
    state.agent(fact.agent).remembered = fact


def agent_forced(state: "State", fact: f.AgentForced) -> None:
    pass  # the state that follows says it all; this is for people


def wrap_up_extended(state: "State", fact: f.WrapUpExtended) -> None:
    agent = state.agent(fact.agent)
    if agent.state is not f.AgentState.WRAP_UP or agent.contact != fact.contact:
        raise IllegalTransition(agent.name, agent.state, type(fact).__name__)
    agent.until, agent.extended = fact.until, True
    state.deadlines.set(fact.until, WRAP_UP, agent.name)


def missed_offers_counted(state: "State", fact: f.MissedOffersCounted) -> None:
    state.agent(fact.agent).missed_at = fact.missed_at


def agent_removed(state: "State", fact: f.AgentRemoved) -> None:
    """After a restart she may be configured again: what was known of her before is not hers any more."""
    agent = state.agents.get(fact.agent)
    if agent is not None:
        state.lines.stand_back(agent)
        count_out(state, agent)
        forget_agent(state, agent)
    state.struck_off.discard(fact.agent)
    config = state.config.agents.get(fact.agent)
    if config is not None:
        enroll(state, config, list(state.config.agents).index(fact.agent))
        learn_skills(state, state.agents[fact.agent])


def agent_taken_out(state: "State", fact: f.AgentTakenOut) -> None:
    pass  # the state that follows says it all; this is for people


def agent_opted_out(state: "State", fact: f.AgentOptedOut) -> None:
    agent = state.agent(fact.agent)
    config = state.config.agents.get(agent.name)
    state.lines.stand_back(agent)
    count_out(state, agent)
    agent.opted_out = fact.queues
    retired = [name for name in agent.queues if name not in state.config.queues]
    agent.queues = (*served_queues(config, agent), *retired) if config else ()
    agent.serves = state.lines.serving(config, agent.queues) if config else {}
    state.lines.look_again(agent)
    count_in(state, agent)
    state.lines.line_up(agent)


def agent_load_kept(state: "State", fact: f.AgentLoadKept) -> None:
    state.agent(fact.agent).load = Load(fact.busy, fact.free)


def agent_figures_kept(state: "State", fact: f.AgentFiguresKept) -> None:
    day = date.fromisoformat(fact.day)
    state.agent(fact.agent).figures = Figures(day, fact.contacts, fact.talk, fact.hold, fact.wrap_up, fact.busy, fact.free)


def agent_keys_taken(state: "State", fact: f.AgentKeysTaken) -> None:
    agent = state.agent(fact.agent)
    agent.keys, agent.keys_until = fact.keys, fact.until
    if fact.until is not None:
        state.deadlines.set(fact.until, KEYS, agent.name)


def agent_phone_asked(state: "State", fact: f.AgentPhoneAsked) -> None:
    agent = state.agent(fact.agent)
    agent.until = fact.until
    state.deadlines.set(fact.until, REST, agent.name)


def agent_phone_changed(state: "State", fact: f.AgentPhoneChanged) -> None:
    state.agent(fact.agent).reachable = fact.reachable


def agent_fallback_talk_changed(state: "State", fact: f.AgentFallbackTalkChanged) -> None:
    agent = state.agent(fact.agent)
    state.fallback_legs.pop(agent.fallback_leg, None)
    agent.fallback_leg = fact.leg if fact.talking else ""
    if not fact.talking:
        agent.tally.call_at = fact.at
    if fact.talking:
        state.fallback_legs[fact.leg] = agent


def skills_expired(state: "State", fact: f.SkillsExpired) -> None:
    agent = state.agent(fact.agent)
    state.lines.stand_back(agent)
    agent.skills_as_of = fact.at
    learn_skills(state, agent)
    state.lines.look_again(agent)
    state.lines.line_up(agent)


def agent_talk_over(state: "State", fact: f.AgentTalkOver) -> None:
    pass  # the last one is kept with her


def agent_tallied(state: "State", fact: f.AgentTallied) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        state.lines.stand_back(agent)
        agent.tally = AgentTally.of(fact)
        state.lines.line_up(agent)


FOLDS: Mapping[type, Callable[..., None]] = {
    f.AgentStateChanged: agent_state_changed,
    f.AgentRequestRemembered: agent_request_remembered,
    f.AgentForced: agent_forced,
    f.WrapUpExtended: wrap_up_extended,
    f.MissedOffersCounted: missed_offers_counted,
    f.AgentRemoved: agent_removed,
    f.AgentTakenOut: agent_taken_out,
    f.AgentOptedOut: agent_opted_out,
    f.AgentLoadKept: agent_load_kept,
    f.AgentFiguresKept: agent_figures_kept,
    f.AgentKeysTaken: agent_keys_taken,
    f.AgentPhoneAsked: agent_phone_asked,
    f.AgentPhoneChanged: agent_phone_changed,
    f.AgentFallbackTalkChanged: agent_fallback_talk_changed,
    f.SkillsExpired: skills_expired,
    f.AgentTalkOver: agent_talk_over,
    f.AgentTallied: agent_tallied,
}
