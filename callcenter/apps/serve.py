"""``callcenter serve``: everything of one machine, supervised."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

import structlog
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from callcenter.apps.terminal import terminal
from callcenter.runtime import logs
from callcenter.runtime.asterisk import AsteriskNode
from callcenter.runtime.asterisk_root import AsteriskMissing
from callcenter.runtime.data_folder import DataFolder, data_folder
from callcenter.runtime.managed import AsteriskService, PostgresService
from callcenter.runtime.postgres import EmbeddedPostgres
from callcenter.runtime.program import Program, Question, Service, StartError
from callcenter.runtime.secrets import Secrets, load_secrets
from callcenter.runtime.settings import Settings, center_source
from callcenter.runtime.supervise import Happening, Supervisor, Turn
from callcenter.services.control_client import EngineAway, RequestRefused, answers, ask
from callcenter.services.dips.client import DipsClient

COLOURS = {Turn.GIVEN_UP: "bold red", Turn.FAILED: "red", Turn.FROZEN: "yellow", Turn.ENDED: "yellow"}
CAP_EVERY = 10.0
ASK_DRAINED_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``serve`` was asked to do."""

    settings: Settings
    drain_seconds: float = 30.0
    """At the end, calls get so long to end by themselves."""
    show_credentials: bool = False


async def serve(plan: Plan, console: Console | None = None) -> None:
    """Run until SIGINT or SIGTERM, then drain and stop everything. Raises StartError, DataFolderError, SecretsError."""
    out = console or terminal(sys.stdout)
    folder = data_folder(plan.settings)
    folder.prepare()
    with folder.alone("serve"), (folder.log / "serve.log").open("a") as log:
        logs.configure("serve", log)
        secrets = load_secrets(plan.settings.data, [agent.name for agent in plan.settings.agents])
        stop, hurry = _signals()
        supervisor = Supervisor(_stages(plan.settings, secrets, folder), _Reporter(out))
        if not await _unless(stop, supervisor.start()):
            out.print("Stopped before everything was up.")
            await supervisor.stop()
            return
        await _tell_adopted_engine(supervisor, folder, secrets, out)
        _welcome(out, plan, secrets, supervisor)
        capping = asyncio.create_task(_cap_logs(folder))
        await stop.wait()
        capping.cancel()
        await _drain(folder, secrets, plan.drain_seconds, hurry, out)
        await supervisor.stop()
        out.print("Everything is stopped.")


# --- what runs -------------------------------------------------------------------------------


def _stages(settings: Settings, secrets: Secrets, folder: DataFolder) -> list[list[Service]]:
    """In order of start: what carries media and keeps data, then what is ours."""
    try:
        below: list[Service] = [AsteriskService(AsteriskNode(settings, secrets, node)) for node in settings.nodes if not node.remote]
    except AsteriskMissing as error:
        raise StartError(str(error)) from None
    if not settings.database_url:
        below.append(PostgresService(EmbeddedPostgres(folder.postgres)))

    async def engine_answers() -> bool:
        return await answers(folder.control_socket, secrets.control_token)

    async def web_answers() -> bool:
        return await _http_answers(settings.web.host, settings.web.port)

    async def dips_answers() -> bool:
        client = DipsClient(folder.dips_socket, secrets.control_token)
        try:
            return await client.ping()
        finally:
            await client.close()

    async def recogniser_answers() -> bool:
        return await answers(folder.recogniser_socket, secrets.control_token)

    ours: list[tuple[str, Question | None]] = [
        ("books", None),
        ("dips", dips_answers),
        ("recogniser", recogniser_answers),
        ("engine", engine_answers),
        ("webhooks", None),
        ("web", web_answers),
    ]
    return [below, [_program(name, settings.file, folder, question) for name, question in ours]]


def _program(name: str, config: Path, folder: DataFolder, question: Question | None) -> Service:
    command = [sys.executable, "-m", "callcenter.apps.cli", name, "--config", str(config.absolute())]
    return Program(name, command, folder.run, folder.log, question)


async def _http_answers(host: str, port: int) -> bool:
    """Whether the web process answers at /healthz."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection(target, port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b" 200 " in await reader.readline()
    except (OSError, TimeoutError):
        return False
    finally:
        if writer is not None:
            writer.close()


# --- what is said ----------------------------------------------------------------------------


class _Reporter:
    """Tells the operator on the terminal, and keeps it in the log."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._log = structlog.get_logger("serve")

    def __call__(self, happening: Happening) -> None:
        colour = COLOURS.get(happening.turn, "green")
        words = [happening.service, happening.turn.replace("_", " ")]
        words += [f"(process {happening.pid})"] if happening.pid else []
        words += [f"— {happening.detail}"] if happening.detail else []
        self._out.print(f"[{colour}]{escape(' '.join(words))}[/]", soft_wrap=True)
        tell = self._log.critical if happening.turn is Turn.GIVEN_UP else self._log.info
        tell(str(happening.turn), service=happening.service, pid=happening.pid, detail=happening.detail)


