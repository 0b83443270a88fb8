"""Scripts: pages, variables, fields and branches; what fits, what does not, and what is wrong in a script itself."""

from dataclasses import replace

import pytest

from callcenter.domain.ivr.expressions import parse
from callcenter.domain.scripts import LONGEST_ANSWER, Field, FieldKind, Page, Script, Way, Wrong, check, faults, next_page, say

HELLO = Page(
    "Hello {caller_name}.",
    (Field("plan", "Plan", FieldKind.CHOICE, required=True, choices=("gold", "silver")), Field("seats", "Seats", FieldKind.NUMBER)),
    (Way("gold", parse('attribute.plan == "gold" and attribute.seats > 2')), Way("silver")),
)
SCRIPT = Script("sale", "Sale", "hello", {"hello": HELLO, "gold": Page("Gold."), "silver": Page("Silver.")})


def test_what_is_known_is_said_and_what_is_not_is_left_out() -> None:
    assert say("Hello {name}, {unknown}{name}! {Not} {}", {"name": "{x} Ann"}) == "Hello {x} Ann, {x} Ann! {Not} {}"


@pytest.mark.parametrize(
    ("plan", "seats", "page"), [("gold", "3", "gold"), ("gold", "2", "silver"), ("silver", "9", "silver"), ("gold", "", "silver")]
)
def test_the_first_condition_that_holds_names_the_next_page(plan: str, seats: str, page: str) -> None:
    assert next_page(HELLO, {"plan": plan, "seats": seats}) == page


def test_a_page_that_leads_nowhere_is_the_end() -> None:
    assert next_page(SCRIPT.pages["gold"], {}) == ""
    assert next_page(replace(HELLO, ways=(Way("gold", parse("attribute.plan is set")),)), {}) == ""


def test_answers_are_kept_and_others_passed_over() -> None:
    assert check(HELLO, {"plan": " gold ", "seats": "", "admin": "yes"}) == ({"plan": "gold"}, {})


FITS = [
    (FieldKind.TEXT, "<b>anything</b>"),
    (FieldKind.LONG_TEXT, "two\nlines"),
    (FieldKind.NUMBER, "-3.5"),
    (FieldKind.DATE, "2026-02-28"),
    (FieldKind.YES_NO, "no"),
    (FieldKind.EMAIL, "ann@example.org"),
    (FieldKind.PHONE, "+1 (202) 555-0123"),
]


@pytest.mark.parametrize(("kind", "answer"), FITS)
def test_what_fits(kind: FieldKind, answer: str) -> None:
    assert check(Page("", (Field("f", "F", kind, required=True),)), {"f": answer}) == ({"f": answer}, {})


MISFITS = [
    (Field("f", "F", required=True), "  ", Wrong.MISSING),
    (Field("f", "F"), "x" * (LONGEST_ANSWER + 1), Wrong.TOO_LONG),
    (Field("f", "F", FieldKind.NUMBER), "three", Wrong.NO_NUMBER),
    (Field("f", "F", FieldKind.NUMBER), "nan", Wrong.NO_NUMBER),
    (Field("f", "F", FieldKind.NUMBER, least=1), "0", Wrong.TOO_SMALL),
    (Field("f", "F", FieldKind.NUMBER, most=9), "10", Wrong.TOO_LARGE),
    (Field("f", "F", FieldKind.DATE), "2026-02-30", Wrong.NO_DATE),
    (Field("f", "F", FieldKind.DATE), "20260228", Wrong.NO_DATE),
    (Field("f", "F", FieldKind.CHOICE, choices=("a",)), "b", Wrong.NO_CHOICE),
    (Field("f", "F", FieldKind.YES_NO), "maybe", Wrong.NO_CHOICE),
    (Field("f", "F", FieldKind.EMAIL), "ann@@example.org", Wrong.NO_EMAIL),
    (Field("f", "F", FieldKind.PHONE), "call me", Wrong.NO_PHONE),
]


@pytest.mark.parametrize(("asked", "answer", "wrong"), MISFITS)
def test_what_does_not_fit_is_said_by_its_field(asked: Field, answer: str, wrong: Wrong) -> None:
    assert check(Page("", (asked,)), {"f": answer}) == ({}, {"f": wrong})


def test_a_sound_script_has_no_faults() -> None:
    assert list(faults(SCRIPT)) == []


UNSOUND = [
    (replace(SCRIPT, start="nowhere"), "start", "names page 'nowhere'"),
    (replace(SCRIPT, pages={**SCRIPT.pages, "lost": Page("")}), "page.lost", "is reached from nowhere"),
    (replace(SCRIPT, pages={"hello": replace(HELLO, ways=(Way("gone"),))}), "page.hello.go[0].to", "names page 'gone'"),
    (
        replace(SCRIPT, pages={**SCRIPT.pages, "hello": replace(HELLO, ways=(Way("gold", parse("hours.day is open")), Way("silver")))}),
        "page.hello.go[0].when",
        "speaks of hours 'day'",
    ),
    (replace(SCRIPT, pages={**SCRIPT.pages, "gold": Page("", (Field("plan", "Again"),))}), "page.gold.field[0].name", "is asked already"),
    (replace(SCRIPT, pages={"hello": Page("", (Field("a", "A", FieldKind.CHOICE),))}), "page.hello.field[0].choices", "are needed"),
    (replace(SCRIPT, pages={"hello": Page("", (Field("a", "A", choices=("x",)),))}), "page.hello.field[0].choices", "are needed"),
]


@pytest.mark.parametrize(("script", "place", "sentence"), UNSOUND)
def test_each_fault_of_a_script_has_its_place(script: Script, place: str, sentence: str) -> None:
    ((where, said),) = faults(script)
    assert where == place
    assert sentence in said
