"""A real node: starts on free ports, loads what it should and no more, outlives us, follows a reload, and is gone when stopped."""

import asyncio
import json
import os
import re
import ssl
import stat
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.runtime import asterisk_modules
from callcenter.runtime.asterisk import AsteriskError, AsteriskNode, account
from callcenter.runtime.asterisk_root import FLOOR, find
from callcenter.runtime.process import Process
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import parse
from tests.support import sipp
from tests.support.ari_listener import listening
from tests.support.asterisk import DID, Pbx, asterisk_node, asterisk_nodes, free_ports, raw_settings, short_folder


def complaints(pbx: Pbx) -> list[str]:
    return [line for line in pbx.log().splitlines() if "ERROR" in line or "WARNING" in line]


def proc(process: Process, what: str) -> str:
    return Path(f"/proc/{process.pid}/{what}").read_text()


def bound(process: Process, table: str) -> set[str]:
    """``address:port`` of every listening TCP or bound UDP socket of the process, IPv4."""
    inodes = {link.readlink().name for link in Path(f"/proc/{process.pid}/fd").iterdir() if link.is_symlink()}
    found: set[str] = set()
    for line in proc(process, f"net/{table}").splitlines()[1:]:
        local, state, inode = (line.split()[column] for column in (1, 3, 9))
        if f"socket:[{inode}]" in inodes and state in ("0A", "07"):
            address, port = local.split(":")
            found.add(".".join(str(int(address[at : at + 2], 16)) for at in (6, 4, 2, 0)) + f":{int(port, 16)}")
    return found


async def test_a_node_runs_exactly_the_listed_modules_without_complaint() -> None:
    async with asterisk_node() as pbx:
        shown = [line.split() for line in pbx.cli("module show").splitlines() if ".so" in line]
        assert {words[0].removesuffix(".so") for words in shown} == {*asterisk_modules.REQUIRED, *asterisk_modules.LOADED}
        assert all("Running" in words and "Not" not in words for words in shown)
        assert complaints(pbx) == []
        process = pbx.node.process
        assert process is not None
    assert not process.is_running()


async def test_only_sip_listens_where_it_was_told_all_else_on_the_loopback() -> None:
    with short_folder() as folder:
        raw = raw_settings(folder)
        raw["node"][0]["bind"] = "127.0.0.3"
        async with asterisk_node(raw) as pbx:
            section, process = pbx.node.node, pbx.node.process
            assert process is not None
            sip = f"127.0.0.3:{section.sip_port}"
            assert bound(process, "tcp") == {sip, f"127.0.0.1:{section.http_port}", f"127.0.0.1:{section.ami_port}"}
            assert sip in bound(process, "udp")
            assert len(bound(process, "udp")) <= 2  # and the resolver of the SIP library, which takes answers only


