"""The languages of a center: what can be said in each, what is refused, and what is said instead."""

import sys
from pathlib import Path
from typing import Any

import pytest

from callcenter.runtime.catalogue import CALLERS_HEAR, NEEDED
from callcenter.runtime.settings import Settings, SettingsError, parse
from callcenter.runtime.settings_languages import recorded_folder
from callcenter.runtime.tts.engine import Voice


def settings(tmp_path: Path, languages: list[str], **tables: Any) -> Settings:
    center = {"time_zone": "UTC", "languages": languages}
    return parse({"center": center, "paths": {"data": str(tmp_path)}, **tables}, tmp_path / "callcenter.toml")


def refused(tmp_path: Path, languages: list[str], **tables: Any) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        settings(tmp_path, languages, **tables)
    return [problem.removeprefix(f"{tmp_path / 'callcenter.toml'}: ") for problem in raised.value.problems]


def test_a_center_says_what_we_ship_in_its_languages_and_no_others(tmp_path: Path) -> None:
    made = settings(tmp_path, ["es", "vi"])
    assert list(made.catalogue.renderings) == ["es", "vi"]
    assert made.catalogue["goodbye"].text.startswith("Lamentamos")
    assert made.catalogue.renderings["vi"]["goodbye"].language == "vi"
    assert made.catalogue.renderings["es"]["es-21-una"].word
    assert made.catalogue.renderings["es"]["beep"].source == made.catalogue.renderings["vi"]["beep"].source != ""
    assert made.spoken.default == "es"
    assert "en-7" not in made.catalogue


@pytest.mark.parametrize("language", ["en", "es", "fr", "zh", "vi", "th"])
def test_what_we_ship_is_whole_in_every_language(tmp_path: Path, language: str) -> None:
    """Nothing of it is refused, so there is all that we say ourselves."""
    made = settings(tmp_path, [language]).catalogue
    assert {*NEEDED, *CALLERS_HEAR} <= set(made)
    assert all(prompt.text or prompt.source for prompt in made.values())


def test_filipino_needs_a_voice_that_somebody_names(tmp_path: Path) -> None:
    assert refused(tmp_path, ["en", "fil"]) == [
        "language.fil.voice: is missing: espeak-ng has no voice for 'fil'; name one that reads it well enough (for 'fil', 'es-419' does), "
        "another engine, or a fallback language"
    ]
    made = settings(tmp_path, ["en", "fil"], language={"fil": {"voice": "es-419"}})
    assert made.catalogue.renderings["fil"]["fil-20-t"].voice == Voice("espeak-ng", "es-419")
    assert made.catalogue.renderings["fil"]["goodbye"].text.startswith("Paumanhin")


def test_without_a_voice_everything_is_said_in_the_language_it_falls_back_to(tmp_path: Path) -> None:
    made = settings(tmp_path, ["en", "fil"], language={"fil": {"fallback": "en"}})
    assert made.catalogue.renderings["fil"]["goodbye"].text.startswith("We are sorry")
    assert made.spoken.spoken["fil"] is made.spoken.spoken["en"]
    assert made.spoken.spoken["en"] is not None
    assert made.spoken.spoken["en"].sounds() <= set(made.catalogue.renderings["fil"])


def test_a_language_that_we_have_no_texts_for_is_refused_unless_it_falls_back(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, ["en", "de"])
    assert problem.startswith("center.languages: 'de' lacks what we say ourselves: goodbye, callback-offer, ")
    assert problem.endswith("add a [[prompt]] with language = 'de' for each, or say language.de.fallback = 'en'")
    made = settings(
        tmp_path,
        ["en", "de"],
        language={"de": {"fallback": "en"}},
        prompt=[{"id": "goodbye", "language": "de", "text": "Auf Wiederhören."}],
    )
    assert made.catalogue.renderings["de"]["goodbye"].voice == Voice("espeak-ng", "")
    assert (made.catalogue.renderings["de"]["goodbye"].text, made.catalogue.renderings["de"]["goodbye"].language) == (
        "Auf Wiederhören.",
        "de",
    )
    assert made.catalogue.renderings["de"]["welcome"].text == "Welcome to our call center."


def flow(prompt: list[str]) -> dict[str, Any]:
    return {"main": {"start": "a", "node": {"a": {"type": "prompt", "prompt": prompt, "next": "b"}, "b": {"type": "hang_up"}}}}


