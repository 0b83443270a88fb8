"""Trunks for real: registered ones, encrypted ones, several by address, and the way out in an emergency.

The carrier is a second Asterisk of ours, or our SIP phone at the carrier's address.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.runtime.asterisk import AsteriskNode
from callcenter.runtime.asterisk_render import render
from callcenter.runtime.checks import Check, Level
from callcenter.runtime.doctor_node import check_node
from callcenter.runtime.ports import free_ports
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import parse
from callcenter.sim.sip import Phone, tone_pair
from callcenter.sim.sip.policy import Reject
from callcenter.sim.sip.tones import TonePair
from tests.support import sipp
from tests.support.ari_listener import listening
from tests.support.asterisk import DID, Pbx, asterisk_node, raw_settings, short_folder
from tests.support.center import running_center
from tests.support.telephony import caller, engine

pytestmark = pytest.mark.pbx
WITHIN = 60.0


OUR_TONE, FAR_TONE = tone_pair(11), tone_pair(23)

# --- registered --------------------------------------------------------------------------------


class Carrier:
    """A carrier that wants us to register, and can be away. It is an Asterisk of ours, whose agent's phone is our account."""

    def __init__(self, folder: Path) -> None:
        raw = raw_settings(folder / "carrier", agent=[{"name": "account", "queues": ["support"]}])
        (folder / "carrier").mkdir()
        settings = parse(raw)
        secrets = load_secrets(settings.data, ["account"])
        self.pbx = Pbx(settings, secrets, AsteriskNode(settings, secrets, settings.nodes[0], die_with_us=True))
        self.account = self.pbx.phone("account")
        self.password = folder / "carrier.password"
        self.password.write_text(self.account.password)

    def trunk(self, transport: str = "tcp") -> dict[str, Any]:
        """Our end. Over TCP we know at once when the carrier is away."""
        return {
            "name": "carrier",
            "authentication": "registration",
            "host": "127.0.0.1",
            "port": self.pbx.sip_port,
            "user": self.account.endpoint,
            "password_file": str(self.password),
            "transport": transport,
        }


@asynccontextmanager
async def carrier() -> AsyncIterator[Carrier]:
    with short_folder() as folder:
        made = Carrier(folder)
        try:
            yield made
        finally:
            await made.pbx.node.stop()


def registration(pbx: Pbx) -> Check:
    """What the doctor says of it."""
    return next(check for check in check_node(pbx.settings, pbx.secrets, pbx.node.node) if check.name.endswith("registers"))


async def until_said(pbx: Pbx, level: Level, words: str) -> Check:
    async with asyncio.timeout(WITHIN):
        while True:
            found = await asyncio.to_thread(registration, pbx)
            if found.level is level and words in found.detail:
                return found
            await asyncio.sleep(0.2)


async def test_calls_come_in_through_a_registered_trunk() -> None:
    async with carrier() as far, asterisk_node_of(far, trunk=[far.trunk("udp")]) as pbx, engine(pbx) as it, engine(far.pbx) as there:
        await until_said(pbx, Level.OK, "registered with 127.0.0.1")
        since = len(it.events)
        await it.telephony.beat(pbx.name)
        await call_out(far.pbx, "c1", f"{far.account.endpoint}/sip:{DID}@127.0.0.1:{pbx.sip_port}")
        arrived = await it.wait_for(e.LegArrived, since=since)
        assert (arrived.trunk, arrived.dialed, arrived.caller) == ("carrier", DID, "+12025550123")
        await it.run(c.Answer, arrived.leg)
        await there.wait_for(e.LegAnswered, "c1")

        since = len(it.events)
        await it.telephony.beat(pbx.name)
        await call_out(far.pbx, "c2", far.account.endpoint)  # to the account: nobody says which number was dialed
        assert (await it.wait_for(e.LegArrived, since=since)).dialed == ""


@asynccontextmanager
async def asterisk_node_of(far: Carrier, **tables: Any) -> AsyncIterator[Pbx]:
    """Our node beside a carrier that is up."""
    await far.pbx.node.start()
    with short_folder() as folder:
        async with asterisk_node(raw_settings(folder, **tables)) as pbx:
            yield pbx


