"""Skills and the rules over them: ``spanish >= 60 and (billing or not trainee)``.

::

    rule  := all ("or" all)*          all := one ("and" one)*
    one   := "not" one | "(" rule ")" | SKILL [">=" ">" "<=" "<" "==" "!=" LEVEL]

A skill alone asks whether the agent has it at all. No skill is not skill 0: every comparison with a skill that the agent does not
have is false, so ``not spanish >= 60`` holds for who has no Spanish, and ``spanish < 60`` does not. Levels are 0 to 100.

A hard requirement is met or not (``meets``). A soft one has a distance (``gap``): how many levels are missing.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne

LOWEST, HIGHEST = 0, 100
Levels = Mapping[str, int]
"""The skills that an agent has, and how well."""


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison; ``wanted`` is False for one that must not hold."""

    skill: str
    op: str = ""
    """Empty: has the skill at all."""
    level: int = 0
    wanted: bool = True

    def __str__(self) -> str:
        text = f"{self.skill} {self.op} {self.level}" if self.op else self.skill
        return text if self.wanted else f"not {text}"


@dataclass(frozen=True, slots=True)
class All:
    """Every part must hold; without parts it always does."""

    parts: tuple["Rule", ...] = ()

    def __str__(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, Any) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Any:
    """One part at least must hold."""

    parts: tuple["Rule", ...]

    def __str__(self) -> str:
        return " or ".join(str(part) for part in self.parts)


Rule = Test | All | Any
"""A ``not`` stands before comparisons only; the parser brings it there."""
ALWAYS = All()

COMPARE: Mapping[str, Callable[[int, int], bool]] = {">=": ge, ">": gt, "<=": le, "<": lt, "==": eq, "!=": ne}
MISSING = HIGHEST + 1
"""The distance from a skill that the agent does not have: farther than from any level of it."""


class RuleError(Exception):
    """The text is no rule: what is wrong, and at which character (from 1)."""

    def __init__(self, sentence: str, position: int) -> None:
        super().__init__(f"{sentence} (at character {position})")
        self.position = position


# --- reading ------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\s*(?:(?P<word>[a-z][a-z0-9_-]*)|(?P<op>>=|<=|==|!=|>|<)|(?P<level>\d+)|(?P<paren>[()]))")
_WORDS = frozenset({"and", "or", "not"})


@lru_cache(maxsize=4096)
def parse(text: str) -> Rule:
    """Read a rule; an empty text always holds. Raises RuleError."""
    if not text.strip():
        return ALWAYS
    reader = _Reader(text)
    rule = reader.rule()
    reader.end()
    return rule


class _Reader:
    """Recursive descent over the tokens: (kind, text, position from 1)."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def rule(self, wanted: bool = True) -> Rule:
        parts = [self._all(wanted)]
        while self._take("or"):
            parts.append(self._all(wanted))
        return _join(Any if wanted else All, parts)

    def _all(self, wanted: bool) -> Rule:
        parts = [self._one(wanted)]
        while self._take("and"):
            parts.append(self._one(wanted))
        return _join(All if wanted else Any, parts)

    def _one(self, wanted: bool) -> Rule:
        kind, text, position = self._tokens[self._next]
        self._depth += 1
        if self._depth > 50:
            raise RuleError("nested too deep", position)
        try:
            if self._take("not"):
                return self._one(not wanted)
            if self._take("("):
                rule = self.rule(wanted)
                if not self._take(")"):
                    raise RuleError(f"')' is missing before {self._here()}", self._tokens[self._next][2])
                return rule
        finally:
            self._depth -= 1
        if kind != "word" or text in _WORDS:
            raise RuleError(f"a skill is expected instead of {self._here()}", position)
        self._next += 1
        return self._comparison(text, wanted)

    def _comparison(self, skill: str, wanted: bool) -> Test:
        kind, op, _ = self._tokens[self._next]
        if kind != "op":
            return Test(skill, wanted=wanted)
        self._next += 1
        kind, level, position = self._tokens[self._next]
        if kind != "level" or not LOWEST <= int(level[:9]) <= HIGHEST:
            raise RuleError(f"a level from {LOWEST} to {HIGHEST} is expected instead of {self._here()}", position)
        self._next += 1
        return Test(skill, op, int(level), wanted)

    def end(self) -> None:
        kind, _, position = self._tokens[self._next]
        if kind != "end":
            raise RuleError(f"'and', 'or' or the end is expected instead of {self._here()}", position)

    def _take(self, text: str) -> bool:
        if self._tokens[self._next][1] != text:
            return False
        self._next += 1
        return True

    def _here(self) -> str:
        kind, text, _ = self._tokens[self._next]
        return "the end" if kind == "end" else f"'{text}'"


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position = 0
    while position < len(text.rstrip()):
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            at = len(text) - len(text[position:].lstrip())
            raise RuleError(f"{text[at]!r} has no meaning in a rule", at + 1)
        yield found.lastgroup, found[found.lastgroup], found.start(found.lastgroup) + 1
        position = found.end()
    yield "end", "", len(text.rstrip()) + 1


def _join(kind: type[All] | type[Any], parts: list[Rule]) -> Rule:
    """Parts of the same kind are taken up."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Rule] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else (part,)
    return kind(tuple(flat))


