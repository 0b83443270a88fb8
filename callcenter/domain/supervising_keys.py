"""What supervisors do by the keys of their phones: a code in front of an agent's extension, and keys that switch while they hear her."""

from callcenter.domain import by_phone
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.events import SupervisionRequested, SupervisionSwitchRequested
from callcenter.domain.facts import SupervisionEndedWhy, TurnedWhy
from callcenter.domain.supervising import BARGE, LISTEN, TAKE_OVER, WHISPER, begin, end, say, switch, turn_to
from callcenter.domain.supervision import CALLING
from callcenter.domain.supervision_rights import may_begin
from callcenter.domain.turn import Turn

CODES = {"*44": LISTEN, "*45": WHISPER, "*46": BARGE, "*47": TAKE_OVER, "*48": LISTEN}
"""What a supervisor dials, with the agent's extension behind it; the last digit is the key that switches to it later."""
STAYS = "*48"
"""And stays with the agent when the contact is over."""
KEYS = {"4": LISTEN, "5": WHISPER, "6": BARGE, "7": TAKE_OVER}
END = "*"
NOT_POSSIBLE = "not-possible"


def dial_in(turn: Turn, call: Call, supervisor: Agent, dialed: str) -> bool:
    """Whether the supervisor has dialed what this is for, and it begins; else the caller of this says that it cannot be."""
    mode = CODES.get(dialed[:3])
    _, name = turn.state.extensions.get(dialed[3:], ("", ""))
    if mode is None or not name:
        return False
    event = SupervisionRequested(supervisor.name, name, mode, dialed.startswith(STAYS))
    asked, contact = may_begin(turn, event)
    if contact is not None and turn.state.calls[contact.entered.call].node != call.node:
        turn.refuse(f"{name} talks on another Asterisk node than this phone; ask for it at a screen")
        asked = None
    told = {"supervisor": supervisor.name, "agent": name, "mode": mode.value, "stay": str(event.stay)}
    by_phone.note(turn, call, supervisor.name, "supervise_begin", turn.out.refusal, **told)
    if asked is None:
        return False
    begin(turn, call, call.began.leg, event, contact)
    turn_to(turn, call, mode, TurnedWhy.ANSWERED)
    return True


def key_pressed(turn: Turn, call: Call, digit: str) -> None:
    """On the supervisor's phone."""
    supervision = call.supervision
    assert supervision is not None
    if digit == END:
        by_phone.note(turn, call, supervision.supervisor, "supervise_end", supervisor=supervision.supervisor)
        end(turn, call, SupervisionEndedWhy.ASKED)
    elif digit in KEYS and supervision.state is not CALLING:
        switch(turn, SupervisionSwitchRequested(supervision.supervisor, KEYS[digit]))
        told = {"supervisor": supervision.supervisor, "mode": KEYS[digit].value}
        by_phone.note(turn, call, supervision.supervisor, "supervise_switch", turn.out.refusal, **told)
        if turn.out.refusal is not None:
            say(turn, call, supervision.leg, NOT_POSSIBLE)