@pytest.mark.parametrize(
    ("to", "did"),
    [
        (f"<sip:{DID}@carrier.example>", DID),
        ('"5 of: many@" <sip:8005550100@carrier.example;user=phone>', ""),
        ("<sip:8005550100@carrier.example:5060;user=phone>", DID),
        ("<tel:+18005550100>", DID),
        ("<sip:ACCOUNT@carrier.example>", ""),
    ],
)
async def test_a_call_to_the_account_is_for_the_number_in_its_to_header(to: str, did: str) -> None:
    with short_folder() as folder:
        far = Carrier(folder)  # it is away, and calls all the same
        async with asterisk_node(raw_settings(folder / "ours", trunk=[far.trunk("udp")])) as pbx, listening(pbx) as it:
            await it.beat()
            account = far.account.endpoint
            arguments = ["-s", account, "-key", "to", to.replace("ACCOUNT", account)]
            ended = asyncio.create_task(sipp.run("caller-to-account", f"127.0.0.1:{pbx.sip_port}", *arguments))
            assert await it.next() == ["trunk", did, ""]
            assert await ended == 0


async def test_a_wrong_password_is_said_plainly() -> None:
    async with carrier() as far:
        far.password.write_text("something-else")
        async with asterisk_node_of(far, trunk=[far.trunk()]) as pbx:
            found = await until_said(pbx, Level.FAIL, "so no calls come in: the carrier refuses")
            assert "password_file of trunk 'carrier'" in found.fix
            assert "something-else" not in found.detail
            far.password.write_text(far.account.password)
            for module in pbx.node.write_files():
                pbx.cli(f"module reload {module}")
            await until_said(pbx, Level.OK, "registered with")


async def test_a_carrier_that_was_away_is_registered_with_again() -> None:
    async with carrier() as far, asterisk_node_of(far, trunk=[far.trunk()]) as pbx:
        await until_said(pbx, Level.OK, "registered with")
        far.pbx.node.kill()
        await until_said(pbx, Level.FAIL, "so no calls come in: the carrier does not answer")
        await far.pbx.node.stop()
        await far.pbx.node.start()
        await until_said(pbx, Level.OK, "registered with")


# --- encrypted ---------------------------------------------------------------------------------


def encrypted(folder: Path, own_port: int, far_port: int) -> dict[str, Any]:
    """Settings of one end: the other end is its trunk, over TLS with SRTP."""
    trunk = {"name": "far", "authentication": "address", "addresses": ["127.0.0.1"], "host": "127.0.0.1", "port": far_port}
    raw = raw_settings(folder, trunk=[{**trunk, "transport": "tls", "srtp": True}])
    raw["node"][0]["sip_tls_port"] = own_port
    return raw


@asynccontextmanager
async def two_ends() -> AsyncIterator[tuple[Pbx, Pbx]]:
    """Our node and the carrier's."""
    own_port, far_port = free_ports(2)
    with short_folder() as own, short_folder() as far:
        async with (
            asterisk_node(encrypted(own, own_port, far_port)) as pbx,
            asterisk_node(encrypted(far, far_port, own_port)) as carrier_pbx,
        ):
            yield pbx, carrier_pbx


@asynccontextmanager
async def phone_of(pbx: Pbx, agent: str, tone: TonePair) -> AsyncIterator[Phone]:
    account = pbx.phone(agent)
    server = ("127.0.0.1", pbx.sip_port)
    async with await Phone.start(account.endpoint, server=server, password=account.password, tone=tone) as phone:
        await phone.register()
        yield phone


async def test_a_call_over_tls_with_srtp_is_heard_both_ways() -> None:
    """The far end's bob is the caller: the far end connects him with its trunk to us; our alice takes the call."""
    async with (
        two_ends() as (pbx, far),
        phone_of(pbx, "alice", OUR_TONE) as alice,
        phone_of(far, "bob", FAR_TONE) as bob,
        engine(pbx) as it,
        engine(far) as there,
    ):
        bobs_leg = await there.ring("bob")
        await there.wait_for(e.LegAnswered, bobs_leg)
        since = len(it.events)
        await it.telephony.beat(pbx.name)
        out = there.ids.draw_leg(there.node)
        await call_out(far, out, f"far/sip:{DID}@127.0.0.1:{pbx.node.node.sip_tls_port};transport=tls")
        arrived = await it.wait_for(e.LegArrived, since=since)
        assert (arrived.trunk, arrived.dialed) == ("far", DID)
        await it.run(c.Answer, arrived.leg)
        await there.wait_for(e.LegAnswered, out)
        await there.run(c.ConnectLegs, "b1", (bobs_leg, out))

        alices_leg = await it.ring("alice")
        await it.wait_for(e.LegAnswered, alices_leg)
        await it.run(c.ConnectLegs, "b2", (arrived.leg, alices_leg))
        at_alice, at_bob = await alice.incoming(), await bob.incoming()
        await asyncio.gather(at_alice.hears(FAR_TONE), at_bob.hears(OUR_TONE))
        assert await variable(pbx, arrived.leg, "CHANNEL(pjsip,secure)") == "1"
        await asyncio.gather(at_alice.hang_up(), at_bob.hang_up())


