"""The process ``recogniser``: listens to callers on behalf of flows, away from the engine's loop.

Killed, it is started again; flows that were listening go on with keys at once.
"""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import structlog

from callcenter.adapters.speech.asterisk_media import frames
from callcenter.adapters.speech.other import HttpRecogniser, Other, WebSocketRecogniser
from callcenter.adapters.speech.sphinx import PocketsphinxRecogniser
from callcenter.apps.stopping import told_to_stop
from callcenter.runtime import logs
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings, SettingsError, load
from callcenter.runtime.settings_dips import SecretError, secret
from callcenter.runtime.settings_flow_asking import LONGEST_LISTEN, SpeechNodeSection
from callcenter.services.control import ControlError, ControlServer
from callcenter.services.ports import Recogniser, RecogniserError
from callcenter.services.speech.desk import RecogniserDesk

log = structlog.get_logger(__name__)

OLD_ENDS_AFTER = LONGEST_LISTEN + 10.0


class RecogniserProcess:
    """All that runs in this process, put together."""

    def __init__(self, settings: Settings, config_file: Path) -> None:
        self._settings = settings
        self._file = config_file
        self._http: aiohttp.ClientSession | None = None
        self._asked = self._recogniser(settings)
        self._closing: set[asyncio.Task[None]] = set()
        self._desk = RecogniserDesk(self._asked, self._frames, settings.speech.at_once, self._reload)
        token = load_secrets(settings.data).control_token
        self._server = ControlServer(data_folder(settings).recogniser_socket, token, self._desk.handle)

    def _recogniser(self, settings: Settings) -> Recogniser:
        """The one that is configured. Raises SecretError."""
        speech = settings.speech
        if speech.recogniser == "pocketsphinx":
            return PocketsphinxRecogniser(speech.processes)
        word = secret(settings, speech.secret) if speech.secret is not None else ""
        other = Other(speech.url or "", word, speech.rate, speech.answer_within)
        return HttpRecogniser(self._session, other) if speech.recogniser == "http" else WebSocketRecogniser(self._session, other)

    async def _reload(self) -> None:
        """What the file says now holds for who is listened to from now on."""
        try:
            settings = await asyncio.to_thread(load, self._file)
        except SettingsError as error:
            raise ControlError(str(error)) from None
        if settings.speech != self._settings.speech:
            try:
                before, self._asked = self._asked, self._recogniser(settings)
            except SecretError as error:
                raise ControlError(str(error)) from None
            self._desk.configure(self._asked, settings.speech.at_once)
            task = asyncio.create_task(_close_later(before))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
            log.info("recogniser_configured", kind=settings.speech.recogniser, at_once=settings.speech.at_once)
        self._settings = settings
        await self._warm_up()

    async def _warm_up(self) -> None:
        """Load the acoustic model before the first caller speaks, where some flow listens."""
        listens = any(isinstance(node, SpeechNodeSection) for flow in self._settings.flows.values() for node in flow.nodes.values())
        if isinstance(self._asked, PocketsphinxRecogniser) and listens:
            try:
                await self._asked.start()
            except RecogniserError as error:
                log.error("recogniser_not_ready", why=str(error))

    def _session(self) -> aiohttp.ClientSession:
        assert self._http is not None
        return self._http

    def _frames(self, url: str) -> AsyncGenerator[bytes, None]:
        return frames(self._session(), url)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises ControlError."""
        stopping = told_to_stop()
        async with aiohttp.ClientSession() as self._http:
            await self._server.start()
            log.info("recogniser_up", kind=self._settings.speech.recogniser, at_once=self._settings.speech.at_once)
            warming = asyncio.create_task(self._warm_up())
            await stopping.wait()
            warming.cancel()
            await self._server.stop()
            for task in self._closing:
                task.cancel()
            await asyncio.gather(*self._closing, return_exceptions=True)
            await _close(self._asked)


async def _close(recogniser: Recogniser) -> None:
    if isinstance(recogniser, PocketsphinxRecogniser):
        await recogniser.close()


async def _close_later(recogniser: Recogniser) -> None:
    """Who was listened to before the change is still to be understood."""
    try:
        await asyncio.sleep(OLD_ENDS_AFTER)
    finally:
        await _close(recogniser)


def main(config_file: Path) -> None:
    """Run until told to stop."""
    logs.configure("recogniser")
    try:
        settings = load(config_file)

        async def serve() -> None:
            await RecogniserProcess(settings, config_file).run()

        asyncio.run(serve())
    except (SettingsError, SecretError, ControlError) as error:
        raise SystemExit(f"callcenter: {error}") from None
