"""The alerts: their rules, which people with the right change, and when each fired."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from aiohttp import web

from callcenter.adapters.web.access import Routes, by, form_of, signed
from callcenter.adapters.web.shell import Shell
from callcenter.adapters.web.supervisor_pages import queues_of
from callcenter.domain.alert_figures import OF_CENTER, OF_NODES
from callcenter.domain.alerts import AlertRule, Severity
from callcenter.domain.audit import Deed
from callcenter.domain.conditions import Comparator, Condition, Figure, Metric, faults, figure_of
from callcenter.domain.rights import Right, Signed, may, of_queue
from callcenter.domain.state import State
from callcenter.services.alert_keeper import AlertKeeper, AlertsAway, AlertStore, OpenAlert
from callcenter.services.people.store import PeopleStore

MOST_RULES = 200
MOST_ADDRESSES = 20
LONGEST_NAME = 60
LONGEST_S = 86_400
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
DONE = frozenset({"saved", "removed"})


class KeptAlerts(AlertStore, Protocol):
    """What the page needs beside what fires."""

    async def put_rule(self, rule: AlertRule) -> None: ...

    async def remove_rule(self, name: str) -> None: ...

    async def past(self, limit: int = 50) -> Sequence[tuple[OpenAlert, datetime | None]]: ...


class AlertFault(Exception):
    """A field does not hold what it must; ``key`` is the sentence's key in the catalogue."""

    def __init__(self, field: str, key: str) -> None:
        super().__init__(key)
        self.field, self.key = field, key


class AlertPages:
    """Registers its routes at the one door."""

    def __init__(
        self,
        shell: Shell,
        store: KeptAlerts,
        keeper: AlertKeeper,
        people: PeopleStore,
        state: Callable[[], State | None],
        time_zone: str,
        *,
        mails: bool,
    ) -> None:
        self._time_zone = time_zone
        self._shell, self._store, self._keeper, self._people, self._state, self._mails = shell, store, keeper, people, state, mails

    def register(self, routes: Routes) -> None:
        routes.add("GET", "/alerts", self.page, needs=Right.EDIT_ALERTS, menu="alerts.title")
        routes.add("POST", "/alerts", self.put, needs=Right.EDIT_ALERTS)
        routes.add("POST", "/alerts/remove", self.remove, needs=Right.EDIT_ALERTS)

    async def page(self, request: web.Request) -> web.Response:
        return await self._page(request)

    async def _page(
        self, request: web.Request, *, status: int = 200, sent: Mapping[str, str] | None = None, fault: AlertFault | None = None
    ) -> web.Response:
        who, done = signed(request), request.query.get("done", "")
        try:
            rules, past = await self._store.rules(), await self._store.past()
        except AlertsAway:
            raise web.HTTPServiceUnavailable(text="The database does not answer.\n") from None
        return self._shell.page(
            request,
            "alerts.html",
            status=status,
            rules=[rule for rule in rules if _reaches(who, rule.queue)],
            past=[(alert, over) for alert, over in past if may(who, Right.EDIT_ALERTS, of_queue(alert.queue))],
            queues=queues_of(who, self._state()),
            everything=who.scope.queues is None,
            metrics=[figure.value for figure in (*Metric, *Figure) if who.scope.queues is None or not _is_centers(figure)],
            comparators=[comparator.value for comparator in Comparator],
            severities=[severity.value for severity in Severity],
            mails=self._mails,
            zone=self._time_zone,
            sent=sent or {},
            faults={fault.field: fault.key} if fault is not None else {},
            done=done if done in DONE else "",
        )

    async def put(self, request: web.Request) -> web.Response:
        sent = {name: str(value) for name, value in (await form_of(request)).items() if isinstance(value, str)}
        who = signed(request)
        try:
            rule = self._rule(who, sent)
            known = {each.name: each for each in await self._store.rules()}
            if rule.name not in known and len(known) >= MOST_RULES:
                raise AlertFault("name", "alerts.fault_many")
            if rule.name in known and not _reaches(who, known[rule.name].queue):
                raise AlertFault("name", "alerts.fault_taken")
            await self._store.put_rule(rule)
        except AlertFault as fault:
            return await self._page(request, status=422, sent=sent, fault=fault)
        except AlertsAway:
            raise web.HTTPServiceUnavailable(text="The database does not answer; nothing was changed.\n") from None
        self._keeper.read_soon()
        await self._people.note(Deed("alert_rule_changed", f"alert rule {rule.name}", after={"rule": rule.condition.key}), by(request))
        raise web.HTTPSeeOther("/alerts?done=saved")

    async def remove(self, request: web.Request) -> web.Response:
        name, who = str((await form_of(request)).get("name", "")), signed(request)
        try:
            if any(rule.name == name and _reaches(who, rule.queue) for rule in await self._store.rules()):
                await self._store.remove_rule(name)
                await self._people.note(Deed("alert_rule_removed", f"alert rule {name}"), by(request))
        except AlertsAway:
            raise web.HTTPServiceUnavailable(text="The database does not answer; nothing was changed.\n") from None
        self._keeper.read_soon()
        raise web.HTTPSeeOther("/alerts?done=removed")

    def _rule(self, who: Signed, sent: Mapping[str, str]) -> AlertRule:
        """Raises AlertFault."""
        name = " ".join(sent.get("name", "").split())
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise AlertFault("name", "alerts.fault_name")
        queue = sent.get("queue", "")
        if not _reaches(who, queue) or (queue and queue not in queues_of(who, self._state())):
            raise AlertFault("queue", "alerts.fault_queue")
        try:
            metric, comparator = figure_of(sent.get("metric", "")), Comparator(sent.get("comparator", ""))
            severity = Severity(sent.get("severity", ""))
        except ValueError:
            raise AlertFault("metric", "alerts.fault_choice") from None
        if _is_centers(metric) and queue:
            raise AlertFault("queue", "alerts.fault_center")
        lasting = _number(sent, "lasting_s", "0")
        release = _number(sent, "release") if sent.get("release", "").strip() else None
        if lasting > LONGEST_S:
            raise AlertFault("lasting_s", "alerts.fault_number")
        condition = Condition(metric, comparator, _number(sent, "value"), timedelta(seconds=lasting), release)
        if faults(condition) is not None:
            raise AlertFault("value", "alerts.fault_never")
        return AlertRule(name, condition, queue, severity, self._addresses(sent.get("mail", "")))

    def _addresses(self, text: str) -> tuple[str, ...]:
        addresses = tuple(dict.fromkeys(address for address in re.split(r"[\s,;]+", text) if address))
        if addresses and not self._mails:
            raise AlertFault("mail", "alerts.fault_no_mail")
        if len(addresses) > MOST_ADDRESSES or not all(_ADDRESS.fullmatch(address) for address in addresses):
            raise AlertFault("mail", "alerts.fault_mail")
        return addresses


def _reaches(who: Signed, queue: str) -> bool:
    """A rule for each queue is for who has no limits."""
    return who.scope.queues is None if not queue else may(who, Right.EDIT_ALERTS, of_queue(queue))


def _is_centers(figure: Metric | Figure) -> bool:
    """Of no queue and no agent."""
    return figure in OF_CENTER or figure in OF_NODES


def _number(sent: Mapping[str, str], field: str, default: str = "") -> float:
    try:
        number = float(sent.get(field, "").strip().replace(",", ".") or default)
    except ValueError:
        raise AlertFault(field, "alerts.fault_number") from None
    if not math.isfinite(number) or not 0 <= number <= 1_000_000:
        raise AlertFault(field, "alerts.fault_number")
    return number
