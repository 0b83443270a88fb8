"""A real Asterisk for tests: on free ports of the loopback, in a folder of its own, gone with the test.

    async with asterisk_node() as pbx:
        pbx.ari_url, pbx.secrets.ari_password, pbx.phone("alice").endpoint, pbx.sip_port ...

It ends with the thread that started it, so a test that is killed leaves nothing behind.
"""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callcenter.runtime.asterisk import AsteriskNode
from callcenter.runtime.ports import free_ports, rtp_ranges
from callcenter.runtime.secrets import ARI_USER, Phone, Secrets, load_secrets
from callcenter.runtime.settings import DEFAULT_FILE, Settings, parse
from callcenter.sim.sip.tones import TonePair, tone_pair

DID = "+18005550100"
WELCOME_TONES = (440.0, 620.0)
MENU_TONES = (500.0, 700.0)
MUSIC_TONES = (350.0, 450.0)
CONNECTED_TONES = (1080.0, 1280.0)
BEEP_TONES = (1120.0, 1320.0)
ACCEPT_TONES = (1040.0, 1240.0)
PROMPT_TONES: dict[str, TonePair] = {
    "enter-code": tone_pair(3),
    "you-entered": tone_pair(14),
    "en-1": tone_pair(25),
    "en-2": tone_pair(36),
    "en-3": tone_pair(47),
    "en-4": tone_pair(53),
    "you-are-next": tone_pair(5),
    "your-position-is": tone_pair(16),
    "comfort": tone_pair(28),
    "your-wait-is-under": tone_pair(9),
    "en-minute": tone_pair(41),
    "callback-offer": tone_pair(20),
    "voicemail-greeting": tone_pair(11),
    "voicemail-review": tone_pair(32),
    "voicemail-kept": tone_pair(45),
    "voicemail-not-recorded": tone_pair(58),
    "voicemail-pin": tone_pair(22),
    "voicemail-menu": tone_pair(56),
    "voicemail-no-more": tone_pair(34),
    "voicemail-wrong-pin": tone_pair(13),
    "you-listen": tone_pair(0),
    "you-whisper": tone_pair(12),
    "you-are-in-the-call": tone_pair(1),
    "the-caller-is-yours": tone_pair(2),
    "supervisor-listens": tone_pair(4),
    "you-have-a-notice": tone_pair(15),
}
"""Prompts that stories recognise one by one, also in the middle of others."""


def raw_settings(data: Path, nodes: Iterable[str] = ("node1",), **tables: Any) -> dict[str, Any]:
    """Settings as the file would hold them: agents alice and bob, queue support, a trunk from 127.0.0.1, tones for prompts and music.

    ``tables`` replace whole tables by name.
    """
    names = tuple(nodes)
    raw: dict[str, Any] = {
        "center": {"name": "Test", "time_zone": "America/New_York"},
        "paths": {"data": str(data)},
        "engine": {"agi_port": free_ports(1)[0]},
        "node": [raw_node(name, rtp) for name, rtp in zip(names, rtp_ranges(len(names)), strict=True)],
        "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"]}],
        "number": [{"did": DID, "flow": "main"}],
        "queue": [{"name": "support", "music": "tones", "wrap_up_s": 1}],
        "agent": [{"name": "alice", "queues": ["support"]}, {"name": "bob", "queues": ["support"]}],
        "music": [{"name": "tones", "source": _tone(MUSIC_TONES, 4)}],
        "prompt": [
            {"id": "welcome", "source": _tone(WELCOME_TONES, 1)},
            {"id": "menu", "source": _tone(MENU_TONES, 1)},
            {"id": "please-wait", "source": _tone((540.0, 760.0), 0.5)},
            {"id": "goodbye", "source": _tone((600.0, 800.0), 0.5)},
            {"id": "unknown-number", "source": _tone((640.0, 840.0), 0.5)},
            {"id": "not-available", "source": _tone((680.0, 880.0), 0.5)},
            {"id": "not-possible", "source": _tone((720.0, 920.0), 0.5)},
            {"id": "you-are-ready", "source": _tone((760.0, 960.0), 0.5)},
            {"id": "you-are-not-ready", "source": _tone((800.0, 1000.0), 0.5)},
            {"id": "disposition-noted", "source": _tone((880.0, 1080.0), 0.5)},
            {"id": "wrap-up-extended", "source": _tone((920.0, 1120.0), 0.5)},
            {"id": "queue-joined", "source": _tone((960.0, 1160.0), 0.5)},
            {"id": "queue-left", "source": _tone((1000.0, 1200.0), 0.5)},
            {"id": "caller-pays", "source": _tone((1160.0, 1360.0), 0.5)},
            {"id": "press-1-to-accept", "source": _tone(ACCEPT_TONES, 1)},
            {"id": "you-are-connected", "source": _tone(CONNECTED_TONES, 0.5)},
            {"id": "beep", "source": _tone(BEEP_TONES, 0.5)},
            {"id": "wrong-key", "source": _tone((840.0, 1040.0), 0.5)},
            *({"id": prompt, "source": _tone(pair, 0.7)} for prompt, pair in PROMPT_TONES.items()),
        ],
        "flow": {
            "main": {
                "start": "choice",
                "node": {
                    "choice": {"type": "menu", "prompt": "menu", "choices": {"2": "support"}, "otherwise": "support", "timeout_s": 2},
                    "support": {"type": "queue", "queue": "support"},
                },
            }
        },
    }
    return {**raw, **tables}


