"""The words of the screens, in each language: ``<language>/<area>.toml`` beside this file, one file for each part of the screens.

A word is found by ``area.key``. It is a text with ``{places}`` for values, or a table of plural forms by CLDR's names
(``one``, ``two``, ``few``, ``many``, ``other``), chosen by the value ``n``. A test holds the languages to the same keys.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

HERE = Path(__file__).parent
DEFAULT = "en"
LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "es": "Español", "ar": "العربية"})
"""What the screens speak, each named in itself."""
RIGHT_TO_LEFT = frozenset({"ar"})
FORMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"en": ("one", "other"), "es": ("one", "many", "other"), "ar": ("zero", "one", "two", "few", "many", "other")}
)
"""The plural forms of each language (Unicode CLDR 46)."""
_PLACE = re.compile(r"\{(\w+)\}")

Text = str | Mapping[str, str]


class Words:
    """One language's. ``words("people.sign_in")``, ``words("live.waiting", n=3)``."""

    def __init__(self, language: str, texts: Mapping[str, Text]) -> None:
        self.language = language
        self.direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The text with its values put in. Raises KeyError for a key that is in no file."""
        text = self._texts[key]
        if not isinstance(text, str):
            n = values.get("n", 0)
            text = text.get(plural(self.language, n if isinstance(n, int) else 0), text["other"])
        return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), text)

    def has(self, key: str) -> bool:
        return key in self._texts

    def area(self, area: str) -> Mapping[str, Text]:
        """All of one file, for scripts; ``static/words.js`` does there what ``__call__`` does here."""
        begin = f"{area}."
        return {key.removeprefix(begin): text for key, text in self._texts.items() if key.startswith(begin)}


@cache
def words(language: str) -> Words:
    """Of a language that we have; of another, those of ``DEFAULT``."""
    known = language if language in LANGUAGES else DEFAULT
    return Words(known, texts(known))


def texts(language: str) -> Mapping[str, Text]:
    """All texts of the language by ``area.key``. Raises ValueError when a file holds something else."""
    found: dict[str, Text] = {}
    for file in sorted((HERE / language).glob("*.toml")):
        for key, text in tomllib.loads(file.read_text(encoding="utf-8")).items():
            plural_forms = isinstance(text, dict) and "other" in text and all(isinstance(form, str) for form in text.values())
            if not isinstance(text, str) and not plural_forms:
                raise ValueError(f"{file}: '{key}' must be a text, or a table of plural forms with 'other'")
            found[f"{file.stem}.{key}"] = text
    return found


def areas() -> frozenset[str]:
    """The parts of the screens that have words."""
    return frozenset(file.stem for file in (HERE / DEFAULT).glob("*.toml"))


def wished(header: str) -> str:
    """The best of our languages by the header ``Accept-Language`` (RFC 9110, 12.5.4)."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, quality = part.strip().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        language = tag.strip().lower().split("-")[0]
        if language in LANGUAGES and weight > 0:
            ranked.append((-weight, place, language))
    return min(ranked)[2] if ranked else DEFAULT


def plural(language: str, n: int) -> str:
    """The form for so many (CLDR's rules for whole numbers)."""
    if language == "ar":
        if n in (0, 1, 2):
            return ("zero", "one", "two")[n]
        return "few" if 3 <= n % 100 <= 10 else "many" if n % 100 >= 11 else "other"
    if language == "es" and n != 0 and n % 1_000_000 == 0:
        return "many"
    return "one" if n == 1 else "other"
