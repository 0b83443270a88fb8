"""Asking over HTTP: a real server on the loopback that behaves badly in every way, and the addresses it may not be at."""

import asyncio
import gzip
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from callcenter.adapters.dips.http import HttpAsker
from callcenter.domain.dips.breaker import BreakerRule
from callcenter.domain.dips.reading import Garbage, Kind, Wanted, parse_path
from callcenter.domain.dips.source import DipAnswer, Fallback, HttpSource, Outcome, Rules
from callcenter.domain.dips.template import parse_url
from callcenter.services.clock import SteadyClock
from callcenter.services.dips.runner import Dips, Question, SourceFailed
from tests.support.dip_source import Answer, DipSource, a_flood, a_trickle, dip_source, saying, silence

WANTED = {"tier": Wanted(parse_path("customer.tier")), "balance": Wanted(parse_path("balance"), Kind.NUMBER)}
GOLD = {"customer": {"tier": "gold"}, "balance": 12.5}
RULES = Rules(attributes=WANTED, budget=timedelta(seconds=0.4), breaker=BreakerRule(3, timedelta(seconds=0.3)))


def source_at(server: DipSource, **changes: Any) -> HttpSource:
    made = HttpSource("crm", parse_url(f"{server.url}/customers/{{caller}}?full=1"), allow_private=True, rules=RULES)
    return replace(made, **changes)


async def ask(source: HttpSource, values: dict[str, str] | None = None, **secrets: str) -> DipAnswer:
    asker = HttpAsker(source, secrets)
    try:
        return await asker.ask(values or {"caller": "+12025550123"})
    finally:
        await asker.close()


async def test_a_good_answer_becomes_attributes() -> None:
    async with dip_source(saying(GOLD)) as server:
        answer = await ask(source_at(server))
    assert answer == DipAnswer(Outcome.FOUND, {"tier": "gold", "balance": "12.5"})
    assert server.asked[0].path == "/customers/%2B12025550123?full=1"


async def test_a_body_and_headers_with_secrets() -> None:
    body = {"account": "{account}", "key": "{secret:key}"}
    async with dip_source(saying(GOLD)) as server:
        url = parse_url(f"{server.url}/ask")
        source = source_at(server, url=url, method="POST", body=body, headers={"Authorization": "Bearer {secret:key}"})
        await ask(source, {"account": 'a"b'}, key="k3y")
    asked = server.asked[0]
    assert asked.head.startswith(b"POST /ask ")
    assert b"Authorization: Bearer k3y\r\n" in asked.head
    assert asked.body == b'{"account": "a\\"b", "key": "k3y"}'


async def test_a_hostile_caller_id_stays_one_segment() -> None:
    async with dip_source(saying(GOLD)) as server:
        await ask(source_at(server), {"caller": "../admin?x=1\r\nHost: evil"})
    assert server.asked[0].path == "/customers/..%2Fadmin%3Fx%3D1%0D%0AHost%3A%20evil?full=1"


@pytest.mark.parametrize("found_if", [None, "customer"])
async def test_nobody_there(found_if: str | None) -> None:
    answer = saying({"customer": None}) if found_if else saying({"error": "no such customer"}, "404 Not Found")
    async with dip_source(answer) as server:
        assert (await ask(source_at(server, found_if=parse_path(found_if) if found_if else None))).outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize(
    "answer",
    [
        saying(b"<html>down for maintenance</html>"),
        saying(b""),
        saying({"customer": {"tier": 7}, "balance": 1}),
        saying({"customer": {"tier": "gold"}}),
        saying(b"[" * 60_000),
        saying(b" " * 70_000),
        saying(gzip.compress(b"0" * 1_000_000), "200 OK", "Content-Encoding: gzip"),
        a_flood,
    ],
    ids=["html", "empty", "wrong type", "missing", "deep", "too large", "bomb", "endless"],
)
async def test_garbage_is_refused(answer: Answer) -> None:
    async with dip_source(answer) as server:
        with pytest.raises(Garbage):
            await ask(source_at(server))