async def test_secrets_are_for_us_and_asterisk_only() -> None:
    async with asterisk_node() as pbx:
        secret = pbx.secrets.ari_password
        assert stat.S_IMODE((pbx.settings.data / "secrets.json").stat().st_mode) == 0o600
        holders = [path for path in pbx.settings.data.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
        assert {path.name for path in holders} == {"secrets.json", "ari.conf"}
        for path in (pbx.node.folder / "etc").rglob("*"):
            assert path.stat().st_mode & stat.S_IRWXO == 0, path
        process = pbx.node.process
        assert process is not None
        assert secret not in proc(process, "cmdline")


async def test_asterisk_runs_without_rights_and_cannot_write_its_configuration() -> None:
    async with asterisk_node() as pbx:
        process, who = pbx.node.process, account()
        assert process is not None
        status = dict(line.split(":\t", 1) for line in proc(process, "status").splitlines() if ":\t" in line)
        assert int(status["CapEff"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        if who is not None:
            assert status["Uid"].split() == [str(who.uid)] * 4
            assert (pbx.node.folder / "etc" / "pjsip.conf").stat().st_uid == 0


async def test_two_nodes_side_by_side_and_killing_one_leaves_the_other() -> None:
    async with asterisk_nodes(("node1", "node2")) as (one, two):
        async with listening(two) as engine:
            one.node.kill()
            assert one.node.process is not None
            assert await one.node.process.ended(10)
            assert not one.node.is_running()
            await engine.beat()
            ended = asyncio.create_task(sipp.run("caller-hung-up-on", f"127.0.0.1:{two.sip_port}", "-s", DID, "-key", "from", "2125550123"))
            assert await engine.next() == ["trunk", DID, ""]
            assert await ended == 0
        await one.node.start()
        assert await one.node.answers()


async def test_a_node_starts_however_many_files_we_have_open() -> None:
    with ExitStack() as held:
        for _ in range(1100):  # 1024 is as far as select() counts
            held.callback(os.close, os.dup(0))
        async with asterisk_node() as pbx:
            assert await pbx.node.answers()


async def test_a_node_left_running_is_adopted_by_the_next_supervisor() -> None:
    async with asterisk_node() as pbx:
        next_one = AsteriskNode(pbx.settings, pbx.secrets, pbx.node.node)
        assert next_one.adopt()
        assert next_one.is_running()
        assert pbx.node.process is not None
        assert next_one.process == replace(pbx.node.process, spawned=None)
        with pytest.raises(AsteriskError, match="runs already"):
            await next_one.start()
        await next_one.stop()
        assert not pbx.node.is_running()
        assert not next_one.adopt()


async def test_a_pid_that_is_used_again_is_not_ours(tmp_path: Path) -> None:
    mine = Process.of(1)
    assert mine is not None
    Process(mine.pid, mine.started - 1, mine.boot).write(tmp_path / "pid.json")
    assert Process.read(tmp_path / "pid.json") is None
    Process(mine.pid, mine.started, "another boot").write(tmp_path / "pid.json")
    assert Process.read(tmp_path / "pid.json") is None


async def test_a_port_in_use_is_said() -> None:
    async with asterisk_node() as pbx:
        with short_folder() as folder:
            raw = raw_settings(folder)
            raw["node"][0]["ami_port"] = pbx.ami_port
            settings = parse(raw)
            node = AsteriskNode(settings, load_secrets(folder, pbx.secrets.phones), settings.nodes[0], die_with_us=True)
            expected = (
                rf"ami_port {pbx.ami_port} on 127.0.0.1 cannot be used \(Address already in use\); stop what uses it, or choose another"
            )
            with pytest.raises(AsteriskError, match=expected):
                await node.start()


async def test_a_reload_brings_an_agent_a_queue_and_a_number_and_takes_them_away() -> None:
    async with asterisk_node() as pbx:
        assert pbx.node.write_files() == ()

        raw = raw_settings(pbx.settings.data)
        raw["node"] = [pbx.node.node.model_dump()]
        raw["agent"].append({"name": "carol", "queues": ["night"]})
        raw["queue"].append({"name": "night"})
        raw["number"].append({"did": "+18005550199", "flow": "main", "fallback_queue": "night"})
        settings = parse(raw)
        secrets = load_secrets(settings.data, [agent.name for agent in settings.agents])
        assert {name: secrets.phones[name] for name in ("alice", "bob")} == dict(pbx.secrets.phones)
        changed = AsteriskNode(settings, secrets, pbx.node.node)
        modules = changed.write_files()
        assert set(modules) == {"pbx_config", "res_pjsip", "app_queue"}
        for module in modules:
            pbx.cli(f"module reload {module}")

        carol = secrets.phones["carol"].endpoint
        assert carol in pbx.cli("pjsip show endpoints")
        assert carol in pbx.cli("queue show fallback_night")
        assert "CC_QUEUE=night" in pbx.cli("dialplan show 8005550199@inbound-carrier")

        for module in pbx.node.write_files():
            pbx.cli(f"module reload {module}")
        assert carol not in pbx.cli("pjsip show endpoints")
        assert complaints(pbx) == []


def registered_trunk(folder: Path, port: int) -> dict[str, object]:
    (folder / "carrier.password").write_text("s3cret-of-the-carrier\n")
    return {
        "name": "carrier",
        "authentication": "registration",
        "host": "127.0.0.1",
        "port": port,
        "user": "account",
        "password_file": str(folder / "carrier.password"),
    }


async def test_a_trunk_registers_with_its_carrier() -> None:
    with short_folder() as folder:
        (port,) = free_ports(1)
        async with (
            sipp.playing("registrar", "127.0.0.1", calls=100, port=port),
            asterisk_node(raw_settings(folder, trunk=[registered_trunk(folder, port)])) as pbx,
        ):
            async with asyncio.timeout(30):  # the registrar takes the right digest only
                while "Registered" not in pbx.cli("pjsip show registrations"):
                    await asyncio.sleep(0.05)
            assert complaints(pbx) == []


async def test_sip_over_tls_with_srtp() -> None:
    with short_folder() as folder:
        raw = raw_settings(folder)
        (raw["node"][0]["sip_tls_port"],) = free_ports(1)
        raw["trunk"][0] |= {"transport": "tls", "srtp": True, "host": "127.0.0.1", "port": 5}
        async with asterisk_node(raw) as pbx:
            shown = pbx.cli("pjsip show endpoint carrier")
            assert re.search(r"media_encryption +: sdes", shown)
            assert complaints(pbx) == []
            reader, writer = await asyncio.open_connection("127.0.0.1", raw["node"][0]["sip_tls_port"], ssl=_trusting())
            writer.write(
                b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK1;rport\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\n"
            )
            writer.write(b"To: <sip:127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
            assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"SIP/2.0 ")
            writer.close()


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def test_the_asterisk_we_run_is_new_enough() -> None:
    assert find().version >= FLOOR


SUPERVISOR = """
import asyncio, json, sys
from callcenter.runtime.asterisk import AsteriskNode
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import parse

async def main():
    settings = parse(json.load(sys.stdin))
    node = AsteriskNode(settings, load_secrets(settings.data, ["alice", "bob"]), settings.nodes[0], die_with_us=sys.argv[1] == "dies")
    await node.start()
    print(node.process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("manner", ["stays", "dies"])
async def test_when_the_supervisor_is_killed_asterisk_stays_unless_asked_to_die(manner: str) -> None:
    with short_folder() as folder:
        raw = raw_settings(folder)
        supervisor = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SUPERVISOR, manner, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert supervisor.stdin is not None
        assert supervisor.stdout is not None
        supervisor.stdin.write(json.dumps(raw).encode())
        supervisor.stdin.write_eof()
        asterisk = Process.of(int(await asyncio.wait_for(supervisor.stdout.readline(), 60)))
        assert asterisk is not None
        supervisor.kill()
        await supervisor.wait()

        settings = parse(raw)
        next_one = AsteriskNode(settings, load_secrets(folder), settings.nodes[0])
        if manner == "dies":
            assert await asterisk.ended(10)
            assert not next_one.adopt()
        else:
            assert next_one.adopt()
            assert await next_one.answers()
            await next_one.stop()
            assert not asterisk.is_running()
