"""What subscribers are told, and how: signatures as Standard Webhooks has them, pauses that grow, numbers as far as asked for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from callcenter.domain import facts as f
from callcenter.domain import webhook_events as events
from callcenter.domain.events import Cause
from callcenter.domain.webhook_events import TYPES, Numbers, event_of, shown_number, type_of
from callcenter.domain.webhook_url import url_fault
from callcenter.domain.webhooks import (
    DISABLED_AFTER,
    LONGEST_WISH,
    PAUSES,
    Attempted,
    disabled_why,
    message_id,
    pause,
    secret_of,
    signature,
    signatures,
    verified,
)

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
# The example of the convention's own libraries.
SECRET, ID, TIMESTAMP, BODY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'


def test_a_message_is_signed_as_the_convention_says() -> None:
    assert signature(SECRET, ID, TIMESTAMP, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_after_a_rotation_both_secrets_open_a_message() -> None:
    key = b"k" * 32
    former, now = secret_of(key, "wh_1", 1), secret_of(key, "wh_1", 2)
    header = signatures([now, former], ID, TIMESTAMP, BODY)
    assert verified(now, ID, TIMESTAMP, BODY, header)
    assert verified(former, ID, TIMESTAMP, BODY, header)
    assert not verified(secret_of(key, "wh_2", 2), ID, TIMESTAMP, BODY, header)
    assert not verified(now, ID, TIMESTAMP + 1, BODY, header)
    assert not verified(now, ID, TIMESTAMP, BODY + b" ", header)
    assert now.startswith("whsec_")


def test_one_fact_is_one_message_to_each_subscription() -> None:
    journal = UUID(int=7)
    ids = {message_id(journal, seq, n, webhook) for seq in (1, 2) for n in (0, 1) for webhook in ("a", "b")}
    assert len(ids) == 8
    assert message_id(journal, 1, 0, "a") == message_id(journal, 1, 0, "a")


def test_pauses_grow_until_the_message_is_dead() -> None:
    failed = Attempted(500)
    waits = [pause(attempt, failed, 0) for attempt in range(1, len(PAUSES) + 2)]
    assert waits[-1] is None
    growing = [wait for wait in waits if wait is not None]
    assert growing == sorted(growing) == list(PAUSES)
    assert pause(1, failed, 1) == PAUSES[0] * 1.1


def test_a_subscriber_may_ask_for_a_longer_pause_but_not_for_ever() -> None:
    assert pause(1, Attempted(503, retry_after=timedelta(seconds=1)), 0) == PAUSES[0]
    assert pause(1, Attempted(503, retry_after=timedelta(minutes=7)), 0) == timedelta(minutes=7)
    assert pause(1, Attempted(503, retry_after=timedelta(days=700)), 0) == LONGEST_WISH


def test_who_says_gone_is_left_alone_at_once() -> None:
    assert pause(1, Attempted(410), 0) is None
    assert "410" in disabled_why(Attempted(410), None, NOW)


def test_who_has_failed_for_days_is_disabled() -> None:
    assert disabled_why(Attempted(500), NOW - DISABLED_AFTER + timedelta(seconds=1), NOW) == ""
    assert "status 500" in disabled_why(Attempted(500), NOW - DISABLED_AFTER, NOW)
    assert disabled_why(Attempted(0, "no answer in time"), None, NOW) == ""


ENTERED = f.ContactEntered(NOW, "c1", "k1", "support", 0, NOW, NOW, "+12025550123", require="gold", rule="vip")
FACTS: Sequence[f.Fact] = [
    f.CallBegan(NOW, "c1", "node1", "leg1", f.Direction.INBOUND, "+18005550100", "+12025550123", "Ann Example", "trunk", "l1"),
    f.CallBegan(NOW, "c2", "node1", "leg2", f.Direction.OUTBOUND, "+12025550123", "", "", "trunk", "l2"),
    ENTERED,
    f.MessageLeft(NOW, "c1", "node1", "queue:support", "m1", "k1", "+12025550123", "Ann Example", timedelta(seconds=7), NOW),
    f.DoNotCallAdded(NOW, "+12025550123", f.DoNotCallSource.PERSON, note="asked twice, is called Ann Example"),
    f.CallbackCreated(NOW, "b1", "support", "+12025550123", "Ann Example", 0, NOW, NOW, NOW, f.CallbackSource.KEY),
]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
@pytest.mark.parametrize("numbers", Numbers)
def test_no_more_of_a_person_is_told_than_was_asked_for(fact: f.Fact, numbers: Numbers) -> None:
    told = event_of(fact, numbers)
    assert told is not None
    assert "Ann" not in str(told.values)
    assert ("+12025550123" in told.values.values()) is (numbers is Numbers.WHOLE)
    assert any(str(value).endswith("•123") for value in told.values.values()) is (numbers is Numbers.MASKED)


def test_our_own_number_is_nobodys_secret() -> None:
    told = event_of(FACTS[0], Numbers.NONE)
    assert told is not None
    assert told.values["dialed"] == "+18005550100"
    assert told.values["caller"] is None


@pytest.mark.parametrize(("number", "masked"), [("", ""), ("911", "•••"), ("123456", "••••••"), ("1234567", "••••567")])
def test_a_short_number_is_masked_whole(number: str, masked: str) -> None:
    assert shown_number(number, Numbers.MASKED) == masked


def test_spans_are_seconds_and_dates_are_utc() -> None:
    parted = f.ContactParted(
        NOW, "c1", "k1", "support", "alice", timedelta(seconds=61.5), timedelta(0), f.EndedWhy.CALLER_HUNG_UP, NOW + timedelta(minutes=1)
    )
    told = event_of(parted, Numbers.NONE)
    assert told is not None
    assert told.type == "contact.parted"
    assert (told.values["talk_s"], told.values["hold_s"], told.values["why"]) == (61.5, 0.0, "caller_hung_up")
    entered = event_of(ENTERED, Numbers.NONE)
    assert entered is not None
    assert entered.values["entered_at"] == "2026-11-22T15:00:00+00:00"


def test_what_happens_at_agents_own_phones_is_told_to_nobody() -> None:
    assert type_of(f.CallBegan(NOW, "c3", "node1", "leg", f.Direction.INTERNAL, "*11", "", "", "", "l", "alice")) is None
    assert type_of(f.LegUp(NOW, "c1", "leg1")) is None


def test_every_kind_tells_fields_that_its_fact_has() -> None:
    for kind, told in events._KINDS.items():
        assert set(told.fields) <= set(kind.__dataclass_fields__), kind  # type: ignore[attr-defined]
        assert not {"caller_name", "note", "name", "by"} & set(told.fields) or kind is f.DispositionGiven, kind
    assert len(set(TYPES)) == len(TYPES)
    ended = event_of(f.CallEnded(NOW, "c1", Cause.NORMAL), Numbers.NONE)
    assert ended is not None
    assert ended.values == {"call": "c1", "cause": "normal"}


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://crm.example.com/hooks?x=1", ""),
        ("https://crm.example.com:8443/", ""),
        ("http://crm.example.com/", "must begin with https://"),
        ("ftp://crm.example.com/", "must begin with https://"),
        ("https://", "names no host"),
        ("https://me:secret@crm.example.com/", "must not hold a user"),
        ("https://crm.example.com/#a", "fragment"),
        ("https://crm.example.com:99999/", "no URL"),
        ("https://crm.example.com:0/", "port 0"),
        ("https://[::1/", "no URL"),
        ("https://crm.example.com/a b", "without blanks"),
        ("https://crm.example.com/\r\nHost: x", "without blanks"),
        ("https://exämple.com/", "ASCII"),
        ("https://crm.example.com/" + "a" * 1000, "at most 1000"),
        ("javascript:alert(1)", "must begin"),
        ("https://127.0.0.1/", "webhooks.allow_private would allow that"),
        ("https://localhost:8000/", "webhooks.allow_private would allow that"),
        ("https://10.0.0.7/", "webhooks.allow_private would allow that"),
        ("https://[fd00::1]/", "webhooks.allow_private would allow that"),
        ("https://2130706433/", "never asked"),
        ("https://0x7f.1/", "never asked"),
        ("https://169.254.169.254/latest", "never asked"),
        ("https://[::ffff:169.254.169.254]/", "never asked"),
        ("https://1.1.1.1/", ""),
        ("", "must begin"),
    ],
)
def test_where_a_webhook_may_be_sent(url: str, fault: str) -> None:
    said = url_fault(url, allow_private=False)
    assert fault in said
    assert bool(fault) is bool(said)
    assert url_fault("http://127.0.0.1:8000/", allow_private=True) == ""
    assert url_fault("http://localhost:8000/", allow_private=True) == ""
    assert "never asked" in url_fault("http://169.254.169.254/latest", allow_private=True)
