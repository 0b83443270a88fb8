"""Whatever is sent to the web process in place of a form, a document or a sound: it is answered in a sentence, nothing of it stays on the
disk, memory stays small, and all others are served meanwhile. The process itself, over its socket.
"""

import asyncio
import gzip
import io
import json
import re
import struct
import time
import wave
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from callcenter.apps import rights_page
from callcenter.apps.people import add_person
from callcenter.domain.rights import Role
from tests.support import postgres
from tests.support.api_center import api_center
from tests.support.people import PASSWORD
from tests.support.web_line import Told, Web, told

PROBLEM = "application/problem+json"
MEGABYTE = 1 << 20
ROOM = 150 * MEGABYTE
"""What the process may have taken at most, for all of this, beyond what it had before."""
SOUND = "/config/prompts/en/welcome/sound"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, postgres_server: Any) -> Iterator[Web]:
    uploads = tmp_path_factory.mktemp("uploads")
    with pytest.MonkeyPatch.context() as patched, postgres.database(postgres_server) as url:
        patched.setenv("TMPDIR", str(uploads))
        with api_center(tmp_path_factory.mktemp("center"), url) as center:
            web = Web(center, uploads)
            asyncio.run(add_person(url, "ada", PASSWORD, [Role.ADMIN, Role.SUPERVISOR, Role.OPS]))
            web.signs_in("ada")
            yield web


@pytest.fixture(autouse=True)
def nothing_left(web: Web) -> Iterator[None]:
    """After each of them: it lives, takes no more memory than its share, keeps no file, and serves the next."""
    before, log = web.memory(), web.center.folder / "web.log"
    written = log.stat().st_size
    yield
    assert web.send("GET", "/healthz").status == 200
    assert web.memory() - before < ROOM
    assert web.left() == []
    assert [line[-1500:] for line in log.read_bytes()[written:].decode().splitlines() if '"level": "error"' in line] == []


def zeros(megabytes: int, wbits: int = 31) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([*(packer.compress(bytes(MEGABYTE)) for _ in range(megabytes)), packer.flush()])


# --- how it comes ----------------------------------------------------------------------------------

TARGETS = {
    "document": ("/api/v1/do-not-call", True, "application/json"),
    "form": ("/account/tokens", False, "application/x-www-form-urlencoded"),
    "parts": ("/people", False, "multipart/form-data; boundary=x"),
    "sound": (SOUND, False, "audio/wav"),
}
every_target = pytest.mark.parametrize("target", TARGETS)


def refused(answer: Told, target: str, *statuses: int) -> None:
    assert answer.status in statuses, (answer.status, answer.raw[:300])
    if target == "document":
        assert answer.kind == PROBLEM
        assert json.loads(answer.raw)["detail"]
    else:
        assert answer.raw.strip()


@every_target
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, gzip", "nonsense"])
def test_a_body_that_is_packed_is_never_unpacked(web: Web, target: str, encoding: str) -> None:
    """A kilobyte may become a megabyte, and that a gigabyte: whoever sends something sends it as it is."""
    path, api, kind = TARGETS[target]
    bomb = zeros(50, -15 if encoding == "deflate" else 31)
    answer = web.send(
        "POST", path, gzip.compress(bomb) if encoding == "gzip, gzip" else bomb, api=api, Content_Type=kind, Content_Encoding=encoding
    )
    refused(answer, target, 415)
    assert answer.headers["accept-encoding"] == "identity"
    if target == "document":
        assert "as it is" in answer.sentence


@every_target
def test_what_says_that_it_is_huge_is_refused_before_it_comes(web: Web, target: str) -> None:
    path, api, kind = TARGETS[target]
    for length in (1 << 32, 1 << 62):
        with web.line() as line:
            line.sendall(web.head("POST", path, api=api, Content_Type=kind, Content_Length=str(length)))
            refused(told(line), target, 400 if target == "parts" else 413)


@every_target
def test_what_never_ends_is_cut_off(web: Web, target: str) -> None:
    path, api, kind = TARGETS[target]

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"a" * MEGABYTE

    answer = web.send("POST", path, endless(), api=api, Content_Type=kind)
    refused(answer, target, 400 if target == "parts" else 413)


