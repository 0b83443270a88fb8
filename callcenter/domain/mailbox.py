"""A mailbox: the voicemail of a queue or an agent; and somebody's visit to one, to leave a message or to listen.

A message's life::

    recorded ──► LEFT (new) ──► heard ──► DELETED
        └── dropped      └────────────────────┘
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callcenter.domain.facts.voicemail import MailboxFact, MessageLeft, Stage, VisitBegan

WRONG_PINS = 5
"""So many in a row lock a mailbox ..."""
LOCKED_FOR = timedelta(minutes=15)
"""... for so long after the last of them."""


@dataclass(slots=True)
class Message:
    """One that is in a mailbox."""

    left: MessageLeft
    heard: bool = False
    kept_until: datetime | None = None
    history: list[tuple[int, MailboxFact]] = field(default_factory=list)
    """Its facts, numbered, for checkpoints."""

    @property
    def id(self) -> str:
        return self.left.message


@dataclass(slots=True)
class Mailbox:
    """What is in it now."""

    name: str
    messages: dict[str, Message] = field(default_factory=dict)
    """The oldest first."""
    new: int = 0
    greeting: str = ""
    """Recorded by its owner; empty: the usual one."""
    wrong_pins: int = 0
    """In a row."""
    wrong_at: datetime | None = None
    history: dict[type, tuple[int, MailboxFact]] = field(default_factory=dict)
    refusals: list[tuple[int, MailboxFact]] = field(default_factory=list)

    @property
    def old(self) -> int:
        return len(self.messages) - self.new

    def is_locked(self, now: datetime) -> bool:
        """Too many wrong PINs; then not even the right one opens it."""
        return self.wrong_pins >= WRONG_PINS and self.wrong_at is not None and now < self.wrong_at + LOCKED_FOR


@dataclass(slots=True)
class Visit:
    """Somebody at a mailbox."""

    began: VisitBegan
    mailbox: str
    stage: Stage = Stage.GREETING
    tries: int = 0
    playback: str = ""
    prompts: tuple[str, ...] = ()
    until: datetime | None = None
    message: str = ""
    """What is being recorded, reviewed or heard."""
    recorded_since: datetime | None = None
    taken: timedelta | None = None
    """The length of what was recorded and is not kept yet."""
    seen: list[str] = field(default_factory=list)
    """Messages that were played in this visit."""
    ask: str = ""
    """The check of a PIN that is awaited."""

    @property
    def is_greeting(self) -> bool:
        """What is recorded is a greeting: who listens to a mailbox leaves no message in it."""
        return self.began.listening
