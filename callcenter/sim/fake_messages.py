"""Messages recorded by the Asterisk that is not there: what parties say, for how long, and what the phones' lamps show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.domain.commands import RecordMessage, SetLamp, recorded_prompt
from callcenter.domain.events import Event, MessageRecorded
from callcenter.sim.timeline import Timeline


@dataclass(frozen=True, slots=True)
class _Live:
    """One that is being recorded."""

    leg: str
    began_at: datetime
    talk: timedelta | None


class FakeMessages:
    """A part of ``FakePbx``."""

    def __init__(self, timeline: Timeline, tell: Callable[[Event], None]) -> None:
        self.live: dict[str, _Live] = {}
        self.kept: dict[str, timedelta] = {}
        """Length of each that was recorded."""
        self.talk: dict[str, timedelta] = {}
        """By leg: how long the party talks before it is silent; who is not listed talks on and on."""
        self.lamps: dict[str, tuple[int, int]] = {}
        """By endpoint: how many new and old messages the phone was told of last."""
        self.disk_full = False
        """Asterisk then ends the recording at once, as one of no length."""
        self._timeline = timeline
        self._tell = tell

    def record(self, leg: str, command: RecordMessage) -> None:
        """``leg`` is there."""
        if self.disk_full:
            self._timeline.after(timedelta(), self._tell, MessageRecorded(leg, command.message, timedelta()))
            return
        talk = self.talk.get(leg)
        self.live[command.message] = _Live(leg, self._timeline.now, talk)
        ends_after = command.longest if talk is None else min(command.longest, talk + command.silence)
        self._timeline.after(ends_after, self.stop, command.message)

    def stop(self, message: str) -> None:
        """It is over, whatever the reason; one that is over already is success."""
        live = self.live.pop(message, None)
        if live is not None:
            lasted = self._timeline.now - live.began_at
            self.kept[message] = length = lasted if live.talk is None else min(lasted, live.talk)
            self._tell(MessageRecorded(live.leg, message, length))

    def leg_ended(self, leg: str) -> None:
        """Told before the end of the leg, as Asterisk does."""
        for message in [message for message, live in self.live.items() if live.leg == leg]:
            self.stop(message)

    def show(self, command: SetLamp) -> None:
        self.lamps[command.endpoint] = (command.new, command.old)

    def going_on(self) -> set[str]:
        """What a snapshot shows of them."""
        return {recorded_prompt(message) for message in self.live}

    def crash(self) -> None:
        """What was said so far is on the disk, and nobody is told."""
        self.kept |= {message: self._timeline.now - live.began_at for message, live in self.live.items()}
        self.live.clear()
