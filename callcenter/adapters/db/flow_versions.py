"""The published flows in PostgreSQL: every version with its recordings, and which are in use; a copy of the engine's disk."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.tables import flow_recording, flow_use, flow_version
from callcenter.adapters.db.transaction import transaction


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version as it was published."""

    flow: str
    version: int
    at: datetime
    author: str
    note: str
    sha256: str
    document: str
    about: str
    """The whole of ``version.json``, as the store on the disk wrote it."""
    recordings: Mapping[str, bytes]
    """By the name of the file in the version's folder."""


class PostgresFlows:
    """Everything raises StoreAway, StoreRefused."""

    def __init__(self, engine: AsyncEngine, *, patience: float = 30.0) -> None:
        self._engine = engine
        self._patience = patience

    async def known(self) -> frozenset[tuple[str, int, str]]:
        """Flow, number and hash of the versions that are there."""
        async with transaction(self._engine, self._patience) as connection:
            rows = await connection.execute(select(flow_version.c.flow, flow_version.c.version, flow_version.c.sha256))
            return frozenset((row.flow, row.version, row.sha256) for row in rows)

    async def keep(self, version: KeptVersion) -> None:
        async with transaction(self._engine, self._patience) as connection:
            this = {"flow": version.flow, "version": version.version}
            for table in (flow_recording, flow_version):
                await connection.execute(delete(table).where(table.c.flow == version.flow, table.c.version == version.version))
            row = {"at": version.at, "author": version.author, "note": version.note, "sha256": version.sha256}
            await connection.execute(insert(flow_version).values(**this, **row, document=version.document, about=version.about))
            if version.recordings:
                recordings = [{**this, "name": name, "content": content} for name, content in version.recordings.items()]
                await connection.execute(insert(flow_recording), recordings)

    async def use(self, state: str) -> None:
        """What ``in-use.json`` says now."""
        async with transaction(self._engine, self._patience) as connection:
            row = upsert(flow_use).values(one=True, state=json.loads(state))
            await connection.execute(row.on_conflict_do_update(index_elements=["one"], set_={"state": row.excluded.state}))

    async def all(self) -> tuple[Sequence[KeptVersion], str]:
        """Every version, and what ``in-use.json`` said last; empty: nothing was ever published."""
        async with transaction(self._engine, self._patience) as connection:
            rows = (await connection.execute(select(flow_version).order_by(flow_version.c.flow, flow_version.c.version))).all()
            recordings = (await connection.execute(select(flow_recording))).all()
            used = (await connection.execute(select(flow_use.c.state))).scalar()
        heard: dict[tuple[str, int], dict[str, bytes]] = {}
        for each in recordings:
            heard.setdefault((each.flow, each.version), {})[each.name] = bytes(each.content)
        versions = [
            KeptVersion(
                *(row.flow, row.version, row.at, row.author, row.note, row.sha256, row.document, row.about),
                recordings=heard.get((row.flow, row.version), {}),
            )
            for row in rows
        ]
        return versions, "" if used is None else json.dumps(used, indent=1)
