"""Who may hear whose contacts: what is refused at save, with reason and place."""

from collections.abc import Callable
from typing import Any

import pytest

from callcenter.domain.config import SupervisorConfig
from callcenter.domain.facts import SupervisionTold
from tests.runtime.test_settings import accepted, problems

Change = Callable[[dict[str, Any]], object]


def supervisors(*sections: dict[str, Any]) -> Change:
    return lambda raw: raw.update(supervisor=list(sections))


ALICE = {"name": "alice", "queues": ["*"]}
FAULTS: list[tuple[Change, str]] = [
    (supervisors({"name": "zoe", "queues": ["*"]}), "supervisor[0].name: 'zoe' has no phone; it needs an [[agent]] of that name"),
    (supervisors({"name": "alice", "queues": ["nowhere"]}), "supervisor[0].queues[0]: names queue 'nowhere', which does not exist"),
    (supervisors({"name": "alice", "queues": []}), "supervisor[0].queues: "),
    (supervisors({"name": "alice"}), "supervisor[0].queues: is missing"),
    (supervisors({**ALICE, "team": "a"}), "supervisor[0].team: "),
    (supervisors(ALICE, ALICE), "supervisor[1].name: 'alice' is taken by supervisor[0]"),
    (lambda raw: raw["queue"][0].update(supervision="loud"), "queue[0].supervision: "),
]


@pytest.mark.parametrize(("change", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_fault_is_one_sentence_with_its_place(change: Change, sentence: str) -> None:
    (problem,) = problems(change)
    assert problem.startswith(sentence)


def test_what_the_core_reads() -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["supervisor"] = [ALICE]
        raw["queue"][0]["supervision"] = "both"

    settings = accepted(change)
    config = settings.center_config({agent.name: f"phone-of-{agent.name}" for agent in settings.agents})
    assert config.supervisors == {"alice": SupervisorConfig("alice", ("*",))}
    assert config.queues[settings.queues[0].name].supervision_told is SupervisionTold.BOTH
    assert SupervisorConfig("alice", ("*",)).may_hear("anything")
