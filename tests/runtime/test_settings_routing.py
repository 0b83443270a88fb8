"""Bad input about routing is refused when it is saved: one sentence with the key and the reason."""

import tomllib
from pathlib import Path

import pytest

from callcenter.runtime.settings import SettingsError, parse

GOOD = """
[center]
time_zone = "America/New_York"

[[number]]
did = "+18005550100"
flow = "main"

[flow.main]
start = "in"
[flow.main.node.in]
type = "queue"
queue = "support"

[[queue]]
name = "support"

[[queue]]
name = "sales"

[[agent]]
name = "alice"
queues = ["support", "sales"]
skills = { spanish = 80, billing = 10 }
groups = ["backoffice"]
"""


def problems(text: str) -> list[str]:
    try:
        parse(tomllib.loads(text), Path("c.toml"))
    except SettingsError as error:
        return error.problems
    return []


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def with_queue(lines: str) -> str:
    return changed('name = "support"\n', f'name = "support"\n{lines}\n')


def test_the_example_is_good() -> None:
    assert problems(GOOD) == []


RELAX = "\n[[queue.relax]]\n"


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        (with_queue('require = "spanisch >= 60"'), "queue[0].require", "there is no skill 'spanisch'"),
        (with_queue('require = "spanisch >= 60"'), "queue[0].require", "did you mean 'spanish'?"),
        (with_queue('require = "spanish >= 90"'), "queue[0].require", "can never match: none of the 1 agents"),
        (with_queue('require = "spanish and not spanish"'), "queue[0].require", "can never match"),
        (with_queue('require = "spanish >="'), "queue[0].require", "at character 11"),
        (with_queue('prefer = "french"'), "queue[0].prefer", "there is no skill 'french'"),
        (with_queue('strategy = "random"'), "queue[0].strategy", "'longest_idle'"),
        (with_queue("priority_cap = 5"), "queue[0].priority_cap", "means nothing while priority_per_minute is 0"),
        (with_queue(RELAX + 'waive = ["spanish"]'), "queue[0].relax[0]", "either after_s"),
        (with_queue(RELAX + 'after_s = 10\nwhen = "waiting > 3"\nwaive = ["spanish"]'), "queue[0].relax[0]", "either after_s"),
        (with_queue(RELAX + "after_s = 10"), "queue[0].relax[0]", "changes nothing"),
        (with_queue(RELAX + 'after_s = 10\nfor_s = 3\nrequire = ""'), "queue[0].relax[0]", "belong to when"),
        (with_queue("max_wait_s = 60\n" + RELAX + 'after_s = 60\nrequire = ""'), "queue[0].relax[0].after_s", "comes never"),
        (with_queue(RELAX + 'after_s = 10\ngroups = ["backofice"]'), "queue[0].relax[0].groups", "did you mean 'backoffice'?"),
        (with_queue(RELAX + 'after_s = 10\nwaive = ["french"]'), "queue[0].relax[0].waive", "there is no skill 'french'"),
        (with_queue(RELAX + 'after_s = 10\nrequire = "billing > 10"'), "queue[0].relax[0].require", "can never match"),
        (with_queue(RELAX + 'when = "wating > 3"\nrequire = ""'), "queue[0].relax[0].when", "metrics: ewt, waiting"),
        (with_queue(RELAX + 'when = "service_level < 1.5"\nrequire = ""'), "queue[0].relax[0].when", "service level above 1"),
        (changed('["support", "sales"]', '["support"]'), "queue[1].name", "no agent serves 'sales'"),
        (GOOD + "[agent.queue.care]\nlevel = 1\n", "agent[0].queue.care", "not among her queues: support, sales"),
        (GOOD + "skills_until = { french = 2027-01-31 }\n", "agent[0].skills_until.french", "a skill she does not have"),
        (changed("spanish = 80", "spanish = 101"), "agent[0].skills.spanish", "less than or equal to 100"),
        (changed('queue = "support"\n', 'queue = "support"\nrequire = "french"\n'), "flow.main.node.in.require", "no skill 'french'"),
        (changed('queue = "support"\n', 'queue = "support"\nrequire = "spanish > 80"\n'), "flow.main.node.in.require", "never match"),
        (
            changed('queue = "support"\n', 'queue = "support"\nagent = "bob"\nagent_wait_s = 9\n'),
            "flow.main.node.in.agent",
            "no agent 'bob'",
        ),
        (changed('queue = "support"\n', 'queue = "support"\nagent = "last"\n'), "flow.main.node.in", "belong together"),
        (
            changed('queue = "support"\n', 'queue = "support"\nrequire = "spanish <= 79"\n').replace(
                'name = "support"\n', 'name = "support"\nrequire = "spanish >= 79"\n', 1
            ),
            "flow.main.node.in.require",
            "together with 'spanish >= 79' can never match",
        ),
        (GOOD + '[[routing_rule]]\nname = "r"\nmatch = { dialled = ["1"] }\n', "routing_rule[0].match", "did you mean 'dialed'?"),
        (GOOD + '[[routing_rule]]\nname = "r"\nmatch = { list = ["vip"] }\n', "routing_rule[0].match.list", "no caller list 'vip'"),
        (GOOD + '[[routing_rule]]\nname = "r"\nmatch = { caller = ["+1*"] }\nqueue = "care"\n', "routing_rule[0].queue", "no queue 'care'"),
        (
            GOOD + '[[routing_rule]]\nname = "r"\nmatch = { caller = ["+1*"] }\n'
            '[[routing_rule]]\nname = "s"\nmatch = { caller = ["+1*"], dialed = ["+1"] }\n',
            "routing_rule[1]",
            "never wins: whatever it matches, 'r' matches before it",
        ),
        (
            GOOD + '[[caller_list]]\nname = "vip"\n[[caller_list.entry]]\nnumber = "12x"\nreason = "r"\n',
            "caller_list[0].entry[0].number",
            "is no telephone number",
        ),
        (
            GOOD + '[[caller_list]]\nname = "vip"\nflow = "main"\n[[caller_list.entry]]\nnumber = "+49*"\nreason = "r"\n',
            "caller_list[0].flow",
            "say blocked = true",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(text: str, key: str, says: str) -> None:
    found = problems(text)
    assert any(problem.startswith(f"c.toml: {key}: ") and says in problem for problem in found), found


def test_ring_all_is_for_small_teams() -> None:
    crowd = "".join(f'[[agent]]\nname = "agent{n}"\nqueues = ["support"]\n' for n in range(20))
    (problem,) = problems(with_queue('strategy = "ring_all"') + crowd)
    assert "ring_all is for at most 20 agents, but 21 serve 'support'" in problem


def test_an_expired_certificate_does_not_keep_the_center_from_starting() -> None:
    assert problems(with_queue('require = "spanish"') + "skills_until = { spanish = 2001-01-31 }\n") == []


def test_a_skill_that_nobody_has_yet_may_be_declared() -> None:
    assert problems(with_queue('prefer = "french"') + '[routing]\nskills = ["french"]\n') == []
