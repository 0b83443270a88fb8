"""A whole center in virtual time without asyncio: the production core, a fake PBX, and people who do what they are told.

For stories in tests, for simulations and for benchmarks of the core.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from callcenter.domain.agent import Agent
from callcenter.domain.center import Center
from callcenter.domain.commands import AskOutside, WithdrawAsk
from callcenter.domain.config import AgentConfig, CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.events import (
    AgentLoginRequested,
    AgentReadyRequested,
    CommandRefused,
    Event,
    NodeConnected,
    NodeDisconnected,
    TimePassed,
)
from callcenter.domain.facts import Fact
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import Flow, QueueNode
from callcenter.domain.machine import Outputs
from callcenter.services.ports import CommandError
from callcenter.sim.fake_pbx import FakePbx
from callcenter.sim.scripted_answers import ScriptedAnswers
from callcenter.sim.timeline import EPOCH, Timeline

NODE = "node1"


def straight_to(queue: str) -> Flow:
    """A flow that puts the caller into the queue at once."""
    return Flow(f"to-{queue}", "enter", {"enter": QueueNode(queue)})


def small_center(
    queues: Sequence[QueueConfig] = (QueueConfig("support"),), agents: Sequence[str] = ("alice", "bob"), flows: Sequence[Flow] = ()
) -> CenterConfig:
    """Every agent serves every queue; queue number n is reached by dialing ``+1800555010n``, flow number n by ``+1800555020n``."""
    all_flows = [straight_to(queue.name) for queue in queues] + list(flows)
    numbers = [NumberConfig(f"+1800555010{n}", f"to-{queue.name}", queue.name) for n, queue in enumerate(queues)]
    numbers += [NumberConfig(f"+1800555020{n}", flow.name) for n, flow in enumerate(flows)]
    names = tuple(queue.name for queue in queues)
    return CenterConfig(
        queues={queue.name: queue for queue in queues},
        agents={name: AgentConfig(name, f"phone-of-{name}", names) for name in agents},
        numbers={number.did: number for number in numbers},
        flows={flow.name: flow for flow in all_flows},
    )


class World:
    """Time passes only here. ``facts`` is everything the center ever kept."""

    def __init__(
        self, config: CenterConfig | None = None, *, keep_facts: bool = True, seed: str = "world", start: datetime = EPOCH
    ) -> None:
        self.config = config or small_center()
        self.timeline = Timeline(start)
        self.facts: list[Fact] = []
        self.faults: list[Exception] = []
        self.refusals: list[str] = []
        self.on_facts: Callable[[Sequence[Fact]], None] = self.facts.extend if keep_facts else lambda facts: None
        self._boots = 0
        self._seed = seed
        self._inbox: deque[Event] = deque()
        self._handling = False
        self.center = Center(self.config, self._new_ids())
        self.pbx = FakePbx(NODE, self.timeline, self.tell)
        self.answers = ScriptedAnswers(self.timeline, self.tell)
        self.tell(NodeConnected(NODE, self.pbx.started_at))

    def _new_ids(self) -> Ids:
        self._boots += 1
        return Ids(f"{self._seed}-{self._boots}")

    # --- time -----------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.timeline.now

    def run_until(self, when: datetime) -> None:
        """Let everything up to that date happen."""
        while True:
            dates = [date for date in (self.timeline.next, self.center.deadline) if date is not None]
            soonest = min(dates, default=None)
            if soonest is None or soonest > when:
                break
            if self.timeline.next is not None and self.timeline.next <= soonest:
                self.timeline.step()
            else:
                self.timeline.now = max(self.timeline.now, soonest)
                self.tell(TimePassed())
        self.timeline.now = max(self.timeline.now, when)

    def run_for(self, seconds: float) -> None:
        self.run_until(self.now + timedelta(seconds=seconds))

    # --- events and what comes of them ----------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Hand the event to the center, after those that are being handled."""
        self._inbox.append(event)
        if self._handling:
            return
        self._handling = True
        try:
            while self._inbox:
                self._carry_out(self.center.handle(self._inbox.popleft(), self.now))
        finally:
            self._handling = False

    def _carry_out(self, outputs: Outputs) -> None:
        self.on_facts(outputs.facts)
        self.faults += outputs.faults
        if outputs.refusal:
            self.refusals.append(outputs.refusal)
        for command in outputs.commands:
            try:
                if isinstance(command, AskOutside | WithdrawAsk):
                    self.answers.take(command)
                else:
                    self.pbx.run(command)
            except CommandError as error:
                self._inbox.append(CommandRefused(command, error.refusal, error.detail))

    # --- people ---------------------------------------------------------------------------------

    def caller_arrives(self, queue: str = "support", caller: str = "+12025550123") -> str:
        """A caller dials the number that leads into the queue; returns the leg."""
        did = next(number.did for number in self.config.numbers.values() if number.flow == f"to-{queue}")
        return self.pbx.call_in(did, caller)

    def agent_ready(self, name: str) -> Agent:
        self.tell(AgentLoginRequested(name))
        self.tell(AgentReadyRequested(name))
        return self.agent(name)

    def agent(self, name: str) -> Agent:
        return self.center.state.agents[name]

    def waiting(self, queue: str = "support") -> list[str]:
        """The callers' legs in the order of the line; those offered to an agent are not in it."""
        state = self.center.state
        contacts = (state.contacts[name] for name in state.queue(queue).waiting.in_order() if name in state.contacts)
        return [state.calls[contact.entered.call].began.leg for contact in contacts]

    def talking(self) -> dict[str, str]:
        """From agent to the caller's leg."""
        state = self.center.state
        return {
            contact.offer.agent: state.calls[contact.entered.call].began.leg
            for contact in state.contacts.values()
            if contact.state == "connected" and contact.offer is not None
        }

    # --- trouble --------------------------------------------------------------------------------

    def crash_and_restore(self) -> None:
        """Our process dies and comes back with what it kept; the PBX goes on."""
        kept = list(self.center.checkpoint())
        self.center = Center.restore(self.config, self._new_ids(), kept)
        self.answers.forget()

    def lose_node(self) -> None:
        self.pbx.listening = False
        self.tell(NodeDisconnected(NODE))
