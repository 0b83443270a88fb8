"""The control socket between the engine and our other processes."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callcenter.services.control import LINE_LIMIT, ControlError, ControlServer, Handle, JsonObject
from callcenter.services.control_client import ControlClient, EngineAway, Notice, RequestRefused, answers, ask
from callcenter.services.notices import NoticeRing, Notices

TOKEN = "a-token-of-the-test"


def as_json(fact: str) -> dict[str, object]:
    return {"fact": fact}


async def obliging(request: JsonObject) -> JsonObject:
    """An engine that knows one agent."""
    if request["do"] == "agent_ready":
        if request.get("agent") != "alice":
            raise ControlError(f"there is no agent '{request.get('agent')}'")
        return {"state": "ready"}
    if request["do"] == "fail":
        raise ZeroDivisionError
    return {"error": "no such operation"}


@asynccontextmanager
async def engine(folder: Path, notices: Notices | None = None, handle: Handle = obliging) -> AsyncIterator[Path]:
    path = folder / "run" / "control.sock"
    server = ControlServer(path, TOKEN, handle, notices)
    await server.start()
    try:
        yield path
    finally:
        await server.stop()


async def raw(path: Path, *lines: bytes) -> list[JsonObject]:
    """What the engine says to these bytes, until it has nothing more to say."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"".join(lines))
    writer.write_eof()
    said = (await asyncio.wait_for(reader.read(), 20)).splitlines()
    writer.close()
    return [json.loads(line) for line in said]


def signed_in(*lines: bytes) -> tuple[bytes, ...]:
    return json.dumps({"token": TOKEN}).encode() + b"\n", *lines


async def test_a_request_is_answered_under_its_id(tmp_path: Path) -> None:
    async with engine(tmp_path) as path:
        assert await raw(path, *signed_in(b'{"id":7,"do":"agent_ready","agent":"alice"}\n')) == [{"ok": True}, {"id": 7, "state": "ready"}]


async def test_only_we_may_reach_the_socket(tmp_path: Path) -> None:
    async with engine(tmp_path) as path:
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o777 == 0o600


async def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    server = ControlServer(tmp_path / "run" / "control.sock", TOKEN, obliging)
    with pytest.raises(ControlError, match="chmod 700"):
        await server.start()


@pytest.mark.parametrize(
    "first",
    [b'{"token":"wrong"}\n', b'{"token":7}\n', b'{"token":""}\n', b"GET / HTTP/1.1\r\n", b"[]\n", b'{"token":"\\ud800"}\n', b"\xff\xfe\n"],
)
async def test_who_does_not_know_the_token_gets_nothing(tmp_path: Path, first: bytes) -> None:
    async with engine(tmp_path) as path:
        assert await raw(path, first, b'{"id":1,"do":"agent_ready","agent":"alice"}\n') == [{"error": "the token is wrong"}]


async def test_garbage_is_answered_and_does_not_disturb_what_follows(tmp_path: Path) -> None:
    garbage = [b"\n", b"nonsense\n", b"[1]\n", b"\x00\xff\n", b'{"id":1}\n', b'{"id":2,"do":[]}\n', b"[" * 20_000 + b"\n", b'{"do":NaN}\n']
    async with engine(tmp_path) as path:
        said = await raw(path, *signed_in(*garbage, b'{"id":9,"do":"agent_ready","agent":"alice"}\n'))
    assert len(said) == len(garbage) + 2
    assert all("error" in answer for answer in said[1:-1])
    assert said[-1] == {"id": 9, "state": "ready"}


async def test_an_endless_line_costs_only_its_connection(tmp_path: Path) -> None:
    async with engine(tmp_path) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"".join(signed_in(b"x" * (LINE_LIMIT + 1))))
        said = (await asyncio.wait_for(reader.read(), 20)).splitlines()
        assert "at most" in json.loads(said[-1])["error"]
        assert await answers(path, TOKEN)


async def test_a_refusal_is_a_sentence(tmp_path: Path) -> None:
    async with engine(tmp_path) as path:
        with pytest.raises(RequestRefused, match="there is no agent 'bob'"):
            await ask(path, TOKEN, "agent_ready", agent="bob")


async def test_a_bug_in_one_operation_costs_nobody_the_socket(tmp_path: Path) -> None:
    async with engine(tmp_path) as path, ControlClient(path, TOKEN) as client:
        with pytest.raises(RequestRefused, match="ZeroDivisionError"):
            await client.ask("fail")
        assert (await client.ask("ping"))["pid"] == os.getpid()


async def test_no_engine_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(EngineAway, match="callcenter serve"):
        await ask(tmp_path / "control.sock", TOKEN, "ping")


