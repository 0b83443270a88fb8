"""What of the center lies within somebody's scope."""

from typing import Any

from callcenter.adapters.web.access import NotAllowed
from callcenter.adapters.web.api.endpoint import Asked
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import not_found
from callcenter.domain.rights import Of, Right, may, of_queue


def check(asked: Asked[Any, Any], right: Right, of: Of) -> None:
    """Raises NotAllowed."""
    if not may(asked.signed, right, of):
        raise NotAllowed(right)


def queues(asked: Asked[Any, Any]) -> list[str] | None:
    """Those that a list may show; None: all, and what belongs to none."""
    limit = asked.signed.scope.queues
    return None if limit is None else sorted(limit)


def known_queue(asked: Asked[Any, Any], ports: Ports, right: Right) -> str:
    """The queue of the path, if there is one and it may be seen. Raises Problem, NotAllowed."""
    name = asked.path["queue"]
    check(asked, right, of_queue(name))
    if name not in ports.configured().queues:
        raise not_found(f"there is no queue '{name}'")
    return name


def known_agent(asked: Asked[Any, Any], ports: Ports, *rights: Right) -> str:
    """The agent of the path, if there is one and any of the rights reaches her. Raises Problem, NotAllowed."""
    name = asked.path["agent"]
    of = ports.configured().agent(name)
    if not any(may(asked.signed, right, of) for right in rights):
        raise NotAllowed(rights[0])
    if name not in ports.configured().agents:
        raise not_found(f"there is no agent '{name}'")
    return name


def check_row_queue(asked: Asked[Any, Any], right: Right, queue: str) -> None:
    """Of something that belongs to a queue, or to none (empty), which only who has no limit may see."""
    check(asked, right, of_queue(queue) if queue else Of(queues=frozenset()))
