"""What people decided about a mailbox, the voicemail of a queue or an agent."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class MailboxConfig:
    """What people decided about a mailbox."""

    name: str
    """``queue:NAME`` or ``agent:NAME``."""
    number: str = ""
    """What is entered to listen from outside; empty: from desk phones only."""
    greeting: str = "voicemail-greeting"
    """The prompt said unless its owner has recorded one."""
    longest: timedelta = timedelta(minutes=3)
    """Of a message."""
    silence: timedelta = timedelta(seconds=5)
    """Who is silent for so long has finished."""
    shortest: timedelta = timedelta(seconds=2)
    """What is shorter is no message."""
    most: int = 100
    """Messages in it."""
    keep: timedelta = timedelta(days=30)
    """Then a message is deleted."""
    lamps: tuple[str, ...] = ()
    """The agents whose phones show that messages wait."""

    @property
    def queue(self) -> str:
        """Whose it is; empty: an agent's."""
        kind, _, owner = self.name.partition(":")
        return owner if kind == "queue" else ""

    @property
    def agent(self) -> str:
        kind, _, owner = self.name.partition(":")
        return owner if kind == "agent" else ""


def mailbox_of(queue: str = "", agent: str = "") -> str:
    """The name of the mailbox of the one that is given."""
    return f"agent:{agent}" if agent else f"queue:{queue}"
