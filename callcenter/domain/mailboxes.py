"""All mailboxes, as part of the state: a fold over their facts. A message is found by its id, a lamp by its agent; nothing is scanned."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from callcenter.domain.facts.voicemail import (
    GreetingChanged,
    MailboxFact,
    MessageDeleted,
    MessageHeard,
    MessageLeft,
    MessageSaved,
    PinAccepted,
    PinRefused,
)
from callcenter.domain.machine import Alarm, IllegalTransition
from callcenter.domain.mailbox import WRONG_PINS, Mailbox, Message
from callcenter.domain.mailbox_config import MailboxConfig

if TYPE_CHECKING:
    from callcenter.domain.state import State

KEPT = "message_kept"
"""The kind of deadline."""


class Mailboxes:
    """Read freely; changed by ``State.apply`` only."""

    def __init__(self, state: "State") -> None:
        self._state = state
        self._mailboxes: dict[str, Mailbox] = {}
        self.messages: dict[str, Message] = {}
        self._leaving: dict[str, set[str]] = {}
        """By mailbox: calls that are there to leave a message, and have not yet."""
        self.by_number: dict[str, str] = {}
        """From what is entered from outside to the mailbox."""
        self.lamps: dict[str, tuple[str, ...]] = {}
        """By agent: the mailboxes her phone shows."""
        self._appliers: Mapping[type, Callable[[Mailbox, Any], None]] = {
            MessageLeft: self._left,
            MessageHeard: self._heard,
            MessageSaved: self._saved,
            MessageDeleted: self._deleted,
            GreetingChanged: lambda mailbox, fact: setattr(mailbox, "greeting", fact.greeting),
            PinRefused: self._pin_refused,
            PinAccepted: self._pin_accepted,
        }

    # --- what is so -----------------------------------------------------------------------------

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox of that name; one that was taken away keeps its messages until their time is over."""
        return self._mailboxes.get(name) or Mailbox(name)

    def expected(self, name: str) -> int:
        """Messages in the mailbox, and those that callers are about to leave there."""
        return len(self.mailbox(name).messages) + len(self._leaving.get(name, ()))

    def counts(self, agent: str) -> tuple[int, int]:
        """New and old messages that her phone shows."""
        shown = [self.mailbox(name) for name in self.lamps.get(agent, ())]
        return sum(mailbox.new for mailbox in shown), sum(mailbox.old for mailbox in shown)

    def still_set(self, alarm: Alarm) -> bool:
        at, _, subject = alarm
        return subject in self.messages and self.messages[subject].kept_until == at

    def history(self) -> Iterator[tuple[int, MailboxFact]]:
        """The facts of all that is kept, numbered."""
        for message in self.messages.values():
            yield from message.history
        for mailbox in self._mailboxes.values():
            yield from mailbox.history.values()
            yield from mailbox.refusals

    # --- what happens ---------------------------------------------------------------------------

    def configure(self, configs: Mapping[str, MailboxConfig]) -> None:
        self.by_number = {config.number: config.name for config in configs.values() if config.number}
        lamps: dict[str, list[str]] = {}
        for config in configs.values():
            for agent in config.lamps:
                lamps.setdefault(agent, []).append(config.name)
        self.lamps = {agent: tuple(names) for agent, names in lamps.items()}

    def apply(self, fact: MailboxFact) -> None:
        """Let the fact have happened. Raises IllegalTransition before anything is changed."""
        if isinstance(fact, MessageHeard | MessageSaved | MessageDeleted) and fact.message not in self.messages:
            raise IllegalTransition(fact.message, "gone", type(fact).__name__)
        self._appliers[type(fact)](self._mailboxes.setdefault(fact.mailbox, Mailbox(fact.mailbox)), fact)

    def came(self, name: str, call: str) -> None:
        """The call is there to leave a message."""
        self._leaving.setdefault(name, set()).add(call)

    def went(self, name: str, call: str) -> None:
        """It has left one, or never will."""
        leaving = self._leaving.get(name, set())
        leaving.discard(call)
        if not leaving:
            self._leaving.pop(name, None)

    def keep(self, number: int, fact: MailboxFact) -> None:
        """For checkpoints."""
        if isinstance(fact, MessageLeft | MessageHeard | MessageSaved):
            self.messages[fact.message].history.append((number, fact))
        elif isinstance(fact, PinRefused):
            refusals = self._mailboxes[fact.mailbox].refusals
            refusals.append((number, fact))
            del refusals[:-WRONG_PINS]
        elif isinstance(fact, GreetingChanged):
            self._mailboxes[fact.mailbox].history[type(fact)] = (number, fact)

    # --- inside ---------------------------------------------------------------------------------

    def _left(self, mailbox: Mailbox, fact: MessageLeft) -> None:
        if fact.message in self.messages:
            raise IllegalTransition(fact.message, "left", "MessageLeft")
        self.messages[fact.message] = mailbox.messages[fact.message] = Message(fact)
        mailbox.new += 1
        self.went(fact.mailbox, fact.call)
        self._keep_until(fact)

    def _keep_until(self, fact: MessageLeft | MessageSaved) -> None:
        self.messages[fact.message].kept_until = fact.kept_until
        self._state.deadlines.set(fact.kept_until, KEPT, fact.message)

    def _heard(self, mailbox: Mailbox, fact: MessageHeard) -> None:
        message = self.messages[fact.message]
        mailbox.new -= not message.heard
        message.heard = True

    def _saved(self, mailbox: Mailbox, fact: MessageSaved) -> None:
        self._keep_until(fact)

    def _deleted(self, mailbox: Mailbox, fact: MessageDeleted) -> None:
        message = self.messages.pop(fact.message)
        del mailbox.messages[fact.message]
        mailbox.new -= not message.heard

    def _pin_refused(self, mailbox: Mailbox, fact: PinRefused) -> None:
        mailbox.wrong_pins = min(mailbox.wrong_pins + 1, WRONG_PINS)
        mailbox.wrong_at = fact.at

    def _pin_accepted(self, mailbox: Mailbox, fact: PinAccepted) -> None:
        mailbox.wrong_pins, mailbox.wrong_at = 0, None
        mailbox.refusals.clear()
