"""What a phone does with a call that comes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from callcenter.sim.sip.call import Call


class InvitePolicy(Protocol):
    """Told of each new incoming call at once; must not wait."""

    def decide(self, call: Call) -> None: ...


@dataclass(frozen=True, slots=True)
class AnswerAfter:
    """Rings for this long, then answers. Zero answers without ringing."""

    seconds: float = 0.0

    def decide(self, call: Call) -> None:
        if self.seconds <= 0:
            call.answer()
            return
        call.ring()
        call.later(self.seconds, call.answer)


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuses at once, or after ringing for a while, with this status (300 to 699)."""

    status: int = 603
    after: float = 0.0

    def decide(self, call: Call) -> None:
        if self.after <= 0:
            call.reject(self.status)
            return
        call.ring()
        call.later(self.after, lambda: call.reject(self.status))


class Busy(Reject):
    """486 Busy Here."""

    def __init__(self) -> None:
        super().__init__(486)


@dataclass(frozen=True, slots=True)
class RingForever:
    """Rings until the far end gives up."""

    def decide(self, call: Call) -> None:
        call.ring()


@dataclass(frozen=True, slots=True)
class Manual:
    """Rings; the test takes the call from ``phone.incoming()`` and answers it itself."""

    ring: bool = True

    def decide(self, call: Call) -> None:
        if self.ring:
            call.ring()
