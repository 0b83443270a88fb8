"""Documents: what is the same, what is another, and what a change means for people."""

import pytest

from callcenter.domain.consequences import Consequence, Moment, What, consequences, words
from callcenter.domain.documents import FieldChange, changed, difference, digest, moved, plain

ALICE = {"name": "alice", "queues": ["sales", "support"]}
BOB = {"name": "bob", "queues": ["support"]}
SALES, SUPPORT = {"name": "sales"}, {"name": "support", "ring_timeout_s": 15, "overflow": [{"to": "callback"}, {"to": "goodbye"}]}
BEFORE = {"queue/sales": SALES, "queue/support": SUPPORT, "agent/alice": ALICE, "agent/bob": BOB}


def test_a_changed_document_is_told_field_by_field() -> None:
    after = {**BEFORE, "queue/support": {"name": "support", "wrap_up_s": 5, "overflow": [{"to": "callback"}, {"to": "flow:sorry"}]}}
    (change,) = difference(BEFORE, after)
    assert change.key == "queue/support"
    assert change.fields == (
        FieldChange("ring_timeout_s", 15, None),
        FieldChange("overflow[1].to", "goodbye", "flow:sorry"),
        FieldChange("wrap_up_s", None, 5),
    )


def test_a_list_of_names_is_told_whole() -> None:
    (change,) = difference(BEFORE, {**BEFORE, "agent/bob": {**BOB, "queues": ["support", "sales"]}})
    assert change.fields == (FieldChange("queues", ["support"], ["support", "sales"]),)


def test_changes_keep_the_order_and_put_what_is_new_last() -> None:
    after = changed(BEFORE, {"queue/sales": {"name": "sales", "wrap_up_s": 1}, "agent/bob": None, "queue/vip": {"name": "vip"}})
    assert list(after) == ["queue/sales", "queue/support", "agent/alice", "queue/vip"]
    assert [(each.key, each.before is None, each.after is None) for each in difference(BEFORE, after)] == [
        ("agent/bob", False, True),
        ("queue/sales", False, False),
        ("queue/vip", True, False),
    ]


def test_the_order_within_a_kind_counts_and_that_of_kinds_does_not() -> None:
    other = dict(reversed(BEFORE.items()))
    kinds = {key: BEFORE[key] for key in ("agent/alice", "agent/bob", "queue/sales", "queue/support")}
    assert digest(BEFORE) == digest(kinds) != digest(other)
    assert moved(BEFORE, kinds) == ()
    assert moved(BEFORE, other) == ("agent", "queue")
    assert moved(BEFORE, {**BEFORE, "queue/vip": {}}) == ()


def test_what_has_no_place_in_a_document_is_refused() -> None:
    assert plain({"a": (1.0, 2.5), "b": None}) == {"a": [1, 2.5]}
    with pytest.raises(ValueError, match="nan"):
        plain(float("nan"))


def test_who_loses_a_queue_and_who_waits_in_it_is_told() -> None:
    after = {"queue/support": SUPPORT, "agent/alice": {"name": "alice", "queues": []}, "queue/vip": {"name": "vip"}}
    moment = Moment({"support": 2, "sales": 1}, {"bob": "talking", "alice": "ready"})
    found = list(consequences(BEFORE, after, moment))
    assert found == [
        Consequence(What.QUEUE_GONE, "sales", 1, 1),
        Consequence(What.QUEUE_LOST, "support", 2, 2),
        Consequence(What.QUEUE_UNSERVED, "support", 0, 2),
        Consequence(What.AGENT_GONE, "bob", state="talking"),
    ]
    assert [words(each) for each in found] == [
        "queue sales takes nobody any more; 1 caller waits in it and will be served to the end",
        "2 agents lose queue support; 2 callers wait in it",
        "nobody is left who serves queue support; 2 callers wait in it",
        "agent bob is talking and leaves, after her contact if she is in one",
    ]
    assert words(Consequence(What.QUEUE_WON, "sales", 2)) == "2 more agents serve queue sales"
    assert words(Consequence(What.QUEUE_LOST, "sales", 1)) == "1 agent loses queue sales"


def test_numbers_that_lead_elsewhere_are_told() -> None:
    before = {"number/+1": {"did": "+1", "flow": "main"}, "number/+2": {"did": "+2", "flow": "main"}}
    found = list(consequences(before, {"number/+1": {"did": "+1", "flow": "other"}}, Moment()))
    assert found == [Consequence(What.NUMBER_MOVED, "+1"), Consequence(What.NUMBER_GONE, "+2")]
