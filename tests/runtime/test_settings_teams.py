"""``[[team]]`` and ``[[skill]]``."""

from typing import Any

import pytest

from callcenter.domain.config import TeamConfig
from callcenter.runtime.settings import SettingsError, parse

RAW: dict[str, Any] = {
    "center": {"time_zone": "UTC"},
    "queue": [{"name": "support"}],
    "agent": [{"name": name, "queues": ["support"], "skills": {"spanish": 80}} for name in ("alice", "bob", "carol")],
    "team": [{"name": "north", "supervisor": "dana", "agents": ["alice", "bob"]}, {"name": "south"}],
    "skill": [{"name": "spanish", "description": "Spanish, spoken"}, {"name": "billing"}],
}


def test_teams_and_their_agents_reach_the_core() -> None:
    config = parse(RAW).center_config({name: name for name in ("alice", "bob", "carol")})
    assert config.teams == {"north": TeamConfig("north", "dana", ("alice", "bob")), "south": TeamConfig("south")}
    assert {name: agent.team for name, agent in config.agents.items()} == {"alice": "north", "bob": "north", "carol": ""}


def test_rules_may_speak_of_a_written_skill_that_nobody_has_yet() -> None:
    parse({**RAW, "queue": [{"name": "support", "prefer": "billing"}]})


@pytest.mark.parametrize(
    ("table", "value", "said"),
    [
        (
            "team",
            [{"name": "north", "agents": ["alicia"]}],
            "team[0].agents[0]: names agent 'alicia', who does not exist (did you mean 'alice'?)",
        ),
        (
            "team",
            [{"name": "north", "agents": ["bob"]}, {"name": "south", "agents": ["bob"]}],
            "team[1].agents[0]: 'bob' is in team 'north' already; an agent is in one team at most",
        ),
        ("team", [{"name": "a"}, {"name": "a"}], "team[1].name: 'a' is there already; each team needs a name of its own"),
        ("skill", [{"name": "spanisch"}], "agent[0].skills.spanish: is none of the [[skill]]s (did you mean 'spanisch'?): spanisch"),
        ("skill", [{"name": "spanish"}, {"name": "spanish"}], "skill[1].name: 'spanish' is there already"),
    ],
)
def test_what_is_wrong_is_named(table: str, value: object, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse({**RAW, table: value})
    assert f"callcenter.toml: {said}" in refused.value.problems
