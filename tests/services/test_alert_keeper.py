"""Alerts are kept and told once, whatever restarts or does not answer, and mailed until the server takes them."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import pytest

from callcenter.domain.alerts import AlertRule, Key
from callcenter.domain.conditions import Comparator, Condition, Figure, Metric
from callcenter.domain.events import AgentNotReadyRequested, AgentReadyRequested
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
    mailed: list[tuple[str, ...]] = field(default_factory=list)
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
        self.mailed.append(rule.mail)
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
        self.vitals: dict[Figure, float | None] = {}
        self.keeper = self.keep()
        self.tab = Tab(lambda why: None, lambda: None)
        self.consoles.enter("sue", "", self.tab, sees=lambda queue: True)
        self.tab.waiting.clear()

    def keep(self) -> AlertKeeper:
        """A process that has just started."""
        replica = cast(Replica, self.center)
        self.consoles = Consoles(replica, _nothing)
        return AlertKeeper(replica, self.store, self.consoles, self.mailer, lambda: self.center.world.now, lambda: self.vitals)

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


async def looks(office: Office, seconds: int) -> None:
    """The database does not answer meanwhile."""
    for _ in range(seconds):
        with pytest.raises(AlertsAway):
            await office.after(1)


async def test_while_the_database_is_away_screens_and_mail_are_told_at_once_and_the_rest_later() -> None:
    mailer = Mailer(NotTaken("busy", forever=False), None)
    office = Office(mailer=mailer)
    away = AlertRule("no books", Condition(Figure.DATABASE_AWAY, Comparator.ABOVE, 5), mail=("sue@example.org", "joe@example.org"))
    office.store.known = [away]
    office.vitals = {Figure.DATABASE_AWAY: 0.0}
    await office.keeper.look()
    office.store.away, office.vitals = True, {Figure.DATABASE_AWAY: 6.0}
    await looks(office, 3)
    (told,) = office.hears()
    assert told["fresh"] == ["no books: center database away > 5 (now 6)"]
    assert office.store.told == []
    await office.keeper.mail_unkept()
    assert mailer.sent == ["no books: center database away > 5 (now 6)"], "and the one who was not taken is tried again"
    await office.keeper.mail_unkept()
    assert mailer.sent == ["no books: center database away > 5 (now 6)"] * 2
    office.store.away = False
    await office.after(2)
    assert [kind for kind, _ in office.store.told] == ["fired"]
    assert office.store.mailed == [()], "nobody is mailed twice"
    office.vitals = {Figure.DATABASE_AWAY: 0.0}
    await office.after(2)
    assert [kind for kind, _ in office.store.told] == ["fired", "resolved"]
    assert office.keeper.open == []


async def test_what_began_and_was_over_while_the_database_was_away_is_told_when_it_is_back() -> None:
    office = Office()
    await office.keeper.look()
    office.store.away = True
    callers = [office.center.world.caller_arrives() for _ in range(3)]
    await looks(office, 15)
    for leg in callers:
        office.center.world.pbx.party_hangs_up(leg)
    await looks(office, 3)
    office.store.away = False
    await office.after(2)
    assert [kind for kind, _ in office.store.told] == ["fired", "resolved"]
    assert office.store.mailed == [("sue@example.org",)], "by the queue of mails, as nobody had taken it"


async def test_an_agent_who_is_not_ready_for_too_long_is_told_by_name_to_who_may_see_the_queue() -> None:
    long_break = Condition(Figure.NOT_READY_FOR, Comparator.ABOVE, 60)
    office = Office(FakeAlerts([AlertRule("long break", long_break, "support")]))
    office.center.world.agent_ready("alice")
    office.center.world.tell(AgentNotReadyRequested("alice", "break"))
    await office.after(70)
    assert office.store.told == [("fired", "long break: alice not ready for > 60 (now 61)")]
    (alert,) = office.keeper.open
    assert (alert.queue, alert.subject) == ("support", "alice")
    office.center.world.tell(AgentReadyRequested("alice"))
    await office.after(1)
    assert office.keeper.open == []


async def test_an_engine_that_is_away_is_an_alert_itself() -> None:
    office = Office(FakeAlerts([AlertRule("engine", Condition(Figure.ENGINE_AWAY, Comparator.ABOVE, 5)), CROWD]))
    for _ in range(3):
        office.center.world.caller_arrives()
    await office.after(15)
    office.center.engine_leaves()
    office.vitals = {Figure.ENGINE_AWAY: 9.0}
    await office.after(2)
    assert [alert.rule for alert in office.keeper.open] == ["crowd", "engine"], "what the engine alone can tell stays as it was"


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
