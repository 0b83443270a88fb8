"""The shipper's promises, on a store that is a list."""

import errno
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from callcenter.domain import facts as f
from callcenter.domain.events import Cause
from callcenter.services.journal import Journal
from callcenter.services.ledger import PositionMoved, Shipment, Shipper, StoreAway, StoreRefused, as_json

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class Shelf:
    """A store in memory. Records of ``bad`` calls are refused, of ``upsetting`` calls break our folds."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.at = 0
        self.away = False
        self.bad: set[str] = set()
        self.upsetting: set[str] = set()
        self.refusals = 0

    async def position(self, journal: UUID) -> int:
        if self.away:
            raise StoreAway("gone")
        return self.at

    async def ship(self, journal: UUID, after: int, shipments: Sequence[Shipment], upto: int) -> None:
        if self.away:
            raise StoreAway("gone")
        if after != self.at:
            raise PositionMoved("elsewhere")
        calls = [fact.call for shipment in shipments for fact in shipment.facts if isinstance(fact, f.CallEnded)]
        if self.bad & set(calls):
            self.refusals += 1
            raise StoreRefused("what is this?")
        if self.upsetting & set(calls):
            raise ZeroDivisionError("a bug of ours")
        self.calls += calls
        self.at = upto


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def shipper(tmp_path: Path, shelf: Shelf) -> Shipper:
    return Shipper(tmp_path / "journal", shelf, dead_letters=tmp_path / "dead-letters", most=64)


def write(tmp_path: Path, calls: Sequence[str]) -> None:
    journal = Journal(tmp_path / "journal")
    for call in calls:
        journal.append([f.CallEnded(AT, call, Cause.NORMAL)])
    journal.close()


async def ship_all(shipper: Shipper) -> None:
    while await shipper.step():
        pass


HUNDRED = [f"c{n}" for n in range(100)]


async def test_everything_is_shipped_in_order(tmp_path: Path, shipper: Shipper, shelf: Shelf) -> None:
    write(tmp_path, HUNDRED)
    await ship_all(shipper)
    assert (shelf.calls, shelf.at) == (HUNDRED, 100)


@pytest.mark.parametrize("bad", [{"c0"}, {"c50"}, {"c99"}, {"c3", "c4", "c70"}])
async def test_what_is_refused_is_set_aside_and_the_rest_keeps_its_order(
    tmp_path: Path, shipper: Shipper, shelf: Shelf, bad: set[str]
) -> None:
    shelf.bad = bad
    write(tmp_path, HUNDRED)
    await ship_all(shipper)
    assert shelf.calls == [call for call in HUNDRED if call not in bad]
    assert shelf.at == 100
    letters = [json.loads(path.read_text()) for path in sorted((tmp_path / "dead-letters").iterdir())]
    assert [json.loads(letter["payload"])[0]["call"] for letter in letters] == sorted(bad)
    assert all(letter["why"] == "what is this?" for letter in letters)
    assert shelf.refusals >= 3 * len(bad)


async def test_what_upsets_our_folds_is_set_aside_too(tmp_path: Path, shipper: Shipper, shelf: Shelf) -> None:
    shelf.upsetting = {"c50"}
    write(tmp_path, HUNDRED)
    await ship_all(shipper)
    assert shelf.calls == [call for call in HUNDRED if call != "c50"]
    assert shipper.state(AT).dead_letters == 1


async def test_a_store_that_forgets_is_given_it_again(tmp_path: Path, shipper: Shipper, shelf: Shelf) -> None:
    write(tmp_path, HUNDRED)
    await ship_all(shipper)
    del shelf.calls[40:]
    shelf.at = 40
    shipper._look_at = 0.0  # as if some seconds had passed
    assert await shipper.step() is False
    await ship_all(shipper)
    assert shelf.calls == HUNDRED


async def test_an_absent_store_is_waited_for_and_reported(tmp_path: Path, shipper: Shipper, shelf: Shelf) -> None:
    write(tmp_path, HUNDRED[:10])
    await ship_all(shipper)
    shelf.away = True
    write(tmp_path, HUNDRED[10:])
    for _ in range(5):
        assert await shipper.step() is False
    state = shipper.state(datetime(2026, 11, 2, 9, 5, tzinfo=UTC))
    assert (state.trouble, state.behind_records, state.behind_s) == ("gone", 90, 300.0)
    shelf.away = False
    await ship_all(shipper)
    assert shelf.calls == HUNDRED
    state = shipper.state(AT)
    assert (state.trouble, state.behind_records, state.behind_s) == ("", 0, 0.0)
    assert json.loads(json.dumps(as_json(state, AT)))["shipped_seq"] == 100


async def test_before_there_is_a_journal_it_waits(tmp_path: Path, shipper: Shipper, shelf: Shelf) -> None:
    assert await shipper.step() is False
    assert "no journal" in shipper.state(AT).trouble
    write(tmp_path, HUNDRED)
    await ship_all(shipper)
    assert shelf.calls == HUNDRED


async def test_a_journal_that_cannot_be_read_is_waited_out(
    tmp_path: Path, shipper: Shipper, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, HUNDRED)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", lambda *asked: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
        assert await shipper.step() is False  # else it would try again without a pause, for ever
    assert "Input/output error" in shipper.state(AT).trouble
    await ship_all(shipper)
    assert (shelf.calls, shipper.state(AT).trouble) == (HUNDRED, "")


async def test_a_disk_without_room_for_dead_letters_is_waited_out(
    tmp_path: Path, shipper: Shipper, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.bad = {"c3"}
    write(tmp_path, HUNDRED[:5])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", lambda *asked: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
        while await shipper.step():
            pass
    assert "No space left" in shipper.state(AT).trouble
    await ship_all(shipper)
    assert shelf.calls == ["c0", "c1", "c2", "c4"]
