"""Teams and skills: ``[[team]]`` and ``[[skill]]`` of ``callcenter.toml``."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from callcenter.domain.config import TeamConfig
from callcenter.runtime.settings_fields import Name, Plain, Section
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings


class TeamSection(Section):
    """Agents under one supervisor. An agent is in one team at most."""

    name: Name
    supervisor: Name | None = None
    """The sign-in name of the person who leads it."""
    agents: tuple[Name, ...] = ()


class SkillSection(Section):
    """A skill that agents may have. Once any is written here, there are no others."""

    name: Name
    description: Plain | None = None


def teams(settings: "Settings") -> Mapping[str, TeamConfig]:
    """As the core reads them."""
    return {team.name: TeamConfig(team.name, team.supervisor or "", team.agents) for team in settings.teams}


def team_faults(settings: "Settings") -> Iterator[Problem]:
    """Teams of agents who do not exist, or are in two of them."""
    names = [agent.name for agent in settings.agents]
    placed: dict[str, str] = {}
    for index, team in enumerate(settings.teams):
        key = f"team[{index}]"
        if team.name in [other.name for other in settings.teams[:index]]:
            yield Problem(f"{key}.name", f"'{team.name}' is there already; each team needs a name of its own")
        for place, name in enumerate(team.agents):
            if name not in names:
                yield Problem(f"{key}.agents[{place}]", f"names agent '{name}', who does not exist{_near(name, names)}")
            elif name in placed:
                yield Problem(f"{key}.agents[{place}]", f"'{name}' is in team '{placed[name]}' already; an agent is in one team at most")
            placed.setdefault(name, team.name)


def skill_faults(settings: "Settings") -> Iterator[Problem]:
    """Skills of agents that are not among those written as ``[[skill]]``, if any are."""
    names = [skill.name for skill in settings.skills]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(f"skill[{index}].name", f"'{name}' is there already")
    for index, agent in enumerate(settings.agents if names else ()):
        for name in agent.skills:
            if name not in names:
                yield Problem(f"agent[{index}].skills.{name}", f"is none of the [[skill]]s{_near(name, names)}: {', '.join(names)}")


def _near(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=1, cutoff=0.65)
    return f" (did you mean '{near[0]}'?)" if near else ""
