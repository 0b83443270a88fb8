"""The console's own requests: whose they are, what they are told, and what scripts take."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import WSServerHandshakeError

from callcenter.adapters.web.agent_pages import AgentDesk, AgentPages, Center
from callcenter.adapters.web.sip_proxy import Account, SipProxy
from callcenter.adapters.web.site import Site
from callcenter.domain.rights import Role
from callcenter.domain.scripts import Field, FieldKind, Page, Script, Way
from callcenter.services.caller_history import CallerHistory
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import RequestRefused
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.signing import Signing
from tests.support.people import FakePeople, SignedClient, person, signed_client

ASK = Page("Hello {caller}.", (Field("plan", "Plan", FieldKind.CHOICE, required=True, choices=("gold", "silver")),), (Way("end"),))
SCRIPT = Script("sale", "Sale", "ask", {"ask": ASK, "end": Page("So {plan}.", (Field("seats", "Seats", FieldKind.NUMBER),))})
CONTACT: JsonObject = {"contact": "k1", "call": "c1", "queue": "support", "caller": "+12025550123", "attributes": {"tier": "vip"}}


@dataclass
class FakeCenter:
    """Alice has a softphone and a contact; bob a desk phone and none. Answers as it is told to."""

    asked: list[tuple[str, JsonObject]] = field(default_factory=list)
    refusal: str = ""
    away: bool = False

    async def ask(self, do: str, **fields: Json) -> JsonObject:
        self.asked.append((do, fields))
        if self.refusal:
            raise RequestRefused(self.refusal)
        return {"ok": True}

    async def of(self, caller: str, without_call: str) -> CallerHistory:
        if self.away:
            raise ConnectionError("the database is away")
        theirs = [{"call_id": queue, "contacts": [{"queue": queue}]} for queue in ("support", "sales")]
        return CallerHistory([*theirs, {"call_id": "none", "contacts": []}], [], [{"queue": "sales"}, {"queue": "support"}])

    def desk(self, agent: str) -> AgentDesk | None:
        account = Account("phone-1", "secret") if agent == "alice" else None
        return AgentDesk({"agent": agent}, account) if agent in ("alice", "bob") else None

    def waiting(self, agent: str) -> tuple[list[JsonObject] | None, list[JsonObject] | None]:
        queues: list[JsonObject] = [{"queue": "support"}, {"queue": "sales"}, {"queue": ""}]
        return (queues, queues) if agent == "alice" else (None, None)

    def contact(self, agent: str) -> JsonObject | None:
        return CONTACT if agent == "alice" else None


@asynccontextmanager
async def console(
    center: FakeCenter, name: str, *, queues: list[str] | None = None, agent: str | None = None
) -> AsyncIterator[SignedClient]:
    who = person(name, Role.AGENT, agent=name if agent is None else agent, queues=queues)
    site = Site("Test", Signing(FakePeople(who), Passwords()))
    script = {"support": SCRIPT}.get
    seen = Center(
        center.desk,
        center.contact,
        script,
        lambda queue, known: f"https://crm.example.org/{known['tier']}",
        center.ask,
        center,
        center.waiting,
    )
    site.add(AgentPages(site.shell, seen, SipProxy(lambda node: None)))
    client = await signed_client(site.application(), site.signing, who)
    try:
        yield client
    finally:
        await client.client.close()


async def test_history_is_told_of_her_own_contact_only_and_within_her_scope() -> None:
    center = FakeCenter()
    async with console(center, "alice", queues=["support"]) as alice:
        told = await (await alice.get("/agent/caller?contact=k1")).json()
        assert [call["call_id"] for call in told["calls"]] == ["support", "none"]
        assert told["callbacks"] == [{"queue": "support"}]
        assert told["pop"] == "https://crm.example.org/vip"
        assert (await alice.get("/agent/caller?contact=k2")).status == 404
        assert (await alice.get("/agent/caller")).status == 404
        center.away = True
        assert (await (await alice.get("/agent/caller?contact=k1")).json())["away"]
    async with console(center, "bob") as bob:
        assert (await bob.get("/agent/caller?contact=k1")).status == 404


async def test_callbacks_and_messages_are_told_within_her_scope() -> None:
    async with console(FakeCenter(), "alice", queues=["support"]) as alice:
        reached = [{"queue": "support"}, {"queue": ""}]
        assert await (await alice.get("/agent/waiting")).json() == {"callbacks": reached, "messages": reached}
    async with console(FakeCenter(), "bob") as bob:
        assert await (await bob.get("/agent/waiting")).json() == {"callbacks": None, "messages": None}


async def test_a_script_is_gone_through_page_by_page_and_its_answers_are_kept() -> None:
    center = FakeCenter()
    async with console(center, "alice") as alice:
        first = await (await alice.post("/agent/script", json={"contact": "k1", "page": ""})).json()
        assert (first["page"], first["text"]) == ("ask", "Hello +12025550123.")
        asked: JsonObject = {"contact": "k1", "page": "ask", "answers": {"plan": "lead", "other": "x"}}
        assert await (await alice.post("/agent/script", json=asked)).json() == {"wrong": {"plan": "no_choice"}}
        assert center.asked == []
        asked["answers"] = {"plan": "gold", "other": "x"}
        assert (await (await alice.post("/agent/script", json=asked)).json())["text"] == "So gold."
        last: JsonObject = {"contact": "k1", "page": "end", "answers": {"plan": "gold", "seats": "3"}}
        assert (await (await alice.post("/agent/script", json=last)).json())["done"]
        kept = {"agent": "alice", "contact": "k1", "script": "sale"}
        assert center.asked == [
            ("agent_script", {**kept, "answers": {"plan": "gold"}, "done": False}),
            ("agent_script", {**kept, "answers": {"plan": "gold", "seats": "3"}, "done": True}),
        ]
        center.refusal = "not any more"
        refused = await alice.post("/agent/script", json=last)
        assert (refused.status, await refused.json()) == (409, {"error": "not any more"})


@pytest.mark.parametrize("sent", ["", "[]", "7", '{"contact": "k2"}', '{"contact": "k1", "page": "gone"}', '{"contact": ["k1"]}'])
async def test_what_is_no_step_of_her_script_is_refused(sent: str) -> None:
    center = FakeCenter()
    async with console(center, "alice") as alice:
        answer = await alice.post("/agent/script", data=sent)
        assert answer.status in (400, 409)
        assert center.asked == []


async def test_only_an_agent_with_a_softphone_has_a_line_and_only_from_our_pages() -> None:
    async with console(FakeCenter(), "bob") as bob:
        assert (await bob.get("/sip/node1")).status == 404
        assert (await (await bob.get("/agent/desk")).json())["agent"] == "bob"
    async with console(FakeCenter(), "alice") as alice:
        assert (await alice.get("/sip/nowhere")).status == 404
        with pytest.raises(WSServerHandshakeError) as refused:
            await alice.client.ws_connect("/sip/node1", protocols=("sip",), origin="https://evil.example")
        assert refused.value.status == 403
    async with console(FakeCenter(), "sue", agent="") as sue:
        assert (await sue.get("/agent")).status == 403
        assert (await sue.get("/agent/desk")).status == 404
