"""What is wrong with a flow is found before a caller is in it, and said with node and key."""

from collections.abc import Mapping

import pytest

from callcenter.domain.ivr.dipping import DipNode
from callcenter.domain.ivr.expressions import Around, ExpressionError, parse
from callcenter.domain.ivr.flow import (
    Case,
    CollectNode,
    ConditionNode,
    Flow,
    HangUpNode,
    LanguageNode,
    MenuNode,
    Node,
    PromptNode,
    QueueNode,
    ReturnNode,
    SetNode,
    SubflowNode,
    TransferNode,
)
from callcenter.domain.ivr.speech import SpeakAs, Spoken
from callcenter.domain.ivr.templates import TemplateError, template
from callcenter.domain.ivr.validation import Known, comes_back, faults

PROMPTS = {"hello": ("en", "es"), "only-en": ("en",), "anywhere": ()}
SUB = Flow("sub", "say", {"say": PromptNode("hello", "back"), "back": ReturnNode("done")}, parameters=("amount",))
SILENT = Flow("silent", "back", {"back": ReturnNode()})
LOOP = Flow("loop", "in", {"in": SubflowNode("main", "back"), "back": ReturnNode()})
KNOWN = Known(
    {"queue": ["support"], "hours": ["main"], "list": ["vip"], "agent": ["alice"], "source": ["crm"]},
    {"sub": SUB, "silent": SILENT, "loop": LOOP},
    PROMPTS,
)
SAY = PromptNode("hello", "end")
END = HangUpNode()


def said(nodes: Mapping[str, Node], *, on_error: str = "", languages: tuple[str, ...] = ()) -> list[str]:
    flow = Flow("main", next(iter(nodes)), nodes, languages, on_error=on_error)
    known = Known(KNOWN.names, {**KNOWN.flows, "main": flow}, PROMPTS)
    return [f"{fault.node}.{fault.key}: {fault.sentence}" for fault in faults(flow, known)]


