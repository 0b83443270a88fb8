"""The engine of a center whose node is not there, as a process: ``-m callcenter.apps.bench.fake_center_engine FILE NODE LAGS``.

The real engine with its journal, checkpoints and control socket; only the telephony port leads to a ``FakeNodeServer``. ``LAGS`` is
where it writes how late its loop was since the last SIGUSR1, when it is told to stop.
"""

import asyncio
import contextlib
import json
import secrets as randomness
import signal
import sys
from pathlib import Path
from time import perf_counter

from callcenter.apps import garbage
from callcenter.apps.bench.fake_node import RemoteTelephony
from callcenter.apps.engine import journal_folder
from callcenter.domain.ids import Ids
from callcenter.runtime.data_folder import data_folder
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import load
from callcenter.services.clock import SteadyClock
from callcenter.services.control import ControlServer
from callcenter.services.desk import Desk
from callcenter.services.engine import Engine
from callcenter.services.fact_codec import dump, encode
from callcenter.services.journal import Journal
from callcenter.services.notices import NoticeRing
from callcenter.services.survival import keep_checkpoints, restore_center, write_checkpoint

SAMPLE_EVERY = 0.005
"""Seconds between two looks at how late the loop is."""


async def _reload() -> str:
    return "nothing to reload here"


async def serve(file: Path, node: Path, lags: Path) -> None:
    """Until SIGTERM."""
    settings = load(file)
    secrets = load_secrets(settings.data, [agent.name for agent in settings.agents])
    journal = Journal(journal_folder(settings))
    center, seq = restore_center(journal, settings.center_config(secrets.endpoints), Ids(randomness.token_hex(16)))
    clock = SteadyClock(not_before=center.state.at)
    notices = NoticeRing(encode, dump=dump)
    notices.begin_at(seq)
    engine = Engine(center, journal, clock, notices.put, notices.change_rules)
    engine.seq = seq
    control = ControlServer(data_folder(settings).control_socket, secrets.control_token, Desk(engine, clock, _reload).handle, notices)
    telephony = RemoteTelephony(settings.nodes[0].name, node, engine.tell, engine.on_connect)
    stopping, late = asyncio.Event(), list[float]()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, late.clear)
    garbage.settle()
    await control.start()
    work = [engine.run(telephony), keep_checkpoints(engine, journal), _measure(late)]
    tasks = [asyncio.ensure_future(part) for part in work]
    waiting = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiting):
        task.cancel()
    await asyncio.gather(*tasks, waiting, return_exceptions=True)
    await control.stop()
    write_checkpoint(journal, engine.seq, list(engine.center.checkpoint()))
    journal.close()
    await asyncio.to_thread(lags.write_text, json.dumps(late))
    for task in done:
        with contextlib.suppress(asyncio.CancelledError):
            task.result()


async def _measure(late: list[float]) -> None:
    """By how much each sleep was too long, in milliseconds: what anything else on the loop would have waited."""
    while True:
        began = perf_counter()
        await asyncio.sleep(SAMPLE_EVERY)
        late.append(round(1000 * max(0.0, perf_counter() - began - SAMPLE_EVERY), 3))


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(*map(Path, sys.argv[1:4])))
