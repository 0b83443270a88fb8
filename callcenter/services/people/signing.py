"""Signing in and out, and who is meant by what a browser or a program sends along.

What a browser holds is 256 random bits; the database has their hash only. A session ends after ``idle`` without use, at the
latest after ``longest``, when she signs out anywhere, and when her rights change. A short memory of those signed in spares the
database, and keeps them working for ``REMEMBERED`` while it is away; nobody new is let in meanwhile.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from callcenter.domain.audit import By, Deed
from callcenter.domain.rights import Right, Signed
from callcenter.domain.sign_in_limits import wait
from callcenter.services.people.oidc import Identity, OidcRefused
from callcenter.services.people.passwords import Busy, Passwords
from callcenter.services.people.person import Person, PersonError, sign_in_name
from callcenter.services.people.store import PeopleAway, PeopleStore, Session, Token

log = structlog.get_logger(__name__)

FRESH = timedelta(seconds=2)
"""So long an answer of the database holds; what has ended meanwhile is asked for once a second, and forgotten at once."""
FRESH_WATCHED = timedelta(seconds=60)
REMEMBERED = timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)
WATCH_EVERY = 1.0
TIDY_EVERY = timedelta(hours=1)
LOOK_BACK = timedelta(seconds=10)
"""Transactions end after the dates they write; so far back is looked each time."""
MOST_REMEMBERED = 20_000
TOKEN_BEGIN = "ccp_"
"""So that a token that was published by mistake is recognised for what it is."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long sessions last."""

    idle: timedelta = timedelta(minutes=60)
    longest: timedelta = timedelta(hours=12)


