"""The engine asks the dips process over its socket; and gets on without it."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.domain.dips.reading import Wanted, parse_path
from callcenter.domain.dips.source import DipAnswer, Fallback, HttpSource, Outcome, Rules
from callcenter.domain.dips.template import parse_url
from callcenter.services.clock import SteadyClock
from callcenter.services.control import ControlError
from callcenter.services.dips.client import DipsClient
from callcenter.services.dips.runner import Dips
from callcenter.services.dips.server import DipServer

TOKEN = "token-of-this-test"
SECOND = timedelta(seconds=1)
RULES = Rules(attributes={"tier": Wanted(parse_path("tier"))}, cached_for=timedelta(minutes=5))
SOURCE = HttpSource("crm", parse_url("https://crm.example.com/{caller}"), rules=RULES)


class Echo:
    """Answers at once, or when it is let; notes what was asked and what was cancelled."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, str]] = []
        self.cancelled = 0
        self.free = asyncio.Event()
        self.free.set()

    async def ask(self, values: Mapping[str, str]) -> DipAnswer:
        self.asked.append(values)
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return DipAnswer(Outcome.FOUND, {"tier": f"of {values['caller']}"})


@asynccontextmanager
async def process(echo: Echo, folder: Path) -> AsyncIterator[Path]:
    dips = Dips(SteadyClock())
    dips.configure({"crm": (SOURCE, echo)})

    async def reload() -> None:
        raise ControlError("callcenter.toml: cannot be read")

    server = DipServer(folder / "run" / "dips.sock", TOKEN, dips, reload)
    await server.start()
    try:
        yield folder / "run" / "dips.sock"
    finally:
        await server.stop()


@pytest.fixture
def folder() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dips-") as name:
        yield Path(name)


async def test_many_questions_at_once_each_with_its_own_answer(folder: Path) -> None:
    echo = Echo()
    async with process(echo, folder) as path:
        client = DipsClient(path, TOKEN)
        answers = await asyncio.gather(*(client.ask("crm", {"caller": str(number)}, 5 * SECOND) for number in range(200)))
        assert [answer.attributes["tier"] for answer in answers] == [f"of {number}" for number in range(200)]
        await client.close()


async def test_a_slow_answer_holds_up_nobody_else_and_a_withdrawn_question_is_cancelled(folder: Path) -> None:
    echo = Echo()
    async with process(echo, folder) as path:
        client = DipsClient(path, TOKEN)
        echo.free.clear()
        slow = asyncio.create_task(client.ask("crm", {"caller": "1"}, 30 * SECOND))
        async with asyncio.timeout(5):
            while not echo.asked:
                await asyncio.sleep(0.01)
            assert await client.ping()
            assert (await client.ask("unknown", {}, SECOND)).outcome is Outcome.FAILED
            slow.cancel()
            while not echo.cancelled:
                await asyncio.sleep(0.01)
        await client.close()


async def test_without_the_process_the_defaults_stand_in_and_later_it_is_found_again(folder: Path) -> None:
    client = DipsClient(folder / "run" / "dips.sock", TOKEN, {"crm": {"tier": "standard"}})
    assert await client.ask("crm", {"caller": "1"}, SECOND) == DipAnswer(Outcome.FAILED, {"tier": "standard"}, Fallback.DEFAULT)
    assert not await client.ping()
    for _ in range(2):  # it is restarted, too
        async with process(Echo(), folder):
            assert (await client.ask("crm", {"caller": "1"}, 5 * SECOND)).attributes == {"tier": "of 1"}
        assert not await client.ping()
    await client.close()


async def test_a_frozen_process_costs_the_budget_and_no_more(folder: Path) -> None:
    """It takes connections and never says a word."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"ok":true}\n')
        await asyncio.Event().wait()

    server = await asyncio.start_unix_server(mute, folder / "mute.sock")
    client = DipsClient(folder / "mute.sock", TOKEN)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await client.ask("crm", {"caller": "1"}, 0.6 * SECOND)).outcome is Outcome.LATE
    assert 0.3 < loop.time() - began < 0.6 + 1.0
    await client.close()
    server.close()


async def test_a_process_that_dies_in_mid_question_is_no_answer(folder: Path) -> None:
    echo = Echo()
    echo.free.clear()
    client = DipsClient(folder / "run" / "dips.sock", TOKEN)
    async with process(echo, folder):
        asked = asyncio.create_task(client.ask("crm", {"caller": "1"}, 30 * SECOND))
        async with asyncio.timeout(5):
            while not echo.asked:
                await asyncio.sleep(0.01)
    assert (await asked).outcome is Outcome.FAILED
    await client.close()


@pytest.mark.parametrize(
    "lines", [[b"\n"], [b'{"token":"wrong"}\n'], [b"[" * 70_000 + b"\n"], [b'{"token":"token-of-this-test"}\n', b'{"do":"ask","id":1}\n']]
)
async def test_who_does_not_belong_or_misbehaves_is_shown_out(folder: Path, lines: list[bytes]) -> None:
    async with process(Echo(), folder) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        for line in lines:
            writer.write(line)
        async with asyncio.timeout(5):
            with suppress(ConnectionResetError):
                assert b"outcome" not in await reader.read()
        writer.close()


async def test_measures_hold_no_values_and_a_refused_reload_says_why(folder: Path) -> None:
    async with process(Echo(), folder) as path:
        client = DipsClient(path, TOKEN)
        await client.ask("crm", {"caller": "4444333322221111"}, 5 * SECOND)
        measures = await client.measures()
        assert (measures[0]["source"], measures[0]["breaker"], measures[0]["outcomes"]) == ("crm", "closed", {"found": 1})
        assert "4444" not in json.dumps(measures)
        with pytest.raises(ValueError, match="cannot be read"):
            await client.reload()
        await client.close()


async def test_answers_to_secret_questions_are_never_kept(folder: Path) -> None:
    echo = Echo()
    dips = Dips(SteadyClock())
    dips.configure({"crm": (SOURCE, echo)})
    server = DipServer(folder / "run" / "dips.sock", TOKEN, dips, asyncio.Event().wait)  # type: ignore[arg-type]
    await server.start()
    client = DipsClient(folder / "run" / "dips.sock", TOKEN)
    await client.ask("crm", {"caller": "1"}, 5 * SECOND)
    await client.ask("crm", {"caller": "2"}, 5 * SECOND, secret=True)

    async def fail(values: Mapping[str, str]) -> DipAnswer:
        raise OSError

    echo.ask = fail  # type: ignore[method-assign]
    assert (await client.ask("crm", {"caller": "1"}, 5 * SECOND)).fallback is Fallback.CACHED
    assert (await client.ask("crm", {"caller": "2"}, 5 * SECOND, secret=True)).outcome is Outcome.FAILED
    await client.close()
    await server.stop()
