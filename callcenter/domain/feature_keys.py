"""Keys that an agent presses on her phone in the middle of a talk: a prefix and a number do what her screen could do.

::

    *1 2002 #   transfer to 2002        *4   swap            *8 2 #   the second disposition
    *2 2002 #   consult 2002            *5   conference      **       one * for the other side
    *3          complete                *6   cancel          *7       the caller pays, or comes back

For phones with one line, which cannot dial a star code while they talk. The PBX keeps keys of a talk to itself (``ConnectLegs.absorb``);
those that belong to no sequence we send on to whom she hears, so that she can work another center's menu.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from callcenter.domain import flows, payments, transfers, wrap_up
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call, Leg, LegState
from callcenter.domain.commands import Play, SendDigits
from callcenter.domain.consults import places
from callcenter.domain.facts import AgentKeysTaken, AgentState
from callcenter.domain.turn import Turn

WITHIN = timedelta(seconds=3)
"""The next key of a sequence; after that it is whole, or none."""
END = "#"
LONGEST = 16
NOTED, NOT_POSSIBLE = "beep", "not-possible"

Does = Callable[[Turn, Agent, str], None]


def _pay(turn: Turn, agent: Agent, digits: str) -> None:
    if payments.is_open(turn, agent):
        flows.call_off_payment(turn, agent)
    else:
        payments.begin(turn, agent, "")


def _dispose(turn: Turn, agent: Agent, digits: str) -> None:
    choices = wrap_up.choices(turn, agent)
    if not 1 <= int(digits or 0) <= len(choices):
        turn.refuse(f"there is no choice '{digits}'; there are {len(choices)}")
    else:
        wrap_up.dispose(turn, agent, choices[int(digits) - 1])


AT_ONCE: Mapping[str, Does] = {
    "3": lambda turn, agent, digits: transfers.complete(turn, agent),
    "4": lambda turn, agent, digits: transfers.swap(turn, agent),
    "5": lambda turn, agent, digits: transfers.conference(turn, agent),
    "6": lambda turn, agent, digits: transfers.cancel(turn, agent),
    "7": _pay,
}
WITH_DIGITS: Mapping[str, Does] = {
    "1": lambda turn, agent, digits: transfers.to_extension(turn, agent, digits),
    "2": lambda turn, agent, digits: transfers.to_extension(turn, agent, digits, consults=True),
    "8": _dispose,
}


def whose(turn: Turn, call: Call, leg: Leg) -> Agent | None:
    """The agent who talks on this leg, whose keys are ours to understand; None: keys mean something else here."""
    agent = turn.state.agents.get(leg.agent)
    if not turn.state.config.feature_prefix or agent is None or agent.state is not AgentState.TALKING or leg.state is not LegState.UP:
        return None
    contact = turn.state.contacts.get(agent.contact)
    talk = turn.state.calls.get(contact.entered.call) if contact is not None else None
    if contact is None or talk is None:
        return None
    own = contact.offer_to(leg.id) is not None
    return agent if own or (talk.consult is not None and talk.consult.leg == leg.id) else None


def key_pressed(turn: Turn, agent: Agent, leg: Leg, key: str) -> None:
    """A key of a sequence, or one for the other side."""
    prefix, keys = turn.state.config.feature_prefix, f"{agent.keys}{key}"
    if not agent.keys and not prefix.startswith(key):
        _send(turn, agent, leg, key)
        return
    command, digits = keys[len(prefix) : len(prefix) + 1], keys[len(prefix) + 1 :]
    if keys == prefix * 2:
        _over(turn, agent)
        _send(turn, agent, leg, prefix)
    elif prefix.startswith(keys) or (keys.startswith(prefix) and _goes_on(command, digits)):
        turn.emit(AgentKeysTaken(turn.now, agent.name, keys, turn.now + WITHIN))
    elif keys.startswith(prefix) and command in (*AT_ONCE, *WITH_DIGITS):
        _over(turn, agent)
        _do(turn, agent, leg, command, digits.removesuffix(END))
    else:
        _over(turn, agent)
        _send(turn, agent, leg, keys)


def _goes_on(command: str, digits: str) -> bool:
    """More keys may follow."""
    return command in WITH_DIGITS and not digits.endswith(END) and len(digits) < LONGEST


def time_is_up(turn: Turn, agent: Agent) -> None:
    """No further key: what there is is whole, or it was no sequence."""
    keys, prefix = agent.keys, turn.state.config.feature_prefix
    contact = turn.state.contacts.get(agent.contact)
    leg_id = contact.offer.leg if contact is not None and contact.offer is not None else ""
    call = turn.state.legs.get(leg_id)
    _over(turn, agent)
    if call is None:
        return
    leg, command, digits = call.legs[leg_id], keys[len(prefix) : len(prefix) + 1], keys[len(prefix) + 1 :]
    if command in WITH_DIGITS and digits:
        _do(turn, agent, leg, command, digits)
    else:
        _send(turn, agent, leg, keys)


def _over(turn: Turn, agent: Agent) -> None:
    if agent.keys:
        turn.emit(AgentKeysTaken(turn.now, agent.name, ""))


def _do(turn: Turn, agent: Agent, leg: Leg, command: str, digits: str) -> None:
    """What is not possible is said to her alone."""
    (AT_ONCE.get(command) or WITH_DIGITS[command])(turn, agent, digits if digits.isdigit() else "")
    refused, turn.out.refusal = turn.out.refusal is not None, None
    call = turn.state.legs.get(leg.id)
    said = NOT_POSSIBLE if refused else NOTED if command == "8" else ""
    if said and call is not None and not leg.closing:
        turn.want(Play(call.id, call.node, leg.id, turn.ids.draw_leg(call.node), (said,)))


def _send(turn: Turn, agent: Agent, leg: Leg, keys: str) -> None:
    """To whomever she hears."""
    contact = turn.state.contacts.get(agent.contact)
    call = turn.state.calls.get(contact.entered.call) if contact is not None else None
    if call is None:
        return
    rooms = places(turn.state, call)
    for other, room in rooms.items():
        if room == rooms.get(leg.id) and other != leg.id:
            turn.want(SendDigits(call.id, call.node, other, keys))
