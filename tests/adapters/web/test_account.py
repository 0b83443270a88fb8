"""My account and the people of the center, as a browser uses them: forms without a script, and what they refuse."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from html.parser import HTMLParser

import pytest
from aiohttp import web

from callcenter.adapters.web.account_pages import AccountPages
from callcenter.adapters.web.people_pages import Known, PeoplePages
from callcenter.adapters.web.site import Site
from callcenter.apps import rights_page
from callcenter.domain.audit import By, Deed
from callcenter.domain.rights import Right, Role, Scope
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.signing import Signing, SignInRefused
from tests.support.people import PASSWORD, FakePeople, SignedClient, person, signed_client

NEW = "six purple boats sing"
KNOWN = Known(queues=["sales", "support"], teams=["north"], agents=["alice", "bob"])
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "'; DROP TABLE person; --"]


class World:
    def __init__(self) -> None:
        self.people = FakePeople(person("alice", Role.AGENT, agent="alice"), person("ada", Role.ADMIN))
        self.signing = Signing(self.people, Passwords())
        self.site = Site("Example", self.signing)
        self.site.add(AccountPages(self.site.shell, self.signing, "UTC"))
        self.site.add(PeoplePages(self.site.shell, self.signing, lambda: KNOWN, "UTC"))
        self.clients: list[SignedClient] = []

    async def browser(self, name: str | None) -> SignedClient:
        client = await signed_client(self.site.application(), self.signing, self.people.known[name] if name else None)
        self.clients.append(client)
        return client


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    for client in world.clients:
        await client.client.close()


class Form(HTMLParser):
    """What a page says, and the fields of its forms."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: list[Mapping[str, str | None]] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("input", "select"):
            self.fields.append(dict(attrs))

    def marked(self) -> set[str | None]:
        """The fields that are said to be wrong."""
        return {field.get("name") for field in self.fields if field.get("aria-invalid") == "true"}


# --- signing in ---------------------------------------------------------------------------------------


async def test_who_signs_in_is_led_on_and_has_a_cookie_for_http_alone(world: World) -> None:
    browser = await world.browser(None)
    answer = await browser.post("/sign-in", {"name": "alice", "password": PASSWORD, "next": "/account"})
    assert (answer.status, answer.headers["Location"]) == (303, "/account")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert (await browser.get("/account")).status == 200


@pytest.mark.parametrize(
    ("roles", "agent", "begins"),
    [
        ((Role.AGENT,), "alice", "/agent"),
        ((Role.SUPERVISOR,), "sue", "/supervisor"),
        ((Role.AGENT, Role.SUPERVISOR), "sue", "/supervisor"),
        ((Role.OPS,), "", "/trends"),
        ((Role.ADMIN,), "", "/people"),
        ((), "", "/account"),
    ],
)
async def test_who_names_no_page_begins_where_she_works(roles: Sequence[Role], agent: str, begins: str) -> None:
    people = FakePeople(person("she", *roles, agent=agent))
    signing = Signing(people, Passwords())
    site = Site("Example", signing)
    for rule in rights_page.routes().rules:
        if rule.menu:
            site.routes.add("GET", rule.path, nowhere, needs=rule.needs, menu=rule.menu)
    browser = await signed_client(site.application(), signing, people.known["she"])
    assert (await browser.get("/")).headers["Location"] == begins
    await browser.client.close()


async def nowhere(_request: web.Request) -> web.Response:
    raise AssertionError("nobody goes there")


async def test_signing_in_again_ends_the_session_before(world: World) -> None:
    browser = await world.browser("alice")
    before = set(world.people.open)
    assert (await browser.post("/sign-in", {"name": "alice", "password": PASSWORD})).status == 303
    assert not before & set(world.people.open)
    assert len(world.people.open) == 1


@pytest.mark.parametrize(
    "then", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/sign-out", "/a\r\nSet-Cookie: x=y"]
)
async def test_nobody_is_led_elsewhere(world: World, then: str) -> None:
    browser = await world.browser(None)
    answer = await browser.post("/sign-in", {"name": "alice", "password": PASSWORD, "next": then})
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert "x=y" not in str(answer.headers)


