"""A center in which every place where other people's words enter holds hostile ones, and a browser that notices whatever they bring about.

Each text is put where it is kept, past the checks that stand before it: so that what is shown does not rest on those alone.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callcenter.adapters.db import tables as kept
from callcenter.adapters.db import tables_alerts as alerts
from callcenter.adapters.db import tables_people as people
from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.apps.bench.fake_center import FakeCenter
from callcenter.apps.people import add_person
from callcenter.domain import facts as f
from callcenter.domain.rights import Role
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.sim.fake_pbx import Mood, Phone
from tests.browser.center import noon_zone
from tests.support.day import answered_call
from tests.support.people import PASSWORD

DID = "+12025550100"
NAME = "\"'><img src=x onerror=__hit(1)></title><script>__hit(2)</script>{{7*7}}"
"""The center's own name, which every page shows."""
SCRIPT = {
    "title": NAME,
    "start": "hello",
    "page": {
        "hello": {
            "text": "Say {caller_name} <script>__hit(3)</script> {topic}",
            "field": [
                {"name": "plan", "label": "{caller_name}", "kind": "choice", "choices": ["</option><script>__hit(4)</script>", "x"]},
                {"name": "memo", "label": "\"'><svg onload=__hit(5)>", "kind": "long_text"},
            ],
        }
    },
}


def storable(hostile: str) -> str:
    """As PostgreSQL takes it: without NUL."""
    return hostile.replace("\x00", "")


def plain(hostile: str) -> str:
    """As far as it fits into one line of a document."""
    return "".join(sign for sign in hostile if sign >= " " and sign != "\x7f")[:200].strip() or "-"


