"""Agents, and the callbacks they are reserved for (A1, A4, A5)."""

from collections.abc import Callable, Mapping

from callcenter.domain import facts as f
from callcenter.domain.facts import callbacks as cf
from callcenter.sim.checker.notebook import Agent, Notebook


def may_be_offered(notes: Notebook, name: str, what: str, queue: str) -> None:
    """Judges what is given to her, and ``queue`` if anybody of that queue could have had it."""
    agent = notes.agents.get(name, Agent())
    engaged = notes.engaged().get(name)
    if engaged:
        notes.wrong("A1", f"{name} is offered {what} and is in an {engaged[0]} already")
    if agent.state is not f.AgentState.READY:
        notes.wrong("A5", f"{name} is offered {what} while {agent.state}")
    if not agent.reachable and not notes.has_outside(name):
        notes.wrong("A5", f"{name} is offered {what}, and the phone is unreachable")
    if agent.fallback_leg:
        notes.wrong("A5", f"{name} is offered {what} while talking in the fallback")
    if queue in notes.plain and not notes.serves(name, queue):
        notes.wrong("A5", f"{name} is offered {what} of queue {queue}, which she does not serve")


def _owned(notes: Notebook, fact: cf.CallbackCreated | cf.CallbackEdited) -> None:
    notes.callbacks[fact.callback] = fact.owner


def _reserved_for_callback(notes: Notebook, fact: cf.CallbackReserved) -> None:
    if fact.callback in notes.reservations:
        notes.wrong("A1", f"callback {fact.callback} has {notes.reservations[fact.callback].agent} and is given {fact.agent}")
    if fact.node in notes.away:
        notes.wrong("A5", f"callback {fact.callback} has its turn while its node {fact.node} is away")
    own = notes.callbacks.get(fact.callback) == fact.agent  # who promised to call does, whatever queues she serves
    may_be_offered(notes, fact.agent, f"callback {fact.callback}", "" if own else fact.queue)
    notes.reservations[fact.callback] = fact


def _released(notes: Notebook, fact: cf.CallbackReleased | cf.CallbackBridged) -> None:
    notes.reservations.pop(fact.callback, None)


def _attempted(notes: Notebook, fact: cf.CallbackAttempted) -> None:
    notes.once("attempt", fact.attempt)
    if fact.callback not in notes.callbacks:
        notes.wrong("once", f"callback {fact.callback} is dialed, and was kept, broken or never promised")


def _callback_over(notes: Notebook, fact: cf.CallbackKept | cf.CallbackBroken) -> None:
    if fact.callback not in notes.callbacks:
        notes.wrong("A3", f"callback {fact.callback} is over a second time, or was never promised")
    notes.callbacks.pop(fact.callback, None)


def _agent_changed(notes: Notebook, fact: f.AgentStateChanged) -> None:
    agent = notes.agent(fact.agent)
    withdrawn = agent.state is f.AgentState.RESERVED and fact.state is f.AgentState.READY
    if withdrawn and fact.idle_since != agent.idle_since:
        notes.wrong("A4", f"{fact.agent} loses her place among the idle by an offer that was withdrawn")
    if fact.state is f.AgentState.READY and ((not agent.reachable and not notes.has_outside(fact.agent)) or agent.fallback_leg):
        notes.wrong("A5", f"{fact.agent} becomes ready with a phone that cannot be rung")
    agent.state, agent.contact, agent.idle_since = fact.state, fact.contact, fact.idle_since


def _phone_changed(notes: Notebook, fact: f.AgentPhoneChanged) -> None:
    notes.agent(fact.agent).reachable = fact.reachable


def _fallback_talk(notes: Notebook, fact: f.AgentFallbackTalkChanged) -> None:
    notes.agent(fact.agent).fallback_leg = fact.leg if fact.talking else ""


def _agent_removed(notes: Notebook, fact: f.AgentRemoved) -> None:
    notes.agents.pop(fact.agent, None)


def _opted_out(notes: Notebook, fact: f.AgentOptedOut) -> None:
    notes.agent(fact.agent).opted_out = fact.queues


AGENTS: Mapping[type, Callable[..., None]] = {
    f.AgentStateChanged: _agent_changed,
    f.AgentPhoneChanged: _phone_changed,
    f.AgentFallbackTalkChanged: _fallback_talk,
    f.AgentOptedOut: _opted_out,
    f.AgentRemoved: _agent_removed,
    cf.CallbackCreated: _owned,
    cf.CallbackEdited: _owned,
    cf.CallbackReserved: _reserved_for_callback,
    cf.CallbackReleased: _released,
    cf.CallbackAttempted: _attempted,
    cf.CallbackBridged: _released,
    cf.CallbackKept: _callback_over,
    cf.CallbackBroken: _callback_over,
}