@every_target
def test_chunks_that_are_none_and_lengths_that_are_wrong(web: Web, target: str) -> None:
    path, api, kind = TARGETS[target]
    for body in (b"zz\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello world\r\n", b"ffffffffffffffffffff\r\n", b"1" * 20_000):
        with web.line() as line:
            line.sendall(web.head("POST", path, api=api, Content_Type=kind, Transfer_Encoding="chunked") + body)
            assert told(line).status in (400, 413, 422)
    for length in ("-1", "1e3", "5, 6", "0x10", ""):
        with web.line() as line:
            line.sendall(web.head("POST", path, api=api, Content_Type=kind, Content_Length=length) + b"hello")
            assert told(line).status == 400
    with web.line() as line:
        line.sendall(web.head("POST", path, api=api, Content_Type=kind, Content_Length="5", Transfer_Encoding="chunked") + b"0\r\n\r\n")
        assert told(line).status == 400


@every_target
def test_who_hangs_up_in_the_middle_leaves_nothing(web: Web, target: str) -> None:
    path, api, kind = TARGETS[target]
    for _ in range(3):
        with web.line() as line:
            line.sendall(web.head("POST", path, api=api, Content_Type=kind, Content_Length="60000") + b"half")
    end = time.monotonic() + 10
    while web.left() and time.monotonic() < end:
        time.sleep(0.02)


def test_what_comes_drop_by_drop_keeps_nobody_waiting_and_is_ended(web: Web) -> None:
    """A document, a form and a sound, of which one byte comes now and then; and somebody who never ends the first line."""
    slow = {"document": 408, "form": 408}

    def drip(target: str) -> Told:
        path, api, kind = TARGETS[target]
        with web.line() as line:
            line.sendall(web.head("POST", path, api=api, Content_Type=kind, Content_Length="500") + b"a")
            line.settimeout(0.5)
            end = time.monotonic() + 25
            while time.monotonic() < end:
                try:
                    return told(line)
                except TimeoutError:
                    line.sendall(b"a")
        raise AssertionError(f"{target}: nobody ended it")

    with ThreadPoolExecutor(16) as beside:
        dripping = {name: beside.submit(drip, name) for name in slow for _ in range(4)}
        while not all(each.done() for each in dripping.values()):
            began = time.monotonic()
            assert web.send("GET", "/api/v1/agents", api=True).status == 200
            assert time.monotonic() - began < 5
        for name, each in dripping.items():
            refused(each.result(), name, slow[name])


def test_heads_that_are_too_large_are_refused(web: Web) -> None:
    for headers in ({"X": "a" * 9000}, {f"X{n}": "a" for n in range(5000)}, {"Cookie": "a=" + "b" * 100_000}, {"X" * 9000: "a"}):
        for path, api in (("/account", False), ("/api/v1/agents", True)):
            with web.line() as line:
                with suppress(OSError):
                    line.sendall(web.head("GET", path, api=api, **headers))
                answer = told(line)
                assert answer.status in (400, 431), answer.status
                assert b"Traceback" not in answer.raw


# --- documents -------------------------------------------------------------------------------------

DEEP = 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"number": "+12025550123", "number": "+12025550124"}',
        *(b'{"number": ' + each + b"}" for each in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"-" + b"9" * 400)),
        b'{"number": "\\ud83d"}',
        b'{"number": "\\udc00\\ud800"}',
        b'{"number": "\xed\xa0\x80"}',
        b"\xff\xfe" + '{"number": 1}'.encode("utf-16-le"),
        b"\xef\xbb\xbf" + b'{"number": "+12025550123"}',
        b'{"number": "+1202555\\u0000"}',
        b'{"__proto__": {}, "constructor": 1}',
        b"{" + b",".join(b'"%d": 1' % n for n in range(5000)) + b"}",
        b"PK\x03\x04" + bytes(100),
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
    ],
    ids=range(20),
)
def test_odd_documents_are_refused_in_a_sentence(web: Web, body: bytes) -> None:
    for path in ("/api/v1/do-not-call", "/api/v1/documents/plan", "/api/v1/flows/main/publish", "/api/v1/webhooks"):
        answer = web.send("POST", path, body, api=True)
        refused(answer, "document", 400, 413, 422)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "*/*",
        "",
        "application/json; charset=utf-16",
        "application/json; charset=nonsense",
    ],
)
def test_a_document_of_another_declared_type_is_not_read(web: Web, kind: str) -> None:
    refused(web.send("POST", "/api/v1/do-not-call", b'{"number": "+12025550123"}', api=True, Content_Type=kind), "document", 415)


# --- forms -----------------------------------------------------------------------------------------

NAMES = ("../../etc/passwd", "a\\..\\b", "%2e%2e%2f", "a%00.wav", "\u202egnp.exe", "CON", "a" * 3000, "", "/dev/null", '"; x="')


