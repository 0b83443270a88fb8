"""Asks sources within their budgets: breaker first, then the question, then the answer that stands in when there is none.

Who asks never waits longer than the budget, whatever the source does: a question that does not even let itself be
cancelled is left behind.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from callcenter.domain.dips.breaker import Breaker
from callcenter.domain.dips.histogram import Histogram
from callcenter.domain.dips.reading import Garbage
from callcenter.domain.dips.source import DipAnswer, Fallback, HttpSource, Outcome, Source
from callcenter.domain.dips.template import ValueRefused
from callcenter.services.ports import Clock

log = logging.getLogger(__name__)

REMEMBERED = 1000
"""Good answers kept for each source; the longest unused goes first."""


class SourceFailed(Exception):
    """The source did not answer as it should. The sentence names no value and repeats no byte of an answer.

    ``blameless``: it speaks against this one question rather than against the source, whose breaker is not told.
    """

    def __init__(self, sentence: str, *, blameless: bool = False) -> None:
        super().__init__(sentence)
        self.blameless = blameless


class Asker(Protocol):
    """Asks one source."""

    async def ask(self, values: Mapping[str, str]) -> DipAnswer:
        """FOUND with attributes, or NOT_FOUND. Raises SourceFailed, Garbage, ValueRefused."""


@dataclass(frozen=True, slots=True)
class Question:
    source: str
    values: Mapping[str, str] = field(repr=False)
    budget: timedelta
    secret: bool = False
    """A value is secret: the answer is not kept."""


@dataclass(slots=True)
class _Desk:
    """What is known of one source."""

    source: Source
    asker: Asker
    breaker: Breaker
    took: Histogram = field(default_factory=Histogram)
    outcomes: dict[str, int] = field(default_factory=dict)
    good: "OrderedDict[tuple[str, ...], tuple[datetime, DipAnswer]]" = field(default_factory=OrderedDict)
    under_way: set[asyncio.Task[DipAnswer]] = field(default_factory=set)


class Dips:
    """All sources."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._desks: dict[str, _Desk] = {}

    def configure(self, sources: Mapping[str, tuple[Source, Asker]]) -> None:
        """Take these sources; one that has not changed keeps its breaker, its counts and its good answers."""
        desks: dict[str, _Desk] = {}
        for name, (source, asker) in sources.items():
            old = self._desks.get(name)
            desks[name] = _Desk(source, asker, Breaker(source.rules.breaker))
            if old is not None:
                desks[name].took, desks[name].outcomes, desks[name].under_way = old.took, old.outcomes, old.under_way
                if old.source == source:
                    desks[name].breaker, desks[name].good = old.breaker, old.good
        self._desks = desks

    async def ask(self, question: Question) -> DipAnswer:
        """Never raises, and never takes longer than the budget."""
        desk = self._desks.get(question.source)
        if desk is None:
            log.warning("dip_unknown source=%s", question.source)
            return DipAnswer(Outcome.FAILED)
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await self._within(desk, question)
        desk.took.add(loop.time() - began)
        desk.outcomes[answer.outcome] = desk.outcomes.get(answer.outcome, 0) + 1
        if answer.fallback is not Fallback.NONE:
            kind = f"fallback_{answer.fallback}"
            desk.outcomes[kind] = desk.outcomes.get(kind, 0) + 1
        return answer

    async def _within(self, desk: _Desk, question: Question) -> DipAnswer:
        rules, name = desk.source.rules, desk.source.name
        if len(desk.under_way) >= rules.at_once:
            return self._instead(desk, question, Outcome.FAILED, "too many questions under way")
        if not desk.breaker.admits(self._clock.now()):
            return self._instead(desk, question, Outcome.FAILED, "")
        task = asyncio.create_task(desk.asker.ask(question.values), name=f"dip {name}")
        desk.under_way.add(task)
        task.add_done_callback(desk.under_way.discard)
        task.add_done_callback(_look_at)
        try:
            done, _ = await asyncio.wait((task,), timeout=min(question.budget, rules.budget).total_seconds())
        except asyncio.CancelledError:  # the caller is gone; that says nothing about the source
            task.cancel()
            desk.breaker.withdrawn()
            raise
        if not done:
            task.cancel()
            desk.breaker.has_failed(self._clock.now())
            return self._instead(desk, question, Outcome.LATE, "no answer within the budget")
        return self._judge(desk, question, task)

    def _judge(self, desk: _Desk, question: Question, task: "asyncio.Task[DipAnswer]") -> DipAnswer:
        now = self._clock.now()
        try:
            answer = task.result()
        except ValueRefused:
            desk.breaker.withdrawn()
            return DipAnswer(Outcome.NOT_FOUND)  # there is nothing to ask with: an anonymous caller, say
        except SourceFailed as failed:
            if failed.blameless:
                desk.breaker.answered()
            else:
                desk.breaker.has_failed(now)
            return self._instead(desk, question, Outcome.FAILED, str(failed))
        except Garbage as garbage:
            desk.breaker.has_failed(now)
            return self._instead(desk, question, Outcome.FAILED, f"the answer cannot be used: {garbage}")
        except (Exception, asyncio.CancelledError) as bug:
            desk.breaker.has_failed(now)
            return self._instead(desk, question, Outcome.FAILED, f"a fault of ours: {type(bug).__name__}")
        desk.breaker.answered()
        self._keep(desk, question, answer, now)
        return answer

    # --- what stands in -------------------------------------------------------------------------

    def _keep(self, desk: _Desk, question: Question, answer: DipAnswer, now: datetime) -> None:
        if question.secret or answer.outcome is not Outcome.FOUND or not desk.source.rules.cached_for:
            return
        key = _key(desk.source, question)
        desk.good[key] = (now, answer)
        desk.good.move_to_end(key)
        if len(desk.good) > REMEMBERED:
            desk.good.popitem(last=False)

    def _instead(self, desk: _Desk, question: Question, outcome: Outcome, why: str) -> DipAnswer:
        """The last good answer if it is young enough, else the defaults with the outcome as it is."""
        rules = desk.source.rules
        if why:  # an open breaker has said why when it opened
            log.warning("dip_%s source=%s breaker=%s why=%s", outcome, desk.source.name, desk.breaker.state, why)
        if not question.secret:
            key = _key(desk.source, question)
            kept = desk.good.get(key)
            if kept is not None and self._clock.now() - kept[0] <= rules.cached_for:
                desk.good.move_to_end(key)
                return DipAnswer(Outcome.FOUND, kept[1].attributes, Fallback.CACHED)
        return DipAnswer(outcome, rules.defaults, Fallback.DEFAULT) if rules.defaults else DipAnswer(outcome)

    # --- what is told ---------------------------------------------------------------------------

    def measures(self) -> list[dict[str, object]]:
        """For Prometheus: no value of any question."""
        return [
            {
                "source": name,
                "kind": "http" if isinstance(desk.source, HttpSource) else "sql",
                "breaker": str(desk.breaker.state),
                "took": desk.took.cumulative(),
                "took_total": desk.took.total,
                "outcomes": dict(desk.outcomes),
            }
            for name, desk in sorted(self._desks.items())
        ]


def _key(source: Source, question: Question) -> tuple[str, ...]:
    return tuple(question.values.get(name, "") for name in source.names())


def _look_at(task: "asyncio.Task[DipAnswer]") -> None:
    """What a question left behind raises in the end is nobody's matter any more."""
    if not task.cancelled():
        task.exception()
