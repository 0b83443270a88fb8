"""What waits for an agent beside callers: the callbacks that she may take next, and the messages in the mailboxes that she listens to."""

from datetime import datetime

from callcenter.domain.callback import Callback
from callcenter.domain.mailbox import Message
from callcenter.domain.mailbox_config import mailbox_of
from callcenter.domain.state import State
from callcenter.services.control import JsonObject

CALLBACKS, MESSAGES = 10, 20
"""At most."""


def callbacks_for(state: State, agent: str) -> list[JsonObject] | None:
    """Of her queues, those due next; None: none of her queues calls back."""
    config = state.config.agents.get(agent)
    queues = [state.config.queues[queue] for queue in (config.queues if config is not None else ())]
    if all(queue.callback is None for queue in queues):
        return None
    return [_callback(each, agent) for each in state.callbacks.next_for(agent, CALLBACKS)]


def messages_for(state: State, agent: str) -> list[JsonObject] | None:
    """In her own mailbox and those of her queues, the newest first; None: there is no such mailbox."""
    config = state.config.agents.get(agent)
    names = [mailbox_of(agent=agent), *(mailbox_of(queue=queue) for queue in (config.queues if config is not None else ()))]
    there = [name for name in names if name in state.config.mailboxes]
    if not there:
        return None
    found = [message for name in there for message in state.mailboxes.mailbox(name).messages.values()]
    found.sort(key=lambda message: message.left.at, reverse=True)
    return [_message(each) for each in found[:MESSAGES]]


def _callback(callback: Callback, agent: str) -> JsonObject:
    return {
        "callback": callback.id,
        "queue": callback.queue,
        "number": callback.number,
        "name": callback.created.caller_name,
        "due_at": _date(callback.due_at),
        "mine": callback.owner == agent,
        "attempts": callback.attempts,
    }


def _message(message: Message) -> JsonObject:
    left = message.left
    kind, _, name = left.mailbox.partition(":")
    return {
        "message": message.id,
        "queue": name if kind == "queue" else "",
        "caller": left.caller,
        "name": left.caller_name,
        "left_at": _date(left.at),
        "length_s": left.length.total_seconds(),
        "heard": message.heard,
    }


def _date(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
