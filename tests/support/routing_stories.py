"""The examples of docs/routing.md, played: settings as people write them, and a story in virtual time.

Each line of a story begins with a second and says what happens then; ``-> Ann: bob`` at its end is who has been offered to
whom since the line before::

     0  alice is ready
    10  Ann calls support            -> Ann: alice
    20  Ann hangs up
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.runtime.settings import Settings, parse
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World

ANSWERS_AFTER = timedelta(seconds=2)
_LINE = re.compile(r"\s*(?P<second>\d+(?:\.\d+)?)\s+(?P<what>.*?)\s*(?:->\s*(?P<offers>.+?)\s*)?$")


@dataclass(frozen=True, slots=True)
class Example:
    title: str
    toml: str
    story: str


def examples(page: str) -> Iterator[Example]:
    """Each ``toml`` block of the page with the ``text`` blocks after it, under their heading."""
    title, toml, fence, block = "", "", "", list[str]()
    for line in page.splitlines():
        if line.startswith("```"):
            if fence == "toml":
                toml = "\n".join(block)
            elif fence == "text" and toml:
                yield Example(title, toml, "\n".join(block))
            fence, block = ("" if fence else line[3:].strip() or "none"), []
        elif fence:
            block.append(line)
        elif line.startswith("#"):
            title, toml = line.lstrip("# "), ""
    assert not fence, "a block without end"


def settings_of(toml: str) -> Settings:
    """The example's settings, in a center that has the rest; each queue and flow has a number of its own."""
    raw = tomllib.loads(toml)
    raw.setdefault("center", {"time_zone": "America/New_York"})
    flows = raw.setdefault("flow", {})
    for queue in raw["queue"]:
        flows.setdefault(queue["name"], {"start": "enter", "node": {"enter": {"type": "queue", "queue": queue["name"]}}})
    raw["number"] = [{"did": f"+1202555{1000 + n}", "flow": name} for n, name in enumerate(flows)]
    return parse(raw, Path("example.toml"))


@dataclass
class Story:
    """A world, and who is who in it."""

    settings: Settings
    world: World = field(init=False)
    legs: dict[str, str] = field(default_factory=dict)
    told: int = 0

    def __post_init__(self) -> None:
        self.world = World(self.settings.center_config({agent.name: f"phone-of-{agent.name}" for agent in self.settings.agents}))
        for agent in self.settings.agents:
            self.phone(agent.name, Mood.ANSWERS)

    def phone(self, agent: str, mood: Mood) -> None:
        self.world.pbx.phones[f"phone-of-{agent}"] = Phone(mood, lambda: ANSWERS_AFTER)

    def play(self, story: str) -> None:
        begin = self.world.now
        for line in story.splitlines():
            text = line.split("#")[0]
            if not text.strip():
                continue
            found = _LINE.match(text + " ")
            assert found, f"not a line of a story: {line!r}"
            self.world.run_until(begin + timedelta(seconds=float(found["second"])))
            if found["what"]:
                self.happen(found["what"])
            assert self.world.faults == []
            offers = self.offers()
            if found["offers"] is not None or offers:
                assert offers == sorted(part.strip() for part in (found["offers"] or "nobody").split(",") if part.strip() != "nobody"), line

    def offers(self) -> list[str]:
        """Those since last asked: ``Ann: bob``."""
        new, self.told = self.world.facts[self.told :], len(self.world.facts)
        callers = {call: fact.caller for fact in self.world.facts if isinstance(fact, f.CallBegan) for call in [fact.call]}
        names = {number_of(name): name for name in self.legs}
        return sorted(f"{names[callers[fact.call]]}: {fact.agent}" for fact in new if isinstance(fact, f.ContactOffered))

    def happen(self, what: str) -> None:
        subject, verb, *rest = what.split()
        full = " ".join([verb, *rest])
        known: dict[str, Callable[[], object]] = {
            "is ready": lambda: self.world.agent_ready(subject),
            "is not ready": lambda: self.world.tell(e.AgentNotReadyRequested(subject, "break")),
            "logs out": lambda: self.world.tell(e.AgentLogoutRequested(subject)),
            "logs in": lambda: self.world.tell(e.AgentLoginRequested(subject)),
            "lets it ring": lambda: self.phone(subject, Mood.RINGS_ON),
            "answers again": lambda: self.phone(subject, Mood.ANSWERS),
            "hangs up": lambda: self.world.pbx.party_hangs_up(self.legs.pop(subject)),
        }
        if full in known:
            known[full]()
        elif verb == "calls":
            did = next(number.did for number in self.world.config.numbers.values() if number.flow == rest[0])
            self.legs[subject] = self.world.pbx.call_in(did, number_of(subject))
        elif verb == "hears":
            assert self.world.pbx.channels[self.legs[subject]].heard[-1] == rest[0]
        else:
            raise AssertionError(f"nobody knows how to do that: {what!r}")


def number_of(caller: str) -> str:
    """Ann always calls from +12025552001, Ben from ...2: the place of the first letter."""
    return f"+1202555{2001 + ord(caller[0]) - ord('A')}"
