"""The command ``callcenter``.

Each command loads what it needs and nothing more: ``agent ready`` must be quick, and the engine must never load
the database's libraries. Errors are one sentence with a fix; exit code 1 is a failure, 2 a wrong use or configuration.
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from callcenter.apps.api_cli import api_app
from callcenter.apps.audit_cli import audit_app
from callcenter.apps.bench import bench_app
from callcenter.apps.calendar_cli import calendar_app
from callcenter.apps.callback_cli import callback_app
from callcenter.apps.config_cli import config_app
from callcenter.apps.do_not_call_cli import do_not_call_app
from callcenter.apps.flow_cli import flow_app
from callcenter.apps.payment_cli import payment_app
from callcenter.apps.person_cli import person_app
from callcenter.apps.phone_cli import phone_app
from callcenter.apps.prompt_cli import prompt_app
from callcenter.apps.simulate import simulate_app
from callcenter.apps.voicemail_cli import voicemail_app
from callcenter.apps.webhook_cli import webhook_app

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings
    from callcenter.services.control import Json, JsonObject

FAILED, WRONG_USE = 1, 2

app = typer.Typer(
    name="callcenter",
    help="A telephony-first call center on Asterisk.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
agent_app = typer.Typer(no_args_is_help=True, help="What an agent does: log in, be ready, transfer, consult.")
report_app = typer.Typer(no_args_is_help=True, help="Reports beside kpi, cdr and flow report.")
app.add_typer(agent_app, name="agent")
app.add_typer(report_app, name="report")
app.add_typer(config_app, name="config")
app.add_typer(simulate_app, name="simulate")
app.add_typer(bench_app, name="bench")
app.add_typer(callback_app, name="callback")
app.add_typer(payment_app, name="payment")
app.add_typer(phone_app, name="phone")
app.add_typer(do_not_call_app, name="do-not-call")
app.add_typer(flow_app, name="flow")
app.add_typer(prompt_app, name="prompt")
app.add_typer(calendar_app, name="calendar")
app.add_typer(voicemail_app, name="voicemail")
app.add_typer(webhook_app, name="webhook")
app.add_typer(api_app, name="api")
app.add_typer(person_app, name="person")
app.add_typer(audit_app, name="audit")

Config = Annotated[Path, typer.Option("--config", "-c", envvar="CALLCENTER_CONFIG", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
AgentName = Annotated[str, typer.Argument(metavar="NAME", help="The agent's name in the configuration.")]
DEFAULT = Path("callcenter.toml")


def main() -> None:
    """The entry point of the command."""
    app()


def fail(sentence: str, code: int = FAILED) -> NoReturn:
    """Say why, and end."""
    typer.echo(f"callcenter: {sentence}", err=True)
    raise typer.Exit(code)


def settings_of(config: Path, *, of_the_file: bool = False) -> "Settings":
    """What the center goes by; or what the file says itself, to be tried, if it says anything of the center."""
    from callcenter.runtime.settings import SettingsError, center_source, load, load_file

    try:
        return load_file(config) if of_the_file and center_source(config).in_file else load(config)
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"callcenter: {problem}", err=True)
        raise typer.Exit(WRONG_USE) from None


# --- processes -------------------------------------------------------------------------------


@app.command()
def serve(
    config: Config = DEFAULT,
    drain_seconds: Annotated[float, typer.Option(min=0, help="At the end, calls get so long to end by themselves.")] = 30.0,
    show_credentials: Annotated[bool | None, typer.Option(help="Print phone passwords; by default on a terminal only.")] = None,
) -> None:
    """Run everything on this machine: Asterisk, PostgreSQL, engine, books, dips, recogniser, webhooks, web."""
    import sys

    from callcenter.apps import serve as serving
    from callcenter.runtime.data_folder import DataFolderError
    from callcenter.runtime.program import StartError
    from callcenter.runtime.secrets import SecretsError

    show = sys.stdout.isatty() if show_credentials is None else show_credentials
    plan = serving.Plan(settings_of(config), drain_seconds, show)
    try:
        asyncio.run(serving.serve(plan))
    except (StartError, DataFolderError, SecretsError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or plan.settings.data}: {error.strerror or error}; make room or correct its rights, or move paths.data")


@app.command()
def engine(config: Config = DEFAULT) -> None:
    """Run the engine alone."""
    from callcenter.apps import engine as process

    _own_process(settings_of(config))
    process.main(config)


@app.command()
def books(
    config: Config = DEFAULT,
    retry_dead_letters: Annotated[
        bool, typer.Option("--retry-dead-letters", help="Only ship once more what PostgreSQL refused, beside running books.")
    ] = False,
) -> None:
    """Run the books alone: from the journal to PostgreSQL."""
    from callcenter.apps import books as process

    if retry_dead_letters:
        settings_of(config)
        process.retry_main(config)
        return
    _own_process(settings_of(config))
    process.main(config)


@app.command()
def dips(config: Config = DEFAULT) -> None:
    """Run the dips alone: what flows ask other systems."""
    from callcenter.apps import dips as process

    _own_process(settings_of(config))
    process.main(config)


@app.command()
def recogniser(config: Config = DEFAULT) -> None:
    """Run the recogniser alone: who understands what callers say."""
    from callcenter.apps import recogniser as process

    _own_process(settings_of(config))
    process.main(config)


@app.command()
def webhooks(config: Config = DEFAULT) -> None:
    """Run the webhooks alone: who tells other systems what happens."""
    from callcenter.apps import webhooks as process

    _own_process(settings_of(config))
    process.main(config)


@app.command()
def web(config: Config = DEFAULT) -> None:
    """Run the web process alone: sign-in, pages, health, metrics."""
    from callcenter.apps import web as process

    _own_process(settings_of(config))
    process.main(config)


def _own_process(settings: "Settings") -> None:
    from callcenter.runtime.data_folder import DataFolderError, data_folder

    try:
        data_folder(settings).prepare()
    except DataFolderError as error:
        fail(str(error))


@app.command()
def render(config: Config = DEFAULT) -> None:
    """Write secrets and what Asterisk reads, without starting anything; for nodes that others start."""
    from callcenter.runtime.asterisk import AsteriskNode
    from callcenter.runtime.asterisk_root import AsteriskMissing
    from callcenter.runtime.prompts import PromptError
    from callcenter.runtime.secrets import SecretsError, load_secrets

    settings = settings_of(config)
    _own_process(settings)
    try:
        secrets = load_secrets(settings.data, [agent.name for agent in settings.agents])
        for section in settings.nodes:
            if not section.remote:
                node = AsteriskNode(settings, secrets, section)
                node.write_files()
                typer.echo(f"{node.name}: {node.folder / 'etc' / 'asterisk.conf'}")
    except (AsteriskMissing, PromptError, SecretsError, OSError) as error:
        fail(str(error))


# --- the engine, asked -----------------------------------------------------------------------


def ask_engine(config: Path, do: str, within: float = 5.0, **fields: "Json") -> "JsonObject":
    """One question to the running engine, without the fields that are None; says why and ends when it cannot be had."""
    from callcenter.runtime.data_folder import data_folder
    from callcenter.runtime.secrets import SecretsError, load_secrets
    from callcenter.services.control_client import EngineAway, RequestRefused, ask

    settings = settings_of(config)
    try:
        if not settings.data.is_dir():
            raise EngineAway("the engine does not run; start it with 'callcenter serve'")
        token = load_secrets(settings.data).control_token
        return asyncio.run(
            ask(
                data_folder(settings).control_socket,
                token,
                do,
                within,
                **{name: value for name, value in fields.items() if value is not None},
            )
        )
    except (EngineAway, RequestRefused, SecretsError) as error:
        fail(str(error))


def _agent_became(answer: "JsonObject", name: str) -> None:
    state_now, reason, later = (str(answer.get(key) or "").replace("_", " ") for key in ("state", "reason", "later"))
    words = state_now or "done"
    words += f" ({reason})" if reason else ""
    words += f", and after this contact {later}" if later else ""
    typer.echo(f"{name}: {words}")


@agent_app.command()
def login(name: AgentName, config: Config = DEFAULT) -> None:
    """Log in; not ready yet."""
    _agent_became(ask_engine(config, "agent_login", agent=name), name)


@agent_app.command()
def ready(name: AgentName, config: Config = DEFAULT) -> None:
    """Ready for contacts."""
    _agent_became(ask_engine(config, "agent_ready", agent=name), name)


@agent_app.command("not-ready")
def not_ready(
    name: AgentName,
    reason: Annotated[str, typer.Option(help="One of center.not_ready_reasons; by default the first.")] = "",
    config: Config = DEFAULT,
) -> None:
    """Not ready, for a reason; in the middle of a contact, after it."""
    if reason:
        _agent_became(ask_engine(config, "agent_not_ready", agent=name, reason=reason), name)
    else:
        _agent_became(ask_engine(config, "agent_not_ready", agent=name), name)


@agent_app.command()
def logout(name: AgentName, config: Config = DEFAULT) -> None:
    """Log out; in the middle of a contact, after it."""
    _agent_became(ask_engine(config, "agent_logout", agent=name), name)


ToQueue = Annotated[str, typer.Option("--queue", help="A queue: whoever of it answers.")]
ToColleague = Annotated[str, typer.Option("--agent", help="A colleague who is ready.")]


@agent_app.command()
def transfer(
    name: AgentName,
    queue: ToQueue = "",
    colleague: ToColleague = "",
    number: Annotated[str, typer.Option("--number", help="Outside: one that she may call by herself.")] = "",
    config: Config = DEFAULT,
) -> None:
    """Move the agent's caller to a queue, a colleague or a number outside, without talking first."""
    ask_engine(config, "agent_transfer", agent=name, queue=queue or None, colleague=colleague or None, number=number or None)
    typer.echo(f"{name}: the caller waits for {colleague or queue or number}")


