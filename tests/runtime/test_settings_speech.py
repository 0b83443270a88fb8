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
        ({"transcript_url": "ftp://10.0.0.1/"}, "speech.transcript_url: must begin with"),
        ({"transcript_url": "http://10.0.0.1/", "secret": {"file": "nowhere"}}, "speech.secret.file: names 'nowhere'"),
        ({"transcript_within_s": 3600}, "speech.transcript_within_s: must be 600 at most"),
        ({"rate": 44100}, "speech.rate"),
        ({"rate": 16000}, "speech.rate: must be 8000 for 'pocketsphinx'"),
        ({"at_once": 0}, "speech.at_once"),
        ({"languages": []}, "speech.languages"),
    ],
)
def test_what_cannot_be(speech: Mapping[str, object], said: str) -> None:
    assert any(said in problem for problem in problems(speech)), problems(speech)


@pytest.mark.parametrize(
    ("speech", "at"),
    [
        ({}, ""),
        ({"transcript_url": "ws://10.0.0.1/"}, "ws://10.0.0.1/"),
        ({"recogniser": "http", "url": "http://10.0.0.1/"}, "http://10.0.0.1/"),
        ({"recogniser": "http", "url": "http://10.0.0.1/", "transcripts": False}, ""),
        ({"recogniser": "http", "url": "http://10.0.0.1/", "transcript_url": "https://10.0.0.2/"}, "https://10.0.0.2/"),
    ],
)
def test_messages_are_written_down_by_recognisers_of_others_only(speech: Mapping[str, object], at: str) -> None:
    assert parse({**CENTER, "speech": speech}).speech.writes_at == at


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


# --- in flows -----------------------------------------------------------------------------------

ASK = {
    **{"type": "speech", "prompt": "menu", "phrases": {"en": {"sales": "sales", "technical support": "support"}}},
    **{"keys": {"1": "sales", "2": "support"}, "next": "end", "otherwise": "end"},
}


def flow_problems(ask: Mapping[str, object], **queue: object) -> list[str]:
    """Of a center whose only flow begins with that node."""
    flow = {"start": "ask", "node": {"ask": ask, "end": {"type": "hang_up"}}}
    agent = {"name": "alice", "queues": ["support"]}
    raw = {**CENTER, "flow": {"main": flow}, "queue": [{"name": "support", **queue}], "agent": [agent]}
    try:
        parse(raw)
    except SettingsError as refused:
        return refused.problems
    return []


def test_a_node_that_listens_is_taken() -> None:
    assert flow_problems(ASK) == []
    yes_no = {"type": "speech", "prompt": "menu", "grammar": "yes_no", "choices": {"yes": "end"}, "next": "end", "otherwise": "end"}
    assert flow_problems(yes_no) == []
    digits = {"type": "speech", "prompt": "menu", "grammar": "digits", "min_length": 4, "next": "end", "otherwise": "end"}
    assert flow_problems(digits) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keys": {"1": "sales"}}, "flow.main.node.ask.keys: has no key for 'support'"),
        ({"phrases": {"en": {"sales": "sales", "xyzzyq": "support"}}}, "flow.main.node.ask.phrases.en: listens for the word 'xyzzyq'"),
        ({"phrases": {"es": {"ventas": "sales", "ayuda": "support"}}}, "listens in language 'es', which the recogniser does not know"),
        ({"grammar": "yes_no"}, "needs either grammar or phrases"),
        ({"listen_s": 600}, "listen_s must be 60 at most"),
        ({"no_speech_s": 20}, "no_speech_s must be no more than listen_s"),
        ({"accept": 7}, "flow.main.node.ask.accept"),
        ({"choices": {"next": "end"}}, "which is that of an exit"),
        ({"confirm_prompt": "nobody-recorded-this"}, "names prompt 'nobody-recorded-this'"),
    ],
)
def test_a_node_that_cannot_listen_is_refused(changes: Mapping[str, object], said: str) -> None:
    found = flow_problems({**ASK, **changes})
    assert any(said in problem for problem in found), found


def test_a_survey_that_is_not_there_is_refused() -> None:
    (problem,) = flow_problems(ASK, survey_flow="how-was-it")
    assert "queue[0].survey_flow: names flow 'how-was-it', which does not exist" in problem
    assert flow_problems(ASK, survey_flow="main", survey_attribute="survey", survey_again_after_days=30) == []
