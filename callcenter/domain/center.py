"""The whole center as one machine: events in, facts and commands out. It routes; the rules are in the stories it calls.

::

    event ──► due deadlines, each at its own date ──► the story of the event ──► facts (applied at once), commands
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from callcenter.domain import (
    accepting,
    agent_requests,
    announcing,
    arrivals,
    asking_outside,
    busy_listening,
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
    missed,
    nodes,
    notices,
    opening,
    opting,
    overflowing,
    own_calls,
    payments,
    persistent_leg,
    preferred,
    presence,
    promises,
    resuming,
    router,
    supervising,
    transfers,
    voicemail,
    watch,
    work,
    wrap_up,
)
from callcenter.domain import events as e
from callcenter.domain.agent import Agent
from callcenter.domain.callback_register import CALLBACK
from callcenter.domain.callback_register import DEADLINES as CALLBACK_DEADLINES
from callcenter.domain.checkpoint import measured
from callcenter.domain.commands import Answer, AskOutside, Command, ConnectLegs, Dial, Play, RecordMessage, RingAgent, StartRecording
from callcenter.domain.config import CenterConfig
from callcenter.domain.contact import ContactState
from callcenter.domain.deadlines import (
    ADVANCE,
    ANNOUNCE,
    CONSULT,
    FLOW,
    KEYS,
    LOOK,
    MENU,
    MUSIC,
    NODE_LOST,
    NOTICE,
    OFFER,
    OVERFLOW,
    OWN,
    REST,
    SKILL,
    SWITCH,
    VISIT,
    WRAP_UP,
)
from callcenter.domain.facts import (
    AgentOptedOut,
    AgentRemoved,
    AgentRequestRemembered,
    AgentState,
    AgentStateChanged,
    ConfigTaken,
    EndedWhy,
    Fact,
    MissedWhy,
    MissingWhy,
    RecordingMissing,
)
from callcenter.domain.ids import Ids
from callcenter.domain.machine import Alarm, Outputs
from callcenter.domain.mailboxes import KEPT
from callcenter.domain.state import State
from callcenter.domain.state_lamps import StateLamps
from callcenter.domain.turn import Story, Turn

ITS_TURN: dict[str, Story] = {CALLBACK: promises.its_turn}
"""What is done when the turn of a waiter of that kind comes; contacts are offered (``delivery``)."""


class Center:
    """``handle(event, now) -> Outputs``, plus ``deadline``. No clock, no I/O, no randomness but the seed of its ids."""

    def __init__(self, config: CenterConfig, ids: Ids) -> None:
        self.state = State(config)
        self._ids = ids
        self._stories = _stories()
        self._lamps = StateLamps()

    @classmethod
    def restore(cls, config: CenterConfig, ids: Ids, facts: Iterable[Fact]) -> "Center":
        """The center as it was after these facts: those of a checkpoint, then those of the journal after it."""
        center = cls(config, ids)
        for fact in facts:
            center.state.apply(fact)
        return center

    def checkpoint(self) -> Iterator[Fact]:
        """Facts from which ``restore`` makes this center again."""
        return self.state.checkpoint.facts()

    @property
    def deadline(self) -> datetime | None:
        """When the engine should send TimePassed at the latest; None: nothing is due by itself."""
        return self.state.deadlines.next

    def handle(self, event: e.Event, now: datetime) -> Outputs:
        """Run what is due, each at its own date, then the event. Time never goes back: an earlier ``now`` counts as the latest seen.

        A bug met on the way is contained to the story it happened in and reported in ``faults``.
        """
        total = Outputs()
        if self.state.at is not None and now < self.state.at:
            now = self.state.at
        while (alarm := self.state.deadlines.take_due(now)) is not None:
            at = alarm[0] if self.state.at is None else max(alarm[0], self.state.at)
            self._run(total, at, self._due, alarm)
        if not isinstance(event, e.TimePassed):
            self._run(total, now, self._stories[type(event)], event)
        return total

    def _run(self, total: Outputs, now: datetime, story: Callable[..., None], happening: object) -> None:
        turn = Turn(self.state, self._ids, now, ITS_TURN)
        for step in (
            partial(story, turn, happening),
            partial(_heed, turn),
            partial(_look_at_preferred, turn),
            partial(supervising.renew, turn),
            partial(self._show, turn, happening),
        ):
            try:
                step()
            except Exception as fault:  # one call's bug must not stop the center; the engine reports it
                total.faults.append(fault)
        total.facts += turn.out.facts
        total.commands += turn.out.commands
        total.faults += turn.out.faults
        total.refusal = turn.out.refusal or total.refusal

    def _show(self, turn: Turn, happening: object) -> None:
        """What the lamps of phones are to show now."""
        self._lamps.look(turn)
        if isinstance(happening, e.ConfigChanged):
            self._lamps.all(turn)

    def _due(self, turn: Turn, alarm: Alarm) -> None:
        _, kind, subject = alarm
        state = self.state
        if kind == WRAP_UP:
            wrap_up.time_is_up(turn, state.agents[subject])
            return
        if kind == REST:
            missed.rest_is_over(turn, state.agents[subject])
            return
        if kind == KEYS:
            feature_keys.time_is_up(turn, state.agents[subject])
            return
        if kind == LOOK:
            watch.look(turn, state.queues[subject])
            overflowing.look(turn, state.queues[subject])
            return
        if kind == NODE_LOST:
            nodes.lost(turn, subject)
            return
        if kind == NOTICE:
            notices.time_is_up(turn, subject)
            return
        if kind == KEPT:
            mailbox_visits.time_is_over(turn, subject)
            return
        if kind in CALLBACK_DEADLINES:
            self._callback_due(turn, alarm)
            return
        if kind == ADVANCE:
            waiter = state.waiter(subject)
            if waiter is not None:
                router.advance(turn, waiter)
            return
        if kind == SWITCH:
            opening.time_is_over(turn, subject)
            return
        if kind == SKILL:
            router.expire_skills(turn, state.agents[subject])
            return
        contact = state.offers.get(subject) or state.contacts.get(subject)
        call = state.calls[contact.entered.call if contact else subject]
        node = state.node(call.node)
        if node.away and node.lost_at is not None and turn.now < node.lost_at:
            node.held_back.add(alarm)  # we cannot know what happened there meanwhile; decided once we are told
        elif kind == FLOW:
            flows.time_is_up(turn, call)
        elif kind == OWN:
            own_calls.time_is_up(turn, call)
        elif kind == CONSULT:
            asking_outside.time_is_up(turn, call)
        elif kind == MENU:
            desk_menu.time_is_up(turn, call)
        elif kind == VISIT:
            mailbox_visits.time_is_up(turn, call)
        elif contact is None:
            return
        elif kind == OFFER:
            delivery.miss(turn, contact, contact.offers[subject], MissedWhy.NO_ANSWER)
        elif kind == ANNOUNCE:
            announcing.due(turn, contact)
        elif kind == MUSIC:
            delivery.start_music(turn, contact)
        elif kind == OVERFLOW:
            overflowing.date_came(turn, contact)

    def _callback_due(self, turn: Turn, alarm: Alarm) -> None:
        _, kind, subject = alarm
        call = self.state.calls.get(self.state.callbacks.open[subject].live_call)
        if call is not None and self.state.node(call.node).away:
            self.state.node(call.node).held_back.add(alarm)
        else:
            callbacks.due(turn, kind, subject)


def _look_at_preferred(turn: Turn) -> None:
    """Who waits for one agent alone must know when she is not due back."""
    if turn.state.lines.personal:
        changed = {fact.agent for fact in turn.out.facts if isinstance(fact, AgentStateChanged | AgentRequestRemembered | AgentOptedOut)}
        for name in sorted(changed.intersection(turn.state.lines.personal)):
            preferred.look_again(turn, name)


def _heed(turn: Turn) -> None:
    """What the facts mean for callbacks; who consulted is with the caller again; whoever was sent on goes on: until nothing is left."""
    heeded = 0
    while heeded < len(turn.out.facts) or turn.over or turn.to_take or turn.unanswered or turn.to_mailbox or turn.visited or turn.to_flow:
        if heeded < len(turn.out.facts):
            callbacks.heed(turn, turn.out.facts[heeded])
            supervising.heed(turn, turn.out.facts[heeded])
            busy_listening.heed(turn, turn.out.facts[heeded])
            heeded += 1
        elif turn.over:
            consults.back_to_caller(turn, *turn.over.pop(0))
        elif turn.to_take:
            persistent_leg.take(turn, *turn.to_take.pop(0))
        elif turn.unanswered:
            flows.not_answered(turn, turn.unanswered.pop(0))
        elif not mailbox_visits.go_on(turn):
            flows.start_flow(turn, *turn.to_flow.pop(0))


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
        supervising.key_pressed(turn, call, event.digit)
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


def _stories() -> dict[type, Callable[..., None]]:
    """Which story each kind of event is."""
    return {
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
