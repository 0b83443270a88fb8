"""A supervisor who hears, and maybe joins, an agent's contacts.

::

                 ┌────────────────────────────────────────────────────┐
    CALLING ──►  LISTENING ◄──► WHISPERING ◄──► BARGED ──► TOOK_OVER ──► ENDED
       │              └───────────┴───────────────┴──────────────────────▲
       └─────────────────────────────────────────────────────────────────┘

Who listens is heard by nobody: a snoop channel on the agent's leg hears what she hears and says, and is in a bridge with the
supervisor's leg. Who whispers is heard by that leg alone. Who has barged in is in the bridge of agent and caller. The supervisor's leg
is a call of its own, so that whatever becomes of it, the contact goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from callcenter.domain.facts import SupervisionBegan
from callcenter.domain.supervision_modes import SupervisionMode

if TYPE_CHECKING:
    from callcenter.domain.call import Call


class SupervisionState(StrEnum):
    CALLING = "calling"
    LISTENING = "listening"
    WHISPERING = "whispering"
    BARGED = "barged"
    TOOK_OVER = "took_over"
    ENDED = "ended"


CALLING, LISTENING, WHISPERING = SupervisionState.CALLING, SupervisionState.LISTENING, SupervisionState.WHISPERING
BARGED, TOOK_OVER, ENDED = SupervisionState.BARGED, SupervisionState.TOOK_OVER, SupervisionState.ENDED

SUPERVISION_MOVES: Mapping[SupervisionState, frozenset[SupervisionState]] = {
    CALLING: frozenset({LISTENING, WHISPERING, BARGED, TOOK_OVER, ENDED}),
    LISTENING: frozenset({LISTENING, WHISPERING, BARGED, TOOK_OVER, ENDED}),
    WHISPERING: frozenset({LISTENING, WHISPERING, BARGED, TOOK_OVER, ENDED}),
    BARGED: frozenset({LISTENING, WHISPERING, TOOK_OVER, ENDED}),
    TOOK_OVER: frozenset({ENDED}),
    ENDED: frozenset(),
}
"""LISTENING again: to the agent's next contact, or with a new ear."""

STATE_OF: Mapping[SupervisionMode, SupervisionState] = {
    SupervisionMode.LISTEN: LISTENING,
    SupervisionMode.WHISPER: WHISPERING,
    SupervisionMode.BARGE: BARGED,
    SupervisionMode.TAKE_OVER: TOOK_OVER,
}


@dataclass(slots=True)
class Supervision:
    """One supervisor with one agent, as it stands now."""

    began: SupervisionBegan
    state: SupervisionState = CALLING
    contact: str = ""
    """The one that is heard, or is to be; empty: the agent has none, and the supervisor stays until she has."""
    queue: str = ""
    watched: str = ""
    """The call of that contact."""
    snoop: str = ""
    bridge: str = ""
    heard: str = ""
    """The contact that was heard last; who is told of it is told once."""
    was_deaf: bool = False
    """The ear is the second one, as the PBX has lost the first."""

    @property
    def agent(self) -> str:
        return self.began.agent

    @property
    def supervisor(self) -> str:
        return self.began.supervisor

    @property
    def leg(self) -> str:
        return self.began.leg


def ear_places(call: "Call") -> dict[str, str]:
    """In which bridge the supervisor's leg and the snoop should be."""
    supervision = call.supervision
    if supervision is None or not supervision.bridge or supervision.leg not in call.legs:
        return {}
    return dict.fromkeys((supervision.leg, *((supervision.snoop,) if supervision.snoop else ())), supervision.bridge)