async def test_a_wrong_password_keeps_the_name_and_says_no_more_than_wrong(world: World) -> None:
    browser = await world.browser(None)
    texts = []
    for name in ("alice", "nobody"):
        answer = await browser.post("/sign-in", {"name": name, "password": "wrong"})
        assert answer.status == 403
        texts.append((await answer.text()).replace(name, "NAME"))
    assert texts[0] == texts[1]
    assert 'value="NAME"' in texts[0]


async def test_without_the_database_the_sign_in_says_so(world: World) -> None:
    browser = await world.browser(None)
    world.people.away = True
    assert "database does not answer" in await (await browser.get("/sign-in")).text()
    answer = await browser.post("/sign-in", {"name": "alice", "password": PASSWORD})
    assert answer.status == 503
    assert "database does not answer" in await answer.text()


async def test_when_nobody_can_sign_in_yet_the_page_says_what_to_do(world: World) -> None:
    browser = await world.browser(None)
    world.people.known.clear()
    assert "callcenter person add NAME --role admin" in await (await browser.get("/sign-in")).text()


async def test_signing_out_ends_the_session_and_the_back_button_shows_nothing(world: World) -> None:
    browser = await world.browser("alice")
    answer = await browser.post("/sign-out")
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    assert world.people.open == {}
    assert (await browser.get("/account")).status == 401
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("wish", "language", "direction"), [("es", "es", "ltr"), ("ar", "ar", "rtl"), ("xx", "en", "ltr")])
async def test_the_door_speaks_the_browsers_language(world: World, wish: str, language: str, direction: str) -> None:
    text = await (await (await world.browser(None)).get("/sign-in", headers={"Accept-Language": wish})).text()
    assert f'<html lang="{language}" dir="{direction}">' in text


# --- my account -----------------------------------------------------------------------------------------


async def test_language_and_colours_are_hers_wherever_she_signs_in(world: World) -> None:
    browser = await world.browser("alice")
    assert (await browser.post("/account/preferences", {"language": "ar", "theme": "dark"})).status == 303
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in await (await browser.get("/account")).text()
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in await (await (await world.browser("alice")).get("/account")).text()
    assert (await browser.post("/account/preferences", {"language": "xx", "theme": "dark"})).status == 422


async def test_a_new_password_needs_the_present_one_and_ends_all_other_sessions(world: World) -> None:
    browser, elsewhere = await world.browser("alice"), await world.browser("alice")
    wrong = await browser.post("/account/password", {"present": "wrong", "password": NEW, "again": NEW})
    assert (wrong.status, Form(await wrong.text()).marked()) == (422, {"present"})
    right = await browser.post("/account/password", {"present": PASSWORD, "password": NEW, "again": NEW})
    assert right.status == 303
    assert (await browser.get("/account")).status == 200
    await world.signing._look(None)
    assert (await elsewhere.get("/account")).status == 401
    assert await world.signing.sign_in("alice", NEW, "192.0.2.1", "")
    with pytest.raises(SignInRefused):
        await world.signing.sign_in("alice", PASSWORD, "192.0.2.1", "")


@pytest.mark.parametrize(
    ("new", "again", "field"),
    [
        ("short", "short", "password"),
        ("x" * 40, "x" * 40, "password"),
        ("password1234", "password1234", "password"),
        ("alicealicealice", "alicealicealice", "password"),
        ("a" * 300, "a" * 300, "password"),
        ("four green\x00 horses", "four green\x00 horses", "password"),
        (NEW, NEW + "!", "again"),
    ],
)
async def test_weak_passwords_are_refused_at_their_field(world: World, new: str, again: str, field: str) -> None:
    browser = await world.browser("alice")
    answer = await browser.post("/account/password", {"present": PASSWORD, "password": new, "again": again})
    assert (answer.status, Form(await answer.text()).marked()) == (422, {field})


