"""What the pages of documents need to know of them: names to choose from, who serves a queue, upon what a right is exercised."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from callcenter.adapters.web.access import signed
from callcenter.adapters.web.config.form import Box, Faults
from callcenter.domain.documents import Body, Documents, kind_of, name_of
from callcenter.domain.rights import Of, Right, may, of_agent, of_queue
from callcenter.services.forms import Choices, FormShape

EVERYBODY = Of(queues=frozenset(), team="", campaign="")
"""What is of the whole center: only who has no limit at all may change it."""


def columns(form: FormShape) -> Sequence[str]:
    """What a list shows of each document beside its name."""
    wanted = (
        "extension",
        "description",
        "supervisor",
        "strategy",
        "flow",
        "switch",
        "queues",
        "agents",
        "weekly",
        "text",
        "blocked",
        "queue",
        "folder",
    )
    return [field.name for field in form.fields if field.name in wanted and field.name != form.named_by][:4]


def choices(documents: Documents) -> Choices:
    found: dict[str, list[str]] = {"music": ["default"]}
    for key in documents:
        found.setdefault(kind_of(key), []).append(name_of(key))
    return found


def served(form: FormShape, name: str, documents: Documents, agents: Sequence[str] | None) -> Mapping[str, Sequence[str]] | None:
    """Of a queue: who might serve it, and who does. Written on lines when they are many."""
    if form.kind != "queue":
        return None
    there = [name_of(key) for key in documents if kind_of(key) == "agent"]
    serving = list(agents) if agents is not None else [name_of(key) for key, body in documents.items() if serves(key, body, name)]
    return {"there": there, "serving": [each for line in serving for each in line.split()]}


def serves(key: str, body: Body, queue: str) -> bool:
    queues = body.get("queues", ())
    return kind_of(key) == "agent" and isinstance(queues, list | tuple) and queue in queues


def serving(queue: str, agents: Sequence[str], documents: Documents) -> dict[str, Body | None]:
    """The agents who begin or cease to serve the queue."""
    wanted = {name for line in agents for name in line.split()}
    changes: dict[str, Body | None] = {}
    for key, body in documents.items():
        if kind_of(key) == "agent" and (name_of(key) in wanted) is not serves(key, body, queue):
            given = body.get("queues", ())
            queues = list(given) if isinstance(given, list | tuple) else []
            changes[key] = {**body, "queues": [*queues, queue] if name_of(key) in wanted else [each for each in queues if each != queue]}
    return changes


def left(agent: str, documents: Documents) -> dict[str, Body | None]:
    """The teams without an agent who is taken away."""
    changes: dict[str, Body | None] = {}
    for key, body in documents.items():
        agents = body.get("agents", ())
        if kind_of(key) == "team" and isinstance(agents, list | tuple) and agent in agents:
            changes[key] = {**body, "agents": [each for each in agents if each != agent]}
    return changes


def object_of(key: str, documents: Documents) -> Of:
    """Upon what the right to change a document is exercised."""
    kind, name = kind_of(key), name_of(key)
    if kind == "queue":
        return of_queue(name)
    if kind == "agent":
        body = documents.get(key, {})
        queues = body.get("queues", ())
        team = next(
            (name_of(each) for each, team in documents.items() if kind_of(each) == "team" and name in names_in(team.get("agents"))), ""
        )
        return of_agent(name, frozenset(names_in(queues)), team)
    return EVERYBODY


def names_in(value: object) -> Sequence[str]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def may_change(request: web.Request, kind: str, name: str = "", documents: Documents | None = None) -> bool:
    """Whether she may change it; of a kind, whether she may add one."""
    of = object_of(f"{kind}/{name}", documents or {}) if name else EVERYBODY if kind not in ("queue", "agent") else None
    return may(signed(request), Right.CHANGE_CONFIG, of)


def is_shown(shown: Sequence[Box], field: str, own: Faults) -> bool:
    """Whether some field of the form tells the fault."""

    def told(box: Box) -> bool:
        return any(sentence in box.faults for sentence in own[field]) or any(map(told, box.boxes))

    return any(map(told, shown))
