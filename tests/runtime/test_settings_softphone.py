"""``[softphone]`` and agents whose phone is the browser: what is taken, and what is refused with which sentence."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from callcenter.runtime.asterisk_render import render
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import SettingsError, parse
from callcenter.runtime.settings_softphone import ice_servers
from tests.support.asterisk import raw_settings

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
TURN = {"url": "turn:turn.example.org:3478?transport=udp", "user": "callcenter", "password_file": "turn.password"}


def problems(tmp_path: Path, **tables: Any) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse(raw_settings(tmp_path, **tables), tmp_path / "callcenter.toml")
    return [problem.removeprefix(f"{tmp_path}/callcenter.toml: ") for problem in refused.value.problems]


def test_browsers_are_told_how_their_audio_finds_its_way(tmp_path: Path) -> None:
    (tmp_path / "turn.password").write_text("secret\n")
    settings = parse(raw_settings(tmp_path, softphone={"stun": "stun.example.org:3478", "turn": [TURN]}), tmp_path / "callcenter.toml")
    assert ice_servers(settings, "alice", NOW) == [
        {"urls": "stun:stun.example.org:3478"},
        {"urls": TURN["url"], "username": "callcenter", "credential": "secret"},
    ]
    assert ice_servers(parse(raw_settings(tmp_path), tmp_path / "callcenter.toml"), "alice", NOW) == []


@pytest.mark.parametrize("stun", ["", "stun:host", "a b", "host:port", "host\nevil = 1", "-x"])
def test_a_stun_server_is_a_host(tmp_path: Path, stun: str) -> None:
    (problem,) = problems(tmp_path, softphone={"stun": stun})
    assert problem.startswith("softphone.stun: must be a host with or without a port")


def test_each_agent_is_given_credentials_of_her_own_that_end_by_themselves(tmp_path: Path) -> None:
    """As coturn works them out with ``use-auth-secret``: HMAC-SHA1 of the name, by the secret."""
    (tmp_path / "turn.secret").write_text("north\n")
    turn = {"url": TURN["url"], "secret_file": "turn.secret", "lasts_s": 3600}
    settings = parse(raw_settings(tmp_path, softphone={"turn": [turn]}), tmp_path / "callcenter.toml")
    (server,) = ice_servers(settings, "alice", NOW)
    assert server["username"] == f"{int(NOW.timestamp()) + 3600}:alice"
    assert server["credential"] == "ifXGRaBH5MaGNigbNaqisKTJcB8="  # openssl dgst -sha1 -hmac north
    assert ice_servers(settings, "bob", NOW)[0]["credential"] != server["credential"]


@pytest.mark.parametrize("keys", [{}, {"user": "u"}, {"secret_file": "turn.secret", **TURN}, {"secret_file": "s", "password_file": "p"}])
def test_a_relay_has_a_secret_or_an_account(tmp_path: Path, keys: dict[str, str]) -> None:
    (problem,) = problems(tmp_path, softphone={"turn": [{"url": TURN["url"], **keys}]})
    assert problem == "softphone.turn[0]: takes secret_file, or user and password_file, one of both"


def test_a_relay_needs_its_password(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, softphone={"turn": [TURN]})
    assert problem == "softphone.turn[0].password_file: cannot be read: No such file or directory"
    (tmp_path / "turn.password").write_text("two\nlines\n")
    (problem,) = problems(tmp_path, softphone={"turn": [TURN]})
    assert problem == "softphone.turn[0].password_file: must hold one line of printable characters"
    (problem,) = problems(tmp_path, softphone={"turn": [TURN | {"url": "http://turn.example.org"}]})
    assert problem.startswith("softphone.turn[0].url: must be such as 'turn:")


def test_a_phone_is_on_the_desk_or_in_the_browser(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, agent=[{"name": "alice", "queues": [], "phone": "watch"}])
    assert problem.startswith("agent[0].phone")


def test_only_her_phone_is_a_browsers(tmp_path: Path) -> None:
    """She is let in from this machine alone, with keys made for each call; the desk phones stay as they were."""
    agents = [{"name": "alice", "queues": ["support"], "phone": "browser"}, {"name": "bob", "queues": ["support"]}]
    settings = parse(raw_settings(tmp_path, agent=agents, softphone={"stun": "stun.example.org"}))
    secrets = load_secrets(tmp_path, ["alice", "bob"])
    (tmp_path / "etc").mkdir()
    render(settings, secrets, settings.nodes[0], tmp_path)
    alice, bob = (_endpoint(tmp_path, secrets.phones[name].endpoint) for name in ("alice", "bob"))
    assert {"webrtc = yes", "transport = transport-ws", "permit = 127.0.0.1/32", "rtp_timeout = 11", "context = browser-phone"} <= alice
    assert {"context = desk-phone", "rtp_timeout = 20"} <= bob
    assert not {line for line in bob if "webrtc" in line or "transport-ws" in line}
    assert "stunaddr = stun.example.org" in (tmp_path / "etc" / "rtp.conf").read_text()


def _endpoint(folder: Path, name: str) -> set[str]:
    text = (folder / "etc" / "pjsip.conf").read_text()
    return set(text.partition(f"[{name}]\ntype = endpoint\n")[2].partition("\n[")[0].splitlines())
