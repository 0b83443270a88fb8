"""What callcenter.toml says about supervisors: who may hear whose contacts, and whether agent and caller are told."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from callcenter.domain.config import SupervisorConfig
from callcenter.domain.supervision_modes import EVERY_QUEUE
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings


def supervisors(settings: "Settings") -> dict[str, SupervisorConfig]:
    return {section.name: SupervisorConfig(section.name, section.queues) for section in settings.supervisors}


def supervision_faults(settings: "Settings") -> Iterator[Problem]:
    agents, queues = [agent.name for agent in settings.agents], [queue.name for queue in settings.queues]
    for index, section in enumerate(settings.supervisors):
        if section.name not in agents:
            there = f"[[agent]] has: {', '.join(agents) or 'nobody'}"
            yield Problem(
                f"supervisor[{index}].name",
                f"'{section.name}' has no phone; it needs an [[agent]] of that name, maybe without queues; {there}",
            )
        for place, queue in enumerate(section.queues):
            if queue not in (EVERY_QUEUE, *queues):
                known = ", ".join(queues) or "none"
                yield Problem(
                    f"supervisor[{index}].queues[{place}]", f"names queue '{queue}', which does not exist; '*' means all; queues: {known}"
                )
