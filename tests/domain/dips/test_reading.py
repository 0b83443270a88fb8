"""From an answer to attributes; what does not fit is garbage, whatever it is."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.dips.reading import Garbage, Kind, Wanted, attributes, is_there, parse_path, read_json

WANTED = {
    "name": Wanted(parse_path("customer.name")),
    "balance": Wanted(parse_path("accounts[0].balance"), Kind.NUMBER),
    "open": Wanted(parse_path("accounts[0].open"), Kind.YES_NO),
    "orders": Wanted(parse_path("orders"), Kind.WHOLE, optional=True),
}


def test_paths_lead_to_values_and_values_are_texts() -> None:
    answer = read_json(b'{"customer": {"name": "Ann"}, "accounts": [{"balance": 12.50, "open": true}], "orders": 3}')
    assert attributes(answer, WANTED) == {"name": "Ann", "balance": "12.50", "open": "yes", "orders": "3"}


def test_what_is_optional_may_be_missing() -> None:
    answer = read_json(b'{"customer": {"name": "Ann"}, "accounts": [{"balance": 1, "open": false}], "orders": null}')
    assert attributes(answer, WANTED)["orders"] == ""


@pytest.mark.parametrize(
    ("path", "kind", "value"),
    [
        ("a", Kind.TEXT, 5),
        ("a", Kind.TEXT, {"b": 1}),
        ("a", Kind.TEXT, "line\nbreak"),
        ("a", Kind.TEXT, "x" * 201),
        ("a", Kind.TEXT, "\x1b[2J"),
        ("a", Kind.WHOLE, 1.5),
        ("a", Kind.WHOLE, True),
        ("a", Kind.WHOLE, "12a"),
        ("a", Kind.WHOLE, 10**20),
        ("a", Kind.NUMBER, "1e5"),
        ("a", Kind.NUMBER, True),
        ("a", Kind.NUMBER, [1]),
        ("a", Kind.DIGITS, -5),
        ("a", Kind.DIGITS, "١٢٣"),
        ("a", Kind.YES_NO, "yes"),
        ("a", Kind.YES_NO, 1),
        ("b", Kind.TEXT, "x"),
        ("a.b", Kind.TEXT, "x"),
        ("a[0]", Kind.TEXT, "x"),
    ],
)
def test_wrong_types_are_garbage(path: str, kind: Kind, value: object) -> None:
    with pytest.raises(Garbage):
        attributes(read_json(json.dumps({"a": value}).encode()), {"x": Wanted(parse_path(path), kind)})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>sorry</html>",
        b'{"a": ',
        b"\xff\xfe",
        b"NaN",
        b'{"a": Infinity}',
        b"[" * 33 + b"]" * 33,
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"1" * 60_000,
        b'{"a": 1e999999999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'"' + b'\\"' * 30_000,
        b'"\x00"',
    ],
)
def test_hostile_bodies_are_garbage_and_soon_so(body: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Garbage):
        read_json(body)
    assert time.process_time() - began < 1.0


def test_brackets_within_texts_do_not_nest() -> None:
    assert read_json(json.dumps({"a": "[" * 100 + '"\\'}).encode()) == {"a": "[" * 100 + '"\\'}


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_garbage(body: bytes) -> None:
    try:
        read = read_json(body)
        found = attributes(read, WANTED)
    except Garbage:
        return
    assert all(isinstance(value, str) and len(value) <= 200 for value in found.values())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["customer", "name", "accounts", "balance", "open", "a"]), inner)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(list(Kind)))
def test_any_json_gives_short_printable_texts_or_garbage(answer: object, kind: Kind) -> None:
    wanted = {name: Wanted(parse_path(path), kind, optional=True) for name, path in (("a", "a"), ("b", "accounts[0].balance"))}
    try:
        found = attributes(answer, wanted)
    except Garbage:
        return
    assert all(value.isprintable() or not value for value in found.values())


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a b", "a[99999]", "a]"])
def test_paths_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="must be a path"):
        parse_path(text)


def test_whether_something_is_there() -> None:
    answer = {"customer": {"id": 7}, "none": None, "no": False, "empty": []}
    assert is_there(answer, parse_path("customer.id"))
    assert not any(is_there(answer, parse_path(path)) for path in ("none", "no", "empty", "other", "customer.id.more"))