def condition(text: str, then: str = "say", otherwise: str = "say") -> ConditionNode:
    return ConditionNode((Case(parse(text), then),), otherwise)


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ({"a": PromptNode("hello", "b"), "say": SAY, "end": END}, "a.next: goes to 'b', which does not exist; nodes: a, end, say"),
        ({"a": MenuNode("hello", {"1": "b"}, "end"), "end": END}, "a.choices.1: goes to 'b', which does not exist"),
        ({"a": ConditionNode((Case(parse("list.vip"), "end"), Case(parse("list.vip"), "b")), "end"), "end": END},
         "a.cases[1].next: goes to 'b', which does not exist"),
        ({"a": SubflowNode("sub", "end", {"amount": template("1")}, {"done": "b"}), "end": END}, "a.outcomes.done: goes to 'b', which"),
        ({"a": SAY, "b": SAY, "end": END}, "b.: cannot be reached from 'a'"),
        ({"a": PromptNode("hello", "b"), "b": PromptNode("hello", "a")}, "a.: has no way to a queue, a hang-up or another end"),
        ({"a": condition("list.vip", "b", "end"), "b": SetNode({"x": template("1")}, "a"), "end": END},
         "a.: comes back to itself without a word being said"),
        ({"a": SubflowNode("silent", "a", {})}, "a.: comes back to itself without a word being said"),
        ({"a": QueueNode("vip")}, "a.queue: names queue 'vip', which does not exist; queues: support"),
        ({"a": TransferNode("bob", "support", "end"), "end": END}, "a.agent: names agent 'bob', which does not exist; agents: alice"),
        ({"a": condition("hours.night is open", "end", "end"), "end": END},
         "a.when: names hours 'night', which does not exist; calendars: main"),
        ({"a": condition("list.blocked", "end", "end"), "end": END},
         "a.when: names list 'blocked', which does not exist; caller lists: vip"),
        ({"a": condition("queue.sales.ewt > 3", "end", "end"), "end": END}, "a.when: names queue 'sales', which does not exist"),
        ({"a": condition("attribute.tier is set", "end", "end"), "end": END}, "a.when: reads attribute 'tier', which nothing sets"),
        ({"a": SetNode({"x": template("{tier}")}, "end"), "end": END}, "a.set.x: reads attribute 'tier', which nothing sets"),
        ({"a": SetNode({"caller": template("1")}, "end"), "end": END}, "a.set.caller: sets 'caller', which tells what is so"),
        ({"a": DipNode("erp", "end", "end", "end"), "end": END}, "a.source: names source 'erp', which does not exist; sources: crm"),
        ({"a": PromptNode(("hello", Spoken(SpeakAs.DIGITS, "tier")), "end"), "end": END}, "a.prompt: reads attribute 'tier'"),
        ({"a": PromptNode((Spoken(SpeakAs.DIGITS, "caller"),), "end"), "end": END}, "a.prompt: says values only"),
        ({"a": PromptNode("what", "end"), "end": END}, "a.prompt: names prompt 'what', which does not exist; prompts: any"),
        ({"a": MenuNode("hello", {"1": "end"}, "end", rephrased="what"), "end": END}, "a.rephrase_prompt: names prompt 'what', which"),
        ({"a": CollectNode("hello", "pin", "say", "end", secret=True), "say": PromptNode(("hello", Spoken(SpeakAs.DIGITS, "pin")), "end"),
          "end": END}, "say.prompt: reads 'pin', which is secret"),
        ({"a": SubflowNode("nowhere", "end"), "end": END}, "a.flow: names flow 'nowhere', which does not exist; flows: "),
        ({"a": SubflowNode("main", "end"), "end": END}, "a.flow: enters flow 'main', from where it comes to itself"),
        ({"a": SubflowNode("loop", "end"), "end": END}, "a.flow: enters flow 'loop', from where it comes to itself"),
        ({"a": SubflowNode("sub", "end"), "end": END}, "a.parameters: does not give 'amount', which flow 'sub' needs"),
        ({"a": SubflowNode("silent", "end", {"x": template("1")}), "end": END}, "a.parameters.x: is no parameter of flow 'silent'"),
        ({"a": SubflowNode("silent", "end", {}, {"odd": "end"}), "end": END}, "a.outcomes.odd: is no outcome of flow 'silent'"),
        ({"a": CollectNode("hello", "x", "end", "end", min_length=3, max_length=2), "end": END}, "a.min_length: takes at least 3 digits"),
    ],
)  # fmt: skip
def test_each_fault_names_node_key_and_reason(nodes: Mapping[str, Node], sentence: str) -> None:
    assert [each for each in said(nodes) if each.startswith(sentence)], said(nodes)


def test_a_start_that_is_not_there_is_the_only_thing_said() -> None:
    flow = Flow("main", "nowhere", {"a": SAY, "end": END})
    assert [str(fault) for fault in faults(flow, KNOWN)] == ["the flow, start: names node 'nowhere', which does not exist; nodes: a, end"]


def test_a_prompt_must_be_there_in_each_language_of_the_document_and_in_those_it_offers() -> None:
    say: Mapping[str, Node] = {"say": PromptNode(("only-en", "anywhere"), "end"), "end": END}
    assert said(say, languages=("en",)) == []
    missing = "say.prompt: says prompt 'only-en', which is missing in language 'es'; it is there in: en"
    (fault,) = said(say, languages=("en", "es"))
    assert fault.startswith(missing)
    offers = {"which": LanguageNode("hello", {"1": "en", "2": "es"}, "say", "say"), **say}
    assert said(offers, languages=("en",)) == ["which.choices.2: offers language 'es', which is none of the flow's; languages: en"]


def test_the_error_exit_must_speak() -> None:
    nodes: Mapping[str, Node] = {"say": SAY, "end": END, "in": QueueNode("support"), "if": condition("list.vip", "in", "end")}
    assert said({"say": SAY, "end": END}, on_error="say") == []
    assert said({"say": SAY, "end": END, "in": QueueNode("support")}, on_error="in") == []
    assert any(
        fault.startswith(".on_error: leads to 'if', from where a call may end without a word") for fault in said(nodes, on_error="if")
    )
    assert any(
        fault.startswith(".on_error: names node 'x', which does not exist") for fault in said({"say": SAY, "end": END}, on_error="x")
    )


