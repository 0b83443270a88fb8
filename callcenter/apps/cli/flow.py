"""``callcenter flow``: documents of flows, from the first draft to a version that callers get, and back."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from callcenter.apps.cli.common import DEFAULT, WRONG_USE, AsJson, Config, fail, settings_of, tell

if TYPE_CHECKING:
    from callcenter.apps.flow_picture import Traffic
    from callcenter.apps.flow_publishing import Done
    from callcenter.runtime.flow_documents import FlowDocument
    from callcenter.runtime.settings import Settings
    from callcenter.runtime.settings_problems import Fault
    from callcenter.sim.scripted_answers import Scripted

flow_app = typer.Typer(no_args_is_help=True, help="Flows: check, try, publish, roll back.")

Which = Annotated[str, typer.Argument(metavar="FLOW", help="A file, a flow's name (the version in use), or NAME@VERSION.")]
Note = Annotated[str, typer.Option(help="Why, for the record.")]
By = Annotated[str, typer.Option("--by", help="Who does it, for the record; by default the account.")]


def _refuse(sentence: str, faults: Iterable["Fault"] = (), as_json: bool = False) -> NoReturn:
    """Say why, and end."""

    found = list(faults)
    if as_json:
        typer.echo(json.dumps({"ok": False, "sentence": sentence, "faults": [fault._asdict() for fault in found]}, indent=2))
        raise typer.Exit(WRONG_USE)
    for fault in found:
        typer.echo(str(fault), err=True)
    fail(sentence, WRONG_USE)


class _Person:
    """Whoever sits at the terminal, or writes into the pipe."""

    def __init__(self, answers: Mapping[str, "Scripted"]) -> None:
        self._answers = answers

    def keys(self) -> str | None:
        """A line of keys; None: there will be no more."""
        return self._ask("    keys (Enter: none)> ")

    def answer(self, node: str, question: object) -> "Scripted | None":
        from callcenter.apps.flow_dial import scripted

        if node not in self._answers and sys.stdin.isatty():
            line = self._ask(f"    {node} asks {type(question).__name__}: OUTCOME[,ATTRIBUTE=VALUE...] (Enter: failed)> ")
            try:
                return scripted([f"{node}={line}"])[node] if line else None
            except ValueError:
                return None
        return self._answers.get(node)

    def _ask(self, prompt: str) -> str | None:
        if sys.stdin.isatty():
            typer.echo(prompt, nl=False, err=True)
        line = sys.stdin.readline()
        return line.strip() if line else None


def _document(config: Path, named: str, as_json: bool = False) -> tuple["Settings", "FlowDocument"]:
    """The settings and the flow that is meant; ends with a sentence when there is none."""
    from callcenter.apps.flow_publishing import PublishError, document_of
    from callcenter.runtime.flow_documents import DocumentError

    settings = settings_of(config)
    try:
        return settings, document_of(settings, named)
    except PublishError as error:
        _refuse(str(error), error.faults, as_json)
    except DocumentError as error:
        _refuse(f"{named} is no flow that can be used", error.faults, as_json)


# --- check --------------------------------------------------------------------------------------


@flow_app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Documents, as if published together; without any: those in use.")] = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong in documents, each fault with its file and line, as the rest of the configuration is."""
    from callcenter.apps.flow_publishing import PublishError, checked
    from callcenter.runtime.flow_documents import DocumentError, read_file

    faults: list[Fault] = []
    documents: list[FlowDocument] = []
    for file in files or ():
        try:
            documents.append(read_file(file))
        except DocumentError as error:
            faults += error.faults
    settings = None
    try:
        settings = checked(config, {document.name: document for document in documents})
    except PublishError as error:
        faults += [fault for fault in error.faults if fault not in faults]
    if faults or settings is None:
        _refuse(f"{len(faults)} fault{'s' * (len(faults) != 1)}", faults, as_json)
    shown = documents or list(settings.flow_sources.in_use.values())
    if as_json:
        typer.echo(json.dumps({"ok": True, "flows": [{"flow": document.name, "place": document.place} for document in shown]}, indent=2))
        return
    for document in shown:
        kinds = Counter(node.type for node in document.section.nodes.values())
        typer.echo(f"{document.place}: fine ({', '.join(f'{count} {kind}' for kind, count in kinds.items())})")
    if not shown:
        typer.echo(f"{config}: fine; no flow has a document of its own")


@flow_app.command("schema")
def schema_() -> None:
    """Print the JSON Schema of a document, for editors."""
    from callcenter.runtime.flow_schema import schema

    typer.echo(json.dumps(schema(), indent=2))


# --- publish ------------------------------------------------------------------------------------


