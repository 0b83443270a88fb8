"""What is said for prompts and values: which sounds, in which language, and that all of them are shipped."""

from decimal import Decimal

import pytest

from callcenter.domain.ivr.speech import ENGLISH, LANGUAGES, Languages, SpeakAs, Spoken, say
from callcenter.runtime.catalogue import catalogue

EN = LANGUAGES["en"]
BOTH = Languages("en", {"en": LANGUAGES["en"], "es": LANGUAGES["es"], "de": None})


@pytest.mark.parametrize(
    ("value", "sounds"),
    [
        (0, "0"),
        (7, "7"),
        (13, "13"),
        (20, "20"),
        (42, "40 2"),
        (100, "1 hundred"),
        (115, "1 hundred 15"),
        (999, "9 hundred 90 9"),
        (1000, "1 thousand"),
        (21_042, "20 1 thousand 40 2"),
        (999_999, "9 hundred 90 9 thousand 9 hundred 90 9"),
        (1_000_000, "1 million"),
        (1_000_000_000, "1 0 0 0 0 0 0 0 0 0"),
        (Decimal("-3.50"), "minus 3 point 5 0"),
    ],
)
def test_a_cardinal_number(value: int, sounds: str) -> None:
    assert EN.number(value) == tuple(f"en-{sound}" for sound in sounds.split())


def test_minutes_have_their_unit() -> None:
    assert EN.minutes(1) == ("en-1", "en-minute")
    assert EN.minutes(0) == ("en-0", "en-minutes")
    assert EN.minutes(42) == ("en-40", "en-2", "en-minutes")


def test_digits_are_said_one_by_one_and_nothing_else_is_said() -> None:
    assert EN.digits("+120*#") == ("en-plus", "en-1", "en-2", "en-0", "en-star", "en-pound")
    assert EN.digits("../../etc/passwd,PJSIP/x&9\n٣") == ("en-9",)


def test_the_chosen_language_is_spoken_prompts_and_values() -> None:
    said = ("you-entered", Spoken(SpeakAs.NUMBER, "it"), "press-1")
    assert say(said, {"it": "21"}, BOTH) == ("you-entered", "en-20", "en-1", "press-1")
    assert say(said, {"it": "21", "language": "en"}, BOTH) == ("you-entered", "en-20", "en-1", "press-1")
    assert say(said, {"it": "21", "language": "es"}, BOTH) == ("es/you-entered", "es/es-21", "es/press-1")


@pytest.mark.parametrize("chosen", ["fr", "../../../etc", "es/", "ES", "", "en,sound:x"])
def test_a_language_that_the_center_does_not_speak_is_none(chosen: str) -> None:
    assert say(("welcome", Spoken(SpeakAs.NUMBER, "it")), {"it": "7", "language": chosen}, BOTH) == ("welcome", "en-7")


def test_where_nobody_knows_how_values_are_said_they_are_left_out() -> None:
    assert say(("welcome", Spoken(SpeakAs.NUMBER, "it")), {"it": "7", "language": "de"}, BOTH) == ("de/welcome",)


@pytest.mark.parametrize(
    ("how", "value", "sounds"),
    [
        (SpeakAs.MONEY, "12.50", "10 2 euros"),
        (SpeakAs.MONEY, "1 USD", "1 dollar"),
        (SpeakAs.MONEY, "1.995 USD", "2 dollars"),
        (SpeakAs.DATE, "2026-11-02T14:05:00+01:00", "month-11 day-2 20 20 6"),
        (SpeakAs.TIME, "2026-11-02T14:05:00+01:00", "2 oh 5 pm"),
        (SpeakAs.TIME, "09:30", "9 30 am"),
        (SpeakAs.DURATION, "3661", "1 hour 1 minute and 1 second"),
        (SpeakAs.MINUTES, "1", "1 minute"),
        (SpeakAs.POSITION, "4", "4"),
    ],
)
def test_a_value_is_read_as_it_is_meant(how: SpeakAs, value: str, sounds: str) -> None:
    expected = {"10 2 euros": "12 euros and 50 cents"}.get(sounds, sounds)
    assert say((Spoken(how, "it", "EUR"),), {"it": value}) == tuple(f"en-{sound}" for sound in expected.split())


@pytest.mark.parametrize("how", SpeakAs)
@pytest.mark.parametrize(
    "value",
    ["", "-3", "3.5", "x", "٣", "9" * 40, "1,sound:callcenter/x", "2026-02-30", "25:00", "9999-12-31", "1e9", "NaN", "12.5 XXX", "9" * 18],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_value_of_any_kind_says_no_sound_we_do_not_ship(how: SpeakAs, value: str, language: str) -> None:
    center = Languages(language, {language: LANGUAGES[language]})
    said = say(("before", Spoken(how, "it"), "after"), {"it": value}, center)
    assert (said[0], said[-1]) == ("before", "after")
    assert set(said[1:-1]) <= LANGUAGES[language].sounds()


def test_every_sound_of_a_center_that_speaks_english_is_in_the_catalogue() -> None:
    assert EN.sounds() <= set(catalogue())
    assert ENGLISH.spoken == {"en": EN}
