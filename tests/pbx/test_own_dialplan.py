"""A dialplan of the customer's own on a real Asterisk asks the engine: who calls, is it open; and goes on when nobody answers."""

import asyncio
import re
from pathlib import Path

import pytest

from callcenter.domain import facts as f
from callcenter.runtime.ports import free_ports
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from tests.support.asterisk import MENU_TONES, raw_node, rtp_ranges
from tests.support.center import RunningCenter, running_center

pytestmark = pytest.mark.pbx

PAGE = Path(__file__).parents[2] / "docs/fastagi.md"
THEIRS = "+18005550177"
ALWAYS = {"time_zone": "UTC", "weekly": ["mon-sun 00:00-24:00"]}
LISTS = [{"name": "nuisance", "blocked": True, "entry": [{"number": "+12025550199", "reason": "insults"}]}]


def snippet(port: int) -> str:
    """The dialplan that the page shows, with the test's port."""
    found = re.search(r"```\n(\[inbound-carrier\].*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1].replace(":4573/", f":{port}/")


async def dial(center: RunningCenter, caller: str) -> Call:
    phone = await center.stack.enter_async_context(await Phone.start("carrier-end", server=("127.0.0.1", center.pbx.sip_port)))
    return await phone.invite(THEIRS, caller_id=caller)


async def turned_away(center: RunningCenter, caller: str) -> int | None:
    return (await (await dial(center, caller)).ended()).status


async def connects_and_never_asks(port: int, sent: bytes) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    return writer


async def test_a_dialplan_of_their_own_asks_who_calls_and_whether_it_is_open(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    (rtp,) = rtp_ranges(1)
    file = tmp_path / "extensions.conf"
    file.write_text(snippet(port))
    tables = {"calendar": {"main": ALWAYS}, "caller_list": LISTS, "engine": {"agi_port": port}}
    async with running_center(node=[{**raw_node("node1", rtp), "dialplan": str(file)}], **tables) as center:
        through = await dial(center, "+12025550101")
        await (await through.answered()).hears(MENU_TONES)
        await through.hang_up()
        assert await turned_away(center, "+12025550199") == 403

        others = [await connects_and_never_asks(port, sent) for sent in (b"", b"agi_", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 5000) * 10]
        await center.ask("calendar_switch", calendar="main", is_open=False, reason="fire drill")
        await center.fact(f.HoursSwitched)
        assert await turned_away(center, "+12025550101") == 486, "among clients who never ask"
        for other in others:
            other.close()

        await center.stop_engine()
        caller = await dial(center, "+12025550199")
        await caller.answered()  # nobody knows that the caller is blocked: the default holds, and the fallback answers
        await caller.hang_up()
        await center.start_engine()
