"""Alerts of this moment: judged once a second from the replica, kept in the database, told to screens, webhooks and by mail.

What fires is compared with what the database holds as firing, so nothing is told twice, and a restart goes on where it was. While the
database is away, screens are told all the same and mails go out at once, tried again each second; what fired is written down, and told to
webhooks, when it is back.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from callcenter.domain.alert_figures import Vitals, measured
from callcenter.domain.alerts import About, AlertRule, AlertWatch, Firing, Key, sentence
from callcenter.services.consoles import Console, Consoles
from callcenter.services.control import Json
from callcenter.services.replica import Replica
from callcenter.services.voicemail_mail import MOST_ATTEMPTS, NotTaken, pause

log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0
READ_EVERY = 5.0
"""Seconds between two looks at the rules, which another process may have changed."""
MAIL_EVERY = 2.0
MAILS_AT_ONCE = 20


class AlertsAway(Exception):
    """The database does not answer."""


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """One that fires, as it is kept."""

    rule: str
    queue: str
    severity: str
    text: str
    fired_at: datetime
    subject: str = ""
    """The agent or the node that it is about; empty: the queue, or the center."""

    @property
    def key(self) -> Key:
        return self.rule, About(self.queue, self.subject)


@dataclass(frozen=True, slots=True)
class AlertMail:
    """One mail that is due."""

    number: int
    recipient: str
    text: str
    at: datetime
    fired: bool
    attempt: int


class AlertStore(Protocol):
    """Where rules and alerts are kept. Everything raises AlertsAway."""

    async def rules(self) -> Sequence[AlertRule]: ...

    async def firing(self) -> Sequence[OpenAlert]: ...

    async def fire(self, rule: AlertRule, alert: OpenAlert) -> bool:
        """Keep that it fires, and that all are to be told; False: somebody else has."""
        ...

    async def resolve(self, alert: OpenAlert, mail: Sequence[str], at: datetime) -> bool: ...

    async def next_mail(self, now: datetime) -> AlertMail | None:
        """Take the one that is due longest; it is due again some minutes later, unless ``settle`` is called."""
        ...

    async def settle(self, mail: AlertMail, due_at: datetime | None, why: str) -> None:
        """``due_at`` None: it is done with, one way or the other."""
        ...


@dataclass(slots=True)
class _Unkept:
    """One that fired while the database was away."""

    rule: AlertRule
    alert: OpenAlert
    unmailed: list[str]


class AlertMailer(Protocol):
    async def send_alert(self, mail: AlertMail) -> None:
        """Raises NotTaken."""
        ...


class AlertKeeper:
    """One of any number; the database lets each alert fire once."""

    def __init__(
        self,
        replica: Replica,
        store: AlertStore,
        consoles: Consoles,
        mailer: AlertMailer | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        vitals: Callable[[], Vitals] = dict,
        trunks: Callable[[], Mapping[str, bool] | None] = lambda: None,
    ) -> None:
        """``vitals``: the figures of the center that no state holds; ``trunks``: which can be reached. What is known, at once."""
        self._replica, self._store, self._consoles, self._mailer, self._clock = replica, store, consoles, mailer, clock
        self._watch = AlertWatch()
        self._rules: dict[str, AlertRule] = {}
        self._open: dict[Key, OpenAlert] | None = None
        """None: not read yet."""
        self._unkept: dict[Key, _Unkept] = {}
        self._vitals, self._trunks = vitals, trunks
        self._read_at = 0.0
        consoles.beside = self._beside

    @property
    def open(self) -> Sequence[OpenAlert]:
        return [*(self._open or {}).values(), *(unkept.alert for unkept in self._unkept.values())]

    def read_soon(self) -> None:
        """The rules have changed."""
        self._read_at = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        mailing = asyncio.create_task(self._mail())
        try:
            while True:
                try:
                    await self.look()
                except AlertsAway as error:
                    log.warning("alerts_not_kept", why=str(error))
                except Exception as bug:
                    log.error("alerts_failed", exc_info=bug)
                await asyncio.sleep(LOOK_EVERY)
        finally:
            mailing.cancel()
            await asyncio.gather(mailing, return_exceptions=True)

    async def look(self) -> None:
        """Judge, and write down what has changed. Raises AlertsAway when that could not be done, or nobody knows any rules yet."""
        away: AlertsAway | None = None
        try:
            await self._read()
        except AlertsAway as error:
            if self._open is None:
                raise
            away = error
        firing = self._judge()
        now = self._clock()
        fresh = [alert for one in firing.values() if (alert := await self._fire(one, now)) is not None]
        over = [alert for alert in self.open if alert.key not in firing]
        for alert in over:
            try:
                await self._resolve(alert, now)
            except AlertsAway as error:
                away = error
        if fresh or over:
            self._tell(fresh)
        await self._make_up()
        if away is not None:
            raise away

    def _judge(self) -> Mapping[Key, Firing]:
        """What holds now. While the engine does not answer, what it alone could tell stays as it was."""
        state, now = self._replica.state if self._replica.here else None, self._clock()
        vitals, trunks = self._vitals(), self._trunks()
        firing = self._watch.look(list(self._rules.values()), lambda rule: measured(rule, state, vitals, trunks, now), now)
        return {one.key: one for one in firing}

    async def _read(self) -> None:
        elapsed = asyncio.get_running_loop().time()
        if self._open is not None and self._read_at and elapsed - self._read_at < READ_EVERY:
            return
        self._rules = {rule.name: rule for rule in await self._store.rules()}
        kept = {alert.key: alert for alert in await self._store.firing()}
        if self._open is None:
            self._watch.resume({key: alert.fired_at for key, alert in kept.items()})
        changed, self._open, self._read_at = kept != (self._open or {}), kept, elapsed
        if changed:
            self._tell([])

    async def _fire(self, firing: Firing, now: datetime) -> OpenAlert | None:
        """None: it is known, or somebody else has told it."""
        assert self._open is not None
        if firing.key in self._open or firing.key in self._unkept:
            return None
        rule, about = firing.rule, firing.about
        alert = OpenAlert(rule.name, about.queue, rule.severity.value, sentence(rule, about, firing.value), now, about.subject)
        log.warning("alert_fires", rule=alert.rule, queue=alert.queue, subject=alert.subject, severity=alert.severity)
        try:
            if not await self._store.fire(rule, alert):
                self.read_soon()
                return None
        except AlertsAway:
            self._unkept[alert.key] = _Unkept(rule, alert, list(rule.mail))
            return alert
        self._open[alert.key] = alert
        return alert

    async def _resolve(self, alert: OpenAlert, now: datetime) -> None:
        """Raises AlertsAway."""
        assert self._open is not None
        unkept = self._unkept.get(alert.key)
        if unkept is not None:
            await self._keep(unkept)
        rule = self._rules.get(alert.rule)
        await self._store.resolve(alert, rule.mail if rule is not None else (), now)
        self._open.pop(alert.key, None)
        log.info("alert_resolved", rule=alert.rule, queue=alert.queue, subject=alert.subject)

    # --- while the database is away -------------------------------------------------------------

    async def _make_up(self) -> None:
        """Write down what could not be."""
        for unkept in list(self._unkept.values()):
            with contextlib.suppress(AlertsAway):
                await self._keep(unkept)

    async def mail_unkept(self) -> None:
        """Mail what nobody could write down, as far as the server takes it."""
        for unkept in list(self._unkept.values()):
            for recipient in list(unkept.unmailed):
                unkept.unmailed.remove(recipient)  # whoever writes it down meanwhile does not have it mailed twice
                if not await self._mailed(unkept.alert, recipient):
                    unkept.unmailed.append(recipient)

    async def _keep(self, unkept: _Unkept) -> None:
        """With the mails that nobody took yet, and the webhooks. Raises AlertsAway."""
        assert self._open is not None
        await self._store.fire(replace(unkept.rule, mail=tuple(unkept.unmailed)), unkept.alert)
        self._unkept.pop(unkept.alert.key, None)
        self._open[unkept.alert.key] = unkept.alert

    async def _mailed(self, alert: OpenAlert, recipient: str) -> bool:
        """Whether there is nothing more to be done about it."""
        if self._mailer is None:
            return True
        try:
            number = int(alert.fired_at.timestamp() * 1000)
            await self._mailer.send_alert(AlertMail(number, recipient, alert.text, alert.fired_at, True, 1))
        except NotTaken as error:
            log.warning("alert_mail_not_taken", rule=alert.rule, why=str(error), final=error.forever)
            return error.forever
        return True

    # --- screens --------------------------------------------------------------------------------

    def _beside(self, console: Console) -> dict[str, Json]:
        return {"alerts": [_shown(alert) for alert in self.open if console.sees(alert.queue)]}

    def _tell(self, fresh: Sequence[OpenAlert]) -> None:
        for console in self._consoles.open_consoles():
            seen = self._beside(console)
            told: list[Json] = [alert.text for alert in fresh if console.sees(alert.queue)]
            if console.sees("") or seen["alerts"] or told or console.shown.get("alerts"):
                console.shown["alerts"] = b"told" if seen["alerts"] else b""
                console.tell("alerts", **seen, fresh=told)

    # --- mail -----------------------------------------------------------------------------------

    async def _mail(self) -> None:
        while self._mailer is not None:
            try:
                await self.mail_unkept()
                await self.send_some()
            except AlertsAway as error:
                log.warning("alert_mail_waits", why=str(error))
            await asyncio.sleep(MAIL_EVERY)

    async def send_some(self) -> int:
        """Send what is due; how many were taken. Raises AlertsAway."""
        sent = 0
        assert self._mailer is not None
        for _ in range(MAILS_AT_ONCE):
            now = self._clock()
            mail = await self._store.next_mail(now)
            if mail is None:
                break
            try:
                await self._mailer.send_alert(mail)
            except NotTaken as error:
                final = error.forever or mail.attempt >= MOST_ATTEMPTS
                log.warning("alert_mail_not_taken", alert=mail.number, attempt=mail.attempt, why=str(error), final=final)
                await self._store.settle(mail, None if final else now + pause(mail.attempt), str(error)[:500])
                if not final:
                    break  # the server has trouble; the others will be tried next time
            else:
                await self._store.settle(mail, None, "")
                sent += 1
        return sent


def _shown(alert: OpenAlert) -> dict[str, Json]:
    shown: Mapping[str, str] = {
        "rule": alert.rule,
        "queue": alert.queue,
        "subject": alert.subject,
        "severity": alert.severity,
        "text": alert.text,
    }
    return {**shown, "fired_at": alert.fired_at.isoformat()}


RETRY_AFTER = timedelta(minutes=5)
"""A mail that somebody took and said nothing of is due again."""
