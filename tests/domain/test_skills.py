"""Skill rules: what they mean, what is wrong with what is none, and how far an agent is from a soft one."""

from itertools import product

import hypothesis.strategies as st
import pytest
from hypothesis import given

from callcenter.domain.skills import ALWAYS, MISSING, RuleError, both, gap, meets, parse, skills_of, unmet, waive

ALICE = {"spanish": 80, "billing": 0}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("", True),
        ("spanish", True),
        ("billing", True),  # skill 0 is a skill
        ("french", False),
        ("spanish >= 80 and spanish <= 80 and spanish == 80", True),
        ("spanish > 80 or spanish < 80 or spanish != 80", False),
        ("french < 60", False),  # no skill is not skill 0
        ("not french >= 60", True),
        ("billing < 60", True),
        ("not (spanish and french)", True),
        ("not (spanish or french)", False),
        ("not not spanish", True),
        ("spanish >= 60 and (billing or not trainee)", True),
        ("french or spanish and billing >= 1", False),  # 'and' binds closer
        ("(french or spanish) and billing", True),
    ],
)
def test_a_rule_holds_or_not(rule: str, holds: bool) -> None:
    assert meets(parse(rule), ALICE) is holds
    assert (unmet(parse(rule), ALICE) == "") is holds
    assert (gap(parse(rule), ALICE) == 0) is holds


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("spanish >=", 11, "a level from 0 to 100"),
        ("spanish >= 101", 12, "a level from 0 to 100"),
        ("spanish and", 12, "a skill is expected instead of the end"),
        ("and spanish", 1, "a skill is expected instead of 'and'"),
        ("(spanish or billing", 20, "')' is missing"),
        ("spanish billing", 9, "'and', 'or' or the end"),
        ("spanish & billing", 9, "'&' has no meaning"),
        ("spanish)", 8, "'and', 'or' or the end"),
        ("60 <= spanish", 1, "a skill is expected instead of '60'"),
        ("(" * 60 + "a" + ")" * 60, 51, "nested too deep"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(text: str, position: int, says: str) -> None:
    with pytest.raises(RuleError, match="at character") as refused:
        parse(text)
    assert refused.value.position == position
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "distance"),
    [
        ("spanish >= 90", 10),
        ("spanish > 80", 1),
        ("spanish <= 70", 10),
        ("spanish == 75", 5),
        ("billing >= 60", 60),
        ("french", MISSING),
        ("french >= 10", MISSING),
        ("spanish >= 90 and billing >= 5", 15),
        ("spanish >= 90 or billing >= 5", 5),
        ("not spanish", 1),
    ],
)
def test_the_distance_from_a_soft_requirement(rule: str, distance: int) -> None:
    assert gap(parse(rule), ALICE) == distance


def test_what_is_missing_is_said_with_what_is_there() -> None:
    assert unmet(parse("spanish >= 90 and (french or billing > 0)"), ALICE) == (
        "spanish >= 90 (has 80) and french (has none) or billing > 0 (has 0)"
    )


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("spanish >= 60 and billing", "billing"),
        ("spanish or trainee", ""),
        ("not spanish and billing", "billing"),
        ("not (spanish or french)", "not french"),
        ("spanish", ""),
    ],
)
def test_a_waived_skill_is_taken_for_met(rule: str, left: str) -> None:
    assert waive(parse(rule), {"spanish"}) == parse(left)


def test_both() -> None:
    assert both(ALWAYS, parse("a")) == parse("a")
    assert both(parse("a or b"), parse("c and d")) == parse("(a or b) and c and d")
    assert list(skills_of(parse("(a or b) and not c"))) == ["a", "b", "c"]


RULES = st.recursive(
    st.sampled_from(["a", "b", "a >= 50", "b < 20", "c != 7"]),
    lambda inner: st.one_of(
        inner.map(lambda rule: f"not ({rule})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map("({0[0]}) {0[1]} ({0[2]})".format),
    ),
    max_leaves=6,
)


@given(RULES)
def test_a_rule_means_what_python_would_make_of_it_and_reads_back_as_itself(text: str) -> None:
    rule = parse(text)
    assert parse(str(rule)) == rule
    assert meets(parse(f"not ({text})"), ALICE) is not meets(rule, ALICE)
    for a, b, c in product([None, 0, 49, 50], [None, 19, 20], [None, 7, 8]):
        levels = {name: level for name, level in {"a": a, "b": b, "c": c}.items() if level is not None}
        tests = {"a >= 50": a is not None and a >= 50, "b < 20": b is not None and b < 20, "c != 7": c is not None and c != 7}
        python = text
        for test, holds in tests.items():
            python = python.replace(test, str(holds))
        assert meets(rule, levels) is eval(python, {"a": a is not None, "b": b is not None})
        assert (gap(rule, levels) == 0) is meets(rule, levels)
