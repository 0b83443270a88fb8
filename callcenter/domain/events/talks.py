"""What agents want to do with those they talk to, and whom they dial."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """The agent wants the caller moved to a queue, a colleague or a number outside, without talking first (blind)."""

    agent: str
    queue: str = ""
    colleague: str = ""
    number: str = ""
    """Outside, as it was entered. One of these."""


@dataclass(frozen=True, slots=True)
class ConsultRequested:
    """The agent wants to talk to somebody of a queue, a colleague, or a number outside, while the caller is on hold."""

    agent: str
    queue: str = ""
    colleague: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class CompleteRequested:
    """The agent leaves: the caller goes on with the consulted."""

    agent: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The agent goes back to the caller; the consult is called off."""

    agent: str


@dataclass(frozen=True, slots=True)
class SwapRequested:
    """The agent talks to the other one of caller and consulted."""

    agent: str


@dataclass(frozen=True, slots=True)
class ConferenceRequested:
    """All three are to hear each other."""

    agent: str


@dataclass(frozen=True, slots=True)
class AgentDialRequested:
    """The agent wants to call somebody herself: her phone is rung, and then the other one."""

    agent: str
    number: str = ""
    """An extension, or a number outside as it was entered."""
    colleague: str = ""
    """By name. One of both."""
    queue: str = ""
    """For which she calls: the called party sees its number."""


@dataclass(frozen=True, slots=True)
class AgentDialEndRequested:
    """The agent hangs up the call of her own."""

    agent: str


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    """The agent sends her caller through a flow for payments, and waits."""

    agent: str
    flow: str = ""
    """The first one when it is empty."""


@dataclass(frozen=True, slots=True)
class PaymentEndRequested:
    """The agent wants the caller back now."""

    agent: str


TalkRequest = (
    TransferRequested
    | ConsultRequested
    | CompleteRequested
    | CancelRequested
    | SwapRequested
    | ConferenceRequested
    | AgentDialRequested
    | AgentDialEndRequested
    | PaymentRequested
    | PaymentEndRequested
)
