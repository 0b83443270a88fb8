"""Alerts in PostgreSQL: each fires once, its mails and webhook messages with it or not at all."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from callcenter.adapters.db.alerts import PostgresAlerts
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.webhooks import PostgresWebhooks
from callcenter.adapters.mail.alert_mail import SmtpAlertMailer
from callcenter.adapters.mail.smtp import MailServer, SmtpMailer
from callcenter.adapters.webhooks.http import HttpSender
from callcenter.domain.alerts import AlertRule, Severity
from callcenter.domain.conditions import Comparator, Condition, Figure, Metric
from callcenter.services.alert_keeper import AlertKeeper, AlertsAway, OpenAlert
from callcenter.services.consoles import Consoles
from callcenter.services.control import Json, JsonObject
from callcenter.services.replica import Replica
from callcenter.services.webhooks import Deliverer, Wanted
from tests.support.smtp import smtp_sink
from tests.support.watched_center import WatchedCenter, browsers
from tests.support.webhook_receiver import webhook_receiver

ZONE = ZoneInfo("America/New_York")
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


async def test_two_agents_of_one_rule_are_two_alerts(database_url: str) -> None:
    engine = connect(database_url, name="test")
    store = PostgresAlerts(engine)
    rule = AlertRule("long break", Condition(Figure.NOT_READY_FOR, Comparator.ABOVE, 900), "support")
    await store.put_rule(rule)
    assert list(await store.rules()) == [rule]
    alice, bob = (OpenAlert("long break", "support", "warning", f"long break: {name}", NOW, name) for name in ("alice", "bob"))
    assert await store.fire(rule, alice)
    assert await store.fire(rule, bob)
    assert not await store.fire(rule, bob)
    assert await store.resolve(alice, (), NOW)
    assert list(await store.firing()) == [bob]
    await engine.dispose()


async def test_an_alert_reaches_the_mailbox_and_the_subscriber(database_url: str, tmp_path: Path) -> None:
    """By the real server's protocol, and by a request that the subscriber can check; both ends of it."""
    engine = connect(database_url, name="test", pool_size=4)
    center, sender, key = WatchedCenter(browsers("alice")), HttpSender(allow_private=lambda: True), b"k" * 32
    webhooks = PostgresWebhooks(engine)
    rule = AlertRule("engine", Condition(Figure.ENGINE_LAG, Comparator.ABOVE, 0.5), mail=("ops@example.org",))
    lag = {Figure.ENGINE_LAG: 0.9}
    async with smtp_sink() as sink, webhook_receiver() as receiver:
        store = PostgresAlerts(engine)
        await store.put_rule(rule)
        await webhooks.add("wh_1", Wanted(receiver.url, ("alert.fired", "alert.resolved")), "admin", NOW)
        server = MailServer("127.0.0.1", sink.port, "none", "alerts@center.example", timeout=5)
        mailer = SmtpAlertMailer(SmtpMailer(server, lambda: None, tmp_path, "Example", ZONE), server, "Example", ZONE)
        replica = cast(Replica, center)
        consoles = Consoles(replica, _nothing)
        keeper = AlertKeeper(replica, store, consoles, mailer, lambda: center.world.now, lambda: lag)
        deliverer = Deliverer(webhooks, sender, key, lambda: center.world.now)
        for value in (0.9, 0.1):
            lag[Figure.ENGINE_LAG] = value
            await keeper.look()
            while await deliverer.step():
                await deliverer.idle()
            assert await keeper.send_some() == 1
            center.world.run_for(1)
        said = "engine: center engine lag > 0.5 (now 0.9)"
        assert [mail["Subject"] for mail in sink.mails] == [f"Alert: {said}", f"Over: {said}"]
        assert sink.recipients == [["ops@example.org"]] * 2
        told = [json.loads(body) for _, body in receiver.got]
        assert [(each["type"], each["data"]["rule"], each["data"]["severity"]) for each in told] == [
            ("alert.fired", "engine", "warning"),
            ("alert.resolved", "engine", "warning"),
        ]
    await sender.close()
    await engine.dispose()


async def _nothing(do: str, **fields: Json) -> JsonObject:
    return {}
