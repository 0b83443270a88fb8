"""Signing in: who gets in, who waits and how long, what a session survives, and what ends it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from callcenter.domain.audit import By
from callcenter.domain.rights import Right, Role
from callcenter.services.people import passwords as hashing
from callcenter.services.people.passwords import Busy, Passwords
from callcenter.services.people.signing import REMEMBERED, Opened, Policy, Signing, SignInRefused, hash_of
from callcenter.services.people.store import PeopleAway
from tests.support.people import PASSWORD, FakePeople, person

BY = By("admin")
HOME, OFFICE, STRANGER = "198.51.100.1", "192.0.2.1", "203.0.113.9"


class Clock:
    """Virtual time."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at

    def passes(self, **span: float) -> None:
        self.at += timedelta(**span)


class World:
    def __init__(self, *names: str) -> None:
        self.clock = Clock()
        self.people = FakePeople(*(person(name, Role.AGENT) for name in names or ("alice",)))
        self.people.now = self.clock
        self.passwords = Passwords()
        self.signing = Signing(self.people, self.passwords, Policy(), self.clock)

    async def signs_in(self, name: str = "alice", password: str = PASSWORD, address: str = OFFICE, device: str = "") -> Opened:
        return await self.signing.sign_in(name, password, address, "Chromium", device)

    async def fails(self, name: str = "alice", address: str = OFFICE) -> SignInRefused:
        with pytest.raises(SignInRefused) as refused:
            await self.signs_in(name, "not the password", address)
        return refused.value


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.passwords.close()


# --- in ---------------------------------------------------------------------------------------------


async def test_name_and_password_open_a_session(world: World) -> None:
    opened = await world.signs_in(" Alice ")
    signed = await world.signing.of_cookie(opened.secret)
    assert signed is not None
    assert (signed.person, signed.rights) == ("alice", person("alice", Role.AGENT).signed().rights)
    assert [entry.deed.what for entry in world.people.trail] == ["signed_in"]


async def test_the_store_never_sees_what_the_browser_holds(world: World) -> None:
    opened = await world.signs_in()
    assert opened.secret not in repr(vars(world.people))
    assert hash_of(opened.secret) in world.people.open
    assert len(opened.secret) >= 43, "256 bits"


async def test_a_password_is_the_same_however_its_letters_are_composed(world: World) -> None:
    world.people.known["bob"] = person("bob", password_hash=await world.passwords.hash("schöne blaue Pferde"))
    assert await world.signs_in("bob", "scho\u0308ne blaue Pferde")


@pytest.mark.parametrize("name", ["nobody", "", "x" * 5000, "alice\x00", "\u202ealice", "alice'; --", "\ud800", "ａlice"])
async def test_names_that_are_nobodys_are_refused_like_wrong_passwords(world: World, name: str) -> None:
    with pytest.raises(SignInRefused, match=r"sign_in\.wrong"):
        await world.signs_in(name)


@pytest.mark.parametrize("password", ["", "x" * 1_000_000, "\ud800" * 12, PASSWORD + "\x00", PASSWORD.upper()])
async def test_odd_passwords_are_only_wrong(world: World, password: str) -> None:
    with pytest.raises(SignInRefused, match=r"sign_in\.wrong"):
        await world.signs_in("alice", password)


async def test_a_very_long_password_is_never_hashed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def hashed(kept: str, plain: str) -> bool:
        raise AssertionError("it was hashed")

    monkeypatch.setattr(hashing, "_verify", hashed)
    with pytest.raises(SignInRefused, match=r"sign_in\.wrong"):
        await world.signs_in("alice", "x" * 10_000)


async def test_who_may_not_sign_in_any_more_is_refused_like_a_wrong_password(world: World) -> None:
    await world.people.change("alice", {"active": False}, BY)
    with pytest.raises(SignInRefused, match=r"sign_in\.wrong"):
        await world.signs_in()


async def test_an_old_hash_is_made_anew_at_the_sign_in(world: World) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    world.people.known["alice"] = person("alice", Role.AGENT, password_hash=weak)
    await world.signs_in()
    assert world.people.known["alice"].password_hash != weak
    assert await world.signs_in()