@agent_app.command()
def consult(name: AgentName, queue: ToQueue = "", colleague: ToColleague = "", config: Config = DEFAULT) -> None:
    """Put the caller on hold, and talk to somebody of a queue or to a colleague first."""
    ask_engine(config, "agent_consult", agent=name, queue=queue or None, colleague=colleague or None)
    typer.echo(f"{name}: the caller is on hold, {colleague or queue} is asked; then complete, cancel, swap or conference")


@agent_app.command()
def complete(name: AgentName, config: Config = DEFAULT) -> None:
    """Leave: the caller goes on with the consulted, or waits for who was asked for."""
    _agent_became(ask_engine(config, "agent_complete", agent=name), name)


@agent_app.command()
def cancel(name: AgentName, config: Config = DEFAULT) -> None:
    """Call the consult off: agent and caller go on."""
    _agent_became(ask_engine(config, "agent_cancel", agent=name), name)


@agent_app.command()
def swap(name: AgentName, config: Config = DEFAULT) -> None:
    """Talk to the other one of caller and consulted; who is not talked to hears music."""
    _agent_became(ask_engine(config, "agent_swap", agent=name), name)


@agent_app.command()
def conference(name: AgentName, config: Config = DEFAULT) -> None:
    """Let caller, agent and consulted hear each other; complete leaves the two others together."""
    _agent_became(ask_engine(config, "agent_conference", agent=name), name)


