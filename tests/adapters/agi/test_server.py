"""A question that the dialplan must have answered now, and clients that do not know how to ask."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from callcenter.adapters.agi.server import AgiLimits, AgiRequest, AgiServer, Garbage, parse_request, set_variable

QUESTION = (
    b"agi_network: yes\nagi_network_script: opening?zone=eu&x=1\nagi_request: agi://127.0.0.1:4573/opening?zone=eu&x=1\n"
    b"agi_channel: PJSIP/carrier-00000001\nagi_uniqueid: node1-1795327262.0\nagi_callerid: +12025550123\nagi_rdnis:\n"
    b"agi_arg_1: support\nagi_arg_2: 5: five\nagi_arg_10: ten\n\n"
)
Asking = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answers:
    """What is answered, and what was asked."""

    def __init__(self, *variables: tuple[str, str]) -> None:
        self.variables = variables
        self.asked: list[AgiRequest] = []
        self.wait: asyncio.Event | None = None
        self.error: Exception | None = None

    async def __call__(self, request: AgiRequest) -> Sequence[tuple[str, str]]:
        self.asked.append(request)
        if self.wait:
            await self.wait.wait()
        if self.error:
            raise self.error
        return self.variables


@asynccontextmanager
async def asking(server: AgiServer) -> AsyncIterator[Asking]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def serving(answers: Answers, limits: AgiLimits | None = None) -> AsyncIterator[AgiServer]:
    server = AgiServer(answers, limits)
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.close()


async def end_of(reader: asyncio.StreamReader) -> bytes:
    """All that still comes until the server closes."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def works(server: AgiServer) -> None:
    """It serves the next one as if nothing had been."""
    async with asking(server) as (reader, writer):
        writer.write(QUESTION)
        assert await reader.readline() == b'SET VARIABLE OPEN "yes"\n'
        writer.write(b"200 result=1\n")
        assert await end_of(reader) == b""


async def test_a_question_is_answered_with_variables() -> None:
    answers = Answers(("OPEN", "yes"), ("WHY", 'say "hi"'))
    async with serving(answers) as server, asking(server) as (reader, writer):
        writer.write(QUESTION)
        assert await reader.readline() == b'SET VARIABLE OPEN "yes"\n'
        writer.write(b"200 result=1\n")
        assert await reader.readline() == b'SET VARIABLE WHY "say \\"hi\\""\n'
        writer.write(b"200 result=1\n")
        assert await end_of(reader) == b""
    (asked,) = answers.asked
    assert (asked.name, asked.leg, asked.args) == ("opening", "node1-1795327262.0", ("support", "5: five", "ten"))
    assert asked.query == {"zone": "eu", "x": "1"}
    assert asked.environment["callerid"] == "+12025550123"
    assert asked.environment["rdnis"] == ""


async def test_connect_and_close_leaves_the_server_working() -> None:
    async with serving(Answers(("OPEN", "yes"))) as server:
        for sent in (b"", b"agi_network: yes\n", QUESTION[:-1]):
            async with asking(server) as (_, writer):
                writer.write(sent)
        await works(server)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\xff\n",
        b"\n",
        b"agi_request: agi://x/y\n\n",
        b"agi_uniqueid: 1\n\n",
        b"agi_request: agi://[/y\nagi_uniqueid: 1\n\n",
        b"x" * 5000,
        b"agi_x: 1\n" * 5000,
        b"agi_x\n\n",
    ],
    ids=["http", "tls", "nothing", "no-leg", "no-name", "bad-url", "endless-line", "endless-question", "no-colon"],
)
async def test_garbage_is_hung_up_on(garbage: bytes) -> None:
    answers = Answers(("OPEN", "yes"))
    async with serving(answers) as server:
        async with asking(server) as (reader, writer):
            writer.write(garbage)
            assert await end_of(reader) == b""
        assert answers.asked == []
        await works(server)


async def test_a_client_that_never_asks_is_hung_up_on() -> None:
    async with serving(Answers(), AgiLimits(request=0.05)) as server, asking(server) as (reader, _):
        assert await end_of(reader) == b""


async def test_an_answer_that_does_not_come_in_time_is_no_answer() -> None:
    answers = Answers(("OPEN", "yes"))
    answers.wait = asyncio.Event()
    async with serving(answers, AgiLimits(answer=0.05)) as server, asking(server) as (reader, writer):
        writer.write(QUESTION)
        assert await end_of(reader) == b""


async def test_an_error_while_answering_is_no_answer() -> None:
    answers = Answers(("OPEN", "yes"))
    answers.error = KeyError("bug")
    async with serving(answers) as server:
        async with asking(server) as (reader, writer):
            writer.write(QUESTION)
            assert await end_of(reader) == b""
        answers.error = None
        await works(server)


@pytest.mark.parametrize("reply", [b"HANGUP\n", b"510 Invalid or unknown command\n", b"\x00\xff\n", b"100 Trying\n" * 500])
async def test_a_leg_that_hangs_up_or_a_reply_that_is_none_ends_it(reply: bytes) -> None:
    answers = Answers(("OPEN", "yes"), ("SECOND", "1"))
    async with serving(answers) as server:
        async with asking(server) as (reader, writer):
            writer.write(QUESTION)
            await reader.readline()
            writer.write(reply)
            assert await end_of(reader) == b""
        answers.variables = (("OPEN", "yes"),)
        await works(server)


async def test_too_many_questions_at_once_are_hung_up_on() -> None:
    answers = Answers(("OPEN", "yes"))
    async with serving(answers, AgiLimits(connections=1)) as server, asking(server) as (first, one):
        one.write(QUESTION)
        assert await first.readline() == b'SET VARIABLE OPEN "yes"\n'
        async with asking(server) as (second, _):
            assert await end_of(second) == b""
        one.write(b"200 result=1\n")
        assert await end_of(first) == b""


@pytest.mark.parametrize("value", ["a\nSET VARIABLE X 1", "a\r\n", "\x00", 'a" b', "a\\", "x" * 9999])
def test_a_value_stays_on_one_line_inside_its_quotes(value: str) -> None:
    line = set_variable("A", value)
    assert line.count(b"\n") == 1
    assert line.endswith(b'"\n')
    inside = line[len(b'SET VARIABLE A "') : -len(b'"\n')]
    assert b'"' not in inside.replace(b"\\\\", b"").replace(b'\\"', b"")


@pytest.mark.parametrize("name", ["", "A B", "A\n", "SHELL(id)", "1A", "é", "A" * 99])
def test_only_names_of_variables_are_set(name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        set_variable(name, "x")


def test_a_question_without_a_leg_is_garbage() -> None:
    with pytest.raises(Garbage):
        parse_request(["agi_request: agi://127.0.0.1/x"])