# --- waits that grow ----------------------------------------------------------------------------------


async def test_waits_grow_with_each_failure_and_end_by_themselves(world: World) -> None:
    waits = []
    for _ in range(12):
        refused = await world.fails()
        if refused.wait_s:
            waits.append(refused.wait_s)
            world.clock.passes(seconds=refused.wait_s)
    assert waits == sorted(waits)
    assert waits[0] == 1
    assert waits[-1] > waits[0]
    while (refused := await world.fails()).wait_s == 0:
        pass
    world.clock.passes(seconds=refused.wait_s)
    assert await world.signs_in(), "nobody is locked out"


async def test_the_right_password_waits_as_long_as_a_wrong_one(world: World) -> None:
    while not (await world.fails()).wait_s:
        pass
    with pytest.raises(SignInRefused, match=r"sign_in\.too_many"):
        await world.signs_in()


async def test_a_stranger_costs_her_nothing_where_she_has_signed_in_before(world: World) -> None:
    await world.signs_in(address=HOME)
    for n in range(300):
        await world.fails(address=f"203.0.113.{n % 250}")
        world.clock.passes(seconds=1)
    assert await world.signs_in(address=HOME)


async def test_her_browser_is_known_wherever_it_goes(world: World) -> None:
    await world.signs_in(address=HOME, device="laptop-cookie")
    for _ in range(40):
        await world.fails(address=STRANGER)
        world.clock.passes(seconds=61)
    assert await world.signs_in(address=STRANGER.replace("9", "10"), device="laptop-cookie")


async def test_a_stranger_cannot_lock_her_out_even_at_a_new_address(world: World) -> None:
    for n in range(100):
        await world.fails(address=f"203.0.113.{n}")
    assert await world.signs_in(address="192.0.2.77"), "the first try from elsewhere is hers"


async def test_a_name_under_attack_leaves_strangers_one_try(world: World) -> None:
    for n in range(30):
        await world.fails(address=f"203.0.113.{n}")
    assert (await world.fails(address="203.0.113.99")).wait_s == 0
    assert (await world.fails(address="203.0.113.99")).wait_s > 0


async def test_a_whole_shift_behind_one_address_gets_in_though_many_mistype_and_somebody_guesses() -> None:
    """200 agents, one NAT address, everybody's first day, every fifth mistypes once, and a guesser among them fails 500 times."""
    names = [f"agent{n}" for n in range(200)]
    world = World(*names)
    for n in range(500):
        await world.fails(f"guess{n % 50}", OFFICE)
    for n, name in enumerate(names):
        if n % 5 == 0:
            await world.fails(name)
            world.clock.passes(seconds=2)
    inside = await asyncio.gather(*(world.signs_in(name) for name in names))
    assert {opened.person.name for opened in inside} == set(names)
    world.passwords.close()


# --- a storm ------------------------------------------------------------------------------------------


