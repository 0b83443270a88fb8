"""What must never stand in our dialplan and configuration, whoever edits them."""

import re
from pathlib import Path

import pytest

from callcenter.runtime.asterisk_render import render
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import parse
from tests.support.asterisk import raw_settings

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "asterisk-config").glob("*")) + sorted((ROOT / "dialplan").glob("*"))
DIALPLAN = sorted((ROOT / "dialplan").glob("*"))


def code(path: Path) -> str:
    return "\n".join(line for line in path.read_text().splitlines() if not line.startswith(";"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_each_template_says_why_it_is_there(path: Path) -> None:
    first, second, *_ = path.read_text().splitlines()
    assert first.startswith("; Why: ")
    assert second.startswith("; ")


@pytest.mark.parametrize("path", DIALPLAN, ids=lambda path: path.name)
def test_nothing_from_outside_reaches_a_dial_string_or_a_shell(path: Path) -> None:
    text = code(path)
    assert not re.search(r"\b(System|TrySystem|SHELL|EVAL|Exec|ExecIf|TryExec|MixMonitor|AGI|Originate|ChannelRedirect)\(", text)
    for dialed in re.findall(r"\bDial\(.*", text):
        assert "${" not in dialed
    assert not re.search(r"exten => _[X.]", text)  # only patterns that begin with a class of characters
    for line in text.splitlines():
        if "${EXTEN" in line:
            assert re.search(r"\$\{FILTER\([^,]+,\$\{EXTEN\}\)\}|\$\{LEN\(\$\{EXTEN\}\)\}", line), line


@pytest.mark.parametrize("path", DIALPLAN, ids=lambda path: path.name)
def test_there_is_no_context_default(path: Path) -> None:
    assert "[default]" not in path.read_text()


def test_files_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    settings = parse(raw_settings(tmp_path))
    (tmp_path / "etc").mkdir()
    render(settings, load_secrets(tmp_path, ["alice", "bob"]), settings.nodes[0], tmp_path)
    included = re.findall(r'#include "dialplan/(.*)"', (tmp_path / "etc" / "extensions.conf").read_text())
    assert included == ["00-emergency.conf", "10-inbound.conf", "40-desk-phone.conf", "90-fallback.conf"]
    left = [path.name for path in (tmp_path / "etc").rglob("*") if path.is_file() and re.search(r"\{\{|\{%", path.read_text())]
    assert left == []


def test_only_the_phones_that_may_transfer_are_listened_to(tmp_path: Path) -> None:
    """An agent's own word comes before the center's."""
    raw = raw_settings(tmp_path)
    raw["center"]["phone_transfers"] = True
    raw["agent"][1]["phone_transfers"] = False
    settings, secrets = parse(raw), load_secrets(tmp_path, ["alice", "bob"])
    (tmp_path / "etc").mkdir()
    render(settings, secrets, settings.nodes[0], tmp_path)
    sections = (tmp_path / "etc" / "pjsip.conf").read_text().split("\n[")
    allowed = {name: f"\nallow_transfer = {word}\n" for name, word in (("alice", "yes"), ("bob", "no"))}
    for name, line in allowed.items():
        (endpoint,) = (each for each in sections if each.startswith(f"{secrets.phones[name].endpoint}]\ntype = endpoint"))
        assert line in endpoint


def test_a_second_rendering_changes_nothing_and_a_change_names_its_module(tmp_path: Path) -> None:
    settings = parse(raw_settings(tmp_path))
    secrets = load_secrets(tmp_path, ["alice", "bob"])
    (tmp_path / "etc").mkdir()
    assert "res_pjsip" in render(settings, secrets, settings.nodes[0], tmp_path)
    assert render(settings, secrets, settings.nodes[0], tmp_path) == ()

    raw = raw_settings(tmp_path)
    raw["node"] = [settings.nodes[0].model_dump()]
    raw["queue"][0]["music"] = "default"
    changed = parse(raw)
    assert render(changed, secrets, changed.nodes[0], tmp_path) == ("res_pjsip", "app_queue")


@pytest.mark.parametrize(
    ("trunk", "number", "forms"),
    [
        ({}, "+18005550100", {"+18005550100", "18005550100", "0018005550100", "8005550100"}),
        ({"did_country": "DE"}, "+4930123456", {"+4930123456", "4930123456", "004930123456", "30123456", "030123456"}),
        ({"did_prefix": "+1800555"}, "+18005550100", {"+18005550100", "18005550100", "0018005550100", "8005550100", "0100"}),
    ],
)
def test_a_number_is_known_in_every_way_the_carrier_may_write_it(
    tmp_path: Path, trunk: dict[str, str], number: str, forms: set[str]
) -> None:
    raw = raw_settings(tmp_path)
    raw["trunk"][0] |= trunk
    raw["number"][0]["did"] = number
    settings = parse(raw)
    (tmp_path / "etc").mkdir()
    render(settings, load_secrets(tmp_path, ["alice", "bob"]), settings.nodes[0], tmp_path)
    text = (tmp_path / "etc" / "dialplan" / "10-inbound.conf").read_text()
    assert set(re.findall(rf"exten => ([+0-9]+),1,GotoIf.*\n.*\n.*Stasis\(callcenter,trunk,\{number},\)", text)) == forms
