"""``callcenter person`` and ``callcenter audit`` on a real PostgreSQL."""

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from callcenter.domain.audit import Anchor
from callcenter.services.people.trail import ANCHORS, add_anchor

runner = CliRunner()
TOML = """
[center]
time_zone = "America/New_York"
[[queue]]
name = "support"
[[agent]]
name = "alice"
queues = ["support"]
"""
PASSWORD = "four green horses swim"


@pytest.fixture(autouse=True)
def center(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    file = tmp_path / "callcenter.toml"
    file.write_text(TOML)
    (tmp_path / "data").mkdir()
    for name, value in {"CONFIG": str(file), "DATA": str(tmp_path / "data"), "DATABASE_URL": database_url}.items():
        monkeypatch.setenv(f"CALLCENTER_{name}", value)
    return tmp_path / "data"


def does(*words: str, typed: str = "") -> str:
    result = runner.invoke(app, list(words), input=typed)
    assert result.exit_code == 0, result.output
    return result.output


def fails(*words: str, typed: str = "") -> tuple[int, str]:
    result = runner.invoke(app, list(words), input=typed)
    assert result.exit_code in (1, 2), result.output
    return result.exit_code, result.output


def add(name: str, *more: str) -> str:
    return does("person", "add", name, *more, "--password-stdin", typed=f"{PASSWORD}\n")


def people() -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in json.loads(does("person", "list", "--json"))["people"]}


def test_the_first_admin_and_who_follows() -> None:
    assert "nobody can sign in yet" in does("person", "list")
    assert "ada: may sign in as admin" in add("Ada", "--role", "admin")
    add("sue", "--role", "supervisor", "--role", "ops", "--queue", "support", "--grant", "export", "--shown", "Sue Ö")
    add("alice", "--agent", "alice")
    known = people()
    assert known["ada"]["roles"] == ["admin"]
    assert (known["sue"]["roles"], known["sue"]["scope"], known["sue"]["granted"]) == (
        ["ops", "supervisor"],
        {"queues": ["support"]},
        ["export"],
    )
    assert (known["alice"]["roles"], known["alice"]["agent"]) == (["agent"], "alice")
    assert "sue" in does("person", "list")


@pytest.mark.parametrize(
    ("words", "typed", "sentence"),
    [
        (["person", "add", "ada"], f"{PASSWORD}\n", "nobody is there to type a password"),
        (["person", "add", "ada", "--password-stdin"], "short\n", "at least 12 characters"),
        (["person", "add", "ada", "--password-stdin"], "", "at least 12 characters"),
        (["person", "add", "ada", "--password-stdin"], "x" * 5000 + "\n", "longer than 256"),
        (["person", "add", "Ada Lovelace", "--password-stdin"], f"{PASSWORD}\n", "the sign-in name must be"),
        (["person", "add", "ada", "--shown", "A\u202eda", "--password-stdin"], f"{PASSWORD}\n", "cannot be seen"),
        (["person", "add", "ada", "--agent", "nobody", "--password-stdin"], f"{PASSWORD}\n", "there is no agent 'nobody'"),
        (["person", "add", "ada", "--queue", "suport", "--password-stdin"], f"{PASSWORD}\n", "there is no queue 'suport'"),
        (["person", "add", "ada", "--team", "north", "--password-stdin"], f"{PASSWORD}\n", "teams: none"),
        (["person", "role", "ada", "--queue", "suport"], "", "queues: support"),
        (["person", "add", "ada", "--grant", "manage_people", "--password-stdin"], f"{PASSWORD}\n", "cannot be granted"),
        (["person", "add", "ada", "--role", "boss", "--password-stdin"], f"{PASSWORD}\n", "boss"),
        (["person", "passwd", "nobody", "--password-stdin"], f"{PASSWORD}\n", "there is nobody 'nobody'"),
        (["person", "role", "nobody", "--role", "ops"], "", "there is nobody 'nobody'"),
        (["person", "remove", "nobody"], "", "there is nobody 'nobody'"),
        (["person", "remove", "../x"], "", "the sign-in name must be"),
        (["person", "token", "add", "nobody", "--label", "x", "--right", "export"], "", "there is nobody 'nobody'"),
        (["person", "token", "end", "nobody", "x"], "", "has no such token"),
    ],
)
def test_what_is_refused_is_said_in_a_sentence(words: list[str], typed: str, sentence: str) -> None:
    assert sentence in fails(*words, typed=typed)[1]
    assert people() == {}


