"""Forms of documents: what they show is what they read back, and what is wrong is said beside its field."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from callcenter.adapters.web.config.form import USED, Box, body_of, boxes
from callcenter.adapters.web.words.catalogue import texts
from callcenter.apps.document_forms import forms
from callcenter.domain.documents import Body, Documents, kind_of, plain
from callcenter.runtime.document_kinds import split
from callcenter.services.forms import Entry, FieldShape

FORMS = forms()
RICH: Documents = {
    "center": {"name": "Ünïcode & <b>", "time_zone": "UTC", "languages": ["en", "es"], "phone_transfers": False, "node_lost_after_s": 2.5},
    "queue/support": {
        "name": "support",
        "ring_timeout_s": 20,
        "record": False,
        "target_ratio": 0.85,
        "keys": {"0": "voicemail", "#": "queue:sales"},
        "overflow": [{"when": "ewt > 360", "for_s": 30, "to": "queue:sales"}, {"waited_s": 600, "to": "goodbye"}],
        "callback": {"key": "1", "first": "caller", "attempts": 2},
        "closing": {},
        "announce": {"position": "more", "comfort": ["a", "b"]},
        "hours": "main",
    },
    "agent/alice": {
        "name": "alice",
        "queues": ["support"],
        "skills": {"spanish": 80},
        "skills_until": {"spanish": "2027-12-31"},
        "queue": {"support": {"level": 1, "delay_s": 2.5}},
        "find_me": [{"phone": "desk"}, {"number": "+12025550123", "ring_s": 20}],
    },
    "calendar/main": {
        "weekly": ["mon-fri 09:00-18:00", "sat 10:00-12:00"],
        "holidays": {"country": "US", "subdivision": "CA"},
        "exception": [{"date": "2026-12-24", "hours": ["09:00-12:00"], "reason": "Christmas Eve"}],
    },
    "routing_rule/vip": {"name": "vip", "match": {"list": ["vips"], "caller": ["+1*", "+49*"]}, "priority": -5},
    "prompt/welcome.es": {"id": "welcome", "language": "es", "text": "¡Hola!\n\nBienvenido."},
    "team/north": {"name": "north", "supervisor": "dana", "agents": ["alice"]},
}
CHOICES = {"queue": ("support", "sales"), "agent": ("alice", "bob"), "calendar": ("main",)}


def sent_of(shown: Sequence[Box]) -> dict[str, list[str]]:
    """What a browser sends when somebody opens the form and changes nothing."""
    return {name: values for box in shown for name, values in _sent(box)}


def _sent(box: Box) -> Iterator[tuple[str, list[str]]]:
    if box.boxes:
        if box.entry == "table" and box.used:
            yield f"{box.name}.{USED}", ["yes"]
        for inner in box.boxes:
            yield from _sent(inner)
    elif box.entry == "boxes":
        if box.ticked:
            yield box.name, list(box.ticked)
    else:
        yield box.name, [box.text.replace("\n", "\r\n")]


@pytest.mark.parametrize("key", RICH)
def test_a_form_that_nobody_touched_says_what_the_document_said(key: str) -> None:
    form = FORMS[kind_of(key)]
    assert body_of(form, sent_of(boxes(form, RICH[key], {}, CHOICES))) == RICH[key]


def test_so_do_all_documents_of_the_repository() -> None:
    root = Path(__file__).parents[3]
    for file in [root / "callcenter.toml", *(root / "samples").rglob("*.toml")]:
        for key, body in split(tomllib.loads(file.read_text()))[1].items():
            if kind_of(key) in FORMS:
                form = FORMS[kind_of(key)]
                assert body_of(form, sent_of(boxes(form, body, {}, {}))) == plain(body), key


@pytest.mark.parametrize("language", ["en", "es", "ar"])
def test_every_kind_has_a_word_and_nearly_every_field(language: str) -> None:
    """A field that is new and has none yet is shown by its name."""

    def names(fields: Sequence[FieldShape]) -> Iterator[str]:
        for field in fields:
            yield field.name
            yield from names(field.fields)

    known, every = texts(language), {name for form in FORMS.values() for name in names(form.fields)}
    assert not [kind for kind in FORMS if f"config_kinds.{kind}" not in known]
    missing = sorted(name for name in every if f"config_fields.{name}" not in known)
    assert len(missing) < len(every) / 20, f"{language}: {missing}"


def test_a_fault_stands_at_its_field_and_nowhere_else() -> None:
    body = RICH["queue/support"]
    faults = {"overflow[1].to": ["goes nowhere"], "keys.0": ["is no action"], "callback": ["lacks a trunk"], "ring_timeout_s": ["too long"]}
    told: dict[str, Sequence[str]] = {}

    def walk(box: Box) -> None:
        if box.faults:
            told[box.name] = box.faults
        for inner in box.boxes:
            walk(inner)

    for box in boxes(FORMS["queue"], body, faults, CHOICES):
        walk(box)
    assert told == {
        "overflow.1.to": ("goes nowhere",),
        "keys": ("is no action",),
        "callback": ("lacks a trunk",),
        "ring_timeout_s": ("too long",),
    }


def test_what_is_no_number_is_passed_on_for_the_checks_to_refuse() -> None:
    sent = {
        "name": ["a"],
        "ring_timeout_s": ["soon"],
        "target_wait_s": ["7.5"],
        "max_waiting": ["9" * 40],
        "record": ["maybe"],
        "keys": ["x"],
    }
    body: Body = body_of(FORMS["queue"], sent)
    assert body == {
        "name": "a",
        "ring_timeout_s": "soon",
        "target_wait_s": 7.5,
        "max_waiting": "9" * 40,
        "record": "maybe",
        "keys": {"x": ""},
    }


def test_empty_entries_go_and_hostile_names_of_fields_do_nothing() -> None:
    sent = {
        "name": ["a"],
        "overflow.0.to": ["goodbye"],
        "overflow.1.to": ["  "],
        "overflow.99999.to": ["goodbye"],
        "overflow.-1.to": ["goodbye"],
        "__class__": ["x"],
        "callback.key": ["1"],
        "queue.0.name": ["x"],
    }
    assert body_of(FORMS["queue"], sent) == {"name": "a", "overflow": [{"to": "goodbye"}]}


def test_every_kind_of_field_is_in_use() -> None:
    def entries(fields: Sequence[FieldShape]) -> Iterator[Entry]:
        for field in fields:
            yield field.entry
            yield from entries(field.fields)

    used = {entry for form in FORMS.values() for entry in entries(form.fields)}
    assert set(Entry) - used <= {Entry.NUMBERS}