def parts(fields: Iterable[tuple[str, str | None, bytes]], boundary: str = "x") -> bytes:
    found = io.BytesIO()
    for name, file, content in fields:
        given = f'; filename="{file}"' if file is not None else ""
        found.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{given}\r\n\r\n'.encode() + content + b"\r\n")
    found.write(f"--{boundary}--\r\n".encode())
    return found.getvalue()


NO_FORMS = {"/sign-out", "/account/sessions/end", "/config/prompts/{language}/{prompt}/sound"}


def forms() -> list[str]:
    """Where forms are sent, each about something that is there."""
    values = {"name": "alice", "id": "x", "kind": "queue", "flow": "main", "language": "en", "prompt": "welcome"}
    found = []
    for rule in rights_page.routes().rules:
        if rule.method == "POST" and not rule.path.startswith("/api/") and rule.path not in NO_FORMS:
            found.append(re.sub(r"\{(\w+)\}", lambda part: values[part[1]], rights_page.shown(rule)))
    assert len(found) > 15
    return found


@pytest.mark.parametrize("path", forms())
def test_files_where_words_are_asked_for(web: Web, path: str) -> None:
    """Each field is a file, of an odd name; the parts are thousands; the parts are broken."""
    fields = (
        "name",
        "password",
        "text",
        "note",
        "packed",
        "label",
        "days",
        "version",
        "share",
        "value",
        "shown",
        "role",
        "scope",
        "present",
    )
    bodies = [
        parts((name, file, b"<script>") for name, file in zip(fields, NAMES * 2, strict=False)),
        parts((f"n{n}", None, b"") for n in range(1500)),
        parts((f"n{n}", "f", b"") for n in range(900)),
        b"--x\r\n" * 10_000,
        b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--\r\n",
        b"--x\r\n" + b"A: b\r\n" * 9000 + b"\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: nonsense\r\n\r\nx\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=a\r\nContent-Encoding: gzip\r\n\r\n" + zeros(20) + b"\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=\xff\xfe\r\n\r\n\xff\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nnever ends",
        b"nothing of the kind",
        b"",
    ]
    for body in bodies:
        for kind in (
            ("multipart/form-data; boundary=x",)
            if body.startswith(b"--x")
            else ("multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary=" + "y" * 200)
        ):
            answer = web.send("POST", path, body, Content_Type=kind)
            assert answer.status < 500, (body[:100], answer.raw)


ODD = (
    "\u00b2",
    "\u0665",
    "1e999",
    "-1",
    "0x10",
    "9" * 5000,
    "00365999999999",
    "nan",
    "\x00",
    "\ud83d\ude00",
    "a" * 20_000,
    "%ff",
    "\u202e",
    "[" * 5000,
    "",
)
PACKED = (
    '{"changes": {}, "expected": {"a": 1e999}, "base": 1}',
    '{"changes": {}, "expected": {}, "base": NaN}',
    '{"changes": {"queue/x": {"name": ' + "9" * 5000 + "}}, " + '"expected": {}, "base": 1}',
    '{"changes": {"a\\u0000": {"a": "\\ud800"}}, "expected": {}, "base": 1}',
    '{"changes": {"queue/x": ' + '{"a":' * 3000 + "1" + "}" * 3000 + '}, "expected": {}, "base": 1}',
    '{"changes": {"queue/x": {"name": "x", "name": "y"}}, "expected": {}, "base": 99999999999999999999999}',
    "[" * 50_000,
)


@pytest.mark.parametrize("path", forms())
def test_odd_words_where_others_are_asked_for(web: Web, path: str) -> None:
    names = ("name", "new_name", "text", "note", "label", "days", "version", "share", "value", "lasting_s", "release", "shown", "language")
    more = {"scope": "see_config", "role": "agent", "form_token": web.token}
    for odd in ODD:
        body = urlencode({**dict.fromkeys(names, odd), **more}, errors="surrogatepass").encode()
        answer = web.send("POST", path, body, Content_Type="application/x-www-form-urlencoded")
        assert answer.status < 500, (odd[:20], answer.raw)
    for packed in PACKED:
        body = urlencode({"packed": packed, "reason": "because", **more}).encode()
        answer = web.send("POST", path, body, Content_Type="application/x-www-form-urlencoded")
        assert answer.status < 500, (packed[:60], answer.raw)


def test_a_token_lasts_no_longer_than_it_may(web: Web) -> None:
    for days in ("00366999", "003669", "367", "99999", "\u0663", "0", "9" * 5000):
        form = urlencode({"label": "long", "days": days, "scope": "see_config"}).encode()
        assert web.send("POST", "/account/tokens", form, Content_Type="application/x-www-form-urlencoded").status == 422, days