def test_a_prompt_that_cannot_be_said_in_one_of_the_languages_is_refused(tmp_path: Path) -> None:
    own = [{"id": "hours", "text": "We are open from nine to five."}]
    assert refused(tmp_path, ["en", "es", "fr"], prompt=own, flow=flow(["hours"])) == [
        "flow.main.node.a.prompt: says prompt 'hours', which is missing in language 'es' and 'fr'; it is there in: en; "
        "give it a text or a recording, or say language.es.fallback"
    ]
    own += [{"id": "hours", "language": "es", "text": "Abierto de nueve a cinco."}]
    made = settings(tmp_path, ["en", "es", "fr"], prompt=own, flow=flow(["hours"]), language={"fr": {"fallback": "es"}})
    assert made.catalogue.renderings["fr"]["hours"].text == "Abierto de nueve a cinco."


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"language": {"fr": {}}}, "language.fr: is none of center.languages: en, es"),
        ({"language": {"es": {"fallback": "fr"}}}, "language.es.fallback: names 'fr', which is none of center.languages: en, es"),
        (
            {"language": {"es": {"fallback": "es"}}},
            "language.es.fallback: leads back to 'es'; one language of the circle must have all prompts itself",
        ),
        ({"language": {"es": {"engine": "piper"}}}, "language.es.voice: is missing; piper needs a model's file (.onnx) for each language"),
        (
            {"language": {"es": {"engine": "http"}}},
            "tts.url: is missing; 'es' is spoken by engine 'http', which must be asked somewhere",
        ),
        ({"prompt": [{"id": "a", "text": "b", "language": "fr"}]}, "prompt[0].language: 'fr' is none of center.languages: en, es"),
        (
            {"prompt": [{"id": "a", "source": "tone:440:1", "voice": "x"}]},
            "prompt[0].voice: is for a text to be spoken; this prompt has none",
        ),
        (
            {"prompt": [{"id": "a", "text": "b"}, {"id": "a", "text": "c", "language": "en"}]},
            "prompt[1].id: 'a' is taken by prompt[0]; each needs an id of its own",
        ),
        (
            {"language": {"es": {"rules": "nowhere:Spanish"}}},
            "language.es.rules: names 'nowhere:Spanish', which cannot be used: ModuleNotFoundError: No module named 'nowhere'",
        ),
        (
            {"language": {"es": {"rules": "collections:OrderedDict"}}},
            "language.es.rules: names 'collections:OrderedDict', which lacks currencies, date, digits, duration, minutes, money, number, "
            "position, sounds, time, words (docs/prompts.md says what a language needs)",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, tables: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(tmp_path, ["en", "es"], **tables)


def test_another_language_comes_as_a_class_that_the_settings_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spoken_welsh.py").write_text(
        "from callcenter.domain.ivr.languages.en import English\n\n\nclass Welsh(English):\n    CODE = 'cy'\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    made = settings(tmp_path, ["en", "cy"], language={"cy": {"rules": "spoken_welsh:Welsh", "fallback": "en"}})
    sys.modules.pop("spoken_welsh", None)
    spoken = made.spoken.spoken["cy"]
    assert spoken is not None
    assert spoken.number(42) == ("cy-40", "cy-2")
    assert made.catalogue.renderings["cy"]["cy-40"].voice == Voice("espeak-ng", "")


def test_a_recording_that_was_added_takes_the_place_of_what_is_written(tmp_path: Path) -> None:
    folder = recorded_folder(tmp_path, "es")
    folder.mkdir(parents=True)
    (folder / "welcome.wav").write_bytes(b"")
    made = settings(tmp_path, ["en", "es"], prompt=[{"id": "welcome", "language": "es", "text": "Hola."}])
    assert made.catalogue.renderings["es"]["welcome"].file == folder / "welcome.wav"
    assert made.catalogue.renderings["en"]["welcome"].file is None


def test_a_variant_of_a_language_has_its_texts_and_rules_and_a_voice_of_its_own(tmp_path: Path) -> None:
    made = settings(tmp_path, ["es-MX"], language={"es-MX": {"voice": "es-mx"}})
    assert made.catalogue["goodbye"].text.startswith("Lamentamos")
    assert made.catalogue["es-21"].voice == Voice("espeak-ng", "es-mx")


def test_a_queue_tells_positions_only_where_numbers_can_be_said(tmp_path: Path) -> None:
    ours = [name for name, prompt in settings(tmp_path, ["en"]).catalogue.items() if not prompt.word and prompt.text]
    german = [{"id": name, "language": "de", "text": "Guten Tag."} for name in ours]
    agent = [{"name": "alice", "queues": ["support"]}]
    queue = [{"name": "support", "announce": {"position": "yes"}}]
    assert refused(tmp_path, ["en", "de"], prompt=german, queue=queue, agent=agent) == [
        "queue[0].announce: tells positions or waits, but nobody knows how numbers are said in 'de' (docs/prompts.md); "
        "give it rules or a fallback"
    ]
    silent = settings(tmp_path, ["en", "de"], prompt=german, queue=[{"name": "support"}], agent=agent)
    assert silent.spoken.spoken["de"] is None


DOCUMENT = """
flow: main
languages: [{languages}]
start: greet
prompts:
  greeting: {greeting}
nodes:
  greet: {{type: prompt, prompt: greeting, next: end}}
  end: {{type: hang_up}}
"""


def with_document(tmp_path: Path, languages: list[str], text: str) -> Settings:
    (tmp_path / "flows").mkdir(exist_ok=True)
    (tmp_path / "flows" / "main.yaml").write_text(text, encoding="utf-8")
    return settings(tmp_path, languages)


def test_a_flow_s_own_prompt_is_one_prompt_in_all_its_languages(tmp_path: Path) -> None:
    text = DOCUMENT.format(languages="en, es", greeting="{en: Hello there., es: Buenos días.}")
    made = with_document(tmp_path, ["es", "en", "fr"], text)
    (name,) = [name for name in made.catalogue if name.startswith("greeting-")]
    assert {code: prompts[name].text for code, prompts in made.catalogue.renderings.items() if name in prompts} == {
        "en": "Hello there.",
        "es": "Buenos días.",
    }
    assert made.center_config({}).flows["main"].languages == ("en", "es")


def test_a_flow_that_names_no_language_is_written_in_the_center_s(tmp_path: Path) -> None:
    text = DOCUMENT.format(languages="", greeting="Buenos días.").replace("languages: []\n", "")
    made = with_document(tmp_path, ["es"], text)
    (name,) = [name for name in made.catalogue if name.startswith("greeting-")]
    assert made.catalogue[name].language == "es"
    assert made.center_config({}).flows["main"].languages == ()


def test_a_flow_in_a_language_that_the_center_does_not_speak_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        with_document(tmp_path, ["en"], DOCUMENT.format(languages="en, es", greeting="{en: Hello., es: Hola.}"))
    assert str(raised.value.problems[0]).endswith("flows/main.yaml:3: languages: names 'es', which is none of center.languages: en")
