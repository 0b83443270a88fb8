"""Keys pressed ahead: before the node has asked for them, during a prompt that they cut short or while something is looked up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import facts as f
from callcenter.domain.ivr.dipping import DipNode
from callcenter.domain.ivr.flow import CollectNode, Flow, HangUpNode, LanguageNode, MenuNode, Node, PromptNode, QueueNode
from callcenter.domain.ivr.run import AHEAD, MOST_AHEAD
from callcenter.sim.scripted_answers import Scripted
from callcenter.sim.world import World, small_center

DID = "+18005550200"
WELCOME = PromptNode("welcome", "news", barge_in=True)
MENU = MenuNode("menu", {"1": "account", "2": "queue"}, "bye", invalid_prompt="wrong-key")
ACCOUNT = CollectNode("enter-account", "account", "thanks", "bye", min_length=3, max_length=4)
NODES: dict[str, Node] = {
    "welcome": WELCOME,
    "news": PromptNode("news", "menu", barge_in=True),
    "menu": MENU,
    "account": ACCOUNT,
    "thanks": PromptNode("thank-you", "queue"),
    "queue": QueueNode("support"),
    "bye": PromptNode("goodbye", "end"),
    "end": HangUpNode(),
}


class Caller:
    """In a flow of these nodes, which begins with ``welcome``."""

    def __init__(self, **nodes: Node) -> None:
        self.world = World(small_center(flows=[Flow("front", "welcome", {**NODES, **nodes})]))
        self.world.answers.script = lambda question: Scripted("answered", {}, timedelta(seconds=2))
        self.leg = self.world.pbx.call_in(DID)
        self.world.run_for(0.1)

    def presses(self, keys: str, apart: float = 0.01) -> None:
        for key in keys:
            self.world.pbx.party_presses(self.leg, key)
            self.world.run_for(apart)

    @property
    def heard(self) -> list[str]:
        return self.world.pbx.channels[self.leg].heard

    @property
    def node(self) -> str:
        (call,) = self.world.center.state.calls.values()
        return call.flow.node if call.flow is not None else ""

    @property
    def account(self) -> str | None:
        (call,) = self.world.center.state.calls.values()
        return call.attributes.get("account")

    def keys_of_facts(self) -> list[str]:
        return [fact.digit for fact in self.world.facts if isinstance(fact, f.FlowKeyPressed)]


def test_who_knows_the_way_hears_nothing_of_it() -> None:
    caller = Caller()
    caller.presses("11234")
    assert caller.account == "1234"
    assert caller.heard == ["welcome", "enter-account", "thank-you"], "the second 1 came when the menu had been left"
    assert caller.keys_of_facts() == ["", "1"], "as the prompt's it may be part of a secret; as the menu's it is known"


def test_a_key_during_a_prompt_is_the_menus_and_nothing_in_between_is_begun() -> None:
    caller = Caller()
    caller.presses("2")
    assert caller.heard == ["welcome"]
    assert caller.world.waiting() == [caller.leg]


def test_a_wrong_key_ahead_is_a_wrong_key() -> None:
    caller = Caller()
    caller.presses("9")
    assert caller.heard == ["welcome", "wrong-key", "menu"]
    assert caller.node == "menu"


@pytest.mark.parametrize(
    "nodes",
    [
        {"welcome": replace(WELCOME, type_ahead=False)},
        {"menu": replace(MENU, type_ahead=False)},
        {"menu": replace(MENU, barge_in=False)},
    ],
)
def test_where_keys_ahead_do_not_count_the_menu_is_heard(nodes: dict[str, Node]) -> None:
    caller = Caller(**nodes)
    caller.presses("2")
    caller.world.run_for(20)
    assert "menu" in caller.heard
    assert not caller.world.waiting()


def test_what_must_be_heard_forgets_them() -> None:
    caller = Caller(news=PromptNode("news", "menu"))
    caller.presses("2")
    assert caller.heard == ["welcome", "news"]
    caller.world.run_for(3)
    assert caller.heard == ["welcome", "news", "menu"]


def test_a_secret_entry_begins_once_it_is_asked_for_and_no_digit_of_it_is_kept() -> None:
    caller = Caller(news=replace(ACCOUNT, attribute="pin", secret=True))
    caller.presses("8")
    assert caller.heard == ["welcome", "enter-account"]
    caller.presses("765#")
    (call,) = caller.world.center.state.calls.values()
    assert AHEAD not in call.secrets
    assert not any(digit in repr(fact) for fact in caller.world.facts for digit in ("digit='8'", "digit='7'", "765"))


def test_after_a_wrong_entry_nothing_is_left_of_what_was_pressed_ahead() -> None:
    look = DipNode("balance", "menu", "menu", "menu")
    caller = Caller(welcome=look, menu=replace(MENU, choices={"1": "queue"}))
    caller.presses("911")
    caller.world.run_for(2)
    assert caller.heard == ["wrong-key", "menu"]
    assert not caller.world.waiting()


def test_keys_pressed_while_something_is_looked_up_count_and_what_was_found_is_heard() -> None:
    caller = Caller(welcome=DipNode("balance", "news", "bye", "bye", filler="one-moment"))
    caller.presses("1123")
    caller.world.run_for(2)
    assert caller.heard == ["one-moment", "news"]
    caller.world.run_for(10)
    assert caller.account == "123"
    assert caller.heard[:3] == ["one-moment", "news", "thank-you"]


def test_the_terminator_of_an_entry_that_is_whole_already_means_nothing() -> None:
    after = MenuNode("menu-2", {"5": "queue"}, "bye", invalid_prompt="wrong-key")
    caller = Caller(account=replace(ACCOUNT, next="after"), after=after)
    caller.presses("1")
    caller.presses("1234#")
    assert caller.node == "after"
    assert "wrong-key" not in caller.heard
    caller.presses("5")
    assert caller.world.waiting() == [caller.leg]


def test_unless_it_is_a_choice_there() -> None:
    caller = Caller(account=replace(ACCOUNT, next="after"), after=MenuNode("menu-2", {"#": "queue"}, "bye"))
    caller.presses("11234#")
    assert caller.world.waiting() == [caller.leg]


def test_only_so_many_are_kept() -> None:
    caller = Caller(welcome=DipNode("balance", "menu", "menu", "menu"))
    caller.presses("1" * 100, apart=0)
    (call,) = caller.world.center.state.calls.values()
    assert len(call.secrets[AHEAD]) == MOST_AHEAD


def test_a_language_is_chosen_ahead() -> None:
    caller = Caller(menu=LanguageNode("languages", {"2": "es"}, "bye", "bye"))
    caller.presses("2")
    (call,) = caller.world.center.state.calls.values()
    assert call.attributes["language"] == "es"


def test_a_restart_forgets_them_and_asks() -> None:
    caller = Caller(welcome=DipNode("balance", "menu", "menu", "menu"))
    caller.presses("2")
    caller.world.crash_and_restore()
    caller.world.run_for(4)
    assert caller.heard == ["menu"]