async def test_passwords_are_checked_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0
    lock = threading.Lock()
    gate = threading.Event()

    def slow(kept: str, plain: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(30)
        with lock:
            running -= 1
        return True

    monkeypatch.setattr(hashing, "_verify", slow)
    passwords = Passwords(at_once=2, in_line=50)
    waiting = [asyncio.create_task(passwords.right("kept", "a")) for _ in range(52)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await passwords.right("kept", "a")
    gate.set()
    assert all(await asyncio.gather(*waiting))
    assert most <= 2
    passwords.close()


async def test_who_is_known_does_not_stand_in_the_line_of_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(hashing, "_verify", lambda kept, plain: kept == "known" or gate.wait(30))
    passwords = Passwords(at_once=2, in_line=50)
    strangers = [asyncio.create_task(passwords.right("stranger", "a")) for _ in range(40)]
    async with asyncio.timeout(20):
        assert await passwords.right("known", "a", known=True)
    assert not any(task.done() for task in strangers)
    gate.set()
    await asyncio.gather(*strangers)
    passwords.close()


# --- how long it lasts ----------------------------------------------------------------------------------


async def test_a_session_ends_when_it_is_not_used(world: World) -> None:
    opened = await world.signs_in()
    for _ in range(5):
        world.clock.passes(minutes=50)
        assert await world.signing.of_cookie(opened.secret)
    world.clock.passes(minutes=61)
    assert await world.signing.of_cookie(opened.secret) is None


async def test_a_session_ends_after_a_shift_however_much_it_is_used(world: World) -> None:
    opened = await world.signs_in()
    for _ in range(23):
        world.clock.passes(minutes=30)
        assert await world.signing.of_cookie(opened.secret)
    world.clock.passes(minutes=31)
    assert await world.signing.of_cookie(opened.secret) is None


async def test_use_in_one_process_keeps_it_alive_in_another(world: World) -> None:
    opened = await world.signs_in()
    other = Signing(world.people, world.passwords, Policy(), world.clock)
    for _ in range(4):
        world.clock.passes(minutes=40)
        assert await world.signing.of_cookie(opened.secret)
    assert await other.of_cookie(opened.secret)


async def test_signing_out_ends_it_everywhere(world: World) -> None:
    opened = await world.signs_in()
    other = Signing(world.people, world.passwords, Policy(), world.clock)
    assert await other.of_cookie(opened.secret)
    await world.signing.sign_out(opened.secret, OFFICE)
    assert await world.signing.of_cookie(opened.secret) is None
    await other._look(None)
    assert await other.of_cookie(opened.secret) is None


async def test_an_open_socket_uses_the_session_and_is_told_its_end(world: World) -> None:
    opened = await world.signs_in()
    with world.signing.during(opened.secret) as ended:
        for _ in range(8):
            world.clock.passes(minutes=45)
            await world.signing._look(None)
        assert not ended.is_set()
        assert await world.signing.of_cookie(opened.secret)
        await world.people.end_sessions("alice", BY)
        await world.signing._look(None)
        assert ended.is_set()


async def test_new_rights_mean_a_new_sign_in(world: World) -> None:
    opened = await world.signs_in()
    await world.people.change("alice", {"roles": frozenset({Role.ADMIN})}, BY)
    await world.signing._look(None)
    assert await world.signing.of_cookie(opened.secret) is None


# --- without the database ---------------------------------------------------------------------------------


async def test_without_the_database_who_is_in_stays_in_for_a_while_and_nobody_new_comes(world: World) -> None:
    opened = await world.signs_in()
    world.people.away = True
    for _ in range(9):
        world.clock.passes(minutes=1)
        assert await world.signing.of_cookie(opened.secret)
    with pytest.raises(PeopleAway):
        await world.signs_in()
    with pytest.raises(PeopleAway):
        await world.signing.of_cookie("x" * 43)
    world.clock.passes(seconds=REMEMBERED.total_seconds())
    with pytest.raises(PeopleAway):
        await world.signing.of_cookie(opened.secret)
    world.people.away = False
    assert await world.signing.of_cookie(opened.secret), "when it is back, so is she"


# --- tokens -------------------------------------------------------------------------------------------------


async def test_a_token_has_its_scopes_and_ends_on_its_day(world: World) -> None:
    scopes = frozenset({Right.SEE_WALLBOARD, Right.MANAGE_PEOPLE})
    secret, token = await world.signing.new_token(world.people.known["alice"], "wallboard", scopes, timedelta(days=30), BY)
    signed = await world.signing.of_token(secret)
    assert signed is not None
    assert (signed.rights, signed.token) == ({Right.SEE_WALLBOARD}, token.id), "never more than hers"
    world.clock.passes(days=31)
    assert await world.signing.of_token(secret) is None


async def test_an_ended_token_opens_nothing(world: World) -> None:
    secret, token = await world.signing.new_token(world.people.known["alice"], "x", frozenset(Right), timedelta(days=30), BY)
    assert await world.signing.of_token(secret)
    await world.people.end_token("alice", token.id, BY)
    await world.signing._look(None)
    assert await world.signing.of_token(secret) is None


@pytest.mark.parametrize("secret", ["", "ccp_", "ccp_" + "x" * 43, "x" * 43, "ccp_" + "x" * 5000, "\ud800" * 43])
async def test_forged_secrets_open_nothing(world: World, secret: str) -> None:
    assert await world.signing.of_token(secret) is None
    assert await world.signing.of_cookie(secret) is None
