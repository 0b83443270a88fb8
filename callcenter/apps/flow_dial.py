"""Walk through a flow without a telephone: the production core in virtual time, typed keys, and the texts of what the caller hears."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.domain import facts as f
from callcenter.domain.call import Call
from callcenter.domain.config import CenterConfig, NumberConfig
from callcenter.domain.ivr.questions import FAILED, Question
from callcenter.domain.ivr.run import FlowRun
from callcenter.runtime.flow_documents import FlowDocument
from callcenter.runtime.settings import Settings
from callcenter.sim.scripted_answers import Scripted
from callcenter.sim.world import World

MOST_STEPS = 20_000
"""A walk that goes on for longer leads nowhere."""
Step = dict[str, Any]
"""``what`` happened, and more about it."""


@dataclass(frozen=True, slots=True)
class Dialed:
    """Who calls which number, and when."""

    number: str
    caller: str
    at: datetime


@dataclass(slots=True)
class Keys:
    """What the caller presses, one after the other, each time the flow listens."""

    more: Callable[[], str | None] = lambda: None
    """Asks for the next keys; an empty text: none is pressed until time is up; None: nothing more will come."""
    waiting: list[str] = field(default_factory=list)

    def press(self) -> str:
        """A key, or empty."""
        if not self.waiting:
            self.waiting = list(self.more() or "") or [""]
        return self.waiting.pop(0)


def typed(keys: str) -> list[str]:
    """From ``1,1234#,,2``: keys, and silence where nothing stands between two commas."""
    return [key for part in keys.split(",") for key in (part.strip() or ("",))] if keys else []


Answer = Callable[[str, Question], Scripted | None]
"""What comes of a question that is asked at a node; None: nobody answers."""


class Walk:
    """One call through one flow."""

    def __init__(self, settings: Settings, document: FlowDocument, dialed: Dialed, keys: Keys, answer: Answer) -> None:
        """``settings`` are those in which the document is in use."""
        self._settings = settings
        self._keys = keys
        self._answer = answer
        self._dialed = dialed
        self._world = World(_config(settings, document, dialed), start=dialed.at.astimezone(UTC))
        self._world.answers.script = self._answered
        self._told = 0
        self._at = ""
        """The node that was told of last."""
        self._flow = document.name

    def steps(self) -> Iterator[Step]:
        """Everything that happens, as it happens, until the caller is in a queue, or has left."""
        yield {
            "what": "calls",
            "caller": self._dialed.caller,
            "number": self._dialed.number,
            "at": self._dialed.at.isoformat(timespec="minutes"),
        }
        self._leg = self._world.pbx.call_in(self._dialed.number, self._dialed.caller)
        for _ in range(MOST_STEPS):
            yield from self._news()
            run = self._run
            if run is None or not self._goes_on(run):
                break
        else:
            yield {"what": "goes_on_for_ever"}
        yield from self._news()

    @property
    def faults(self) -> Sequence[Exception]:
        """What went wrong inside the core: bugs."""
        return self._world.faults

    @property
    def _call(self) -> Call | None:
        """The only one there is."""
        return next(iter(self._world.center.state.calls.values()), None)

    @property
    def _run(self) -> FlowRun | None:
        call = self._call
        return call.flow if call is not None else None

    def _goes_on(self, run: FlowRun) -> bool:
        """The next key, or the next thing that happens; False: nothing ever will."""
        if run.until is not None and not run.ask:
            key = self._keys.press()
            if key:
                self._world.pbx.party_presses(self._leg, key)
            else:
                self._world.run_until(run.until)
            return True
        dates = [date for date in (self._world.timeline.next, self._world.center.deadline) if date is not None]
        if dates:
            self._world.run_until(min(dates))
        return bool(dates)

    def _answered(self, question: Question) -> Scripted:
        run = self._run
        return (self._answer(run.node if run else "", question)) or Scripted(FAILED)

    # --- what is told ---------------------------------------------------------------------------

    def _news(self) -> Iterator[Step]:
        while self._told < len(self._world.facts):
            fact = self._world.facts[self._told]
            self._told += 1
            step = self._step(fact)
            if step:
                yield step
                self._at = step.get("node", self._at)

    def _step(self, fact: f.Fact) -> Step | None:
        match fact:
            case f.FlowStarted(flow=flow, version=version) | f.FlowEntered(flow=flow, version=version):
                self._flow = flow
                return {"what": "flow", "flow": flow, "version": version}
            case f.FlowMoved(node=node, tries=tries, prompts=prompts):
                return {"what": "hears", "node": node, "kind": self._kind(node), "again": tries > 0, "text": self._text(prompts)}
            case f.FlowKeyPressed(digit=digit) | f.FlowDigitTaken(digit=digit):
                return {"what": "presses", "key": digit or "•"}
            case f.FlowPassed(node=node, exit=exit_, to=to):
                return {"what": "passes", "node": node, "kind": self._kind(node), "exit": exit_, "to": to, "silent": node != self._at}
            case f.FlowCollected(attribute=name, digits=digits, secret=secret):
                return {"what": "sets", "attributes": {name: "•" if secret else digits}}
            case f.FlowAttributesSet(names=names, values=values):
                return {"what": "sets", "attributes": dict(zip(names, values, strict=False))}
            case f.FlowAsked(node=node, prompts=prompts):
                return {"what": "asks", "node": node, "kind": self._kind(node), "text": self._text(prompts)}
            case f.FlowAnswered(outcome=outcome, names=names, values=values):
                return {"what": "answered", "outcome": outcome, "attributes": dict(zip(names, values, strict=False))}
            case _:
                return self._end(fact)

    def _end(self, fact: f.Fact) -> Step | None:
        match fact:
            case f.FlowReturned(node=node, outcome=outcome):
                self._flow = self._run.flow.name if self._run else self._flow
                return {"what": "returns", "node": node, "outcome": outcome, "flow": self._flow}
            case f.FlowFailed(node=node, why=why, to=to):
                self._flow = self._run.flow.name if self._run else self._flow
                return {"what": "fails", "node": node, "why": why, "to": to}
            case f.ContactEntered(queue=queue, priority=priority):
                return {"what": "queue", "queue": queue, "priority": priority}
            case f.CallbackCreated(queue=queue, number=number):
                return {"what": "callback", "queue": queue, "number": number}
            case f.FlowEnded(exit=exit_) if exit_ != "queue":
                return {"what": "ends", "exit": exit_}
        return None

    def _kind(self, node: str) -> str:
        flow = self._settings.flows.get(self._flow)
        return flow.nodes[node].type if flow is not None and node in flow.nodes else ""

    def _text(self, prompts: Sequence[str]) -> str:
        return " ".join(text_of(self._settings, prompt) for prompt in prompts)


