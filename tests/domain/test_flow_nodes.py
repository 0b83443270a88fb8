"""Each kind of node, as a caller meets it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.books import fold_call
from callcenter.domain.center import Center
from callcenter.domain.config import QueueConfig
from callcenter.domain.ids import Ids
from callcenter.domain.ivr import interpreter, keys
from callcenter.domain.ivr.check_digits import CheckDigit, agrees
from callcenter.domain.ivr.expressions import parse
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
from callcenter.domain.ivr.kind import Kind, Leave
from callcenter.domain.ivr.kinds import KINDS
from callcenter.domain.ivr.speech import SpeakAs, Spoken
from callcenter.domain.ivr.templates import template
from callcenter.domain.routing_config import CallerList, ListedNumber, Routing
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

DID = "+18005550200"
END: Mapping[str, Node] = {"yes": PromptNode("yes", "end"), "no": PromptNode("no", "end"), "end": HangUpNode()}


class Caller:
    """In front of a flow of these nodes; the first is where it begins, and ``yes`` and ``no`` are there to lead to."""

    def __init__(self, nodes: Mapping[str, Node], *subflows: Flow, on_error: str = "", queues: Sequence[QueueConfig] = ()) -> None:
        flow = Flow("main", next(iter(nodes)), {**END, **nodes}, on_error=on_error)
        self.world = World(small_center(flows=[flow, *subflows], queues=queues or (QueueConfig("support"),)))

    def calls(self, number: str = "+12025550123") -> "Caller":
        self.leg = self.world.pbx.call_in(DID, number)
        self.heard = self.world.pbx.channels[self.leg].heard
        return self

    def presses(self, keys: str, apart: float = 0.3) -> "Caller":
        for key in keys:
            self.world.pbx.party_presses(self.leg, key)
            self.world.run_for(apart)
        return self

    def waits(self, seconds: float) -> "Caller":
        self.world.run_for(seconds)
        return self

    def told(self, kind: type) -> list[f.Fact]:
        return [fact for fact in self.world.facts if isinstance(fact, kind)]

    @property
    def attributes(self) -> Mapping[str, str]:
        (call,) = self.world.center.state.calls.values()
        return call.attributes

    @property
    def passed(self) -> list[tuple[str, str]]:
        """Node and exit, in order."""
        return [(fact.node, fact.exit) for fact in self.world.facts if isinstance(fact, f.FlowPassed)]


# --- barge-in and the ladder of tries -----------------------------------------------------------


@pytest.mark.parametrize(("barge_in", "heard"), [(True, ["notice", "yes"]), (False, ["notice"])])
def test_a_prompt_is_cut_short_only_where_it_may_be(barge_in: bool, heard: list[str]) -> None:
    caller = Caller({"notice": PromptNode("notice", "yes", barge_in)}).calls().waits(1).presses("5", 0)
    assert caller.heard == heard
    assert caller.waits(1.1).heard == ["notice", "yes"]


def test_a_menu_that_must_be_heard_takes_keys_only_afterwards() -> None:
    caller = Caller({"menu": MenuNode("terms", {"1": "yes"}, "no", barge_in=False)}).calls().waits(1).presses("1", 0)
    assert caller.heard == ["terms"]
    assert caller.waits(1.1).presses("1", 0).heard == ["terms", "yes"]


@pytest.mark.parametrize(
    "node",
    [
        MenuNode("ask", {"1": "yes"}, "no", invalid_prompt="wrong", rephrased="in-other-words"),
        CollectNode("ask", "account", "yes", "no", invalid_prompt="wrong", rephrased="in-other-words", min_length=2),
        LanguageNode("ask", {"1": "es"}, "yes", "no", tries=3, invalid_prompt="wrong", rephrased="in-other-words"),
    ],
)
def test_who_is_silent_is_asked_again_then_in_other_words_then_helped(node: Node) -> None:
    caller = Caller({"ask": node}).calls().waits(60)
    assert caller.heard == ["ask", "wrong", "ask", "wrong", "in-other-words", "no"]
    assert [fact.tries for fact in caller.told(f.FlowMoved)[:3]] == [0, 1, 2]  # type: ignore[attr-defined]
    assert caller.passed[0] == ("ask", "otherwise")


# --- entries ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (CheckDigit.LUHN, ["4539578763621486", "79927398713", "18"], ["79927398710", "4539578763621487", "1", ""]),
        (CheckDigit.MOD11, ["1236", "036536"], ["1235", "1230", "5"]),
        (CheckDigit.MOD97, ["98", "3214282912345698765432161182"], ["99", "12", "97"]),
        (CheckDigit.EAN, ["4006381333931", "73513537", "036000291452"], ["4006381333932", "12345", "0"]),
        (CheckDigit.NONE, ["1", ""], []),
    ],
)
def test_check_digits_agree_or_not(rule: CheckDigit, good: list[str], bad: list[str]) -> None:
    assert [digits for digits in good if not agrees(rule, digits)] == []
    assert [digits for digits in bad if agrees(rule, digits)] == []
    assert not agrees(CheckDigit.LUHN, "\u0661\u0668")  # digits, but not of a telephone


def test_an_entry_whose_check_digit_is_wrong_is_asked_again() -> None:
    ask = CollectNode("ask", "card", "yes", "no", max_length=11, invalid_prompt="wrong", check_digit=CheckDigit.LUHN)
    caller = Caller({"ask": ask}).calls().presses("79927398710")
    assert caller.heard == ["ask", "wrong", "ask"]
    assert caller.presses("79927398713").heard[-1] == "yes"
    assert caller.attributes["card"] == "79927398713"


def test_a_secret_entry_is_in_no_fact_and_no_checkpoint() -> None:
    ask = CollectNode("ask", "pin", "yes", "no", min_length=4, max_length=4, secret=True)
    caller = Caller({"ask": ask}).calls().presses("8#").presses("8675")
    (call,) = caller.world.center.state.calls.values()
    assert call.secrets == {"pin": "8675"}
    kept = repr([*caller.world.facts, *caller.world.center.checkpoint()]).replace("-8675", "")
    assert "8675" not in kept
    assert not [fact for fact in caller.told(f.FlowDigitTaken) + caller.told(f.FlowKeyPressed) if fact.digit]  # type: ignore[attr-defined]
    assert "pin" not in caller.attributes
    assert "8675" not in repr(call)


def test_who_is_asked_for_a_secret_while_we_restart_is_asked_again() -> None:
    ask = CollectNode("ask", "pin", "yes", "no", min_length=4, max_length=4, secret=True, invalid_prompt="wrong")
    caller = Caller({"ask": ask}).calls().presses("12")
    caller.world.crash_and_restore()
    assert caller.presses("34#").heard == ["ask", "wrong", "ask"]
    assert caller.presses("1234").heard[-1] == "yes"


# --- language, attributes, conditions -----------------------------------------------------------


def test_the_chosen_language_is_an_attribute_of_the_call() -> None:
    caller = Caller({"which": LanguageNode("which", {"1": "en", "2": "es"}, "yes", "no")}).calls().presses("72")
    assert caller.attributes["language"] == "es"
    assert caller.passed == [("which", "next")]
    assert caller.heard == ["which", "which", "yes"]


def test_attributes_are_set_from_others_and_said() -> None:
    nodes: dict[str, Node] = {
        "set": SetNode({"greeting": template("{{{caller}}}"), "tier": template("gold")}, "say"),
        "say": PromptNode(("tier", Spoken(SpeakAs.DIGITS, "greeting")), "end"),
    }
    caller = Caller(nodes).calls("+12")
    assert caller.attributes["greeting"] == "{+12}"
    assert caller.heard == ["tier", "en-plus", "en-1", "en-2"]


def way(condition: str, number: str = "+12025550123", *, before: Mapping[str, str] | None = None) -> str:
    """``yes`` or ``no``: what a caller hears."""
    nodes: dict[str, Node] = {
        "set": SetNode({name: template(value) for name, value in (before or {"unused": "x"}).items()}, "if"),
        "if": ConditionNode((Case(parse(condition), "yes"),), "no"),
    }
    caller = Caller(nodes)
    vip = CallerList("vip", entries=(ListedNumber("+1202*", "important"),))
    caller.world.center.state.configure(replace(caller.world.config, caller_lists=(vip,)))
    caller.calls(number)
    assert not caller.world.faults
    return caller.heard[0]


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ('attribute.tier == "gold"', "yes"),
        ('attribute.tier != "gold"', "no"),
        ('attribute.other != "gold"', "no"),
        ("attribute.balance > 10", "yes"),
        ("attribute.balance == 12.50", "yes"),
        ("attribute.tier > 10", "no"),
        ("attribute.tier is set and attribute.other is not set", "yes"),
        ("attribute.empty is set", "no"),
        ("list.vip", "yes"),
        ("not list.vip or list.blocked", "no"),
        ("queue.support.waiting == 0 and queue.support.agents_ready == 0", "yes"),
        ("queue.support.waiting_per_agent >= 0", "no"),
        ("queue.support.service_level < 1", "no"),
        ("not (list.vip and attribute.balance < 10)", "yes"),
        ("share 0%", "no"),
        ("share 100%", "yes"),
    ],
)
def test_conditions(condition: str, answer: str) -> None:
    assert way(condition, before={"tier": "gold", "balance": "12.5", "empty": ""}) == answer


def test_a_share_is_that_part_of_the_calls_and_the_same_for_each_of_them() -> None:
    caller = Caller({"if": ConditionNode((Case(parse("share 30%"), "yes"), Case(parse("share 30%"), "no")), "end")})
    for _ in range(1000):
        caller.world.pbx.call_in(DID)
    first = [name for name, exit_name in caller.passed if exit_name == "case 1"]
    second = [name for name, exit_name in caller.passed if exit_name == "case 2"]
    assert 250 < len(first) < 350
    assert 160 < len(second) < 260  # 30 % of the rest: the two are drawn apart


# --- sub-flows ----------------------------------------------------------------------------------

ADD_ON = Flow(
    "add-on",
    "ask",
    {
        "ask": MenuNode(("offer", Spoken(SpeakAs.DIGITS, "price")), {"1": "taken", "2": "back"}, "back", tries=1),
        "taken": SetNode({"taken": template("{price}")}, "bought"),
        "bought": ReturnNode("bought"),
        "back": ReturnNode(),
    },
    parameters=("price",),
)
SHOP: Mapping[str, Node] = {
    "offer": SubflowNode("add-on", "no", {"price": template("5")}, {"bought": "thanks"}),
    "thanks": PromptNode(("thanks", Spoken(SpeakAs.DIGITS, "taken"), Spoken(SpeakAs.DIGITS, "price")), "end"),
}


@pytest.mark.parametrize(("key", "heard"), [("1", ["thanks", "en-5"]), ("2", ["no"]), ("9", ["no"])])
def test_a_sub_flow_knows_its_parameters_and_comes_back_with_its_outcome(key: str, heard: list[str]) -> None:
    caller = Caller(SHOP, ADD_ON).calls().presses(key)
    assert caller.heard == ["offer", "en-5", *heard]
    assert "price" not in caller.attributes


def test_a_parameter_hides_an_attribute_of_the_same_name_only_for_its_time() -> None:
    nodes: dict[str, Node] = {"set": SetNode({"price": template("9")}, "offer"), **SHOP}
    assert Caller(nodes, ADD_ON).calls().presses("1").heard == ["offer", "en-5", "thanks", "en-5", "en-9"]


def test_facts_tell_where_in_which_flow_somebody_is() -> None:
    caller = Caller(SHOP, ADD_ON).calls().presses("1")
    (started,) = caller.told(f.FlowStarted)
    assert started.subflows == ("add-on@0",)  # type: ignore[attr-defined]
    (entered,), (back,) = caller.told(f.FlowEntered), caller.told(f.FlowReturned)
    assert (entered.node, entered.flow, entered.names, entered.values) == ("offer", "add-on", ("price",), ("5",))  # type: ignore[attr-defined]
    assert (back.node, back.outcome) == ("bought", "bought")  # type: ignore[attr-defined]
    assert caller.passed == [("ask", "1"), ("taken", "next"), ("offer", "bought")]


def test_flows_inside_flows_have_an_end() -> None:
    endless = Flow("endless", "again", {"again": SubflowNode("endless", "back"), "back": ReturnNode()})
    caller = Caller({"in": SubflowNode("endless", "yes")}, endless, on_error="no").calls()
    assert caller.heard == ["no"]
    assert not caller.world.faults


# --- transfer -----------------------------------------------------------------------------------


def test_a_caller_is_handed_to_an_agent_who_is_ready_else_goes_on() -> None:
    caller = Caller({"alice": TransferNode("alice", "support", "no", timedelta(seconds=10))}).calls()
    assert caller.heard == ["no"]
    caller.waits(20)
    caller.world.agent_ready("bob")
    caller.world.run_for(5)
    caller.world.agent_ready("alice")  # bob has been idle for longer
    caller.calls().waits(5)
    assert caller.world.talking() == {"alice": caller.leg}


def handed_to_alice(**more: Node) -> "Caller":
    """A caller whose flow hands to alice, in a sub-flow; bob has been idle for longer."""
    inner = Flow("inner", "alice", {"alice": TransferNode("alice", "support", "back", timedelta(seconds=10)), "back": ReturnNode("away")})
    caller = Caller({"in": SubflowNode("inner", "yes", outcomes={"away": "no"})}, inner)
    caller.world.agent_ready("bob")
    caller.world.run_for(1)
    caller.world.agent_ready("alice")
    return caller


def test_an_agent_who_does_not_answer_gives_the_caller_back_to_the_flow() -> None:
    caller = handed_to_alice()
    caller.world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    caller.calls()
    caller.waits(30)
    assert caller.heard[-1] == "no"
    (missed,) = caller.told(f.OfferMissed) or caller.told(f.OfferWithdrawn)
    assert missed.agent == "alice"  # type: ignore[attr-defined]
    (overflowed,) = caller.told(f.ContactOverflowed)
    assert overflowed.why == "not_answered"  # type: ignore[attr-defined]
    assert not [fact for fact in caller.told(f.ContactOffered) if fact.agent == "bob"]  # type: ignore[attr-defined]
    books = fold_call([fact for fact in caller.world.facts if getattr(fact, "call", "") == overflowed.call])  # type: ignore[attr-defined]
    assert [(stay.node, stay.exit) for stay in books.stays] == [
        ("in", "away"),
        ("alice", "otherwise"),
        ("back", "away"),
        ("no", "next"),
        ("end", "hang_up"),
    ]


def test_the_flow_goes_on_after_a_restart_too() -> None:
    caller = handed_to_alice()
    caller.world.pbx.phones["phone-of-alice"] = Phone(Mood.RINGS_ON)
    caller.calls().waits(3)
    caller.world.crash_and_restore()
    caller.waits(30)
    assert caller.heard[-1] == "no"


def test_she_has_so_long_to_answer_and_no_longer() -> None:
    caller = handed_to_alice()
    caller.world.pbx.phones["phone-of-alice"] = Phone(answers_after=lambda: timedelta(seconds=11))
    caller.calls().waits(20)
    assert caller.heard[-1] == "no"
    assert caller.world.talking() == {}


def test_an_agent_who_must_not_take_it_gives_the_caller_back_at_once() -> None:
    nodes = {"in": TransferNode("alice", "elsewhere", "no")}
    caller = Caller(nodes, queues=(QueueConfig("support"), QueueConfig("elsewhere", Routing(require="spanish"))))
    caller.world.agent_ready("alice")
    caller.calls().waits(1)
    assert caller.heard[-1] == "no"


# --- when something goes wrong ------------------------------------------------------------------


def _bug(run: object, node: object, around: object) -> Leave:
    raise ZeroDivisionError("planted")


@pytest.fixture
def buggy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Condition nodes have a bug."""
    monkeypatch.setitem(KINDS, ConditionNode, Kind(_bug))  # type: ignore[arg-type] # it is a dict