async def test_a_frozen_engine_does_not_answer_the_ping(tmp_path: Path) -> None:
    frozen = await asyncio.start_unix_server(lambda _reader, _writer: None, tmp_path / "control.sock")
    assert not await answers(tmp_path / "control.sock", TOKEN, within=0.05)
    frozen.close()


async def test_the_socket_of_a_killed_predecessor_is_replaced(tmp_path: Path) -> None:
    async with engine(tmp_path) as path, engine(tmp_path):
        assert await answers(path, TOKEN)  # the second one's, now
    assert not path.exists()


async def test_a_predecessor_that_stops_late_leaves_the_successors_socket(tmp_path: Path) -> None:
    path = tmp_path / "run" / "control.sock"
    old, new = ControlServer(path, TOKEN, obliging), ControlServer(path, TOKEN, obliging)
    await old.start()
    await new.start()
    await old.stop()
    assert await answers(path, TOKEN)
    await new.stop()


# --- notices ----------------------------------------------------------------------------------


async def heard(client: ControlClient, count: int, since: int | None = None) -> list[Notice]:
    """The first notices after the subscription."""
    notices: list[Notice] = []
    async with asyncio.timeout(20):
        async for notice in client.listen(since):
            notices.append(notice)
            if len(notices) == count + 1:
                break
    return notices[1:]


async def test_a_listener_who_comes_back_gets_what_was_missed(tmp_path: Path) -> None:
    ring = NoticeRing(as_json)
    ring.put(1, ["arrived"])
    ring.put(2, ["waited", "offered"])
    async with engine(tmp_path, ring) as path, ControlClient(path, TOKEN) as client:
        assert [(n.seq, n.notice["fact"]) for n in await heard(client, 2, since=1)] == [(2, "waited"), (2, "offered")]


async def test_a_notice_reaches_who_listens_now(tmp_path: Path) -> None:
    ring = NoticeRing(as_json)
    async with engine(tmp_path, ring) as path, ControlClient(path, TOKEN) as client:
        listening = client.listen()
        assert (await anext(listening)).seq == 0
        ring.put(1, ["arrived"])
        assert await asyncio.wait_for(anext(listening), 20) == Notice(1, {"fact": "arrived"})


async def test_what_the_ring_no_longer_has_is_a_gap(tmp_path: Path) -> None:
    ring = NoticeRing(as_json, kept=2)
    for seq in (1, 2, 3, 4):
        ring.put(seq, [f"fact {seq}"])
    async with engine(tmp_path, ring) as path, ControlClient(path, TOKEN) as client:
        got = await heard(client, 3, since=1)
    assert [(n.seq, n.gap) for n in got] == [(2, True), (3, False), (4, False)]


async def test_a_number_from_another_life_of_the_engine_is_a_gap(tmp_path: Path) -> None:
    ring = NoticeRing(as_json)
    ring.put(1, ["arrived"])
    async with engine(tmp_path, ring) as path, ControlClient(path, TOKEN) as client:
        assert (await heard(client, 1, since=500))[0].gap


async def test_facts_of_before_the_restart_are_a_gap_not_a_silence(tmp_path: Path) -> None:
    ring = NoticeRing(as_json)
    ring.begin_at(100)
    ring.put(101, ["arrived"])
    async with engine(tmp_path, ring) as path, ControlClient(path, TOKEN) as client:
        assert [(n.seq, n.gap) for n in await heard(client, 2, since=90)] == [(100, True), (101, False)]


async def test_answers_come_through_while_notices_flow(tmp_path: Path) -> None:
    ring = NoticeRing(as_json)
    async with engine(tmp_path, ring) as path, ControlClient(path, TOKEN) as client:
        listening = client.listen()
        await anext(listening)
        ring.put(1, ["arrived"])
        assert (await client.ask("agent_ready", agent="alice"))["state"] == "ready"


@pytest.mark.parametrize("since", ["x", -1, True, None, 1.5])
async def test_a_place_that_is_no_number_is_refused(tmp_path: Path, since: object) -> None:
    async with engine(tmp_path, NoticeRing(as_json)) as path:
        request = json.dumps({"id": 1, "do": "subscribe", "since": since}).encode() + b"\n"
        assert "whole number" in str((await raw(path, *signed_in(request)))[1]["error"])


async def test_it_stops_whatever_its_clients_are_in_the_middle_of(tmp_path: Path) -> None:
    for steps in range(40):
        server = ControlServer(tmp_path / "run" / "control.sock", TOKEN, obliging)
        await server.start()
        async with ControlClient(server.path, TOKEN) as client:
            asking = asyncio.create_task(client.ask("agent_ready", agent="alice"))
            for _ in range(steps):
                await asyncio.sleep(0)
            async with asyncio.timeout(20):
                await server.stop()
            await asyncio.gather(asking, return_exceptions=True)
