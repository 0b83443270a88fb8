"""The engine process: the center, its telephony, its journal and its control socket. Never loads the database."""

import asyncio
import secrets as randomness
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import structlog

from callcenter.adapters.ami import operations
from callcenter.adapters.ami.client import AmiClient, AmiServer
from callcenter.adapters.ami.lamps import NotifiedLamps
from callcenter.adapters.ami.phones import PhoneHealth
from callcenter.adapters.ami.qualify import Qualifier
from callcenter.adapters.ami.recorder import MixMonitorRecorder
from callcenter.adapters.ari.client import AriServer
from callcenter.adapters.ari.telephony import AsteriskTelephony
from callcenter.apps import flow_uptake, garbage
from callcenter.apps.dialplan_questions import serve_questions
from callcenter.apps.stopping import told_to_stop
from callcenter.domain.events import ConfigChanged
from callcenter.domain.facts import Fact
from callcenter.domain.hours import Calendar
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.dipping import DipQuestion
from callcenter.domain.ivr.listening import SpeechQuestion
from callcenter.domain.ivr.questions import Question
from callcenter.domain.ivr.switching import PinQuestion
from callcenter.domain.mailbox_pin import MailboxPinQuestion
from callcenter.runtime import logs
from callcenter.runtime.asterisk import AsteriskNode
from callcenter.runtime.config_versions import ConfigVersions
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.flow_store import StoreError
from callcenter.runtime.pins import Pins
from callcenter.runtime.secrets import AMI_OPERATIONS_USER, AMI_RECORDING_USER, ARI_USER, Secrets, SecretsError, load_secrets
from callcenter.runtime.settings import Settings, SettingsError, parse_text, read
from callcenter.runtime.settings_calendars import forsaken_imports, keep_copies
from callcenter.runtime.settings_dips import dip_defaults
from callcenter.runtime.settings_model import NodeSection
from callcenter.services.answering import Answerer, Answering
from callcenter.services.clock import SteadyClock
from callcenter.services.control import ControlError, ControlServer
from callcenter.services.control_client import EngineAway, RequestRefused
from callcenter.services.desk import Desk
from callcenter.services.dips.answerer import DipAnswerer
from callcenter.services.dips.client import DipsClient
from callcenter.services.engine import Engine
from callcenter.services.fact_codec import dump, encode
from callcenter.services.fallback_hours import FallbackHours
from callcenter.services.fallback_log import FallbackLog
from callcenter.services.hours_keeper import HoursKeeper, warn_of, warnings_of
from callcenter.services.journal import Journal, JournalError
from callcenter.services.mailbox_pins import MailboxPins
from callcenter.services.notices import NoticeRing
from callcenter.services.pin_answerer import PinAnswerer
from callcenter.services.ports import CommandError
from callcenter.services.speech.answering import SpeechAnswerer
from callcenter.services.speech.listening import Listening
from callcenter.services.survival import keep_checkpoints, restore_center, write_checkpoint

log = structlog.get_logger(__name__)

FALLBACK_LOG_EVERY = 1.0
JOURNAL_EVERY = 1.0


def journal_folder(settings: Settings) -> Path:
    return settings.data / "journal"


