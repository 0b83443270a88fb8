"""Facts of payments: an agent sends her caller to pay, and gets the caller back."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PaymentBegan:
    """The caller goes through ``flow`` alone; the agent hears music, nothing is recorded."""

    at: datetime
    call: str
    contact: str
    agent: str
    flow: str


@dataclass(frozen=True, slots=True)
class PaymentEnded:
    """It is over for the agent: the caller is back with her, or she or the caller has left meanwhile."""

    at: datetime
    call: str
    contact: str
    agent: str
    outcome: str
    """What the flow came back with; ``called_off``, ``failed``, ``caller_left``, ``agent_left`` or ``agent_lost``. Kept with the call."""


PaymentFact = PaymentBegan | PaymentEnded