def raw_node(name: str, rtp: list[int]) -> dict[str, Any]:
    sip, http, ami = free_ports(3)
    return {"name": name, "bind": "127.0.0.1", "sip_port": sip, "http_port": http, "ami_port": ami, "rtp_ports": rtp}


def _tone(frequencies: tuple[float, float], duration: float) -> str:
    return f"tone:{frequencies[0]:.0f}+{frequencies[1]:.0f}:{duration}"


@dataclass
class Pbx:
    """A running node and what one must know to speak to it."""

    settings: Settings
    secrets: Secrets
    node: AsteriskNode
    forgotten: int = 0

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def sip_port(self) -> int:
        return self.node.node.sip_port

    @property
    def ari_url(self) -> str:
        """``http://127.0.0.1:PORT/ari``"""
        return self.node.ari_url

    @property
    def ari_user(self) -> str:
        return ARI_USER

    @property
    def ami_port(self) -> int:
        return self.node.node.ami_port

    def phone(self, agent: str) -> Phone:
        """Endpoint (which is the SIP user name) and password of an agent's phone."""
        return self.secrets.phones[agent]

    @property
    def endpoints(self) -> Mapping[str, str]:
        return self.secrets.endpoints

    def log(self) -> str:
        return (self.node.folder / "log" / "messages").read_text(errors="replace")

    def queue_log(self) -> list[list[str]]:
        """The lines of the fallback's log since ``forget_log``: time, call, queue, agent, event, and what else there is."""
        return [line.split("|") for line in self._queue_log()[self.forgotten :]]

    def forget_log(self) -> None:
        """Let ``queue_log`` begin here; for tests that share a node."""
        self.forgotten = len(self._queue_log())

    def _queue_log(self) -> list[str]:
        file = self.node.queue_log
        return file.read_text().splitlines() if file.exists() else []

    def cli(self, command: str) -> str:
        """Ask the running Asterisk on its command line."""
        asked = subprocess.run(self.node.console_command(command), capture_output=True, text=True, check=False, timeout=30)
        assert asked.returncode == 0, asked.stderr or asked.stdout
        return asked.stdout


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder with a short name: the path of a Unix socket has room for 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="cc-"))
    folder.chmod(0o711)  # an Asterisk from PATH runs as an account that must get through
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def asterisk_nodes(
    names: Iterable[str] = ("node1",), raw: dict[str, Any] | None = None, file: Path | None = None
) -> AsyncIterator[list[Pbx]]:
    """Several nodes of one center, side by side. ``raw`` are whole settings (see ``raw_settings``); its data folder is used as it says.

    ``file`` is where they were read from, as other files lie beside it.
    """
    with short_folder() as folder:
        settings = parse(raw or raw_settings(folder, names), file or DEFAULT_FILE)
        secrets = load_secrets(settings.data, [agent.name for agent in settings.agents])
        running: list[Pbx] = []
        try:
            for section in settings.nodes:
                node = AsteriskNode(settings, secrets, section, die_with_us=True)
                await node.start()
                running.append(Pbx(settings, secrets, node))
            yield running
        finally:
            for pbx in running:
                await pbx.node.stop()


@contextlib.asynccontextmanager
async def asterisk_node(raw: dict[str, Any] | None = None, file: Path | None = None) -> AsyncIterator[Pbx]:
    """One node."""
    async with asterisk_nodes(raw=raw, file=file) as (pbx,):
        yield pbx
