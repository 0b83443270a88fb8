"""``callcenter voicemail``: the messages in mailboxes, as people see, hear and delete them at the command line."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from callcenter.apps.cli.common import DEFAULT, FAILED, WRONG_USE, AsJson, Config, ask_engine, fail, settings_of, tell

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings
    from callcenter.services.voicemail_messages import StoredMessage

voicemail_app = typer.Typer(no_args_is_help=True, help="Voicemail: messages left for queues and agents.")

Id = Annotated[str, typer.Argument(metavar="MESSAGE", help="As 'callcenter voicemail list' names it.")]
By = Annotated[str, typer.Option(help="Who asks for it, for the record.")]
PLAYERS = (("aplay", "-q"), ("paplay",), ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"))
BARS = " ▁▂▃▄▅▆▇█"
SHOWN = 30


@voicemail_app.command("list")
def list_(
    config: Config = DEFAULT,
    mailbox: Annotated[str, typer.Option(help="Only this one's, such as queue:support or agent:alice.")] = "",
    as_json: AsJson = False,
) -> None:
    """The messages there are, the oldest first."""

    settings = settings_of(config)
    messages = _messages(settings, mailbox)
    if as_json:
        typer.echo(json.dumps({"messages": [_as_json(settings, each) for each in messages], "count": len(messages)}, indent=2))
        return
    if not messages:
        typer.echo("there are no messages")
    zone = ZoneInfo(settings.center.time_zone)
    for each in messages:
        left, state = each.left_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"), "new" if each.new else "heard"
        who = " ".join(filter(None, (each.caller_name, each.caller))) or "unknown number"
        tell(f"{each.message_id}  {state:<5} {left}  {each.mailbox:<16} {each.seconds:4.0f} s  {waveform(each.peaks)}  {who}")
        if each.transcript:
            tell(f"    {each.transcript}")


@voicemail_app.command()
def play(
    message: Id,
    config: Config = DEFAULT,
    keep_new: Annotated[bool, typer.Option("--keep-new", help="It stays new, and the lamps on.")] = False,
    by: By = "command line",
) -> None:
    """Play the message on this machine; it is new no longer."""

    file = _file(settings_of(config), message)
    player = next(([*each, str(file)] for each in PLAYERS if shutil.which(each[0])), None)
    if player is None:
        fail(
            f"there is no player here ({', '.join(each[0] for each in PLAYERS)}); use: callcenter voicemail export",
            FAILED,
        )
    if subprocess.run(player, check=False).returncode:
        fail(f"{player[0]} could not play {file}", FAILED)
    if not keep_new:
        _ask(config, "message_heard", message, by)


@voicemail_app.command()
def export(
    message: Id,
    to: Annotated[Path, typer.Argument(metavar="FILE", help="A WAV file that is not there yet; '-' is standard output.")],
    config: Config = DEFAULT,
) -> None:
    """Copy the audio; the message stays as it is."""

    audio = _file(settings_of(config), message).read_bytes()
    if str(to) == "-":
        sys.stdout.buffer.write(audio)
        return
    try:
        with to.open("xb") as target:
            target.write(audio)
    except OSError as error:
        fail(f"{to}: {error.strerror}", FAILED)
    typer.echo(f"{to}: {len(audio)} bytes")


@voicemail_app.command()
def delete(message: Id, config: Config = DEFAULT, by: By = "command line", as_json: AsJson = False) -> None:
    """Delete the message; its audio is destroyed, and that it was there is kept."""
    _ask(config, "message_delete", message, by)
    typer.echo(json.dumps({"message": message, "deleted": True}) if as_json else f"{message}: deleted")


@voicemail_app.command()
def pin(
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help="Such as queue:support or agent:alice.")],
    config: Config = DEFAULT,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away: the mailbox opens at desk phones only, without PIN.")] = False,
) -> None:
    """Set the PIN with which the mailbox is listened to; it is asked for, or read from standard input."""
    from callcenter.runtime.pins import PinError, Pins
    from callcenter.runtime.settings_voicemail import mailbox_sections

    settings = settings_of(config)
    there = mailbox_sections(settings)
    if mailbox not in there:
        fail(f"there is no mailbox '{mailbox}'; mailboxes: {', '.join(sorted(there)) or 'none'}", WRONG_USE)
    try:
        if remove:
            Pins(settings.data).remove(mailbox)
        else:
            entered = typer.prompt("PIN", hide_input=True, confirmation_prompt=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
            Pins(settings.data).set(mailbox, entered)
    except PinError as error:
        fail(str(error), WRONG_USE)
    except OSError as error:
        fail(f"{error.filename or settings.data}: {error.strerror}", FAILED)
    typer.echo(f"{mailbox}: {'has no PIN any more' if remove else 'opens with the PIN'}")


def waveform(peaks: Sequence[int], width: int = SHOWN) -> str:
    """A line of bars, the loudest of each part."""
    if not peaks:
        return " " * width
    edges = [len(peaks) * part // width for part in range(width + 1)]
    loudest = [max(peaks[begin : max(end, begin + 1)]) for begin, end in pairwise(edges)]
    return "".join(BARS[min(len(BARS) - 1, round(each * (len(BARS) - 1) / 100))] for each in loudest)


def _ask(config: Path, do: str, message: str, by: str) -> None:
    ask_engine(config, do, 5.0, message=message, by=by)


def _messages(settings: "Settings", mailbox: str) -> "Sequence[StoredMessage]":
    from callcenter.adapters.db.connection import connect
    from callcenter.adapters.db.messages import PostgresMessages
    from callcenter.runtime.data_folder import database_url
    from callcenter.runtime.postgres import PostgresError
    from callcenter.services.ledger import StoreAway, StoreRefused

    async def read() -> "Sequence[StoredMessage]":
        engine = connect(database_url(settings), name="voicemail", statement_timeout=5.0)
        try:
            return await PostgresMessages(engine).messages(mailbox)
        finally:
            await engine.dispose()

    try:
        return asyncio.run(read())
    except (StoreAway, StoreRefused, PostgresError, ValueError) as error:
        fail(f"the messages cannot be read: {error}", FAILED)


def _file(settings: "Settings", message: str) -> Path:
    """The audio. Ends with a sentence when there is none."""
    from callcenter.services.voicemail_audio import kept_file

    try:
        file = kept_file(settings.data / "voicemail", message)
    except ValueError as error:
        fail(str(error), FAILED)
    if not file.is_file():
        fail(f"there is no audio of message '{message}'; 'callcenter voicemail list' shows the messages there are", FAILED)
    return file


def _as_json(settings: "Settings", message: "StoredMessage") -> dict[str, object]:
    from callcenter.services.voicemail_audio import kept_file

    file = kept_file(settings.data / "voicemail", message.message_id)
    return {
        "message": message.message_id,
        "mailbox": message.mailbox,
        "new": message.new,
        "caller": message.caller,
        "caller_name": message.caller_name,
        "contact": message.contact_id,
        "call": message.call_id,
        "left_at": message.left_at.isoformat(),
        "kept_until": message.kept_until.isoformat() if message.kept_until else None,
        "seconds": message.seconds,
        "audio": message.audio,
        "file": str(file) if file.is_file() else None,
        "peaks": list(message.peaks),
        "transcript": message.transcript,
    }
