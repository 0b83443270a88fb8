"""What a call may do while we are down, and how it reaches us when we are up. A real Asterisk, SIPp as caller."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from callcenter.sim.sip import Phone, tone_pair
from tests.support import sipp
from tests.support.ari_listener import listening
from tests.support.asterisk import DID, Pbx, asterisk_node, free_ports, raw_settings, short_folder

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node() -> AsyncIterator[Pbx]:
    """One node for all of these tests, whose trunk sends calls to a port where a carrier may listen."""
    with short_folder() as folder:
        (carrier,) = free_ports(1)
        trunk = {"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"], "host": "127.0.0.1", "port": carrier}
        async with asterisk_node(raw_settings(folder, trunk=[trunk])) as running:
            yield running
            assert [line for line in running.log().splitlines() if "ERROR" in line] == []


@pytest_asyncio.fixture(loop_scope="module")
async def pbx(node: Pbx) -> AsyncIterator[Pbx]:
    """The node as the test finds and leaves it: without calls."""
    node.forget_log()
    yield node
    async with asyncio.timeout(10):
        while "0 active channels" not in node.cli("core show channels count"):
            await asyncio.sleep(0.05)


async def call(pbx: Pbx, dialed: str, scenario: str = "caller-hung-up-on", caller: str = "2125550123", listens_ms: int = 0) -> int:
    return await sipp.run(scenario, f"127.0.0.1:{pbx.sip_port}", "-s", dialed, "-key", "from", caller, "-d", str(listens_ms))


async def dial(pbx: Pbx, agent: str, dialed: str) -> int:
    phone = pbx.phone(agent)
    arguments = ["-s", dialed, "-key", "from", phone.endpoint, "-au", phone.endpoint, "-ap", phone.password]
    return await sipp.run("phone", f"127.0.0.1:{pbx.sip_port}", *arguments)


def fallback_lines(pbx: Pbx) -> list[list[str]]:
    """What the fallback wrote into the queue log."""
    return [line for line in pbx.queue_log() if line[2] == "fallback_support"]


def events(pbx: Pbx) -> list[str]:
    return [line[4] for line in fallback_lines(pbx)]


async def until_logged(pbx: Pbx, event: str) -> None:
    """Asterisk writes the log in its own time."""
    async with asyncio.timeout(20):
        while event not in events(pbx):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("dialed", "did"),
    [
        (DID, DID),
        ("18005550100", DID),
        ("8005550100", DID),
        ("0018005550100", DID),
        ("+4930123456", "+4930123456"),
        ("2125559999", "2125559999"),
        ("123&Local/911@emergency", ""),
        ("1${SHELL(id)}", ""),
        ('8005550100"|1|"', ""),
        ("1" * 40, ""),
        ("sales", ""),
    ],
)
async def test_a_call_reaches_the_engine_with_its_number_in_e164(pbx: Pbx, dialed: str, did: str) -> None:
    async with listening(pbx) as engine:
        await engine.beat()
        ended = asyncio.create_task(call(pbx, quote(dialed, safe="+")))
        assert await engine.next() == ["trunk", did, ""]
        assert await ended == 0
    assert events(pbx) == []


@pytest.mark.parametrize("age", [4, 60, -60])
async def test_a_heartbeat_that_is_not_of_the_last_seconds_means_fallback(pbx: Pbx, age: int) -> None:
    async with listening(pbx) as engine:
        await engine.beat(age)
        assert await call(pbx, DID, "caller", listens_ms=300) == 0
        assert engine.entered.empty()
    await until_logged(pbx, "CC_ENDED")
    assert events(pbx) == ["CC_ENTERED", "CC_ENDED"]


async def test_without_an_engine_the_caller_waits_in_the_fallback_and_the_log_tells_it(pbx: Pbx) -> None:
    assert await call(pbx, "8005550100", "caller", caller="%2B1212%0d%0a5550123", listens_ms=2500) == 0

    await until_logged(pbx, "CC_ENDED")
    lines = fallback_lines(pbx)
    assert events(pbx) == ["CC_ENTERED", "ENTERQUEUE", "ABANDON", "CC_ENDED"]
    assert len({line[1] for line in lines}) == 1
    assert lines[0][1].startswith("node1-")
    assert lines[0][5:7] == [DID, "+12125550123"]
    assert abs(int(lines[0][7]) - int(lines[0][0])) <= 1


async def test_an_unknown_number_hears_so_in_the_fallback_and_is_hung_up(pbx: Pbx) -> None:
    assert await call(pbx, "2125559999") == 0
    assert events(pbx) == []


async def test_a_caller_in_the_fallback_goes_to_the_engine_once_it_is_back(pbx: Pbx) -> None:
    ended = asyncio.create_task(call(pbx, DID))
    await until_logged(pbx, "CC_ENTERED")
    async with listening(pbx) as engine, engine.beating():
        door, did, since = await engine.next()
    assert await ended == 0
    assert (door, did) == ("trunk", DID)
    (entered,) = [line for line in pbx.queue_log() if line[4] == "CC_ENTERED"]
    assert since == entered[7]
    assert events(pbx)[-1] == "CC_RETURNED"


async def test_an_agents_phone_reaches_the_engine_with_what_it_dialed(pbx: Pbx) -> None:
    async with listening(pbx) as engine:
        await engine.beat()
        ended = asyncio.create_task(dial(pbx, "alice", "*11"))
        assert await engine.next() == ["desk_phone", "*11"]
        assert await ended == 0


@pytest.mark.parametrize("dialed", ["1&Local/911@emergency", "*11/../x", "1" * 40, "${EXTEN}"])
async def test_an_agents_phone_cannot_dial_what_is_no_number(pbx: Pbx, dialed: str) -> None:
    async with listening(pbx) as engine:
        await engine.beat()
        assert await dial(pbx, "alice", quote(dialed, safe="*")) == 0
        assert engine.entered.empty()


async def test_without_an_engine_an_agents_phone_is_told_so(pbx: Pbx) -> None:
    assert await dial(pbx, "alice", "*11") == 0


async def test_an_emergency_call_needs_no_engine(pbx: Pbx) -> None:
    port = pbx.settings.trunks[0].port
    async with sipp.playing("carrier", f"127.0.0.1:{pbx.sip_port}", "-d", "300", port=port) as carrier:
        assert await dial(pbx, "alice", "911") == 0
        assert await asyncio.wait_for(carrier.wait(), 30) == 0


@pytest.mark.parametrize("caller", ["2125550123", "carrier", "anonymous"])
async def test_whoever_is_neither_trunk_nor_phone_is_refused(pbx: Pbx, caller: str) -> None:
    arguments = ["-s", DID, "-key", "from", caller]
    assert await sipp.run("refused", f"127.0.0.1:{pbx.sip_port}", *arguments, address="127.0.0.2") == 0


async def test_in_the_fallback_an_agents_phone_rings_and_the_log_names_it(pbx: Pbx) -> None:
    server = ("127.0.0.1", pbx.sip_port)
    account = pbx.phone("alice")
    async with (
        await Phone.start(account.endpoint, server=server, password=account.password, tone=tone_pair(10)) as alice,
        await Phone.start("carrier", server=server, tone=tone_pair(50)) as carrier,
    ):
        await alice.register()
        caller = await carrier.invite(DID, caller_id="+12025550123")
        talk = await (await alice.incoming()).answered()
        await asyncio.gather(caller.hears(tone_pair(10)), talk.hears(tone_pair(50)))
        await talk.hang_up()
        await caller.ended()
        await until_logged(pbx, "CC_ENDED")
        await alice.unregister()

    connected = next(line for line in fallback_lines(pbx) if line[4] == "CONNECT")
    assert connected[3] == account.endpoint
    assert events(pbx)[0] == "CC_ENTERED"
    assert {"CONNECT", "CC_ENDED"} <= set(events(pbx))
