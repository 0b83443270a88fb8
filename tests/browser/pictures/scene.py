"""A center in the middle of a busy day, for pictures and for checks of every page: people, a day in the books, callers who wait and talk.

async with scene(folder, database) as center:
    await center.alice_is("talking")
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from callcenter.adapters.db.alerts import PostgresAlerts
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.documents import PostgresDocuments
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps.bench.fake_center import FakeCenter
from callcenter.apps.config_pages import PublishedFlows
from callcenter.apps.configuring import Configuring
from callcenter.apps.people import add_person
from callcenter.domain import facts as f
from callcenter.domain.alerts import AlertRule, Severity
from callcenter.domain.conditions import Comparator, Condition, Metric
from callcenter.domain.documents import digest
from callcenter.domain.facts.callbacks import CallbackSource
from callcenter.domain.rights import Role
from callcenter.runtime.center_source import source
from callcenter.runtime.settings import read_file
from callcenter.services.alert_keeper import OpenAlert
from callcenter.services.configuration import Change
from callcenter.services.control import JsonObject
from callcenter.services.control_client import RequestRefused
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.sim.fake_pbx import Mood, Phone
from tests.browser.center import noon_zone
from tests.support.day import abandoned_call, answered_call
from tests.support.people import PASSWORD

MARIA = "+12025550148"
"""Who calls alice, and has called before."""
DIDS = {"support": "+18005550100", "sales": "+18005550101", "billing": "+18005550102", "orders": "+18005550103"}
CALLERS = ("Jonathan Meyer", "Fatima Haddad", "", "Nguyễn Thị Lan", "Oliver Brandt", "Priya Natarajan", "Zoë Martin", "Samuel Okafor")
"""Some withhold their names."""
NORTH, SOUTH = ("alice", "carol", "dave", "erin", "henry"), ("bob", "frank", "grace", "iris", "jack", "kate")
SERVE = {
    "alice": ["orders"],
    "henry": ["orders"],
    "bob": ["support"],
    "carol": ["support"],
    "dave": ["support", "sales"],
    "erin": ["sales"],
    "frank": ["sales"],
    "iris": ["sales"],
    "grace": ["billing"],
    "kate": ["billing"],
    "jack": ["support", "billing"],
    "sue": [],
}
ROLES = {"alice": Role.AGENT, "sue": Role.SUPERVISOR, "olga": Role.OPS, "ada": Role.ADMIN}
"""Who signs in; those who are agents by the same name."""
SCRIPT: dict[str, Any] = {
    "title": "Changing an order",
    "start": "hello",
    "page": {
        "hello": {
            "text": "Good afternoon, {caller_name}. You are calling about order {order}. What may I change for you?",
            "field": [
                {"name": "change", "label": "What is to be changed", "kind": "choice", "required": True, "choices": ["address", "date"]},
                {"name": "email", "label": "Where the confirmation goes", "kind": "email"},
                {"name": "new_date", "label": "Delivery on", "kind": "date"},
            ],
        }
    },
}
FLOW = """\
flow: main
title: The main line
start: welcome
nodes:
  welcome: {type: prompt, prompt: welcome, next: choice}
  choice:
    type: menu
    prompt: menu
    choices: {1: sales, 2: support, 3: billing, 4: message}
    otherwise: support
    tries: 3
    invalid_prompt: wrong-key
  sales: {type: queue, queue: sales}
  support: {type: queue, queue: support}
  billing: {type: queue, queue: billing}
  message: {type: voicemail, queue: orders, next: thanks, otherwise: bye}
  thanks: {type: prompt, prompt: voicemail-kept, next: bye}
  bye: {type: hang_up}
