"""Every row of every table, and that every pair a table does not list is refused."""

from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from callcenter.domain import facts as f
from callcenter.domain.agent import AGENT_MOVES
from callcenter.domain.call import LEG_TRANSITIONS, LegState
from callcenter.domain.callback import CALLBACK_TRANSITIONS, CallbackState
from callcenter.domain.config import AgentConfig, CenterConfig
from callcenter.domain.contact import CONTACT_TRANSITIONS, ContactState
from callcenter.domain.facts import AgentState
from callcenter.domain.folds import FOLDS
from callcenter.domain.machine import IllegalTransition, transition
from callcenter.domain.state import State

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TABLES = [(LegState, LEG_TRANSITIONS), (ContactState, CONTACT_TRANSITIONS), (CallbackState, CALLBACK_TRANSITIONS)]


def some(kind: type) -> f.Fact:
    """A fact of that kind with anything in it."""
    filler = {"datetime": NOW, "timedelta": timedelta(), "int": 0, "bool": False, "str": ""}
    values = {
        field.name: filler.get(str(getattr(field.type, "__name__", field.type))) for field in fields(kind) if field.default is MISSING
    }
    return kind(**values)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_a_table_allows_its_rows_and_nothing_else(states: type, table: dict[tuple[object, type], object]) -> None:
    happenings = {kind for _, kind in table}
    for state, kind in product(states, happenings):  # type: ignore[call-overload]
        if (state, kind) in table:
            assert transition(table, "x", state, some(kind)) is table[state, kind]
        else:
            with pytest.raises(IllegalTransition, match="x"):
                transition(table, "x", state, some(kind))


@pytest.mark.parametrize("state", AgentState)
def test_an_agent_moves_as_drawn_and_not_otherwise(state: AgentState) -> None:
    config = CenterConfig(agents={"alice": AgentConfig("alice", "phone")})
    for target in AgentState:
        center = State(config)
        center.apply(f.AgentStateChanged(NOW, "alice", state))
        move = f.AgentStateChanged(NOW, "alice", target)
        if target in AGENT_MOVES[state]:
            center.apply(move)
            assert center.agents["alice"].state is target
        else:
            with pytest.raises(IllegalTransition):
                center.apply(move)
            assert center.agents["alice"].state is state


def test_every_kind_of_fact_can_be_applied() -> None:
    assert set(FOLDS) == set(f.FACT_TYPES.values())


def test_every_dataclass_among_the_facts_is_a_kind_of_fact() -> None:
    assert {thing for thing in vars(f).values() if is_dataclass(thing)} == set(f.FACT_TYPES.values())
