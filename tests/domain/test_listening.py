"""Nodes that listen: by voice or by key, and nobody waits longer than the limit."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.ivr.flow import Flow, HangUpNode, PromptNode, SpeechNode
from callcenter.domain.ivr.grammar import NUMBER, YES_NO, Grammar, built_in
from callcenter.domain.ivr.listening import BUSY, DECIDES, NOT_UNDERSTOOD, NOTHING, UNDERSTOOD, UNSURE, Entry, SpeechQuestion, verdict
from callcenter.domain.ivr.questions import FAILED
from callcenter.domain.ivr.validation import Known, faults
from callcenter.sim.scripted_answers import Scripted
from callcenter.sim.world import World, small_center

DID = "+18005550200"
DEPARTMENTS = Grammar("en", {"sales": "sales", "technical support": "support", "support": "support"})
ASK = SpeechNode(
    "which-department",
    {"en": DEPARTMENTS},
    {"1": "sales", "2": "support"},
    "nobody",
    choices={"sales": "to-sales", "support": "to-support"},
    invalid_prompt="sorry",
    rephrased="press-a-key",
    confirm_prompts={"sales": "did-you-say-sales"},
)
NODES = {
    "ask": ASK,
    "to-sales": PromptNode("sales-here", "end"),
    "to-support": PromptNode("support-here", "end"),
    "nobody": PromptNode("operator-here", "end"),
    "end": HangUpNode(),
}
LONG = timedelta(milliseconds=100)
SAID = 2.0
"""Seconds that the fake PBX takes for a prompt."""


class Caller:
    """In the flow; the recogniser answers each question with the next of what it is told."""

    def __init__(self, *answers: Scripted, node: SpeechNode = ASK, nodes: Mapping[str, object] | None = None) -> None:
        flow = Flow("main", "ask", {**NODES, "ask": node})  # type: ignore[dict-item]
        self.world = World(small_center(flows=[flow]))
        self._answers = list(answers)
        self.world.answers.script = lambda question: self._answers.pop(0) if self._answers else Scripted(NOTHING, never=True)
        self.leg = self.world.pbx.call_in(DID)
        self.channel = self.world.pbx.channels[self.leg]

    def after(self, seconds: float) -> list[str]:
        """What the caller has heard."""
        self.world.run_for(seconds)
        assert not self.world.faults
        return self.channel.heard

    def presses(self, digits: str) -> None:
        for digit in digits:
            self.world.pbx.party_presses(self.leg, digit)

    def facts(self, kind: type) -> list[object]:
        return [fact for fact in self.world.facts if isinstance(fact, kind)]


def hears(value: str, outcome: str = UNDERSTOOD, confidence: str = "0.9") -> Scripted:
    return Scripted(outcome, {"heard": value, "heard_confidence": confidence}, after=timedelta(seconds=2))


def nothing(outcome: str = NOTHING) -> Scripted:
    return Scripted(outcome, after=timedelta(seconds=2))


def test_a_word_leads_where_it_should() -> None:
    caller = Caller(hears("support"))
    assert caller.after(10)[:2] == ["which-department", "support-here"]
    (asked,) = caller.world.answers.asked
    question = asked.question
    assert isinstance(question, SpeechQuestion)
    assert (question.grammar, asked.budget) == (DEPARTMENTS, ASK.limit + DECIDES)


def test_a_key_wins_at_any_moment() -> None:
    over_the_prompt = Caller(hears("support"))
    over_the_prompt.after(0.5)
    over_the_prompt.presses("1")
    assert over_the_prompt.after(10)[-1] == "sales-here"
    assert over_the_prompt.world.answers.asked == []

    while_listening = Caller(hears("support"))
    while_listening.after(SAID + 1.5)
    while_listening.presses("1")
    assert while_listening.after(10)[-1] == "sales-here"
    assert len(while_listening.world.answers.withdrawn) == 1, "nobody listens any more"


def test_silence_is_asked_again_then_in_other_words_then_leads_on() -> None:
    caller = Caller(nothing(), nothing(NOT_UNDERSTOOD), nothing())
    heard = caller.after(40)
    assert heard == ["which-department", "sorry", "which-department", "sorry", "press-a-key", "operator-here"]


def test_who_is_not_sure_asks_and_yes_is_enough() -> None:
    assert Caller(hears("sales", UNSURE), hears("yes")).after(20) == ["which-department", "did-you-say-sales", "sales-here"]


@pytest.mark.parametrize("answer", [hears("no"), nothing(), nothing(NOT_UNDERSTOOD), hears("yes", UNSURE)])
def test_anything_but_yes_asks_anew(answer: Scripted) -> None:
    heard = Caller(hears("sales", UNSURE), answer, hears("support")).after(30)
    assert heard == ["which-department", "did-you-say-sales", "sorry", "which-department", "support-here"]


@pytest.mark.parametrize(("key", "heard"), [("1", "sales-here"), ("2", "which-department")])
def test_keys_confirm_too(key: str, heard: str) -> None:
    caller = Caller(hears("sales", UNSURE))
    caller.after(SAID + 3)
    assert caller.channel.heard[-1] == "did-you-say-sales"
    caller.presses(key)
    assert caller.after(SAID + 0.5)[-1] == heard


def test_without_words_to_confirm_it_is_asked_again() -> None:
    assert Caller(hears("support", UNSURE), hears("support")).after(20)[1:] == ["sorry", "which-department", "support-here"]


@pytest.mark.parametrize("outcome", [BUSY, FAILED, "junk"])
def test_without_a_recogniser_keys_do(outcome: str) -> None:
    caller = Caller(Scripted(outcome, after=LONG))
    caller.after(SAID + 2)
    assert caller.channel.heard == ["which-department"]
    caller.presses("2")
    assert caller.after(5)[-1] == "support-here"

    elsewhere = Caller(Scripted(outcome, after=LONG), node=replace(ASK, failed="nobody"))
    assert elsewhere.after(5)[-1] == "operator-here"

    silent = Caller(*[Scripted(outcome, after=LONG)] * 3)
    assert silent.after(60)[-1] == "operator-here"


def test_a_recogniser_that_never_answers_costs_the_limit_and_no_more() -> None:
    caller = Caller(Scripted(UNDERSTOOD, never=True))
    longest = (ASK.limit + DECIDES).total_seconds()
    assert caller.after(SAID + longest - 0.1) == ["which-department"]
    assert caller.after(0.3)[1:2] == ["sorry"]


def test_what_the_grammar_does_not_have_leads_nowhere() -> None:
    assert Caller(hears("drop-table"), hears("sales")).after(20)[-1] == "sales-here"


def test_in_a_language_that_nobody_listens_in_keys_do() -> None:
    caller = Caller(node=replace(ASK, grammars={"es": Grammar("es", {"ventas": "sales", "ayuda": "support"})}))
    caller.after(SAID + 1)
    assert caller.world.answers.asked == []
    caller.presses("1")
    assert caller.after(5)[-1] == "sales-here"


# --- digits in a row ----------------------------------------------------------------------------


def account(**more: object) -> SpeechNode:
    digits = built_in(NUMBER, "en")
    assert digits is not None
    node = SpeechNode("say-your-number", {"en": digits}, {}, "nobody", next="to-sales", attribute="account", entry=Entry(3, 4))
    return replace(node, **more)


def kept(caller: Caller) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(fact.names, fact.values) for fact in caller.facts(f.FlowAttributesSet)]  # type: ignore[attr-defined]


def test_digits_may_be_said() -> None:
    caller = Caller(hears("1234"), node=account())
    assert caller.after(10)[-1] == "sales-here"
    assert kept(caller) == [(("account", "heard_to_confirm"), ("1234", ""))]


@pytest.mark.parametrize("keys", ["1234", "123#", "123"])
def test_digits_may_be_pressed(keys: str) -> None:
    caller = Caller(node=account())
    caller.after(SAID + 1)
    caller.presses(keys)
    assert caller.after(5)[-1] == "sales-here"
    assert kept(caller)[0][1][0] == keys.rstrip("#")


def test_too_few_digits_are_asked_again() -> None:
    assert Caller(hears("12"), hears("123"), node=account()).after(20)[1:] == ["say-your-number", "sales-here"]
    pressed = Caller(node=account())
    pressed.after(SAID + 1)
    pressed.presses("12#")
    assert pressed.after(SAID / 2)[-1] == "say-your-number"


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keys": {"1": "sales"}}, "has no key for 'support'"),
        ({"keys": {"1": "sales", "2": "support", "3": "billing"}}, "stands for 'billing', which no phrase means"),
        ({"choices": {"sales": "to-sales"}}, "has no way for 'support', and there is no next"),
        ({"choices": {**ASK.choices, "billing": "end"}}, "is for 'billing', which no phrase means"),
        ({"confirm_prompts": {"billing": "x"}}, "is for 'billing', which no phrase means"),
        ({"confirm": 0.9}, "above accept"),
        ({"grammars": {}, "keys": {}, "choices": {}, "confirm_prompts": {}}, "is missing"),
        ({"grammars": {"en": Grammar("en", {"Sales!": "sales", "x": "support"})}}, "small letters"),
        ({"entry": Entry(5, 4)}, "which no entry can be"),
        ({"entry": Entry()}, "where to go with the digits"),
    ],
)
def test_what_cannot_be(changes: Mapping[str, object], said: str) -> None:
    flow = Flow("main", "ask", {**NODES, "ask": replace(ASK, **changes)})
    assert any(said in str(fault) for fault in faults(flow, Known())), [str(fault) for fault in faults(flow, Known())]


def test_a_node_as_it_should_be_is_not_refused() -> None:
    assert list(faults(Flow("main", "ask", NODES), Known())) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "confidence", "outcome"),
    [
        ("sales", 0.7, UNDERSTOOD),
        ("sales", 0.69, UNSURE),
        ("sales", 0.4, UNSURE),
        ("sales", 0.39, NOT_UNDERSTOOD),
        ("", 1.0, NOT_UNDERSTOOD),
    ],
)
def test_how_sure_is_sure(value: str, confidence: float, outcome: str) -> None:
    yes_no = built_in(YES_NO, "en")
    assert yes_no is not None
    assert verdict(SpeechQuestion(yes_no, LONG, LONG, 0.7, 0.4), value, confidence) == outcome
