"""Alerts are kept and told once, whatever restarts or does not answer, and mailed until the server takes them."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import pytest

from callcenter.domain.alerts import AlertRule, Key
from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.services.alert_keeper import AlertKeeper, AlertMail, AlertsAway, OpenAlert
from callcenter.services.consoles import Consoles, Tab
from callcenter.services.control import Json, JsonObject
from callcenter.services.replica import Replica
from callcenter.services.voicemail_mail import NotTaken
from tests.support.watched_center import WatchedCenter, browsers

CROWD = AlertRule("crowd", Condition(Metric.WAITING, Comparator.ABOVE, 1, timedelta(seconds=10)), mail=("sue@example.org",))


@dataclass
class FakeAlerts:
    """``AlertStore`` in memory; ``away`` makes it not answer."""

    known: list[AlertRule] = field(default_factory=lambda: [CROWD])
    open: dict[Key, OpenAlert] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    mails: list[AlertMail] = field(default_factory=list)
    settled: list[tuple[datetime | None, str]] = field(default_factory=list)
    away: bool = False

    def _here(self) -> None:
        if self.away:
            raise AlertsAway("away")

    async def rules(self) -> Sequence[AlertRule]:
        self._here()
        return self.known

    async def firing(self) -> Sequence[OpenAlert]:
        self._here()
        return list(self.open.values())

    async def fire(self, rule: AlertRule, alert: OpenAlert) -> bool:
        self._here()
        if alert.key in self.open:
            return False
        self.open[alert.key] = alert
        self.told.append(("fired", alert.text))
        return True

    async def resolve(self, alert: OpenAlert, mail: Sequence[str], at: datetime) -> bool:
        self._here()
        self.told.append(("resolved", alert.queue))
        return self.open.pop(alert.key, None) is not None

    async def next_mail(self, now: datetime) -> AlertMail | None:
        self._here()
        return self.mails.pop(0) if self.mails else None

    async def settle(self, mail: AlertMail, due_at: datetime | None, why: str) -> None:
        self.settled.append((due_at, why))


class Office:
    """A center, what keeps its alerts, and a supervisor's console."""

    def __init__(self, store: FakeAlerts | None = None, mailer: "Mailer | None" = None) -> None:
        self.center = WatchedCenter(browsers("alice"))
        self.store = store or FakeAlerts()
        self.mailer = mailer
        self.keeper = self.keep()
        self.tab = Tab(lambda why: None, lambda: None)
        self.consoles.enter("sue", "", self.tab, sees=lambda queue: True)
        self.tab.waiting.clear()

    def keep(self) -> AlertKeeper:
        """A process that has just started."""
        replica = cast(Replica, self.center)
        self.consoles = Consoles(replica, _nothing)
        return AlertKeeper(replica, self.store, self.consoles, self.mailer, lambda: self.center.world.now)

    async def after(self, seconds: float) -> None:
        """Look each second meanwhile."""
        for _ in range(int(seconds)):
            self.center.world.run_for(1)
            self.keeper.read_soon()
            await self.keeper.look()

    def hears(self) -> list[dict[str, object]]:
        told = [json.loads(message) for message in self.tab.waiting]
        self.tab.waiting.clear()
        return [message for message in told if message["event"] == "alerts"]


async def _nothing(do: str, **fields: Json) -> JsonObject:
    return {}


class Mailer:
    def __init__(self, *troubles: NotTaken | None) -> None:
        self.troubles = list(troubles)
        self.sent: list[str] = []

    async def send_alert(self, mail: AlertMail) -> None:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble
        self.sent.append(mail.text)


async def test_it_fires_once_is_told_to_screens_and_is_over(tmp_path: object) -> None:
    office = Office()
    callers = [office.center.world.caller_arrives() for _ in range(3)]
    await office.after(9)
    assert office.store.told == []
    await office.after(20)
    assert office.store.told == [("fired", "crowd: support waiting > 1 for 10 s (now 3)")]
    (told,) = office.hears()
    assert told["fresh"] == ["crowd: support waiting > 1 for 10 s (now 3)"]
    for leg in callers:
        office.center.world.pbx.party_hangs_up(leg)
    await office.after(2)
    assert office.store.told[1:] == [("resolved", "support")]
    assert [message["alerts"] for message in office.hears()] == [[]]


async def test_who_may_not_see_the_queue_is_told_nothing() -> None:
    office = Office()
    stranger = Tab(lambda why: None, lambda: None)
    office.consoles.enter("joe", "", stranger, sees=lambda queue: queue == "sales")
    stranger.waiting.clear()
    for _ in range(3):
        office.center.world.caller_arrives()
    await office.after(15)
    assert len(office.hears()) == 1
    assert not [message for message in stranger.waiting if b'"event":"alerts"' in message]


async def test_a_restart_tells_nothing_twice_and_still_says_when_it_is_over() -> None:
    office = Office()
    callers = [office.center.world.caller_arrives() for _ in range(3)]
    await office.after(15)
    office.keeper = office.keep()
    await office.after(5)
    for leg in callers:
        office.center.world.pbx.party_hangs_up(leg)
    await office.after(2)
    assert [kind for kind, _ in office.store.told] == ["fired", "resolved"]


async def test_what_could_not_be_written_down_is_told_later() -> None:
    office = Office()
    await office.keeper.look()
    office.store.away = True
    for _ in range(3):
        office.center.world.caller_arrives()
    with pytest.raises(AlertsAway):
        await office.after(15)
    office.store.away = False
    await office.after(15)
    assert [kind for kind, _ in office.store.told] == ["fired"]


async def test_while_the_engine_is_away_nothing_is_over() -> None:
    office = Office()
    for _ in range(3):
        office.center.world.caller_arrives()
    await office.after(15)
    office.center.engine_leaves()
    await office.after(5)
    assert [kind for kind, _ in office.store.told] == ["fired"]


async def test_a_rule_that_is_removed_fires_no_more() -> None:
    office = Office()
    for _ in range(3):
        office.center.world.caller_arrives()
    await office.after(15)
    office.store.known.clear()
    await office.after(1)
    assert [kind for kind, _ in office.store.told] == ["fired", "resolved"]


async def test_mail_is_tried_again_unless_the_server_will_never_take_it() -> None:
    mailer = Mailer(NotTaken("busy", forever=False), NotTaken("no such user", forever=True), None)
    office = Office(mailer=mailer)
    now = office.center.world.now
    for number in range(3):
        office.store.mails.append(AlertMail(number, "sue@example.org", f"text {number}", now, True, 1))
    assert await office.keeper.send_some() == 0, "the server has trouble: later"
    assert await office.keeper.send_some() == 1
    assert office.store.settled == [(now + timedelta(minutes=1), "busy"), (None, "no such user"), (None, "")]
    assert mailer.sent == ["text 2"]
    await asyncio.sleep(0)