class SignInRefused(Exception):
    """She is not let in. ``why`` is a key of the catalogue of words; ``wait_s`` says after how many seconds another try counts."""

    def __init__(self, why: str, wait_s: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.wait_s = wait_s


@dataclass(slots=True)
class _Known:
    """Somebody signed in, as the database said at ``asked_at``."""

    signed: Signed
    ends_at: datetime
    seen_at: datetime
    asked_at: datetime
    told_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session: ``secret`` is for the browser alone."""

    secret: str
    session: Session
    person: Person


def hash_of(secret: str) -> str:
    """SHA-256: of 256 random bits nobody can guess what it was."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def form_token(secret: str) -> str:
    """What forms and scripts of this session send along, so that no other site can act for her."""
    return hmac.new(secret.encode(errors="replace"), b"callcenter form", hashlib.sha256).hexdigest()


class Signing:
    """Of one process; any number of them may share one store."""

    def __init__(
        self, store: PeopleStore, passwords: Passwords, policy: Policy = Policy(), now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.store = store
        self.passwords = passwords
        self._policy = policy
        self._now = now
        self._known: dict[str, _Known] = {}
        self._sockets: dict[str, set[asyncio.Event]] = {}
        self._watched = False
        self._tidied_at: datetime | None = None

    # --- in and out -----------------------------------------------------------------------------

    async def sign_in(self, name: str, password: str, address: str, browser: str, device: str = "") -> Opened:
        """By password. ``browser`` is how it calls itself, ``device`` what it was given at an earlier sign-in.

        Raises SignInRefused, PeopleAway.
        """
        person = await self.prove(name, password, address, device)
        if self.passwords.outdated(person.password_hash):
            with suppress(Busy):
                fresh = await self.passwords.hash(password)
                await self.store.change(person.name, {"password_hash": fresh}, By(person.name, "password", address), "password_rehashed")
        return await self.open(person, address, browser, "password")

    async def prove(self, name: str, password: str, address: str, device: str = "") -> Person:
        """Who this is, if the password is hers. Raises SignInRefused, PeopleAway."""
        try:
            known_name = sign_in_name(name)
        except PersonError:
            known_name = "?"  # nobody's; it takes as long as anybody's
        number, tries = await self.store.begin_try(known_name, address, hash_of(device)[:32] if device else "", self._now())
        if (left := wait(tries, self._now())) > timedelta(0):
            await self.store.end_try(number, "refused")
            raise SignInRefused("sign_in.too_many", max(1, round(left.total_seconds())))
        person = await self.store.person(known_name)
        try:
            right = await self.passwords.right(person.password_hash if person else "", password, known=tries.known)
        except Busy:
            await self.store.end_try(number, "refused")
            raise SignInRefused("sign_in.busy", 5) from None
        if person is None or not right or not person.active:
            await self.store.end_try(number, "wrong")
            log.warning("sign_in_failed", person=known_name, address=address)
            raise SignInRefused("sign_in.wrong")
        await self.store.end_try(number, "right")
        return person

    async def sign_in_as(self, identity: Identity, address: str, browser: str) -> Opened:
        """By the word of the OIDC provider. Raises OidcRefused, PeopleAway."""
        person = await self.store.person_of_subject(identity.subject) or await self._linked(identity, address)
        if not person.active:
            raise OidcRefused("sign_in.oidc_unknown", f"{person.name} may not sign in")
        return await self.open(person, address, browser, "oidc")

    async def _linked(self, identity: Identity, address: str) -> Person:
        """Somebody without a password whom the provider calls so; linked from now on. Raises OidcRefused."""
        try:
            person = await self.store.person(sign_in_name(identity.name))
        except PersonError:
            person = None
        if person is None or person.password_hash or person.subject or not person.active:
            raise OidcRefused("sign_in.oidc_unknown", f"nobody of ours is {identity.name[:64]!r}")
        by = By(person.name, "oidc", address)
        linked = await self.store.change(person.name, {"subject": identity.subject}, by, "oidc_linked")
        return linked or person

    async def set_password(self, name: str, plain: str, by: By, *, but: str = "") -> None:
        """Of a password that was ``checked``; all her sessions end ``but`` this one. Raises Busy, PeopleAway."""
        hashed = await self.passwords.hash(plain)
        await self.store.change(name, {"password_hash": hashed}, by, "password_changed")
        await self.store.end_sessions(name, by, but=but)

    def ask_anew(self, name: str) -> None:
        """What is remembered of this person is asked for again at its next use."""
        for known in self._known.values():
            if known.signed.person == name:
                known.asked_at -= FRESH_WATCHED * 2

    async def open(self, person: Person, address: str, browser: str, by: str) -> Opened:
        """A session for somebody who has proven who she is. Raises PeopleAway."""
        now, secret = self._now(), secrets.token_urlsafe(32)
        session = Session(
            hash_of(secret), secrets.token_hex(6), person.name, now, now, now + self._policy.longest, address, _visible(browser)[:200]
        )
        deed = Deed("signed_in", f"person {person.name}", after={"session": session.id, "by": by, "browser": session.browser})
        await self.store.begin_session(session, By(person.name, f"session {session.id}", address), deed)
        self._remember(session.hash, person.signed(session=session.id), session.ends_at, now)
        log.info("signed_in", person=person.name, address=address, session=session.id)
        return Opened(secret, session, person)

    async def sign_out(self, secret: str, address: str) -> None:
        """End this session. Raises PeopleAway."""
        if (signed := await self.of_cookie(secret)) is not None:
            await self.store.end_sessions(signed.person, By(signed.person, signed.via, address), only=signed.session)
        self._forget(hash_of(secret))

    # --- who is it ------------------------------------------------------------------------------

    async def of_cookie(self, secret: str) -> Signed | None:
        """Who holds this session. Raises PeopleAway when nobody can tell."""
        if not 40 <= len(secret) <= 64:
            return None
        return await self._who(hash_of(secret), self._ask_session)

    async def of_token(self, secret: str) -> Signed | None:
        """Whose API token this is. Raises PeopleAway when nobody can tell."""
        if not secret.startswith(TOKEN_BEGIN) or len(secret) > 100:
            return None
        return await self._who(hash_of(secret), self._ask_token)

    async def _who(self, hash_: str, ask: Callable[[str], Awaitable["_Known | None"]]) -> Signed | None:
        now, known = self._now(), self._known.get(hash_)
        fresh = FRESH_WATCHED if self._watched else FRESH
        if known is None or now - known.asked_at > fresh:
            try:
                known = await ask(hash_)
            except PeopleAway:
                if known is None or now - known.asked_at > REMEMBERED:
                    raise
        if known is None or known.ends_at <= now or (known.signed.session and now - known.seen_at > self._policy.idle):
            self._forget(hash_)
            return None
        known.seen_at = now
        if now - known.told_seen_at > SEEN_EVERY:
            known.told_seen_at = now
            with suppress(PeopleAway):
                await (self.store.seen([hash_], now) if known.signed.session else self.store.token_used(hash_, now))
        return known.signed

    async def _ask_session(self, hash_: str) -> _Known | None:
        found = await self.store.session(hash_)
        if found is None:
            self._forget(hash_)
            return None
        session, person = found
        return self._remember(hash_, person.signed(session=session.id), session.ends_at, session.seen_at)

    async def _ask_token(self, hash_: str) -> _Known | None:
        found = await self.store.token(hash_)
        if found is None:
            self._forget(hash_)
            return None
        token, person = found
        return self._remember(hash_, person.signed(token=token.id, token_scopes=token.scopes), token.expires_at, self._now())

    def _remember(self, hash_: str, signed: Signed, ends_at: datetime, seen_at: datetime) -> _Known:
        before = self._known.pop(hash_, None)
        seen_at = max(seen_at, before.seen_at) if before else seen_at
        self._known[hash_] = known = _Known(signed, ends_at, seen_at, self._now(), before.told_seen_at if before else seen_at)
        while len(self._known) > MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        return known

    def _forget(self, hash_: str) -> None:
        self._known.pop(hash_, None)
        for ended in self._sockets.get(hash_, ()):
            ended.set()

    # --- long connections -----------------------------------------------------------------------

    @contextmanager
    def during(self, secret: str) -> Iterator[asyncio.Event]:
        """For a socket or a stream: inside it the session is in use; the event is set when it has ended.

        ``secret``: what the browser or the program sent. A call that is on is nobody's session: let it go on.
        """
        hash_, ended = hash_of(secret), asyncio.Event()
        self._sockets.setdefault(hash_, set()).add(ended)
        try:
            yield ended
        finally:
            self._sockets[hash_].discard(ended)
            if not self._sockets[hash_]:
                del self._sockets[hash_]

    async def watch(self) -> None:
        """For ever: forget what has ended anywhere, within about a second; and tell the sockets."""
        since: datetime | None = None
        while True:
            try:
                since = await self._look(since)
                self._watched = True
            except PeopleAway:
                self._watched = False
            except Exception as bug:
                self._watched = False
                log.error("people_watch_failed", exc_info=bug)
            await asyncio.sleep(WATCH_EVERY)

    async def _look(self, since: datetime | None) -> datetime:
        at, hashes, people = await self.store.ended_since(since or self._now() - LOOK_BACK)
        for hash_ in hashes:
            self._forget(hash_)
        for name in people:
            self.ask_anew(name)
        await self._use_open_sockets()
        if self._tidied_at is None or self._now() - self._tidied_at >= TIDY_EVERY:
            await self.store.forget_tries(self._now())
            self._tidied_at = self._now()
        return at - LOOK_BACK

    async def _use_open_sockets(self) -> None:
        """An open socket is use; every minute that is written down for all at once."""
        now, due = self._now(), []
        for hash_ in list(self._sockets):
            known = self._known.get(hash_)
            if known is None:
                continue
            if known.ends_at <= now:
                self._forget(hash_)
                continue
            known.seen_at = now
            if known.signed.session and now - known.told_seen_at > SEEN_EVERY:
                known.told_seen_at = now
                due.append(hash_)
        if due:
            await self.store.seen(due, now)

    # --- tokens ---------------------------------------------------------------------------------

    async def new_token(self, person: Person, label: str, scopes: frozenset[Right], lasts: timedelta, by: By) -> tuple[str, Token]:
        """The secret, which is shown once and kept nowhere, and what is kept. Raises PeopleAway."""
        return await new_token(self.store, person, label, scopes, lasts, by, self._now())


async def new_token(
    store: PeopleStore, person: Person, label: str, scopes: frozenset[Right], lasts: timedelta, by: By, now: datetime
) -> tuple[str, Token]:
    secret = TOKEN_BEGIN + secrets.token_urlsafe(32)
    token = Token(hash_of(secret), secrets.token_hex(6), person.name, label, scopes, now, now + lasts)
    await store.add_token(token, by)
    return secret, token


def _visible(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())
