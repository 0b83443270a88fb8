"""What callers and agents do in a replay: as recorded, and where the record says nothing, drawn from what others did."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TypeVar

from callcenter.domain.patience import Patience, Watched, kaplan_meier
from callcenter.sim.replay.recorded import Handling, RecordedContact, RecordedDay

T = TypeVar("T")

ENOUGH_ABANDONS = 20
"""With fewer abandons in its queue, a caller's patience is that of the callers of all queues."""


A_MOMENT = timedelta(seconds=1)
"""A phone that rang longer than any that was answered would have been answered so much later."""


class NothingToLearn(Exception):
    """The record does not show what a replay needs; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one contact in a replay: all that does not depend on what the center decides."""

    patience: timedelta | None
    """How long the caller waits at most; None: for ever."""
    ring: timedelta
    handling: Handling


class People:
    """Parts for contacts. The same seed gives the same contact the same part, whatever else happens."""

    def __init__(self, day: RecordedDay, seed: int) -> None:
        self._seed = seed
        self._until = day.until_at or day.to_at
        contacts = list(day.contacts.values())
        self._handlings = _by_queue([(each.record.queue, each.handling) for each in contacts if each.handling])
        self._rings = _by_queue([(each.record.queue, each.ring) for each in contacts if each.ring is not None])
        if not self._handlings or not self._rings:
            raise NothingToLearn("nobody was answered at this time, so the record does not say how long a contact takes")
        self._patience = _patience(contacts)

    def part(self, queue: str, recorded: RecordedContact | None, name: str) -> Part:
        """The part of a contact in ``queue``, that of ``recorded`` unless it is None; the same ``name`` draws the same."""
        chance = Random(f"{self._seed} {name}")
        rings = _pool(self._rings, queue)
        drawn_ring, drawn_handling = chance.choice(rings), chance.choice(_pool(self._handlings, queue))
        patience = self._patience.get(queue, self._patience[""])
        share = 1.0 - chance.random()
        if recorded is None:
            return Part(patience.beyond(timedelta(), share), drawn_ring, drawn_handling)
        waited = recorded.record.wait
        if waited is None:  # the record ends before the wait does
            waited = max(timedelta(), self._until - recorded.record.entered_at)
        if drawn_ring <= recorded.rang_in_vain:
            drawn_ring = chance.choice([ring for ring in rings if ring > recorded.rang_in_vain] or [recorded.rang_in_vain + A_MOMENT])
        return Part(
            waited if recorded.left_by_choice else patience.beyond(waited, share),
            drawn_ring if recorded.ring is None else recorded.ring,
            recorded.handling or drawn_handling,
        )


def _by_queue(pairs: Sequence[tuple[str, T]]) -> Mapping[str, Sequence[T]]:
    """By queue; all of them together under the empty name."""
    found: dict[str, list[T]] = defaultdict(list)
    for queue, value in pairs:
        found[queue].append(value)
        found[""].append(value)
    return dict(found)


def _pool(by_queue: Mapping[str, Sequence[T]], queue: str) -> Sequence[T]:
    return by_queue.get(queue) or by_queue[""]


def _patience(contacts: Sequence[RecordedContact]) -> Mapping[str, Patience]:
    watched = _by_queue([(each.record.queue, Watched(each.record.wait, each.gave_up)) for each in contacts if each.record.wait is not None])
    learned = {queue: kaplan_meier(waits) for queue, waits in watched.items()}
    return {queue: patience for queue, patience in learned.items() if not queue or patience.abandons >= ENOUGH_ABANDONS} or {"": Patience()}
