"""Named lists of callers, found by number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.domain.routing_config import CallerList, ListedNumber


@dataclass(frozen=True, slots=True)
class Hit:
    caller_list: CallerList
    entry: ListedNumber


class CallerIndex:
    """Finds the lists a caller is on, without looking at all their numbers."""

    def __init__(self, lists: Sequence[CallerList]) -> None:
        self._by_number: dict[str, list[Hit]] = {}
        for caller_list in lists:
            for entry in caller_list.entries:
                self._by_number.setdefault(entry.number, []).append(Hit(caller_list, entry))

    def hits(self, caller: str, now: datetime) -> Iterator[Hit]:
        """The lists that hold the caller now: one hit for each, the whole number before a beginning, the longest first."""
        if not self._by_number:
            return
        found: set[str] = set()
        for number in (caller, *(f"{caller[:length]}*" for length in range(len(caller), 0, -1))):
            for hit in self._by_number.get(number, ()):
                if (hit.entry.until is None or now < hit.entry.until) and hit.caller_list.name not in found:
                    found.add(hit.caller_list.name)
                    yield hit
