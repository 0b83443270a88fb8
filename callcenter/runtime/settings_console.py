"""What callcenter.toml says for the console: scripts, what dispositions mean, and the address that a screen pop opens."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field

from callcenter.domain import scripts
from callcenter.domain.ivr.expressions import parse
from callcenter.domain.scripts import FieldKind, Page, Script, Way
from callcenter.runtime.settings_fields import AttributeName, Name, Plain, Section
from callcenter.runtime.settings_flow_model import Condition
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings

PAGES, FIELDS, WAYS, CHOICES = 100, 30, 20, 50
_PLACE = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")


def _pop_address(text: str) -> str:
    parts = urlsplit(_PLACE.sub("x", text))
    fixed = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or len(text) > 1000 or not text.isprintable() or " " in text:
        raise ValueError(f"must be an address that begins with https:// (or http://), but is {text!r}")
    if "{" in fixed.netloc or "@" in parts.netloc:
        raise ValueError(f"must name its host without variables and without a password, but is {text!r}")
    return text


PopAddress = Annotated[str, AfterValidator(_pop_address)]
Text = Annotated[str, Field(max_length=5000)]


class FieldSection(Section):
    name: AttributeName
    label: Plain
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    choices: tuple[Plain, ...] = Field(default=(), max_length=CHOICES)
    least: float | None = None
    most: float | None = None


class WaySection(Section):
    when: Condition | None = None
    to: Name


class PageSection(Section):
    """What is said, what is asked, and where it goes on; without ``go``, the script ends here."""

    text: Text
    fields: tuple[FieldSection, ...] = Field(default=(), alias="field", max_length=FIELDS)
    go: tuple[WaySection, ...] = Field(default=(), max_length=WAYS)


class ScriptSection(Section):
    title: Plain
    start: Name
    pages: dict[Name, PageSection] = Field(alias="page", min_length=1, max_length=PAGES)


class DispositionSection(Section):
    """What a disposition means, beside its name."""

    success: bool = False
    """The contact has achieved what it was for."""
    resolved: bool = False
    """The caller has no reason to come back (first contact resolution)."""
    do_not_call: bool = False
    """The caller does not want to be called any more: noted at once."""
    call_back: bool = False
    """The console asks when to call back."""
    retry: bool = False
    """To be tried again."""
    never_again: bool = False
    """Not to be tried again."""


class QueueConsole(Section):
    """What the console of an agent shows for the contacts of a queue."""

    script: Name | None = None
    screen_pop: PopAddress | None = None
    """An address with ``{caller}``, ``{queue}``, ``{contact}`` and attributes of the call in it; she opens it from the screen pop."""


def console_faults(settings: "Settings") -> Iterator[Problem]:
    for name, section in settings.scripts.items():
        for place, sentence in scripts.faults(script_of(name, section)):
            yield Problem(f"script.{name}.{place}", sentence)
    for index, queue in enumerate(settings.queues):
        if queue.script is not None and queue.script not in settings.scripts:
            known = ", ".join(settings.scripts) or "none"
            yield Problem(f"queue[{index}].script", f"names script '{queue.script}', which is not there; scripts: {known}")
    used = {disposition for queue in settings.queues for disposition in queue.dispositions}
    for name, means in settings.dispositions.items():
        if name not in used:
            yield Problem(f"disposition.{name}", "is a disposition of no queue; name it in a queue's dispositions, or take it out")
        if means.retry and (means.never_again or means.do_not_call):
            yield Problem(f"disposition.{name}.retry", "contradicts never_again and do_not_call")


def script_of(name: str, section: ScriptSection) -> Script:
    pages = {
        key: Page(
            page.text,
            tuple(scripts.Field(f.name, f.label, f.kind, f.required, f.choices, f.least, f.most) for f in page.fields),
            tuple(Way(way.to, parse(way.when) if way.when is not None else None) for way in page.go),
        )
        for key, page in section.pages.items()
    }
    return Script(name, section.title, section.start, pages)


def disposition_flags(settings: "Settings") -> Mapping[str, tuple[str, ...]]:
    """By disposition: the names of what it means."""
    return {name: tuple(flag for flag, said in means.model_dump().items() if said) for name, means in settings.dispositions.items()}


def pop_address(template: str, known: Mapping[str, str]) -> str:
    """The address, each value in it made harmless: it can change nothing but its own place."""
    return _PLACE.sub(lambda place: quote(known.get(place[1], ""), safe=""), template)