def text_of(settings: Settings, sound: str) -> str:
    """What a sound says, in the language whose folder it is in: its text, or what it is instead."""
    language, _, name = sound.rpartition("/")
    prompt = settings.catalogue.renderings.get(language, {}).get(name) or settings.catalogue.get(name)
    if prompt is None:
        return f"[{sound}]"
    return prompt.text or (f"[{prompt.file.name}]" if prompt.file else f"[{prompt.source or prompt.id}]")


def _config(settings: Settings, document: FlowDocument, dialed: Dialed) -> CenterConfig:
    config = settings.center_config({agent.name: agent.name for agent in settings.agents}, dialed.at.date())
    numbers = {dialed.number: NumberConfig(dialed.number, document.name)}
    return replace(config, numbers=numbers, flows={**config.flows, document.name: document.program}, canaries={})


def words(step: Step) -> str:
    """A step for people."""
    match step["what"]:
        case "calls":
            return f"{step['caller'] or 'somebody unknown'} calls {step['number']} at {step['at']}"
        case "flow":
            return f"flow {step['flow']}" + (f" (version {step['version']})" if step["version"] else "")
        case "hears":
            return f"{step['node']} ({step['kind']}{', again' if step['again'] else ''})\n    hears: {step['text']}"
        case "presses":
            return f"    presses {step['key']}"
        case "passes":
            place = f"{step['node']} ({step['kind']})\n" if step["silent"] else ""
            return f"{place}    {step['exit']} -> {step['to']}"
        case "sets":
            return "    " + ", ".join(f"{name} = {value}" for name, value in step["attributes"].items())
        case "asks":
            return f"{step['node']} ({step['kind']})" + (f"\n    hears: {step['text']}" if step["text"] else "")
        case "answered":
            values = "".join(f", {name} = {value}" for name, value in step["attributes"].items())
            return f"    comes of it: {step['outcome']}{values}"
        case "returns":
            return f"back in flow {step['flow']}" + (f": {step['outcome']}" if step["outcome"] else "")
        case "fails":
            return f"    goes wrong: {step['why']} -> {step['to'] or 'goodbye'}"
        case "queue":
            return f"=> waits in queue {step['queue']}, priority {step['priority']}"
        case "callback":
            return f"=> is promised a callback to {step['number']} from queue {step['queue']}"
        case "ends":
            return f"=> the flow is over: {step['exit'].replace('_', ' ')}"
    return "=> the flow goes on for ever; nobody would wait for that"


def scripted(given: Sequence[str]) -> Mapping[str, Scripted]:
    """From ``NODE=OUTCOME,ATTRIBUTE=VALUE``. Raises ValueError with a sentence."""
    answers = {}
    for text in given:
        first, *rest = text.split(",")
        node, _, outcome = first.partition("=")
        values = dict(pair.partition("=")[::2] for pair in rest)
        if not node or not outcome or "" in values:
            raise ValueError(f"--answer must be NODE=OUTCOME or NODE=OUTCOME,ATTRIBUTE=VALUE, but is {text!r}")
        answers[node] = Scripted(outcome, values)
    return answers


def number_of(settings: Settings, flow: str) -> str:
    """The number that leads to the flow, else the center's first, else one that nobody has."""
    leading = [settings.did(number) for number in settings.numbers if number.flow == flow]
    return next(iter((*leading, *(settings.did(number) for number in settings.numbers))), "+12025550100")


def moment(settings: Settings, text: str) -> datetime:
    """A date and time in the center's zone; empty: now. Raises ValueError with a sentence."""
    zone = ZoneInfo(settings.center.time_zone)
    if not text:
        return datetime.now(zone)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"--at must be a date and time, such as 2026-12-24T18:30, but is {text!r}") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)
