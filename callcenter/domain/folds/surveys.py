"""What facts of surveys change: who has been asked lately."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.domain import facts as f

if TYPE_CHECKING:
    from callcenter.domain.state import State

MOST = 50_000
"""Callers remembered; beyond that the one who was asked first may be asked again."""


def survey_offered(state: "State", fact: f.SurveyOffered) -> None:
    if fact.caller and fact.not_before > fact.at:
        _remember(state.surveyed, fact.caller, fact.not_before)


def callers_surveyed(state: "State", fact: f.CallersSurveyed) -> None:
    for caller, not_before in zip(fact.callers, fact.not_before, strict=True):
        _remember(state.surveyed, caller, not_before)


def _remember(surveyed: dict[str, datetime], caller: str, not_before: datetime) -> None:
    surveyed.pop(caller, None)
    surveyed[caller] = not_before
    if len(surveyed) > MOST:
        del surveyed[next(iter(surveyed))]


def survey_answered(state: "State", fact: f.SurveyAnswered) -> None:
    pass


FOLDS: Mapping[type, Callable[..., None]] = {
    f.SurveyOffered: survey_offered,
    f.SurveyAnswered: survey_answered,
    f.CallersSurveyed: callers_surveyed,
}
