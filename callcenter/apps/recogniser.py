"""The process ``recogniser``: listens to callers on behalf of flows, away from the engine's loop.

Killed, it is started again; flows that were listening go on with keys at once.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import structlog

from callcenter.adapters.speech.asterisk_media import frames
from callcenter.adapters.speech.other import HttpRecogniser, Other, WebSocketRecogniser
from callcenter.adapters.speech.sphinx import PocketsphinxRecogniser
from callcenter.runtime import logs
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings, SettingsError, load
from callcenter.runtime.settings_dips import SecretError, secret
from callcenter.runtime.settings_flow_asking import SpeechNodeSection
from callcenter.services.control import ControlError, ControlServer
from callcenter.services.ports import Recogniser, RecogniserError
from callcenter.services.speech.desk import RecogniserDesk

log = structlog.get_logger(__name__)


class RecogniserProcess:
    """All that runs in this process, put together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http: aiohttp.ClientSession | None = None
        self._sphinx: PocketsphinxRecogniser | None = None
        desk = RecogniserDesk(self._recogniser(), self._frames, settings.speech.at_once)
        token = load_secrets(settings.data).control_token
        self._server = ControlServer(data_folder(settings).recogniser_socket, token, desk.handle)

    def _recogniser(self) -> Recogniser:
        speech = self._settings.speech
        if speech.recogniser == "pocketsphinx":
            self._sphinx = PocketsphinxRecogniser(speech.processes)
            return self._sphinx
        word = secret(self._settings, speech.secret) if speech.secret is not None else ""
        other = Other(speech.url or "", word, speech.rate, speech.answer_within)
        return HttpRecogniser(self._session, other) if speech.recogniser == "http" else WebSocketRecogniser(self._session, other)

    async def _warm_up(self) -> None:
        """Load the acoustic model before the first caller speaks, where some flow listens."""
        listens = any(isinstance(node, SpeechNodeSection) for flow in self._settings.flows.values() for node in flow.nodes.values())
        if self._sphinx is not None and listens:
            try:
                await self._sphinx.start()
            except RecogniserError as error:
                log.error("recogniser_not_ready", why=str(error))

    def _session(self) -> aiohttp.ClientSession:
        assert self._http is not None
        return self._http

    def _frames(self, url: str) -> AsyncGenerator[bytes, None]:
        return frames(self._session(), url)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises ControlError."""
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        async with aiohttp.ClientSession() as self._http:
            await self._server.start()
            log.info("recogniser_up", kind=self._settings.speech.recogniser, at_once=self._settings.speech.at_once)
            warming = asyncio.create_task(self._warm_up())
            await stopping.wait()
            warming.cancel()
            await self._server.stop()
            if self._sphinx is not None:
                await self._sphinx.close()


def main(config_file: Path) -> None:
    """Run until told to stop."""
    logs.configure("recogniser")
    try:
        settings = load(config_file)

        async def serve() -> None:
            await RecogniserProcess(settings).run()

        asyncio.run(serve())
    except (SettingsError, SecretError, ControlError) as error:
        raise SystemExit(f"callcenter: {error}") from None
