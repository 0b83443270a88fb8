"""``callcenter prompt``: what callers hear, listed, recorded and tried out."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callcenter.apps.cli.common import DEFAULT, WRONG_USE, Config, fail, settings_of, tell

if TYPE_CHECKING:
    from callcenter.runtime.catalogue import Prompt
    from callcenter.runtime.settings import Settings

prompt_app = typer.Typer(no_args_is_help=True, help="Prompts: what callers hear, in each of the center's languages.")

Language = Annotated[str, typer.Option("--language", "-l", help="One of center.languages; by default the first.")]
Id = Annotated[str, typer.Argument(metavar="PROMPT", help="The prompt's id.")]


@prompt_app.command("list")
def list_(
    config: Config = DEFAULT,
    language: Annotated[str, typer.Option("--language", "-l", help="Only this language's.")] = "",
    words: Annotated[bool, typer.Option("--words", help="Also the words that values are put together from.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """All prompts: where each comes from, and what it says."""

    settings = settings_of(config)
    spoken = [_language(settings, language)] if language else list(settings.catalogue.renderings)
    rows = [
        {"prompt": name, "language": code, "from": _origin(settings, prompt), "voice": _voice(prompt), "text": prompt.text}
        for code in spoken
        for name, prompt in sorted(settings.catalogue.renderings[code].items())
        if words or not prompt.word
    ]
    if as_json:
        typer.echo(json.dumps({"prompts": rows, "count": len(rows)}, indent=2, ensure_ascii=False))
        return
    for row in rows:
        tell(f"{row['language']:<6} {row['prompt']:<28} {row['from']:<9} {row['text']}")


def _origin(settings: "Settings", prompt: "Prompt") -> str:
    if prompt.file is not None:
        return "added" if settings.data in prompt.file.parents else "recorded"
    return "tones" if prompt.source else "spoken"


def _voice(prompt: "Prompt") -> str:
    spoken = prompt.file is None and not prompt.source
    return f"{prompt.voice.engine}{f':{prompt.voice.name}' if prompt.voice.name else ''}" if spoken else ""


@prompt_app.command()
def add(
    prompt: Id,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A WAV file, of any rate; MP3, Ogg, Opus or FLAC where ffmpeg or sox is installed; 5 minutes and 64 MiB at most.",
        ),
    ],
    config: Config = DEFAULT,
    language: Language = "",
) -> None:
    """Let callers hear a recording in place of what is spoken; calls in progress hear to the end what they are hearing."""
    from callcenter.runtime.recordings_added import RecordingError
    from callcenter.runtime.recordings_added import add as keep

    settings = settings_of(config)
    code = _language(settings, language)
    known = prompt in settings.catalogue
    try:
        seconds = keep(settings, prompt, code, file)
    except RecordingError as error:
        fail(str(error))
    typer.echo(f"{prompt}: {seconds:.1f} seconds in '{code}' kept; {_taken_up(settings)}")
    if not known:
        typer.echo(f"no flow or queue says '{prompt}' yet")


@prompt_app.command()
def remove(prompt: Id, config: Config = DEFAULT, language: Language = "") -> None:
    """Take a recording away that was added; what is written or shipped is spoken again."""
    from callcenter.runtime.recordings_added import RecordingError
    from callcenter.runtime.recordings_added import remove as drop

    settings = settings_of(config)
    code = _language(settings, language)
    try:
        drop(settings, prompt, code)
    except RecordingError as error:
        fail(str(error))
    typer.echo(f"{prompt}: the recording in '{code}' is gone; {_taken_up(settings)}")


@prompt_app.command()
def say(
    pieces: Annotated[list[str], typer.Argument(metavar="PIECE...", help="Prompts and values, as in a flow: '{money:balance:USD}'.")],
    config: Config = DEFAULT,
    language: Language = "",
    attributes: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="The value of an attribute.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Also write it as a WAV file.")] = None,
) -> None:
    """Show what a caller would hear; with --out, hear it."""
    from callcenter.runtime.catalogue_said import SayError, read, sounds, write

    settings = settings_of(config)
    code = _language(settings, language)
    values = dict(each.partition("=")[::2] for each in attributes or ())
    try:
        said = sounds(settings, code, pieces, values)
        typer.echo(read(settings, code, said))
        if out is not None:
            write(settings, code, said, out)
            typer.echo(f"written to {out}")
    except SayError as error:
        fail(str(error), WRONG_USE)


def _language(settings: "Settings", named: str) -> str:
    spoken = settings.center.languages
    if named and named not in spoken:
        fail(f"--language '{named}' is none of center.languages: {', '.join(spoken)}", WRONG_USE)
    return named or spoken[0]


def _taken_up(settings: "Settings") -> str:
    from callcenter.apps.flow_publishing import TAKE_UP_WITHIN, ask_flows
    from callcenter.services.control_client import EngineAway, RequestRefused

    try:
        ask_flows(settings, "take_up_flows", TAKE_UP_WITHIN)
        return "callers hear it from now on"
    except EngineAway:
        return "callers hear it when the center runs"
    except RequestRefused as error:
        return f"callers hear it after 'callcenter reload': {error}"