async def test_her_sessions_are_listed_and_ended_one_by_one_or_all(world: World) -> None:
    browser = await world.browser("alice")
    others = [await world.browser("alice") for _ in range(3)]
    text = await (await browser.get("/account")).text()
    ids = re.findall(r"/account/sessions/(\w+)/end", text)
    assert sorted(ids) == sorted(other.opened.session.id for other in others if other.opened)
    await browser.post(f"/account/sessions/{ids[0]}/end")
    assert len(world.people.open) == 3
    await browser.post("/account/sessions/end")
    assert len(world.people.open) == 1
    assert (await browser.get("/account")).status == 200


async def test_nobody_ends_somebody_elses_session(world: World) -> None:
    browser, admin = await world.browser("alice"), await world.browser("ada")
    assert admin.opened
    await browser.post(f"/account/sessions/{admin.opened.session.id}/end")
    assert admin.opened.session.hash in world.people.open


async def test_a_token_is_shown_once_and_works_until_it_is_ended(world: World) -> None:
    browser, program = await world.browser("alice"), await world.browser(None)
    answer = await browser.post("/account/tokens", {"label": "report", "days": "30", "scope": "own_account"})
    (secret,) = re.findall(r"ccp_[\w-]{43}", await answer.text())
    assert secret not in await (await browser.get("/account")).text()
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await program.client.get("/account", headers=headers)).status == 200
    (token,) = world.people.issued.values()
    await browser.post(f"/account/tokens/{token.id}/end")
    await world.signing._look(None)
    assert (await program.client.get("/account", headers=headers)).status == 401


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"label": "", "days": "30", "scope": "own_account"}, "label"),
        ({"label": "x\x07", "days": "30", "scope": "own_account"}, "label"),
        ({"label": "x", "days": "0", "scope": "own_account"}, "days"),
        ({"label": "x", "days": "1e9", "scope": "own_account"}, "days"),
        ({"label": "x", "days": "٣٠", "scope": "own_account"}, "days"),
        ({"label": "x", "days": "30", "scope": "manage_people"}, None),
        ({"label": "x", "days": "30"}, None),
    ],
)
async def test_tokens_beyond_her_rights_or_without_an_end_are_refused(world: World, sent: Mapping[str, str], field: str | None) -> None:
    answer = await (await world.browser("alice")).post("/account/tokens", sent)
    assert answer.status == 422
    assert field is None or Form(await answer.text()).marked() == {field}
    assert world.people.issued == {}


async def test_a_token_makes_no_token(world: World) -> None:
    secret, _ = await world.signing.new_token(
        world.people.known["alice"], "x", frozenset(Right), world.signing._policy.longest, By("alice")
    )
    program = await world.browser(None)
    sent = {"label": "x", "days": "30", "scope": "own_account"}
    answer = await program.client.post("/account/tokens", data=sent, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status == 422
    assert len(world.people.issued) == 1


# --- people -------------------------------------------------------------------------------------------------


def filled(**more: str) -> dict[str, str]:
    return {
        "shown": "Bob B",
        "role": "agent",
        "queues_limited": "no",
        "teams_limited": "no",
        "campaigns_limited": "no",
        "agent": "bob",
        **more,
    }


async def test_an_admin_lets_somebody_in(world: World) -> None:
    admin = await world.browser("ada")
    answer = await admin.post("/people", filled(name="bob", password=NEW, queues_limited="yes", queues="sales"))
    assert (answer.status, answer.headers["Location"]) == (303, "/people?done=added")
    bob = world.people.known["bob"]
    assert (bob.roles, bob.agent, bob.scope) == ({Role.AGENT}, "bob", Scope(queues=frozenset({"sales"})))
    assert await world.signing.sign_in("bob", NEW, "192.0.2.1", "")
    assert "bob" in await (await admin.get("/people")).text()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Bob Builder"}, "name"),
        ({"name": "bo\u202eb"}, "name"),
        ({"name": "alice"}, "name"),
        ({"shown": "Bob\u202e"}, "shown"),
        ({"shown": "B\u200bob"}, "shown"),
        ({"shown": "e" + "\u0301" * 50}, "shown"),
        ({"shown": "x" * 81}, "shown"),
        ({"password": "short"}, "password"),
        ({"agent": "nobody"}, "agent"),
    ],
)
async def test_what_does_not_fit_is_marked_and_the_rest_is_kept(world: World, change: Mapping[str, str], field: str) -> None:
    answer = await (await world.browser("ada")).post("/people", {**filled(name="bob", password=NEW), **change})
    form = Form(await answer.text())
    assert (answer.status, form.marked()) == (422, {field})
    assert "bob" not in world.people.known
    assert NEW not in await answer.text(), "a password is never sent back"


