"""Asterisk and PostgreSQL of our own, as the supervisor keeps them."""

import asyncio
from pathlib import Path

from callcenter.runtime import ports
from callcenter.runtime.asterisk import AsteriskError, AsteriskNode
from callcenter.runtime.postgres import EmbeddedPostgres, PostgresError
from callcenter.runtime.process import Process
from callcenter.runtime.program import Question, StartError


class AsteriskService:
    """One node. It is never killed for silence: its calls may be fine while ARI is not."""

    question: Question | None = None

    def __init__(self, node: AsteriskNode) -> None:
        self.node = node

    @property
    def name(self) -> str:
        return f"asterisk {self.node.name}"

    def adopt(self) -> Process | None:
        return self.node.process if self.node.adopt() else None

    async def start(self) -> Process:
        for wanted in ports.of_node(self.node.node):
            if not wanted.is_free():
                raise StartError(wanted.sentence)
        try:
            await self.node.start()
        except AsteriskError as error:
            raise StartError(str(error)) from None
        except OSError as error:
            raise StartError(_told(error, self.node.folder)) from None
        if self.node.process is None:
            raise StartError(f"{self.name} ended at once; see {self.node.folder / 'log'}")
        return self.node.process

    async def stop(self, grace: float) -> None:
        await self.node.stop(grace)

    def last_words(self) -> str:
        return f"see {self.node.folder / 'log'}"


def _told(error: OSError, folder: Path) -> str:
    """What the system refused, where, and what to do about it."""
    where = error.filename or folder
    return f"{where}: {error.strerror or error}; make room or correct its rights, or name another folder as paths.data"


class PostgresService:
    """The embedded server."""

    name = "postgres"
    question: Question | None = None

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._starting: asyncio.Task[bool] | None = None

    def adopt(self) -> Process | None:
        pid = self.server.pid()
        return Process.of(pid) if pid is not None else None

    async def start(self) -> Process:
        self._starting = asyncio.create_task(asyncio.to_thread(self.server.start))
        try:
            await asyncio.shield(self._starting)
        except PostgresError as error:
            raise StartError(str(error)) from None
        except OSError as error:
            raise StartError(_told(error, self.server.folder)) from None
        process = self.adopt()
        if process is None:
            raise StartError(f"PostgreSQL ended at once; see {self.server.folder / 'log'}")
        return process

    async def stop(self, grace: float) -> None:
        if self._starting is not None:  # a thread cannot be cancelled; what it starts must not be left behind
            await asyncio.gather(self._starting, return_exceptions=True)
        try:
            await asyncio.to_thread(self.server.stop, grace)
        except PostgresError as error:
            raise StartError(str(error)) from None

    def last_words(self) -> str:
        return f"see {self.server.folder / 'log'}"
