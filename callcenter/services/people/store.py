"""Where people, their sessions and tokens, and the audit trail are kept. Every change is written with its audit entry or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from callcenter.domain.audit import AuditEntry, By, Deed
from callcenter.domain.rights import Right
from callcenter.domain.sign_in_limits import Tries
from callcenter.services.people.person import Person


class PeopleAway(Exception):
    """The database does not answer: nobody new can be let in."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in in a browser. Only the hash of what the browser holds is kept."""

    hash: str
    id: str
    """Names it in lists; opens nothing."""
    person: str
    begun_at: datetime
    seen_at: datetime
    ends_at: datetime
    """At the latest."""
    address: str = ""
    browser: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A program's way in, with rights of the person who made it, at most those in ``scopes``."""

    hash: str
    id: str
    person: str
    label: str
    scopes: frozenset[Right]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


class PeopleStore(Protocol):
    """Raises PeopleAway from every method."""

    async def anybody(self) -> bool: ...
    async def person(self, name: str) -> Person | None: ...
    async def person_of_subject(self, subject: str) -> Person | None: ...
    async def people(self) -> Sequence[Person]: ...
    async def add(self, person: Person, by: By) -> bool:
        """False: there is one of that name."""
        ...

    async def change(
        self, name: str, values: Mapping[str, object], by: By, what: str = "person_changed", reason: str = ""
    ) -> Person | None:
        """``values`` by fields of Person. None: there is nobody of that name. A role or scope that changes ends her sessions."""
        ...

    async def remove(self, name: str, by: By) -> bool: ...

    async def begin_session(self, session: Session, by: By, deed: Deed) -> None: ...
    async def session(self, hash_: str) -> tuple[Session, Person] | None:
        """Of an open session and an active person only."""
        ...

    async def seen(self, hashes: Sequence[str], at: datetime) -> None: ...
    async def sessions(self, person: str, now: datetime) -> Sequence[Session]: ...
    async def end_sessions(self, person: str, by: By, *, only: str = "", but: str = "", what: str = "signed_out") -> int:
        """``only``/``but``: of that id."""
        ...

    async def add_token(self, token: Token, by: By) -> None: ...
    async def token(self, hash_: str) -> tuple[Token, Person] | None: ...
    async def tokens(self, person: str) -> Sequence[Token]: ...
    async def token_used(self, hash_: str, at: datetime) -> None: ...
    async def end_token(self, person: str, id_: str, by: By) -> bool: ...

    async def begin_try(self, name: str, address: str, browser: str, now: datetime) -> tuple[int, Tries]:
        """Note a sign-in that begins, as failed for now; its number, and what went before it."""
        ...

    async def end_try(self, number: int, outcome: str) -> None:
        """``right``, ``wrong``, or ``refused`` (which does not count)."""
        ...

    async def forget_tries(self, now: datetime) -> None: ...

    async def ended_since(self, since: datetime) -> tuple[datetime, Sequence[str], Sequence[str]]:
        """The date of the answer, and what has ended or changed since: hashes of sessions and tokens, and people."""
        ...

    async def note(self, deed: Deed, by: By) -> AuditEntry: ...
    async def audit(self, *, before: int | None = None, limit: int = 100, person: str = "", what: str = "") -> Sequence[AuditEntry]:
        """The newest first."""
        ...
