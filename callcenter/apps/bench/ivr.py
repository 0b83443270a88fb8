"""``callcenter bench ivr``: many callers in the IVR at once, and how soon after a key each hears the next prompt.

The center is a whole one (``callcenter serve``). Each caller goes round between two menus whose prompts are tones of their own: hears
one to its end, thinks, presses the key that leads to the other. Measured is from the last packet of the RFC 4733 event as it went
out to the first packet of the next prompt that is not silence as the kernel stamped it: everything in between is Asterisk, the engine,
and the way between them. Asterisk believes the first of the three packets that end an event, so the prompt may begin before the
third is out, and the delay is below zero; told beside it is therefore the delay from the first. A key counts as failed when the
prompt heard next is not the one it leads to, or none comes.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from random import Random
from time import monotonic

from rich import box
from rich.console import Console
from rich.table import Table

from callcenter.apps.bench.cpu import cpu_ms
from callcenter.apps.report_tables import WIDE
from callcenter.apps.stage import Stage, node_table
from callcenter.sim.sip.call import Call, CallFailed, NotHeard
from callcenter.sim.sip.ear import StreamClosed
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.tones import TonePair, tone_pair

DID = "+12025550100"
MENUS: dict[str, TonePair] = {"one": (440.0, 620.0), "two": (1000.0, 1800.0)}
PROMPT_S = 0.6
THINKS_S = (1.0, 5.0)
"""From the end of a prompt to the key; evenly spread."""
LISTENS_S = 20.0
ARRIVE_PER_S = 20.0
HEARD_WITHIN_S = 3.0
PROMPT_P99_MS = 250.0

Say = Callable[[str], None]


@dataclass(slots=True)
class Ivr:
    """What came of it."""

    callers: int
    seconds: float = 0.0
    delays: list[float] = field(default_factory=list)
    """Milliseconds from the last packet of the event, one for each key."""
    from_up: list[float] = field(default_factory=list)
    """The same from the first packet that ended the event."""
    failures: list[str] = field(default_factory=list)
    at_once: int = 0
    """The most callers who were in the flow at the same time, as the engine counts."""
    cpu: dict[str, float] = field(default_factory=dict)
    """Parts of one core, by process, while keys were pressed."""

    @property
    def passed(self) -> bool:
        return not self.failures and bool(self.delays) and self.at_once >= self.callers and percentile(self.delays, 0.99) < PROMPT_P99_MS

    def as_json(self) -> dict[str, object]:
        return {
            "callers": self.callers,
            "at_once": self.at_once,
            "keys": len(self.delays),
            "seconds": round(self.seconds, 1),
            "prompt_p50_ms": round(percentile(self.delays, 0.5), 1),
            "prompt_p99_ms": round(percentile(self.delays, 0.99), 1),
            "prompt_most_ms": round(percentile(self.delays, 1.0), 1),
            "from_key_up_ms": {"p50": round(percentile(self.from_up, 0.5), 1), "p99": round(percentile(self.from_up, 0.99), 1)},
            "failed": len(self.failures),
            "failures": self.failures[:10],
            "cores": {name: round(share, 2) for name, share in self.cpu.items()},
            "gate": f"all callers in at once, 0 failed, prompt p99 < {PROMPT_P99_MS:.0f} ms",
            "passed": self.passed,
        }


def percentile(delays: Sequence[float], share: float) -> float:
    """The least that so many of them do not exceed; 0 of none."""
    ranked = sorted(delays)
    return ranked[ceil(share * len(ranked)) - 1] if ranked else 0.0


def tables(callers: int) -> dict[str, object]:
    def menu(name: str, other: str) -> dict[str, object]:
        choices = {"1": other, "#": "end"}
        return {"type": "menu", "prompt": name, "choices": choices, "otherwise": "end", "timeout_s": LISTENS_S, "tries": 1}

    return {
        "center": {"name": "Bench", "time_zone": "UTC"},
        "node": [node_table("bench", legs=callers + 50)],
        "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"]}],
        "number": [{"did": DID, "flow": "round"}],
        "queue": [{"name": "nobody"}],
        "agent": [{"name": "nobody", "queues": ["nobody"]}],
        "prompt": [{"id": name, "source": f"tone:{low:.0f}+{high:.0f}:{PROMPT_S}"} for name, (low, high) in MENUS.items()],
        "flow": {"round": {"start": "one", "node": {"one": menu("one", "two"), "two": menu("two", "one"), "end": {"type": "hang_up"}}}},
    }


class _Bench:
    """One run, on a running stage."""

    def __init__(self, stage: Stage, callers: int, seconds: float, seed: int, say: Say) -> None:
        self._stage = stage
        self._seconds = seconds
        self._chance = Random(seed)
        self._say = say
        self._ends = float("inf")
        """When callers leave, by the loop's time."""
        self._counts = False
        """Whether all are inside, so that keys are measured."""
        self.found = Ivr(callers)

    async def run(self) -> Ivr:
        phone = await Phone.start("carrier", server=self._stage.server, tone=tone_pair(5), keep_audio=False)
        try:
            async with asyncio.TaskGroup() as callers:
                for number in range(self.found.callers):
                    callers.create_task(self._caller(phone, number))
                    self._say(f"{number + 1} of {self.found.callers} callers")
                    await asyncio.sleep(1 / ARRIVE_PER_S)
                await self._measure()
        finally:
            await phone.close()
        return self.found

    async def _measure(self) -> None:
        """From when all are inside."""
        await asyncio.sleep(THINKS_S[1])
        began, before = monotonic(), self._used()
        self._counts = True
        while (left := began + self._seconds - monotonic()) > 0:
            calls = (await self._stage.ask("state")).get("calls")
            self.found.at_once = max(self.found.at_once, len(calls) if isinstance(calls, list) else 0)
            self._say(f"{self.found.at_once} callers in the IVR, {len(self.found.delays)} keys, {left:.0f} s to go")
            await asyncio.sleep(min(5.0, left))
        self._ends = asyncio.get_running_loop().time()
        self.found.seconds = monotonic() - began
        self.found.cpu = {name: (used - before[name]) / 1000 / self.found.seconds for name, used in self._used().items()}

    def _used(self) -> dict[str, float]:
        pids = {"asterisk": self._stage.process("bench").pid, "engine": self._stage.process("engine").pid}
        return {**{name: cpu_ms(pid) for name, pid in pids.items()}, "callers": cpu_ms(os.getpid())}

    async def _caller(self, phone: Phone, number: int) -> None:
        call = await phone.invite(DID, caller_id=f"+1202555{number:04d}")
        try:
            await call.answered()
            await call.hears(MENUS["one"], within=HEARD_WITHIN_S, for_s=0.2)
            await self._goes_round(call)
            await call.hang_up()
        except (CallFailed, NotHeard, StreamClosed, TimeoutError) as error:
            self.found.failures.append(f"caller {number}: {str(error) or type(error).__name__}")
            await call.hang_up()

    async def _goes_round(self, call: Call) -> None:
        there = "two"
        while True:
            await asyncio.sleep(PROMPT_S + self._chance.uniform(*THINKS_S))
            if asyncio.get_running_loop().time() > self._ends:
                return
            counts = self._counts
            sound = asyncio.ensure_future(call.hears_sound(within=HEARD_WITHIN_S))
            try:
                await call.send_digit("1")
                heard_at = await sound
            finally:
                sound.cancel()
            await call.hears(MENUS[there], within=PROMPT_S, for_s=0.2)
            if counts:
                self.found.delays.append(1000 * (heard_at - call.digit_sent_at))
                self.found.from_up.append(1000 * (heard_at - call.digit_up_at))
            there = "one" if there == "two" else "two"