def test_a_circle_through_a_sub_flow_that_speaks_is_not_a_silent_one() -> None:
    again: Mapping[str, Node] = {
        "a": SubflowNode("sub", "if", {"amount": template("1")}),
        "if": condition("list.vip", "a", "end"),
        "end": END,
    }
    assert said(again) == []
    assert comes_back(SUB)
    assert not comes_back(Flow("main", "say", {"say": SAY, "end": END}))


# --- conditions and templates -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "ends where a condition should come"),
        ("hours.main", "names hours.main without 'is open' or 'is closed'"),
        ("hours.main is ajar", "without 'is open' or 'is closed'"),
        ("list.vip and", "ends where a condition should come"),
        ("list.vip list.blocked", "goes on with 'list.blocked' at character 10 where 'and', 'or' or the end should come"),
        ("(list.vip", "has a '(' without its ')'"),
        ("list.vip)", "goes on with ')' at character 9"),
        ("list", "cannot be understood at character 1: 'list'; allowed: hours.NAME is open"),
        ("attribute.tier", "ends where a comparison should come"),
        ("attribute.tier = 3", "cannot be understood at character 16: '= 3'"),
        ("attribute.tier == gold", "compares attribute.tier with gold; write a number, or a text in quotes"),
        ('attribute.tier > "gold"', "texts are compared by == and != only"),
        ("attribute.tier is gold", "without 'set' or 'not set' after it"),
        ("queue.support.length > 3", "asks for 'length' of queue 'support'; allowed: ewt, waiting"),
        ('queue.support.waiting > "3"', "which is no number"),
        ("queue.support.waiting and list.vip", "has no comparison after queue.support.waiting"),
        ("share 110%", "not a number from 0 to 100"),
        ("share 10", "not a number from 0 to 100 with a per cent sign"),
        ('attribute.x == "a\nb"', "cannot be understood at character 16"),
        ("not " * 40 + "list.vip", "has more than 20 parentheses and 'not' inside each other"),
        ("(" * 200 + "list.vip" + ")" * 200, "has more than 20"),
        ("list.vip or " * 100, "is longer than 500 characters"),
        ("__import__('os')", "cannot be understood at character 1"),
        ("list.v\u00efp", "cannot be understood at character 7"),
    ],
)
def test_a_condition_that_makes_no_sense_says_where(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert sentence in str(refused.value)


class _Friday:
    call = "c"

    def is_open(self, calendar: str) -> bool:
        return calendar == "main"

    def on_list(self, name: str) -> bool:
        return name == "vip"

    def measured(self, queue: str, metric: object) -> float | None:
        return None

    def is_ready(self, agent: str) -> bool:
        return False


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("hours.main is open", True),
        ("hours.main is closed", False),
        ("hours.main is not open", False),
        ("hours.night is not closed", False),
        ("list.vip or list.x and list.x", True),
        ("(list.vip or list.x) and list.x", False),
        ("not list.x and not list.y", True),
        ("queue.support.waiting >= 0 or queue.support.waiting != 0", False),
        ('attribute.x == "" or attribute.x != ""', False),
    ],
)
def test_words_bind_as_they_read_and_what_is_not_known_does_not_hold(text: str, holds: bool) -> None:
    assert parse(text).holds(Around({}, _Friday(), "here")) is holds


@pytest.mark.parametrize("text", ["{", "}", "{Tier}", "{tier", "{ tier }", "{}", "{{{", "{tier!r}", "{tier.__class__}"])
def test_a_template_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="that is no attribute; write"):
        template(text)


def test_a_value_in_a_template_stays_a_value() -> None:
    hostile = "a\r\nB: c\x00{tier}\u202e" + "x" * 10_000
    filled = template("<{name}>").fill({"name": hostile, "tier": "gold"})
    assert filled.startswith("<aB: c{tier}x")
    assert len(filled) <= 500
    assert template("{{{name}}}").fill({}) == "{}"
