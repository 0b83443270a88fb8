"""Which story each event is."""

from collections.abc import Callable
from dataclasses import replace

from callcenter.domain import (
    accepting,
    agent_requests,
    announcing,
    arrivals,
    callbacks,
    console_presence,
    consults,
    delivery,
    desk_menu,
    do_not_call,
    feature_keys,
    flows,
    forcing,
    legs,
    mailbox_visits,
    nodes,
    notices,
    opening,
    opting,
    overflowing,
    own_calls,
    payments,
    preferred,
    presence,
    promises,
    resuming,
    router,
    supervising,
    supervising_keys,
    transfers,
    voicemail,
    work,
    wrap_up,
)
from callcenter.domain import events as e
from callcenter.domain.agent import Agent
from callcenter.domain.callback_register import CALLBACK
from callcenter.domain.checkpoint import measured
from callcenter.domain.commands import Answer, AskOutside, Command, ConnectLegs, Dial, Play, RecordMessage, RingAgent, StartRecording
from callcenter.domain.contact import ContactState
from callcenter.domain.facts import AgentRemoved, AgentState, ConfigTaken, EndedWhy, MissingWhy, RecordingMissing
from callcenter.domain.turn import Story, Turn

ITS_TURN: dict[str, Story] = {CALLBACK: promises.its_turn}
"""What is done when the turn of a waiter of that kind comes; contacts are offered (``delivery``)."""


def _agent(turn: Turn, name: str) -> Agent | None:
    agent = turn.state.agents.get(name)
    if agent is None:
        turn.refuse(f"there is no agent '{name}'; agents: {', '.join(sorted(turn.state.agents)) or 'none'}")
    return agent


def _asked(story: Callable[..., None], *fields: str) -> Callable[[Turn, e.AgentRequest], None]:
    """A story about the agent the event names, with further fields of the event."""

    def run(turn: Turn, event: e.AgentRequest) -> None:
        agent = _agent(turn, event.agent)
        if agent is not None:
            story(turn, agent, *(getattr(event, field) for field in fields))

    return run


def _dial_requested(turn: Turn, event: e.AgentDialRequested) -> None:
    agent = _agent(turn, event.agent)
    if agent is not None:
        own_calls.request(turn, agent, event)


def _phone(story: Callable[..., None], *fields: str) -> Callable[..., None]:
    """A story about the agent whose phone the event names; phones of nobody are nobody's matter."""

    def run(turn: Turn, event: e.PhoneReachable | e.PhoneUnreachable | e.FallbackTalkBegan) -> None:
        agent = turn.state.endpoints.get(event.endpoint)
        if agent is not None:
            story(turn, agent, *(getattr(event, field) for field in fields))

    return run


def _fallback_talk_ended(turn: Turn, event: e.FallbackTalkEnded) -> None:
    agent = turn.state.fallback_legs.get(event.leg)
    if agent is not None:
        agent_requests.fallback_talk_ended(turn, agent)


def _key_pressed(turn: Turn, event: e.DigitPressed) -> None:
    call = turn.state.legs.get(event.leg)
    if call is None:
        return
    if call.supervision is not None:
        supervising_keys.key_pressed(turn, call, event.digit)
        return
    agent = feature_keys.whose(turn, call, call.legs[event.leg])
    if agent is not None:
        feature_keys.key_pressed(turn, agent, call.legs[event.leg], event.digit)
        return
    if event.leg != call.began.leg:
        accepting.key_pressed(turn, call, call.legs[event.leg], event.digit)
        return
    contact = turn.state.contacts.get(call.contact)
    if call.visit is not None:
        mailbox_visits.key_pressed(turn, call, event)
    elif call.desk is not None:
        desk_menu.key_pressed(turn, call, event)
    elif contact is not None and call.payment is None:
        if not overflowing.key_pressed(turn, contact, event.digit):
            callbacks.key_pressed(turn, call, contact, event.digit)
    else:
        flows.key_pressed(turn, call, event.digit)


def _prompt_ended(turn: Turn, event: e.PlaybackEnded) -> None:
    call = turn.state.legs.get(event.leg)
    if call is None:
        return
    supervising.new_ears(turn, (event.leg,))
    contact = turn.state.contacts.get(call.contact)
    if call.visit is not None:
        mailbox_visits.prompt_ended(turn, call, event)
    elif call.desk is not None:
        desk_menu.prompt_ended(turn, call, event)
    elif contact is not None and call.payment is None:
        announcing.ended(turn, contact, event.playback)
    else:
        flows.prompt_ended(turn, call, event.playback)


