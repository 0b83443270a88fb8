"""The words of the screens: each language says everything, with the same values and all its plural forms."""

import re
from string import Formatter

import pytest
from jinja2 import nodes

from callcenter.adapters.web.access import Routes
from callcenter.adapters.web.shell import HERE, Shell
from callcenter.adapters.web.words import browser
from callcenter.adapters.web.words.catalogue import DEFAULT, FORMS, LANGUAGES, plural, texts, wished, words

OTHERS = [language for language in LANGUAGES if language != DEFAULT]


def places(text: object) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(str(text)) if name}


@pytest.mark.parametrize("language", OTHERS)
def test_no_word_is_missing_and_none_is_left_over(language: str) -> None:
    ours, theirs = texts(DEFAULT), texts(language)
    assert set(ours) - set(theirs) == set(), f"missing in {language}"
    assert set(theirs) - set(ours) == set(), f"unknown in {DEFAULT}"


@pytest.mark.parametrize("language", OTHERS)
def test_values_have_their_places_in_each_language(language: str) -> None:
    for key, text in texts(DEFAULT).items():
        ours = places(text) if isinstance(text, str) else places(text["other"])
        translated = texts(language)[key]
        theirs = places(translated) if isinstance(translated, str) else places(translated["other"])
        assert ours == theirs, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_the_language(language: str) -> None:
    for key, text in texts(language).items():
        if not isinstance(text, str):
            assert set(text) == set(FORMS[language]), key


def test_templates_and_routes_use_only_words_there_are() -> None:
    templates = Shell("", Routes()).templates
    for file in (HERE / "templates").glob("*.html"):
        for call in templates.parse(file.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t" and isinstance(call.args[0], nodes.Const):
                assert call.args[0].value in texts(DEFAULT), file.name
    for file in HERE.glob("*.py"):
        for key in re.findall(r'menu="([^"]+)"', file.read_text(encoding="utf-8")):
            assert key in texts(DEFAULT), file.name


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("de, ar;q=0.5", "ar"),
        ("en;q=0.1, es", "es"),
        ("es;q=x, ar;q=0", "en"),
        ("," * 9000, "en"),
    ],
)
def test_the_browsers_wish_is_heard(header: str, language: str) -> None:
    assert wished(header) == language


def test_arabic_counts_in_six_forms() -> None:
    assert [plural("ar", n) for n in (0, 1, 2, 3, 11, 100, 103, 111)] == ["zero", "one", "two", "few", "many", "other", "few", "many"]


def test_values_are_put_in_and_unknown_languages_are_english() -> None:
    assert words("xx")("sign_in.too_many", wait=7) == "Too many tries did not fit. Try again in 7 s."
    assert (words("ar").direction, words("es").direction) == ("rtl", "ltr")


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "Chrome 142, Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0",
            "Edge 142, Windows",
        ),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140, Linux"),
        ("curl/8.5\u202e", "curl/8.5\ufffd"),
        (None, ""),
    ],
)
def test_a_browser_is_named_as_people_name_it(header: object, shown: str) -> None:
    assert browser(header) == shown