# --- judging ------------------------------------------------------------------------------------


def both(one: Rule, other: Rule) -> Rule:
    """A rule that holds when both do."""
    parts = [rule for rule in (one, other) if rule != ALWAYS]
    return _join(All, parts) if parts else ALWAYS


def waive(rule: Rule, skills: Collection[str]) -> Rule:
    """The rule with every comparison of these skills taken for met."""
    match rule:
        case Test(skill=skill):
            return ALWAYS if skill in skills else rule
        case All(parts=parts):
            kept = [part for part in (waive(part, skills) for part in parts) if part != ALWAYS]
            return _join(All, kept) if kept else ALWAYS
        case Any(parts=parts):
            left = [waive(part, skills) for part in parts]
            return ALWAYS if ALWAYS in left else _join(Any, left)


def meets(rule: Rule, levels: Levels) -> bool:
    match rule:
        case Test(skill=skill, op=op, level=level, wanted=wanted):
            has = levels.get(skill)
            return (has is not None and (not op or COMPARE[op](has, level))) is wanted
        case All(parts=parts):
            return all(meets(part, levels) for part in parts)
        case Any(parts=parts):
            return any(meets(part, levels) for part in parts)


def gap(rule: Rule, levels: Levels) -> int:
    """How far these skills are from what is wished for: 0 when it is met; parts of ``and`` add up, of ``or`` the nearest counts."""
    match rule:
        case Test():
            return _distance(rule, levels.get(rule.skill))
        case All(parts=parts):
            return sum(gap(part, levels) for part in parts)
        case Any(parts=parts):
            return min(gap(part, levels) for part in parts)


def _distance(test: Test, has: int | None) -> int:
    if not test.wanted:
        return 0 if meets(test, {} if has is None else {test.skill: has}) else 1
    if has is None:
        return MISSING
    if not test.op or COMPARE[test.op](has, test.level):
        return 0
    return max(1, abs(test.level - has) + (test.op in ("<", ">")))


def skills_of(rule: Rule) -> Iterator[str]:
    """The skills that the rule speaks of."""
    if isinstance(rule, Test):
        yield rule.skill
    else:
        for part in rule.parts:
            yield from skills_of(part)


def unmet(rule: Rule, levels: Levels) -> str:
    """What of a rule that is not met is not met, with what is there instead: ``spanish >= 60 (has 40)``; empty when it is met."""
    match rule:
        case _ if meets(rule, levels):
            return ""
        case Test(skill=skill):
            return f"{rule} (has {levels.get(skill, 'none')})"
        case All(parts=parts):
            return " and ".join(missing for part in parts if (missing := unmet(part, levels)))
        case Any(parts=parts):
            return " or ".join(unmet(part, levels) for part in parts)