@agent_app.command()
def dial(
    name: AgentName,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="An extension, or a number outside that she may call.")] = "",
    colleague: Annotated[str, typer.Option("--agent", help="A colleague, by name.")] = "",
    queue: Annotated[str, typer.Option("--queue", help="For which she calls: its number is shown.")] = "",
    config: Config = DEFAULT,
) -> None:
    """Call a colleague or a number outside: her phone rings first, then the other one."""
    _agent_became(
        ask_engine(config, "agent_dial", agent=name, number=number or None, colleague=colleague or None, queue=queue or None), name
    )


@agent_app.command("hang-up")
def hang_up(name: AgentName, config: Config = DEFAULT) -> None:
    """End the call that the agent has made by herself."""
    _agent_became(ask_engine(config, "agent_dial_end", agent=name), name)


@agent_app.command()
def figures(name: AgentName, as_json: AsJson = False, config: Config = DEFAULT) -> None:
    """The agent's own figures of today, as she hears them on her phone (*23)."""
    found = ask_engine(config, "agent_figures", agent=name)
    if as_json:
        typer.echo(json.dumps({key: value for key, value in found.items() if key != "ok"}))
        return
    aht, occupancy = found["aht_s"], found["occupancy"]
    handling = f"{aht:.0f} s" if isinstance(aht, float) else "-"
    share = f"{100 * occupancy:.0f} %" if isinstance(occupancy, float) else "-"
    typer.echo(f"{name}: {found['contacts']} contacts, talk {found['talk_s']} s, AHT {handling}, occupancy {share}")