class EngineProcess:
    """Everything that runs in the engine's process, put together."""

    def __init__(self, settings: Settings, config_file: Path, text: str) -> None:
        """``text`` is that of the file, from which ``settings`` were read."""
        self._text = text
        self._file = config_file
        self._settings = settings
        self._secrets = load_secrets(settings.data, [agent.name for agent in settings.agents])
        self._journal = Journal(journal_folder(settings))
        self._notices: NoticeRing[Fact] = NoticeRing(encode, dump=dump)
        config = settings.center_config(self._secrets.endpoints)
        center, seq = restore_center(self._journal, config, Ids(randomness.token_hex(16)))
        self._clock = SteadyClock(not_before=center.state.at)
        self._notices.begin_at(seq)
        self._engine = Engine(center, self._journal, self._clock, self._notices.put, self._notices.change_rules)
        self._engine.seq = seq
        self._recorders = {node.name: AmiClient(self._ami(node, AMI_RECORDING_USER)) for node in settings.nodes}
        self._phones = phones = PhoneHealth(self._engine.tell)
        self._operations = {node.name: phones.client(node.name, self._ami(node, AMI_OPERATIONS_USER)) for node in settings.nodes}
        self._telephony = AsteriskTelephony(
            {node.name: self._ari(node) for node in settings.nodes},
            self._engine.tell,
            self._engine.on_connect,
            MixMonitorRecorder(self._recorders, {node.name: self._local(node).recordings for node in settings.nodes if not node.remote}),
            self._replaced,
            Qualifier(self._operations, self._engine.tell),
            NotifiedLamps(self._operations),
        )
        self._dips = DipsClient(data_folder(settings).dips_socket, self._secrets.control_token, dip_defaults(settings))
        pins = PinAnswerer(Pins(settings.data).check)
        self._listening = Listening(self._telephony, data_folder(settings).recogniser_socket, self._secrets.control_token)
        speech = SpeechAnswerer(self._listening, lambda: self._settings.speech.rate)
        answerers: dict[type[Question], Answerer] = {
            PinQuestion: pins.answer,
            SpeechQuestion: speech.answer,
            DipQuestion: DipAnswerer(self._dips),
            MailboxPinQuestion: MailboxPins(Pins(settings.data).check).answer,
        }
        self._answers = Answering(answerers, self._engine.tell)  # who answers a kind of question is added here
        desk = Desk(self._engine, self._clock, self._reload, self._journal_health, self._take_up_flows, self._trunks)
        self._control = ControlServer(data_folder(settings).control_socket, self._secrets.control_token, desk.handle, self._notices, _bug)
        self._stopping = asyncio.Event()
        self._changing = asyncio.Lock()
        """One change of the configuration at a time."""

    def _trunks(self) -> Mapping[str, bool]:
        """Whether those that are called out through answer, as far as that is known."""
        told = {trunk.name: self._phones.reached(trunk.name) for trunk in self._settings.trunks if trunk.host is not None}
        return {name: reached for name, reached in told.items() if reached is not None}

    # --- life -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; calls stay up in Asterisk."""
        told_to_stop(self._stopping)
        self._engine.tell(ConfigChanged(self._engine.center.state.config))
        tasks: list[asyncio.Task[object]] = [asyncio.create_task(self._engine.run(self._telephony, self._answers), name="engine")]
        tasks += [asyncio.create_task(client.run()) for client in (*self._recorders.values(), *self._operations.values())]
        tasks += [asyncio.create_task(self._read_fallback_log(node)) for node in self._settings.nodes if not node.remote]
        tasks.append(asyncio.create_task(keep_checkpoints(self._engine, self._journal), name="checkpoints"))
        tasks.append(asyncio.create_task(self._watch_journal(), name="journal"))
        agi = serve_questions(self._engine, self._clock, self._settings.engine.agi_host, self._settings.engine.agi_port)
        tasks.append(asyncio.create_task(agi, name="agi"))
        keeper = HoursKeeper(self._opening_hours, self._engine.tell, self._clock, lambda: self._engine.center.state.config.calendars)
        tasks.append(asyncio.create_task(keeper.run(), name="hours"))
        told = FallbackHours(self._engine, self._telephony, self._clock)
        tasks.append(asyncio.create_task(told.run(), name="fallback hours"))
        tasks.append(asyncio.create_task(self._stopping.wait(), name="stopping"))
        await asyncio.to_thread(self._keep_version, self._text)
        warn_of(self._engine.center.state.config.calendars)
        await asyncio.to_thread(self._keep_calendars, self._settings)
        await self._control.start()
        await self._take_up_what_was_published_meanwhile()
        log.info("engine_up", seq=self._engine.seq, calls=len(self._engine.center.state.calls))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._answers.close()
            await self._dips.close()
            await self._telephony.close()
            await self._control.stop()
            try:
                write_checkpoint(self._journal, self._engine.seq, list(self._engine.center.checkpoint()))
            except JournalError as error:
                log.warning("no_checkpoint", error=str(error))
            self._journal.close()
            log.info("engine_down", seq=self._engine.seq)

    def _replaced(self, node: str) -> None:
        """Another engine serves this node now: two opinions are worse than one; we stop acting altogether."""
        log.critical("replaced", node=node, advice="another engine took over; this one stands down")
        self._stopping.set()

    # --- what survives --------------------------------------------------------------------------

    def _journal_health(self) -> Mapping[str, object]:
        health = self._journal.health()
        return {"held": health.held, "lost": health.lost, "trouble": health.trouble}

    async def _watch_journal(self) -> None:
        """Say when its disk takes no records, and when it does again."""
        trouble = ""
        while True:
            health = self._journal.health()
            if health.trouble and not trouble:
                log.critical("journal_waits_for_disk", trouble=health.trouble, advice="make room; calls go on, facts are held in memory")
            elif trouble and not health.trouble:
                log.warning("journal_writes_again", lost=health.lost)
            trouble = health.trouble
            await asyncio.sleep(JOURNAL_EVERY)

    # --- configuration --------------------------------------------------------------------------

    async def _reload(self) -> str:
        """Read the file again, write what Asterisk reads, let it reload, then tell the center.

        Raises ControlError; then the center goes on as before.
        """
        async with self._changing:
            return await self._read_again()

    async def _take_up_what_was_published_meanwhile(self) -> None:
        """Whoever published while we started was told that we take it up, but the settings had been read already."""
        try:
            if await asyncio.to_thread(lambda: self._settings.flow_sources.behind):
                await self._take_up_flows()
        except (StoreError, ControlError) as error:
            log.warning("flows_not_taken_up", error=str(error), advice="callcenter reload")

    async def _take_up_flows(self) -> None:
        """Published flows for callers who come from now on, with the configuration in use. Raises ControlError."""
        async with self._changing:
            self._settings = await flow_uptake.take_up(self._engine, self._text, self._file, self._provide_prompts)

    def _provide_prompts(self, settings: Settings) -> None:
        for node in settings.nodes:
            if not node.remote:
                AsteriskNode(settings, self._secrets, node).write_prompts()

    async def _read_again(self) -> str:
        try:
            text = await asyncio.to_thread(read, self._file)
            settings = await asyncio.to_thread(parse_text, text, self._file)
            if forsaken := await asyncio.to_thread(lambda: list(forsaken_imports(settings, self._clock.now().date()))):
                raise SettingsError([f"{self._file}: {sentence}" for sentence in forsaken])
            secrets = load_secrets(settings.data, [agent.name for agent in settings.agents])
            config = await asyncio.to_thread(settings.center_config, secrets.endpoints)
        except SettingsError as error:
            raise ControlError(str(error)) from None
        reloaded = [await self._reload_node(node, settings, secrets) for node in settings.nodes if not node.remote]
        self._settings, self._secrets, self._text = settings, secrets, text
        await self._reload_dips(settings)
        await self._reload_recogniser()
        await self._engine.request(ConfigChanged(config))
        await asyncio.to_thread(self._keep_version, text)
        await asyncio.to_thread(self._keep_calendars, settings)
        warn_of(config.calendars)
        return "; ".join((*reloaded, *settings.flow_sources.notes, *warnings_of(config.calendars))) or "nothing to reload in Asterisk"

    async def _reload_recogniser(self) -> None:
        """While it is away nothing is lost: it reads the file when it starts."""
        try:
            await self._listening.reload()
        except (EngineAway, RequestRefused) as error:
            log.info("recogniser_not_reloaded", why=str(error))

    async def _reload_dips(self, settings: Settings) -> None:
        """The process that asks takes the new sources first. While it is away nothing is lost: it reads the file when it starts."""
        self._dips.defaults = dip_defaults(settings)
        try:
            await self._dips.reload()
        except (OSError, TimeoutError, ValueError) as error:
            if settings.dips:
                log.warning("dips_not_reloaded", why=str(error) or type(error).__name__)

    async def _opening_hours(self, today: date) -> Mapping[str, Calendar]:
        """Of the configuration in use, even if it changes while they are made."""
        while True:
            settings = self._settings
            made = await asyncio.to_thread(settings.opening_hours, today)
            if settings is self._settings:
                await asyncio.to_thread(self._keep_calendars, settings)
                return made

    def _keep_calendars(self, settings: Settings) -> None:
        """A disk that takes no copy must not stop the center."""
        try:
            keep_copies(settings, self._clock.now().date())
        except OSError as error:
            log.warning("calendars_not_kept", error=str(error), advice="make room; a lost file cannot be replaced by its last good copy")

    def _keep_version(self, text: str) -> None:
        """What is in use from now on can be brought back. A disk that takes no copy must not stop the center."""
        try:
            ConfigVersions(self._settings.data).keep(text, self._clock.now())
        except OSError as error:
            log.warning("config_not_kept", error=str(error), advice="callcenter config rollback will not know this version")

    async def _reload_node(self, node: NodeSection, settings: Settings, secrets: Secrets) -> str:
        modules = await asyncio.to_thread(AsteriskNode(settings, secrets, node).write_files)
        try:
            await operations.reload(self._operations[node.name], modules)
        except (CommandError, KeyError) as error:
            raise ControlError(f"node {node.name} did not reload: {error}") from None
        return f"{node.name}: {', '.join(modules)}" if modules else node.name

    # --- nodes ----------------------------------------------------------------------------------

    def _local(self, node: NodeSection) -> AsteriskNode:
        return AsteriskNode(self._settings, self._secrets, node)

    def _ari(self, node: NodeSection) -> AriServer:
        over_websocket = self._settings.engine.rest_over_websocket
        if node.remote:
            assert node.ari_url
            assert node.ari_user
            password = _password(self._settings, node.ari_password_file)
            return AriServer(node.ari_url, node.ari_user, password, rest_over_websocket=over_websocket)
        url = f"http://127.0.0.1:{node.http_port}/ari"
        return AriServer(url, ARI_USER, self._secrets.ari_password, rest_over_websocket=over_websocket)

    def _ami(self, node: NodeSection, user: str) -> AmiServer:
        if node.remote:
            return AmiServer(
                node.host or "",
                node.ami_port,
                node.ami_user or user,
                _password(self._settings, node.ami_password_file),
                user == AMI_OPERATIONS_USER,
            )
        password = self._secrets.ami_recording_password if user == AMI_RECORDING_USER else self._secrets.ami_operations_password
        return AmiServer("127.0.0.1", node.ami_port, user, password, hears_events=user == AMI_OPERATIONS_USER)

    async def _read_fallback_log(self, node: NodeSection) -> None:
        """Turn what the dialplan's fallback did into facts, from where we left off."""
        path = self._local(node).queue_log
        reader = FallbackLog(node.name)
        while True:
            content = await asyncio.to_thread(_read_from, path, reader.offset)
            for report in reader.read(content, self._engine.center.state.node(node.name).log_offset):
                self._engine.tell(report)
            await asyncio.sleep(FALLBACK_LOG_EVERY)


def _read_from(path: Path, offset: int) -> bytes:
    try:
        if path.stat().st_size <= offset:
            return b""
        with path.open("rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def _password(settings: Settings, path: Path | None) -> str:
    return settings.beside_the_file(path).read_text().strip() if path else ""


def _bug(request: Mapping[str, object], bug: Exception) -> None:
    log.error("control_bug", operation=request.get("do"), exc_info=bug)


def main(config_file: Path) -> None:
    """Run the engine until it is told to stop."""
    import uvloop

    logs.configure("engine")
    text = read(config_file)
    settings = parse_text(text, config_file)

    async def serve() -> None:
        process = EngineProcess(settings, config_file, text)
        garbage.settle()  # what was restored is here to stay; a full collection would pause every call's control
        await process.run()

    try:
        uvloop.run(serve())
    except (JournalError, SecretsError) as error:
        raise SystemExit(f"callcenter: {error}") from None
