"""Records that were set aside because the store refused them, tried again once the cause is gone."""

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from callcenter.services.fact_codec import FactError, load
from callcenter.services.journal_records import Record
from callcenter.services.ledger import PositionMoved, Shipment, Store, StoreRefused


@dataclass(frozen=True, slots=True)
class Retried:
    """How many went into the store, and why the others did not, by file name."""

    shipped: int
    refused: dict[str, str]


async def retry(store: Store, folder: Path) -> Retried:
    """Ship each dead letter again; delete those that are in the store. Shipping goes on beside it. Raises StoreAway."""
    shipped, refused = 0, dict[str, str]()
    for path in _letters(folder):
        try:
            letter = json.loads(path.read_text())
            record = Record(int(letter["seq"]), str(letter["payload"]).encode("ascii"))
            await _ship(store, UUID(letter["journal"]), Shipment(record, load(record.payload)))
        except (FactError, StoreRefused, ValueError, KeyError, TypeError) as error:
            refused[path.name] = " ".join(f"{error}".split())[:300] or type(error).__name__
            continue
        path.unlink()
        shipped += 1
    return Retried(shipped, refused)


def _letters(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


async def _ship(store: Store, journal: UUID, shipment: Shipment) -> None:
    """The store's position stays where it is: it passed this record when it was set aside."""
    while True:
        position = await store.position(journal)
        try:
            return await store.ship(journal, position, [shipment], position)
        except PositionMoved:  # the books shipped something meanwhile
            continue
