"""Two-channel recording by MixMonitor on the caller's leg."""

import re
from collections.abc import Mapping

from callcenter.adapters.ami.client import AmiClient
from callcenter.domain.events import Refusal
from callcenter.services.ports import CommandError

_RECORDING = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
TWO_CHANNELS = "D"
"""Interleaves both directions as 16-bit samples without any header; the extension must then be ``.raw``."""


class MixMonitorRecorder:
    """Implements ``services.ports.Recorder`` with one AMI connection per node."""

    def __init__(self, clients: Mapping[str, AmiClient]) -> None:
        """``clients`` by name of node, signed in as an account with class ``system``."""
        self._clients = clients

    async def start(self, node: str, leg: str, recording: str) -> None:
        """Write both directions into ``<recording>.raw`` in the node's folder of recordings. Raises CommandError."""
        if not _RECORDING.fullmatch(recording):  # it names a file
            raise CommandError(Refusal.REFUSED, "not a name of a recording")
        said = await self._client(node).action("MixMonitor", {"Channel": leg, "File": f"{recording}.raw", "Options": TWO_CHANNELS})
        if said.get("response") != "Success":
            raise _refused(said)

    async def stop(self, node: str, leg: str, recording: str) -> None:
        """Stop all recording of the leg; one that is gone, or not recorded, is success. Raises CommandError(NODE_AWAY)."""
        await self._client(node).action("StopMixMonitor", {"Channel": leg})

    def _client(self, node: str) -> AmiClient:
        client = self._clients.get(node)
        if client is None:
            raise CommandError(Refusal.NODE_AWAY, f"no node is called {node!r}")
        return client


def _refused(said: Mapping[str, str]) -> CommandError:
    message = said.get("message", "")
    return CommandError(Refusal.GONE if "No such channel" in message else Refusal.REFUSED, message)