async def test_a_trunk_with_srtp_takes_no_call_without() -> None:
    async with two_ends() as (pbx, _), engine(pbx) as it, caller(pbx) as carrier_end:
        call = await carrier_end.invite(DID, caller_id="+12025550123")
        assert (await call.ended()).status == 488
        assert not [event for event in it.events if isinstance(event, e.LegArrived)]


async def variable(pbx: Pbx, leg: str, name: str) -> str:
    """A variable or function of a channel."""
    async with ari(pbx) as http, http.get(f"{pbx.ari_url}/channels/{leg}/variable", params={"variable": name}) as answer:
        return str((await answer.json())["value"])


async def call_out(pbx: Pbx, leg: str, endpoint: str) -> None:
    """Ring an endpoint, or a number through it."""
    query = {"endpoint": f"PJSIP/{endpoint}", "app": "callcenter", "appArgs": "agent", "callerId": "+12025550123"}
    async with ari(pbx) as http, http.post(f"{pbx.ari_url}/channels/{leg}", params=query) as answer:
        assert answer.status == 200, await answer.text()


def ari(pbx: Pbx) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": aiohttp.encode_basic_auth(pbx.ari_user, pbx.secrets.ari_password)})


# --- by address --------------------------------------------------------------------------------

GERMAN, BRITISH = "+493012345678", "+442079460123"
COUNTRIES = [
    {"name": "american", "authentication": "address", "addresses": ["127.0.0.2"]},
    {"name": "german", "authentication": "address", "addresses": ["127.0.0.3"], "did_country": "DE"},
    {"name": "british", "authentication": "address", "addresses": ["127.0.0.4"], "did_country": "GB"},
    {"name": "short", "authentication": "address", "addresses": ["127.0.0.5"], "did_prefix": "+4930"},
]
FORMS = [
    ("american", "+18005550100", DID),
    ("american", "18005550100", DID),
    ("american", "8005550100", DID),
    ("american", "0018005550100", DID),
    ("american", "493012345678", GERMAN),
    ("german", "03012345678", GERMAN),
    ("german", "3012345678", GERMAN),
    ("german", "00493012345678", GERMAN),
    ("german", "18005550100", DID),
    ("british", "02079460123", BRITISH),
    ("british", "2079460123", BRITISH),
    ("short", "12345678", GERMAN),
]
"""Trunk, dialed, and the number of ours that is meant."""
NOT_OURS = [("american", "03012345678"), ("german", "02079460123"), ("german", "8005550100"), ("british", "12345678")]
"""What is a number of ours in another country, or with another trunk's prefix only."""


def by_address(folder: Path) -> dict[str, Any]:
    return raw_settings(folder, trunk=COUNTRIES, number=[{"did": did, "flow": "main"} for did in (DID, GERMAN, BRITISH)])


def written(folder: Path) -> dict[tuple[str, str], str]:
    """The number of ours by trunk and dialed number, as the dialplan has it."""
    settings = parse(by_address(folder))
    secrets = load_secrets(settings.data, ["alice", "bob"])
    (folder / "etc").mkdir()
    render(settings, secrets, settings.nodes[0], folder)
    found: dict[tuple[str, str], str] = {}
    trunk = dialed = ""
    for line in (folder / "etc" / "dialplan" / "10-inbound.conf").read_text().splitlines():
        if section := re.fullmatch(r"\[inbound-(.+)\]", line):
            trunk = section[1]
        elif form := re.fullmatch(r"exten => ([^,]+),1,.*", line):
            dialed = form[1]
        elif taken := re.fullmatch(r" same => n,Stasis\(callcenter,trunk,(\+[0-9]+),\)", line):
            found[trunk, dialed] = taken[1]
    return found


