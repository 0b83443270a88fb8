"""Facts of the configuration."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ConfigTaken:
    """From now on the center goes by these documents; contacts, calls and agents at work stay as they are."""

    at: datetime
    documents: str
    """Their digest, by which the history of versions finds who changed what, and why."""


ConfigFact = ConfigTaken
