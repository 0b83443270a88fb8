"""What the demo shows while it runs: who waits, who talks, since when."""

from collections.abc import Sequence
from time import monotonic

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from callcenter.apps.demo.people import Caller, Doing
from callcenter.services.control import JsonObject

COLOURS = {Doing.WAITING: "yellow", Doing.TALKING: "green", Doing.GAVE_UP: "red", Doing.FAILED: "bold red", Doing.DONE: "dim"}
SINCE_SHOWN = (Doing.CALLING, Doing.LISTENING, Doing.WAITING, Doing.TALKING)


def picture(callers: Sequence[Caller], state: JsonObject) -> RenderableType:
    """Callers and agents, side by side with what the engine says of them."""
    people = Table("caller", "key", "doing", "for", "agent", title="Callers", title_justify="left", expand=False)
    for caller in callers:
        colour = COLOURS.get(caller.doing, "default")
        shown = f"{monotonic() - caller.since:.0f} s" if caller.doing in SINCE_SHOWN else ""
        people.add_row(caller.number, caller.key, f"[{colour}]{caller.doing}[/]", shown, caller.agent)
    staff = Table("agent", "state", "reason", title="Agents", title_justify="left")
    for agent in _rows(state, "agents"):
        staff.add_row(*(escape(str(agent.get(field) or "")) for field in ("name", "state", "reason")))
    lines = Table("queue", "waiting", "ready", title="Queues", title_justify="left")
    for queue in _rows(state, "queues"):
        lines.add_row(*(escape(str(queue.get(field))) for field in ("name", "waiting", "ready")))
    side = Table.grid(padding=(0, 3))
    side.add_row(people, Group(staff, lines))
    return side


def summary(callers: Sequence[Caller]) -> str:
    """One line for logs and pipes."""
    count = {doing: sum(caller.doing is doing for caller in callers) for doing in Doing}
    return ", ".join(f"{number} {doing}" for doing, number in count.items() if number)


def _rows(state: JsonObject, name: str) -> list[JsonObject]:
    rows = state.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
