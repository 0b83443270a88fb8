"""``callcenter doctor``: what it finds, and the fix it names."""

import asyncio
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from callcenter.runtime import doctor
from callcenter.runtime.asterisk_root import AsteriskMissing, Installation
from callcenter.runtime.checks import Check, Level
from callcenter.runtime.doctor_node import check_node
from callcenter.runtime.process import Process
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings, parse
from tests.support.asterisk import asterisk_node, free_ports, raw_settings

GB = 1_000_000_000


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("CALLCENTER_DATA", raising=False)
    agi, web = free_ports(2)
    return parse(raw_settings(tmp_path / "center", engine={"agi_port": agi}, web={"port": web}), tmp_path / "callcenter.toml")


def named(checks: Iterator[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


def test_every_failure_names_its_fix(settings: Settings) -> None:
    for check in doctor.examine(settings):
        assert check.detail
        assert check.level is Level.OK or check.fix


def test_an_old_python_fails() -> None:
    assert doctor.check_python((3, 10, 9)).level is Level.FAIL
    assert doctor.check_python((3, 11, 0)).level is Level.OK


def test_an_asterisk_below_the_floor_fails(settings: Settings) -> None:
    found = named(doctor.check_asterisk(settings, lambda: Installation((22, 9, 0), "/usr/sbin/asterisk")), "asterisk")
    assert (found.level, found.detail) == (Level.FAIL, "22.9.0 is older than 22.10.1")


@pytest.mark.parametrize(("version", "on", "warned"), [((22, 10, 1), True, True), ((22, 11, 0), True, False), ((22, 10, 1), False, False)])
def test_phones_that_may_transfer_need_an_asterisk_that_survives_it(
    tmp_path: Path, version: tuple[int, ...], on: bool, warned: bool
) -> None:
    raw = raw_settings(tmp_path)
    raw["center"]["phone_transfers"] = on
    found = {check.name for check in doctor.check_asterisk(parse(raw), lambda: Installation(version, "/usr/sbin/asterisk"))}
    assert ("phone transfers" in found) is warned


def test_the_phones_that_may_transfer_are_counted_and_one_is_named(tmp_path: Path) -> None:
    raw = raw_settings(tmp_path)
    raw["center"]["phone_transfers"] = False
    raw["agent"][1]["phone_transfers"] = True
    checks = doctor.check_asterisk(parse(raw), lambda: Installation((22, 10, 1), "/usr/sbin/asterisk"))
    (warned,) = (check for check in checks if check.name == "phone transfers")
    assert f"1 phones may send one, {raw['agent'][1]['name']}'s among them" in warned.detail


def test_no_asterisk_fails_with_the_way_to_one(settings: Settings) -> None:
    def nowhere() -> Installation:
        raise AsteriskMissing("no Asterisk here")

    (found,) = doctor.check_asterisk(settings, nowhere)
    assert (found.level, found.fix) == (Level.FAIL, "run: make setup")


def test_missing_codecs_fail(settings: Settings, tmp_path: Path) -> None:
    found = named(doctor.check_asterisk(settings, lambda: Installation((22, 10, 1), "/usr/sbin/asterisk", tmp_path)), "codecs")
    assert found.level is Level.FAIL
    assert "codec_ulaw" in found.detail


def test_a_host_name_that_does_not_resolve_fails_with_the_line_to_add() -> None:
    found = doctor.check_host_name("no-such-host.invalid")
    assert found.level is Level.FAIL
    assert "127.0.1.1 no-such-host.invalid" in found.fix


@pytest.mark.parametrize(
    ("total", "free", "level"),
    [
        (100 * GB, 50 * GB, Level.OK),
        (100 * GB, 19 * GB, Level.WARN),
        (100 * GB, 9 * GB, Level.WARN),
        (100 * GB, GB - 1, Level.FAIL),
        (0, 0, Level.FAIL),
    ],
)
def test_a_full_disk_is_told_in_time(tmp_path: Path, total: int, free: int, level: Level) -> None:
    (found,) = doctor.check_disk(tmp_path / "not" / "there" / "yet", lambda _: doctor.Space(total, free))
    assert found.level is level


@pytest.mark.parametrize(("kept", "level"), [(True, Level.OK), (False, Level.WARN), (None, Level.WARN)])
def test_a_clock_that_nothing_keeps_is_a_warning(kept: bool | None, level: Level) -> None:
    assert doctor.check_clock(lambda: kept).level is level


def test_a_clock_of_another_decade_fails() -> None:
    assert doctor.check_clock(lambda: True, lambda: datetime(1970, 1, 1, tzinfo=UTC)).level is Level.FAIL


def test_missing_tools_are_warnings_with_their_packages() -> None:
    assert {check.fix.split()[3] for check in doctor.check_tools(lambda _: None)} == {"sip-tester", "espeak-ng", "bubblewrap"}


def test_looking_makes_no_secrets(settings: Settings) -> None:
    assert doctor.check_secrets(settings)[1].level is Level.WARN
    assert not settings.data.exists()


def test_secrets_that_others_can_read_fail(settings: Settings) -> None:
    load_secrets(settings.data)
    (settings.data / "secrets.json").chmod(0o644)
    assert doctor.check_secrets(settings)[1].fix.startswith("run: chmod 600")


# --- ports ------------------------------------------------------------------------------------


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


def test_free_ports_are_fine(settings: Settings) -> None:
    assert {check.level for check in doctor.check_ports(settings)} == {Level.OK}


def test_a_port_that_another_program_has_fails_with_the_key_to_change(settings: Settings) -> None:
    with listening(settings.web.port):
        found = named(doctor.check_ports(settings), f"port {settings.web.port}/tcp")
    assert found.level is Level.FAIL
    assert "web.port" in found.fix


def test_a_port_that_our_own_process_has_is_fine(settings: Settings) -> None:
    ourselves = Process.of(os.getpid())
    assert ourselves is not None
    (settings.data / "run").mkdir(parents=True)
    ourselves.write(settings.data / "run" / "web.json")
    with listening(settings.web.port):
        assert "ours" in named(doctor.check_ports(settings), f"port {settings.web.port}/tcp").detail


# --- nodes ------------------------------------------------------------------------------------


@pytest.mark.pbx
async def test_a_real_node_passes(settings: Settings) -> None:
    async with asterisk_node() as pbx:
        found = list(await asyncio.to_thread(lambda: list(check_node(pbx.settings, pbx.secrets, pbx.node.node))))
        wrong = replace(pbx.secrets, ari_password="wrong", ami_doctor_password="wrong")
        refused = await asyncio.to_thread(lambda: list(check_node(pbx.settings, wrong, pbx.node.node)))
    assert [check for check in found if check.level is not Level.OK] == []
    assert {check.name.removeprefix("asterisk node1 ") for check in found} == {
        "host name", "runs", "ARI", "version", "modules", "codecs", "clock", "AMI"
    }  # fmt: skip
    assert {check.name for check in refused if check.level is Level.FAIL} == {"asterisk node1 ARI", "asterisk node1 AMI"}


def remote(settings: Settings, ari: int, ami: int, folder: Path) -> Settings:
    """The same center with its node elsewhere."""
    (folder / "password").write_text("secret\n")
    node = {
        "name": "far",
        "remote": True,
        "host": "127.0.0.1",
        "ari_url": f"http://127.0.0.1:{ari}/ari",
        "ari_user": "callcenter",
        "ari_password_file": str(folder / "password"),
        "ami_port": ami,
        "ami_user": "doctor",
        "ami_password_file": str(folder / "password"),
    }
    return parse({**raw_settings(folder), "node": [node]}, folder / "callcenter.toml")


def test_a_remote_node_out_of_reach_fails(settings: Settings, tmp_path: Path) -> None:
    ari, ami = free_ports(2)
    far = remote(settings, ari, ami, tmp_path)
    secrets = load_secrets(tmp_path / "center")
    assert [check.level for check in check_node(far, secrets, far.nodes[0])] == [Level.FAIL, Level.FAIL]


@pytest.mark.parametrize(
    "said", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{]}", b"HTTP/1.1 200 OK\r\n\r\n[]"]
)
def test_a_node_that_talks_nonsense_fails_and_nothing_breaks(settings: Settings, tmp_path: Path, said: bytes) -> None:
    def talk(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=talk, args=(server,), daemon=True).start()
        far = remote(settings, port, port, tmp_path)
        found = list(check_node(far, load_secrets(tmp_path / "center"), far.nodes[0]))
        server.shutdown(socket.SHUT_RDWR)
    assert any(check.level is Level.FAIL for check in found)
    assert all(check.fix for check in found if check.level is not Level.OK)


# --- the command ------------------------------------------------------------------------------


def test_json_and_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text('[center]\ntime_zone = "Mars/Olympus"\n')
    ran = CliRunner().invoke(app, ["doctor", "--json", "--config", str(file)])
    told = json.loads(ran.stdout)
    assert ran.exit_code == 1
    assert told["healthy"] is False
    assert told["checks"][0]["name"] == "configuration"


def test_the_table_ends_with_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agi, web, sip, http, ami = free_ports(5)
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "center"))
    file = tmp_path / "callcenter.toml"
    file.write_text(
        f'[center]\ntime_zone = "UTC"\n[engine]\nagi_port = {agi}\n[web]\nport = {web}\n'
        f'[[node]]\nname = "node1"\nsip_port = {sip}\nhttp_port = {http}\nami_port = {ami}\n'
    )
    ran = CliRunner().invoke(app, ["doctor", "--config", str(file)])
    assert (ran.exit_code, ran.stdout.rstrip().splitlines()[-1]) == (0, "Nothing stands in the way; start it with: callcenter serve")
