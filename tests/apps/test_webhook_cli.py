"""``callcenter webhook``, as people type it; and the process that delivers what it lists."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callcenter.apps import webhooks as process
from callcenter.apps.cli import app
from callcenter.domain.webhooks import verified
from callcenter.runtime import toml_text
from callcenter.runtime.settings import load
from tests.support.webhook_receiver import webhook_receiver


@pytest.fixture
def file(tmp_path: Path, database_url: str) -> Path:
    written = tmp_path / "callcenter.toml"
    tables = {
        "center": {"time_zone": "UTC"},
        "paths": {"data": str(tmp_path / "data")},
        "database": {"url": database_url},
        "webhooks": {"allow_private": True},
    }
    toml_text.write(written, tables)
    return written


def run(file: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["webhook", *words, "--config", str(file)])


def said(file: Path, *words: str) -> str:
    result = run(file, *words)
    assert result.exit_code == 0, result.output
    return result.output


async def test_a_subscription_from_add_to_remove(file: Path) -> None:
    async with webhook_receiver(500) as receiver:
        made = json.loads(await asyncio.to_thread(said, file, "add", receiver.url, "--event", "call.ended", "--note", "our CRM", "--json"))
        webhook = made["webhook"]
        assert made["secret"].startswith("whsec_")
        assert "secret" not in await asyncio.to_thread(said, file, "list", "--json")
        listed = await asyncio.to_thread(said, file, "test", webhook)
        message = re.match(r"msg_[0-9a-f]+", listed)
        assert message
        stop = asyncio.Event()
        delivering = asyncio.create_task(process.serve(load(file), file, stop))
        await receiver.until(lambda: len(receiver.got) == 2)  # refused once, and sent again after some seconds
        stop.set()
        await delivering
        assert set(receiver.ids) == {message[0]}
        headers, body = receiver.got[-1]
        assert json.loads(body)["type"] == "webhook.test"
        assert verified(made["secret"], message[0], int(headers["webhook-timestamp"]), body, headers["webhook-signature"])
    shown = json.loads(await asyncio.to_thread(said, file, "messages", webhook, "--json"))
    assert [(each["message"], each["type"]) for each in shown] == [(message[0], "webhook.test")]
    assert await asyncio.to_thread(said, file, "dead", webhook) == "none\n"
    assert await asyncio.to_thread(said, file, "redeliver", webhook) == f"{webhook}: 0 messages will be sent again\n"
    assert await asyncio.to_thread(said, file, "rotate", webhook, "--json") != made["secret"]
    assert await asyncio.to_thread(said, file, "enable", webhook) == f"{webhook}: enabled\n"
    assert await asyncio.to_thread(said, file, "remove", webhook) == f"{webhook}: removed\n"
    assert "nobody is told anything" in await asyncio.to_thread(said, file, "list")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "ftp://example.com/"), "the URL must begin with https:// or http://"),
        (("add", "https://example.com/", "--event", "call.exploded"), "there is no event 'call.exploded'; events: call.began,"),
        (("add", "https://example.com/", "--numbers", "some"), "numbers must be one of none, masked, whole"),
        (("add", "https://example.com/", "--note", "a\nb"), "the note must be one line"),
        (("test", "wh_none"), "there is no webhook 'wh_none'"),
        (("remove", "'; DROP TABLE webhook; --"), "there is no webhook '"),
        (("redeliver", "wh_none", "--message", "msg_1"), "there is no webhook 'wh_none'"),
    ],
)
def test_what_cannot_be_is_one_sentence(file: Path, words: tuple[str, ...], sentence: str) -> None:
    result = run(file, *words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_database_out_of_reach_is_one_sentence(tmp_path: Path) -> None:
    written = tmp_path / "callcenter.toml"
    tables = {
        "center": {"time_zone": "UTC"},
        "paths": {"data": str(tmp_path / "data")},
        "database": {"url": "postgresql://callcenter:secret@127.0.0.1:1/callcenter"},
    }
    toml_text.write(written, tables)
    result = run(written, "list")
    assert result.exit_code == 1
    assert result.output.startswith("callcenter: the webhooks cannot be reached: ")
    assert "secret" not in result.output


def test_every_event_is_named(file: Path) -> None:
    result = CliRunner().invoke(app, ["webhook", "events"])
    assert "contact.connected\n" in result.output
