"""Every kind of fact survives being written and read."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.domain.events import Cause
from callcenter.domain.facts import FACT_TYPES, CallEnded, ContactAbandoned, Fact
from callcenter.services.fact_codec import FactError, UnknownFact, decode, dump, encode, load

BORN = datetime(2026, 3, 29, 0, 59, 59, 999999, tzinfo=UTC)
st.register_type_strategy(datetime, st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
st.register_type_strategy(timedelta, st.timedeltas(timedelta(0), timedelta(days=36500)))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


def any_of(kind: type[Fact]) -> st.SearchStrategy[Fact]:
    return st.builds(kind)


@pytest.mark.parametrize("name", FACT_TYPES)
def test_what_is_written_is_read(name: str) -> None:
    @settings(max_examples=25, deadline=None, database=None)
    @given(any_of(FACT_TYPES[name]))
    def holds(fact: Fact) -> None:
        line = dump([fact, fact])
        assert b"\n" not in line
        assert load(line) == (fact, fact)
        assert decode(json.loads(json.dumps(encode(fact)))) == fact

    holds()


def test_written_for_people_too() -> None:
    assert encode(ContactAbandoned(BORN, "c", "k", "support", timedelta(seconds=4, microseconds=5), True)) == {
        "kind": "ContactAbandoned",
        "at": "2026-03-29T00:59:59.999999+00:00",
        "call": "c",
        "contact": "k",
        "queue": "support",
        "wait": 4.000005,
        "short": True,
    }


def test_other_zones_become_utc() -> None:
    fact = CallEnded(BORN.astimezone(timezone(timedelta(hours=2))), "c", Cause.NORMAL)
    assert encode(fact)["at"] == "2026-03-29T00:59:59.999999+00:00"


@pytest.mark.parametrize(
    "written",
    [
        {"kind": "CallEnded"},
        {"kind": "CallEnded", "at": "yesterday", "call": "c", "cause": "normal"},
        {"kind": "CallEnded", "at": "2026-03-29T00:59:59", "call": "c", "cause": "normal"},
        {"kind": "CallEnded", "at": "2026-03-29T00:59:59+00:00", "call": 7, "cause": "normal"},
        {"kind": "CallEnded", "at": "2026-03-29T00:59:59+00:00", "call": "c", "cause": "boredom"},
        {
            "kind": "ContactAbandoned",
            "at": "2026-03-29T00:59:59+00:00",
            "call": "c",
            "contact": "k",
            "queue": "q",
            "wait": "1",
            "short": True,
        },
    ],
)
def test_what_does_not_fit_is_refused(written: dict[str, object]) -> None:
    with pytest.raises(FactError):
        decode(written)


@pytest.mark.parametrize("kind", ["CallExploded", None, 7, ["CallEnded"]])
def test_an_unknown_kind_is_its_own_error(kind: object) -> None:
    with pytest.raises(UnknownFact):
        decode({"kind": kind})


def test_a_date_without_zone_is_refused() -> None:
    with pytest.raises(FactError):
        dump([CallEnded(datetime(2026, 1, 1), "c", Cause.NORMAL)])  # noqa: DTZ001


@pytest.mark.parametrize("line", [b"", b"{", b"{}", b"[1]", b"[" * 100000])
def test_a_line_that_is_no_list_of_facts_is_refused(line: bytes) -> None:
    with pytest.raises(FactError):
        load(line)


def test_fields_of_a_newer_version_are_ignored() -> None:
    fact = CallEnded(BORN, "c", Cause.NORMAL)
    assert decode({**encode(fact), "mood": "fine"}) == fact
