"""The whole center as one machine: events in, facts and commands out. It routes; the rules are in the stories it calls.

::

    event ──► due deadlines, each at its own date ──► the story of the event ──► facts (applied at once), commands
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial

from callcenter.domain import busy_listening, callbacks, consults, flows, mailbox_visits, persistent_leg, preferred, supervising
from callcenter.domain import events as e
from callcenter.domain.config import CenterConfig
from callcenter.domain.due import due
from callcenter.domain.facts import AgentOptedOut, AgentRequestRemembered, AgentStateChanged, Fact
from callcenter.domain.ids import Ids
from callcenter.domain.machine import Outputs
from callcenter.domain.state import State
from callcenter.domain.state_lamps import StateLamps
from callcenter.domain.stories import ITS_TURN, STORIES
from callcenter.domain.turn import Turn


class Center:
    """``handle(event, now) -> Outputs``, plus ``deadline``. No clock, no I/O, no randomness but the seed of its ids."""

    def __init__(self, config: CenterConfig, ids: Ids) -> None:
        self.state = State(config)
        self._ids = ids
        self._lamps = StateLamps()

    @classmethod
    def restore(cls, config: CenterConfig, ids: Ids, facts: Iterable[Fact]) -> "Center":
        """The center as it was after these facts: those of a checkpoint, then those of the journal after it."""
        center = cls(config, ids)
        for fact in facts:
            center.state.apply(fact)
        return center

    def checkpoint(self) -> Iterator[Fact]:
        """Facts from which ``restore`` makes this center again."""
        return self.state.checkpoint.facts()

    @property
    def deadline(self) -> datetime | None:
        """When the engine should send TimePassed at the latest; None: nothing is due by itself."""
        return self.state.deadlines.next

    def handle(self, event: e.Event, now: datetime) -> Outputs:
        """Run what is due, each at its own date, then the event. Time never goes back: an earlier ``now`` counts as the latest seen.

        A bug met on the way is contained to the story it happened in and reported in ``faults``.
        """
        total = Outputs()
        if self.state.at is not None and now < self.state.at:
            now = self.state.at
        while (alarm := self.state.deadlines.take_due(now)) is not None:
            at = alarm[0] if self.state.at is None else max(alarm[0], self.state.at)
            self._run(total, at, due, alarm)
        if not isinstance(event, e.TimePassed):
            self._run(total, now, STORIES[type(event)], event)
        return total

    def _run(self, total: Outputs, now: datetime, story: Callable[..., None], happening: object) -> None:
        turn = Turn(self.state, self._ids, now, ITS_TURN)
        for step in (
            partial(story, turn, happening),
            partial(_heed, turn),
            partial(_look_at_preferred, turn),
            partial(supervising.renew, turn),
            partial(self._show, turn, happening),
        ):
            try:
                step()
            except Exception as fault:  # one call's bug must not stop the center; the engine reports it
                total.faults.append(fault)
        total.facts += turn.out.facts
        total.commands += turn.out.commands
        total.faults += turn.out.faults
        total.refusal = turn.out.refusal or total.refusal

    def _show(self, turn: Turn, happening: object) -> None:
        """What the lamps of phones are to show now."""
        self._lamps.look(turn)
        if isinstance(happening, e.ConfigChanged):
            self._lamps.all(turn)


def _look_at_preferred(turn: Turn) -> None:
    """Who waits for one agent alone must know when she is not due back."""
    if turn.state.lines.personal:
        changed = {fact.agent for fact in turn.out.facts if isinstance(fact, AgentStateChanged | AgentRequestRemembered | AgentOptedOut)}
        for name in sorted(changed.intersection(turn.state.lines.personal)):
            preferred.look_again(turn, name)


def _heed(turn: Turn) -> None:
    """What the facts mean for callbacks; who consulted is with the caller again; whoever was sent on goes on: until nothing is left."""
    heeded = 0
    while heeded < len(turn.out.facts) or turn.over or turn.to_take or turn.unanswered or turn.to_mailbox or turn.visited or turn.to_flow:
        if heeded < len(turn.out.facts):
            fact = turn.out.facts[heeded]
            heeded += 1
            if type(fact) in callbacks.HEEDED:
                callbacks.heed(turn, fact)
            if turn.state.supervised:
                supervising.heed(turn, fact)
            if type(fact) in busy_listening.HEEDED:
                busy_listening.heed(turn, fact)
        elif turn.over:
            consults.back_to_caller(turn, *turn.over.pop(0))
        elif turn.to_take:
            persistent_leg.take(turn, *turn.to_take.pop(0))
        elif turn.unanswered:
            flows.not_answered(turn, turn.unanswered.pop(0))
        elif not mailbox_visits.go_on(turn):
            flows.start_flow(turn, *turn.to_flow.pop(0))
