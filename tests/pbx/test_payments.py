"""Card numbers over real SIP: an agent sends her caller to pay; what was pressed is in no file of the system, no audio and no ear."""

import asyncio
import re
import subprocess
import sys
from array import array
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from callcenter.domain import facts as f
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.runtime.secrets import load_secrets
from callcenter.services.dips.client import DipsClient
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.tones import TonePair, goertzel, tone_pair
from tests.support import postgres
from tests.support.asterisk import MUSIC_TONES, PROMPT_TONES
from tests.support.center import AGENT_TONES, RunningCenter, running_center
from tests.support.dip_source import DipSource, dip_source, saying

pytestmark = pytest.mark.pbx

CARD = "4929871650341"
INBAND = "7305918264"
BEFORE, MARKER, AFTER = tone_pair(70), tone_pair(25), tone_pair(38)
FLOWS = {
    "main": {"start": "in", "node": {"in": {"type": "queue", "queue": "support"}}},
    "pay": {
        "start": "card",
        "node": {
            "card": {
                "type": "collect",
                "prompt": "enter-code",
                "attribute": "card",
                "secret": True,
                "max_length": len(CARD),
                "first_digit_s": 20,
                "next_digit_s": 10,
                "next": "charge",
                "otherwise": "no",
            },
            "charge": {
                "type": "dip",
                "source": "gateway",
                "parameters": {"card": "{card}"},
                "filler": "please-wait",
                "next": "thanks",
                "otherwise": "no",
                "failed": "no",
            },
            "thanks": {"type": "prompt", "prompt": "you-entered", "next": "yes"},
            "yes": {"type": "return", "outcome": "paid"},
            "no": {"type": "return", "outcome": "not_paid"},
        },
    },
}


def gateway(source: DipSource) -> dict[str, object]:
    return {
        "url": f"{source.url}/charge",
        "method": "POST",
        "body": {"card": "{card}"},
        "allow_private": True,
        "attributes": {"receipt": {"path": "receipt", "type": "digits"}},
    }


@pytest.fixture
def database() -> Iterator[tuple[EmbeddedPostgres, str]]:
    with postgres.server() as server:
        postgres.prepare_template(server)
        with postgres.database(server) as url:
            yield server, url


@asynccontextmanager
async def process(center: RunningCenter, name: str) -> AsyncIterator[None]:
    """One more of our processes, beside the engine."""
    with center.file.with_name(f"{name}.log").open("ab") as log:
        command = (sys.executable, "-m", "callcenter.apps.cli", name, "--config", str(center.file))
        running = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
    finally:
        running.terminate()
        await running.wait()


async def dips_answer(center: RunningCenter) -> None:
    client = DipsClient(data_folder(center.pbx.settings).dips_socket, center.pbx.secrets.control_token)
    await center.until(client.ping)
    await client.close()


async def talk(center: RunningCenter) -> tuple[Call, Call]:
    """The caller and alice, who hear each other, and her phone remembers all it hears."""
    account = load_secrets(center.pbx.settings.data, ["alice"]).phones["alice"]
    phone = await center.stack.enter_async_context(
        await Phone.start(
            account.endpoint,
            server=("127.0.0.1", center.pbx.sip_port),
            password=account.password,
            tone=AGENT_TONES["alice"],
            on_invite=AnswerAfter(0.1),
            keep_audio=True,
        )
    )
    await phone.register()
    await center.ask("agent_login", agent="alice")
    await center.until(lambda: center._ready("alice"))
    caller = await center.call(tone=BEFORE)
    at_alice = await phone.incoming()
    await at_alice.hears(BEFORE, for_s=1.5)
    return caller, at_alice


async def pays(center: RunningCenter, caller: Call, at_alice: Call) -> None:
    """The marker sounds all the while, and the tones of keys besides."""
    await center.ask("agent_payment_begin", agent="alice")
    await caller.hears(PROMPT_TONES["enter-code"], for_s=0.3)
    caller.play(MARKER)
    await at_alice.hears(MUSIC_TONES)
    for digit in INBAND:
        await caller.send_inband_digit(digit)
    await caller.send_digits(CARD)


def recordings(center: RunningCenter) -> list[Path]:
    return [file for file in center.pbx.node.recordings.iterdir() if file.suffix in (".raw", ".wav")]


def loudest(file: Path, pair: TonePair) -> float:
    """The greatest share of this pair in any fifth of a second of any channel."""
    samples = array("h", file.read_bytes()[44 if file.suffix == ".wav" else 0 :])
    greatest = 0.0
    for channel in (samples[0::2], samples[1::2]):
        for begin in range(0, len(channel) - 1600, 800):
            window = list(channel[begin : begin + 1600])
            energy = sum(sample * sample for sample in window)
            if energy > 1600 * 100:
                greatest = max(greatest, sum(goertzel(window, frequency) for frequency in pair) / energy)
    return greatest


def files_with(folder: Path, text: str) -> list[Path]:
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if any(text.encode(encoding) in content for encoding in ("ascii", "utf-16-le")):
                found.append(path)
    return found


DEBUGGING = ("core set verbose 9", "core set debug 9", "ari set debug all on", "pjsip set logger on", "rtp set debug on")
"""What people switch on who look for a fault."""


