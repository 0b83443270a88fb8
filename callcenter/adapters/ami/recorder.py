"""Two-channel recording by MixMonitor on the caller's leg.

Measured on 22.10.1: option D writes headerless 16-bit samples at the rate of the leg's codec (8 kHz for G.711), left
what the leg says, right what it hears; a leg is found by its id; the file is created within 10 ms. When it cannot be
created or written, AMI says ``Success`` all the same and only Asterisk's log knows: so we look for the file ourselves,
where the folder is on this machine. What was recorded is in the file only after StopMixMonitor or the end of the leg;
Asterisk writes in blocks of some seconds.

A recorded leg that hears another party loses the right channel about every second time: what comes with lower sequence numbers is
taken for late (docs/asterisk.md). Asterisk forgets how it counted a short while after the recording has ended. So the next recording of
a leg begins no sooner; and one that goes on is taken up again in the same file, the gap filled with silence, when the leg hears another.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from callcenter.adapters.ami.client import AmiClient, Message
from callcenter.domain.events import Refusal
from callcenter.services.ports import CommandError

log = structlog.get_logger(__name__)

TWO_CHANNELS = "D"
"""Interleaves both directions; the extension must then be ``.raw``."""
GOES_ON = "aD"
"""The same, at the end of the file."""
LEAST_FREE = 64 * 2**20
"""Bytes that must be free before a recording begins; a full disk would end it silently."""

SETTLES = 0.15
"""Seconds between the end of a leg's recording and the next one's beginning."""
BYTES_PER_SECOND = 32_000
FRAME = 4
"""Bytes: one sample of each channel."""
MOST_SILENCE = 10.0
"""Seconds that are filled at once; no gap of ours is longer."""

_RECORDING = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_LOOK_AFTER = (0.01, 0.02, 0.05, 0.1, 0.3, 0.5)
"""Seconds between looks for the file."""


@dataclass(slots=True)
class _Running:
    """A recording that goes on."""

    recording: str
    began: float | None
    """By the loop's clock; None: before we did."""
    taking_up: asyncio.Task[None] | None = None
    again: bool = False
    """Another party came when it had just been taken up."""


