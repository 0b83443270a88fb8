"""One number, however it is written."""

import pytest

from callcenter.runtime.dialing_rules import DialingRules
from callcenter.runtime.number_forms import forms


@pytest.mark.parametrize(
    ("written", "country", "e164"),
    [
        ("+12025550123", "US", "+12025550123"),
        ("12025550123", "US", "+12025550123"),
        ("2025550123", "US", "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("0112025550123", "US", None),
        ("030 901820", "DE", "+4930901820"),
        ("004930901820", "DE", "+4930901820"),
        ("+4930901820", "US", "+4930901820"),
        ("011493090182 0", "US", "+4930901820"),
    ],
)
def test_each_way_of_writing_is_the_same_number(written: str, country: str, e164: str | None) -> None:
    assert forms(written, country)[0] == (e164 or written)
    if e164 is not None:
        assert e164 in forms(written, country)
        assert DialingRules(country)(written).number == e164  # as callers are kept from the first moment on


def test_the_books_know_it_in_the_ways_of_carriers() -> None:
    assert forms("+12025550123", "US") == ("+12025550123", "12025550123", "0012025550123", "2025550123")
    assert forms("+4930901820", "DE") == ("+4930901820", "4930901820", "004930901820", "30901820", "030901820")
    assert forms("+4930901820", "US") == ("+4930901820", "4930901820", "004930901820")


@pytest.mark.parametrize("text", ["", "anonymous", "100", "'; DROP TABLE cdr; --", "+" * 50, "9" * 500, "\u0661\u0662", "a\nb"])
def test_what_is_no_number_is_only_itself(text: str) -> None:
    assert forms(text, "US") == (text,)
