"""The engine of ``bench callbacks``, a process of its own: ``python -m callcenter.apps.bench.callbacks_engine FOLDER``."""

import asyncio
import secrets
import sys
from datetime import timedelta
from pathlib import Path

from callcenter.apps.bench.fake_node import RemoteTelephony
from callcenter.domain.config import AgentConfig, CallbackConfig, CallingConfig, CenterConfig, MissPolicy, NumberConfig, QueueConfig
from callcenter.domain.events import AgentLoginRequested, AgentReadyRequested
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import CallbackNode, Flow, HangUpNode, PromptNode
from callcenter.services.clock import SteadyClock
from callcenter.services.engine import Engine
from callcenter.services.journal import Journal
from callcenter.services.survival import keep_checkpoints, restore_center

NODE, DID, QUEUE, PROMISED = "node1", "+18005550100", "support", "callback-promised"
AGENTS = tuple(f"agent-{n}" for n in range(24))
ATTEMPTS = 10
CHECKPOINT_EVERY = 2.0


def journal_of(folder: Path) -> Path:
    return folder / "journal"


def socket_of(folder: Path) -> Path:
    return folder / "node"


def center_config(agent_first: bool) -> CenterConfig:
    """Callers ask for a callback in a flow and are told that it is promised; everything is short."""
    callback = CallbackConfig(
        agent_first=agent_first,
        attempts=ATTEMPTS,
        retry_after=timedelta(seconds=1),
        ring_time=timedelta(seconds=3),
        expires_after=timedelta(hours=1),
    )
    ask = Flow(
        "ask",
        "promise",
        {"promise": CallbackNode(QUEUE, "said", "end"), "said": PromptNode(PROMISED, "end"), "end": HangUpNode()},
    )
    return CenterConfig(
        queues={QUEUE: QueueConfig(QUEUE, ring_timeout=timedelta(seconds=3), wrap_up=timedelta(), record=False, callback=callback)},
        agents={name: AgentConfig(name, f"phone-of-{name}", (QUEUE,)) for name in AGENTS},
        numbers={DID: NumberConfig(DID, "ask")},
        flows={"ask": ask},
        missed_offers=MissPolicy(most=1_000_000, rest=timedelta(milliseconds=500)),
        calling=CallingConfig("carrier"),
    )


async def serve(folder: Path, agent_first: bool) -> None:
    """Go on from the journal, until killed."""
    journal = Journal(journal_of(folder))
    center, seq = restore_center(journal, center_config(agent_first), Ids(secrets.token_hex(16)))
    engine = Engine(center, journal, SteadyClock(not_before=center.state.at))
    engine.seq = seq
    telephony = RemoteTelephony(NODE, socket_of(folder), engine.tell, engine.on_connect)
    for agent in AGENTS:
        engine.tell(AgentLoginRequested(agent))
        engine.tell(AgentReadyRequested(agent))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_checkpoints(engine, journal, CHECKPOINT_EVERY))
        tasks.create_task(engine.run(telephony))


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2] == "agent"))
