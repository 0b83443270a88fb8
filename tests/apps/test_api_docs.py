"""Every example of docs/api.md is asked of a running center, and answered as it says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import postgres
from tests.support.api_center import ApiCenter, api_center
from tests.support.day import BEGIN, abandoned_call, answered_call

TEXT = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"^```api\n(.*?)\n\n(\d{3})(?: (.*?))?\n```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory, postgres_server: Any) -> Iterator[ApiCenter]:
    with postgres.database(postgres_server) as url, api_center(tmp_path_factory.mktemp("api"), url) as center:
        calls = [*answered_call("c1", BEGIN, "alice"), *answered_call("c2", BEGIN, "alice")]
        calls += [*abandoned_call("s1", BEGIN, queue="sales"), *abandoned_call("s2", BEGIN, queue="sales")]
        center.happened(calls, "day")
        yield center


def test_the_examples_of_the_page(center: ApiCenter) -> None:
    """In their order, as somebody would try them."""
    assert len(EXAMPLES) == TEXT.count("```api") > 10
    for asked, status, expected in EXAMPLES:
        first, *rest = asked.split("\n")
        method, path = first.split(" ")
        headers = dict(line.split(": ", 1) for line in rest if re.match(r"[A-Z][A-Za-z-]+: ", line))
        body = "\n".join(line for line in rest if line.startswith("{"))
        sent = {name.replace("-", "_"): value for name, value in headers.items()}
        told = center.ask(method, path, raw=body.encode() if body else None, **sent)
        assert told.status == int(status), (first, told.raw)
        if expected:
            assert fits(told.json, json.loads(expected)), (first, told.json)


def fits(told: Any, expected: Any) -> bool:
    """What the example shows is there; ``…`` stands for anything."""
    if isinstance(expected, dict):
        return isinstance(told, dict) and all(name in told and fits(told[name], value) for name, value in expected.items())
    if isinstance(expected, list):
        return isinstance(told, list) and len(told) == len(expected) and all(map(fits, told, expected))
    if isinstance(expected, str) and "…" in expected:
        return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), told, re.DOTALL) is not None
    return bool(told == expected)