class HostileCenter(FakeCenter):
    """Alice answers at once. ``texts`` are everywhere."""

    def __init__(self, folder: Path, database_url: str, texts: Sequence[str]) -> None:
        self.texts = texts
        lines = [plain(each) for each in texts]
        tables: dict[str, Any] = {
            "center": {"name": NAME, "time_zone": noon_zone(datetime.now(UTC)), "languages": ["en"]},
            "queue": [{"name": "support", "wrap_up_s": 0, "script": "sale", "dispositions": ["sale"], "callback": {}, "voicemail": {}}],
            "agent": [{"name": "alice", "queues": ["support"]}],
            "supervisor": [{"name": "alice", "queues": ["*"]}],
            "number": [{"did": DID, "flow": "main"}],
            "calling": {"trunk": "carrier"},
            "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"], "host": "127.0.0.1"}],
            "script": {"sale": SCRIPT},
            "caller_list": [
                {"name": "vip", "entry": [{"number": f"+1202556{n:04d}", "reason": each} for n, each in enumerate(lines)]},
            ],
            "prompt": [{"id": f"hostile-{n}", "text": each} for n, each in enumerate(lines)],
            "calendar": {"office": {"weekly": ["mon-sun 00:00-24:00"]}},
            "flow": {
                "main": {
                    "title": NAME,
                    "start": "note",
                    "node": {
                        "note": {
                            "type": "set",
                            "set": {"topic": "<b>{caller}", "memo": NAME.replace("{", "{{").replace("}", "}}")},
                            "next": "q",
                        },
                        "q": {"type": "queue", "queue": "support"},
                    },
                }
            },
        }
        super().__init__(folder, tables, database_url)

    async def seed(self) -> None:
        """Before it starts."""
        roles = [Role.ADMIN, Role.SUPERVISOR, Role.OPS, Role.AGENT]
        await add_person(self.database_url, "root", PASSWORD, roles, agent="alice")
        engine = connect(self.database_url, name="test")
        try:
            await self._talks(engine)
            async with engine.begin() as connection:
                await self._rows(connection)
        finally:
            await engine.dispose()

    async def _talks(self, engine: AsyncEngine) -> None:
        """A former call of each hostile caller, with all that was written of it."""
        journal = Journal(self.folder / "before")
        shipper = Shipper(self.folder / "before", PostgresLedger(engine), dead_letters=self.folder)
        at = datetime.now(UTC) - timedelta(hours=2)
        for n, hostile in enumerate(map(storable, self.texts)):
            call, contact = f"h{n}", f"h{n}-contact"
            for facts in answered_call(call, at + timedelta(seconds=n), "alice", caller=hostile):
                journal.append(facts)
            written = (at + timedelta(minutes=5), call, contact, "support", "alice")
            journal.append(
                [
                    f.ContactNoted(*written, hostile),
                    f.ScriptFilled(*written, "sale", ("memo", hostile), (hostile, hostile), True),
                    f.DispositionGiven(*written, hostile, f.DisposedBy.AGENT, (hostile,)),
                ]
            )
        await journal.sync()
        while await shipper.step():
            pass
        journal.close()
        assert shipper.state(datetime.now(UTC)).dead_letters == 0

    async def _rows(self, connection: AsyncConnection) -> None:
        now = datetime.now(UTC)
        later = now + timedelta(days=1)
        every = [(n, storable(each)) for n, each in enumerate(self.texts)]
        await connection.execute(
            insert(people.person),
            [{"name": f"h{n}", "shown": each, "agent": f"{n}{each}", "queues": [each], "teams": [each]} for n, each in every],
        )
        sessions = {"person": "root", "begun_at": now, "seen_at": now, "ends_at": later}
        await connection.execute(
            insert(people.person_session),
            [{**sessions, "hash": f"h{n}", "id": f"h{n}", "address": each, "browser": each} for n, each in every],
        )
        tokens = {"person": "root", "created_at": now, "expires_at": later, "scopes": ["see_audit"]}
        await connection.execute(
            insert(people.person_token), [{**tokens, "hash": f"t{n}", "id": f"t{n}", "label": each} for n, each in every]
        )
        begin = (await connection.execute(text("SELECT coalesce(max(seq), 0) + 1 FROM audit_entry"))).scalar_one()
        names = ("person", "via", "address", "what", "of", "reason")
        deeds = {"at": now, "hash": "x"}
        await connection.execute(
            insert(people.audit_entry),
            [
                {**deeds, "seq": begin + n, **dict.fromkeys(names, each), "before": {each: each}, "after": {"x": [each]}}
                for n, each in every
            ],
        )
        rules = {"queue": "support", "metric": "waiting", "comparator": ">=", "value": 0.0, "lasting_s": 0.0, "severity": "alarm"}
        await connection.execute(
            insert(alerts.alert_rule), [{**rules, "name": f"{each}{n}"[-3000:], "mail": [each]} for n, each in every[:200]]
        )
        past = {"severity": "alarm", "fired_at": now, "resolved_at": now}
        await connection.execute(insert(alerts.alert), [{**past, "rule": each, "queue": each, "said": each} for _, each in every])
        messages = {
            "mailbox": "queue:support",
            "node": "node1",
            "call_id": "",
            "contact_id": "",
            "state": "new",
            "left_at": now,
            "length_s": 5,
        }
        await connection.execute(
            insert(kept.message),
            [{**messages, "message_id": f"m{n}", "caller": each, "caller_name": each, "transcript": each} for n, each in every],
        )
        callbacks = {"queue": "support", "source": "person", "call_id": "", "contact_id": "", "created_at": now, "due_at": later}
        rest = {"state": "created", "attempts": 0, "agent": "", "bridged_contact_id": "", "why": ""}
        await connection.execute(
            insert(kept.callback),
            [{**callbacks, **rest, "callback_id": f"b{n}", "number": each, "caller_name": each, "owner": each} for n, each in every],
        )
        hooks = {"events": [], "numbers": "whole", "enabled": False, "created_at": now, "revision": 1, "generation": 1}
        await connection.execute(
            insert(kept.webhook),
            [{**hooks, "webhook_id": f"w{n}", "url": each, "note": each, "why": each, "created_by": each} for n, each in every],
        )

    async def versions(self, texts: Sequence[str], first: int) -> None:
        """Versions of the documents by hostile authors for hostile reasons, that changed documents of hostile names."""
        engine = connect(self.database_url, name="test")
        now = datetime.now(UTC)
        try:
            async with engine.begin() as connection:
                for number, hostile in enumerate(map(storable, texts), start=first):
                    row = {"version": number, "at": now, "author": hostile, "reason": hostile, "source": "page", "digest": "x"}
                    await connection.execute(insert(kept.config_version).values(row))
                    document = {"version": number, "place": 0, "changed_in": number, "key": f"caller_list/{hostile}{number}"}
                    body = {"name": hostile, hostile: {"x": [hostile]}, "entry": [{"number": hostile, "reason": hostile}]}
                    await connection.execute(insert(kept.config_document).values({**document, "body": body}))
        finally:
            await engine.dispose()

    # --- calls ------------------------------------------------------------------------------------

    def calls(self, hostile: str) -> str:
        """Somebody with this number and this name; returns the leg."""
        return self.pbx.call_in(DID, hostile, caller_name=hostile)

    def alices_phone(self, mood: Mood = Mood.ANSWERS) -> None:
        self.pbx.phones[self.secrets.phones["alice"].endpoint] = Phone(mood, lambda: timedelta(0))

    async def everybody_leaves(self) -> None:
        for leg in list(self.pbx.channels):
            if leg in self.pbx.channels:
                self.pbx.party_hangs_up(leg)
        async with asyncio.timeout(60):
            while (await self.ask("state"))["calls"]:
                await asyncio.sleep(0.02)
