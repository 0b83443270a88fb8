"""Scripts: what an agent says and asks, page by page, as data. Pure: from script, page and answers to the next page, or to what is wrong.

::

    Script ── start ──► Page: text with {variables}, fields ──► go: the first condition that holds names the next page ──► ... ──► the end

Variables and conditions see the attributes of the call and the answers given so far, as one: ``attribute.plan == "gold"``. Answers are
texts, kept as they are written down, but for dates (ISO 8601), numbers (a point, no spaces) and choices (one of those offered).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from callcenter.domain.conditions import Metric
from callcenter.domain.ivr.expressions import Around, Expression, as_number

LONGEST_ANSWER = 2000
_PLACE = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
_EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,190}\.[^\s@<>\".]{2,63}")
_PHONE = re.compile(r"\+?[0-9 ()./-]{3,30}")


class FieldKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"
    EMAIL = "email"
    PHONE = "phone"


class Wrong(StrEnum):
    """What is wrong with an answer; the screens say it in their language."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    NO_NUMBER = "no_number"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    NO_DATE = "no_date"
    NO_CHOICE = "no_choice"
    NO_EMAIL = "no_email"
    NO_PHONE = "no_phone"


@dataclass(frozen=True, slots=True)
class Field:
    """One question."""

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """Where to go when the condition holds; without one, always."""

    to: str
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class Page:
    text: str
    fields: tuple[Field, ...] = ()
    ways: tuple[Way, ...] = ()
    """Tried in order; when none holds, the script is at its end."""


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    title: str
    start: str
    pages: Mapping[str, Page] = field(default_factory=dict)


def say(text: str, known: Mapping[str, str]) -> str:
    """The text with its variables filled in; what is not known is left out."""
    return _PLACE.sub(lambda place: known.get(place[1], ""), text)


def check(page: Page, answers: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Wrong]]:
    """The answers to this page as they are kept, and what is wrong with which; answers to other questions are passed over."""
    kept: dict[str, str] = {}
    wrong: dict[str, Wrong] = {}
    for asked in page.fields:
        answer = answers.get(asked.name, "").strip()
        fault = _fault(asked, answer)
        if fault is not None:
            wrong[asked.name] = fault
        elif answer:
            kept[asked.name] = answer
    return kept, wrong


def _fault(asked: Field, answer: str) -> Wrong | None:
    if not answer:
        return Wrong.MISSING if asked.required else None
    if len(answer) > LONGEST_ANSWER:
        return Wrong.TOO_LONG
    if asked.kind is FieldKind.NUMBER:
        return _number_fault(asked, answer)
    fits: dict[FieldKind, tuple[Callable[[str], object], Wrong]] = {
        FieldKind.DATE: (_is_date, Wrong.NO_DATE),
        FieldKind.CHOICE: (asked.choices.__contains__, Wrong.NO_CHOICE),
        FieldKind.YES_NO: (("yes", "no").__contains__, Wrong.NO_CHOICE),
        FieldKind.EMAIL: (_EMAIL.fullmatch, Wrong.NO_EMAIL),
        FieldKind.PHONE: (_PHONE.fullmatch, Wrong.NO_PHONE),
    }
    fit = fits.get(asked.kind)
    return fit[1] if fit is not None and not fit[0](answer) else None


def _number_fault(asked: Field, answer: str) -> Wrong | None:
    number = as_number(answer)
    if number is None:
        return Wrong.NO_NUMBER
    if asked.least is not None and number < asked.least:
        return Wrong.TOO_SMALL
    return Wrong.TOO_LARGE if asked.most is not None and number > asked.most else None


def _is_date(answer: str) -> bool:
    try:
        return len(answer) == 10 and bool(date.fromisoformat(answer))
    except ValueError:
        return False


class _NothingElse:
    """Scripts look at attributes and answers only (``faults`` sees to it)."""

    call = ""

    def is_open(self, calendar: str) -> bool:
        return False

    def on_list(self, name: str) -> bool:
        return False

    def measured(self, queue: str, metric: Metric) -> float | None:
        return None

    def is_ready(self, agent: str) -> bool:
        return False


def next_page(page: Page, known: Mapping[str, str]) -> str:
    """The page after this one; empty: the script is at its end."""
    seen = Around(known, _NothingElse(), "")
    return next((way.to for way in page.ways if way.when is None or way.when.holds(seen)), "")


def faults(script: Script) -> Iterator[tuple[str, str]]:
    """What is wrong in a script, each with its place in it."""
    if script.start not in script.pages:
        yield "start", f"names page '{script.start}', which is not there; pages: {', '.join(script.pages) or 'none'}"
    names: dict[str, str] = {}
    for name, page in script.pages.items():
        for index, asked in enumerate(page.fields):
            place = f"page.{name}.field[{index}]"
            if names.setdefault(asked.name, name) != name or [one.name for one in page.fields].count(asked.name) > 1:
                yield f"{place}.name", f"'{asked.name}' is asked already; each field needs a name of its own"
            if (asked.kind is FieldKind.CHOICE) is not bool(asked.choices):
                yield f"{place}.choices", "are needed for kind = 'choice', and for no other"
        for index, way in enumerate(page.ways):
            if way.to and way.to not in script.pages:
                yield f"page.{name}.go[{index}].to", f"names page '{way.to}', which is not there; pages: {', '.join(script.pages)}"
            for kind, named in way.when.names() if way.when is not None else ():
                if kind != "attribute":
                    yield f"page.{name}.go[{index}].when", f"speaks of {kind} '{named}'; scripts know attributes and answers only"
    if script.start in script.pages:
        yield from ((f"page.{name}", "is reached from nowhere") for name in sorted(set(script.pages) - _reached(script)))


def _reached(script: Script) -> set[str]:
    reached: set[str] = set()
    todo = [script.start]
    while todo:
        name = todo.pop()
        if name in script.pages and name not in reached:
            reached.add(name)
            todo += [way.to for way in script.pages[name].ways]
    return reached