def _welcome(out: Console, plan: Plan, secrets: Secrets, supervisor: Supervisor) -> None:
    """What runs, what to dial, where to look."""
    settings = plan.settings
    out.print(f"\n[bold]{escape(settings.center.name)}[/] is up.")
    for keeper in supervisor.keepers:
        out.print(f"  {keeper.name:<16} process {keeper.pid}")
    if settings.numbers:
        out.print(f"Dial: {', '.join(settings.did(number) for number in settings.numbers)}")
    for node in settings.nodes:
        where = node.host if node.remote else f"{node.external_address or node.bind}:{node.sip_port}"
        out.print(f"Phones register at {where} (node {node.name}); *11 is ready, *12 is not ready.")
    web = (settings.web.public_url or f"http://{settings.web.host}:{settings.web.port}").rstrip("/")
    out.print(
        f"Pages: {web}/ – who signs in begins where she works: agents at {web}/agent, supervisors at {web}/supervisor,", soft_wrap=True
    )
    out.print(f"       ops at {web}/trends, admins at {web}/people and {web}/config; for the wall: {web}/wallboard", soft_wrap=True)
    out.print(
        f"Who may sign in there: callcenter person list --config {settings.file}; the first one by: "
        f"callcenter person add NAME --role admin --config {settings.file}",
        soft_wrap=True,
        markup=False,
    )
    if plan.show_credentials:
        out.print(_phones(settings, secrets))
    out.print(f"Credentials: {settings.data / 'secrets.json'}; logs: {settings.data / 'log'}", soft_wrap=True)
    if not settings.database_url:
        out.print(
            f"Database: an embedded PostgreSQL in {settings.data / 'postgres'}, because no database URL is configured.", soft_wrap=True
        )
    if note := center_source(settings.file).note:
        out.print(f"[yellow]{escape(note)}[/]", soft_wrap=True)
    out.print("Ctrl-C waits for calls to end and stops everything; a second Ctrl-C does not wait.", soft_wrap=True)


def _phones(settings: Settings, secrets: Secrets) -> Table:
    table = Table("agent", "SIP user", "SIP password", title="Phones", title_justify="left")
    for agent in settings.agents:
        phone = secrets.phones[agent.name]
        if agent.phone == "desk":  # a browser needs no account
            table.add_row(agent.name, phone.endpoint, phone.password)
    return table


# --- life ------------------------------------------------------------------------------------


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """Set by the first and by the second wish to end. A closed terminal is such a wish too."""
    stop, hurry = asyncio.Event(), asyncio.Event()

    def wish() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, wish)
    return stop, hurry


async def _unless(stop: asyncio.Event, work: Coroutine[object, object, None]) -> bool:
    """Do the work; False when we were told to stop before it was done."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if doing.done():
        doing.result()
        return True
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)
    return False


async def _tell_adopted_engine(supervisor: Supervisor, folder: DataFolder, secrets: Secrets, out: Console) -> None:
    """An adopted engine may know an older configuration."""
    if any(keeper.adopted and keeper.name == "engine" for keeper in supervisor.keepers):
        try:
            await ask(folder.control_socket, secrets.control_token, "reload", 30.0)
        except (EngineAway, RequestRefused) as error:
            out.print(f"[yellow]The engine goes on with the configuration it has: {escape(str(error))}[/]")


async def _cap_logs(folder: DataFolder) -> None:
    while True:
        for file in folder.log.glob("*.log"):
            await asyncio.to_thread(logs.cap, file)
        await asyncio.sleep(CAP_EVERY)


async def _drain(folder: DataFolder, secrets: Secrets, seconds: float, hurry: asyncio.Event, out: Console) -> None:
    """No new calls; those that are on get ``seconds`` to end, or until a second Ctrl-C."""
    told = 0
    with contextlib.suppress(TimeoutError, EngineAway, RequestRefused):
        async with asyncio.timeout(seconds):
            while not hurry.is_set():
                left = (await ask(folder.control_socket, secrets.control_token, "drain")).get("calls")
                if not isinstance(left, int) or left == 0:
                    return
                if left != told:
                    out.print(f"Calls still on: {left}; waiting up to {seconds:.0f} s (Ctrl-C: no longer).")
                    told = left
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ASK_DRAINED_EVERY):
                        await hurry.wait()
