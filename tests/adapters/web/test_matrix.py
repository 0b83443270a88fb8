"""The matrix of role, address and object, made from the routes themselves: every route of the web process, asked for by everybody.

The real door stands before handlers that only say that they were reached. What is expected stands in docs/rights.md, which people review;
a route that is not in there fails, and so does one that lets in somebody whom that page does not.
"""

import re
from collections.abc import AsyncIterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from aiohttp import web

from callcenter.adapters.web.access import PUBLIC, Door, Origins, Routes, Rule
from callcenter.adapters.web.shell import Shell
from callcenter.apps import rights_page
from callcenter.domain.audit import By
from callcenter.domain.rights import RIGHTS, Right, Role
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.signing import Signing
from tests.support.people import FakePeople, SignedClient, person, signed_client

ROOT = Path(__file__).parent.parent.parent.parent
OWN: Mapping[str, str] = {"queue": "support", "agent": "alice", "team": "north", "campaign": "spring"}
FOREIGN: Mapping[str, str] = {"queue": "sales", "agent": "bob", "team": "south", "campaign": "autumn"}
"""Objects by the names that addresses have for them."""
ROW = re.compile(r"\| `(\w+) (/\S*)` \| (\S.*?) \| (.*) \| (right and object|right|) ?\|")


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(rights_page.routes().rules)


@cache
def expected() -> Mapping[tuple[str, str], Mapping[Role, bool]]:
    """By method and path: whom docs/rights.md lets in."""
    text = (ROOT / rights_page.PAGE).read_text(encoding="utf-8")
    rows = (ROW.fullmatch(row) for row in text.splitlines())
    found = {}
    for row in filter(None, rows):
        ticks = [tick.strip() == "✓" for tick in row[4].split("|")]
        found[row[1], row[2]] = dict(zip(Role, ticks, strict=True))
    return found


def test_the_page_of_rights_is_current() -> None:
    wanted = rights_page.page(rights_page.routes())
    current = (ROOT / rights_page.PAGE).read_text(encoding="utf-8")
    assert current == wanted, "a route is new or has changed: run python -m callcenter.apps.rights_page, and look at who may use it"


def test_every_route_is_expected() -> None:
    assert {(rule.method, rights_page.shown(rule)) for rule in rules()} == set(expected())


class World:
    """The door with all routes; each handler only says that it was reached."""

    def __init__(self) -> None:
        self.people = FakePeople(
            person("nothing"),
            *(person(role.value, role, agent="alice") for role in Role),
            *(person(f"{role.value} of support", role, agent="alice", queues=["support"], teams=["north"]) for role in Role),
        )
        self.signing = Signing(self.people, Passwords())
        routes = Routes()
        for rule in rules():
            routes.add(rule.method, rule.path, reached, needs=rule.needs, of=rule.of)
        self.door = Door(self.signing, Origins(), Shell("Example", routes).refuse)
        self.app = web.Application(middlewares=[self.door.middleware])
        self.door.guard(self.app, routes)

    async def browser(self, name: str | None) -> SignedClient:
        return await signed_client(self.app, self.signing, self.people.known[name] if name else None)


async def reached(_request: web.Request) -> web.Response:
    return web.Response(text="reached")


def address(rule: Rule, objects: Mapping[str, str]) -> str:
    """The path with its parts filled in."""
    return re.sub(r"\{(\w+)\}", lambda part: objects.get(part[1], "1"), rights_page.shown(rule))


@pytest.fixture(params=[None, "nothing", *(role.value for role in Role)])
async def somebody(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str | None, SignedClient]]:
    browser = await World().browser(request.param)
    yield request.param, browser
    await browser.client.close()


def allowed(rule: Rule, name: str | None) -> bool:
    if rule.needs is PUBLIC:
        return True
    return name not in (None, "nothing") and expected()[rule.method, rights_page.shown(rule)][Role(name)]


async def asked(browser: SignedClient, rule: Rule, objects: Mapping[str, str]) -> int:
    """The status of the answer; 200: the handler was reached."""
    method = "GET" if rule.method == "*" else rule.method
    answer = await browser.request(method, address(rule, objects))
    text = await answer.text()
    assert (answer.status == 200) is (text == "reached"), f"{method} {rule.path}: {answer.status} {text[:100]}"
    return answer.status


async def test_everybody_reaches_what_the_page_says_and_nothing_else(somebody: tuple[str | None, SignedClient]) -> None:
    """Who has no limits."""
    name, browser = somebody
    wrong = []
    for rule in rules():
        status = await asked(browser, rule, OWN)
        wanted = 200 if allowed(rule, name) else 401 if name is None else 403
        if status != wanted:
            wrong.append(f"{rule.method} {rule.path} as {name}: {status}, not {wanted}")
    assert wrong == []


@pytest.mark.parametrize("role", Role)
async def test_who_has_limits_reaches_her_own_and_nobody_elses(role: Role) -> None:
    """Where the address names a queue, agent, team or campaign, the door looks at it; what is the whole center's is not hers."""
    browser = await World().browser(f"{role.value} of support")
    wrong = []
    for rule in rules():
        may = allowed(rule, role.value)
        names = set(re.findall(r"\{(\w+)", rule.path)) & set(OWN)
        own = may and (rule.of is None or bool(names))
        foreign = may and rule.of is None
        for objects, wanted in ((OWN, own), (FOREIGN, foreign)):
            status = await asked(browser, rule, objects)
            if status != (200 if wanted else 403):
                wrong.append(f"{rule.method} {address(rule, objects)} as {role}: {status}")
    await browser.client.close()
    assert wrong == []


@pytest.mark.parametrize("withheld", sorted(RIGHTS[Role.SUPERVISOR]))
async def test_without_its_right_no_route_opens(withheld: Right) -> None:
    """A token that lacks just this right is refused everywhere it is needed."""
    world = World()
    who = world.people.known["supervisor"]
    secret, _ = await world.signing.new_token(who, "x", RIGHTS[Role.SUPERVISOR] - {withheld}, world.signing._policy.longest, By("admin"))
    browser = await world.browser(None)
    for rule in rules():
        if rights_page.rights_for(rule) == {withheld}:
            method = "GET" if rule.method == "*" else rule.method
            answer = await browser.client.request(method, address(rule, OWN), headers={"Authorization": f"Bearer {secret}"})
            assert answer.status == 403, rule.path
    await browser.client.close()
