"""The dialplan of a node that is not there: the guard at the door, the fallback while the center is away, and its queue log.

The rules are those of ``dialplan/10-inbound.conf.j2`` and ``90-fallback.conf.j2``; what the log says is read by
``services.fallback_log``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.domain.events import Cause
from callcenter.domain.fallback_hours import says_closed
from callcenter.sim.fake_pbx import FakePbx, Mood
from callcenter.sim.timeline import Timeline

HEARTBEAT_LASTS = timedelta(seconds=3)
SLICE = timedelta(seconds=10)
RING = timedelta(seconds=3)
CLOSED_PROMPT = timedelta(seconds=4)
LONGEST_WAIT = timedelta(minutes=5)


@dataclass(slots=True)
class _Caller:
    leg: str
    did: str
    queue: str
    caller: str
    since: datetime
    """By the node's own clock."""
    agent_leg: str = ""
    logged: bool = False
    """Has an entry in the queue log that is not closed."""


class FakeDialplan:
    """Where callers of one node arrive. ``queue_log`` is the file, which outlives crashes."""

    def __init__(
        self,
        pbx: FakePbx,
        timeline: Timeline,
        wall: Callable[[], datetime],
        members: Callable[[str], list[str]],
        talk: Callable[[], timedelta],
    ) -> None:
        """``wall`` is the node's clock; ``members`` are the endpoints of a fallback queue whose phones are free; ``talk``: for how long."""
        self.pbx = pbx
        self.fallback_queues: Mapping[str, str] = {}
        """By DID; a number without is unknown here."""
        self.queue_log = b""
        self.unknown: set[str] = set()
        """Callers of numbers that lead nowhere while the center is away: nobody counts them."""
        self.served = 0
        """Callers who talked to an agent in the fallback."""
        self._timeline = timeline
        self._wall = wall
        self._members = members
        self._talk = talk
        self._callers: dict[str, _Caller] = {}
        self.beat_at: datetime | None = None
        """The heartbeat global, in the node's own time; None: not written since the node was started."""

    @property
    def center_is_away(self) -> bool:
        """As the dialplan sees it: the heartbeat is missing or not of the last 3 seconds."""
        return self.beat_at is None or abs(self._wall() - self.beat_at) > HEARTBEAT_LASTS

    def dial(self, did: str, caller: str) -> str:
        """A caller comes through the trunk; returns the leg."""
        if not self.center_is_away and self.pbx.listening:
            return self.pbx.call_in(did, caller)
        leg = self.pbx.wait_in_fallback()
        if did in self.fallback_queues:
            entry = _Caller(leg, did, self.fallback_queues[did], caller, self._now())
            if says_closed(self.pbx.hours.get(did) or "1", self._wall()):
                self._turn_away(entry)
            else:
                self._enter(entry)
        else:
            self.unknown.add(leg)
            self._timeline.after(timedelta(seconds=4), self.pbx.party_hangs_up, leg)
        return leg

    def hangs_up(self, leg: str, cause: Cause = Cause.NORMAL) -> None:
        """The caller, or the agent, on ``leg`` hangs up, or is lost; whoever has it is told."""
        entry = self._callers.pop(leg, None)
        if entry is None:
            entry = next((each for each in self._callers.values() if each.agent_leg == leg), None)
            if entry is not None:
                del self._callers[entry.leg]
        if entry is None:
            self.pbx.party_hangs_up(leg, cause)
            return
        self._log(entry.leg, entry.queue, "NONE", "CC_ENDED")
        for each in (entry.leg, entry.agent_leg):
            self.pbx.party_hangs_up(each)

    def crash(self) -> None:
        """The node was killed: its callers are gone, and no line says so until it starts again."""
        self._callers.clear()
        self.beat_at = None
        self._log("NONE", "NONE", "NONE", "QUEUESTART")

    # --- inside ---------------------------------------------------------------------------------

    def _now(self) -> datetime:
        return self._wall().replace(microsecond=0)

    def _log(self, channel: str, queue: str, member: str, happening: str, *more: str) -> None:
        name = queue if queue == "NONE" else f"fallback_{queue}"
        line = "|".join((str(int(self._wall().timestamp())), channel, name, member, happening, *more))
        self.queue_log += line.encode() + b"\n"

    def _enter(self, entry: _Caller) -> None:
        self._callers[entry.leg] = entry
        self._log(entry.leg, entry.queue, "NONE", "CC_ENTERED", entry.did, entry.caller, str(int(entry.since.timestamp())))
        self._slice(entry)

    def _turn_away(self, entry: _Caller) -> None:
        """Closed: the caller is told so, which takes a few seconds."""
        self._callers[entry.leg] = entry
        self._log(entry.leg, entry.queue, "NONE", "CC_ENTERED", entry.did, entry.caller, str(int(entry.since.timestamp())))
        self._log(entry.leg, entry.queue, "NONE", "CC_CLOSED")
        self._timeline.after(CLOSED_PROMPT, self.hangs_up, entry.leg)

    def _is_here(self, entry: _Caller) -> bool:
        if self._callers.get(entry.leg) is entry and entry.leg not in self.pbx.channels:
            del self._callers[entry.leg]
        return self._callers.get(entry.leg) is entry

    def _slice(self, entry: _Caller) -> None:
        """app_queue rings one free phone after the other for ten seconds."""
        if not self._is_here(entry):
            return
        if self._wall() - entry.since > LONGEST_WAIT:
            self._log(entry.leg, entry.queue, "NONE", "CC_GAVE_UP")
            self.hangs_up(entry.leg)
            return
        endpoint = next((each for each in self._members(entry.queue) if self.pbx.phones[each].mood is Mood.ANSWERS), None)
        if endpoint is None:
            self._timeline.after(SLICE, self._ask, entry)
            return
        leg = self.pbx.talk_in_fallback(endpoint)
        self.pbx.channels[leg].up = False
        self._timeline.after(RING, self._answered, entry, endpoint, leg)
        self._timeline.after(SLICE, self._ask, entry)

    def _answered(self, entry: _Caller, endpoint: str, leg: str) -> None:
        channel = self.pbx.channels.get(leg)
        if channel is None:
            return
        if not self._is_here(entry):
            self.pbx.party_hangs_up(leg)
            return
        channel.up, entry.agent_leg = True, leg
        self.served += 1
        self._log(entry.leg, entry.queue, f"PJSIP/{endpoint}", "CONNECT", "3", leg, "3")
        self._timeline.after(self._talk(), self._talk_over, entry)

    def _talk_over(self, entry: _Caller) -> None:
        if self._is_here(entry):
            self.hangs_up(entry.leg)

    def _ask(self, entry: _Caller) -> None:
        """Between two slices: is the center back?"""
        if not self._is_here(entry) or entry.agent_leg:
            return
        if self.center_is_away:
            self._slice(entry)
            return
        self._log(entry.leg, entry.queue, "NONE", "CC_RETURNED", str(int(self._wall().timestamp())))
        if self.pbx.listening:
            del self._callers[entry.leg]
            self.pbx.hand_over(entry.leg, entry.did, entry.caller, entry.since)
        else:
            self._enter(entry)
