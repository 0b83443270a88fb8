"""The console's socket as a browser speaks it: who may ask what, once and no more, and what becomes of those who misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from callcenter.adapters.web import console_socket as module
from callcenter.adapters.web.console_socket import MESSAGE_LIMIT, SIGNED_OUT, ConsoleSocket
from callcenter.domain.config import QueueConfig
from callcenter.domain.rights import RIGHTS, Role, Scope, Signed
from callcenter.services import mandate
from callcenter.services.console_commands import Commands
from callcenter.services.consoles import Consoles
from callcenter.services.control import Json, JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused
from callcenter.services.replica import Replica
from tests.support.watched_center import WatchedCenter, browsers

PATIENCE = 30.0
ALICE = Signed("alice@example", "Alice", frozenset({Role.AGENT}), RIGHTS[Role.AGENT], agent="alice")
SUE = Signed("sue@example", "Sue", frozenset({Role.SUPERVISOR}), RIGHTS[Role.SUPERVISOR])


@dataclass
class Office:
    """A center, and the door to its consoles. ``signed`` is who comes next, and who she is then."""

    center: WatchedCenter = field(
        default_factory=lambda: WatchedCenter(browsers("alice", "bob", queues=(QueueConfig("support"), QueueConfig("sales"))))
    )
    signed: Signed = ALICE
    still: bool = True
    asked: list[tuple[str, JsonObject]] = field(default_factory=list)
    refuse: str = ""
    away: bool = False
    slow: asyncio.Event | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    audited: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        replica = cast(Replica, self.center)
        self.consoles = Consoles(replica, self.ask)
        self.socket = ConsoleSocket(self.consoles, Commands(replica, self.ask, self.audit))
        app = web.Application()
        app.router.add_get("/console/socket", self.serve)
        self.client: TestClient = TestClient(TestServer(app))  # type: ignore[type-arg]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        async def still() -> Signed | None:
            return self.signed if self.still else None

        return await self.socket.serve(request, self.signed, still, self.ended)

    async def ask(self, do: str, **fields: Json) -> JsonObject:
        self.asked.append((do, fields))
        if self.slow is not None:
            await self.slow.wait()
        if self.away:
            raise EngineAway("away")
        if self.refuse:
            raise RequestRefused(self.refuse)
        return {"state": "ready"}

    async def audit(self, signed: Signed, do: str, fields: JsonObject, refused: str) -> None:
        self.audited.append((signed.person, do, refused))

    async def opens(self, query: str = "") -> "Browser":
        return Browser(await self.client.ws_connect(f"/console/socket{query}"))


class Browser:
    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.told: list[dict[str, Any]] = []

    async def hears(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            message = json.loads(await self.socket.receive_str())
        assert isinstance(message, dict)
        return message

    async def until(self, event: str) -> dict[str, Any]:
        while (message := await self.hears()).get("event") != event:
            self.told.append(message)
        return message

    async def answer(self, message: object) -> dict[str, Any]:
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))
        while "event" in (answer := await self.hears()):
            self.told.append(answer)
        return answer

    async def closed(self) -> int | None:
        async with asyncio.timeout(PATIENCE):
            while (message := await self.socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING):
                pass
        return message.data if message.type is WSMsgType.CLOSE else None


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    async with office.client:
        yield office


async def test_an_agent_is_told_of_her_offer_and_commands_herself(office: Office) -> None:
    page = await office.opens()
    await page.until("picture")
    office.center.world.agent_ready("alice")
    office.center.world.caller_arrives(caller="+12025550177")
    offer = await page.until("offer")
    assert offer["contact"]["caller"] == "+12025550177"
    assert await page.answer({"id": "1", "do": "agent_ready"}) == {"id": "1", "ok": {"state": "ready"}}
    assert office.asked == [("agent_ready", {"agent": "alice"})]


async def test_the_same_command_twice_is_carried_out_once(office: Office) -> None:
    page = await office.opens()
    answer = await page.answer({"id": "x", "do": "agent_ready"})
    assert await page.answer({"id": "x", "do": "agent_ready"}) == answer
    office.slow = asyncio.Event()
    await page.socket.send_str('{"id":"y","do":"agent_logout"}')
    other = await office.opens()
    await other.socket.send_str('{"id":"y","do":"agent_logout"}')
    async with asyncio.timeout(PATIENCE):
        while len(office.asked) < 2:
            await asyncio.sleep(0.005)
    office.slow.set()
    assert (await page.answer({"id": "p", "do": "ping"}))["id"] in ("y", "p")
    assert [do for do, _ in office.asked] == ["agent_ready", "agent_logout"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("nonsense", "one JSON object"),
        ("[1]", "one JSON object"),
        ("[" * 20_000, "one JSON object"),
        ({"do": "agent_ready"}, "'id' must be"),
        ({"id": 7, "do": "agent_ready"}, "'id' must be"),
        ({"id": "x" * 65, "do": "agent_ready"}, "'id' must be"),
        ({"id": "1"}, "'do' is missing"),
        ({"id": "1", "do": ["agent_ready"]}, "'do' is missing"),
        ({"id": "1", "do": "reload"}, "no operation 'reload'"),
        ({"id": "1", "do": "state"}, "no operation 'state'"),
        ({"id": "1", "do": "agent_ready", "agent": "bob"}, "for another agent"),
        ({"id": "1", "do": "agent_force", "agent": "bob", "state": "ready"}, "force_state"),
        ({"id": "1", "do": "explain", "contact": "nobody"}, "no contact"),
        ({"id": "1", "do": "explain"}, "'contact' is missing"),
    ],
)
async def test_what_is_not_hers_to_ask_is_answered_with_a_sentence_and_goes_no_further(office: Office, message: object, said: str) -> None:
    page = await office.opens()
    assert said in (await page.answer(message))["error"]
    assert office.asked == []
    assert await page.answer({"id": "ok", "do": "ping"}) == {"id": "ok", "ok": {}}


async def test_a_supervisor_acts_within_her_scope_and_it_is_written_down(office: Office) -> None:
    office.signed = replace(SUE, scope=Scope(queues=frozenset({"sales"})))
    page = await office.opens()
    office.center.world.caller_arrives("support")
    contact = next(iter(office.center.world.center.state.contacts))
    assert "there" in (await page.answer({"id": "1", "do": "contact_priority", "contact": contact, "priority": 5}))["error"]
    office.center.world.caller_arrives("sales")
    contact = list(office.center.world.center.state.contacts)[-1]
    assert "ok" in await page.answer({"id": "2", "do": "contact_priority", "contact": contact, "priority": 5})
    assert "there" in (await page.answer({"id": "3", "do": "contact_move", "contact": contact, "queue": "support"}))["error"]
    ((do, fields),) = office.asked
    assert (do, fields["contact"], fields["priority"], fields["by"]) == ("contact_priority", contact, 5, "sue@example")
    assert fields["who"] == mandate.who(office.signed), "the engine judges by it, too"
    office.refuse = "no"
    assert (await page.answer({"id": "4", "do": "contact_priority", "contact": contact, "priority": 6}))["error"] == "no"
    there = "you may not do this: it needs the right 'move_contacts' there"
    refused = [("sue@example", do, there) for do in ("contact_priority", "contact_move")]
    assert office.audited == [refused[0], ("sue@example", "contact_priority", ""), refused[1], ("sue@example", "contact_priority", "no")]


async def test_a_supervisor_without_an_agent_of_hers_is_no_agent(office: Office) -> None:
    office.signed = SUE
    page = await office.opens()
    picture = await page.until("picture")
    assert (picture["agent"], picture["contact"]) == (None, None)
    assert (await page.answer({"id": "1", "do": "agent_ready"}))["error"] == "you are no agent"


async def test_why_a_contact_waits_is_explained_without_the_engine(office: Office) -> None:
    office.signed = SUE
    page = await office.opens()
    office.center.world.caller_arrives("sales", "+12025550188")
    explained = (await page.answer({"id": "1", "do": "explain", "contact": "+12025550188"}))["ok"]
    assert (explained["queue"], explained["ahead"], len(explained["others"])) == ("sales", 0, 2)
    assert office.asked == []


async def test_rights_that_are_taken_away_count_at_once_and_an_ended_session_is_said_plainly(office: Office) -> None:
    office.signed = SUE
    page = await office.opens()
    office.signed = replace(SUE, rights=frozenset())
    assert "force_state" in (await page.answer({"id": "1", "do": "agent_force", "agent": "alice"}))["error"]
    office.still = False
    assert "session has ended" in (await page.answer({"id": "2", "do": "agent_ready"}))["error"]
    office.ended.set()
    assert await page.closed() == SIGNED_OUT
    assert office.asked == []


async def test_an_engine_that_is_away_is_said_plainly(office: Office) -> None:
    office.away = True
    page = await office.opens()
    assert "calls go on" in (await page.answer({"id": "1", "do": "agent_ready"}))["error"]


async def test_too_much_at_once_costs_only_its_own_connection(office: Office) -> None:
    page, other = await office.opens(), await office.opens()
    await page.socket.send_str(json.dumps({"id": "1", "do": "agent_ready", "padding": "x" * MESSAGE_LIMIT}))
    assert await page.closed() == 1009
    assert await other.answer({"id": "2", "do": "ping"}) == {"id": "2", "ok": {}}


async def test_a_gap_is_filled(office: Office) -> None:
    page = await office.opens()
    hello = await page.hears()
    await page.until("picture")
    await page.socket.close()
    office.center.world.agent_ready("alice")
    back = await office.opens(f"?session={hello['session']}&since=0")
    assert (await back.hears())["resumed"] is True
    assert [(await back.hears())["agent"]["state"] for _ in range(2)] == ["not_ready", "ready"]
    for wrong in ("?session=%00&since=-1", "?session=x&since=99999999999999999999999", "?since=é"):
        assert (await (await office.opens(wrong)).hears())["resumed"] is False


async def test_who_is_silent_is_disconnected(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PING_EVERY", 0.02)
    monkeypatch.setattr(module, "SILENT_AFTER", 0.2)
    silent = Browser(await office.client.ws_connect("/console/socket", autoping=False))
    lively = await office.opens()
    hearing = asyncio.create_task(lively.closed())
    await silent.until("picture")
    async with asyncio.timeout(PATIENCE):
        while office.consoles.open > 1:
            await asyncio.sleep(0.01)
            while not silent.socket.closed and (await silent.socket.receive()).type is WSMsgType.PING:
                pass  # and says nothing
    assert not hearing.done(), "who answers pings stays"
    hearing.cancel()


async def test_a_reader_that_takes_nothing_is_cut_off_and_nobody_else_waits(office: Office) -> None:
    stuck, other = await office.opens(), await office.opens()
    await other.until("picture")
    console = next(iter(office.consoles._consoles.values()))
    big = "x" * 60_000
    async with asyncio.timeout(PATIENCE):
        for number in range(100_000):
            if len(console.tabs) < 2:
                break
            console.tell("notice", notice=big)
            assert (await other.until("notice"))["seq"] == number + 1
    assert len(console.tabs) == 1
    assert stuck.socket is not None