@flow_app.command()
def publish(
    flows: Annotated[list[str], typer.Argument(metavar="FLOW...", help="Files; or NAME@VERSION, what was published before.")],
    note: Note = "",
    by: By = "",
    canary: Annotated[str, typer.Option(help="Only for a share of the calls, such as 10%; publish it again without, for all.")] = "",
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Publish documents, together: checked, kept as new versions, and in use for whoever calls from now on."""
    from callcenter.apps.flow_publishing import PublishError, who
    from callcenter.apps.flow_publishing import publish as publish_them

    share = _share(canary)
    documents = [_draft(config, named, as_json) for named in flows]
    try:
        done = publish_them(config, documents, by or who(), note, share)
    except PublishError as error:
        _refuse(str(error), error.faults, as_json)
    _say(done, as_json)


def _draft(config: Path, named: str, as_json: bool) -> "FlowDocument":
    """A file that is to be published, which need not fit what is in use now; or a version that was published."""
    from callcenter.runtime.flow_documents import DocumentError, read_file

    if not Path(named).is_file():
        _, document = _document(config, named, as_json)
        if document.text:
            return document
        _refuse(f"flow '{named}' is a table of {document.file}; write it as a document of its own, such as flows/{named}.yaml", (), as_json)
    try:
        return read_file(Path(named))
    except DocumentError as error:
        _refuse(f"{named} is no flow that can be used", error.faults, as_json)


def _share(text: str) -> float:
    """From such as ``10%`` or ``0.1``."""

    if not text:
        return 0.0
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        fail(f"--canary must be a share of the calls, such as 10% or 0.1, but is {text!r}", WRONG_USE)
    return share


def _say(done: "Done", as_json: bool) -> None:
    if as_json:
        flows = {
            name: {
                "before": done.before[name].version if name in done.before else 0,
                "version": now.version,
                **_canary(now.canary, now.share),
            }
            for name, now in done.now.items()
        }
        typer.echo(json.dumps({"ok": True, "taken_up": done.taken_up, "flows": flows}, indent=2))
        return
    for name, now in done.now.items():
        words = f"version {now.version}" if now.version else "the one of the files"
        words += f", and version {now.canary} for {100 * now.share:.3g} % of the calls" if now.canary else ""
        typer.echo(f"{name}: {words}")
    typer.echo("in use for whoever calls from now on" if done.taken_up else "the engine does not run; it takes this up when it starts")


def _canary(version: int, share: float) -> Mapping[str, object]:
    return {"canary": version, "share": share} if version else {}


@flow_app.command()
def rollback(
    flow: Annotated[str, typer.Argument(metavar="NAME", help="The flow.")],
    version: Annotated[
        int | None,
        typer.Argument(help="Its number; 0: the one of the files. Without it, what was in use before; a canary is only withdrawn."),
    ] = None,
    note: Note = "",
    by: By = "",
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Bring an earlier version back, for whoever calls from now on; callers who are inside are not touched."""
    from callcenter.apps.flow_publishing import PublishError, who
    from callcenter.apps.flow_publishing import rollback as roll_back

    try:
        done = roll_back(config, flow, version, by or who(), note)
    except PublishError as error:
        _refuse(str(error), error.faults, as_json)
    _say(done, as_json)


# --- look ---------------------------------------------------------------------------------------


@flow_app.command("list")
def list_(
    flow: Annotated[str | None, typer.Argument(metavar="NAME", help="Only this flow, with everything that was done to it.")] = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """The flows, where each comes from, and which versions callers get; or the history of one."""
    from callcenter.apps import flow_lists

    settings = settings_of(config)
    if flow is not None and flow not in settings.flows and flow not in settings.flow_sources.store.flows():
        fail(f"there is no flow '{flow}'; flows: {', '.join(sorted(settings.flows)) or 'none'}")
    told = flow_lists.overview(settings) if flow is None else flow_lists.history(settings, flow)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        tell(*(flow_lists.overview_words(told) if flow is None else flow_lists.history_words(told)).split("\n"))


@flow_app.command()
def diff(
    before: Which,
    after: Annotated[
        str | None, typer.Argument(metavar="FLOW", help="The same; without it, the first is compared with what is in use.")
    ] = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """What changed, node by node."""
    from callcenter.apps import flow_diff

    _, first = _document(config, before, as_json)
    if after is None:
        second = first
        _, first = _document(config, first.name, as_json)
    else:
        _, second = _document(config, after, as_json)
    found = list(flow_diff.changes(first, second))
    if as_json:
        told = [{"place": change.place, "key": change.key, "before": change.before, "after": change.after} for change in found]
        typer.echo(json.dumps({"before": first.place, "after": second.place, "changes": told}, indent=2))
        return
    typer.echo(f"{first.place} -> {second.place}")
    for change in found:
        typer.echo(str(change))
    if not found:
        typer.echo("no difference")


# --- report -------------------------------------------------------------------------------------


@flow_app.command()
def report(
    flow: Annotated[str | None, typer.Argument(metavar="[FLOW]", help="Only this one.")] = None,
    config: Config = DEFAULT,
    from_: Annotated[str | None, typer.Option("--from", help="ISO 8601, in the center's zone. By default today's midnight.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="ISO 8601, itself not included. By default now.")] = None,
    as_json: AsJson = False,
) -> None:
    """What became of callers who began in each flow, and what happened at its nodes."""
    from callcenter.apps import flow_report

    flow_report.run(settings_of(config), flow, from_, to, as_json)


# --- try ----------------------------------------------------------------------------------------


@flow_app.command()
def dial(
    flow: Which,
    number: Annotated[str, typer.Option(help="The number that is dialed; by default one that leads to the flow.")] = "",
    caller: Annotated[str, typer.Option(help="Who calls; empty: the number is withheld.")] = "+12025550123",
    at: Annotated[str, typer.Option(help="When, such as 2026-12-24T18:30, in the center's zone; by default now.")] = "",
    keys: Annotated[
        str | None,
        typer.Option(help="What is pressed, such as 1,1234#,,2 (between two commas: silence). Without it, keys are asked for."),
    ] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help="What comes of what NODE asks the outside: NODE=OUTCOME[,ATTRIBUTE=VALUE...]; may be repeated.")
    ] = None,
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Walk through a flow in the terminal: what the caller hears, by the code that serves real callers."""
    from callcenter.apps import flow_dial

    settings, document = _tried(config, flow, as_json)
    try:
        dialed = flow_dial.Dialed(number or flow_dial.number_of(settings, document.name), caller, flow_dial.moment(settings, at))
        answers = flow_dial.scripted(answer or ())
    except ValueError as error:
        fail(str(error), WRONG_USE)
    person = _Person(answers)
    pressed = flow_dial.Keys(person.keys) if keys is None else flow_dial.Keys(waiting=flow_dial.typed(keys))
    told = []
    for step in flow_dial.Walk(settings, document, dialed, pressed, person.answer).steps():
        told.append(step)
        if not as_json:
            typer.echo(flow_dial.words(step))
    if as_json:
        typer.echo(json.dumps(told, indent=2))


@flow_app.command()
def draw(
    flow: Which,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the SVG goes; by default to standard output.")] = None,
    as_text: Annotated[bool, typer.Option("--text", help="In words instead.")] = False,
    with_traffic: Annotated[
        bool | None, typer.Option("--traffic/--no-traffic", help="Yesterday's callers on the edges; by default when there is a database.")
    ] = None,
    config: Config = DEFAULT,
) -> None:
    """Draw a flow as a graph (SVG), with yesterday's callers on its edges."""
    from callcenter.apps import flow_drawing
    from callcenter.apps.flow_picture import picture

    settings, document = _tried(config, flow)
    drawn = picture(settings, document, None if with_traffic is False else _traffic(settings, document.name, with_traffic is True))
    made = flow_drawing.words(drawn) + "\n" if as_text else flow_drawing.svg(drawn)
    if output is None:
        typer.echo(made, nl=False)
        return
    try:
        output.write_text(made, encoding="utf-8")
    except OSError as error:
        fail(f"{output}: {error.strerror}")
    typer.echo(f"{document.place}: {len(drawn.boxes)} nodes drawn in {output}")


def _traffic(settings: "Settings", flow: str, needed: bool) -> "Traffic | None":
    from callcenter.apps import flow_traffic
    from callcenter.apps.reports import ReportError
    from callcenter.runtime.postgres import PostgresError

    try:
        return flow_traffic.yesterday(settings, flow)
    except (ReportError, PostgresError) as error:
        if needed:
            fail(str(error))
        return None


def _tried(config: Path, flow: str, as_json: bool = False) -> tuple["Settings", "FlowDocument"]:
    """The settings as they would be with this flow in use; ends with its faults when it has any."""
    from callcenter.apps.flow_publishing import PublishError, checked

    if Path(flow).is_file():
        document = _draft(config, flow, as_json)
    else:
        settings, document = _document(config, flow, as_json)
        if not document.text:  # a table of the file, which is in use
            return settings, document
    try:
        return checked(config, {document.name: document}), document
    except PublishError as error:
        _refuse(f"{flow} has faults; mend them first", error.faults, as_json)
