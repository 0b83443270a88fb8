"""Legs that come in: callers through a trunk, agents from their desk phones."""

from callcenter.domain import (
    agent_requests,
    by_phone,
    desk_menu,
    mailbox_keys,
    own_calls,
    own_numbers,
    persistent_leg,
    star_codes,
    supervising_keys,
    transfers,
)
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.commands import Answer
from callcenter.domain.config import NumberConfig
from callcenter.domain.delivery import enter_queue
from callcenter.domain.directing import check_lists
from callcenter.domain.events import Door, LegArrived
from callcenter.domain.facts import CallBegan, Direction, NumberUnknown, Page
from callcenter.domain.flows import start_flow
from callcenter.domain.ivr.flow import CONFIRM_NOT_POSSIBLE, UNKNOWN_NUMBER
from callcenter.domain.turn import Turn

LEG_STAYS = "*18"
"""The star code of an agent whose leg is to stay up: ready, and the call goes on."""

MENU, FIGURES, CALLBACKS = "*10", "*23", "*24"
"""The spoken menu; her own figures; the page of the menu with the callbacks that are due next."""

VOICEMAIL = "*21"
"""Her own mailbox; with a number behind it that of her queue of that number."""


def arrive(turn: Turn, event: LegArrived) -> None:
    """Somebody calls. A leg we know already is not a second call."""
    if event.leg in turn.state.legs:
        return
    agent = turn.state.endpoints.get(event.endpoint) if event.door is Door.DESK_PHONE else None
    if agent is not None and transfers.dialed_in_talk(turn, agent, event):
        return
    on_its_way = turn.state.fallback_legs.get(event.leg)
    if on_its_way is not None:  # a snapshot saw it outside our application, but it was coming to us
        agent_requests.fallback_talk_ended(turn, on_its_way)
    call = _begin(turn, event, agent)
    if not event.up:
        turn.want(Answer(call.id, call.node, event.leg))
    if event.door is Door.DESK_PHONE:
        _desk_phone(turn, call, agent)
        return
    blocked = check_lists(turn, call)
    number = turn.state.config.numbers.get(event.dialed)
    if blocked is not None:
        start_flow(turn, call, blocked)
    elif number is None:
        turn.emit(NumberUnknown(turn.now, call.id, event.dialed))
        start_flow(turn, call, UNKNOWN_NUMBER.name)
    elif event.waiting_since is not None and number.fallback_queue:
        _back_from_fallback(turn, call, number)
    else:
        start_flow(turn, call, number.flow)


def _begin(turn: Turn, event: LegArrived, agent: Agent | None) -> Call:
    direction = Direction.INTERNAL if event.door is Door.DESK_PHONE else Direction.INBOUND
    if agent is not None and own_numbers.is_one(event.dialed):
        direction = Direction.OWN
    call_id = turn.ids.draw()
    config = turn.state.config.agents.get(agent.name) if agent is not None else None
    turn.emit(
        CallBegan(
            turn.now,
            call_id,
            event.node,
            event.leg,
            direction,
            event.dialed,
            _number_of(turn, event),
            event.caller_name,
            event.trunk,
            event.linkedid,
            agent.name if agent else "",
            event.waiting_since,
            config.language if config is not None else "",
        )
    )
    return turn.state.calls[call_id]


def _number_of(turn: Turn, event: LegArrived) -> str:
    """The caller's number in E.164 however the carrier writes it, so that one person is one caller; what is no number stays as it is."""
    if event.door is not Door.TRUNK:
        return event.caller
    calling = turn.state.config.calling
    return calling.e164(event.caller) if calling.e164 is not None else calling.rules(event.caller).number or event.caller


def _back_from_fallback(turn: Turn, call: Call, number: NumberConfig) -> None:
    """The caller waited in the dialplan while we were away: the place counts from the first entry."""
    since = min(call.began.waiting_since or turn.now, turn.now)
    enter_queue(turn, call, number.fallback_queue, 0, entered_at=since)


def _desk_phone(turn: Turn, call: Call, agent: Agent | None) -> None:
    confirm = CONFIRM_NOT_POSSIBLE.name
    if agent is not None:
        agent_requests.phone_reachable(turn, agent)  # it is speaking to us
        before = by_phone.presence(agent)
        if call.began.dialed == LEG_STAYS and persistent_leg.dial_in(turn, call, agent):
            agent_requests.login(turn, agent)
            agent_requests.ready(turn, agent)
            by_phone.note_presence(turn, call, agent, before)
            return
        if call.began.dialed.startswith(VOICEMAIL) and mailbox_keys.dial_in(turn, call, agent, call.began.dialed.removeprefix(VOICEMAIL)):
            return
        if call.began.dialed in (MENU, CALLBACKS):
            desk_menu.dial_in(turn, call, agent, Page.CALLBACKS if call.began.dialed == CALLBACKS else Page.MAIN)
            return
        if call.began.dialed == FIGURES:
            desk_menu.figures(turn, call, agent)
            return
        if supervising_keys.dial_in(turn, call, agent, call.began.dialed):
            return
        if own_numbers.is_one(call.began.dialed):
            refused = own_calls.dial_in(turn, call, agent)
            if refused is not None:
                start_flow(turn, call, refused)
            return
        confirm = star_codes.obey(turn, agent, call.began.dialed)
        by_phone.note_presence(turn, call, agent, before)
    start_flow(turn, call, confirm)