def lines_about_keys(center: RunningCenter) -> Iterator[str]:
    """In all that Asterisk writes."""
    node = data_folder(center.pbx.settings).nodes / center.pbx.node.node.name
    for file in (node / "console.log", *(node / "log").iterdir()):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else ():
            if re.search(r"dtmf|digit|telephone-event|\bRTP DTMF|Event: ", line, re.IGNORECASE):
                yield f"{file.name}: {line}"


def rows_with(url: str, text: str) -> list[str]:
    """The tables in which it stands, in whatever column."""
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^pg_|information_schema'").fetchall()
        statement = "SELECT count(*) FROM {}.{} AS every WHERE every::text LIKE %s"
        tables = [psycopg.sql.SQL(statement).format(psycopg.sql.Identifier(a), psycopg.sql.Identifier(b)) for a, b in names]
        return [name for (_, name), query in zip(names, tables, strict=True) if connection.execute(query, [f"%{text}%"]).fetchone() != (0,)]


async def test_a_card_number_is_nowhere_but_at_the_gateway(database: tuple[EmbeddedPostgres, str]) -> None:
    server, url = database
    async with dip_source(saying({"receipt": "5551"})) as source:
        tables = {"flow": FLOWS, "payments": {"flows": ["pay"]}, "dip": {"gateway": gateway(source)}, "database": {"url": url}}
        async with running_center(**tables) as center, process(center, "dips"), process(center, "books"):
            await dips_answer(center)
            for talkative in DEBUGGING:
                center.pbx.cli(talkative)
            caller, at_alice = await talk(center)
            await pays(center, caller, at_alice)
            await caller.hears(PROMPT_TONES["you-entered"], for_s=0.2)
            assert f'"card": "{CARD}"'.encode() in source.asked[0].body
            caller.play(AFTER)
            await at_alice.hears(AFTER, for_s=1.5)
            assert at_alice.heard_tones(MARKER) == []  # not a moment of it
            assert at_alice.digits_received == ""
            await caller.hang_up()
            await center.fact(f.CallEnded)
            assert [fact.outcome for fact in center.all(f.PaymentEnded)] == ["paid"]

            await center.until(lambda: [file.suffix for file in recordings(center)] == [".wav", ".wav"])
            first, second = (center.pbx.node.recordings / f"{fact.recording}.wav" for fact in center.all(f.RecordingStarted))
            assert loudest(first, BEFORE) > 0.8
            assert loudest(second, AFTER) > 0.8
            assert max(loudest(first, MARKER), loudest(second, MARKER)) < 0.05
            assert center.all(f.FlowAnswered)[0].values[0] == "5551"  # what was answered is kept, what was asked is not
            _nothing_is_kept(center, server, url)
            assert not list(lines_about_keys(center)), "Asterisk writes a digit a line"


def _nothing_is_kept(center: RunningCenter, server: EmbeddedPostgres, url: str) -> None:
    """Not in the journal, a log of ours or Asterisk's, a checkpoint, a recording, a table, or the database's own files."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    folder = center.file.parent
    assert any("journal" in path.parts for path in files_with(folder, "2025550123"))  # the search does find what is kept
    assert files_with(server.folder, "2025550123")
    assert "fact" in " ".join(rows_with(url, "2025550123"))
    for digits in (CARD, INBAND, CARD[:6], CARD[-6:]):
        assert files_with(folder, digits) == []
        assert files_with(server.folder, digits) == []
        assert rows_with(url, digits) == []


@pytest.mark.long
async def test_what_asterisk_would_write_of_keys_if_its_log_were_opened() -> None:
    """The control of the search above, and why docs/payments.md warns of such logs."""
    async with running_center(flow={"main": FLOWS["main"]}) as center:
        center.pbx.cli("logger add channel opened notice,warning,error,verbose,debug,dtmf")
        for talkative in DEBUGGING:
            center.pbx.cli(talkative)
        caller = await center.call(tone=None)
        await caller.send_digits("739")
        await caller.hang_up()
        await center.fact(f.CallEnded)
        written = "\n".join(lines_about_keys(center))
        assert all(f"'{key}'" in written for key in "739"), written


async def test_a_killed_engine_leaves_the_recording_paused_and_asks_again() -> None:
    async with dip_source(saying({"receipt": "5552"})) as source:
        tables = {"flow": FLOWS, "payments": {"flows": ["pay"]}, "dip": {"gateway": gateway(source)}}
        async with running_center(**tables) as center, process(center, "dips"):
            await dips_answer(center)
            caller, at_alice = await talk(center)
            await center.ask("agent_payment_begin", agent="alice")
            await caller.hears(PROMPT_TONES["enter-code"], for_s=0.3)
            caller.play(MARKER)
            await caller.send_digits(CARD[:5])
            await center.kill_engine()
            await caller.send_digits("999")
            await center.start_engine()
            await caller.hears(PROMPT_TONES["enter-code"], for_s=0.3)  # what was entered is forgotten
            await caller.send_digits(CARD)
            await caller.hears(PROMPT_TONES["you-entered"], for_s=0.2)
            caller.play(AFTER)
            await at_alice.hears(AFTER, for_s=1.0)
            assert at_alice.heard_tones(MARKER) == []
            await caller.hang_up()
            await center.fact(f.CallEnded)
            assert [asked.body for asked in source.asked] == [f'{{"card": "{CARD}"}}'.encode()]
            await center.stop_engine()
            assert len(recordings(center)) == 2
            assert max(loudest(file, MARKER) for file in recordings(center)) < 0.05
            assert files_with(center.file.parent, CARD) == files_with(center.file.parent, CARD[:5]) == []
            await center.start_engine()