BUG: Mapping[str, Node] = {"hello": PromptNode("hello", "if"), "if": ConditionNode((Case(parse("share 1%"), "yes"),), "yes")}


@pytest.mark.usefixtures("buggy")
def test_a_bug_takes_the_error_exit_which_speaks() -> None:
    caller = Caller({**BUG, "sorry": PromptNode("sorry", "in"), "in": QueueNode("support")}, on_error="sorry").calls().waits(2.1)
    assert caller.heard == ["hello", "sorry"]
    assert [str(fault) for fault in caller.world.faults] == ["planted"]
    (failed,) = caller.told(f.FlowFailed)
    assert (failed.node, failed.to) == ("if", "sorry")  # type: ignore[attr-defined]
    assert caller.waits(3).world.waiting() == [caller.leg]


@pytest.mark.usefixtures("buggy")
def test_without_an_error_exit_or_with_one_that_fails_too_there_is_a_goodbye() -> None:
    for on_error in ("", "if", "hello"):
        caller = Caller(BUG, on_error=on_error).calls().waits(10)
        assert caller.heard[-1] == "goodbye"
        assert not caller.world.center.state.calls
        assert [fact.exit for fact in caller.told(f.FlowEnded)] == ["error", "hang_up"]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("buggy")
def test_the_error_exit_of_the_flow_around_serves_its_sub_flows() -> None:
    inner = Flow("inner", "if", {"if": BUG["if"], "yes": ReturnNode()})
    caller = Caller({"in": SubflowNode("inner", "yes", {})}, inner, on_error="no").calls()
    assert caller.heard == ["no"]
    (failed,) = caller.told(f.FlowFailed)
    assert (failed.depth, failed.node) == (0, "if")  # type: ignore[attr-defined]


