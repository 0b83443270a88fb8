"""Alerts in PostgreSQL: each fires once, its mails and webhook messages with it or not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from callcenter.adapters.db.alerts import PostgresAlerts
from callcenter.adapters.db.connection import connect
from callcenter.domain.alerts import AlertRule, Severity
from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.services.alert_keeper import AlertsAway, OpenAlert

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
RULE = AlertRule(
    "crowd",
    Condition(Metric.WAITING, Comparator.ABOVE, 5, timedelta(seconds=30), release=2),
    "support",
    Severity.ALARM,
    ("sue@example.org", "ops@example.org"),
)
ALERT = OpenAlert("crowd", "support", "alarm", "crowd: support waiting > 5", NOW)


async def test_rules_are_kept_changed_and_removed(database_url: str) -> None:
    engine = connect(database_url, name="test")
    store = PostgresAlerts(engine)
    other = AlertRule("slow", Condition(Metric.SERVICE_LEVEL, Comparator.BELOW, 0.8))
    await store.put_rule(RULE)
    await store.put_rule(other)
    assert list(await store.rules()) == [RULE, other]
    await store.put_rule(AlertRule("crowd", other.condition))
    await store.remove_rule("slow")
    assert list(await store.rules()) == [AlertRule("crowd", other.condition)]
    await engine.dispose()


async def test_an_alert_fires_once_and_those_who_are_to_know_are_told_of_both_its_ends(database_url: str) -> None:
    engine = connect(database_url, name="test")
    store = PostgresAlerts(engine)
    async with engine.begin() as connection:
        for name, events in (("all", "{}"), ("alerts", "{alert.fired}"), ("calls", "{call.began}")):
            await connection.execute(
                text(
                    "INSERT INTO webhook (webhook_id, url, events, numbers, note, enabled, why, created_at, created_by, revision,"
                    " generation) VALUES (:name, 'https://example.org', CAST(:events AS text[]), 'none', '', true, '', now(), 'test', 1, 1)"
                ),
                {"name": name, "events": events},
            )
    assert await store.fire(RULE, ALERT)
    assert not await store.fire(RULE, ALERT)
    assert list(await store.firing()) == [ALERT]
    assert await store.resolve(ALERT, RULE.mail, NOW + timedelta(minutes=1))
    assert not await store.resolve(ALERT, RULE.mail, NOW + timedelta(minutes=1))
    assert list(await store.firing()) == []
    assert [over for _, over in await store.past()] == [NOW + timedelta(minutes=1)]
    async with engine.connect() as connection:
        told = (await connection.execute(text("SELECT webhook_id, type, state FROM webhook_message ORDER BY at, webhook_id"))).all()
    assert [tuple(row) for row in told] == [
        ("alerts", "alert.fired", "due"),
        ("all", "alert.fired", "due"),
        ("all", "alert.resolved", "due"),
    ]
    mails = [await store.next_mail(NOW + timedelta(minutes=2)) for _ in range(5)]
    assert sorted((mail.recipient, mail.fired) for mail in mails if mail is not None) == [
        ("ops@example.org", False),
        ("ops@example.org", True),
        ("sue@example.org", False),
        ("sue@example.org", True),
    ]
    first = mails[0]
    assert first is not None
    await store.settle(first, NOW + timedelta(minutes=3), "busy")
    again = await store.next_mail(NOW + timedelta(minutes=3))
    assert again is not None
    assert (again.recipient, again.attempt) == (first.recipient, 2)
    await store.settle(again, None, "")
    assert await store.next_mail(NOW + timedelta(minutes=4)) is None
    await engine.dispose()


async def test_a_database_that_is_away_is_said_so() -> None:
    engine = connect("postgresql://nobody@127.0.0.1:9/none", name="test")
    with pytest.raises(AlertsAway):
        await PostgresAlerts(engine).rules()
    await engine.dispose()
