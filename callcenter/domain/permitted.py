"""What people may ask of the center about others: which right each request needs, and upon what.

The one place where that stands. It is asked at the door of the engine's desk (``services.desk``), for whatever is asked on behalf of a
person; the web process asks it as well before it troubles the engine. Whose contacts a supervisor may hear at all says the
configuration (``[[supervisor]]``, ``domain.supervision_rights``); her scope as a person narrows that, also for contacts to come.
"""

from collections.abc import Iterator, Mapping

from callcenter.domain.audit import Deed
from callcenter.domain.rights import Of, Right, Signed, may, of_agent, of_queue
from callcenter.domain.state import State

Fields = Mapping[str, object]

OTHERS: Mapping[str, Right] = {
    "agent_force": Right.FORCE_STATE,
    "supervise_begin": Right.LISTEN,
    "supervise_switch": Right.LISTEN,
    "supervise_end": Right.LISTEN,
    "contact_move": Right.MOVE_CONTACTS,
    "contact_priority": Right.MOVE_CONTACTS,
    "notice_send": Right.SEND_NOTICES,
    "calendar_switch": Right.SWITCH_HOURS,
    "callback_list": Right.HANDLE_CALLBACKS,
    "callback_add": Right.HANDLE_CALLBACKS,
    "callback_edit": Right.HANDLE_CALLBACKS,
    "callback_cancel": Right.HANDLE_CALLBACKS,
}
"""The right that each request needs."""

DEEDS: Mapping[str, str] = {
    "agent_force": "state_forced",
    "supervise_begin": "supervised",
    "supervise_switch": "supervision_switched",
    "supervise_end": "supervision_ended",
    "contact_move": "contact_moved",
    "contact_priority": "contact_reordered",
    "notice_send": "notice_sent",
    "calendar_switch": "hours_switched",
    "callback_add": "callback_added",
    "callback_edit": "callback_changed",
    "callback_cancel": "callback_cancelled",
}
"""What the audit trail calls it."""

LONGEST = 200
"""Characters of a value in the audit trail."""
_UPON = ("supervisor", "contact", "notice", "calendar", "callback", "queue")


def refusal(signed: Signed, do: str, fields: Fields, state: State | None) -> str | None:
    """Why she may not ask for that; None: she may. Without a state only the right itself is looked at."""
    right = OTHERS[do]
    upon = [] if state is None else list(_upon(signed, right, fields, state))
    if all(may(signed, right, of) for of in (None, *upon)):
        return None
    return f"you may not do this: it needs the right '{right.value}'{' there' if may(signed, right) else ''}"


def deed(do: str, fields: Fields, refused: str = "") -> Deed | None:
    """What the audit trail is to hold: whom, why, how, and why it came to nothing; None: it changes nothing."""
    if do not in DEEDS:
        return None
    told = {name: str(value)[:LONGEST] for name, value in fields.items() if name not in ("why", "by", "who") and value is not None}
    is_state = do == "agent_force" and fields.get("reason")
    reason = str(fields.get("why") or ("" if is_state else fields.get("reason")) or "")[:LONGEST]
    if not is_state:
        told.pop("reason", None)
    about = next((f"{name} {told[name]}" for name in ("agent", *_UPON) if name in told and not (name == "agent" and "contact" in told)), "")
    return Deed(DEEDS[do], about, reason, after={**told, "refused": refused[:LONGEST]} if refused else told)


def _upon(signed: Signed, right: Right, fields: Fields, state: State) -> Iterator[Of]:
    """Everything that is named; within its limits each must be."""
    for name, value in _named(fields):
        if name == "agent" and value == signed.agent != "":
            continue  # to herself, whatever her scope
        yield from _of(name, value, state)
    if right is Right.SEND_NOTICES and not fields.get("agents") and not fields.get("queues"):
        yield Of(queues=frozenset(), team="")  # to all: for who has no limits


def _named(fields: Fields) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list | tuple) and name in ("agents", "queues"):
            yield from ((name[:-1], str(one)) for one in value)


def _of(name: str, value: str, state: State) -> Iterator[Of]:
    if name == "queue":
        yield of_queue(value)
    elif name == "agent":
        agent, config = state.agents.get(value), state.config.agents.get(value)
        yield of_agent(value, agent.queues if agent else (), (config.team if config else "") or None)
    elif name == "contact" and value in state.contacts:
        yield of_queue(state.contacts[value].entered.queue)
    elif name == "callback" and value in state.callbacks.open:
        yield of_queue(state.callbacks.open[value].queue)
    elif name == "calendar":
        yield from _keepers(value, state)


def _keepers(calendar: str, state: State) -> Iterator[Of]:
    """The queues that keep these hours; when none does, only who has no limit may switch them."""
    queues = [name for name, queue in state.config.queues.items() if queue.hours == calendar]
    yield from map(of_queue, queues)
    if not queues:
        yield Of(queues=frozenset())