# --- sounds ----------------------------------------------------------------------------------------


def tone(seconds: float = 0.5, rate: int = 16000, words: bytes = b"") -> bytes:
    """A WAV file; ``words`` stand among its samples."""
    samples = words + struct.pack("<hh", 8000, -8000) * int(seconds * rate / 2)
    found = io.BytesIO()
    with wave.open(found, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", "not compressed"))
        file.writeframes(samples[: len(samples) // 2 * 2])
    return found.getvalue()


MARKUP = b"<html><script>alert(document.domain)</script>PK\x03\x04"


def polyglots() -> dict[str, bytes]:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("../../evil.html", MARKUP)
    chunk = b"LIST" + struct.pack("<I", len(MARKUP)) + MARKUP
    fine = tone()
    return {
        "a zip behind it": fine + zipped.getvalue(),
        "markup behind it": fine + MARKUP,
        "markup in a chunk": fine[:12] + chunk + b"\0" * (len(chunk) % 2) + fine[12:],
    }


@pytest.mark.parametrize("which", polyglots())
def test_a_sound_that_is_something_else_as_well_is_only_a_sound(web: Web, which: str) -> None:
    """What is kept is made anew from its samples, and is served as a sound of which a browser makes nothing else."""
    answer = web.send("POST", SOUND, polyglots()[which], Content_Type="text/html")
    assert answer.status in (200, 422), answer.raw
    heard = web.send("GET", f"{SOUND}.wav", Accept="text/html")
    assert (heard.status, heard.kind, heard.headers["x-content-type-options"]) == (200, "audio/wav", "nosniff")
    assert "default-src 'none'" in heard.headers["content-security-policy"]
    assert heard.headers["content-disposition"] == 'attachment; filename="welcome.en.wav"'
    assert heard.raw.startswith(b"RIFF")
    assert not any(word in heard.raw for word in (b"<script", b"PK\x03\x04", b"evil"))
    kept = [file.read_bytes() for file in web.center.data.rglob("*") if file.is_file() and file.suffix != ".log" and "welcome" in file.name]
    assert not any(b"<script" in each for each in kept)
    web.send("POST", "/config/prompts/en/welcome/remove")


def declared(seconds: int) -> bytes:
    """A FLAC file that says it is that long, and ends there."""
    total = 8000 * seconds
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + ((8000 << 44) | (15 << 36) | total).to_bytes(8, "big") + bytes(16)
    return b"fLaC\x80" + len(info).to_bytes(3, "big") + info


BAD_SOUNDS = {
    "empty": b"",
    "only a beginning": tone()[:20],
    "truncated": tone()[:50],
    "FLAC of 38 hours": declared(137_000),
    "Ogg without an end": b"OggS" + bytes(22) + b"\x01\x1e\x01vorbis" + b"\xff" * 5000,
    "MP3 of nothing": b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + b"\xff\xfb" * 5000,
    "WAV of 4 GB": b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x80>\0\0\0}\0\0\x02\0\x10\0data\xff\xff\xff\xff" + bytes(100),
    "WAV of 65535 channels": b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\xff\xff\x80>\0\0\0}\0\0\xfe\xff\x10\0data\xff\xff\xff\xff"
    + bytes(100),
    "WAV of no rate": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\x02\0\x10\0data\x10\0\0\0" + bytes(16),
    "chunks without an end": b"RIFF\xff\xff\xff\x7fWAVE" + b"LIST\0\0\0\0" * 200_000,
    "an hour": tone(3600, rate=4000),
    "a page": MARKUP,
    "a program": b"\x7fELF" + bytes(5000),
    "zip": polyglots()["a zip behind it"][-200:],
    "gzip": gzip.compress(tone()),
}


@pytest.mark.parametrize("which", BAD_SOUNDS)
def test_what_is_no_sound_is_refused_in_a_sentence(web: Web, which: str) -> None:
    answer = web.send("POST", SOUND, BAD_SOUNDS[which], Content_Type="audio/wav")
    assert (answer.status, answer.kind) == (422, "application/json"), answer.raw
    said = json.loads(answer.raw)["error"]
    assert said
    assert str(web.uploads) not in said
    assert web.send("GET", "/config/prompts/en/welcome", Accept="text/html").raw.count(b"added recording") == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_of_an_odd_name_is_nobodys(web: Web, name: str) -> None:
    for language in ("en", "..", quote(name, safe="")):
        path = f"/config/prompts/{language}/{quote(name, safe='')}/sound"
        assert web.send("POST", path, tone(), Content_Type="audio/wav").status in (400, 403, 404)