@agent_app.command("wrap-up-end")
def wrap_up_end(name: AgentName, config: Config = DEFAULT) -> None:
    """End the wrap-up; what was asked for during the contact is obeyed, else the agent is ready."""
    _agent_became(ask_engine(config, "agent_wrap_up_end", agent=name), name)


@agent_app.command()
def extend(name: AgentName, config: Config = DEFAULT) -> None:
    """Extend the wrap-up, once per contact, by what the queue allows."""
    answer = ask_engine(config, "agent_extend", agent=name)
    typer.echo(f"{name}: wrap-up until {answer['until']}")


@agent_app.command()
def disposition(
    name: AgentName,
    disposition: Annotated[str, typer.Argument(metavar="DISPOSITION", help="One of the queue's dispositions.")],
    config: Config = DEFAULT,
) -> None:
    """Say what the contact has achieved, in mid-talk or in wrap-up."""
    _agent_became(ask_engine(config, "agent_disposition", agent=name, disposition=disposition), name)


ServedQueue = Annotated[str, typer.Argument(metavar="QUEUE", help="One of the agent's queues.")]


@agent_app.command("opt-in")
def opt_in(name: AgentName, queue: ServedQueue, config: Config = DEFAULT) -> None:
    """Serve a queue again that the agent had opted out of."""
    ask_engine(config, "agent_opt_in", agent=name, queue=queue)
    typer.echo(f"{name}: serves {queue}")


@agent_app.command("opt-out")
def opt_out(name: AgentName, queue: ServedQueue, config: Config = DEFAULT) -> None:
    """Serve a queue no longer, as far as the configuration lets the agent."""
    ask_engine(config, "agent_opt_out", agent=name, queue=queue)
    typer.echo(f"{name}: serves {queue} no longer")


@app.command()
def reload(config: Config = DEFAULT) -> None:
    """Take over changes of the configuration file; calls in progress are not touched."""
    from callcenter.runtime.center_source import Origin
    from callcenter.runtime.settings import SettingsError, center_source

    try:
        source = center_source(config)
    except SettingsError as error:
        fail("; ".join(error.problems), WRONG_USE)
    if source.origin is Origin.CONFLICT:
        fail(source.note)
    answer = ask_engine(config, "reload", 60.0)
    typer.echo(f"reloaded: {answer.get('detail') or 'done'}")


@app.command()
def state(config: Config = DEFAULT) -> None:
    """What is going on right now, as JSON."""
    typer.echo(json.dumps(ask_engine(config, "state"), indent=2))


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end.")] = False,
    rounds: Annotated[
        int, typer.Option(min=1, max=5, help="The twelve callers come so often; from the second time on they are told waits.")
    ] = 1,
) -> None:
    """Show it: simulated agents and callers, real SIP and real audio, and a report that checks itself."""
    from callcenter.apps import demo as showing

    if not showing.main(keep=keep, rounds=rounds):
        raise typer.Exit(FAILED)


# --- checks ----------------------------------------------------------------------------------


