"""Which right each request about others needs and upon what, and what the audit trail says of it."""

import pytest

from callcenter.domain.permitted import DEEDS, OTHERS, deed, refusal
from callcenter.domain.rights import Right, Scope, Signed
from callcenter.domain.state import State
from callcenter.sim.world import small_center

STATE = State(small_center(agents=("alice",)))


def test_without_the_right_nothing_is_permitted_and_with_it_and_no_limits_everything() -> None:
    for do, right in OTHERS.items():
        assert right.value in str(refusal(Signed("sue", "Sue"), do, {}, STATE))
        assert refusal(Signed("sue", "Sue", rights=frozenset({right})), do, {}, STATE) is None


@pytest.mark.parametrize(
    ("do", "fields"),
    [
        ("agent_force", {"agent": "alice"}),
        ("supervise_begin", {"agent": "alice"}),
        ("contact_move", {"contact": "c", "queue": "support"}),
        ("contact_move", {"contact": "c", "agent": "alice"}),
        ("callback_add", {"queue": "support"}),
        ("notice_send", {"agents": ["sam", "alice"]}),
        ("notice_send", {}),
        ("calendar_switch", {"calendar": "office"}),
    ],
)
def test_what_lies_outside_of_her_scope_is_not(do: str, fields: dict[str, object]) -> None:
    limited = Signed("sid", "Sid", rights=frozenset(Right), scope=Scope(queues=frozenset({"sales"})))
    assert str(refusal(limited, do, fields, STATE)).endswith("there")


def test_to_herself_whatever_her_scope() -> None:
    sam = Signed("sam", "Sam", rights=frozenset(Right), scope=Scope(queues=frozenset({"sales"})), agent="alice")
    assert refusal(sam, "contact_move", {"contact": "c", "agent": "alice"}, STATE) is None


def test_every_change_leaves_an_entry_with_whom_and_why() -> None:
    assert set(DEEDS) == set(OTHERS) - {"callback_list"}
    forced = deed("agent_force", {"agent": "alice", "state": "not_ready", "reason": "break", "why": "too long", "by": "sue"})
    assert forced is not None
    assert (forced.what, forced.of, forced.reason) == ("state_forced", "agent alice", "too long")
    assert forced.after == {"agent": "alice", "state": "not_ready", "reason": "break"}
    heard = deed("supervise_begin", {"supervisor": "sam", "agent": "alice", "mode": "barge", "reason": "a complaint"}, "alice is away")
    assert heard is not None
    assert (heard.what, heard.of, heard.reason, heard.after["refused"]) == ("supervised", "agent alice", "a complaint", "alice is away")
    moved = deed("contact_move", {"contact": "c", "agent": "alice", "why": ""})
    assert moved is not None
    assert (moved.of, deed("callback_list", {})) == ("contact c", None)