def _config_changed(turn: Turn, event: e.ConfigChanged) -> None:
    """New rules for all; who is no longer an agent leaves, after the contact if she is in one."""
    for agent in [agent for name, agent in turn.state.agents.items() if name not in event.config.agents]:
        agent_requests.logout(turn, agent)
    for queue in list(turn.state.queues.values()):
        if queue.measures.at is not None:
            turn.emit(measured(turn.state, queue))  # what was learned under the old rules, which nobody will know after a restart
    turn.state.configure(event.config)
    taken, documents = turn.state.config_taken, event.config.documents
    if documents and (taken is None or taken.documents != documents):
        turn.emit(ConfigTaken(turn.now, documents))
    for name in sorted(turn.state.struck_off):
        turn.emit(AgentRemoved(turn.now, name))
    for agent in list(turn.state.agents.values()):
        if agent.state is AgentState.READY and not agent.can_be_rung:  # her devices outside are gone, and the desk phone was before
            presence.wait_for_phone(turn, agent)
    for waiter in turn.state.unanswered():
        router.advance(turn, waiter)
    for name in list(turn.state.lines.personal):
        preferred.look_again(turn, name)
    for queue in list(turn.state.queues.values()):
        router.route_queue(turn, queue)
    callbacks.route_owners(turn)
    supervising.rights_changed(turn)
    overflowing.hours_changed(turn)
    delivery.let_go_forsaken(turn)


def _flows_changed(turn: Turn, event: e.FlowsChanged) -> None:
    """For those who come from now on."""
    config = turn.state.config
    turn.state.config = replace(config, flows=event.flows, flow_versions=event.flow_versions, canaries=event.canaries)


def _command_refused(turn: Turn, event: e.CommandRefused) -> None:
    """A command was not carried out. What is out of reach or gone settles itself by the events that follow; the rest is decided here."""
    command = event.command
    if isinstance(command, StartRecording):
        _recording_missing(turn, command, event.refusal)
    elif isinstance(command, RecordMessage):
        mailbox_visits.not_recorded(turn, command, event.refusal)
    elif isinstance(command, AskOutside):
        mailbox_visits.not_asked(turn, command)
    elif event.refusal is e.Refusal.NODE_AWAY:
        return
    elif isinstance(command, RingAgent | Dial):  # a leg that was never made has no end either
        legs.ended(turn, command.leg, e.Cause.UNREACHABLE)
    elif event.refusal is e.Refusal.GONE or supervising.refused(turn, command):
        return
    elif isinstance(command, Play):
        _prompt_ended(turn, e.PlaybackEnded(command.leg, command.playback))
    elif isinstance(command, ConnectLegs | Answer):
        _not_connected(turn, command)


def _recording_missing(turn: Turn, command: StartRecording, refusal: e.Refusal) -> None:
    call = turn.state.calls.get(command.call)
    if call is not None and call.recording == command.recording:
        why = MissingWhy.NODE_AWAY if refusal is e.Refusal.NODE_AWAY else MissingWhy.REFUSED
        turn.emit(RecordingMissing(turn.now, call.id, call.contact, command.recording, why))


def _not_connected(turn: Turn, command: Command) -> None:
    """The PBX will not let them hear each other, or will not answer the caller: nothing is left but to end the call politely.

    A consult is called off instead.
    """
    call = turn.state.calls.get(command.call)
    consult = call.consult if call is not None else None
    bridges = {call.bridge if call else "", consult.bridge if consult else ""}
    if call is None or (isinstance(command, ConnectLegs) and command.bridge not in bridges):
        return
    if consult is not None:
        consults.call_off(turn, call)
        if isinstance(command, ConnectLegs):
            return
    contact = turn.state.contacts.get(call.contact)
    if contact is not None and contact.state is ContactState.CONNECTED:
        delivery.part(turn, contact, EndedWhy.CONNECT_FAILED)
    turn.hang_up(call, call.caller_leg)