def test_a_name_and_an_agent_are_one_persons() -> None:
    add("alice", "--agent", "alice")
    assert "is there already" in fails("person", "add", "alice", "--password-stdin", typed=f"{PASSWORD}\n")[1]
    assert "somebody else is the agent" in fails("person", "add", "bob", "--agent", "alice", "--password-stdin", typed=f"{PASSWORD}\n")[1]


def test_roles_and_reach_change_and_what_is_not_given_stays() -> None:
    add("sue", "--role", "supervisor", "--queue", "support", "--grant", "export")
    does("person", "role", "sue", "--role", "ops")
    assert (people()["sue"]["roles"], people()["sue"]["scope"], people()["sue"]["granted"]) == (
        ["ops"],
        {"queues": ["support"]},
        ["export"],
    )
    does("person", "role", "sue", "--agent", "alice")
    assert (people()["sue"]["agent"], people()["sue"]["roles"]) == ("alice", ["ops"])
    does("person", "role", "sue", "--everywhere", "--inactive", "--agent", "")
    assert people()["sue"]["agent"] == ""
    assert (people()["sue"]["scope"], people()["sue"]["active"]) == ({}, False)


def test_tokens_are_printed_once_and_end() -> None:
    add("sue", "--role", "supervisor")
    secret = does("person", "token", "add", "sue", "--label", "report", "--right", "see_reports", "--days", "30").strip()
    assert secret.startswith("ccp_")
    listed = does("person", "token", "list", "sue")
    assert secret not in listed
    assert "report: see_reports" in listed
    beyond = fails("person", "token", "add", "sue", "--label", "x", "--right", "manage_people")[1]
    assert "has not the right 'manage_people'" in beyond
    does("person", "token", "end", "sue", listed.split()[0])
    assert does("person", "token", "list", "sue") == ""


def test_the_trail_tells_who_did_what_and_that_it_is_whole() -> None:
    add("ada", "--role", "admin")
    does("person", "role", "ada", "--role", "ops", "--reason", "moved to campaigns")
    does("person", "remove", "ada")
    entries = json.loads(does("audit", "list", "--json"))["entries"]
    assert [entry["what"] for entry in entries] == ["person_removed", "person_changed", "person_added"]
    assert {entry["person"] for entry in entries} == {"command line"}
    assert (entries[1]["before"], entries[1]["after"], entries[1]["reason"]) == (
        {"roles": ["admin"]},
        {"roles": ["ops"]},
        "moved to campaigns",
    )
    assert "3 entries, 0 anchors: the trail is whole" in does("audit", "verify")
    assert "person_changed" in does("audit", "list", "--what", "person_changed")


def test_a_trail_that_was_tampered_with_is_found(database_url: str, center: Path) -> None:
    for name in ("ada", "bob", "carol"):
        add(name)
    last = json.loads(does("audit", "list", "--json"))["entries"][0]
    add_anchor(center / ANCHORS, Anchor(last["seq"], last["hash"]))
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        connection.execute("DELETE FROM audit_entry WHERE seq = 2")
    code, said = fails("audit", "verify")
    assert (code, "entry 2 is missing" in said) == (1, True)
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM audit_entry")
    assert "its end was cut off" in fails("audit", "verify")[1]


def test_a_database_out_of_reach_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/none")
    code, said = fails("person", "list")
    assert code == 1
    assert "database" in said
    assert "secret" not in said