"""
SHORTER = FLOW.replace("    tries: 3\n", "    tries: 2\n")


def tables() -> dict[str, object]:
    """What callcenter.toml says."""
    flows = {
        name: {"start": "about", "node": {"about": {"type": "set", "set": about, "next": "q"}, "q": {"type": "queue", "queue": name}}}
        for name, about in (
            ("support", {"topic": "an invoice"}),
            ("sales", {"topic": "a quotation"}),
            ("billing", {"topic": "a payment"}),
            ("orders", {"order": "A-20418", "customer_since": "2019", "language": "English"}),
        )
    }
    queues = [
        {"name": "support", "extension": "8001", "wrap_up_s": 600, "ring_timeout_s": 300, "target_wait_s": 20, "supervision": "agent"},
        {"name": "sales", "extension": "8002", "wrap_up_s": 600, "ring_timeout_s": 300},
        {"name": "billing", "extension": "8003", "wrap_up_s": 60},
        {
            "name": "orders",
            "extension": "8004",
            "wrap_up_s": 600,
            "wrap_up_extension_s": 60,
            "ring_timeout_s": 300,
            "dispositions": ["changed/address", "changed/date", "nothing_changed", "wrong_number"],
            "script": "order",
            "screen_pop": "https://crm.example.org/orders?number={caller}",
            "callback": {},
            "voicemail": {},
        },
    ]
    agents = [{"name": name, "extension": str(2001 + n), "queues": serves} for n, (name, serves) in enumerate(SERVE.items())]
    return {
        "center": {
            "name": "Example Call Center",
            "time_zone": noon_zone(datetime.now(UTC)),
            "not_ready_reasons": ["break", "lunch", "meeting", "training"],
        },
        "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"], "host": "127.0.0.1"}],
        "calling": {"trunk": "carrier"},
        "queue": queues,
        "agent": agents,
        "team": [{"name": "north", "supervisor": "sue", "agents": list(NORTH)}, {"name": "south", "agents": list(SOUTH)}],
        "supervisor": [{"name": "sue", "queues": ["*"]}],
        "skill": [{"name": "spanish", "description": "Speaks Spanish"}, {"name": "invoices", "description": "Knows invoices"}],
        "number": [{"did": did, "flow": name} for name, did in DIDS.items()],
        "script": {"order": SCRIPT},
        "disposition": {"changed/address": {"success": True, "resolved": True}, "changed/date": {"success": True}},
        "calendar": {"main": {"weekly": ["mon-sun 08:00-20:00"]}},
        "flow": flows,
    }


class Scene(FakeCenter):
    """Use as an async context manager, after ``prepare``."""

    def __init__(self, folder: Path, database_url: str) -> None:
        super().__init__(folder, tables(), database_url)
        self._hers = ""
        """The leg of who calls alice."""
        self.callers: list[str] = []
        """The legs of those who wait in ``support``, in their order."""

    def phone(self, agent: str, mood: Mood = Mood.ANSWERS) -> None:
        self.pbx.phones[self.secrets.phones[agent].endpoint] = Phone(mood, lambda: timedelta(seconds=0.1))

    # --- the floor --------------------------------------------------------------------------------

    async def fill(self) -> None:
        """Everybody but alice is where she stays: on the phone, wrapping up, on a break, ready; and callers wait."""
        for name in SERVE:
            self.phone(name)
        self.phone("iris", Mood.RINGS_ON)
        for agent, queue in (("carol", "support"), ("dave", "support"), ("erin", "sales")):
            await self._talks(agent, queue)
        leaving = await self._talks("frank", "sales")
        self.pbx.party_hangs_up(leaving)
        await self.agent_ready("iris")
        self._calls("sales")
        await self.agent_ready("grace")
        for name, reason in (("henry", "lunch"), ("bob", "meeting")):
            await self.ask("agent_login", agent=name)
            await self.ask("agent_not_ready", agent=name, reason=reason)
        self.callers = [self._calls("support") for _ in range(4)]
        await self.until_agents({"carol": "talking", "dave": "talking", "erin": "talking", "frank": "wrap_up", "iris": "reserved"})

    async def _talks(self, agent: str, queue: str) -> str:
        await self.agent_ready(agent)
        leg = self._calls(queue)
        await self.until_agents({agent: "talking"})
        return leg

    def _calls(self, queue: str, caller: str = "", name: str | None = None) -> str:
        number = len(self.pbx.channels)
        name = CALLERS[number % len(CALLERS)] if name is None else name
        return self.pbx.call_in(DIDS[queue], caller or f"+1202555{100 + 7 * number:04d}", caller_name=name)

    async def until_agents(self, states: dict[str, str]) -> None:
        async with asyncio.timeout(60):
            while True:
                told = await self.ask("state")
                now = {agent["name"]: agent["state"] for agent in told["agents"]}  # type: ignore[union-attr, index, call-overload]
                if states.items() <= now.items():
                    return
                await asyncio.sleep(0.05)

    async def alice_is(self, state: str) -> None:
        """``ready``, ``reserved``, ``talking`` or ``wrap_up``, whatever she was before."""
        if self._hers in self.pbx.channels:
            self.pbx.party_hangs_up(self._hers)
        self.phone("alice", Mood.RINGS_ON if state == "reserved" else Mood.ANSWERS)
        await self.ask("agent_login", agent="alice")
        with suppress(RequestRefused):  # she wraps up nothing
            await self.ask("agent_wrap_up_end", agent="alice")
        await self.ask("agent_ready", agent="alice")
        await self.until_agents({"alice": "ready"})
        if state == "ready":
            return
        self._hers = self._calls("orders", MARIA, "María González")
        await self.until_agents({"alice": "reserved" if state == "reserved" else "talking"})
        if state == "wrap_up":
            self.pbx.party_hangs_up(self._hers)
            await self.until_agents({"alice": "wrap_up"})


# --- what was before ------------------------------------------------------------------------------


@asynccontextmanager
async def scene(folder: Path, database: str) -> AsyncIterator[Scene]:
    made = Scene(folder, database)
    await _before(made, folder, database)
    await _configured(made, database)
    async with made:
        await made.fill()
        yield made


async def _before(made: Scene, folder: Path, database: str) -> None:
    """People, rules of alerts, and what the books hold."""
    for name, role in ROLES.items():
        await add_person(database, name, PASSWORD, [role], agent=name if name in SERVE else "")
    store, journal = connect(database, name="pictures"), Journal(folder / "before")
    shipper = Shipper(folder / "before", PostgresLedger(store), dead_letters=folder)
    now = datetime.now(UTC)
    for facts in sorted((*_day(now, 1), *_day(now - timedelta(weeks=1), 2), *_marias(now)), key=lambda facts: facts[0].at):
        journal.append(facts)
    await journal.sync()
    while await shipper.step():
        pass
    journal.close()
    await _alerts(PostgresAlerts(store), now)
    await store.dispose()


async def _alerts(alerts: PostgresAlerts, now: datetime) -> None:
    crowd = AlertRule("Crowd", Condition(Metric.WAITING, Comparator.ABOVE, 3, timedelta(seconds=1)), "support", Severity.ALARM)
    late = AlertRule("Late", Condition(Metric.LONGEST_WAIT, Comparator.ABOVE, 300, timedelta(seconds=30)), mail=("floor@example.org",))
    for rule in (crowd, late):
        await alerts.put_rule(rule)
    began = now - timedelta(hours=2)
    past = OpenAlert("Late", "sales", Severity.WARNING, "Late: sales longest_wait > 300 for 30 s (now 312)", began)
    await alerts.fire(late, past)
    await alerts.resolve(past, (), began + timedelta(minutes=7))


def _day(now: datetime, seed: int) -> Iterable[Sequence[f.Fact]]:
    """Some four hours of calls up to now, more of them in the middle."""
    chance = random.Random(seed)
    served = [(agent, queue) for agent, queues in SERVE.items() for queue in queues]
    for number in range(140):
        at = now - timedelta(minutes=chance.triangular(6, 235, 110))
        agent, queue = chance.choice(served)
        caller = f"+1202555{chance.randrange(10000):04d}"
        if chance.random() < 0.06:
            yield from abandoned_call(f"d{seed}-{number}", at, queue=queue, caller=caller, wait=chance.uniform(3, 90))
        else:
            wait, talk = chance.expovariate(1 / 9), chance.uniform(40, 280)
            yield from answered_call(f"d{seed}-{number}", at, agent, queue=queue, caller=caller, wait=wait + 3, talk=talk)


def _marias(now: datetime) -> Iterable[Sequence[f.Fact]]:
    """Who calls alice has called twice before, left a message, and was promised a call."""
    yesterday, earlier = now - timedelta(days=1, hours=2), now - timedelta(days=6)
    yield from answered_call("m1", yesterday, "alice", queue="orders", caller=MARIA, talk=143)
    noted = yesterday + timedelta(minutes=4)
    yield [
        f.ContactNoted(noted, "m1", "m1-contact", "orders", "alice", "Has moved: 14 Elm Street. Wants the parcel there, not at the office.")
    ]
    yield [f.ScriptFilled(noted, "m1", "m1-contact", "orders", "alice", "order", ("change",), ("address",), True)]
    yield [f.DispositionGiven(noted, "m1", "m1-contact", "orders", "alice", "changed/address", f.DisposedBy.AGENT, ("success",))]
    yield from abandoned_call("m2", earlier, queue="orders", caller=MARIA, wait=75)
    kept = timedelta(days=30)
    yield [
        f.MessageLeft(
            earlier, "m3", "node1", "queue:orders", "message-1", "", MARIA, "María González", timedelta(seconds=23), earlier + kept
        )
    ]
    yield [
        f.CallbackCreated(
            now, "promise-1", "orders", MARIA, "María González", 0, now, now + timedelta(hours=3), now + kept, CallbackSource.PERSON
        )
    ]


async def _configured(made: Scene, database: str) -> None:
    """Two changes of the configuration, and a flow that was published twice."""
    store = connect(database, name="pictures")
    in_file = digest(source(read_file(made.file), made.file, None).in_file)

    async def engine(do: str, within: float, **fields: str) -> JsonObject:
        """It has read the file."""
        return {"documents": in_file}

    configuring = Configuring(made.file, PostgresDocuments(store), engine)
    await configuring.catch_up()
    for queue, change, reason in (
        ("billing", {"wrap_up_s": 90}, "Refunds take longer to write down"),
        ("sales", {"target_wait_s": 15}, "As agreed with the sales team"),
    ):
        body = dict((await configuring.now()).documents[f"queue/{queue}"])
        plan = await configuring.plan({f"queue/{queue}": {**body, **change}})
        await configuring.apply(plan, Change("ada", reason, "page"))
    await store.dispose()
    flows = PublishedFlows(made.file)
    await flows.publish(FLOW, 0, "ada", "The first version")
    await flows.publish(SHORTER, 0, "ada", "Two tries are enough")
