"""How ``bench calls`` reads from the phones' messages how long an offer took."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.apps.bench.offers import delays
from callcenter.apps.bench.sipp_load import Traced
from callcenter.domain.facts import ContactEntered, ContactOffered
from callcenter.services.journal import Journal

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENDPOINTS = {"alice": "phone-1"}


def at(ms: float) -> datetime:
    return BEGAN + timedelta(milliseconds=ms)


def entered(ms: float, contact: str) -> ContactEntered:
    return ContactEntered(at(ms), f"call-{contact}", contact, "support", 0, at(ms), at(ms), "")


def offered(ms: float, contact: str) -> ContactOffered:
    return ContactOffered(at(ms), f"call-{contact}", contact, "support", f"offer-{contact}", "alice", f"leg-{contact}", at(ms + 15_000), 1)


def invite(ms: float, sip_call: str) -> Traced:
    return Traced(at(ms), False, sip_call, "INVITE sip:phone-1@127.0.0.1:5080 SIP/2.0")


def hang_up(ms: float, sip_call: str) -> Traced:
    return Traced(at(ms), True, sip_call, "BYE sip:asterisk@127.0.0.1:5060 SIP/2.0")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal")
    yield opened
    opened.close()


def test_a_caller_who_waited_counts_from_the_phone_being_free(journal: Journal) -> None:
    journal.append([entered(0, "first"), offered(0, "first")])
    journal.append([entered(100, "second")])
    journal.append([offered(1504, "second")])
    messages = [invite(3, "a"), hang_up(1500, "a"), hang_up(2000, "a"), invite(1510, "b"), invite(2010, "b")]
    found = delays(messages, journal.folder, 0, ENDPOINTS)
    assert (found.count, found.p50_ms, found.p99_ms) == (2, 3.0, 10.0)


def test_an_agent_who_was_free_counts_from_the_caller_entering_the_queue(journal: Journal) -> None:
    journal.append([entered(0, "first"), offered(0, "first")])
    journal.append([entered(5000, "second"), offered(5000, "second")])
    messages = [invite(4, "a"), hang_up(1500, "a"), invite(5006, "b")]
    found = delays(messages, journal.folder, 0, ENDPOINTS)
    assert (found.p50_ms, found.most_ms) == (4.0, 6.0)


def test_calls_before_the_measurement_do_not_count(journal: Journal) -> None:
    seq = journal.append([entered(0, "before"), offered(0, "before")])
    journal.append([entered(1000, "first"), offered(1000, "first")])
    found = delays([invite(1008, "a")], journal.folder, seq, ENDPOINTS)
    assert (found.count, found.most_ms) == (1, 8.0)
