"""Two-channel recording by MixMonitor on the caller's leg.

Measured on 22.10.1: option D writes headerless 16-bit samples at the rate of the leg's codec (8 kHz for G.711), left
what the leg says, right what it hears; a leg is found by its id; the file is created within 10 ms. When it cannot be
created or written, AMI says ``Success`` all the same and only Asterisk's log knows: so we look for the file ourselves,
where the folder is on this machine. What was recorded is in the file only after StopMixMonitor or the end of the leg;
Asterisk writes in blocks of some seconds.

Two recordings of one leg, one right after the other, with another party on the other side: about every second time the right channel
of the second one is silent, because what comes with lower sequence numbers is taken for late (docs/asterisk.md). A short while after the
first has ended Asterisk has forgotten that, so the second one begins no sooner.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path

from callcenter.adapters.ami.client import AmiClient, Message
from callcenter.domain.events import Refusal
from callcenter.services.ports import CommandError

TWO_CHANNELS = "D"
"""Interleaves both directions; the extension must then be ``.raw``."""
LEAST_FREE = 64 * 2**20
"""Bytes that must be free before a recording begins; a full disk would end it silently."""

SETTLES = 0.15
"""Seconds between the end of a leg's recording and the next one's beginning."""

_RECORDING = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_LOOK_AFTER = (0.01, 0.02, 0.05, 0.1, 0.3, 0.5)
"""Seconds between looks for the file."""


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

    async def start(self, node: str, leg: str, recording: str) -> None:
        """Write both directions into ``<recording>.raw`` in the node's folder of recordings. Raises CommandError."""
        if not _RECORDING.fullmatch(recording):  # it names a file
            raise CommandError(Refusal.REFUSED, "not a name of a recording")
        folder = self._folders.get(node)
        if folder is not None:
            if _is_there(folder / f"{recording}.raw"):
                return  # begun already, by us before a restart
            _check_room(folder)
        await asyncio.sleep(max(0.0, self._stopped.get((node, leg), 0.0) + SETTLES - asyncio.get_running_loop().time()))
        said = await self._client(node).action("MixMonitor", {"Channel": leg, "File": f"{recording}.raw", "Options": TWO_CHANNELS})
        if said.get("response") != "Success":
            self._proven.discard(node)
            raise _refused(said)
        if folder is not None and node not in self._proven:
            await _check_begun(folder / f"{recording}.raw")
            self._proven.add(node)

    async def stop(self, node: str, leg: str, recording: str) -> None:
        """Stop all recording of the leg; one that is gone, or not recorded, is success. Raises CommandError(NODE_AWAY)."""
        await self._client(node).action("StopMixMonitor", {"Channel": leg})
        loop = asyncio.get_running_loop()
        self._stopped[node, leg] = loop.time()
        loop.call_later(SETTLES, self._stopped.pop, (node, leg), None)

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
        if _is_there(file):
            return
    raise CommandError(Refusal.REFUSED, "Asterisk could not create the file of the recording")


def _is_there(file: Path) -> bool:
    return file.exists()