async def test_a_change_of_rights_needs_a_reason_and_is_told_in_the_trail(world: World) -> None:
    admin = await world.browser("ada")
    sent = filled(shown="Alice", agent="alice", role="supervisor", granted="export", active="yes", active_shown="yes")
    refused = await admin.post("/people/alice", sent)
    assert (refused.status, Form(await refused.text()).marked()) == (422, {"reason"})
    assert (await admin.post("/people/alice", {**sent, "reason": "team lead from Monday"})).status == 303
    alice = world.people.known["alice"]
    assert (alice.roles, alice.granted) == ({Role.SUPERVISOR}, {Right.EXPORT})
    assert world.people.trail[-1].deed.reason == "team lead from Monday"
    assert "team lead from Monday" in await (await admin.get("/audit")).text()


async def test_nobody_gives_herself_rights_or_removes_herself(world: World) -> None:
    admin = await world.browser("ada")
    sent = filled(shown="Ada", agent="", role="supervisor", active="yes", active_shown="yes", reason="because")
    assert (await admin.post("/people/ada", sent)).status == 422
    assert (await admin.post("/people/ada/remove")).status == 422
    assert world.people.known["ada"].roles == {Role.ADMIN}


async def test_who_is_removed_is_out_at_once(world: World) -> None:
    admin, alice = await world.browser("ada"), await world.browser("alice")
    assert (await admin.post("/people/alice/remove")).status == 303
    await world.signing._look(None)
    assert (await alice.get("/account")).status == 401


async def test_an_admin_sets_a_password_and_ends_sessions(world: World) -> None:
    admin, alice = await world.browser("ada"), await world.browser("alice")
    assert (await admin.post("/people/alice/password", {"password": NEW})).status == 303
    await world.signing._look(None)
    assert (await alice.get("/account")).status == 401
    assert await world.signing.sign_in("alice", NEW, "192.0.2.1", "")
    assert (await admin.post("/people/alice/sign-out")).status == 303
    assert [one.person for one in world.people.open.values()] == ["ada"]


@pytest.mark.parametrize("path", ["/people/nobody/edit", "/people/%2e%2e/edit", "/people/a%00b/edit", "/people/" + "x" * 400 + "/edit"])
async def test_nobody_is_there_by_an_odd_name(world: World, path: str) -> None:
    assert (await (await world.browser("ada")).get(path)).status == 404


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_hostile_names_are_only_text_on_every_page(world: World, hostile: str) -> None:
    admin = await world.browser("ada")
    plain = {path: Form(await (await admin.get(path)).text()).tags for path in ("/people", "/people/alice/edit", "/audit", "/account")}
    sent = filled(shown=hostile, agent="alice", active="yes", active_shown="yes")
    assert (await admin.post("/people/alice", sent)).status == 303
    await world.people.note(Deed(hostile, hostile, hostile, {hostile: hostile}), By(hostile))
    for path, tags in plain.items():
        text = await (await admin.get(path)).text()
        assert set(Form(text).tags) == set(tags) | ({"bdi"} if path == "/audit" else set()), path
        assert "<script>" not in text


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "before=99999999999999999999", "person=%00", "what=%F0%9F%98%80", "person=" + "x" * 3000]
)
async def test_the_trail_bears_odd_questions(world: World, query: str) -> None:
    assert (await (await world.browser("ada")).get(f"/audit?{query}")).status == 200
