"""``callcenter phone address``: a secret address is told once, takes the place of the one before, and is withdrawn with the account."""

import re
from pathlib import Path

from typer.testing import CliRunner

from callcenter.apps.cli import app
from callcenter.runtime.phone_files import text_for
from callcenter.runtime.settings import load
from callcenter.runtime.toml_text import write
from tests.support.asterisk import raw_settings

NAME = "001565abcd01.cfg"


def run(config: Path, *words: str) -> tuple[int, str]:
    made = CliRunner().invoke(app, ["phone", *words, "--config", str(config)])
    return made.exit_code, made.output


def config_in(folder: Path, **desk_phone: object) -> Path:
    raw = raw_settings(folder / "data") | {"agent": [{"name": "alice", "queues": ["support"]}], "desk_phone": desk_phone}
    return write(folder / "callcenter.toml", raw)


def test_an_address_is_made_anew_and_withdrawn(tmp_path: Path) -> None:
    config = config_in(tmp_path, provisioning=True)
    asked = ("address", "alice", "--model", "yealink", "--mac", "00:15:65:ab:cd:01")
    secrets = []
    for _ in range(2):
        status, said = run(config, *asked)
        assert (status, NAME in said) == (0, True)
        (secret,) = re.findall(r"/phone-files/([\w-]{43})/", said)
        secrets.append(secret)
    first, second = (text_for(load(config), secret, NAME) for secret in secrets)
    assert first is None
    assert second is not None
    assert run(config, "address", "alice", "--withdraw") == (0, "alice: withdrawn\n")
    assert run(config, "address", "alice", "--withdraw") == (0, "alice: has none\n")
    assert text_for(load(config), secrets[1], NAME) is None


def test_what_is_off_or_unknown_is_said(tmp_path: Path) -> None:
    status, said = run(config_in(tmp_path), "address", "alice", "--model", "yealink", "--mac", "00:15:65:ab:cd:01")
    assert status != 0
    assert "desk_phone.provisioning is not set" in said
    config = config_in(tmp_path, provisioning=True)
    assert "no template for 'fax'" in run(config, "address", "alice", "--model", "fax")[1]
    assert "MAC address" in run(config, "address", "alice", "--model", "yealink")[1]
