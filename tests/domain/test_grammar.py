"""What callers may say."""

import pytest

from callcenter.domain.ivr.grammar import BUILT_IN, LONGEST_NUMBER, MOST_PHRASES, NUMBER, YES_NO, Grammar, built_in, faults, meaning


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("language", ["en", "es", "fr", "zh", "vi", "th", "fil"])
def test_built_in_grammars_are_there_in_every_language_and_fit(name: str, language: str) -> None:
    grammar = built_in(name, language)
    assert grammar is not None
    assert list(faults(grammar)) == []
    assert set(grammar.values) == ({"yes", "no"} if name == YES_NO else set("0123456789"))


def test_there_is_no_other_one() -> None:
    assert built_in("weekdays", "en") is None
    assert built_in(YES_NO, "de") is None


def test_digits_in_a_row_are_joined() -> None:
    grammar = built_in(NUMBER, "en")
    assert grammar is not None
    assert meaning(grammar, "oh one eight") == "018"
    assert meaning(grammar, "one banana") == ""
    assert meaning(grammar, "one " * (LONGEST_NUMBER + 1)) == ""


def test_the_longest_phrase_that_leads_on_is_meant() -> None:
    grammar = Grammar("en", {"new": "a", "new york": "b", "york new": "c"}, most=3)
    assert meaning(grammar, "new york new") == "ba"
    assert meaning(grammar, "york") == ""


def test_one_phrase_means_one_value() -> None:
    grammar = Grammar("en", {"sales": "1", "technical support": "2"})
    assert meaning(grammar, "technical support") == "2"
    assert meaning(grammar, "technical") == meaning(grammar, "sales sales") == meaning(grammar, "") == ""


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("Sales", "small letters"),
        ("two  words", "single spaces"),
        ("", "small letters"),
        ("route 66", "words of letters"),
        ("a" * 61, "60 characters"),
        ("sales | <x> = y;", "words of letters"),
        ("a\nb", "single spaces"),
    ],
)
def test_phrases_that_nobody_can_listen_for(phrase: str, said: str) -> None:
    (sentence,) = faults(Grammar("en", {phrase: "x"}))
    assert said in sentence


def test_none_at_all_or_too_many() -> None:
    assert "at least one" in next(faults(Grammar("en", {})))
    letters = "abcdefghijklmnopqrstuvwxyz"
    many = {f"{a}{b}": "x" for a in letters for b in letters}
    assert str(MOST_PHRASES) in next(faults(Grammar("en", many)))
