"""Alerts of this moment: judged once a second from the replica, kept in the database, told to screens, webhooks and by mail.

What fires is compared with what the database holds as firing, so whatever could not be written is tried again, nothing is told twice,
and a restart goes on where it was.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from callcenter.domain.alerts import AlertRule, AlertWatch, Firing, Key, sentence
from callcenter.domain.conditions import Metric
from callcenter.domain.ids import Ids
from callcenter.domain.state import State
from callcenter.domain.turn import Turn
from callcenter.domain.watch import measure
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

    @property
    def key(self) -> Key:
        return self.rule, self.queue


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
    ) -> None:
        self._replica, self._store, self._consoles, self._mailer, self._clock = replica, store, consoles, mailer, clock
        self._watch = AlertWatch()
        self._rules: dict[str, AlertRule] = {}
        self._open: dict[Key, OpenAlert] | None = None
        """None: not read yet."""
        self._read_at = 0.0
        consoles.beside = self._beside

    @property
    def open(self) -> Sequence[OpenAlert]:
        return list((self._open or {}).values())

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
        """Judge, and write down what has changed. Raises AlertsAway."""
        await self._read()
        state = self._replica.state
        if state is None or not self._replica.here:
            return  # nobody can tell; what fires, fires
        now = self._clock()
        queues = [name for name in state.queues if name in state.config.queues]
        firing = {one.key: one for one in self._watch.look(list(self._rules.values()), queues, _measure(state, now), now)}
        fresh = [alert for one in firing.values() if (alert := await self._fire(one, now)) is not None]
        over = [alert for key, alert in list((self._open or {}).items()) if key not in firing]
        for alert in over:
            await self._resolve(alert, now)
        if fresh or over:
            self._tell(fresh)

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
        assert self._open is not None
        if firing.key in self._open:
            return None
        text = sentence(firing.rule, firing.queue, firing.value)
        alert = OpenAlert(firing.rule.name, firing.queue, firing.rule.severity.value, text, now)
        if not await self._store.fire(firing.rule, alert):
            self.read_soon()
            return None
        self._open[alert.key] = alert
        log.warning("alert_fires", rule=alert.rule, queue=alert.queue, severity=alert.severity)
        return alert

    async def _resolve(self, alert: OpenAlert, now: datetime) -> None:
        assert self._open is not None
        rule = self._rules.get(alert.rule)
        await self._store.resolve(alert, rule.mail if rule is not None else (), now)
        self._open.pop(alert.key, None)
        log.info("alert_resolved", rule=alert.rule, queue=alert.queue)

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


def _measure(state: State, now: datetime) -> Callable[[str, Metric], float | None]:
    turn = Turn(state, Ids("alerts"), now, {})
    return lambda queue, metric: measure(turn, state.queues[queue], metric)


def _shown(alert: OpenAlert) -> dict[str, Json]:
    shown: Mapping[str, str] = {"rule": alert.rule, "queue": alert.queue, "severity": alert.severity, "text": alert.text}
    return {**shown, "fired_at": alert.fired_at.isoformat()}


RETRY_AFTER = timedelta(minutes=5)
"""A mail that somebody took and said nothing of is due again."""
