"""What lets an engine go on where the one before it was killed: checkpoints, and the center made from them and the journal."""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from callcenter.domain.center import Center
from callcenter.domain.config import CenterConfig
from callcenter.domain.facts import Fact
from callcenter.domain.ids import Ids
from callcenter.services import fact_codec
from callcenter.services.engine import Engine
from callcenter.services.fact_codec import FactError, decode, encode
from callcenter.services.journal import Journal, JournalError

log = structlog.get_logger(__name__)

CHECKPOINT_EVERY = 60.0


def restore_center(journal: Journal, config: CenterConfig, ids: Ids) -> tuple[Center, int]:
    """The center from the latest checkpoint and the journal after it, and the number of the last record."""
    seq = 0
    facts: list[Fact] = []
    latest = journal.latest_checkpoint()
    if latest is not None:
        seq, content = latest
        kept = content.get("facts")
        facts = [decode(fact) for fact in kept] if isinstance(kept, list) else []
    for record in journal.read_all(after=seq):
        with contextlib.suppress(FactError):  # a kind a newer version wrote; what it meant is not lost, only not known here
            facts += fact_codec.load(record.payload)
        seq = record.seq
    return Center.restore(config, ids, facts), seq


async def keep_checkpoints(engine: Engine, journal: Journal, every: float = CHECKPOINT_EVERY) -> None:
    """One each minute, so that a restart need not read all of the journal."""
    while True:
        await asyncio.sleep(every)
        seq, facts = engine.seq, list(engine.center.checkpoint())  # of one moment: below, more is recorded
        try:
            await journal.sync()
            await asyncio.to_thread(write_checkpoint, journal, seq, facts)
        except JournalError as error:
            log.warning("no_checkpoint", error=str(error))


def write_checkpoint(journal: Journal, seq: int, facts: Sequence[Fact]) -> None:
    """Blocks; facts never change, so another thread may encode them. Raises JournalError."""
    journal.write_checkpoint(seq, {"facts": [encode(fact) for fact in facts]})
