"""Bad input beside a talk: whatever comes, the two who talk go on hearing each other."""

import asyncio

import aiohttp
import pytest

from callcenter.domain import facts as f
from callcenter.services.control_client import RequestRefused
from callcenter.sim.sip.policy import AnswerAfter
from tests.support.center import AGENT_TONES, CALLER_TONE, RunningCenter, running_center
from tests.support.real_parties import HEARD

pytestmark = pytest.mark.pbx


async def test_whatever_comes_those_who_talk_go_on() -> None:
    async with running_center() as center:
        alice = await center.agent("alice", AnswerAfter())
        caller = await center.call("+12025550101")
        await caller.hears(AGENT_TONES["alice"])
        talk = await alice.incoming()

        lost = await center.call("+12025550102", "+18005559999")  # nobody's number
        await lost.hears(HEARD["unknown-number"], for_s=0.2)
        await lost.ended()
        await center.fact(f.NumberUnknown)
        assert (await center.fact(f.CallBegan, 2)).dialed == "+18005559999"

        fine = center.file.read_text()
        for old, new, sentence in (
            ("wrap_up_s", "wrapup_s", "queue[0].wrapup_s: is not a key; did you mean 'wrap_up_s'?"),
            ('["support"]', '["suport"]', "agent[0].queues[0]: names queue 'suport', which does not exist; queues: support"),
        ):
            center.file.write_text(fine.replace(old, new, 1))
            with pytest.raises(RequestRefused) as refused:
                await center.ask("reload")
            assert str(refused.value) == f"{center.file}: {sentence}"
        center.file.write_text(fine)

        waiting = await center.call("+12025550103")
        await center.fact(f.ContactEntered, 2)
        await enters_again(center, "+12025550103")
        await center.fact(f.CallBegan, 4)  # leaving was the end of one call, coming in again is another
        await waiting.hang_up()

        await asyncio.gather(caller.hears(AGENT_TONES["alice"]), talk.hears(CALLER_TONE))
        await caller.hang_up()
        await talk.ended()
        await center.fact(f.CallEnded, 4)
        assert [line for line in center.log_file.read_text().splitlines() if '"level": "error"' in line] == []


async def enters_again(center: RunningCenter, caller: str) -> None:
    """Asterisk sends the caller's leg into the application a second time, as a dialplan of somebody else's might."""
    pbx = center.pbx
    headers = {"Authorization": aiohttp.encode_basic_auth(pbx.ari_user, pbx.secrets.ari_password)}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.get(f"{pbx.ari_url}/channels") as answer:
            (leg,) = [channel["id"] for channel in await answer.json() if channel["caller"]["number"] == caller]
        where = {"context": "arrived", "extension": "s", "priority": "1"}
        async with http.post(f"{pbx.ari_url}/channels/{leg}/continue", params=where) as answer:
            assert answer.status == 204, await answer.text()
