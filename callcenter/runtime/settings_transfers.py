"""What callcenter.toml says about transfers: the numbers by which agents and queues are dialed, and what they may not be."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings


def extension_faults(settings: "Settings") -> Iterator[Problem]:
    """An extension leads to one place only, and nobody who dials for help may end up at it."""
    taken: dict[str, str] = {}
    sections = [(f"queue[{index}]", queue.extension) for index, queue in enumerate(settings.queues)]
    sections += [(f"agent[{index}]", agent.extension) for index, agent in enumerate(settings.agents)]
    dids = dict(_dids(settings))
    for table, extension in sections:
        if extension is None:
            continue
        key = f"{table}.extension"
        if extension in taken:
            yield Problem(key, f"'{extension}' is taken by {taken[extension]}; each needs an extension of its own")
        taken.setdefault(extension, table)
        for number in settings.center.emergency_numbers:
            if number.startswith(extension) or extension.startswith(number):
                yield Problem(key, f"'{extension}' must not begin as the emergency number {number} does, nor be its beginning")
        if extension in dids:
            yield Problem(key, f"'{extension}' is the number of {dids[extension]} already")


def _dids(settings: "Settings") -> Iterator[tuple[str, str]]:
    """Our numbers as one might dial them; those that are no numbers are complained of elsewhere."""
    for index, number in enumerate(settings.numbers):
        yield number.did, f"number[{index}]"
        with suppress(ValueError):
            yield settings.did(number).removeprefix("+"), f"number[{index}]"
