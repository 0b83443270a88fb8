"""Logs: JSON that nothing can break, numbers masked, secrets never, files that do not grow for ever."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from callcenter.runtime import logs


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handlers = logging.getLogger().handlers[:]
    logs.configure("engine", stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_hostile_caller_id_stays_inside_its_line(out: io.StringIO) -> None:
    structlog.get_logger().info("call_began", trunk='x\r\n{"event":"forged"}\x1b[31m\u2028\x00')
    (line,) = lines(out)
    assert line["event"] == "call_began"
    assert line["process"] == "engine"
    assert not any(ord(character) < 32 or ord(character) > 126 for character in out.getvalue().rstrip("\n"))


def test_numbers_are_masked_and_secrets_are_gone(out: io.StringIO) -> None:
    structlog.get_logger().info("call_began", caller="+15551234567", dialed="112", token="t0ps3cret", digit="7")
    (line,) = lines(out)
    assert (line["caller"], line["dialed"], line["token"], line["digit"]) == ("…567", "112", "***", "***")


def test_a_traceback_tells_no_values(out: io.StringIO) -> None:
    def sign_in(password: str) -> None:
        raise ValueError("refused")

    try:
        sign_in("t0ps3cret")
    except ValueError as error:
        structlog.get_logger().error("fault", exc_info=error)
    assert "t0ps3cret" not in out.getvalue()
    assert "sign_in" in out.getvalue()


def test_libraries_log_the_same_way(out: io.StringIO) -> None:
    logging.getLogger("aiohttp").warning("something\nodd")
    assert lines(out)[0]["event"] == "something\nodd"


def test_a_log_that_grew_too_large_is_kept_once_and_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "engine.log"
    with file.open("a") as writer:
        for turn in ("first", "second", "third", "fourth", "fifth"):
            writer.write(turn * 10)
            writer.flush()
            assert logs.cap(file, size=20)
        writer.write("and on")
        writer.flush()
    assert file.read_text() == "and on"
    assert [(tmp_path / f"engine.log.{n}").read_text()[:6] for n in (1, 2, 3)] == ["fifthf", "fourth", "thirdt"]
    assert not (tmp_path / "engine.log.4").exists()
    assert not logs.cap(file, size=20)
