"""The accounts of desk phones on a real Asterisk: one device for each, the newest wins; a new account ends the old; TLS and SRTP."""

import asyncio
import ssl
import sys

import pytest

from callcenter.domain import facts as f
from callcenter.runtime.ports import free_ports
from callcenter.runtime.secrets import load_secrets
from callcenter.sim.sip.phone import Phone, RegistrationRefused
from callcenter.sim.sip.policy import AnswerAfter, RingForever
from tests.support.asterisk import asterisk_node, raw_settings, short_folder
from tests.support.center import CALLER_TONE, running_center

pytestmark = pytest.mark.long


async def test_the_newest_device_wins_and_a_new_account_ends_the_old_one() -> None:
    async with running_center() as center:
        older = await center.agent("alice", RingForever())
        newer = await center.phone("alice", AnswerAfter(0.2))
        caller = await center.call()
        talk = await (await newer.incoming(20)).answered()
        await talk.hears(CALLER_TONE)
        assert older.calls == []

        arguments = ("-m", "callcenter.apps.cli", "phone", "rotate", "alice", "--config", str(center.file))
        rotating = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
        said, _ = await rotating.communicate()
        assert rotating.returncode == 0
        account = load_secrets(center.pbx.settings.data).phones["alice"]
        assert account.endpoint in said.decode()
        await talk.hears(CALLER_TONE)  # whoever talks, talks on
        with pytest.raises(RegistrationRefused):
            await newer.register()
        await caller.hang_up()
        await center.fact(f.ContactEnded)
        newest = await center.phone("alice", AnswerAfter(0.2))
        await center.ask("agent_ready", agent="alice")
        again = await center.call()
        await (await newest.incoming(20)).answered()
        await again.hang_up()


async def test_a_center_that_wants_tls_and_srtp_lets_no_phone_speak_in_the_clear() -> None:
    with short_folder() as folder:
        raw = raw_settings(folder)
        (raw["node"][0]["sip_tls_port"],) = free_ports(1)
        raw["desk_phone"] = {"transport": "tls", "srtp": True}
        async with asterisk_node(raw) as pbx:
            account = pbx.phone("alice")
            answer = await _over_tls(raw["node"][0]["sip_tls_port"], account.endpoint)
            assert answer.startswith("SIP/2.0 401 ")
            server = ("127.0.0.1", pbx.sip_port)
            async with await Phone.start(account.endpoint, server=server, password=account.password) as phone:
                call = await phone.invite("*11")
                await call.ended()
                assert call.statuses[-1] == 488


async def _over_tls(port: int, user: str) -> str:
    """What a REGISTER is answered; the certificate is the node's own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    local = "{}:{}".format(*writer.get_extra_info("sockname")[:2])
    lines = (
        f"REGISTER sip:127.0.0.1:{port};transport=tls SIP/2.0",
        f"Via: SIP/2.0/TLS {local};rport;branch=z9hG4bKtls1",
        f"From: <sip:{user}@127.0.0.1>;tag=1",
        f"To: <sip:{user}@127.0.0.1>",
        "Call-ID: over-tls",
        "CSeq: 1 REGISTER",
        f"Contact: <sip:{user}@{local};transport=tls>",
        "Max-Forwards: 70",
        "Content-Length: 0",
    )
    writer.write("\r\n".join((*lines, "", "")).encode())
    async with asyncio.timeout(10):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answer.decode()
