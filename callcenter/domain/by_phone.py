"""What people do by phone that the audit trail would hold from a screen: one fact each, from which the books write the entry.

The engine has no database; the fact is in the journal first, so nothing is lost while the books are away, and nothing is written twice.
"""

from collections.abc import Mapping
from typing import NamedTuple

from callcenter.domain import permitted
from callcenter.domain.agent import Agent
from callcenter.domain.audit import By, Deed
from callcenter.domain.call import Call
from callcenter.domain.facts import AgentState, DoneByPhone
from callcenter.domain.turn import Turn

LOGIN, LOGOUT, LISTEN = "agent_login", "agent_logout", "message_listen"
OWN_DEEDS: Mapping[str, str] = {LOGIN: "logged_in", LOGOUT: "logged_out", LISTEN: "listened"}
"""What has no operation of its own at a console, or is not about others; at a screen one signs in."""
PHONE = "phone"


def note(turn: Turn, call: Call, agent: str, do: str, refused: str | None = "", /, **fields: str) -> None:
    """``do`` and ``fields`` are those of the console's operation; ``agent`` is whose phone it is, empty for one outside."""
    caller = "" if agent else call.began.caller.replace("\0", "\N{REPLACEMENT CHARACTER}")
    turn.emit(DoneByPhone(turn.now, call.id, agent, caller, do, refused or "", tuple(fields), tuple(fields.values())))


class Presence(NamedTuple):
    """Whether she is logged out, or will be as soon as she is free."""

    out: bool
    leaves: bool


def presence(agent: Agent) -> Presence:
    out = agent.state is AgentState.LOGGED_OUT
    return Presence(out, out or (agent.remembered is not None and agent.remembered.state is AgentState.LOGGED_OUT))


def note_presence(turn: Turn, call: Call, agent: Agent, before: Presence) -> None:
    """She has asked for something: whether she has logged in by that, or out (after her contact, if she is in one)."""
    now = presence(agent)
    if now.leaves is not before.leaves:
        note(turn, call, agent.name, LOGOUT if now.leaves else LOGIN, agent=agent.name)


def deed_of(fact: DoneByPhone) -> Deed:
    """What the trail is to hold; the same words as from a screen, and when it was done, as the entry may be written later."""
    fields = dict(zip(fact.names, fact.values, strict=True))
    deed = permitted.deed(fact.do, fields, fact.refused)
    if deed is None:
        of = f"message {fields['message']}" if fact.do == LISTEN else f"agent {fact.agent}"
        deed = Deed(OWN_DEEDS[fact.do], of, after=fields)
    return Deed(deed.what, deed.of, deed.reason, deed.before, {**deed.after, "call": fact.call, "happened_at": fact.at.isoformat()})


def by_of(fact: DoneByPhone, persons: Mapping[str, str]) -> By:
    """Who has done it: the person who is that agent, as ``persons`` says, else the agent's name; for one outside, the number."""
    if not fact.agent:
        return By(fact.caller or "unknown", PHONE)
    return By(persons.get(fact.agent, fact.agent), f"{PHONE} of agent {fact.agent}")
