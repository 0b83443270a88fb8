"""The test phone against a real Asterisk: whoever trusts what the phone hears should know that both understand each other."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from callcenter.sim.sip import AnswerAfter, Busy, Phone, RegistrationRefused, RingForever, tone_pair
from tests.support.asterisk import DID, MENU_TONES, MUSIC_TONES, WELCOME_TONES, Pbx, asterisk_node

pytestmark = pytest.mark.pbx

ALICE, BOB, CALLER = tone_pair(10), tone_pair(30), tone_pair(50)
APP = "callcenter"


class Ari:
    """Just enough ARI to move the phones' calls, of its own: the client we ship is tested elsewhere."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, url: str) -> None:
        self._http, self._socket, self._url = http, socket, url
        self._past: list[Mapping[str, Any]] = []

    async def ask(self, method: str, path: str, **query: str) -> Any:
        async with self._http.request(method, f"{self._url}/{path}", params=query) as response:
            assert response.status < 300, await response.text()
            return await response.json() if response.content_length else None

    async def event(self, kind: str, channel: str | None = None) -> Mapping[str, Any]:
        """The next event of this kind (about this channel)."""

        def fits(event: Mapping[str, Any]) -> bool:
            return event["type"] == kind and channel in (None, event.get("channel", {}).get("id"))

        async with asyncio.timeout(15):
            while not (found := next((event for event in self._past if fits(event)), None)):
                self._past.append(await self._socket.receive_json())
        self._past.remove(found)
        return found

    async def beat(self) -> None:
        """Tells the dialplan that somebody is there (it believes it for three seconds)."""
        epoch = (await self.ask("GET", "asterisk/variable", variable="EPOCH"))["value"]
        await self.ask("POST", "asterisk/variable", variable="CC_BEAT", value=epoch)


@asynccontextmanager
async def ari_of(pbx: Pbx) -> AsyncIterator[Ari]:
    pbx.cli("core waitfullybooted")
    login = {"Authorization": aiohttp.encode_basic_auth(pbx.ari_user, pbx.secrets.ari_password)}
    async with (
        aiohttp.ClientSession(headers=login) as http,
        http.ws_connect(f"{pbx.ari_url}/events?app={APP}&subscribeAll=false") as socket,
    ):
        yield Ari(http, socket, pbx.ari_url)


@asynccontextmanager
async def phone_of(pbx: Pbx, agent: str, **options: Any) -> AsyncIterator[Phone]:
    """This agent's phone, registered."""
    credentials = pbx.phone(agent)
    async with await Phone.start(
        credentials.endpoint, server=("127.0.0.1", pbx.sip_port), password=credentials.password, **options
    ) as phone:
        await phone.register()
        yield phone


@asynccontextmanager
async def carrier_of(pbx: Pbx, **options: Any) -> AsyncIterator[Phone]:
    async with await Phone.start("carrier", server=("127.0.0.1", pbx.sip_port), **options) as phone:
        yield phone


async def test_an_agents_phone_is_rung_hears_a_prompt_presses_a_key_and_holds() -> None:
    async with asterisk_node() as pbx, ari_of(pbx) as ari, phone_of(pbx, "alice", tone=ALICE, on_invite=AnswerAfter(0.1)) as phone:
        await ari.ask("POST", "channels", endpoint=f"PJSIP/{phone.name}", app=APP, channelId="leg-1", callerId='"Carol" <+12025550123>')
        call = await (await phone.incoming()).answered()
        await ari.event("StasisStart", "leg-1")
        assert call.statuses == [100, 180, 200]
        assert "+12025550123" in call.invite.need("From")

        await ari.ask("POST", "channels/leg-1/play", media="sound:callcenter/welcome")
        await call.hears(WELCOME_TONES)

        await call.send_digits("1#")
        assert [(await ari.event("ChannelDtmfReceived"))["digit"] for _ in "1#"] == ["1", "#"]

        await call.hold()
        await ari.event("ChannelHold", "leg-1")
        await call.resume()
        await ari.event("ChannelUnhold", "leg-1")

        await ari.ask("DELETE", "channels/leg-1")
        reason = await call.ended()
        assert (reason.by_us, reason.q850) == (False, 16)
        await phone.unregister()


