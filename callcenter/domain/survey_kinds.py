"""What surveys ask, and whom."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class SurveyKind(StrEnum):
    """What is asked."""

    CSAT = "csat"
    """Satisfaction, 1 (bad) to 5 (good)."""
    NPS = "nps"
    """Whether the caller would recommend us, 0 to 10."""
    CHOICE = "choice"
    COMMENT = "comment"
    """Spoken, and kept as a message."""


@dataclass(frozen=True, slots=True)
class SurveyRule:
    """A queue's survey: callers whose agent hangs up first go on into it. Who hangs up first is not asked."""

    flow: str
    attribute: str = ""
    """Only callers who have said yes before: whose attribute of that name is set, and is no ``no``; empty: all."""
    not_again_within: timedelta = timedelta(0)
    """A caller who was asked is not asked again for so long, in any queue; withheld numbers cannot be known again."""
