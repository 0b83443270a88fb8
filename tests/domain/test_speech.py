"""Numbers said aloud: which sounds, and that all of them are shipped."""

import pytest

from callcenter.domain.ivr.speech import LANGUAGES, SpeakAs, Spoken, say
from callcenter.runtime.catalogue import catalogue

EN = LANGUAGES["en"]


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
        (1_000_000, "1 0 0 0 0 0 0"),
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


@pytest.mark.parametrize("how", SpeakAs)
@pytest.mark.parametrize("value", ["", "-3", "3.5", "x", "٣", "9" * 40, "1,sound:callcenter/x"])
def test_a_value_that_is_no_number_says_no_sound_we_do_not_ship(how: SpeakAs, value: str) -> None:
    said = say(("before", Spoken(how, "it"), "after"), {"it": value})
    assert (said[0], said[-1]) == ("before", "after")
    assert set(said[1:-1]) <= EN.sounds()


def test_every_sound_of_every_language_is_in_the_catalogue() -> None:
    for language in LANGUAGES.values():
        assert language.sounds() <= set(catalogue())


def test_every_number_up_to_the_largest_is_made_of_sounds_we_ship() -> None:
    for value in (*range(2_000), *range(0, 1_000_000, 997)):
        assert set(EN.number(value)) <= EN.sounds()
