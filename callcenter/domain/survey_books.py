"""Survey answers as records, and their measures: one pure function each; ``adapters/db/kpi`` gives the same numbers in SQL."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from callcenter.domain.facts import SurveyAnswered
from callcenter.domain.records import SurveyAnswerRecord
from callcenter.domain.survey_kinds import SurveyKind

SCORED = frozenset({SurveyKind.CSAT, SurveyKind.NPS})
SATISFIED_FROM, PROMOTER_FROM, DETRACTOR_TO = 4, 9, 6
_Key = TypeVar("_Key")


def answer_records(answers: Sequence[SurveyAnswered]) -> tuple[SurveyAnswerRecord, ...]:
    """Those of one call, in the order in which they were given."""
    return tuple(_record(n, fact) for n, fact in enumerate(answers))


def _record(n: int, fact: SurveyAnswered) -> SurveyAnswerRecord:
    return SurveyAnswerRecord(
        fact.call,
        n,
        fact.contact,
        fact.queue,
        fact.agent,
        fact.flow,
        fact.question,
        fact.asked,
        fact.value,
        int(fact.value) if fact.asked in SCORED else None,
        fact.at,
    )


@dataclass(frozen=True, slots=True)
class SurveySums:
    """What is counted of the answers to one question. Adds up over queues, agents and days."""

    answers: int = 0
    score: int = 0
    """Of csat and nps: the sum."""
    satisfied: int = 0
    """Of csat: 4 and 5."""
    promoters: int = 0
    """Of nps: 9 and 10 ..."""
    detractors: int = 0
    """... and 0 to 6."""

    def __add__(self, other: "SurveySums") -> "SurveySums":
        return SurveySums(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def survey_sums(answers: Iterable[SurveyAnswerRecord]) -> SurveySums:
    """Count these answers."""
    listed = list(answers)
    csat = [answer.score or 0 for answer in listed if answer.kind is SurveyKind.CSAT]
    nps = [answer.score or 0 for answer in listed if answer.kind is SurveyKind.NPS]
    return SurveySums(
        len(listed),
        sum(csat) + sum(nps),
        sum(score >= SATISFIED_FROM for score in csat),
        sum(score >= PROMOTER_FROM for score in nps),
        sum(score <= DETRACTOR_TO for score in nps),
    )


def by(answers: Iterable[SurveyAnswerRecord], key: Callable[[SurveyAnswerRecord], _Key]) -> dict[_Key, SurveySums]:
    """The counts, by queue, agent, day or whatever ``key`` says."""
    found: dict[_Key, list[SurveyAnswerRecord]] = defaultdict(list)
    for answer in answers:
        found[key(answer)].append(answer)
    return {name: survey_sums(each) for name, each in found.items()}


def csat(counted: SurveySums) -> float | None:
    """Satisfied (4 and 5) ÷ answers."""
    return counted.satisfied / counted.answers if counted.answers else None


def mean_score(counted: SurveySums) -> float | None:
    """Σ of the scores ÷ answers."""
    return counted.score / counted.answers if counted.answers else None


def nps(counted: SurveySums) -> float | None:
    """Net promoter score, −100 to 100: 100 × (promoters − detractors) ÷ answers."""
    return 100 * (counted.promoters - counted.detractors) / counted.answers if counted.answers else None