def run(callers: int, seconds: float, seed: int, as_json: bool) -> bool:
    """The command's body; whether the gate was passed. Raises StageError."""
    console = Console(stderr=True, highlight=False)

    async def measure(say: Say) -> Ivr:
        say("starting a center")
        async with Stage(tables(callers)) as stage:
            return await _Bench(stage, callers, seconds, seed, say).run()

    with console.status("starting") as status:
        found = asyncio.run(measure(lambda words: status.update(words)))
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        _print(found)
    return found.passed


def _print(found: Ivr) -> None:
    out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    title = f"{found.callers} callers in the IVR, {len(found.delays)} keys in {found.seconds:.0f} s"
    table = Table("to the next prompt, ms, from", box=box.SIMPLE_HEAD, title=title)
    for name in ("p50", "p90", "p99", "most"):
        table.add_column(name, justify="right")
    shares = (0.5, 0.9, 0.99, 1.0)
    for since, delays in (("last packet of the key", found.delays), ("first that ended it", found.from_up)):
        table.add_row(since, *(f"{percentile(delays, share):.1f}" for share in shares))
    out.print(table)
    for failure in found.failures[:10]:
        out.print(failure)
    used = ", ".join(f"{name} {share:.2f}" for name, share in found.cpu.items())
    out.print(f"{len(found.failures)} failed; at most {found.at_once} inside at once; cores used: {used}")
    out.print(f"gate (all inside at once, 0 failed, p99 < {PROMPT_P99_MS:.0f} ms): {'passed' if found.passed else 'MISSED'}")
