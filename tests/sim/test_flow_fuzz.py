"""A million random steps: random flows, and callers and an outside world that keep to no rule."""

from collections.abc import Callable
from typing import Any

import pytest

from callcenter.domain.facts import FlowEnded
from callcenter.domain.ivr import keys
from callcenter.domain.ivr.flow import Flow, HangUpNode
from callcenter.domain.ivr.kind import Kind, Listen
from callcenter.domain.ivr.kinds import KINDS
from callcenter.domain.ivr.run import MOST_MOVES, FlowRun
from callcenter.sim.flow_fuzz import FlowFault, fuzz
from callcenter.sim.world import World, small_center

STEPS = 250_000
"""For each of four seeds."""


@pytest.mark.parametrize("seed", range(1, 5))
def test_nothing_goes_wrong_and_every_flow_run_comes_to_an_end(seed: int) -> None:
    result = fuzz(STEPS, seed)
    assert result.steps == STEPS
    assert result.started == result.exits.total() > STEPS / 100
    assert result.exits["queue"] > STEPS / 1000
    assert result.exits["caller_left"] > STEPS / 1000
    assert result.exits["hang_up"] > STEPS / 1000
    assert result.restarts > STEPS / 1000
    assert result.published == STEPS // 1500
    assert result.messages > 100


def _broken(how: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, hook: str) -> None:
    sound = KINDS[keys.MenuNode]
    hooks = {name: getattr(sound, name) for name in Kind.__slots__}
    monkeypatch.setitem(KINDS, keys.MenuNode, Kind(**{**hooks, hook: how}))  # type: ignore[arg-type] # it is a dict


def _raises(run: FlowRun, node: object, digit: str, around: object) -> None:
    raise ZeroDivisionError


def _waits_for_ever(run: FlowRun, node: object, around: object) -> None:
    return None


def test_a_bug_in_a_node_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(_raises, monkeypatch, "key")
    with pytest.raises(FlowFault, match="ZeroDivisionError"):
        fuzz(5000, 1)


def test_a_node_that_goes_silent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(_waits_for_ever, monkeypatch, "said")
    with pytest.raises(FlowFault, match=r"silence|for ever"):
        fuzz(5000, 1)


def test_a_node_that_never_lets_go_ends_by_the_error_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    def listens_again(run: FlowRun, node: keys.MenuNode, around: object) -> Listen:
        return Listen(node.timeout)

    _broken(listens_again, monkeypatch, "silence")
    menu = keys.MenuNode("menu", {"1": "end"}, "end")
    world = World(small_center(agents=(), flows=[Flow("main", "menu", {"menu": menu, "end": HangUpNode()})]))
    world.pbx.call_in("+18005550200")  # and never says a word
    world.run_for(MOST_MOVES * 2 * menu.timeout.total_seconds())
    assert [fact.exit for fact in world.facts if isinstance(fact, FlowEnded)] == ["error", "hang_up"]  # the second is the goodbye's
