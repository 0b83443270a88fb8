"""``[speech]``: refused when saved, with reason and place."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from callcenter.domain.ivr.grammar import BUILT_IN, Grammar, built_in
from callcenter.runtime.settings import SettingsError, parse
from callcenter.runtime.settings_speech import SpeechSection, grammar_faults

CENTER = {"center": {"name": "Test", "time_zone": "America/New_York"}}


def problems(speech: Mapping[str, object], path: Path = Path("callcenter.toml")) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse({**CENTER, "speech": speech}, path)
    return refused.value.problems


def test_without_a_word_it_is_pocketsphinx() -> None:
    assert parse(CENTER).speech.recogniser == "pocketsphinx"


@pytest.mark.parametrize(
    ("speech", "said"),
    [
        ({"recogniser": "oracle"}, "speech.recogniser"),
        ({"url": "http://10.0.0.1/"}, "speech.url: is for recogniser"),
        ({"secret": {"file": "x"}}, "speech.secret: is for recogniser"),
        ({"recogniser": "http"}, "speech.url: must begin with http:// or https://"),
        ({"recogniser": "websocket", "url": "http://10.0.0.1/"}, "speech.url: must begin with ws:// or wss://"),
        ({"recogniser": "http", "url": "http://10.0.0.1/", "secret": {"file": "nowhere"}}, "speech.secret.file: names 'nowhere'"),
        ({"recogniser": "http", "url": "http://10.0.0.1/", "secret": {}}, "speech.secret: needs file or environment"),
        ({"recogniser": "http", "url": "http://10.0.0.1/", "answer_within_s": 60}, "speech.answer_within_s"),
        ({"rate": 44100}, "speech.rate"),
        ({"at_once": 0}, "speech.at_once"),
        ({"languages": []}, "speech.languages"),
    ],
)
def test_what_cannot_be(speech: Mapping[str, object], said: str) -> None:
    assert any(said in problem for problem in problems(speech)), problems(speech)


def test_built_in_grammars_are_in_the_dictionary() -> None:
    for name in BUILT_IN:
        grammar = built_in(name, "en")
        assert grammar is not None
        assert list(grammar_faults(SpeechSection(), grammar)) == []


def test_a_word_that_nobody_knows_how_to_pronounce_is_refused() -> None:
    (sentence,) = grammar_faults(SpeechSection(), Grammar("en", {"sales": "1", "xyzzyq desk": "2"}))
    assert "'xyzzyq'" in sentence
    assert "dictionary" in sentence


def test_a_language_that_the_recogniser_does_not_know_is_refused() -> None:
    spanish = Grammar("es", {"ventas": "1"})
    assert "languages: en" in next(grammar_faults(SpeechSection(), spanish))
    other = SpeechSection(recogniser="http", url="http://10.0.0.1/", languages=("es",))
    assert list(grammar_faults(other, spanish)) == []
