"""People who sign in, for tests of pages and API: a store in memory, and clients that are signed in."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime

from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from callcenter.domain.audit import BEGINNING, AuditEntry, By, Deed, hash_of
from callcenter.domain.rights import EVERYTHING, Right, Role, Scope
from callcenter.domain.sign_in_limits import KNOWN_FOR, TRIES_COUNT, Tries
from callcenter.services.people.passwords import hash_now
from callcenter.services.people.person import Person
from callcenter.services.people.signing import Opened, Signing, form_token
from callcenter.services.people.store import PeopleAway, Session, Token

PASSWORD = "four green horses swim"
_HASH = hash_now(PASSWORD)


def person(
    name: str,
    *roles: Role,
    agent: str = "",
    queues: Sequence[str] | None = None,
    teams: Sequence[str] | None = None,
    granted: Sequence[Right] = (),
    **more: object,
) -> Person:
    """Somebody whose password is ``PASSWORD``."""
    scope = Scope(None if queues is None else frozenset(queues), None if teams is None else frozenset(teams))
    given = {"password_hash": _HASH, "scope": scope if scope != Scope() else EVERYTHING, **more}
    return Person(name, name.capitalize(), frozenset(roles), frozenset(granted), agent=agent, **given)  # type: ignore[arg-type]


class FakePeople:
    """``PeopleStore`` in memory; ``away`` makes it not answer."""

    def __init__(self, *people: Person) -> None:
        self.known = {one.name: one for one in people}
        self.open: dict[str, Session] = {}
        self.issued: dict[str, Token] = {}
        self.ended: list[tuple[datetime, str, str]] = []
        self.tries: list[dict[str, object]] = []
        self.trail: list[AuditEntry] = []
        self.away = False
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def _here(self) -> None:
        if self.away:
            raise PeopleAway("the database does not answer")

    def _audit(self, deed: Deed, by: By) -> AuditEntry:
        previous = self.trail[-1].hash if self.trail else BEGINNING
        entry = AuditEntry(len(self.trail) + 1, self.now(), by, deed)
        self.trail.append(replace(entry, hash=hash_of(entry, previous)))
        return self.trail[-1]

    def _end(self, hash_: str = "", person: str = "") -> None:
        self.ended.append((self.now(), hash_, person))
        self.open.pop(hash_, None)
        self.issued.pop(hash_, None)

    async def anybody(self) -> bool:
        self._here()
        return any(one.active for one in self.known.values())

    async def person(self, name: str) -> Person | None:
        self._here()
        return self.known.get(name)

    async def person_of_subject(self, subject: str) -> Person | None:
        self._here()
        return next((one for one in self.known.values() if one.subject == subject), None)

    async def people(self) -> Sequence[Person]:
        self._here()
        return sorted(self.known.values(), key=lambda one: one.name)

    async def add(self, person: Person, by: By) -> bool:
        self._here()
        if person.name in self.known:
            return False
        self.known[person.name] = person
        self._audit(Deed("person_added", f"person {person.name}"), by)
        return True

    async def change(
        self, name: str, values: Mapping[str, object], by: By, what: str = "person_changed", reason: str = ""
    ) -> Person | None:
        self._here()
        before = self.known.get(name)
        if before is None:
            return None
        after = Person(**{field.name: values.get(field.name, getattr(before, field.name)) for field in fields(before)})  # type: ignore[arg-type]
        self.known[name] = after
        if after != before:
            self._audit(Deed(what, f"person {name}", reason), by)
            self._end(person=name)
            if (before.roles, before.scope, before.active) != (after.roles, after.scope, after.active):
                for hash_ in [one.hash for one in self.open.values() if one.person == name]:
                    self._end(hash_)
        return after

    async def remove(self, name: str, by: By) -> bool:
        self._here()
        for hash_ in [one.hash for one in (*self.open.values(), *self.issued.values()) if one.person == name]:
            self._end(hash_)
        self._audit(Deed("person_removed", f"person {name}"), by)
        return self.known.pop(name, None) is not None

    async def begin_session(self, session: Session, by: By, deed: Deed) -> None:
        self._here()
        self.open[session.hash] = session
        self._audit(deed, by)

    async def session(self, hash_: str) -> tuple[Session, Person] | None:
        self._here()
        session = self.open.get(hash_)
        one = self.known.get(session.person) if session else None
        return (session, one) if session and one and one.active else None

    async def seen(self, hashes: Sequence[str], at: datetime) -> None:
        self._here()
        for hash_ in self.open.keys() & set(hashes):
            self.open[hash_] = replace(self.open[hash_], seen_at=at)

    async def sessions(self, person: str, now: datetime) -> Sequence[Session]:
        self._here()
        return [one for one in self.open.values() if one.person == person and one.ends_at > now]

    async def end_sessions(self, person: str, by: By, *, only: str = "", but: str = "", what: str = "signed_out") -> int:
        self._here()
        ended = [one.hash for one in self.open.values() if one.person == person and only in ("", one.id) and one.id != but]
        for hash_ in ended:
            self._end(hash_)
        if ended:
            self._audit(Deed(what, f"person {person}"), by)
        return len(ended)

    async def add_token(self, token: Token, by: By) -> None:
        self._here()
        self.issued[token.hash] = token
        self._audit(Deed("token_added", f"token {token.id} of person {token.person}"), by)

    async def token(self, hash_: str) -> tuple[Token, Person] | None:
        self._here()
        token = self.issued.get(hash_)
        one = self.known.get(token.person) if token else None
        return (token, one) if token and one and one.active else None

    async def tokens(self, person: str) -> Sequence[Token]:
        self._here()
        return [one for one in self.issued.values() if one.person == person]

    async def token_used(self, hash_: str, at: datetime) -> None:
        self._here()

    async def end_token(self, person: str, id_: str, by: By) -> bool:
        self._here()
        ended = [one.hash for one in self.issued.values() if (one.person, one.id) == (person, id_)]
        for hash_ in ended:
            self._end(hash_)
        if ended:
            self._audit(Deed("token_ended", f"token {id_} of person {person}"), by)
        return bool(ended)

    async def begin_try(self, name: str, address: str, browser: str, now: datetime) -> tuple[int, Tries]:
        self._here()
        await asyncio.sleep(0)
        late = [one for one in self.tries if one["at"] >= now - TRIES_COUNT]  # type: ignore[operator]
        right = [
            one
            for one in self.tries
            if one["name"] == name
            and one["outcome"] == "right"
            and one["at"] >= now - KNOWN_FOR  # type: ignore[operator]
            and (one["address"] == address or (browser and one["browser"] == browser))
        ]
        last_right = max((one["at"] for one in right if one["address"] == address), default=datetime.min.replace(tzinfo=UTC))  # type: ignore[type-var]
        failed = [one for one in late if one["outcome"] in ("begun", "wrong")]
        pair = [one["at"] for one in failed if one["name"] == name and one["address"] == address and one["at"] > last_right]  # type: ignore[operator]
        self.tries.append({"name": name, "address": address, "browser": browser, "at": now, "outcome": "begun"})
        of_name = sum(one["name"] == name for one in failed)
        of_address = sum(one["address"] == address for one in failed)
        return len(self.tries) - 1, Tries(len(pair), max(pair, default=None), of_name, of_address, bool(right))  # type: ignore[type-var,arg-type]

    async def end_try(self, number: int, outcome: str) -> None:
        self._here()
        self.tries[number]["outcome"] = outcome

    async def forget_tries(self, now: datetime) -> None:
        self._here()

    async def ended_since(self, since: datetime) -> tuple[datetime, Sequence[str], Sequence[str]]:
        self._here()
        late = [(hash_, name) for at, hash_, name in self.ended if at >= since]
        return self.now(), [hash_ for hash_, _ in late if hash_], [name for _, name in late if name]

    async def note(self, deed: Deed, by: By) -> AuditEntry:
        self._here()
        return self._audit(deed, by)

    async def audit(self, *, before: int | None = None, limit: int = 100, person: str = "", what: str = "") -> Sequence[AuditEntry]:
        self._here()
        found = [one for one in reversed(self.trail) if before is None or one.seq < before]
        return [one for one in found if person in ("", one.by.person) and what in ("", one.deed.what)][:limit]


class SignedClient:
    """A browser in which somebody is signed in: sends the cookie, and with what changes something also origin and form token."""

    def __init__(self, client: "TestClient", opened: Opened | None) -> None:  # type: ignore[type-arg]
        self.client = client
        self.opened = opened

    async def get(self, path: str, **more: object) -> ClientResponse:
        return await self.client.get(path, allow_redirects=False, **more)  # type: ignore[arg-type]

    async def post(self, path: str, data: Mapping[str, object] | None = None, **more: object) -> ClientResponse:
        return await self.client.post(path, data=data, headers=self.headers, allow_redirects=False, **more)  # type: ignore[arg-type]

    async def request(self, method: str, path: str, **more: object) -> ClientResponse:
        return await self.client.request(method, path, headers=self.headers, allow_redirects=False, **more)  # type: ignore[arg-type]

    @property
    def headers(self) -> dict[str, str]:
        origin = {"Origin": str(self.client.make_url("/")).rstrip("/")}
        return {**origin, "X-Form-Token": form_token(self.opened.secret)} if self.opened else origin


async def signed_client(app: Application, signing: Signing, who: Person | None, server: "TestServer | None" = None) -> SignedClient:
    """A client in which this person, who is in the store, is signed in; None: nobody is. Close ``.client`` at the end."""
    client: TestClient = TestClient(server or TestServer(app), cookie_jar=CookieJar(unsafe=True))  # type: ignore[type-arg]
    await client.start_server()
    opened = await signing.open(who, "127.0.0.1", "test", "test") if who else None
    if opened:
        client.session.cookie_jar.update_cookies({"callcenter": opened.secret}, client.make_url("/"))
    return SignedClient(client, opened)
