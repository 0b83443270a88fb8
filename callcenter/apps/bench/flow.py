"""How fast the interpreter goes: node steps per second, pure; and through the whole core, facts and commands included.

A node step is one node entered and left. A caller who presses keys walks a flow with a menu, an entry, conditions, attributes and a
sub-flow round and round.
"""

import json
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import typer

from callcenter.domain import events as e
from callcenter.domain.center import Center
from callcenter.domain.conditions import Metric
from callcenter.domain.ids import Ids
from callcenter.domain.ivr import interpreter
from callcenter.domain.ivr.deciding import Case
from callcenter.domain.ivr.expressions import parse
from callcenter.domain.ivr.flow import (
    CollectNode,
    ConditionNode,
    Flow,
    HangUpNode,
    MenuNode,
    PromptNode,
    ReturnNode,
    SetNode,
    SubflowNode,
)
from callcenter.domain.ivr.kind import EnterFlow, Keep, Leave, Listen, ReturnFlow, Say, SetAttributes, Step, TakeDigit
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.ivr.speech import SpeakAs, Spoken
from callcenter.domain.ivr.templates import template
from callcenter.sim.timeline import EPOCH
from callcenter.sim.world import NODE, small_center

GATE = 100_000
"""Node steps per second, pure."""
ROUND = Flow(
    "round",
    "menu",
    {
        "menu": MenuNode(("press-1", Spoken(SpeakAs.DIGITS, "account")), {"1": "ask", "2": "end"}, "end"),
        "ask": CollectNode("enter-account", "account", "tier", "end", max_length=4),
        "tier": SetNode({"tier": template("gold-{account}")}, "which"),
        "which": ConditionNode((Case(parse('attribute.tier == "silver" or share 10%'), "check"),), "check"),
        "check": SubflowNode("check", "said", {"number": template("{account}")}),
        "said": PromptNode(("thank-you", Spoken(SpeakAs.NUMBER, "account")), "menu"),
        "end": HangUpNode(),
    },
)
CHECK = Flow(
    "check",
    "known",
    {"known": ConditionNode((Case(parse("attribute.number is set and attribute.number >= 0"), "back"),), "back"), "back": ReturnNode()},
    parameters=("number",),
)


@dataclass(frozen=True, slots=True)
class Figures:
    node_steps_per_s: float
    """Nodes entered and left, by the interpreter alone."""
    interpreter_calls_per_s: float
    core_events_per_s: float
    """The same walk as events through the whole core."""
    gate: int
    passed: bool


class Nowhere:
    """Circumstances in which nothing is the matter."""

    call = "bench"

    def is_open(self, calendar: str) -> bool:
        return True

    def on_list(self, name: str) -> bool:
        return False

    def measured(self, queue: str, metric: Metric) -> float | None:
        return 0.0

    def is_ready(self, agent: str) -> bool:
        return True


class Walker:
    """Does the steps as the core does, on the run alone."""

    def __init__(self) -> None:
        self.run = FlowRun(ROUND, library={"check": CHECK})
        self.around = Nowhere()
        self.nodes = self.calls = 0

    def go(self, step: Step | None) -> None:
        run = self.run
        while step is not None:
            self.calls += 1
            match step:
                case Leave(to=to):
                    self.nodes += 1
                    run.passed(to)
                    step = interpreter.arrive(run, self.around)
                case Say(tries, prompts):
                    run.moved(run.node, tries, "playback", prompts)
                    return
                case Listen(timeout):
                    run.listened(EPOCH + timeout)
                    return
                case TakeDigit(digit, timeout):
                    run.digit_taken(digit, EPOCH + timeout)
                    return
                case Keep(attribute, digits, leave):
                    run.collected(attribute, digits, secret=False)
                    step = leave
                case SetAttributes(names, values, leave):
                    run.told(names, values)
                    step = leave
                case EnterFlow(flow, names, values):
                    self.nodes += 1
                    run.entered(run.library[flow], names, values)
                    step = interpreter.arrive(run, self.around)
                case ReturnFlow(outcome):
                    run.returned()
                    step = interpreter.after_outcome(run, outcome, self.around)
                case _:
                    raise AssertionError(step)

    def round(self) -> None:
        """Through all nodes once."""
        self.run.moves = 0
        for key in "11234":
            self.go(interpreter.after_key(self.run, key, self.around))
        self.go(interpreter.after_prompt(self.run, self.around))


def pure(rounds: int) -> tuple[float, float]:
    """Node steps and calls of the interpreter, per second of CPU time."""
    walker = Walker()
    walker.go(interpreter.arrive(walker.run, walker.around))
    for _ in range(rounds // 10):
        walker.round()
    walker.nodes = walker.calls = 0
    begin = time.process_time()
    for _ in range(rounds):
        walker.round()
    took = time.process_time() - begin
    return walker.nodes / took, walker.calls / took


def core(rounds: int) -> float:
    """Events per second through the whole core: the same walk, by callers who each go round twenty times."""
    center, now, events = Center(small_center(flows=[ROUND, CHECK]), Ids("bench")), EPOCH, 0
    center.handle(e.NodeConnected(NODE, EPOCH), EPOCH)
    begin = time.process_time()
    for number in range(rounds // 20):
        now, told = _caller(center, f"{NODE}-{number}", now)
        events += told
    return events / (time.process_time() - begin)


def _caller(center: Center, leg: str, now: datetime) -> tuple[datetime, int]:
    step, told = timedelta(milliseconds=200), 2
    center.handle(e.LegArrived(NODE, leg, e.Door.TRUNK, "+18005550200", "+12025550123", up=True), now)
    call = center.state.legs[leg]
    for _ in range(20):
        for key in "11234":
            now += step
            center.handle(e.DigitPressed(leg, key), now)
        assert call.flow is not None
        center.handle(e.PlaybackEnded(leg, call.flow.playback), now)
        told += 6
    center.handle(e.LegEnded(leg, e.Cause.NORMAL), now)
    return now, told


def measure(rounds: int) -> Figures:
    nodes, calls = pure(rounds)
    return Figures(round(nodes), round(calls), round(core(rounds // 5)), GATE, nodes >= GATE)


def run(rounds: int, as_json: bool) -> bool:
    """Print the figures; whether the gate was passed."""
    figures = measure(rounds)
    if as_json:
        typer.echo(json.dumps(asdict(figures), indent=2))
    else:
        typer.echo(f"interpreter: {figures.node_steps_per_s:,.0f} node steps/s ({figures.interpreter_calls_per_s:,.0f} answers/s), pure")
        typer.echo(f"whole core:  {figures.core_events_per_s:,.0f} events/s")
        typer.echo(f"gate:        {GATE:,} node steps/s: {'passed' if figures.passed else 'NOT passed'}")
    return figures.passed
