"""SIPp as the load: agents' phones that are answered at once, and callers at a steady rate."""

import asyncio
import contextlib
import csv
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callcenter.runtime.secrets import Phone

SCENARIOS = Path(__file__).parent / "sipp"
TIME_LIMIT = 90
"""Seconds; a run that takes longer has failed."""


class SippError(Exception):
    """SIPp could not do its part; the message is its own."""


@dataclass(frozen=True, slots=True)
class Traced:
    """One message as SIPp saw it."""

    at: datetime
    sent: bool
    sip_call: str
    first_line: str


@dataclass(slots=True)
class Sipp:
    """One SIPp on ``port``; its files are in ``folder``."""

    folder: Path
    name: str
    port: int
    server: tuple[str, int]
    media_port: int

    @property
    def _counts(self) -> Path:
        return self.folder / f"{self.name}.csv"

    @property
    def _trace(self) -> Path:
        return self.folder / f"{self.name}.messages"

    async def start(self, scenario: str, *arguments: str) -> asyncio.subprocess.Process:
        """Play a scenario. Raises SippError."""
        command = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(self.port), "-mp", str(self.media_port)]
        command += [
            "-nostdin",
            "-trace_stat",
            "-stf",
            str(self._counts),
            "-fd",
            "1",
            "-trace_shortmsg",
            "-shortmessage_file",
            str(self._trace),
        ]
        command += ["-trace_err", "-error_file", str(self.folder / f"{self.name}.errors"), *arguments, f"{self.server[0]}:{self.server[1]}"]
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={"TERM": "dumb", "PATH": "/usr/local/bin:/usr/bin:/bin"},
                cwd=self.folder,
            )
        except FileNotFoundError:
            raise SippError("SIPp is not installed; install the package 'sip-tester'") from None

    async def play(self, scenario: str, *arguments: str, within: float = TIME_LIMIT) -> int:
        """Play a scenario to its end, for so many seconds at most; return how many of its calls failed. Raises SippError."""
        process = await self.start(scenario, *arguments)
        try:
            code = await asyncio.wait_for(process.wait(), within)
        except TimeoutError:
            raise SippError(f"{self.name}: not at the end after {within:.0f} s; {self.errors()}") from None
        finally:
            await end(process)
        if code not in (0, 1):  # 1: at least one call failed
            raise SippError(f"{self.name}: SIPp ended with {code}; {self.errors()}")
        return self.failed()

    @contextlib.asynccontextmanager
    async def playing(self, scenario: str, *arguments: str) -> AsyncIterator[None]:
        """Play a scenario without end while the block runs."""
        process = await self.start(scenario, *arguments)
        try:
            yield
            if process.returncode is not None:
                raise SippError(f"{self.name}: SIPp ended with {process.returncode}; {self.errors()}")
            await asyncio.sleep(1.1)  # it writes its counts every second
        finally:
            await end(process)

    def failed(self) -> int:
        """Calls that did not go as the scenario says."""
        with self._counts.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        return int(rows[-1]["FailedCall(C)"]) if rows else 0

    def errors(self) -> str:
        """The beginning of what it complained about."""
        file = self.folder / f"{self.name}.errors"
        return " ".join(file.read_text(errors="replace").split())[:500] if file.exists() else "no complaint"

    def messages(self) -> Iterable[Traced]:
        """What was sent and received, in order."""
        with self._trace.open(errors="replace") as file:
            for line in file:
                fields = line.rstrip("\n").split("\t")
                if len(fields) >= 7 and fields[3] in ("S", "R"):
                    yield Traced(datetime.fromtimestamp(float(fields[2]), UTC), fields[3] == "S", fields[4], fields[6])


def caller_numbers(folder: Path, first: int, count: int) -> Path:
    """A file for SIPp with so many callers' numbers, in E.164 and valid: from the ``first`` on, no two are alike."""
    file = folder / "caller-numbers.csv"
    file.write_text("\n".join(["SEQUENTIAL", *(f"+1212{2_000_000 + number};" for number in range(first, first + count))]) + "\n")
    return file


async def end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


async def register(sipp: Sipp, phones: Sequence[Phone]) -> None:
    """Register all phones at the port that will play them. Raises SippError."""
    accounts = sipp.folder / "phones.csv"
    lines = [f"{phone.endpoint};[authentication username={phone.endpoint} password={phone.password}]" for phone in phones]
    accounts.write_text("\n".join(["SEQUENTIAL", *lines]) + "\n")
    accounts.chmod(0o600)
    failed = await sipp.play("register", "-inf", str(accounts), "-m", str(len(phones)), "-r", "50")
    if failed:
        raise SippError(f"{failed} of {len(phones)} phones could not register; {sipp.errors()}")
