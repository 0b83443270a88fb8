"""The engine's side of the dips process: asks over its socket, and answers by itself when the process does not.

The process may be dead, frozen or restarting: the caller gets the source's default values, within the budget all the same.
"""

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from callcenter.domain.dips.source import FALLBACK, DipAnswer, Fallback, Outcome
from callcenter.services.control import LINE_LIMIT

log = logging.getLogger(__name__)

MARGIN = 0.15
"""Seconds of the budget kept for the way back: what stands in must come before the flow goes on without it."""
CONNECT_SECONDS = 1.0


class DipsClient:
    """One connection, made when there is something to ask; many questions on it at once."""

    def __init__(self, path: Path, token: str, defaults: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """``defaults``: by source, the attributes when nobody answers."""
        self.defaults: Mapping[str, Mapping[str, str]] = defaults or {}
        self._path = path
        self._token = token
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Mapping[str, object]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def ask(self, source: str, values: Mapping[str, str], budget: timedelta, *, secret: bool = False) -> DipAnswer:
        """Never raises (but when cancelled: then the question is withdrawn), and never takes longer than the budget."""
        seconds = max(0.05, budget.total_seconds() - MARGIN)
        question = {"do": "ask", "source": source, "values": dict(values), "secret": secret, "budget_s": max(0.05, seconds - MARGIN)}
        try:
            async with asyncio.timeout(seconds):
                return _answer(await self._request(question))
        except TimeoutError:
            log.warning("dips_silent source=%s", source)
            return self._instead(source, Outcome.LATE)
        except (OSError, ValueError) as error:
            log.warning("dips_away source=%s why=%s", source, type(error).__name__)
            return self._instead(source, Outcome.FAILED)

    async def reload(self) -> None:
        """Let it read the settings again. Raises OSError, TimeoutError; ValueError with its sentence."""
        async with asyncio.timeout(10):
            said = await self._request({"do": "reload"})
        if "error" in said:
            raise ValueError(str(said["error"]))

    async def measures(self) -> list[Mapping[str, object]]:
        """See ``Dips.measures``. Raises OSError, TimeoutError."""
        async with asyncio.timeout(CONNECT_SECONDS):
            sources = (await self._request({"do": "measures"})).get("sources")
        return [row for row in sources if isinstance(row, dict)] if isinstance(sources, list) else []

    async def ping(self) -> bool:
        """Whether it is alive."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return (await self._request({"do": "ping"})).get("pong") is True
        except (OSError, TimeoutError, ValueError):
            return False

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _instead(self, source: str, outcome: Outcome) -> DipAnswer:
        defaults = self.defaults.get(source, {})
        return DipAnswer(outcome, defaults, Fallback.DEFAULT) if defaults else DipAnswer(outcome)

    async def _request(self, request: Mapping[str, object]) -> Mapping[str, object]:
        """Raises OSError when the process is not there or goes away meanwhile."""
        async with self._connecting:
            if self._writer is None or self._writer.is_closing():
                await self._connect()
        writer = self._writer
        if writer is None:
            raise ConnectionResetError("gone")
        ask = next(self._ids)
        answer: asyncio.Future[Mapping[str, object]] = asyncio.get_running_loop().create_future()
        self._waiting[ask] = answer
        try:
            writer.write(json.dumps({**request, "id": ask}).encode() + b"\n")
            return await answer
        except asyncio.CancelledError:
            if not writer.is_closing():
                writer.write(json.dumps({"do": "withdraw", "id": ask}).encode() + b"\n")
            raise
        finally:
            self._waiting.pop(ask, None)

    async def _connect(self) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(self._path, limit=LINE_LIMIT)
            try:
                writer.write(json.dumps({"token": self._token}).encode() + b"\n")
                if b'"ok"' not in await reader.readline():
                    raise ConnectionRefusedError("the token is wrong")
            except BaseException:
                writer.close()
                raise
        self._writer = writer
        self._reading = asyncio.create_task(self._read(reader, writer), name="dips")

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand answers to who waits for them, until the process goes away."""
        try:
            with contextlib.suppress(OSError, ValueError):
                while line := await reader.readline():
                    said: dict[str, object] = json.loads(line)
                    ask = said.get("id")
                    waiting = self._waiting.get(ask) if isinstance(ask, int) else None
                    if waiting is not None and not waiting.done():
                        waiting.set_result(said)
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionResetError("gone"))


def _answer(said: Mapping[str, object]) -> DipAnswer:
    """Raises ValueError."""
    attributes = said.get("attributes")
    if not isinstance(attributes, dict):
        raise ValueError("no attributes")
    known = {str(name): str(value) for name, value in attributes.items()}
    fallback = Fallback(known.pop(FALLBACK, Fallback.NONE))
    return DipAnswer(Outcome(str(said.get("outcome"))), known, fallback)
