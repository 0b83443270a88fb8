"""One Asterisk node on this machine: its folder, its files, its process.

The process is nobody's child that matters: killed supervisors leave it running with its calls, and the
next one adopts it by the pid file (pid and start time, so that a reused pid is never taken for ours).
"""

import asyncio
import json
import os
import pwd
import select
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from callcenter.runtime import asterisk_media
from callcenter.runtime.asterisk_render import hosts, render
from callcenter.runtime.asterisk_root import Installation, find
from callcenter.runtime.process import Process
from callcenter.runtime.secrets import AMI_OPERATIONS_USER, Secrets
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_model import NodeSection

WRITABLE = ("run", "log", "spool", "lib")
READABLE = ("etc", "share")
ETC_OF_ROOT = (
    *("alternatives", "ca-certificates", "gai.conf", "group", "host.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime"),
    *("nsswitch.conf", "passwd", "protocols", "services", "ssl"),
)
"""What Asterisk needs of the private root's ``/etc``."""
PID_FILE = "asterisk.json"


class AsteriskError(Exception):
    """The node could not be started or stopped; the message says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who Asterisk runs as."""

    uid: int
    gid: int


def account() -> Account | None:
    """An account that owns nothing, when we are root; else None: ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


class AsteriskNode:
    """A node of ours.

    ``die_with_us``: Asterisk ends with the thread that started it; for tests and the demo only.
    """

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        node: NodeSection,
        installation: Installation | None = None,
        die_with_us: bool = False,
    ) -> None:
        self.settings = settings
        self.secrets = secrets
        self.node = node
        self.folder = settings.data / "nodes" / node.name
        self.installation = installation or find()
        self.die_with_us = die_with_us
        self.process: Process | None = None

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def recordings(self) -> Path:
        """Where MixMonitor writes when it is given a bare file name."""
        return self.folder / "spool" / "recording"

    @property
    def queue_log(self) -> Path:
        return self.folder / "log" / "queue_log"

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.node.http_port}/ari"

    # --- files -----------------------------------------------------------------------------

    def write_files(self) -> tuple[str, ...]:
        """Make the node's folder and everything Asterisk reads; return the modules that a running one must reload."""
        self._make_folders()
        asterisk_media.provide(self.settings, self.folder, self.installation)
        if self.node.sip_tls_port is not None:
            asterisk_media.provide_certificate(self.settings, self.node, self.folder)
        reload = render(self.settings, self.secrets, self.node, self.folder)
        (self.folder / "hosts").write_text(hosts(), encoding="utf-8")
        (self.folder / "hosts").chmod(0o644)
        return reload

    def write_prompts(self) -> None:
        """Put new prompts where a running Asterisk finds them; it need not be told. Raises PromptError, OSError."""
        asterisk_media.provide_prompts(self.settings, self.folder)

    def _make_folders(self) -> None:
        who = account()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        for name in (*READABLE, *WRITABLE):
            place = self.folder / name
            place.mkdir(exist_ok=True)
            place.chmod(0o750)
            if who is not None:
                os.chown(place, who.uid if name in WRITABLE else 0, who.gid)
        for place in (self.recordings, self.folder / "lib" / "keys"):
            place.mkdir(exist_ok=True)
            place.chmod(0o750)
            if who is not None:
                os.chown(place, who.uid, who.gid)
        monitor = self.folder / "spool" / "monitor"  # MixMonitor writes bare names there
        if not monitor.is_symlink():
            monitor.symlink_to("recording")

    # --- process ---------------------------------------------------------------------------

    def is_running(self) -> bool:
        return self.process is not None and self.process.is_running()

    def adopt(self) -> bool:
        """Take over an Asterisk that a former supervisor left running in this folder; say whether there was one."""
        self.process = Process.read(self.folder / PID_FILE)
        return self.process is not None

    async def start(self, within: float = 30.0) -> None:
        """Write the files, start Asterisk, and return when ARI answers. Raises AsteriskError."""
        if self.is_running() or self.adopt():
            raise AsteriskError(f"node {self.name}: Asterisk runs already (pid {self.process.pid if self.process else '?'})")
        await self._until_ports_are_free()
        await asyncio.to_thread(self.write_files)
        spawned = self._spawn()
        ends = time.monotonic() + within
        while not await self.answers():
            if spawned.poll() is not None:
                raise AsteriskError(f"node {self.name}: Asterisk ended at once with {spawned.returncode}: {self._last_words()}")
            if time.monotonic() > ends:
                await self.stop()
                raise AsteriskError(f"node {self.name}: Asterisk does not answer on port {self.node.http_port} after {within:.0f} s")
            await asyncio.sleep(0.05)

    async def stop(self, within: float = 15.0) -> None:
        """End Asterisk and all its calls. It is asked first."""
        if self.process is not None:
            await self.process.end(within)
            self.process = None
        (self.folder / PID_FILE).unlink(missing_ok=True)

    def kill(self) -> None:
        """End Asterisk as a crash would, and return when it is gone; for tests."""
        if self.process is not None:
            self.process.send(signal.SIGKILL)
            ends = time.monotonic() + 5
            while self.process.is_running() and time.monotonic() < ends:
                time.sleep(0.01)

    async def _until_ports_are_free(self, within: float = 2.0) -> None:
        """A predecessor that was killed holds its ports a moment longer than its name.

        Raises AsteriskError for a port that another program has.
        """
        ends = time.monotonic() + within
        while True:
            try:
                return self._refuse_ports_in_use()
            except AsteriskError:
                if time.monotonic() > ends:
                    raise
            await asyncio.sleep(0.05)

    async def answers(self) -> bool:
        """Whether this Asterisk has fully booted: before that, ARI refuses our WebSocket."""
        try:
            async with asyncio.timeout(2):
                return await self._fully_booted()
        except (OSError, TimeoutError):
            return False

    async def _fully_booted(self) -> bool:
        """Sign in to the AMI, which says so once it is true."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.node.ami_port)
        try:
            writer.write(
                f"Action: Login\r\nUsername: {AMI_OPERATIONS_USER}\r\nSecret: {self.secrets.ami_operations_password}\r\n\r\n".encode()
            )
            async for line in reader:
                if line.startswith(b"Response: Error"):
                    return False
                if line.startswith(b"Event: FullyBooted"):
                    return True
        finally:
            writer.close()
        return False

    def _refuse_ports_in_use(self) -> None:
        """Asterisk would come up without the port, and only its log would tell."""
        node = self.node
        wanted = [
            ("http_port", "127.0.0.1", node.http_port, socket.SOCK_STREAM),
            ("ami_port", "127.0.0.1", node.ami_port, socket.SOCK_STREAM),
            ("sip_port", node.bind, node.sip_port, socket.SOCK_DGRAM),
            ("sip_port", node.bind, node.sip_port, socket.SOCK_STREAM),
        ]
        if node.sip_tls_port is not None:
            wanted.append(("sip_tls_port", node.bind, node.sip_tls_port, socket.SOCK_STREAM))
        for key, address, port, kind in wanted:
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((address, port))
                except OSError as error:
                    raise AsteriskError(
                        f"node {node.name}: {key} {port} on {address} cannot be used ({error.strerror}); "
                        f"stop what uses it, or choose another {key} for the node in {self.settings.file}"
                    ) from None

    def _spawn(self) -> "subprocess.Popen[bytes]":
        told, tell = os.pipe()
        try:
            with (self.folder / "console.log").open("ab") as console:
                spawned = subprocess.Popen(
                    self._command(tell),
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                    pass_fds=[tell],
                    start_new_session=True,
                    cwd="/",
                    env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/"},
                )
        finally:
            os.close(tell)
        pid = _child_pid(told) if self.installation.root else spawned.pid
        os.close(told)
        if pid is not None and self.installation.root and self.die_with_us and account() is not None:
            pid = _only_child(pid)
        self.process = Process.of(pid or spawned.pid, spawned)
        if self.process is None:
            raise AsteriskError(f"node {self.name}: Asterisk could not be started: {self._last_words()}")
        self.process.write(self.folder / PID_FILE)
        return spawned

    def _command(self, tell: int) -> list[str]:
        drop = self._as_account()
        asterisk = [self.installation.program, "-f", "-n", "-C", str(self.folder / "etc" / "asterisk.conf")]
        if self.installation.root is None:
            return [*(drop or ["setpriv"]), "--pdeathsig=KILL", *asterisk] if self.die_with_us else [*drop, *asterisk]
        sandbox = [*self._sandbox(self.installation.root), "--info-fd", str(tell)]
        if self.die_with_us:
            sandbox.append("--die-with-parent")
            if account() is not None:
                # bwrap, root without rights, may not signal another account; but its own first process, whose end ends the namespace.
                sandbox.append("--unshare-pid")
        return [*sandbox, "--", *drop, *asterisk]

    def _as_account(self) -> list[str]:
        who = account()
        if who is None:
            return []
        return [
            "setpriv",
            f"--reuid={who.uid}",
            f"--regid={who.gid}",
            "--clear-groups",
            "--no-new-privs",
            "--bounding-set=-all",
            "--inh-caps=-all",
        ]

    def _sandbox(self, root: Path) -> list[str]:
        """A file system of the private root, read-only, with the node's folder at its own path and nothing else of the machine."""
        command = ["bwrap", "--ro-bind", str(root / "usr"), "/usr", "--dev", "/dev", "--proc", "/proc"]
        command += ["--perms", "0755", "--dir", "/etc", "--perms", "1777", "--tmpfs", "/tmp"]
        for entry in (*(root / name for name in ("bin", "sbin", "lib", "lib64")), *(root / "etc" / name for name in ETC_OF_ROOT)):
            inside = f"/{entry.relative_to(root)}"
            if entry.is_symlink():
                command += ["--symlink", os.readlink(entry), inside]
            elif entry.exists():
                command += ["--ro-bind", str(entry), inside]
        command += ["--ro-bind", str(self.folder / "hosts"), "/etc/hosts", "--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]
        for parent in reversed([self.folder, *self.folder.parents][:-1]):  # else bwrap makes them as closed as they may be here
            command += ["--perms", "0755", "--dir", str(parent)]
        for name in READABLE:
            command += ["--ro-bind", str(self.folder / name), str(self.folder / name)]
        for name in WRITABLE:
            command += ["--bind", str(self.folder / name), str(self.folder / name)]
        return command

    def console_command(self, command: str) -> list[str]:
        """A program that puts ``command`` to the running Asterisk's command line and prints the answer; for doctor and tests."""
        ask = [self.installation.program, "-C", str(self.folder / "etc" / "asterisk.conf"), "-rx", command]
        if self.installation.root is None:
            return ask
        return [*self._sandbox(self.installation.root), "--", *self._as_account(), *ask]

    def _last_words(self) -> str:
        """The last line that says what went wrong."""
        lines: list[str] = []
        for file in (self.folder / "console.log", self.folder / "log" / "messages"):
            if file.exists():
                lines += file.read_text(encoding="utf-8", errors="replace").splitlines()[-200:]
        telling = [line for line in lines if "ERROR" in line or "bwrap" in line or "setpriv" in line or "nable" in line]
        return (telling or lines or ["it said nothing"])[-1].strip()


def _child_pid(told: int) -> int | None:
    """The pid that bwrap reports for the program in the sandbox."""
    answer = b""
    ready = select.poll()  # select() knows no descriptor above 1023, and a busy center has more
    ready.register(told, select.POLLIN)
    while ready.poll(10_000):
        chunk = os.read(told, 4096)
        if not chunk:
            break
        answer += chunk
        if b"}" in answer:
            break
    try:
        return int(json.loads(answer)["child-pid"])
    except (ValueError, KeyError):
        return None


def _only_child(pid: int) -> int | None:
    """What the first process of the sandbox's own pid namespace has started."""
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return None
        if children:
            return int(children[0])
        time.sleep(0.002)
    return None
