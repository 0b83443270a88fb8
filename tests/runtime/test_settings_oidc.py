"""What ``[oidc]``, ``[people]`` and ``[web]`` may say of signing in."""

from pathlib import Path

import pytest

from callcenter.runtime.settings import SettingsError, parse

GOOD = {"issuer": "https://login.example", "client_id": "callcenter"}


def problems(tmp_path: Path, **tables: object) -> list[str]:
    try:
        parse({"center": {"time_zone": "UTC"}, **tables}, tmp_path / "callcenter.toml")
    except SettingsError as error:
        return error.problems
    return []


def test_a_provider_with_tls_is_fine_and_so_is_one_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    for issuer in ("https://login.example/realms/one", "http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost:9000"):
        assert problems(tmp_path, oidc={**GOOD, "issuer": issuer, "client_secret_file": "secret"}) == []


@pytest.mark.parametrize(
    ("change", "key", "sentence"),
    [
        ({"issuer": "http://login.example"}, "oidc.issuer", "must begin with https://"),
        ({"issuer": "ftp://127.0.0.1"}, "oidc.issuer", "must begin with https://"),
        ({"issuer": "login.example"}, "oidc.issuer", "URL"),
        ({"client_id": 7}, "oidc.client_id", ""),
        ({"client_secret_file": "nowhere"}, "oidc.client_secret_file", "which is not a file"),
        ({"scopes": ["profile"]}, "oidc.scopes", "must hold 'openid'"),
        ({"client_secret": "in the open"}, "oidc.client_secret", ""),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, object], key: str, sentence: str) -> None:
    (problem,) = problems(tmp_path, oidc={**GOOD, **change})
    assert key in problem
    assert sentence in problem


@pytest.mark.parametrize(
    ("tables", "key"),
    [
        ({"people": {"idle_s": 0}}, "people.idle_s"),
        ({"people": {"longest_s": -1}}, "people.longest_s"),
        ({"people": {"forever": True}}, "people.forever"),
        ({"web": {"public_url": "center.example"}}, "web.public_url"),
        ({"web": {"proxies": ["everybody"]}}, "web.proxies"),
    ],
)
def test_sessions_and_addresses_are_checked_too(tmp_path: Path, tables: dict[str, object], key: str) -> None:
    (problem,) = problems(tmp_path, **tables)
    assert key in problem