async def test_two_phones_in_a_bridge_hear_each_other() -> None:
    async with (
        asterisk_node() as pbx,
        ari_of(pbx) as ari,
        phone_of(pbx, "alice", tone=ALICE) as alice,
        carrier_of(pbx, tone=CALLER) as carrier,
    ):
        await ari.beat()
        caller = await carrier.invite(DID, caller_id="+12025550123")
        arrived = (await ari.event("StasisStart"))["channel"]
        assert arrived["caller"]["number"] == "+12025550123"
        await ari.ask("POST", f"channels/{arrived['id']}/answer")
        await ari.ask("POST", "bridges/bridge-1", type="mixing")
        await ari.ask("POST", "channels", endpoint=f"PJSIP/{alice.name}", app=APP, channelId="leg-1")
        agent = await (await alice.incoming()).answered()
        await ari.event("StasisStart", "leg-1")
        await ari.ask("POST", "bridges/bridge-1/addChannel", channel=f"{arrived['id']},leg-1")

        await asyncio.gather(caller.hears(ALICE), agent.hears(CALLER))
        await agent.send_digit("7")
        await caller.hears_digits("7")
        assert caller.longest_gap_s(since_s=0.5) < 1.0

        await caller.hang_up()
        await ari.event("StasisEnd", arrived["id"])
        await ari.ask("DELETE", "channels/leg-1")
        await agent.ended()


async def test_a_busy_phone_is_cause_17() -> None:
    async with asterisk_node() as pbx, ari_of(pbx) as ari, phone_of(pbx, "alice", on_invite=Busy()) as phone:
        await ari.ask("POST", "channels", endpoint=f"PJSIP/{phone.name}", app=APP, channelId="leg-1")

        assert (await ari.event("ChannelDestroyed", "leg-1"))["cause"] == 17
        assert (await (await phone.incoming()).ended()).status == 486


async def test_a_withdrawn_offer_is_cancelled_at_the_phone() -> None:
    async with asterisk_node() as pbx, ari_of(pbx) as ari, phone_of(pbx, "alice", on_invite=RingForever()) as phone:
        await ari.ask("POST", "channels", endpoint=f"PJSIP/{phone.name}", app=APP, channelId="leg-1")
        call = await phone.incoming()
        await ari.event("ChannelStateChange", "leg-1")

        await ari.ask("DELETE", "channels/leg-1")

        reason = await call.ended()
        assert (reason.status, reason.by_us) == (487, False)


async def test_a_caller_without_an_engine_hears_the_fallback() -> None:
    async with asterisk_node() as pbx, carrier_of(pbx, tone=CALLER) as carrier:
        call = await (await carrier.invite(DID, caller_id="+12025550123")).answered()

        await call.hears(MUSIC_TONES, within=30)
        assert call.heard_tones(MUSIC_TONES, MENU_TONES)[0].pair == MUSIC_TONES
        await call.hang_up()


async def test_a_wrong_password_is_refused() -> None:
    async with asterisk_node() as pbx:
        name = pbx.phone("alice").endpoint
        async with await Phone.start(name, server=("127.0.0.1", pbx.sip_port), password="wrong") as phone:
            with pytest.raises(RegistrationRefused) as refused:
                await phone.register()

    assert refused.value.status == 401


async def test_the_registration_survives_a_new_asterisk() -> None:
    """Asterisk ends and comes back: the same phone, with its old numbers and tags, is taken again."""
    async with asterisk_node() as pbx, phone_of(pbx, "alice") as phone:
        await pbx.node.stop()
        await pbx.node.start()

        await phone.register()

        assert phone.registered


@pytest.mark.parametrize(
    ("raw", "is_sip"),
    [
        ('"<script>alert(1)</script>" <sip:%0d%0aAction:%20Originate@127.0.0.1>', True),
        ('"${SHELL(id)}" <sip:$EXTEN@127.0.0.1>', True),
        ('"${SHELL(id)}" <sip:${EXTEN}@127.0.0.1>', False),
        ("<sip:@127.0.0.1>", False),
        (f"<sip:{'9' * 600}@127.0.0.1>", True),
        ('"\x1b[2J\u202e" <sip:500&Local%2Fx%40y@127.0.0.1>', True),
    ],
)
async def test_hostile_callers_harm_nobody(raw: str, is_sip: bool) -> None:
    """A From that SIP's grammar forbids gets no response at all, any other a call; the next caller is served either way."""
    async with asterisk_node() as pbx, carrier_of(pbx) as carrier:
        hostile = await carrier.invite(DID, from_raw=raw)
        if is_sip:
            await hostile.answered()

        call = await (await carrier.invite(DID, caller_id="+12025550123")).answered()

        assert call.is_up
        assert hostile.is_up is is_sip


async def test_asterisk_agrees_to_a_session_timer() -> None:
    async with asterisk_node() as pbx, carrier_of(pbx) as carrier:
        carrier.session_expires = 60  # too small for it: 422, and again with its least
        call = await (await carrier.invite(DID, caller_id="+12025550123")).answered()

        assert call.statuses[0] == 422
        assert call.signalling.timer.interval == 90
        await call.signalling.reinvite()
        assert call.signalling.timer.interval == 90
        await call.hang_up()
