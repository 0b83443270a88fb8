"""Random flows, and callers, answers and misfortunes that keep to no rule: through the production core, event by event.

After each event nothing may have gone wrong inside, and whoever is in a flow must be hearing something or be waited for, for a bounded
time. In the end everybody falls silent: then each flow run must come to its exit by itself.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.call import Call
from callcenter.domain.center import Center
from callcenter.domain.config import AgentConfig, CallbackConfig, CallingConfig, Canary, CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.hours import UNKNOWN, Calendar, Stretch
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import Flow
from callcenter.domain.ivr.grammar import NO, YES
from callcenter.domain.ivr.keys import LanguageNode, MenuNode
from callcenter.domain.ivr.listening import BUSY, HEARD, NOT_UNDERSTOOD, NOTHING, UNDERSTOOD, UNSURE
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.machine import Outputs
from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.domain.mailbox_pin import RIGHT, WRONG
from callcenter.sim.random_flows import AGENTS, ATTRIBUTES, HEARD_VALUES, KEYS, MAILBOX, QUEUES, flow_set
from callcenter.sim.timeline import EPOCH

NODE, DID = "node1", "+18005550100"
NUMBER = "7001"
"""Of the mailbox."""
CALLERS = 4
"""So many are in flows at once."""
STEPS_OF_A_WORLD = 20_000
"""After so many steps all flows are made anew, and the center is, too."""
PUBLISH_EVERY = 1500
GARBAGE = ("", "A", "\x00", "9" * 300, "ñ", "answered", "late", "key", "{caller}", "../../etc/passwd", "'; drop table calls; --", "\ud800")
LISTENED = (UNDERSTOOD, UNDERSTOOD, UNSURE, UNSURE, NOT_UNDERSTOOD, NOTHING, BUSY)


class FlowFault(Exception):
    """Something that must never be."""


@dataclass
class FuzzResult:
    """What was done, and what came of it."""

    seed: int
    steps: int = 0
    flows: int = 0
    """Random flows that were run."""
    calls: int = 0
    restarts: int = 0
    published: int = 0
    node_moves: int = 0
    """Nodes that callers left by an exit."""
    exits: Counter[str] = field(default_factory=Counter)
    """How flow runs ended."""
    started: int = 0
    messages: int = 0
    """Left in the mailbox."""
    listened: int = 0
    """Visits of the mailbox by number and PIN."""


class World:
    """One center with one set of flows and a few callers."""

    def __init__(self, random: Random, result: FuzzResult) -> None:
        self.random = random
        self.result = result
        self.now = EPOCH
        self.version = 1
        self.config = self._config()
        self.boots = 0
        self.center = Center(self.config, self._ids())
        self.playing: dict[str, str] = {}
        """By leg: what it hears."""
        self.asked: dict[str, c.AskOutside] = {}
        self.recorded: dict[str, str] = {}
        """By leg: the message that is being recorded."""
        self.rung: dict[str, str] = {}
        """By call: the leg to a number outside."""
        self.legs = 0
        self.inbox: list[e.Event] = []
        self.tell(e.NodeConnected(NODE, self.now))

    def _ids(self) -> Ids:
        self.boots += 1
        return Ids(f"{self.result.seed}-{self.result.steps}-{self.boots}")

    def _flows(self) -> Mapping[str, Flow]:
        made = flow_set(self.random, self.version)
        self.version += 1
        self.result.flows += len(made.flows)
        return made.flows

    def _config(self) -> CenterConfig:
        flows = self._flows()
        return CenterConfig(
            queues={name: QueueConfig(name, callback=CallbackConfig(), max_wait=timedelta(seconds=20)) for name in QUEUES},
            agents={name: AgentConfig(name, f"phone-of-{name}", QUEUES) for name in AGENTS},
            numbers={DID: NumberConfig(DID, "main")},
            flows=flows,
            flow_versions={(flow.name, flow.version): flow for flow in flows.values()},
            calendars={"main": Calendar("main", "UTC", (Stretch(EPOCH, True, UNKNOWN),), EPOCH + timedelta(days=400))},
            calling=CallingConfig("carrier"),
            mailboxes={MAILBOX: MailboxConfig(MAILBOX, NUMBER, longest=timedelta(seconds=20), most=6, keep=timedelta(minutes=10))},
        )

    # --- events ---------------------------------------------------------------------------------

    def tell(self, event: e.Event) -> None:
        """Hand it to the center, and do what it wants."""
        self.inbox.append(event)
        while self.inbox:
            self._take(self.center.handle(self.inbox.pop(0), self.now))

    def _take(self, outputs: Outputs) -> None:
        if outputs.faults:
            raise FlowFault(f"a bug: {outputs.faults[0]!r}") from outputs.faults[0]
        for fact in outputs.facts:
            if isinstance(fact, f.FlowEnded):
                self.result.exits[fact.exit] += 1
            elif isinstance(fact, f.MessageLeft):
                self.result.messages += 1
            elif isinstance(fact, f.VisitEnded):
                self.result.listened += fact.outcome is f.VisitOutcome.LISTENED
            elif isinstance(fact, f.FlowPassed):
                self.result.node_moves += 1
            elif isinstance(fact, f.FlowResumed) or (isinstance(fact, f.FlowStarted) and not fact.again):
                self.result.started += 1
        for command in outputs.commands:
            self._obey(command)

    def _obey(self, command: c.Command) -> None:
        match command:
            case c.Play():
                self.playing[command.leg] = command.playback
            case c.StopPlayback():
                self.playing = {leg: playback for leg, playback in self.playing.items() if playback != command.playback}
            case c.AskOutside():
                self.asked[command.ask] = command
            case c.WithdrawAsk():
                self.asked.pop(command.ask, None)
            case c.RecordMessage():
                self.recorded[command.leg] = command.message
            case c.StopMessage():
                for leg in [leg for leg, message in self.recorded.items() if message == command.message]:
                    self._recorded(leg)
            case c.Dial():
                self.rung[command.call] = command.leg
            case c.HangUp():
                self.playing.pop(command.leg, None)
                self._recorded(command.leg)
                self.inbox.append(e.LegEnded(command.leg, e.Cause.NORMAL))

    def _recorded(self, leg: str) -> None:
        """What the leg says is a message now, if it was being recorded; or the disk was full."""
        message = self.recorded.pop(leg, "")
        if message:
            length = timedelta(seconds=self.random.choice((0, 1, 3, 20)))
            failed = self.random.random() < 0.1
            self.inbox.append(e.MessageFailed(leg, message) if failed else e.MessageRecorded(leg, message, length))

    # --- callers --------------------------------------------------------------------------------

    def callers(self) -> list[Call]:
        return [call for call in self.center.state.calls.values() if call.caller_leg is not None]

    def step(self) -> None:
        """One random thing."""
        self.now += timedelta(milliseconds=self.random.randrange(200))
        calls = self.callers()
        if len(calls) < CALLERS:
            self._arrives()
            return
        call = self.random.choice(calls)
        if call.flow is None:
            if call.id in self.rung and self.random.random() < 0.7:
                self._outside(call.id)
            else:
                self.tell(e.LegEnded(call.began.leg, e.Cause.NORMAL))
            return
        happening = self.random.random()
        for limit, do in (
            (0.36, self._presses),
            (0.68, self._prompt_ends),
            (0.80, self._time_passes),
            (0.90, self._answers),
            (0.97, self._garbage),
            (0.980, self._hangs_up),
            (0.990, self._found_silent),
            (0.994, self._away_and_back),
            (0.997, self._restarts),
            (1.0, self._refused),
        ):
            if happening < limit:
                do(call)
                break

    def _arrives(self) -> None:
        self.legs += 1
        self.result.calls += 1
        caller = self.random.choice(("+12025550101", "+12025550102", "", "anonymous"))
        self.tell(e.LegArrived(NODE, f"{NODE}-{self.legs}", e.Door.TRUNK, DID, caller, up=True))

    def _presses(self, call: Call) -> None:
        run = call.flow
        node = run.flow.nodes.get(run.node) if run is not None else None
        known = list(node.choices) if isinstance(node, MenuNode | LanguageNode) else []
        if call.visit is not None and call.visit.began.listening and call.visit.stage in (f.Stage.NUMBER, f.Stage.PIN):
            for key in f"{NUMBER}#":  # the whole of it, as people enter it; the PIN is whatever the answer says
                self.tell(e.DigitPressed(call.began.leg, key))
            return
        key = self.random.choice(known) if known and self.random.random() < 0.6 else self.random.choice(KEYS)
        self.tell(e.DigitPressed(call.began.leg, key))

    def _prompt_ends(self, call: Call) -> None:
        """What is said, or what the caller says."""
        if call.began.leg in self.recorded and self.random.random() < 0.5:
            self._recorded(call.began.leg)
            self.tell(e.TimePassed())
            return
        playback = self.playing.pop(call.began.leg, "nothing")
        self.tell(e.PlaybackEnded(call.began.leg, playback))

    def _time_passes(self, call: Call) -> None:
        due = self.center.deadline
        self.now = max(self.now, due) if due is not None else self.now
        self.tell(e.TimePassed())

    def _answers(self, call: Call) -> None:
        if call.id in self.rung and self.random.random() < 0.8:
            self._outside(call.id)
            return
        ask = call.visit.ask if call.visit is not None else call.flow.ask if call.flow is not None else ""
        outcome = self.random.choice(("answered", "answered", "not_found", "failed", *LISTENED, *GARBAGE))
        if call.visit is not None and self.random.random() < 0.8:
            outcome = self.random.choice((RIGHT, WRONG))
        attributes = {self.random.choice((*ATTRIBUTES, *GARBAGE)): self.random.choice(("7", "gold", *GARBAGE)) for _ in range(2)}
        attributes[HEARD] = self.random.choice((*HEARD_VALUES, YES, NO, *GARBAGE))
        self.tell(e.AskAnswered(call.id, ask or "unknown", outcome, attributes))

    def _outside(self, call: str) -> None:
        """A phone outside rings, is picked up, is busy or does not answer."""
        leg = self.rung[call]
        happens = self.random.choice((e.LegRang(leg), e.LegAnswered(leg), e.LegEnded(leg, self.random.choice(list(e.Cause)))))
        if isinstance(happens, e.LegEnded):
            del self.rung[call]
        self.tell(happens)

    def _garbage(self, call: Call) -> None:
        word = self.random.choice(GARBAGE)
        leg = self.random.choice((call.began.leg, word, "node1-nobody"))
        event = self.random.choice((e.DigitPressed(leg, word), e.PlaybackEnded(leg, word), e.AskAnswered(word, word, word, {word: word})))
        self.tell(event)

    def _hangs_up(self, call: Call) -> None:
        self._recorded(call.began.leg)
        self.tell(e.LegEnded(call.began.leg, e.Cause.NORMAL))

    def _found_silent(self, call: Call) -> None:
        self.tell(e.LegFoundSilent(call.began.leg))

    def _refused(self, call: Call) -> None:
        commands: list[c.Command] = [c.Play(call.id, NODE, call.began.leg, self.playing.get(call.began.leg, ""), ())]
        commands += [asked for asked in self.asked.values() if asked.call == call.id]
        refused = self.random.choice(commands)
        if isinstance(refused, c.Play):
            self.playing.pop(call.began.leg, None)
        self.tell(e.CommandRefused(refused, e.Refusal.REFUSED))

    def _away_and_back(self, call: Call) -> None:
        self.tell(e.NodeDisconnected(NODE))
        self.now += timedelta(seconds=self.random.randrange(8))
        self.tell(e.TimePassed())
        self.tell(e.NodeConnected(NODE, EPOCH))

    def _restarts(self, call: Call) -> None:
        """Our process dies: the center that is made from its checkpoint is the same, but for what must not be written down."""
        self.result.restarts += 1
        before = {name: (each.flow, each.visit, each.handed_on) for name, each in self.center.state.calls.items()}
        outside = {name: (each.outside, each.bridge) for name, each in self.center.state.calls.items()}
        self.center = Center.restore(self.config, self._ids(), list(self.center.checkpoint()))
        after = {name: (each.flow, each.visit, each.handed_on) for name, each in self.center.state.calls.items()}
        talks = {name: (each.outside, each.bridge) for name, each in self.center.state.calls.items()}
        if before != after or talks != outside:
            raise FlowFault(f"restored differs from live: {before} / {after}")
        self.asked.clear()
        self.tell(e.NodeConnected(NODE, EPOCH))

    def publish(self) -> None:
        """New versions of all flows, the one before on trial; callers stay in those they began with."""
        self.result.published += 1
        self.tell(e.TimePassed())  # what is due is not the publication's doing
        flows = self._flows()
        canary = Canary(self.config.flows["main"], self.random.random())
        in_use = {(run.flow.name, run.flow.version): run.flow for run in self._runs()}
        in_use |= {(sub.name, sub.version): sub for run in self._runs() for sub in run.library.values()}
        in_use |= {(outer.flow.name, outer.flow.version): outer.flow for run in self._runs() for outer in run.frames}
        present = {**self.config.flows, **flows}
        versions = {**in_use, **{(flow.name, flow.version): flow for flow in (*self.config.flows.values(), *flows.values())}}
        inside = {call.id: call.flow.flow for call in self.callers() if call.flow is not None}
        self.config = replace(self.config, flows=present, flow_versions=versions, canaries={"main": canary})
        self.tell(e.FlowsChanged(present, versions, {"main": canary}))
        if inside != {call.id: call.flow.flow for call in self.callers() if call.flow is not None}:
            raise FlowFault("somebody was moved to another version")

    def _runs(self) -> list[FlowRun]:
        return [call.flow for call in self.callers() if call.flow is not None]

    # --- what must hold -------------------------------------------------------------------------

    def check(self) -> None:
        """Whoever is in a flow hears something, or is waited for, for a bounded time."""
        for call in self.callers():
            run = call.flow
            heard = self.playing.get(call.began.leg, "")
            if run is None:
                continue
            said, until = (run.playback, run.until) if call.visit is None else (call.visit.playback, call.visit.until)
            if until is None and (not heard or heard != said):
                raise FlowFault(f"silence at {run.flow.name}/{run.node}: {run}, {call.visit}")

    def everybody_falls_silent(self) -> None:
        """No keys any more, no answers: prompts end and time passes, and that must be enough."""
        for _ in range(50_000):
            calls = [call for call in self.callers() if call.flow is not None]
            if not calls:
                break
            for call in calls:
                self.now += timedelta(milliseconds=100)
                self._prompt_ends(call)
            self._time_passes(calls[0])
        else:
            raise FlowFault("somebody goes round for ever")
        for call in list(self.center.state.calls.values()):
            for leg in list(call.legs):
                self.tell(e.LegEnded(leg, e.Cause.NORMAL))
        if self.center.state.legs:
            raise FlowFault(f"legs are left: {self.center.state.legs}")


def fuzz(steps: int, seed: int) -> FuzzResult:
    """Raises FlowFault with the first thing that must never be; the same seed finds it again."""
    result = FuzzResult(seed)
    random = Random(seed)
    while result.steps < steps:
        world = World(random, result)
        for _ in range(min(STEPS_OF_A_WORLD, steps - result.steps)):
            result.steps += 1
            world.step()
            world.check()
            if result.steps % PUBLISH_EVERY == 0:
                world.publish()
        world.everybody_falls_silent()
    if result.started != result.exits.total():
        raise FlowFault(f"{result.started} flow runs were started, {result.exits.total()} ended")
    return result