@app.command()
def doctor(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Check this machine and what runs on it; each failure with its fix."""
    from callcenter.apps import doctor as examining

    if not examining.main(config, as_json):
        raise typer.Exit(FAILED)


@app.command()
def migrate(config: Config = DEFAULT) -> None:
    """Bring the database to this version's schema."""
    from callcenter.adapters.db.migrate import DatabaseAway, SchemaError
    from callcenter.adapters.db.migrate import migrate as bring_up
    from callcenter.runtime.data_folder import data_folder, database_url
    from callcenter.runtime.postgres import EmbeddedPostgres, PostgresError

    settings = settings_of(config)
    try:
        own = None if settings.database_url else EmbeddedPostgres(data_folder(settings).postgres)
        started = own is not None and not own.start()
        try:
            revision = bring_up(database_url(settings))
        finally:
            if own is not None and started:
                own.stop()
    except DatabaseAway as error:
        fail(f"{error}; start the database, or correct database.url, then: callcenter migrate")
    except (SchemaError, PostgresError, ValueError) as error:
        fail(str(error))
    typer.echo(f"the database is at revision {revision}")


# --- reports ---------------------------------------------------------------------------------

From = Annotated[str | None, typer.Option("--from", help="ISO 8601, in the center's zone; a date is its midnight. By default today's.")]
To = Annotated[str | None, typer.Option("--to", help="ISO 8601, in the center's zone, itself not included. By default now.")]
Queue = Annotated[str | None, typer.Option("--queue", help="Only this queue.")]


@config_app.command("dry-run")
def config_dry_run(config: Config = DEFAULT, from_: From = None, to: To = None, as_json: AsJson = False) -> None:
    """Try the file's routing rules on the contacts of a stretch of time: which rule would have won, and what would change."""
    from callcenter.apps import dry_run
    from callcenter.apps.reports import ReportError
    from callcenter.runtime.postgres import PostgresError

    try:
        typer.echo(dry_run.run(settings_of(config, of_the_file=True), from_, to, as_json))
    except (ReportError, PostgresError) as error:
        fail(str(error))


@app.command()
def kpi(config: Config = DEFAULT, from_: From = None, to: To = None, queue: Queue = None, as_json: AsJson = False) -> None:
    """Key figures per queue: offered, answered, abandoned, service level ..."""
    from callcenter.apps import reports

    reports.kpi(settings_of(config), from_, to, queue, as_json)


@report_app.command()
def surveys(config: Config = DEFAULT, from_: From = None, to: To = None, queue: Queue = None, as_json: AsJson = False) -> None:
    """What callers answered in surveys: CSAT, NPS and choices, by queue, agent and day."""
    from callcenter.apps import survey_report

    survey_report.surveys(settings_of(config), from_, to, queue, as_json)


@app.command()
def cdr(config: Config = DEFAULT, from_: From = None, to: To = None, queue: Queue = None, as_json: AsJson = False) -> None:
    """One line per call."""
    from callcenter.apps import reports

    reports.cdr(settings_of(config), from_, to, queue, as_json)


@app.command()
def explain(
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="Its id, the beginning of it, or the number of a caller who waits.")],
    config: Config = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Why a contact waits, or why it was offered to whom it was: who was eligible, why each other agent lost, what changes when."""
    from callcenter.apps import explain as explaining
    from callcenter.apps.reports import ReportError
    from callcenter.runtime.data_folder import data_folder
    from callcenter.runtime.postgres import PostgresError
    from callcenter.runtime.secrets import SecretsError, load_secrets
    from callcenter.services.control_client import EngineAway, RequestRefused, ask

    settings = settings_of(config)
    explained: Mapping[str, object]
    try:
        if not settings.data.is_dir():
            raise EngineAway("no engine has run here")
        token = load_secrets(settings.data).control_token
        explained = asyncio.run(ask(data_folder(settings).control_socket, token, "explain", 10.0, contact=contact))
    except (EngineAway, RequestRefused, SecretsError) as not_waiting:
        if "give more of the id" in str(not_waiting):
            fail(str(not_waiting))
        try:
            explained = explaining.from_the_past(settings, contact)
        except (ReportError, PostgresError) as error:
            fail(f"{not_waiting}; and of the past: {error}")
    typer.echo(json.dumps(explained, indent=2) if as_json else explaining.words(explained))


@app.command()
def replay(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The configuration to try; without it, the day is replayed as it was.")
    ] = None,
    center: Annotated[
        Path | None,
        typer.Option(envvar="CALLCENTER_CONFIG", help="The center's own file: where the facts are, and the unchanged configuration."),
    ] = None,
    from_: From = None,
    to: To = None,
    journal: Annotated[Path | None, typer.Option(help="Read the facts from this journal folder, not from PostgreSQL.")] = None,
    seed: Annotated[int, typer.Option(help="Of what the record does not say and is drawn.")] = 1,
    strict: Annotated[bool, typer.Option("--strict", help="Fail when the unchanged configuration does not reproduce the record.")] = False,
    as_json: AsJson = False,
) -> None:
    """A recorded day once more, in virtual time, as it was or with another configuration: who would have waited how long?"""
    from callcenter.apps import replay as replaying

    own = center or (DEFAULT if DEFAULT.exists() or config is None else config)
    other = settings_of(config, of_the_file=True) if config is not None and config.absolute() != own.absolute() else None
    replaying.main(replaying.Asked(settings_of(own), other, from_, to, journal, seed), strict=strict, as_json=as_json)


if __name__ == "__main__":
    main()
