"""SIPp as the far end: a caller who hangs up or is hung up on, a carrier that answers, a registrar."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

SCENARIOS = Path(__file__).parent / "scenarios"


async def run(scenario: str, target: str, *arguments: str, calls: int = 1, address: str = "127.0.0.1") -> int:
    """Play a scenario against ``target`` to its end; SIPp's exit code: 0 when every call went as written."""
    async with playing(scenario, target, *arguments, calls=calls, address=address) as process:
        return await asyncio.wait_for(process.wait(), 60)


@contextlib.asynccontextmanager
async def playing(
    scenario: str, target: str, *arguments: str, calls: int = 1, address: str = "127.0.0.1", port: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Play a scenario beside the test; it is ended with the block."""
    command = [
        "sipp",
        "-sf",
        str(SCENARIOS / f"{scenario}.xml"),
        "-i",
        address,
        "-m",
        str(calls),
        "-nostdin",
        "-timeout",
        "50s",
        "-timeout_error",
    ]
    if port is not None:
        command += ["-p", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command,
        *arguments,
        target,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"TERM": "dumb", "PATH": "/usr/bin:/bin"},
        cwd="/tmp",
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
