"""Queues and skills: figures of this moment, who waits, and what is configured."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from callcenter.adapters.web.api.endpoint import Asked, Endpoint, Nothing, Shown
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import not_found
from callcenter.adapters.web.api.resources import scope
from callcenter.domain.rights import Right, may, of_queue

TAG = "queues"


class QueueShown(Shown):
    """A queue at this moment."""

    name: str
    waiting: Annotated[int, Field(description="Contacts that wait or are offered.")]
    ready: Annotated[int, Field(description="Agents ready for it.")]
    logged_in: int
    longest_wait_since: AwareDatetime | None
    callbacks: Annotated[int, Field(description="Promises to call back that stand in line.")]
    strategy: str
    target_ratio: Annotated[float, Field(description="Of the service level, 0 to 1 ...")]
    target_wait_s: Annotated[float, Field(description="... within so many seconds.")]


class QueueList(Shown):
    """All queues within scope."""

    items: list[QueueShown]


class Waiting(Shown):
    """A caller who waits."""

    contact: str
    caller: str
    since: AwareDatetime
    priority: int


class Line(Shown):
    """Who waits in a queue, in the order in which they are served; at most a hundred."""

    queue: str
    waiting: int
    items: list[Waiting]


class SkillShown(Shown):
    """A skill, who has it, and which queues require it."""

    name: str
    agents: Annotated[dict[str, int], Field(description="Levels by agent.")]
    required_by: Annotated[list[str], Field(description="Queues.")]


class SkillList(Shown):
    """All skills."""

    items: list[SkillShown]


async def queues(asked: Asked[Nothing, Nothing], ports: Ports) -> QueueList:
    found = _all(await ports.live.picture())
    return QueueList(items=[_shown(each, ports) for each in found if may(asked.signed, Right.SEE_WALLBOARD, of_queue(str(each["name"])))])


async def queue(asked: Asked[Nothing, Nothing], ports: Ports) -> QueueShown:
    return _shown(await _one(asked, ports, Right.SEE_WALLBOARD), ports)


async def waiting(asked: Asked[Nothing, Nothing], ports: Ports) -> Line:
    found = await _one(asked, ports, Right.SEE_CONTACTS)
    return Line.model_validate({"queue": found["name"], "waiting": found["waiting"], "items": found["line"]})


async def skills(asked: Asked[Nothing, Nothing], ports: Ports) -> SkillList:
    return SkillList.model_validate({"items": list(ports.configured().skills)})


async def _one(asked: Asked[Any, Any], ports: Ports, right: Right) -> Mapping[str, Any]:
    name = scope.known_queue(asked, ports, right)
    found = next((each for each in _all(await ports.live.picture()) if each.get("name") == name), None)
    if found is None:
        raise not_found(f"queue '{name}' is configured, but the engine has not taken it over yet; see: callcenter reload")
    return found


def _all(picture: Mapping[str, object]) -> list[Mapping[str, Any]]:
    found = picture.get("queues")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _shown(queue: Mapping[str, object], ports: Ports) -> QueueShown:
    configured = ports.configured().queues.get(str(queue.get("name")), {})
    return QueueShown.model_validate({"strategy": "", "target_ratio": 0.8, "target_wait_s": 20.0, **configured, **queue})


ENDPOINTS = (
    Endpoint("GET", "/queues", queues, "All queues and their figures of this moment", Right.SEE_WALLBOARD, TAG, answers=QueueList),
    Endpoint("GET", "/queues/{queue}", queue, "One queue", Right.SEE_WALLBOARD, TAG, answers=QueueShown),
    Endpoint("GET", "/queues/{queue}/waiting", waiting, "Who waits in it, in order", Right.SEE_CONTACTS, TAG, answers=Line),
    Endpoint("GET", "/skills", skills, "All skills, and who has them", Right.SEE_WALLBOARD, "skills", answers=SkillList),
)
