"""Flows that nobody would write, each of them fit to run: random nodes of all kinds, checked by the production rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from callcenter.domain.ivr.check_digits import CheckDigit
from callcenter.domain.ivr.deciding import Case
from callcenter.domain.ivr.dipping import DipNode
from callcenter.domain.ivr.expressions import parse
from callcenter.domain.ivr.flow import (
    CallbackNode,
    CollectNode,
    ConditionNode,
    Flow,
    HangUpNode,
    LanguageNode,
    MenuNode,
    Node,
    OutsideNode,
    PromptNode,
    QueueNode,
    ReturnNode,
    SetNode,
    SpeechNode,
    SubflowNode,
    SurveyNode,
    TransferNode,
    VoicemailNode,
    faults,
)
from callcenter.domain.ivr.grammar import NUMBER, Grammar, built_in
from callcenter.domain.ivr.listening import HEARD, Entry
from callcenter.domain.ivr.off_record import OptOutNode, PauseRecordingNode, ResumeRecordingNode
from callcenter.domain.ivr.speech import Piece, Pieces, SpeakAs, Spoken
from callcenter.domain.ivr.switching import PinNode, SwitchNode, SwitchTo
from callcenter.domain.ivr.templates import template
from callcenter.domain.ivr.validation import Known, reachable
from callcenter.domain.survey_kinds import SurveyKind

KEYS = "0123456789*#"
ATTRIBUTES = ("account", "tier", "balance", "amount")
QUEUES = ("support", "sales")
AGENTS = ("alice", "bob")
MAILBOX = "queue:support"
LANGUAGES = ("en", "es", "fr")
CONDITIONS = (
    "hours.main is open",
    'attribute.tier == "gold"',
    "attribute.balance > 10 or attribute.account is set",
    "queue.support.waiting > 2 and not list.vip",
    "queue.sales.agents_ready == 0",
    "queue.support.ewt > 60",
    "share 30%",
    "not (share 50% or attribute.amount <= 5)",
)
TEMPLATES = ("gold", "{account}", "{tier}-{balance}", "{{{amount}}}", "")


@dataclass
class Maker:
    """Makes the nodes of one flow; ``to`` picks where an exit leads, mostly onwards."""

    random: Random
    to: Callable[[], str]
    subflows: Sequence[Flow]

    def says(self) -> Pieces:
        said: list[Piece] = [f"prompt-{self.random.randrange(20)}"]
        if self.random.random() < 0.3:
            said.append(Spoken(self.random.choice((SpeakAs.DIGITS, SpeakAs.NUMBER)), self.random.choice(ATTRIBUTES)))
        return tuple(said)

    def maybe(self) -> Pieces | None:
        return self.says() if self.random.random() < 0.5 else None

    def some_keys(self) -> list[str]:
        return self.random.sample(KEYS, self.random.randrange(1, 5))

    def seconds(self) -> timedelta:
        return timedelta(seconds=self.random.choice((0.5, 2, 5)))


def _prompt(make: Maker) -> Node:
    return PromptNode(make.says(), make.to(), make.random.random() < 0.5)


def _ladder(make: Maker) -> tuple[int, Pieces | None, Pieces | None, bool]:
    return make.random.randrange(1, 4), make.maybe(), make.maybe(), make.random.random() < 0.7


def _menu(make: Maker) -> Node:
    return MenuNode(make.says(), {key: make.to() for key in make.some_keys()}, make.to(), make.seconds(), *_ladder(make))


def _language(make: Maker) -> Node:
    choices = {key: make.random.choice(LANGUAGES) for key in make.some_keys()}
    return LanguageNode(make.says(), choices, make.to(), make.to(), make.seconds(), *_ladder(make))


def _collect(make: Maker) -> Node:
    least, (tries, invalid, rephrased, barge_in) = make.random.randrange(1, 4), _ladder(make)
    secret = make.random.random() < 0.2
    return CollectNode(
        make.says(),
        "pin" if secret else make.random.choice(ATTRIBUTES),
        make.to(),
        make.to(),
        least,
        least + make.random.randrange(3),
        make.random.choice("#*") if make.random.random() < 0.8 else "",
        make.seconds(),
        make.seconds(),
        tries,
        invalid,
        rephrased,
        barge_in,
        make.random.choice(tuple(CheckDigit)) if make.random.random() < 0.3 else CheckDigit.NONE,
        secret,
    )


def _condition(make: Maker) -> Node:
    cases = tuple(Case(parse(make.random.choice(CONDITIONS)), make.to()) for _ in range(make.random.randrange(1, 4)))
    return ConditionNode(cases, make.to())


def _set(make: Maker) -> Node:
    names = make.random.sample(ATTRIBUTES, make.random.randrange(1, 3))
    return SetNode({name: template(make.random.choice(TEMPLATES)) for name in names}, make.to())


def _dip(make: Maker) -> Node:
    parameters = {"number": template(make.random.choice(TEMPLATES))}
    exits = (make.to(), make.to(), make.to())
    return DipNode("accounts", *exits, parameters, ATTRIBUTES, make.maybe(), make.seconds())


HEARD_VALUES = ("sales", "support", "12")
GRAMMAR = Grammar("en", {"sales": "sales", "technical support": "support", "twelve": "12"})


def _speech(make: Maker) -> Node:
    """By keys or digits, with and without words to confirm what was heard."""
    digits = make.random.random() < 0.3
    tries, invalid, rephrased, barge_in = _ladder(make)
    language = make.random.choice(LANGUAGES)
    number = built_in(NUMBER, "en")
    assert number is not None
    return SpeechNode(
        prompt=make.says(),
        grammars={language: number if digits else GRAMMAR},
        keys={} if digits else dict(zip("123", HEARD_VALUES, strict=True)),
        otherwise=make.to(),
        choices={} if digits else {value: make.to() for value in HEARD_VALUES if make.random.random() < 0.5},
        next=make.to(),
        attribute=make.random.choice((HEARD, *ATTRIBUTES)),
        failed=make.to() if make.random.random() < 0.4 else "",
        entry=Entry(1, make.random.randrange(1, 5)) if digits else None,
        no_speech=make.seconds(),
        limit=make.seconds(),
        confirm_prompt=make.maybe(),
        tries=tries,
        invalid_prompt=invalid,
        rephrased=rephrased,
        barge_in=barge_in,
    )


def _survey(make: Maker) -> Node:
    kind = make.random.choice(tuple(SurveyKind))
    mailbox = MAILBOX if kind is SurveyKind.COMMENT else ""
    choices = {key: f"answer-{key}" for key in make.some_keys()} if kind is SurveyKind.CHOICE else {}
    attribute = make.random.choice(("", *ATTRIBUTES))
    return SurveyNode(
        "asked", kind, make.says(), make.to(), make.to(), choices, mailbox, attribute, make.seconds(), make.seconds(), *_ladder(make)
    )


def _subflow(make: Maker) -> Node:
    if not make.subflows:
        return _set(make)
    sub = make.random.choice(make.subflows)
    outcomes = sorted({node.outcome for node in sub.nodes.values() if isinstance(node, ReturnNode) and node.outcome})
    parameters = {name: template(make.random.choice(TEMPLATES)) for name in sub.parameters}
    return SubflowNode(sub.name, make.to(), parameters, {outcome: make.to() for outcome in outcomes if make.random.random() < 0.7})


def _callback(make: Maker) -> Node:
    after = make.seconds() if make.random.random() < 0.3 else None
    return CallbackNode(make.random.choice(QUEUES), make.to(), make.to(), make.random.choice(("caller", *ATTRIBUTES)), 0, after)


def _transfer(make: Maker) -> Node:
    if make.random.random() < 0.6:
        return OutsideNode(make.random.choice(("+12025550199", "+12025550198", "nonsense")), make.to(), make.seconds())
    return TransferNode(make.random.choice(AGENTS), make.random.choice(QUEUES), make.to())


def _voicemail(make: Maker) -> Node:
    """To leave a message, or to listen to those there are."""
    return VoicemailNode(make.to(), make.to(), MAILBOX if make.random.random() < 0.7 else "")


def _pin(make: Maker) -> Node:
    return PinNode("main", make.says(), make.to(), make.to(), make.to(), make.random.randrange(1, 4), make.maybe(), make.seconds())


def _switch(make: Maker) -> Node:
    how = make.random.choice(((False, ""), (True, ""), (False, "amount")))
    return SwitchNode("main", make.random.choice(tuple(SwitchTo)), make.to(), make.to(), *how)


def _pause(make: Maker) -> Node:
    return (PauseRecordingNode if make.random.random() < 0.5 else ResumeRecordingNode)(make.to())


def _opt_out(make: Maker) -> Node:
    return OptOutNode(make.to(), make.to(), make.random.choice(("caller", *ATTRIBUTES)))


MAKERS: Mapping[type[Node], tuple[int, Callable[[Maker], Node]]] = {
    PromptNode: (4, _prompt),
    MenuNode: (6, _menu),
    LanguageNode: (2, _language),
    CollectNode: (4, _collect),
    ConditionNode: (3, _condition),
    SetNode: (2, _set),
    DipNode: (3, _dip),
    SpeechNode: (3, _speech),
    SurveyNode: (2, _survey),
    SubflowNode: (2, _subflow),
    VoicemailNode: (1, _voicemail),
    CallbackNode: (1, _callback),
    PauseRecordingNode: (1, _pause),
    OptOutNode: (1, _opt_out),
    PinNode: (1, _pin),
    SwitchNode: (1, _switch),
    TransferNode: (2, _transfer),
}
"""How often, and how a node is made. Queues, returns and hang-ups stand at the ends."""


@dataclass
class FlowSet:
    """Flows that belong together: one that calls come to, and those that it may enter."""

    random: Random
    flows: dict[str, Flow] = field(default_factory=dict)
    refused: int = 0
    """Random flows that were unfit to run."""

    def grow(self, name: str, subflows: Sequence[Flow] = (), *, returns: bool = False) -> Flow:
        """One more flow, fit to run."""
        while True:
            made = _one(name, self.random, subflows, returns=returns)
            names = {"queue": QUEUES, "agent": AGENTS, "hours": ("main",), "list": ("vip",), "mailbox": (MAILBOX,)}
            known = Known(names, self.flows, attributes=ATTRIBUTES)
            if not list(faults(made, known)):
                self.flows[name] = made
                return made
            self.refused += 1


def flow_set(random: Random, version: int = 0) -> FlowSet:
    """A flow ``main`` with its sub-flows."""
    made = FlowSet(random)
    inner = made.grow("inner", returns=True)
    outer = made.grow("outer", [inner], returns=True)
    made.grow("main", [inner, outer])
    made.flows = {name: replace(flow, version=version) for name, flow in made.flows.items()}
    return made


def _one(name: str, random: Random, subflows: Sequence[Flow], *, returns: bool) -> Flow:
    names = [f"n{number}" for number in range(random.randrange(3, 13))]
    ends: dict[str, Node] = {"queue": QueueNode(random.choice(QUEUES)), "bye": PromptNode("bye", "end"), "end": HangUpNode()}
    if returns:
        ends |= {"back": ReturnNode(), "done": ReturnNode("done")}
    kinds, weights = list(MAKERS.values()), [weight for weight, _ in MAKERS.values()]
    nodes: dict[str, Node] = {}
    for number, node in enumerate(names):
        onward = [*names[number + 1 :], *names[number + 1 :], *ends]
        to = _picker(random, onward, names)
        _, kind = random.choices(kinds, weights)[0]
        nodes[node] = _some_deaf_to_what_was_before(random, kind(Maker(random, to, subflows)))
    whole = Flow(name, "n0", {**nodes, **ends}, LANGUAGES if random.random() < 0.5 else (), ("amount",) if returns else ())
    on_error = "bye" if random.random() < 0.6 else ""
    kept = reachable(whole, "n0") | (reachable(whole, on_error) if on_error else set())
    return replace(whole, on_error=on_error, nodes={node: whole.nodes[node] for node in whole.nodes if node in kept})


def _some_deaf_to_what_was_before(random: Random, node: Node) -> Node:
    """Where keys pressed ahead do not count."""
    return replace(node, type_ahead=False) if hasattr(node, "type_ahead") and random.random() < 0.2 else node  # type: ignore[type-var]


def _picker(random: Random, onward: Sequence[str], anywhere: Sequence[str]) -> Callable[[], str]:
    return lambda: random.choice(anywhere) if random.random() < 0.1 else random.choice(onward)
