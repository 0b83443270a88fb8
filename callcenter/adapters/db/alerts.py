"""Alerts in PostgreSQL (``services.alert_keeper.AlertStore``). An alert, its mails and its webhook messages are written together."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.adapters.db.tables_alerts import alert as alerts
from callcenter.adapters.db.tables_alerts import alert_mail as mails
from callcenter.adapters.db.tables_alerts import alert_rule as rules
from callcenter.domain.alerts import AlertRule, Severity
from callcenter.domain.conditions import Comparator, Condition, figure_of
from callcenter.domain.webhook_events import ALERT_FIRED, ALERT_RESOLVED, WebhookEvent
from callcenter.services.alert_keeper import RETRY_AFTER, AlertMail, AlertsAway, OpenAlert
from callcenter.services.webhooks import body_of

PATIENCE = 4.0
_WEBHOOKS = text("""
    INSERT INTO webhook_message (message_id, webhook_id, type, at, body, state, attempts, due_at, status, why)
    SELECT 'msg_' || md5(:about || ' ' || webhook_id), webhook_id, :type, :at, :body, 'due', 0, :at, 0, ''
    FROM (SELECT webhook_id FROM webhook WHERE enabled AND (events = '{}' OR :type = ANY(events)) FOR KEY SHARE) AS wanted
    ON CONFLICT (message_id) DO NOTHING
""")
_RESOLVE = text("""
    UPDATE alert SET resolved_at = :at
    WHERE rule = :rule AND queue = :queue AND subject = :subject AND resolved_at IS NULL
    RETURNING alert_id
""")
_NEXT_MAIL = text("""
    UPDATE alert_mail SET attempts = attempts + 1, due_at = :again
    WHERE (alert_id, fired, recipient) = (
        SELECT alert_id, fired, recipient FROM alert_mail WHERE due_at <= :now ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING alert_id, fired, recipient, at, attempts, (SELECT said FROM alert WHERE alert.alert_id = alert_mail.alert_id) AS said
""")
_SETTLE = text("UPDATE alert_mail SET due_at = :due_at, why = :why WHERE alert_id = :number AND fired = :fired AND recipient = :recipient")


class PostgresAlerts:
    """The store."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with asyncio.timeout(PATIENCE), self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise AlertsAway(" ".join(str(error).split())[:300] or type(error).__name__) from error

    # --- rules ----------------------------------------------------------------------------------

    async def rules(self) -> Sequence[AlertRule]:
        async with self._transaction() as connection:
            found = (await connection.execute(select(rules).order_by(rules.c.name))).all()
        return [
            AlertRule(
                row.name,
                Condition(figure_of(row.metric), Comparator(row.comparator), row.value, timedelta(seconds=row.lasting_s), row.release),
                row.queue,
                Severity(row.severity),
                tuple(row.mail),
            )
            for row in found
        ]

    async def put_rule(self, rule: AlertRule) -> None:
        """In place of the one of that name, if any."""
        condition = rule.condition
        values = {
            "queue": rule.queue,
            "metric": condition.metric.value,
            "comparator": condition.comparator.value,
            "value": condition.value,
            "lasting_s": condition.lasting.total_seconds(),
            "release": condition.release,
            "severity": rule.severity.value,
            "mail": list(rule.mail),
            "changed_at": text("now()"),
        }
        async with self._transaction() as connection:
            await connection.execute(
                upsert(rules).values(name=rule.name, **values).on_conflict_do_update(index_elements=[rules.c.name], set_=values)
            )

    async def remove_rule(self, name: str) -> None:
        async with self._transaction() as connection:
            await connection.execute(delete(rules).where(rules.c.name == name))

    # --- alerts ---------------------------------------------------------------------------------

    async def firing(self) -> Sequence[OpenAlert]:
        async with self._transaction() as connection:
            found = (await connection.execute(select(alerts).where(alerts.c.resolved_at.is_(None)).order_by(alerts.c.fired_at))).all()
        return [OpenAlert(row.rule, row.queue, row.severity, row.said, row.fired_at, row.subject) for row in found]

    async def past(self, limit: int = 50) -> Sequence[tuple[OpenAlert, datetime | None]]:
        """The latest, and when each was over."""
        async with self._transaction() as connection:
            found = (await connection.execute(select(alerts).order_by(alerts.c.fired_at.desc()).limit(limit))).all()
        return [(OpenAlert(row.rule, row.queue, row.severity, row.said, row.fired_at, row.subject), row.resolved_at) for row in found]

    async def fire(self, rule: AlertRule, alert: OpenAlert) -> bool:
        about = {"rule": alert.rule, "queue": alert.queue, "subject": alert.subject}
        values = {**about, "severity": alert.severity, "said": alert.text, "fired_at": alert.fired_at}
        async with self._transaction() as connection:
            number = await connection.scalar(upsert(alerts).values(**values).on_conflict_do_nothing().returning(alerts.c.alert_id))
            if number is None:
                return False
            await self._tell(connection, number, alert, rule.mail, alert.fired_at, fired=True)
        return True

    async def resolve(self, alert: OpenAlert, mail: Sequence[str], at: datetime) -> bool:
        async with self._transaction() as connection:
            number = await connection.scalar(_RESOLVE, {"rule": alert.rule, "queue": alert.queue, "subject": alert.subject, "at": at})
            if number is None:
                return False
            await self._tell(connection, number, alert, mail, at, fired=False)
        return True

    async def _tell(
        self, connection: AsyncConnection, number: int, alert: OpenAlert, mail: Sequence[str], at: datetime, *, fired: bool
    ) -> None:
        rows = [{"alert_id": number, "fired": fired, "recipient": recipient, "at": at, "due_at": at} for recipient in mail]
        if rows:
            await connection.execute(insert(mails), rows)
        kind = ALERT_FIRED if fired else ALERT_RESOLVED
        about = {"rule": alert.rule, "queue": alert.queue, "subject": alert.subject}
        values = {**about, "severity": alert.severity, "text": alert.text}
        body = body_of(WebhookEvent(kind, at, values))
        await connection.execute(_WEBHOOKS, {"about": json.dumps([kind, number]), "type": kind, "at": at, "body": body})

    # --- mail -----------------------------------------------------------------------------------

    async def next_mail(self, now: datetime) -> AlertMail | None:
        async with self._transaction() as connection:
            row = (await connection.execute(_NEXT_MAIL, {"now": now, "again": now + RETRY_AFTER})).one_or_none()
        return None if row is None else AlertMail(row.alert_id, row.recipient, row.said, row.at, row.fired, row.attempts)

    async def settle(self, mail: AlertMail, due_at: datetime | None, why: str) -> None:
        asked = {"number": mail.number, "fired": mail.fired, "recipient": mail.recipient, "due_at": due_at, "why": why}
        async with self._transaction() as connection:
            await connection.execute(_SETTLE, asked)
