"""The audit trail while the database is away: nothing is lost, and what was cut off is found."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcenter.domain.audit import Anchor, By, Deed, faults
from callcenter.services.people.store import PeopleAway
from callcenter.services.people.trail import ANCHORS, SPOOL, AuditTrail, anchors
from tests.support.people import FakePeople

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
BY = By("sue", "session 1", "192.0.2.1")


def trail(store: FakePeople, folder: Path) -> AuditTrail:
    return AuditTrail(store, folder, lambda: AT)


async def test_what_happens_while_the_database_is_away_is_written_when_it_is_back(tmp_path: Path) -> None:
    store = FakePeople()
    store.away = True
    for n in range(3):
        await trail(store, tmp_path).note(Deed("listened", f"contact {n}", "training", after={"mode": "whisper"}), BY)
    with pytest.raises(PeopleAway):
        await trail(store, tmp_path).drain()
    assert store.trail == []
    store.away = False
    await store.note(Deed("listened", "contact 9"), BY)
    assert await trail(store, tmp_path).drain() == 3
    assert await trail(store, tmp_path).drain() == 0
    assert [entry.deed.of for entry in store.trail] == ["contact 9", "contact 0", "contact 1", "contact 2"]
    assert store.trail[1].deed.after == {"mode": "whisper", "happened_at": AT.isoformat()}
    assert (store.trail[1].by, list(faults(store.trail))) == (BY, [])


async def test_a_database_that_leaves_in_the_middle_gets_the_rest_later(tmp_path: Path) -> None:
    store = FakePeople()
    store.away = True
    for n in range(4):
        await trail(store, tmp_path).note(Deed("listened", f"contact {n}"), BY)
    store.away = False
    written = store.note

    async def two_then_away(deed: Deed, by: By) -> object:
        if len(store.trail) == 2:
            store.away = True
        return await written(deed, by)

    store.note = two_then_away  # type: ignore[method-assign,assignment]
    with pytest.raises(PeopleAway):
        await trail(store, tmp_path).drain()
    store.away, store.note = False, written  # type: ignore[method-assign]
    await trail(store, tmp_path).drain()
    assert [entry.deed.of for entry in store.trail] == [f"contact {n}" for n in range(4)]


async def test_a_process_that_dies_while_it_writes_them_loses_none(tmp_path: Path) -> None:
    store = FakePeople()
    store.away = True
    for n in range(3):
        await trail(store, tmp_path).note(Deed("listened", f"contact {n}"), BY)
    store.away, dies, written = False, asyncio.Event(), store.note

    async def once_and_never_again(deed: Deed, by: By) -> object:
        if store.trail:
            dies.set()
            await asyncio.Event().wait()
        return await written(deed, by)

    store.note = once_and_never_again  # type: ignore[method-assign,assignment]
    draining = asyncio.create_task(trail(store, tmp_path).drain())
    await dies.wait()
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)
    store.note = written  # type: ignore[method-assign]
    store.away = True
    await trail(store, tmp_path).note(Deed("listened", "contact 3"), BY)
    store.away = False
    await trail(store, tmp_path).drain()
    assert [entry.deed.of for entry in store.trail] == ["contact 0", "contact 1", "contact 2", "contact 3"]
    assert (tmp_path / SPOOL).stat().st_size == 0


async def test_many_processes_keep_theirs_side_by_side(tmp_path: Path) -> None:
    store = FakePeople()
    store.away = True
    await asyncio.gather(*(trail(store, tmp_path).note(Deed("listened", f"contact {n}"), BY) for n in range(50)))
    store.away = False
    assert sum(await asyncio.gather(*(trail(store, tmp_path).drain() for _ in range(3)))) == 50
    assert len({entry.deed.of for entry in store.trail}) == 50


async def test_what_is_kept_is_for_our_eyes_only(tmp_path: Path) -> None:
    store = FakePeople()
    store.away = True
    await trail(store, tmp_path).note(Deed("listened"), BY)
    assert stat.S_IMODE((tmp_path / SPOOL).stat().st_mode) == 0o600


async def test_the_end_of_the_trail_is_anchored_once_for_each_end(tmp_path: Path) -> None:
    store = FakePeople()
    keeper = trail(store, tmp_path)
    await keeper.anchor()
    assert list(anchors(tmp_path)) == []
    for n in range(3):
        await store.note(Deed("listened", f"contact {n}"), BY)
    await keeper.anchor()
    await keeper.anchor()
    assert list(anchors(tmp_path)) == [Anchor(3, store.trail[-1].hash)]
    assert list(faults(store.trail[:2], anchors(tmp_path))) == [
        "the trail ends with entry 2, but entry 3 was anchored: its end was cut off"
    ]


async def test_a_trail_written_anew_with_fitting_hashes_is_found_by_its_anchor(tmp_path: Path) -> None:
    honest, forged = FakePeople(), FakePeople()
    await honest.note(Deed("exported", "leads"), BY)
    await trail(honest, tmp_path).anchor()
    await forged.note(Deed("signed_in"), BY)
    assert list(faults(forged.trail)) == []
    assert list(faults(forged.trail, anchors(tmp_path))) == ["entry 1 is not the one that was anchored: the trail was written anew"]


def test_anchors_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / ANCHORS).write_text("nonsense\n")
    with pytest.raises(json.JSONDecodeError):
        list(anchors(tmp_path))
