"""The consoles of ``bench consoles`` but one, a process of their own: ``-m callcenter.apps.bench.console_clients ADDRESS FILE``.

``FILE`` holds, as JSON, the cookie of each person, and how many of them have a wallboard open, too. It signs nobody in, shows nothing, and
notes how long after the offer each screen pop was here; told to stop, it writes that down as JSON to its output.
"""

import asyncio
import json
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

WRAP_UP_ENDED_AFTER = 0.5
"""Seconds after which an agent ends her wrap-up: a command of each contact."""
CONNECT_AT_ONCE = 20


class Clients:
    """All of them."""

    def __init__(self, address: str, cookies: list[str], wallboards: int) -> None:
        self._address, self._cookies, self._wallboards = address, cookies, wallboards
        self.pops: list[float] = []
        """Milliseconds from the offer to its event."""
        self.answers: list[float] = []
        """Milliseconds from a command to its answer."""
        self.open = 0
        self.lost = 0
        self.errors: list[str] = []
        self._connecting = asyncio.Semaphore(CONNECT_AT_ONCE)

    async def run(self, stop: asyncio.Event) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, headers={"Origin": self._address}) as session:
            tasks = [asyncio.create_task(self._console(session, cookie)) for cookie in self._cookies]
            tasks += [asyncio.create_task(self._wallboard(session, cookie)) for cookie in self._cookies[: self._wallboards]]
            while self.open < len(tasks) and not stop.is_set():
                await asyncio.sleep(0.1)
            print("open", flush=True)
            await stop.wait()
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if not isinstance(ended, asyncio.CancelledError):
                    self.lost += 1
                    self.errors.append(repr(ended)[:200])

    async def _console(self, session: aiohttp.ClientSession, cookie: str) -> None:
        async with self._connecting:
            socket = await session.ws_connect(f"{self._address}/console/socket", headers={"Cookie": cookie}, max_msg_size=0)
        self.open += 1
        loop, asked, number, wrapping = asyncio.get_running_loop(), dict[str, float](), 0, ""
        async for message in socket:
            told = json.loads(message.data)
            event = told.get("event")
            if event == "offer":
                since = datetime.now(UTC) - datetime.fromisoformat(told["contact"]["offered_at"])
                self.pops.append(1000 * since.total_seconds())
            elif event is None and told.get("id") in asked:
                self.answers.append(1000 * (loop.time() - asked.pop(told["id"])))
            elif event == "agent" and (told["agent"] or {}).get("state") == "wrap_up" and told["agent"]["contact"] != wrapping:
                wrapping, number = told["agent"]["contact"], number + 1
                asked[str(number)] = loop.time() + WRAP_UP_ENDED_AFTER
                loop.call_later(WRAP_UP_ENDED_AFTER, _say, socket, {"id": str(number), "do": "agent_wrap_up_end"})

    async def _wallboard(self, session: aiohttp.ClientSession, cookie: str) -> None:
        async with self._connecting:
            answer = await session.get(
                f"{self._address}/wallboard/events", headers={"Cookie": cookie}, timeout=aiohttp.ClientTimeout(total=None)
            )
        self.open += 1
        async for _ in answer.content.iter_any():
            pass


def _say(socket: aiohttp.ClientWebSocketResponse, command: dict[str, str]) -> None:
    if not socket.closed:
        task = asyncio.ensure_future(socket.send_json(command))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())


async def main(address: str, file: Path) -> None:
    given = json.loads(await asyncio.to_thread(file.read_text))
    clients, stop = Clients(address, given["cookies"], given["wallboards"]), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    with suppress(asyncio.CancelledError):
        await clients.run(stop)
    print(json.dumps({"pops": clients.pops, "answers": clients.answers, "lost": clients.lost, "errors": clients.errors[:5]}), flush=True)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(sys.argv[1], Path(sys.argv[2])))