@pytest.mark.parametrize(
    ("status", "blameless"), [("500 Oops", False), ("429 Slowly", False), ("401 Who", False), ("400 What", True), ("422 No", True)]
)
async def test_other_statuses_fail_and_some_speak_only_against_the_question(status: str, blameless: bool) -> None:
    async with dip_source(saying({}, status)) as server:
        with pytest.raises(SourceFailed, match=status[:3]) as failed:
            await ask(source_at(server))
    assert failed.value.blameless is blameless


async def test_redirects_are_not_followed() -> None:
    async with dip_source(saying(GOLD)) as inside, dip_source(saying({}, "302 Found", f"Location: {inside.url}/secrets")) as server:
        with pytest.raises(SourceFailed, match="redirect"):
            await ask(source_at(server))
        assert not inside.asked


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_our_own_machine_is_not_asked_however_it_is_spelled(host: str) -> None:
    async with dip_source(saying(GOLD)) as server:
        url = parse_url(f"http://{host}:{server.port}/{{caller}}")
        with pytest.raises(SourceFailed, match=r"allow_private|InvalidUrl"):
            await ask(source_at(server, url=url, allow_private=False))
        assert not server.asked


async def test_a_name_that_changes_its_address_is_judged_at_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: harmless when first resolved, the loopback when connected to. What counts is the address of the connection."""
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])

    async def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), server.port))]

    async with dip_source(saying(GOLD)) as server:
        asker = HttpAsker(source_at(server, url=parse_url(f"http://rebind.example:{server.port}/{{caller}}"), allow_private=False), {})
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        next(answers)  # what somebody else was told before
        with pytest.raises(SourceFailed, match="allow_private"):
            await asker.ask({"caller": "1"})
        await asker.close()
    assert not server.asked


# --- with budget, breaker and fallback ----------------------------------------------------------


async def within_budget(dips: Dips, source: HttpSource) -> DipAnswer:
    """The answer; nobody waited much longer than the budget (the machine may be busy)."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await dips.ask(Question("crm", {"caller": "+12025550123"}, timedelta(seconds=3)))
    assert loop.time() - began < source.rules.budget.total_seconds() + 1.0
    return answer


def down() -> Answer:
    async def hang_up(end: Any) -> None:
        end.writer.transport.abort()

    return hang_up


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (silence, Outcome.LATE),
        (a_trickle, Outcome.LATE),
        (down(), Outcome.FAILED),
        (saying(b"garbage"), Outcome.FAILED),
        (a_flood, Outcome.FAILED),
    ],
    ids=["silent", "trickle", "hangs up", "garbage", "flood"],
)
async def test_whatever_a_source_does_nobody_waits_over_the_budget_and_the_default_stands_in(answer: Answer, outcome: Outcome) -> None:
    async with dip_source(answer) as server:
        source = source_at(server, rules=replace(RULES, defaults={"tier": "standard"}))
        dips, asker = Dips(SteadyClock()), HttpAsker(source, {})
        dips.configure({"crm": (source, asker)})
        assert await within_budget(dips, source) == DipAnswer(outcome, {"tier": "standard"}, Fallback.DEFAULT)
        await asker.close()


async def test_the_last_good_answer_stands_in_and_the_breaker_opens_and_closes(eventually: Callable[..., Any]) -> None:
    async with dip_source(saying(GOLD)) as server:
        source = source_at(server, rules=replace(RULES, cached_for=timedelta(seconds=60)))
        dips, asker = Dips(SteadyClock()), HttpAsker(source, {})
        dips.configure({"crm": (source, asker)})
        good = await within_budget(dips, source)
        assert good.fallback is Fallback.NONE
        await server.stop()
        for _ in range(4):
            assert await within_budget(dips, source) == DipAnswer(Outcome.FOUND, good.attributes, Fallback.CACHED)
        assert dips.measures()[0]["breaker"] == "open"
        await server.start()
        count = len(server.asked)
        await within_budget(dips, source)
        assert len(server.asked) == count  # it is left alone while the breaker is open
        await eventually(lambda: _fresh(dips, source))
        assert dips.measures()[0]["breaker"] == "closed"
        await asker.close()


async def _fresh(dips: Dips, source: HttpSource) -> bool:
    return (await within_budget(dips, source)).fallback is Fallback.NONE
