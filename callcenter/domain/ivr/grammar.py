"""What a caller may say at a speech node: phrases, and the value that each of them means.

A grammar is small on purpose: a recogniser that has to choose among a few phrases is right more often than one that has to
understand everything, and what a caller says can only ever become one of the values written here.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

MOST_PHRASES = 200
LONGEST_PHRASE = 60
"""Characters."""

YES, NO = "yes", "no"
"""The values of the built-in grammar ``yes_no``, in every language."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Phrases in one language, each in small letters, and what they mean."""

    language: str
    phrases: Mapping[str, str]
    """From phrase to value; several phrases may mean the same."""
    most: int = 1
    """So many phrases may be said one after the other; their values are joined then."""

    @property
    def values(self) -> tuple[str, ...]:
        """What may come of it, each once, in order; of several phrases in a row: what one of them means."""
        return tuple(dict.fromkeys(self.phrases.values()))

    @property
    def words(self) -> frozenset[str]:
        return frozenset(word for phrase in self.phrases for word in phrase.split())


def normal(phrase: str) -> str:
    """A phrase as recognisers know it: small letters, single spaces."""
    return " ".join(phrase.casefold().split())


def _meaning(meanings: Mapping[str, str]) -> Mapping[str, str]:
    """From ``{"yes": "yes yeah"}``-like tables, value to phrases parted by ``|``, to phrase → value."""
    return MappingProxyType({phrase: value for value, phrases in meanings.items() for phrase in phrases.split("|")})


def _digits(*words: str) -> Mapping[str, str]:
    return _meaning({str(digit): said for digit, said in enumerate(words)})


_YES_NO = {
    "en": _meaning({YES: "yes|yeah|yep|correct|right", NO: "no|nope|wrong"}),
    "es": _meaning({YES: "sí|si|claro|correcto", NO: "no"}),
    "fr": _meaning({YES: "oui|ouais|d'accord", NO: "non"}),
    "zh": _meaning({YES: "是|是的|对|好", NO: "不|不是|不对"}),
    "vi": _meaning({YES: "có|vâng|dạ|đúng", NO: "không"}),
    "th": _meaning({YES: "ใช่|ครับ|ค่ะ", NO: "ไม่|ไม่ใช่"}),
    "fil": _meaning({YES: "oo|opo|oho", NO: "hindi|hindi po"}),
}
_DIGITS = {
    "en": _digits("zero|oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": _digits("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "fr": _digits("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    "zh": _digits("零", "一", "二", "三", "四", "五", "六", "七", "八", "九"),
    "vi": _digits("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"),
    "th": _digits("ศูนย์", "หนึ่ง", "สอง", "สาม", "สี่", "ห้า", "หก", "เจ็ด", "แปด", "เก้า"),
    "fil": _digits("sero", "isa", "dalawa", "tatlo", "apat", "lima", "anim", "pito", "walo", "siyam"),
}
LONGEST_NUMBER = 16
"""Digits that may be said in a row."""

YES_NO, DIGIT, NUMBER = "yes_no", "digit", "digits"
BUILT_IN: Mapping[str, Mapping[str, Mapping[str, str]]] = {YES_NO: _YES_NO, DIGIT: _DIGITS, NUMBER: _DIGITS}
"""Grammars that nobody has to write, by name and language."""


def built_in(name: str, language: str) -> Grammar | None:
    """The grammar of that name in that language; None when there is none."""
    phrases = BUILT_IN.get(name, {}).get(language)
    return None if phrases is None else Grammar(language, phrases, LONGEST_NUMBER if name == NUMBER else 1)


def meaning(grammar: Grammar, phrase: str) -> str:
    """What a phrase means, or several in a row: their values one after the other. Empty when it is none of the grammar's."""
    if phrase in grammar.phrases:
        return grammar.phrases[phrase]
    if grammar.most == 1:
        return ""
    values = _in_a_row(grammar, phrase.split())
    return "".join(values) if values is not None and len(values) <= grammar.most else ""


def _in_a_row(grammar: Grammar, words: list[str]) -> list[str] | None:
    if not words:
        return []
    for end in range(len(words), 0, -1):
        value = grammar.phrases.get(" ".join(words[:end]))
        if value is not None and (rest := _in_a_row(grammar, words[end:])) is not None:
            return [value, *rest]
    return None


def faults(grammar: Grammar) -> Iterator[str]:
    """Yield, one sentence each, what makes phrases unfit to be listened for."""
    if not grammar.phrases:
        yield f"has no phrase in language '{grammar.language}'; write at least one"
    if len(grammar.phrases) > MOST_PHRASES:
        yield f"has {len(grammar.phrases)} phrases in language '{grammar.language}'; {MOST_PHRASES} at most can be told apart"
    for phrase in grammar.phrases:
        if not phrase or phrase != normal(phrase):
            yield f"has the phrase {phrase!r}; write it in small letters with single spaces"
        elif len(phrase) > LONGEST_PHRASE or not all(letter.isalpha() or _mark(letter) for letter in phrase):
            yield f"has the phrase {phrase!r}; a phrase is words of letters, {LONGEST_PHRASE} characters at most (write numbers as words)"


def _mark(letter: str) -> bool:
    """What may stand in words beside letters: apostrophe, hyphen, and marks that combine with the letter before (Thai vowels)."""
    return letter in " '-" or unicodedata.category(letter).startswith("M")
