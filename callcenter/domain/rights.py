"""Who may do what: roles give rights, and a scope says upon which queues, teams and campaigns.

Denied unless given. A role is a row of ``RIGHTS``; who has several roles has the rights of all. The rights to listen and
to export are apart from the others (``SEPARATE``): they can be granted to one person or withheld from her, whatever her roles.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    OWN_ACCOUNT = "own_account"
    """Her own password, sessions, language and theme."""
    COMMAND_OWN_AGENT = "command_own_agent"
    """Be the agent that she is: ready, answer, transfer, disposition ..."""
    SEE_WALLBOARD = "see_wallboard"
    """Queues, agents and calls of this moment."""
    SEE_CONTACTS = "see_contacts"
    """Contacts of the past with their callers and notes, and why a contact waits."""
    SEE_REPORTS = "see_reports"
    HANDLE_CALLBACKS = "handle_callbacks"
    HANDLE_VOICEMAIL = "handle_voicemail"
    LISTEN = "listen"
    """Monitor, whisper, barge and take over contacts of this moment."""
    SEE_RECORDINGS = "see_recordings"
    """Which there are, not what they sound like."""
    LISTEN_RECORDINGS = "listen_recordings"
    EXPORT = "export"
    """Take reports, recordings, leads or contacts out of the center."""
    FORCE_STATE = "force_state"
    """Change the state of somebody else's agent."""
    MOVE_CONTACTS = "move_contacts"
    """Move and reorder those who wait."""
    SEND_NOTICES = "send_notices"
    EDIT_ALERTS = "edit_alerts"
    SWITCH_HOURS = "switch_hours"
    RUN_CAMPAIGNS = "run_campaigns"
    EDIT_LEADS = "edit_leads"
    SEE_CONFIG = "see_config"
    CHANGE_CONFIG = "change_config"
    RECORD_PROMPTS = "record_prompts"
    MANAGE_WEBHOOKS = "manage_webhooks"
    SEE_AUDIT = "see_audit"
    MANAGE_PEOPLE = "manage_people"


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    OPS = "ops"
    ADMIN = "admin"


_EVERYBODY = frozenset({Right.OWN_ACCOUNT, Right.SEE_WALLBOARD})
_AGENT = _EVERYBODY | {Right.COMMAND_OWN_AGENT, Right.SEE_CONTACTS, Right.HANDLE_CALLBACKS, Right.HANDLE_VOICEMAIL}
_SUPERVISOR = _AGENT | {
    Right.SEE_REPORTS,
    Right.LISTEN,
    Right.SEE_RECORDINGS,
    Right.LISTEN_RECORDINGS,
    Right.FORCE_STATE,
    Right.MOVE_CONTACTS,
    Right.SEND_NOTICES,
    Right.EDIT_ALERTS,
    Right.SWITCH_HOURS,
    Right.SEE_CONFIG,
}
_OPS = _EVERYBODY | {
    Right.SEE_CONTACTS,
    Right.SEE_REPORTS,
    Right.SEE_RECORDINGS,
    Right.HANDLE_CALLBACKS,
    Right.SEND_NOTICES,
    Right.EDIT_ALERTS,
    Right.SWITCH_HOURS,
    Right.RUN_CAMPAIGNS,
    Right.EDIT_LEADS,
    Right.EXPORT,
    Right.SEE_CONFIG,
    Right.RECORD_PROMPTS,
}
_ADMIN = _OPS - {Right.EXPORT} | {Right.CHANGE_CONFIG, Right.MANAGE_WEBHOOKS, Right.SEE_AUDIT, Right.MANAGE_PEOPLE, Right.FORCE_STATE}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.AGENT: frozenset(_AGENT),
    Role.SUPERVISOR: frozenset(_SUPERVISOR),
    Role.OPS: frozenset(_OPS),
    Role.ADMIN: frozenset(_ADMIN),
}

SEPARATE: frozenset[Right] = frozenset({Right.LISTEN, Right.LISTEN_RECORDINGS, Right.EXPORT})
"""May be granted to one person, or withheld from one, apart from her roles."""

OWN: frozenset[Right] = frozenset({Right.OWN_ACCOUNT, Right.COMMAND_OWN_AGENT})
"""Rights upon oneself; no scope widens them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Upon what somebody's rights reach; None: without limit. An empty set reaches nothing of that kind."""

    queues: frozenset[str] | None = None
    teams: frozenset[str] | None = None
    campaigns: frozenset[str] | None = None

    def has_queue(self, queue: str) -> bool:
        return self.queues is None or queue in self.queues

    def has_team(self, team: str) -> bool:
        return self.teams is None or team in self.teams

    def has_campaign(self, campaign: str) -> bool:
        return self.campaigns is None or campaign in self.campaigns


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Of:
    """What a right is to be exercised upon. None: that kind of limit does not apply to it.

    ``queues``: one of them must be in scope (a contact has one, an agent serves several). ``team`` "": of no team, which only
    who has no limit by team may touch.
    """

    queues: frozenset[str] | None = None
    team: str | None = None
    campaign: str | None = None
    agent: str | None = None
    person: str | None = None


def of_queue(queue: str) -> Of:
    return Of(queues=frozenset({queue}))


def of_campaign(campaign: str) -> Of:
    return Of(campaign=campaign)


def of_agent(agent: str, queues: Collection[str] | None = None, team: str | None = None) -> Of:
    """An agent, who serves these queues and is of this team."""
    return Of(None if queues is None else frozenset(queues), team, None, agent)


def of_person(person: str) -> Of:
    return Of(person=person)


@dataclass(frozen=True, slots=True)
class Signed:
    """Who asks: a person who has signed in, or a program with a token of hers."""

    person: str
    """Her sign-in name."""
    shown: str
    """Her name for screens."""
    roles: frozenset[Role] = frozenset()
    rights: frozenset[Right] = frozenset()
    scope: Scope = EVERYTHING
    agent: str = ""
    """The agent that she is; empty: none."""
    language: str = ""
    """Of her screens; empty: as the browser wishes."""
    theme: str = ""
    """``light`` or ``dark``; empty: as the system is."""
    session: str = ""
    """Names her session in lists and in the audit trail; nothing can be signed in with it. Empty: a token."""
    token: str = ""
    """Names the token; empty: a session."""

    @property
    def via(self) -> str:
        """By what she signed in, for the audit trail."""
        return f"token {self.token}" if self.token else f"session {self.session}"


def rights_of(
    roles: Collection[Role],
    granted: Collection[Right] = (),
    withheld: Collection[Right] = (),
    token_scopes: Collection[Right] | None = None,
) -> frozenset[Right]:
    """All rights of a person; with a token, those of them that the token was made for."""
    given = frozenset().union(*(RIGHTS[role] for role in roles)) | (frozenset(granted) & SEPARATE)
    given -= frozenset(withheld) & SEPARATE
    return given if token_scopes is None else given & frozenset(token_scopes)


def may(signed: Signed, right: Right, of: Of | None = None) -> bool:
    """Whether she may exercise the right, upon this if it is named. Whoever asks without naming it must name it later."""
    if right not in signed.rights:
        return False
    if of is None:
        return True
    if right in OWN and not _herself(signed, of):
        return False
    scope = signed.scope
    return (
        (of.queues is None or scope.queues is None or bool(of.queues & scope.queues))
        and (of.team is None or scope.has_team(of.team))
        and (of.campaign is None or scope.has_campaign(of.campaign))
    )


def _herself(signed: Signed, of: Of) -> bool:
    agent = of.agent is None or (signed.agent != "" and of.agent == signed.agent)
    return agent and (of.person is None or of.person == signed.person)