STORIES: dict[type, Callable[..., None]] = {
    e.LegArrived: arrivals.arrive,
    e.LegRang: lambda turn, event: legs.rang(turn, event.leg),
    e.LegAnswered: lambda turn, event: legs.answered(turn, event.leg),
    e.LegHeld: lambda turn, event: legs.held(turn, event.leg),
    e.LegResumed: lambda turn, event: legs.resumed(turn, event.leg),
    e.LegReferred: transfers.referred,
    e.LegEnded: lambda turn, event: legs.ended(turn, event.leg, event.cause),
    e.LegFoundAlone: lambda turn, event: legs.found_alone(turn, event.leg),
    e.LegFoundSilent: lambda turn, event: legs.found_silent(turn, event.leg),
    e.DigitPressed: _key_pressed,
    e.PlaybackEnded: _prompt_ended,
    e.CommandRefused: _command_refused,
    e.MessageRecorded: voicemail.recorded,
    e.MessageFailed: voicemail.recording_failed,
    e.MessageDeleteRequested: mailbox_visits.delete_requested,
    e.MessageHeardRequested: mailbox_visits.heard_requested,
    e.AskAnswered: mailbox_visits.answered,
    e.NodeConnected: nodes.connected,
    e.NodeDisconnected: nodes.disconnected,
    e.PhoneReachable: _phone(agent_requests.phone_reachable),
    e.PhoneUnreachable: _phone(agent_requests.phone_unreachable),
    e.FallbackTalkBegan: _phone(agent_requests.fallback_talk_began, "leg"),
    e.FallbackTalkEnded: _fallback_talk_ended,
    e.FallbackCallReported: nodes.fallback_call_reported,
    e.AgentLoginRequested: _asked(agent_requests.login),
    e.AgentReadyRequested: _asked(agent_requests.ready),
    e.AgentNotReadyRequested: _asked(agent_requests.not_ready, "reason"),
    e.AgentLogoutRequested: _asked(agent_requests.logout),
    e.ConsoleGone: _asked(console_presence.gone),
    e.ConsoleBack: _asked(console_presence.back),
    e.TransferRequested: _asked(transfers.blind, "queue", "colleague", "number"),
    e.ConsultRequested: _asked(transfers.consult, "queue", "colleague", "number"),
    e.CompleteRequested: _asked(transfers.complete),
    e.CancelRequested: _asked(transfers.cancel),
    e.SwapRequested: _asked(transfers.swap),
    e.ConferenceRequested: _asked(transfers.conference),
    e.AgentDialRequested: _dial_requested,
    e.AgentDialEndRequested: _asked(own_calls.end),
    e.PaymentRequested: _asked(payments.begin, "flow"),
    e.PaymentEndRequested: _asked(flows.call_off_payment),
    e.SupervisionRequested: supervising.request,
    e.SupervisionSwitchRequested: supervising.switch,
    e.SupervisionEndRequested: supervising.end_requested,
    e.AgentForceRequested: forcing.force,
    e.ContactMoveRequested: forcing.move,
    e.ContactPriorityRequested: forcing.prioritise,
    e.NoticeSendRequested: notices.send,
    e.NoticeAckRequested: notices.acknowledge,
    e.WrapUpEndRequested: _asked(wrap_up.end),
    e.WrapUpExtensionRequested: _asked(wrap_up.extend),
    e.DispositionChosen: _asked(wrap_up.dispose, "disposition"),
    e.NoteWritten: _asked(work.note, "contact", "note"),
    e.ScriptAnswered: _asked(work.fill, "contact", "script", "fields", "answers", "done"),
    e.TalkHeard: _asked(work.measured, "contact", "figures"),
    e.AgentLegResumeRequested: _asked(resuming.redial),
    e.OptOutRequested: _asked(opting.opt_out, "queue"),
    e.OptInRequested: _asked(opting.opt_in, "queue"),
    e.CallbackRequested: callbacks.request,
    e.CallbackEditRequested: callbacks.edit,
    e.CallbackCancelRequested: callbacks.cancel,
    e.HoursSwitchRequested: opening.requested,
    e.CalendarsRenewed: opening.renewed,
    e.DoNotCallAddRequested: do_not_call.add,
    e.DoNotCallRemoveRequested: do_not_call.remove,
    e.ConfigChanged: _config_changed,
    e.FlowsChanged: _flows_changed,
}
"""Which story each kind of event is."""
