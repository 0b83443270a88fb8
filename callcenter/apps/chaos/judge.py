"""Who says whether it was right: the facts against each other, our picture against the nodes, the books against the journal."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from structlog.typing import EventDict

from callcenter.apps.chaos.center import SimulatedCenter
from callcenter.apps.chaos.nodes import ChaosPbx
from callcenter.apps.chaos.people import People
from callcenter.apps.chaos.store import SimulatedStore
from callcenter.apps.chaos.workplace import CALLBACK_ATTEMPTS, MOBILE
from callcenter.domain.books import fold_call
from callcenter.domain.config import CenterConfig
from callcenter.domain.consults import places
from callcenter.domain.contact import ContactState
from callcenter.domain.events import Cause
from callcenter.domain.facts import CallBegan, Direction, Fact, FallbackCallEnded, LegGone, NodeUp, RecordingStarted
from callcenter.domain.facts.callbacks import CallbackAttempted
from callcenter.domain.records import RecordingState
from callcenter.services.fact_codec import load
from callcenter.services.journal import Journal
from callcenter.services.journal_reader import JournalReader
from callcenter.sim.checker import Checker, Violation

AGREES_WITHIN_S = 2.0
MOST = 20
"""So many violations of one seed are told."""


@dataclass(frozen=True, slots=True)
class _Record:
    facts: tuple[Fact, ...]
    config: CenterConfig


class Judge:
    """Listens to everything that is kept; ``violations`` is the verdict."""

    def __init__(
        self,
        center: SimulatedCenter,
        nodes: Mapping[str, ChaosPbx],
        store: SimulatedStore,
        people: People,
        note: Callable[[str, object], None],
    ) -> None:
        self.checker = Checker()
        self._center, self._nodes, self._store, self._people, self._note = center, nodes, store, people, note
        self._records: dict[int, _Record] = {}
        self._lost: dict[int, list[_Record]] = {}
        """Those that a power cut took, or that a full disk never had; the store may have them."""
        self._found: list[Violation] = []
        self._seen_at: dict[str, list[float]] = {}
        """By node: when the center has caught up with it."""
        center.kept, center.booted, center.died = self._kept, self._booted, self._died

    @property
    def violations(self) -> list[Violation]:
        return [*self.checker.violations, *self._found][:MOST]

    def _wrong(self, invariant: str, what: str) -> None:
        self._found.append(Violation(invariant, what, self.checker.at))
        self._note("judge", f"{invariant} {what}")

    # --- while it goes on -----------------------------------------------------------------------

    def _kept(self, seq: int, facts: Sequence[Fact], config: CenterConfig) -> None:
        self._note("fact", f"{seq} {facts}")
        self._take(seq, _Record(tuple(facts), config))
        for fact in facts:
            if isinstance(fact, NodeUp):
                self._seen_at.setdefault(fact.node, []).append(asyncio.get_running_loop().time())

    def _take(self, seq: int, record: _Record) -> None:
        if self._records and seq <= max(self._records):
            self._wrong("journal", f"record {seq} comes after record {max(self._records)}")
        self._records[seq] = record
        before = len(self.checker.violations)
        self.checker.keep(record.facts, record.config)
        for violation in self.checker.violations[before:]:
            self._note("judge", violation)

    def _booted(self, journal: Journal) -> None:
        """A new engine reads what the old one has left: nothing may be missing that was said to be safe."""
        there = {record.seq: record.payload for record in journal.read_all()}
        missing = sorted(set(self._records) - set(there))
        center = self._center
        lost_power = self._machine_boots != center.machine_boots
        self._machine_boots = center.machine_boots
        safe = center.synced_seq if lost_power else center.written_seq
        if missing and missing[0] <= safe:
            self._wrong("journal", f"record {missing[0]} is lost, and {safe} was safe")
        self._note("boot", f"{center.boots}: {len(there)} records, {len(missing)} lost")
        if missing:
            self._forget(missing)
        for seq in sorted(set(there) - set(self._records)):
            self._take(seq, _Record(load(there[seq]), center.config))

    _machine_boots = 1

    def _forget(self, missing: Sequence[int]) -> None:
        """They never happened, as far as the center can know."""
        for seq in missing:
            self._lost.setdefault(seq, []).append(self._records.pop(seq))
        self.checker.start_again((record.facts, record.config) for record in self._records.values())

    def _died(self, process: str, bug: BaseException | None) -> None:
        self._note("death", f"{process} {bug!r}" if bug else process)
        if bug is not None:
            self._wrong("bug", f"the {process} died of {_innermost(bug)!r}")

    def logs(self, logs: Sequence[EventDict]) -> None:
        """What the services logged: a bug that was contained is a bug."""
        for line in logs:
            if line["event"] in ("fault", "command_failed"):
                self._found.append(Violation("bug", f"{line['event']}: {line.get('exc_info')!r} {line.get('happening', '')}"))

    # --- our picture and the nodes --------------------------------------------------------------

    async def agrees_soon(self) -> None:
        """A7: within two seconds there is a moment at which nothing is different."""
        end = asyncio.get_running_loop().time() + AGREES_WITHIN_S
        while True:
            different = list(self._differences())
            if not different:
                return
            if asyncio.get_running_loop().time() > end:
                break
            await asyncio.sleep(0.05)
        for what in different:
            self._wrong("A7", what)

    def _differences(self) -> Iterator[str]:
        engine = self._center.engine
        if engine is None:
            yield "the engine does not run"
            return
        state = engine.center.state
        for name, node in self._nodes.items():
            if state.node(name).away:
                yield f"node {name} is there and taken for away"
            ours = {leg for leg, channel in node.channels.items() if channel.ours}
            known = {leg for call in state.calls.values() if call.node == name for leg in call.legs}
            known |= {snoop for snoop, call in state.snoops.items() if call.node == name}
            for leg in sorted(ours ^ known):
                yield f"leg {leg} {'belongs to no call' if leg in ours else 'is no longer there'}"
            bridges = {call.bridge for call in state.calls.values()} | {
                call.consult.bridge for call in state.calls.values() if call.consult
            }
            bridges |= {call.supervision.bridge for call in state.supervising.values() if call.supervision}
            for bridge in sorted(set(node.bridges) - bridges):
                yield f"bridge {bridge} belongs to no call"
        for contact in state.contacts.values():
            call = state.calls[contact.entered.call]
            if contact.state is ContactState.CONNECTED and contact.offer is not None:
                bridges_of = {leg: each.bridge for leg, each in self._nodes[call.node].channels.items()}
                if any(bridges_of.get(leg) != bridge for leg, bridge in places(state, call).items()):
                    yield f"contact {contact.id} talks, and they do not hear each other"
                if call.recording and call.recording not in self._nodes[call.node].recordings:
                    yield f"contact {contact.id} talks, and recording {call.recording} is not going on"
        for call in state.supervising.values():
            bridges_of = {leg: each.bridge for leg, each in self._nodes[call.node].channels.items()}
            if any(bridges_of.get(leg) != bridge for leg, bridge in places(state, call).items()):
                yield f"supervision {call.id} is not where it should be"
        for call in state.calls.values():
            channel = self._nodes[call.node].channels.get(call.began.leg)
            listens = (call.flow is not None and not call.flow.playback) or call.began.direction is Direction.PERSISTENT
            listens = listens or call.supervision is not None
            hears = channel is not None and (channel.music or channel.playback or channel.bridge or channel.hears_ringing)
            if channel is not None and channel.up and not listens and not hears:
                yield f"caller {channel.id} hears nothing"
        for leg in state.fallback_legs:
            if not any(leg in node.channels for node in self._nodes.values()):
                yield f"an agent is taken to talk on {leg}, which is no longer there"

    # --- when all is over -----------------------------------------------------------------------

    async def at_the_end(self) -> None:
        """A8: nothing is left; A3, A10: the books are those of the journal, exactly once, and every caller is in them."""
        for what in self._differences():
            self._wrong("A7", what)
        self.checker.at_rest()
        for name, node in self._nodes.items():
            left = [*node.channels, *node.bridges, *node.recordings]
            if left:
                self._wrong("A8", f"{name} still has {', '.join(left)}")
            for leg in node.rung_twice:
                self._wrong("once", f"a phone was rung twice for leg {leg}")
        engine = self._center.engine
        if engine is not None and (engine.center.state.calls or engine.center.state.contacts):
            self._wrong("A8", "calls that are over are not forgotten")
        self._journal_is_what_was_kept()
        self._books_are_those_of_the_journal()
        self._recordings_are_accounted_for()
        self._each_attempt_was_dialed_once_at_most()
        self._every_caller_is_in_the_books()

    def _journal_is_what_was_kept(self) -> None:
        reader = JournalReader(self._center.journal_folder)
        there = {record.seq: load(record.payload) for record in reader.read_all()}
        reader.close()
        for seq in sorted(set(there) ^ set(self._records)):
            self._wrong("journal", f"record {seq} is {'in the journal and was never kept' if seq in there else 'no longer in the journal'}")
        for seq, facts in there.items():
            if seq in self._records and facts != self._records[seq].facts:
                self._wrong("journal", f"record {seq} reads {facts}, and was written as {self._records[seq].facts}")

    def _books_are_those_of_the_journal(self) -> None:
        kept = {(seq, n): fact for seq, record in self._records.items() for n, fact in enumerate(record.facts)}
        lost = {(seq, n, fact) for seq, records in self._lost.items() for record in records for n, fact in enumerate(record.facts)}
        buried = {int(path.stem[-20:]) for path in self._dead_letters()}
        for seq in sorted(buried):
            if not self._refusable(seq):
                self._wrong("books", f"record {seq} was set aside, and nobody refused it")
        for what in self._store.contradictions:
            self._wrong("books", what)
        for key in sorted(set(kept) - set(self._store.facts)):
            if key[0] not in buried:
                self._wrong("books", f"fact {key[1]} of record {key[0]} never came to the store: {kept[key]}")
        for key, fact in self._store.facts.items():
            if kept.get(key) != fact and (*key, fact) not in lost:
                self._wrong("books", f"fact {key[1]} of record {key[0]} in the store was never kept: {fact}")
        of_call: dict[str, list[Fact]] = {}
        for key in sorted(self._store.facts):
            fact = self._store.facts[key]
            of_call.setdefault(getattr(fact, "call", ""), []).append(fact)
        for call, books in self._store.books.items():
            if call in of_call and fold_call(of_call[call]) != books:
                self._wrong("books", f"the rows of call {call} are not those of its facts")

    def _dead_letters(self) -> list[Path]:
        return sorted((self._center.journal_folder.parent / "dead-letters").glob("*.json"))

    def _refusable(self, seq: int) -> bool:
        letter = next(path for path in self._dead_letters() if int(path.stem[-20:]) == seq)
        return bool(json.loads(letter.read_text())["why"] == "a value is out of range")

    def _recordings_are_accounted_for(self) -> None:
        """A10: each recording of the books is a file, or said to be missing."""
        for books in self._store.books.values():
            for row in books.recordings:
                settled = self._store.settled.get(row.recording_id)
                if row.state is RecordingState.MISSING:
                    continue
                if settled is None:
                    self._wrong("A10", f"nothing is known of recording {row.recording_id} ({row.state})")
                elif settled.file and not (self._center.recordings[row.node] / settled.file).exists():
                    self._wrong("A10", f"the file of recording {row.recording_id} is not there")

    def _each_attempt_was_dialed_once_at_most(self) -> None:
        """And only when it was on disk first; no callback has more of them than its rule allows, and none is left open."""
        facts = [fact for record in self._records.values() for fact in record.facts]
        attempts = {fact.leg: fact for fact in facts if isinstance(fact, CallbackAttempted)}
        dialed = Counter(dial.leg for node in self._nodes.values() for dial in node.dialed if dial.number != MOBILE)
        for leg, count in dialed.items():
            if leg not in attempts:
                self._wrong("callbacks", f"leg {leg} was dialed, and no attempt is in the journal")
            if count > 1:
                self._wrong("callbacks", f"leg {leg} was dialed {count} times")
        for callback, count in Counter(attempt.callback for attempt in attempts.values()).items():
            if count > CALLBACK_ATTEMPTS:
                self._wrong("callbacks", f"callback {callback} was tried {count} times")
        engine = self._center.engine
        for callback in engine.center.state.callbacks.open if engine is not None else ():
            self._wrong("callbacks", f"callback {callback} is neither kept nor broken")

    def _every_caller_is_in_the_books(self) -> None:
        """Each leg that arrived is one call: ours or the fallback's, never both. One that came and went unseen cannot be known."""
        facts = [fact for record in self._records.values() for fact in record.facts]
        ours = Counter(fact.leg for fact in facts if isinstance(fact, CallBegan))
        fallback = Counter(fact.leg for fact in facts if isinstance(fact, FallbackCallEnded))
        lost = {
            fact.leg
            for records in self._lost.values()
            for record in records
            for fact in record.facts
            if isinstance(fact, CallBegan | FallbackCallEnded)
        }
        crashed = {fact.leg for fact in facts if isinstance(fact, LegGone) and fact.cause is Cause.NODE_CRASH}
        for name, leg in self._people.callers:
            node = self._nodes[name]
            if ours[leg] + fallback[leg] > 1 and leg not in crashed:  # taken for lost too early, a caller is a new call
                self._wrong("A3", f"caller {leg} is {ours[leg]} calls of ours and {fallback[leg]} of the fallback")
            elif not ours[leg] and not fallback[leg] and leg not in lost and leg not in node.dialplan.unknown:
                began, ended = node.began[leg], node.ended.get(leg, float("inf"))
                seen = [at for at in self._seen_at.get(name, ()) if began + 0.5 < at < ended - 0.5]
                if seen:
                    self._wrong("A3", f"caller {leg} ({began:.1f} s to {ended:.1f} s) is in no books, and could be seen at {seen[0]:.1f} s")
        known = {leg for _, leg in self._people.callers}
        for leg in fallback:
            if leg not in known:
                self._wrong("A3", f"the fallback's call {leg} has no caller")
        started = Counter(fact.recording for fact in facts if isinstance(fact, RecordingStarted))
        for recording, count in started.items():
            if count > 1:
                self._wrong("A10", f"recording {recording} was started {count} times")


def _innermost(bug: BaseException) -> BaseException:
    while isinstance(bug, BaseExceptionGroup):
        bug = bug.exceptions[0]
    return bug
