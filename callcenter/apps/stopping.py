"""How our processes are asked to end."""

import asyncio
import signal


def told_to_stop(stop: asyncio.Event | None = None) -> asyncio.Event:
    """Set once SIGTERM or SIGINT has come. To be called within the loop."""
    stop = stop or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
