"""Engines of text to speech: each speaks into a file, or says in a sentence why it cannot."""

import stat
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from callcenter.runtime.audio import WIDE
from callcenter.runtime.catalogue import Prompt
from callcenter.runtime.prompts import PromptError, prepare
from callcenter.runtime.tts.engine import Engine, TtsError, Voice
from callcenter.runtime.tts.http import HttpEngine
from callcenter.runtime.tts.programs import EspeakNg, Flite, Piper
from tests.support.audio import wav

HELLO = Prompt("hello", "Hello there.", "en", voice=Voice("http", "anna"))


class FarEnd(BaseHTTPRequestHandler):
    """A speech engine as scripted."""

    status: ClassVar[int] = 200
    body: ClassVar[bytes] = b""
    asked: ClassVar[list[tuple[str, str, bytes]]] = []
    stalls: ClassVar[threading.Event]

    def do_POST(self) -> None:
        type(self).asked.append((self.path, self.headers.get("Authorization", ""), self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(self.body)
        self.stalls.wait(30)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def far_end(body: bytes, status: int = 200, stalls: bool = False) -> Iterator[tuple[str, type[FarEnd]]]:
    class Scripted(FarEnd):
        asked: ClassVar[list[tuple[str, str, bytes]]] = []
        stalls = threading.Event()

    Scripted.body, Scripted.status = body, status
    if not stalls:
        Scripted.stalls.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/speak?k=secret", Scripted
    finally:
        Scripted.stalls.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_engine_over_http_is_asked_once_with_text_language_and_voice(tmp_path: Path) -> None:
    with far_end(wav(1000, seconds=0.5)) as (url, engine):
        engines: dict[str, Engine] = {"http": HttpEngine(url, token="t0ken")}
        made = prepare([HELLO], tmp_path, engines)["hello"]
        assert prepare([HELLO], tmp_path, engines)["hello"] == made
    assert engine.asked == [("/speak?k=secret", "Bearer t0ken", b'{"text": "Hello there.", "language": "en", "voice": "anna"}')]
    assert len(made.with_suffix(".sln16").read_bytes()) == WIDE


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 404, "answered with status 404"),
        (b"", 302, "answered with status 302"),
        (b"<html>", 200, "is not a WAV file"),
        (bytes(3000), 200, "answered with more than 2000 bytes"),
    ],
)
def test_an_engine_that_answers_garbage_is_said(tmp_path: Path, body: bytes, status: int, sentence: str) -> None:
    with far_end(body, status) as (url, _), pytest.raises(PromptError, match=sentence) as raised:
        prepare([HELLO], tmp_path, {"http": HttpEngine(url, most_bytes=2000)})
    assert "prompt 'hello': " in str(raised.value)
    assert "secret" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_an_engine_that_stalls_is_not_waited_for(tmp_path: Path) -> None:
    with far_end(wav(1000)[:100], stalls=True) as (url, _), pytest.raises(TtsError, match="timed out"):
        HttpEngine(url, timeout_s=0.2).speak("Hello.", "en", "", tmp_path / "out.wav")


def test_an_engine_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TtsError, match=r"the speech engine at http://127\.0\.0\.1:1 cannot be asked: Connection refused"):
        HttpEngine("http://127.0.0.1:1/x?k=secret").speak("Hello.", "en", "", tmp_path / "out.wav")


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("name", "engine", "voice", "arguments"),
    [
        ("piper", Piper(), "/models/es.onnx", "--model /models/es.onnx --output_file {wav}"),
        ("flite", Flite(), "slt", "-voice slt -f /dev/stdin -o {wav}"),
        ("flite", Flite(), "", "-f /dev/stdin -o {wav}"),
        ("espeak-ng", EspeakNg(), "", "-v es-419 -s 155 -w {wav} --stdin"),
    ],
)
def test_a_program_reads_the_text_and_is_never_given_it_as_an_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, engine: Engine, voice: str, arguments: str
) -> None:
    """The last argument but one or the last is the file to write, as each program's manual says."""
    out = tmp_path / "out.wav"
    program(tmp_path, name, f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/text; : > {out}')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    engine.speak("--help; $(reboot)", "es", voice, out)
    assert (tmp_path / "arguments").read_text().strip() == arguments.format(wav=out)
    assert (tmp_path / "text").read_text().strip() == "--help; $(reboot)"


def test_a_program_that_fails_is_said_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "piper", "cat > /dev/null; echo 'loading' >&2; echo 'no such model' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(TtsError, match="piper failed: no such model"):
        Piper().speak("Hola.", "es", "/models/es.onnx", tmp_path / "out.wav")
    with pytest.raises(TtsError, match="piper is not installed"):
        Piper("/nowhere/piper").speak("Hola.", "es", "/models/es.onnx", tmp_path / "out.wav")


@pytest.mark.parametrize(
    ("language", "text"), [("es", "Buenos días."), ("fr", "Bonjour."), ("zh", "你好。"), ("vi", "Xin chào."), ("th", "สวัสดี")]
)
def test_espeak_ng_speaks_the_languages_we_write_in(tmp_path: Path, language: str, text: str) -> None:
    EspeakNg().speak(text, language, "", tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert file.getnframes() / file.getframerate() > 0.3