def test_a_flow_that_goes_round_for_ever_ends_by_itself() -> None:
    nodes: dict[str, Node] = {
        "a": PromptNode("a", "if"),
        "if": ConditionNode((Case(parse("attribute.never is set"), "yes"),), "a"),
    }
    caller = Caller(nodes, on_error="no").calls().waits(3 * interpreter.MOST_MOVES)
    assert caller.heard[-1] == "no"
    assert len(caller.heard) <= interpreter.MOST_MOVES + 2


# --- restored equals live -----------------------------------------------------------------------


def test_restored_equals_live_after_every_step_of_every_kind() -> None:
    nodes: dict[str, Node] = {
        "which": LanguageNode("which", {"1": "en"}, "set", "no"),
        "set": SetNode({"price": template("9")}, "ask"),
        "ask": CollectNode("ask", "account", "if", "no", max_length=2, tries=2),
        "if": ConditionNode((Case(parse("attribute.account == 12"), "offer"),), "no"),
        **SHOP,
    }
    caller = Caller(nodes, ADD_ON).calls()
    for key in "91", "7", "*", "1", "2", "8", "", "1":
        caller.presses(key).waits(0.3)
        for kept in (caller.world.facts, list(caller.world.center.checkpoint())):
            restored = Center.restore(caller.world.config, Ids("r"), kept).state.calls
            live = caller.world.center.state.calls
            assert {name: (call.flow, call.attributes) for name, call in restored.items()} == {
                name: (call.flow, call.attributes) for name, call in live.items()
            }
    assert not caller.world.faults


def test_every_kind_of_node_stands_in_the_table() -> None:
    assert {keys.MenuNode, keys.CollectNode, keys.LanguageNode} <= KINDS.keys()
    assert all(kind.said or kind.ends or kind.outcome or not kind.takes_time for kind in KINDS.values())
