"""Secrets are random, made once, kept for us alone, and extended without changing what is there."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from callcenter.runtime.secrets import SecretsError, load_secrets


def test_secrets_are_made_once(tmp_path: Path) -> None:
    first = load_secrets(tmp_path, ["alice"])
    assert load_secrets(tmp_path, ["alice"]) == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_no_secret_is_like_another_and_none_is_short(tmp_path: Path) -> None:
    one, two = load_secrets(tmp_path / "one", ["alice", "bob"]), load_secrets(tmp_path / "two", ["alice", "bob"])
    passwords = [
        getattr(each, name)
        for each in (one, two)
        for name in (
            "ari_password",
            "ami_recording_password",
            "ami_operations_password",
            "ami_doctor_password",
            "control_token",
        )
    ]
    passwords += [phone.password for each in (one, two) for phone in each.phones.values()]
    assert len(set(passwords)) == len(passwords)
    assert all(len(password) >= 24 and password.isalnum() for password in passwords)


def test_an_agents_phone_does_not_carry_the_agents_name(tmp_path: Path) -> None:
    phones = load_secrets(tmp_path, ["alice", "bob"]).phones
    assert not any(agent in phone.endpoint for agent, phone in phones.items())
    assert phones["alice"].endpoint != phones["bob"].endpoint


def test_a_new_agent_changes_nobody_elses_account_and_one_who_left_keeps_hers(tmp_path: Path) -> None:
    before = load_secrets(tmp_path, ["alice"])
    after = load_secrets(tmp_path, ["bob"])
    assert after.phones["alice"] == before.phones["alice"]
    assert after.ari_password == before.ari_password
    assert set(after.phones) == {"alice", "bob"}


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        made = list(pool.map(load_secrets, [tmp_path] * 8, [["alice"], ["bob"]] * 4))
    agreed = load_secrets(tmp_path)
    assert {each.ari_password for each in made} == {agreed.ari_password}
    assert set(agreed.phones) == {"alice", "bob"}
    assert all(agreed.phones[agent] == phone for each in made for agent, phone in each.phones.items())


def test_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    (tmp_path / "secrets.json").chmod(0o644)
    with pytest.raises(SecretsError, match="others can read it; run: chmod 600"):
        load_secrets(tmp_path)


@pytest.mark.parametrize("content", ["", "{", json.dumps({"unknown": 1}), json.dumps([1])])
def test_a_damaged_file_is_said_and_never_overwritten(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secrets.json"
    file.touch(mode=0o600)
    file.write_text(content)
    with pytest.raises(SecretsError, match=r"secrets\.json"):
        load_secrets(tmp_path, ["alice"])
    assert file.read_text() == content


def test_secrets_do_not_show_in_logs(tmp_path: Path) -> None:
    secrets = load_secrets(tmp_path, ["alice"])
    assert secrets.ari_password not in repr(secrets)
    assert secrets.phones["alice"].password not in repr(secrets)