class MixMonitorRecorder:
    """Implements ``services.ports.Recorder`` with one AMI connection per node."""

    def __init__(self, clients: Mapping[str, AmiClient], folders: Mapping[str, Path] | None = None) -> None:
        """``clients`` by name of node, signed in as an account with class ``system``; ``folders`` of nodes on this machine."""
        self._clients = clients
        self._folders = folders or {}
        self._proven: set[str] = set()
        """Nodes whose folder has taken a recording: looked at after the first one, and again after a refusal."""

        self._stopped: dict[tuple[str, str], float] = {}
        """By node and leg: when its recording was stopped just now, by the loop's clock."""
        self._running: dict[tuple[str, str], _Running] = {}

    async def start(self, node: str, leg: str, recording: str) -> None:
        """Write both directions into ``<recording>.raw`` in the node's folder of recordings. Raises CommandError."""
        if not _RECORDING.fullmatch(recording):  # it names a file
            raise CommandError(Refusal.REFUSED, "not a name of a recording")
        running = self._running.get((node, leg))
        if running is not None and running.recording == recording:
            return
        folder = self._folders.get(node)
        if folder is not None:
            if _size(folder / f"{recording}.raw") is not None:
                self._go_on(node, leg, recording)
                return
            _check_room(folder)
        await asyncio.sleep(max(0.0, self._stopped.get((node, leg), 0.0) + SETTLES - _now()))
        said = await self._client(node).action("MixMonitor", {"Channel": leg, "File": f"{recording}.raw", "Options": TWO_CHANNELS})
        if said.get("response") != "Success":
            self._proven.discard(node)
            raise _refused(said)
        if folder is not None and node not in self._proven:
            await _check_begun(folder / f"{recording}.raw")
            self._proven.add(node)
        self._running[node, leg] = _Running(recording, _now())

    async def take_up(self, node: str, leg: str, recording: str) -> None:
        """The same, of a leg that talks already, so it may have begun before a restart of ours. Raises CommandError."""
        if node in self._folders:
            await self.start(node, leg, recording)  # which sees the file
        elif (node, leg) not in self._running:
            self._go_on(node, leg, recording)

    def _go_on(self, node: str, leg: str, recording: str) -> None:
        """It was begun before we were; whoever was before us may have been killed while it was taken up."""
        if (node, leg) not in self._running:
            self._running[node, leg] = _Running(recording, None)
            self.hears_another(node, leg)

    async def stop(self, node: str, leg: str, recording: str) -> None:
        """Stop all recording of the leg; one that is gone, or not recorded, is success. Raises CommandError(NODE_AWAY)."""
        self.is_over(node, leg)
        await self._stop(node, leg)

    def is_over(self, node: str, leg: str) -> None:
        """Nothing more is to be taken up."""
        running = self._running.pop((node, leg), None)
        if running is not None and running.taking_up is not None:
            running.taking_up.cancel()

    def hears_another(self, node: str, leg: str) -> None:
        """Listen anew: stop, and go on in the same file when Asterisk has forgotten the party before."""
        running = self._running.get((node, leg))
        if running is None:
            return
        if running.taking_up is None:
            running.taking_up = asyncio.create_task(self._take_up(node, leg, running), name=f"recording {leg}")
        else:
            running.again = True

    async def _take_up(self, node: str, leg: str, running: _Running) -> None:
        try:
            while True:
                stopped_at = await self._stop(node, leg)
                await asyncio.sleep(SETTLES)
                running.again = False  # who came until now is not counted yet
                self._fill(node, running, stopped_at)
                fields = {"Channel": leg, "File": f"{running.recording}.raw", "Options": GOES_ON}
                said = await self._client(node).action("MixMonitor", fields)
                if said.get("response") != "Success":
                    raise _refused(said)
                if not running.again:
                    return
        except CommandError as error:  # the leg has ended, or the node is lost; what was recorded is there
            log.info("recording_not_taken_up", recording=running.recording, why=str(error))
        finally:
            running.taking_up = None

    def _fill(self, node: str, running: _Running, stopped_at: float) -> None:
        """With silence, up to where the file would be had the recording gone on. Stopped, it holds all until then."""
        folder = self._folders.get(node)
        if folder is None:
            return
        file = folder / f"{running.recording}.raw"
        try:
            size = file.stat().st_size
            if running.began is None:
                running.began = stopped_at - size / BYTES_PER_SECOND
            missing = int((_now() - running.began) * BYTES_PER_SECOND) - size
            if FRAME <= missing <= MOST_SILENCE * BYTES_PER_SECOND:
                with file.open("ab") as end:
                    end.write(bytes(missing - missing % FRAME))
        except OSError as error:  # then it is a little shorter
            log.info("recording_not_filled", recording=running.recording, why=error.strerror)

    async def _stop(self, node: str, leg: str) -> float:
        """When it was, by the loop's clock."""
        await self._client(node).action("StopMixMonitor", {"Channel": leg})
        self._stopped[node, leg] = stopped_at = _now()
        asyncio.get_running_loop().call_later(SETTLES, self._stopped.pop, (node, leg), None)
        return stopped_at

    def _client(self, node: str) -> AmiClient:
        client = self._clients.get(node)
        if client is None:
            raise CommandError(Refusal.NODE_AWAY, f"no node is called {node!r}")
        return client


def _refused(said: Message) -> CommandError:
    message = said.get("message", "")
    return CommandError(Refusal.GONE if "No such channel" in message else Refusal.REFUSED, message)


def _check_room(folder: Path) -> None:
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        raise CommandError(Refusal.REFUSED, f"folder of recordings: {error.strerror}") from error
    if disk.f_bavail * disk.f_frsize < LEAST_FREE:
        raise CommandError(Refusal.REFUSED, "no space left for recordings")


async def _check_begun(file: Path) -> None:
    for pause in _LOOK_AFTER:
        await asyncio.sleep(pause)
        if _size(file) is not None:
            return
    raise CommandError(Refusal.REFUSED, "Asterisk could not create the file of the recording")


def _size(file: Path) -> int | None:
    """Bytes; None: there is no such file."""
    try:
        return file.stat().st_size
    except OSError:
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
