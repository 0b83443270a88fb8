"""FastAGI: a question that the dialplan must have answered now.

The dialplan says ``AGI(agi://HOST:PORT/NAME,ARG,...)``; the answer is variables, set on its channel before it goes
on. Whatever goes wrong (no answer in time, an error, garbage), the channel goes on with what it had: the dialplan
sets defaults before it asks.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

import structlog

log = structlog.get_logger(__name__)

LONGEST_LINE = 2048
MOST_LINES = 100

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_UNSAFE_IN_A_VALUE = re.compile(r"[\x00-\x1f\x7f]")
_ARGUMENT = re.compile(r"agi_arg_([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class AgiRequest:
    """What the dialplan asks. All texts may hold anything a caller can send."""

    name: str
    """The path of the URL, without its slash."""
    leg: str
    """The channel that waits for the answer."""
    args: tuple[str, ...] = ()
    query: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    """All that Asterisk said, without the ``agi_`` in front."""


@dataclass(frozen=True, slots=True)
class AgiLimits:
    """Seconds. A dialplan waits no longer, whatever happens here."""

    request: float = 1.0
    """From connecting to the end of the question."""
    answer: float = 2.0
    """For the answer to be found."""
    reply: float = 1.0
    """For Asterisk to acknowledge one variable."""
    connections: int = 200


AgiAnswer = Callable[[AgiRequest], Awaitable[Sequence[tuple[str, str]]]]
"""Finds the variables to set. An exception means: none."""


class Garbage(Exception):
    """Not AGI."""


class HungUp(Exception):
    """The leg, or the connection, is gone; nobody waits for an answer."""


class AgiServer:
    """Serves one question per connection."""

    def __init__(self, answer: AgiAnswer, limits: AgiLimits | None = None) -> None:
        self._answer = answer
        self._limits = limits or AgiLimits()
        self._server: asyncio.Server | None = None
        self._open = 0

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=LONGEST_LINE)

    async def close(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > self._limits.connections:
                raise Garbage("too many questions at once")
            await self._converse(reader, writer)
        except (Garbage, TimeoutError) as error:
            log.warning("agi_failed", error=str(error) or "too slow")
        except (HungUp, ConnectionError):
            pass
        finally:
            self._open -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(self._limits.request):
            request = parse_request(await _read_environment(reader))
        try:
            async with asyncio.timeout(self._limits.answer):
                variables = await self._answer(request)
        except Exception as error:  # the dialplan goes on with its default
            log.error("agi_answer_failed", name=request.name[:80], error=repr(error)[:200])
            return
        for name, value in variables:
            writer.write(set_variable(name, value))
            async with asyncio.timeout(self._limits.reply):
                await writer.drain()
                await _read_reply(reader)


async def _read_line(reader: asyncio.StreamReader) -> str:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        raise HungUp from error
    except asyncio.LimitOverrunError as error:
        raise Garbage("an endless line") from error
    return line.decode(errors="replace").rstrip("\r\n")


async def _read_environment(reader: asyncio.StreamReader) -> list[str]:
    lines: list[str] = []
    while line := await _read_line(reader):
        lines.append(line)
        if len(lines) > MOST_LINES:
            raise Garbage("an endless question")
    return lines


async def _read_reply(reader: asyncio.StreamReader) -> None:
    """Wait until Asterisk has done it. ``HANGUP`` may come at any time, before the reply."""
    for _ in range(MOST_LINES):
        line = await _read_line(reader)
        if line.startswith("HANGUP"):
            raise HungUp
        if line.startswith("200"):
            return
        if not line.startswith("100"):
            raise Garbage(f"a reply {line[:40]!r}")
    raise Garbage("an endless reply")


def parse_request(lines: Sequence[str]) -> AgiRequest:
    """The question in the lines ``agi_name: value``. Raises Garbage."""
    environment: dict[str, str] = {}
    args: dict[int, str] = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        if not name.startswith("agi_") or not (colon or line.endswith(":")):
            raise Garbage(f"a line {line[:40]!r}")
        argument = _ARGUMENT.fullmatch(name)
        if argument:
            args[int(argument[1])] = value
        else:
            environment[name.removesuffix(":").removeprefix("agi_")] = value
    try:
        url = urlsplit(environment["request"])
        leg = environment["uniqueid"]
    except (KeyError, ValueError) as error:
        raise Garbage(f"no {error}") from error
    name = unquote(url.path).strip("/")
    return AgiRequest(name, leg, tuple(args[n] for n in sorted(args)), dict(parse_qsl(url.query)), environment)


def set_variable(name: str, value: str) -> bytes:
    """The command that sets a variable of the channel; the value stays on one line and inside its quotes."""
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"not the name of a variable: {name[:40]!r}")
    quoted = _UNSAFE_IN_A_VALUE.sub(" ", value)[:1024].replace("\\", "\\\\").replace('"', '\\"')
    return f'SET VARIABLE {name} "{quoted}"\n'.encode()