def test_every_way_to_write_a_number_of_ours_is_that_number(tmp_path: Path) -> None:
    known = written(tmp_path)
    assert {(trunk, dialed): known.get((trunk, dialed)) for trunk, dialed, _ in FORMS} == {(t, dialed): did for t, dialed, did in FORMS}
    assert [form for form in NOT_OURS if form in known] == []


async def test_a_call_is_of_the_trunk_whose_address_it_comes_from() -> None:
    """Real calls, each from its trunk's address, in that carrier's way to write the number; and one from nobody's address."""
    calls = [("127.0.0.2", FORMS[2]), ("127.0.0.3", FORMS[5]), ("127.0.0.4", FORMS[9]), ("127.0.0.5", FORMS[11])]
    with short_folder() as folder:
        async with asterisk_node(by_address(folder)) as pbx, engine(pbx) as it:
            server = ("127.0.0.1", pbx.sip_port)
            for address, (trunk, dialed, did) in calls:
                async with await Phone.start("carrier", server=server, local_host=address) as carrier_end:
                    since = len(it.events)
                    await it.telephony.beat(pbx.name)
                    call = await carrier_end.invite(dialed, caller_id="+12025550123")
                    arrived = await it.wait_for(e.LegArrived, since=since)
                    assert (arrived.trunk, arrived.dialed) == (trunk, did)
                    await it.run(c.HangUp, arrived.leg)
                    await call.ended()
            for name in ("stranger", "american", pbx.phone("alice").endpoint):
                async with await Phone.start(name, server=server, local_host="127.0.0.6") as stranger:
                    since = len(it.events)
                    refused = await (await stranger.invite(DID, caller_id=name)).ended()
                    assert refused.status == 401
                    assert not [event for event in it.events[since:] if isinstance(event, e.LegArrived)]


# --- the way out -------------------------------------------------------------------------------


async def test_a_call_for_help_goes_out_with_the_engine_down_and_past_a_trunk_that_fails() -> None:
    """The first trunk refuses, so the second is tried; both ends hear each other."""
    async with (
        await Phone.start("first", local_host="127.0.0.2", on_invite=Reject(503)) as broken,
        await Phone.start("second", local_host="127.0.0.3", tone=FAR_TONE) as helper,
    ):
        trunks = [
            {"name": name, "authentication": "address", "addresses": [phone.address[0]], "host": phone.address[0], "port": phone.address[1]}
            for name, phone in (("first", broken), ("second", helper))
        ]
        with short_folder() as folder:
            async with asterisk_node(raw_settings(folder, trunk=trunks)) as pbx, phone_of(pbx, "alice", OUR_TONE) as alice:
                call = await alice.invite("911")
                await call.answered()
                at_helper = await helper.incoming()
                assert "sip:911@" in at_helper.dialed or at_helper.dialed == "911"
                await asyncio.gather(call.hears(FAR_TONE), at_helper.hears(OUR_TONE))
                await call.hang_up()
                await at_helper.ended()
                assert (await broken.incoming()).dialed == at_helper.dialed


async def test_a_call_for_help_goes_out_over_tls_too() -> None:
    async with two_ends() as (pbx, far), phone_of(pbx, "alice", OUR_TONE) as alice, engine(far) as there:
        call = await alice.invite("911")
        arrived = await there.wait_for(e.LegArrived)
        assert (arrived.dialed, arrived.caller) == ("911", DID)
        await there.run(c.Answer, arrived.leg)
        await call.answered()
        await call.hang_up()


# --- watched over ------------------------------------------------------------------------------


async def test_a_trunk_that_answers_no_more_is_known_to_the_engine() -> None:
    """Whose alerts are judged by it; a trunk without a host sends us calls only, and nobody asks it."""
    async with await Phone.start("carrier-end", tone=FAR_TONE) as carrier:
        host, port = carrier.address
        trunks = [
            {"name": "carrier", "authentication": "address", "addresses": [host], "host": host, "port": port},
            {"name": "inbound", "authentication": "address", "addresses": ["192.0.2.7"]},
        ]
        async with running_center(trunk=trunks) as center:

            async def told(reached: bool) -> bool:
                return (await center.ask("trunks"))["trunks"] == {"carrier": reached}

            await center.until(lambda: told(True))
            carrier.vanish()
            center.pbx.cli("pjsip qualify carrier")
            await center.until(lambda: told(False))
            carrier.come_back()
            center.pbx.cli("pjsip qualify carrier")
            await center.until(lambda: told(True))
