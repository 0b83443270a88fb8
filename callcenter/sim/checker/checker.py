"""Judges record by record, and at the end whether the books balance."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from callcenter.domain import facts as f
from callcenter.domain.config import CenterConfig
from callcenter.sim.checker.agents import AGENTS
from callcenter.sim.checker.calls import CALLS
from callcenter.sim.checker.contacts import CONTACTS
from callcenter.sim.checker.notebook import Notebook, Violation, plain_queues

RESTING = frozenset({f.AgentState.LOGGED_OUT, f.AgentState.NOT_READY, f.AgentState.READY})
_STEPS: Mapping[type, Callable[..., None]] = {**CALLS, **CONTACTS, **AGENTS}


class Checker:
    """Feed it records with ``keep``; read ``violations``."""

    def __init__(self) -> None:
        self._notes = Notebook()

    @property
    def violations(self) -> list[Violation]:
        return self._notes.violations

    @property
    def counts(self) -> Mapping[str, int]:
        """How many facts of each kind there were."""
        return self._notes.counts

    @property
    def at(self) -> datetime | None:
        """The date of the last fact."""
        return self._notes.at

    def start_again(self, records: Iterable[tuple[Sequence[f.Fact], CenterConfig]]) -> None:
        """Only these ever happened, as far as the center can know. What was found stays found, and is not found again."""
        found = self.violations
        self._notes = Notebook()
        for facts, config in records:
            self.keep(facts, config)
        self._notes.violations = found

    def keep(self, facts: Sequence[f.Fact], config: CenterConfig) -> None:
        """One record: the facts of one event, and the settings in force once it was handled."""
        notes = self._notes
        looks = config is notes.config
        if not looks:  # with a restart they are in force before the queues are looked at: nobody is idle for nothing yet
            notes.config, notes.plain = config, tuple(plain_queues(config))
        notes.touched.clear()
        notes.deserted.clear()
        for fact in facts:
            notes.counts[type(fact).__name__] = notes.counts.get(type(fact).__name__, 0) + 1
            if notes.at is not None and fact.at < notes.at:
                notes.wrong("order", f"{type(fact).__name__} is dated {fact.at}, before the fact it follows ({notes.at})")
            notes.at = fact.at if notes.at is None else max(notes.at, fact.at)
            step = _STEPS.get(type(fact))
            if step is not None:
                step(notes, fact)
        self._after_the_record()
        if looks:
            self._nobody_is_idle_for_nothing()

    def _after_the_record(self) -> None:
        notes = self._notes
        self._one_life_per_agent()
        for name in notes.deserted:
            for leg in sorted(notes.calls[name].legs - notes.calls[name].closing):
                notes.wrong("A8", f"the caller of {name} is gone, and leg {leg} is not ended")
        for name in notes.touched:
            call = notes.calls[name]
            live = [contact for contact in call.contacts if contact in notes.live and not notes.contacts[contact].entered.consult]
            if len(live) + call.flow > (2 if call.paying else 1):
                notes.wrong("A2", f"the caller of {name} is in {len(live)} contacts{' and in a flow' if call.flow else ''} at once")

    def _nobody_is_idle_for_nothing(self) -> None:
        notes = self._notes
        for queue in notes.plain:
            waiting = next(notes.waiting(queue), None)
            ready = next(notes.ready(queue), None)
            if waiting is not None and ready is not None:
                notes.wrong("A6", f"{ready[0]} is idle while {waiting.entered.contact} waits in {queue}")

    def _one_life_per_agent(self) -> None:
        notes = self._notes
        engaged = notes.engaged()
        for name, lives in engaged.items():
            if len(lives) > 1:
                notes.wrong("A1", f"{name} is in {' and '.join(lives)} at once")
            state = notes.agent(name).state
            if state is not (f.AgentState.TALKING if lives[0].startswith("talk") else f.AgentState.RESERVED):
                notes.wrong("A1", f"{name} is {state} and in an {lives[0]}")
        for name, agent in notes.agents.items():
            if agent.state in (f.AgentState.RESERVED, f.AgentState.TALKING) and name not in engaged:
                notes.wrong("A1", f"{name} is {agent.state} for nobody")

    def at_rest(self) -> None:
        """Everybody has hung up and every timer has run out: nothing may be left, and the books balance."""
        notes = self._notes
        for name, call in notes.calls.items():
            if call.ended_at is None:
                notes.wrong("A7", f"call {name} never ended")
        for name, contact in notes.contacts.items():
            if not contact.over:
                notes.wrong("A3", f"contact {name} never ended")
        for name, agent in notes.agents.items():
            if agent.state not in RESTING:
                notes.wrong("A7", f"{name} is still {agent.state}")
        self._balance()

    def _balance(self) -> None:
        notes = self._notes
        count = notes.counts.get
        out = count("ContactConnected", 0) + count("ContactAbandoned", 0) + count("ContactOverflowed", 0)
        waiting = sum(contact.in_line for contact in notes.live.values())
        if count("ContactEntered", 0) != out + waiting:
            notes.wrong("A3", f"{count('ContactEntered', 0)} contacts entered, {out} left and {waiting} are waiting")
        over = count("CallbackKept", 0) + count("CallbackBroken", 0)
        if count("CallbackCreated", 0) != over + len(notes.callbacks):
            notes.wrong("A3", f"{count('CallbackCreated', 0)} callbacks promised, {over} over and {len(notes.callbacks)} open")
        going_on = sum(call.ended_at is None for call in notes.calls.values())
        if count("CallBegan", 0) != count("CallEnded", 0) + going_on:
            notes.wrong("A3", f"{count('CallBegan', 0)} calls began, {count('CallEnded', 0)} ended and {going_on} go on")
