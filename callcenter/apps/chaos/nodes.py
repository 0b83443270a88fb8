"""Nodes that say no, tell late and twice, and on whose phones things happen at the worst moment."""

import asyncio
import os
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from callcenter.domain import commands as c
from callcenter.domain.events import Cause, Event, LegArrived, Refusal
from callcenter.services.ports import CommandError
from callcenter.sim.fake_dialplan import FakeDialplan
from callcenter.sim.fake_pbx import FakePbx, Mood
from callcenter.sim.timeline import Timeline

NEVER_REFUSED = (c.HangUp, c.CloseBridge, c.StopMusic, c.StopRecording, c.StopPlayback)
"""What ends something is not refused by a PBX that is there."""
SAMPLES = bytes(4 * 800)
"""A tenth of a second of silence, two channels."""


class ChaosPbx(FakePbx):
    """A node of a simulated center; its recordings are real files."""

    def __init__(self, name: str, timeline: Timeline, wall: Callable[[], datetime], recordings: Path, dice: random.Random) -> None:
        super().__init__(name, timeline, lambda event: None)
        self.recordings_folder = recordings
        self.refused = 0.0
        """Share of commands that are refused."""
        self.worst_moment = 0.0
        """Share of commands and events after which a party does something at once."""
        self.at_a_bad_moment: Callable[[str], None] = lambda leg: None
        self.on_connected: Callable[[Sequence[str]], None] = lambda legs: None
        self.on_answered: Callable[[str], None] = lambda leg: None
        """Somebody outside has answered whom we called."""
        self.nodes: Mapping[str, ChaosPbx] = {}
        """All nodes, this one too: a phone is the same phone on each."""
        self.dialplan: FakeDialplan
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        """When each leg came and went, by the loop's time."""
        self.rung: set[str] = set()
        self.rung_twice: list[str] = []
        self._wall = wall
        self._dice = dice

    def hand_over(self, leg: str, did: str, caller: str, waiting_since: datetime) -> None:
        self.began[leg] = asyncio.get_running_loop().time()  # before that, the queue log would have told
        super().hand_over(leg, did, caller, waiting_since)

    def beat(self) -> None:
        super().beat()
        self.dialplan.beat_at = self._wall()

    def crash(self) -> None:
        for leg in self.channels:
            self.ended[leg] = asyncio.get_running_loop().time()
        super().crash()
        self.dialplan.crash()

    def run(self, command: c.Command) -> None:
        if self._dice.random() < self.refused and not isinstance(command, NEVER_REFUSED):
            raise CommandError(Refusal.NO_SUCH_MEDIA if isinstance(command, c.Play) else Refusal.REFUSED, "chaos")
        super().run(command)
        leg = getattr(command, "leg", "") or getattr(command, "legs", ("",))[0]
        if self._dice.random() < self.worst_moment:
            self.at_a_bad_moment(leg)

    def _end(self, leg: str, cause: Cause) -> None:
        if leg in self.channels:
            self.ended[leg] = asyncio.get_running_loop().time()
        super()._end(leg, cause)

    def _channel_id(self) -> str:
        leg = super()._channel_id()
        self.began[leg] = asyncio.get_running_loop().time()
        return leg

    def in_use(self, endpoint: str) -> bool:
        """Whether the phone has a call, on whichever node."""
        return any(channel.endpoint == endpoint for node in self.nodes.values() for channel in node.channels.values())

    def _ring_agent(self, command: c.RingAgent) -> None:
        if command.leg in self.rung:
            self.rung_twice.append(command.leg)
        self.rung.add(command.leg)
        phone = self.phones[command.endpoint]
        mood, busy = phone.mood, self.in_use(command.endpoint)
        if busy and mood is not Mood.UNREACHABLE:
            phone.mood = Mood.BUSY
        try:
            super()._ring_agent(command)
        finally:
            phone.mood = mood

    def _picked_up(self, leg: str) -> None:
        rings = leg in self.channels and not self.channels[leg].up
        super()._picked_up(leg)
        if rings and self.channels[leg].number:
            self.on_answered(leg)

    def _connect_legs(self, command: c.ConnectLegs) -> None:
        super()._connect_legs(command)
        self.on_connected(command.legs)

    def _tell(self, event: Event) -> None:
        super()._tell(event)
        leg = getattr(event, "leg", "")
        if leg in self.channels and not isinstance(event, LegArrived) and self._dice.random() < self.worst_moment:
            self._timeline.after(timedelta(milliseconds=self._dice.choice((0, 1, 20))), self.at_a_bad_moment, leg)

    # --- recordings -----------------------------------------------------------------------------

    def _start_recording(self, command: c.StartRecording) -> None:
        super()._start_recording(command)
        self._write(command.recording)

    def _stop_recording(self, command: c.StopRecording) -> None:
        super()._stop_recording(command)
        if command.recording in self.recorded:
            self._write(command.recording)

    def _write(self, recording: str) -> None:
        path = self.recordings_folder / f"{recording}.raw"
        if path.with_suffix(".wav").exists():
            return
        with path.open("ab") as file:
            file.write(SAMPLES)
        now = self._wall().timestamp()
        os.utime(path, (now, now))
