"""State diagrams of the machines, drawn from their own tables: ``python -m callcenter.apps.diagrams`` writes docs/states.md."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from callcenter.domain.agent import AGENT_MOVES
from callcenter.domain.call import LEG_TRANSITIONS, LegState
from callcenter.domain.callback import CALLBACK_TRANSITIONS, SETTLED, CallbackState
from callcenter.domain.contact import CONTACT_TRANSITIONS, FINISHED, ContactState
from callcenter.domain.facts import AgentState
from callcenter.domain.supervision import SUPERVISION_MOVES, SupervisionState

PAGE = Path("docs/states.md")


def page() -> str:
    """The whole page, in Markdown with Mermaid."""
    parts = [
        "# States\n\nDrawn from the tables in the code by `python -m callcenter.apps.diagrams`; a test keeps them current.\n",
        _chart("Leg", "callcenter/domain/call.py", _rows(LEG_TRANSITIONS), LegState.CREATED, {LegState.ENDED}),
        _chart("Contact", "callcenter/domain/contact.py", _rows(CONTACT_TRANSITIONS), ContactState.WAITING, set(FINISHED)),
        _chart("Callback", "callcenter/domain/callback.py", _rows(CALLBACK_TRANSITIONS), CallbackState.CREATED, set(SETTLED)),
        _chart("Agent", "callcenter/domain/agent.py", _moves(AGENT_MOVES), AgentState.LOGGED_OUT, set()),
        _chart(
            "Supervision", "callcenter/domain/supervision.py", _moves(SUPERVISION_MOVES), SupervisionState.CALLING, {SupervisionState.ENDED}
        ),
    ]
    return "\n".join(parts)


def _rows(table: object) -> Iterator[tuple[str, str, str]]:
    assert hasattr(table, "items")
    for (state, fact), target in table.items():
        yield str(state), str(target), fact.__name__


def _moves(
    table: Mapping[AgentState, frozenset[AgentState]] | Mapping[SupervisionState, frozenset[SupervisionState]],
) -> Iterator[tuple[str, str, str]]:
    for state, targets in table.items():
        for target in sorted(targets):
            yield str(state), str(target), ""


def _chart(
    name: str,
    file: str,
    rows: Iterator[tuple[str, str, str]],
    first: str,
    last: set[ContactState] | set[LegState] | set[AgentState] | set[CallbackState] | set[SupervisionState],
) -> str:
    lines = [f"    [*] --> {first}"]
    lines += [f"    {state} --> {target}" + (f": {label}" if label else "") for state, target, label in rows]
    lines += [f"    {state} --> [*]" for state in sorted(last)]
    return f"## {name}\n\n`{file}`\n\n```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
