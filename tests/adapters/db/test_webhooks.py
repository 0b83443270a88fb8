"""Subscribers are told of each fact exactly once by its id, whoever dies or fails on the way; they listen on the loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.ledger import PostgresLedger
from callcenter.adapters.db.webhooks import PostgresWebhooks
from callcenter.adapters.webhooks.http import HttpSender, retry_after
from callcenter.domain import facts as f
from callcenter.domain.webhook_events import Numbers
from callcenter.domain.webhooks import DISABLED_AFTER, PAUSES, MessageState, secret_of, verified
from callcenter.services.journal import Journal
from callcenter.services.ledger import Shipper
from callcenter.services.webhooks import SENDING_LASTS, Deliverer, Wanted, WebhookError
from tests.support.day import BEGIN, abandoned_call, answered_call
from tests.support.webhook_receiver import Receiver, webhook_receiver

KEY = b"a key of the center" * 2
BEFORE = BEGIN - timedelta(hours=1)


@dataclass
class Center:
    """Books and the worker beside them, with a clock that goes when it is told to."""

    folder: Path
    engine: AsyncEngine
    url: str
    sender: HttpSender
    now: datetime = BEGIN + timedelta(hours=1)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder / "journal")
        self.book = PostgresWebhooks(self.engine)
        self.deliverer = Deliverer(self.book, self.sender, KEY, lambda: self.now, lambda: 0.0)

    async def happens(self, records: Sequence[Sequence[f.Fact]]) -> None:
        for facts in records:
            self.journal.append(facts)
        await self.ship()

    async def ship(self) -> None:
        shipper = Shipper(self.folder / "journal", PostgresLedger(self.engine), dead_letters=self.folder)
        while await shipper.step():
            pass
        assert shipper.state(self.now).trouble == ""

    async def ship_again(self) -> None:
        """As after a restore from a backup: everything comes once more."""
        await PostgresLedger(self.engine).rewind(UUID(str(self.journal.id)), 0)
        await self.ship()

    async def deliver(self) -> None:
        """All that is due now."""
        while await self.deliverer.step():
            await self.deliverer.idle()

    async def passes(self, span: timedelta) -> None:
        self.now += span
        await self.deliver()

    def rows(self, what: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(what.encode()).fetchall()


@pytest.fixture
async def center(tmp_path: Path, database_url: str) -> AsyncIterator[Center]:
    engine = connect(database_url, name="test", statement_timeout=5.0, pool_size=5)
    sender = HttpSender(allow_private=lambda: True, answer_seconds=1.0)
    center = Center(tmp_path, engine, database_url, sender)
    yield center
    await center.deliverer.idle()
    await sender.close()
    await engine.dispose()
    center.journal.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with webhook_receiver() as receiver:
        yield receiver


async def test_a_subscriber_is_told_what_it_asked_for_and_can_check_who_says_so(center: Center, receiver: Receiver) -> None:
    subscription = await center.book.add("wh_1", Wanted(receiver.url, ("contact.entered", "contact.connected")), "admin", BEFORE)
    await center.happens([*answered_call("c1", BEGIN, "alice", wait=12.5)])
    await center.deliver()
    told = [json.loads(body) for _, body in receiver.got]
    assert sorted(each["type"] for each in told) == ["contact.connected", "contact.entered"]
    connected = next(each for each in told if each["type"] == "contact.connected")
    assert connected["data"]["agent"] == "alice"
    assert connected["data"]["wait_s"] == 12.5
    assert datetime.fromisoformat(connected["timestamp"]) == BEGIN + timedelta(seconds=16.5)
    secret = secret_of(KEY, "wh_1", subscription.generation)
    for headers, body in receiver.got:
        assert headers["content-type"] == "application/json"
        assert int(headers["webhook-timestamp"]) == int(center.now.timestamp())
        assert verified(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body, headers["webhook-signature"])
    assert await center.book.counts() == {}
    assert (await center.book.subscription("wh_1")).delivered_at == center.now


async def test_facts_that_are_shipped_twice_are_told_once(center: Center, receiver: Receiver) -> None:
    for name in ("wh_1", "wh_2"):
        await center.book.add(name, Wanted(receiver.url), "admin", BEFORE)
    await center.happens([*answered_call("c1", BEGIN, "alice"), *abandoned_call("c2", BEGIN)])
    await center.deliver()
    told = len(receiver.got)
    assert len(set(receiver.ids)) == told > 20
    await center.ship_again()
    await center.deliver()
    assert len(receiver.got) == told


async def test_nothing_is_told_of_facts_that_did_not_get_into_the_books(center: Center, receiver: Receiver) -> None:
    await center.book.add("wh_1", Wanted(receiver.url), "admin", BEFORE)
    center.journal.append(next(iter(answered_call("c1", BEGIN, "alice"))))
    with psycopg.connect(center.url) as connection:
        connection.execute("ALTER TABLE journal_position ADD CONSTRAINT full_disk CHECK (seq < 1)")
    shipper = Shipper(center.folder / "journal", PostgresLedger(center.engine), dead_letters=center.folder)
    await shipper.step()
    assert center.rows("SELECT count(*) FROM fact") == [(0,)]
    assert center.rows("SELECT count(*) FROM webhook_message") == [(0,)]


async def test_a_subscription_is_told_nothing_of_what_was_before_it(center: Center, receiver: Receiver) -> None:
    await center.book.add("wh_1", Wanted(receiver.url), "admin", BEGIN + timedelta(days=1))
    await center.happens([*answered_call("c1", BEGIN, "alice")])
    await center.deliver()
    assert receiver.got == []


async def test_a_subscriber_that_fails_gets_the_same_message_later(center: Center) -> None:
    async with webhook_receiver(500, (503, {"Retry-After": "600"}), (302, {"Location": "http://127.0.0.1:1/"})) as receiver:
        await center.book.add("wh_1", Wanted(receiver.url, ("call.ended",)), "admin", BEFORE)
        await center.happens([*answered_call("c1", BEGIN, "alice")])
        await center.deliver()
        assert (await center.book.subscription("wh_1")).failing_since == center.now
        await center.deliver()
        assert len(receiver.got) == 1
        await center.passes(PAUSES[0])
        assert len(receiver.got) == 2
        await center.passes(timedelta(seconds=599))
        assert len(receiver.got) == 2
        await center.passes(timedelta(seconds=1))
        assert len(receiver.got) == 3
        (message,) = await center.book.messages("wh_1", None, None, 10)
        assert (message.state, message.attempts, message.status) == (MessageState.DUE, 3, 302)
        assert "redirect" in message.why
        await center.passes(PAUSES[2])
        assert len(set(receiver.ids)) == 1
        (message,) = await center.book.messages("wh_1", None, None, 10)
        assert (message.state, message.attempts) == (MessageState.DELIVERED, 4)
        assert (await center.book.subscription("wh_1")).failing_since is None


async def test_a_subscriber_that_disappears_is_tried_until_the_message_is_dead_and_can_have_it_again(center: Center) -> None:
    async with webhook_receiver() as receiver:
        await center.book.add("wh_1", Wanted(receiver.url, ("call.ended",)), "admin", BEFORE)
        await receiver.stop()
        await center.happens([*answered_call("c1", BEGIN, "alice")])
        await center.deliver()
        for pause in PAUSES:
            await center.passes(pause)
        (message,) = await center.book.messages("wh_1", MessageState.DEAD, None, 10)
        assert message.attempts == len(PAUSES) + 1
        assert message.why == "no connection: ConnectionRefusedError"
        assert await center.book.counts() == {MessageState.DEAD: 1}
        await receiver.start()
        await center.passes(timedelta(days=1))
        assert receiver.got == []
        assert await center.book.redeliver("wh_1", None, center.now) == 1
        await center.deliver()
        assert receiver.ids == [message.message]
        with pytest.raises(WebhookError, match="is delivered, not dead"):
            await center.book.redeliver("wh_1", message.message, center.now)
        with pytest.raises(WebhookError, match="no message 'msg_0'"):
            await center.book.redeliver("wh_1", "msg_0", center.now)


async def test_who_answers_gone_is_told_nothing_more_until_somebody_enables_it(center: Center) -> None:
    async with webhook_receiver(410) as receiver:
        await center.book.add("wh_1", Wanted(receiver.url, ("call.ended",)), "admin", BEFORE)
        await center.happens([*answered_call("c1", BEGIN, "alice")])
        await center.deliver()
        gone = await center.book.subscription("wh_1")
        assert not gone.enabled
        assert "410" in gone.why
        await center.happens([*answered_call("c2", BEGIN, "alice")])
        await center.passes(timedelta(days=1))
        assert len(receiver.got) == 1
        with pytest.raises(WebhookError, match="changed meanwhile"):
            await center.book.change("wh_1", Wanted(receiver.url, ("call.ended",)), gone.revision - 1)
        back = await center.book.change("wh_1", Wanted(receiver.url, ("call.ended",)), gone.revision)
        assert (back.enabled, back.why, back.failing_since) == (True, "", None)
        await center.happens([*answered_call("c3", BEGIN, "alice")])
        await center.deliver()
        assert [json.loads(body)["data"]["call"] for _, body in receiver.got] == ["c1", "c3"]


async def test_who_fails_for_days_is_disabled(center: Center, receiver: Receiver) -> None:
    await center.book.add("wh_1", Wanted(receiver.url, ("call.ended",)), "admin", BEFORE)
    await receiver.stop()
    await center.happens([*answered_call("c1", BEGIN, "alice")])
    await center.deliver()
    await center.passes(DISABLED_AFTER)
    disabled = await center.book.subscription("wh_1")
    assert not disabled.enabled
    assert disabled.why.startswith("everything has failed since 2026-")
    assert "ConnectionRefusedError" in disabled.why


async def test_one_who_never_answers_keeps_nobody_waiting(center: Center, receiver: Receiver) -> None:
    async with webhook_receiver(*[-1] * 200) as slow:
        await center.book.add("wh_slow", Wanted(slow.url), "admin", BEFORE)
        await center.book.add("wh_1", Wanted(receiver.url), "admin", BEFORE)
        await center.happens([*answered_call("c1", BEGIN, "alice"), *answered_call("c2", BEGIN, "bob")])
        expected = len(center.rows("SELECT 1 FROM webhook_message WHERE webhook_id = 'wh_1'"))
        stop = asyncio.Event()
        running = asyncio.create_task(center.deliverer.run(stop))
        await receiver.until(lambda: len(receiver.got) == expected)
        assert len(slow.got) <= 4
        stop.set()
        async with asyncio.timeout(5):
            await running


async def test_who_was_killed_while_sending_sends_it_again_under_the_same_id(center: Center, receiver: Receiver) -> None:
    await center.book.add("wh_1", Wanted(receiver.url, ("call.ended",)), "admin", BEFORE)
    await center.happens([*answered_call("c1", BEGIN, "alice")])
    killed = await center.book.due({"wh_1": 10}, center.now, center.now + SENDING_LASTS)
    assert len(killed) == 1
    await center.deliver()
    assert receiver.got == []
    await center.passes(SENDING_LASTS)
    assert receiver.ids == [killed[0].message]
    assert len(await center.book.messages("wh_1", MessageState.DELIVERED, None, 10)) == 1


async def test_two_workers_never_take_the_same_message(center: Center, receiver: Receiver) -> None:
    await center.book.add("wh_1", Wanted(receiver.url), "admin", BEFORE)
    await center.happens([record for n in range(5) for record in answered_call(f"c{n}", BEGIN, "alice")])
    again = center.now + SENDING_LASTS
    taken = await asyncio.gather(*(center.book.due({"wh_1": 7}, center.now, again) for _ in range(6)))
    ids = [message.message for few in taken for message in few]
    assert len(set(ids)) == len(ids) == 42


async def test_the_former_secret_signs_for_a_day_after_the_rotation(center: Center, receiver: Receiver) -> None:
    await center.book.add("wh_1", Wanted(receiver.url, ("call.ended",)), "admin", BEFORE)
    await center.book.rotate("wh_1", center.now)
    await center.happens([*answered_call("c1", BEGIN, "alice")])
    await center.deliver()
    center.now += timedelta(hours=25)
    await center.happens([*answered_call("c2", BEGIN, "alice")])
    await center.deliver()
    for generation, times in ((1, [True, False]), (2, [True, True])):
        secret = secret_of(KEY, "wh_1", generation)
        assert [
            verified(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body, headers["webhook-signature"])
            for headers, body in receiver.got
        ] == times


async def test_old_messages_are_forgotten_and_those_that_wait_are_not(center: Center, receiver: Receiver) -> None:
    await center.book.add("wh_1", Wanted(receiver.url, ("call.ended",)), "admin", BEFORE)
    await center.happens([*answered_call("c1", BEGIN, "alice")])
    await center.deliver()
    await center.happens([*answered_call("c2", BEGIN, "alice")])
    later = center.now + timedelta(days=4)
    assert await center.book.tidy(later, later) == 1
    assert [each.state for each in await center.book.messages("wh_1", None, None, 10)] == [MessageState.DUE]


async def test_messages_are_listed_page_by_page(center: Center, receiver: Receiver) -> None:
    await center.book.add("wh_1", Wanted(receiver.url), "admin", BEFORE)
    await center.happens([*answered_call("c1", BEGIN, "alice")])
    everything = [each.message for each in await center.book.messages("wh_1", None, None, 1000)]
    paged: list[str] = []
    after: Sequence[str] | None = None
    while page := await center.book.messages("wh_1", None, after, 3):
        paged += [each.message for each in page]
        after = (page[-1].at.isoformat(), page[-1].message)
    assert paged == everything


async def test_no_message_leaves_for_a_private_address_unless_allowed(receiver: Receiver) -> None:
    guarded = HttpSender(allow_private=lambda: False)
    try:
        addresses = ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]")
        for url in (*(f"http://{address}:{receiver.port}/hooks" for address in addresses), "http://169.254.169.254/latest"):
            assert "private" in (await guarded.send(url, b"{}", {})).why, url
        assert (await guarded.send(f"http://2130706433:{receiver.port}/hooks", b"{}", {})).status == 0
    finally:
        await guarded.close()
    assert receiver.got == []


async def test_a_redirect_is_not_followed(center: Center, receiver: Receiver) -> None:
    async with webhook_receiver((307, {"Location": receiver.url})) as elsewhere:
        attempted = await center.sender.send(elsewhere.url, b"{}", {})
    assert (attempted.status, attempted.delivered, receiver.got) == (307, False, [])


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ("120", lambda wait: wait == timedelta(minutes=2)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", lambda wait: wait == timedelta(0)),
        ("", lambda wait: wait is None),
        ("-1", lambda wait: wait is None),
        ("soon", lambda wait: wait is None),
        ("9" * 5000, lambda wait: wait is None),
        ("²", lambda wait: wait is None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, holds: Callable[[timedelta | None], bool]) -> None:
    assert holds(retry_after(said))


async def test_there_is_an_end_to_subscriptions(center: Center) -> None:
    for n in range(50):
        await center.book.add(f"wh_{n}", Wanted("https://example.com/"), "admin", BEFORE)
    with pytest.raises(WebhookError, match="50 subscriptions already"):
        await center.book.add("wh_50", Wanted("https://example.com/"), "admin", BEFORE)
    await center.book.remove("wh_0")
    with pytest.raises(WebhookError, match="no webhook 'wh_0'"):
        await center.book.remove("wh_0")


async def test_texts_from_outside_harm_nothing(center: Center, receiver: Receiver) -> None:
    await center.book.add("wh_1", Wanted(receiver.url, ("contact.disposed", "call.began"), Numbers.WHOLE), "admin", BEFORE)
    for n, text in enumerate(["<script>", "a\\u0000b", "\u202e", "'; DROP TABLE webhook; --", "x" * 5000]):
        given = f.DispositionGiven(BEGIN, f"c{n}", f"k{n}", "support", "alice", text, f.DisposedBy.AGENT)
        began = f.CallBegan(BEGIN, f"c{n}", "node1", "leg", f.Direction.INBOUND, "+1800", text, "", "trunk", "l")
        await center.happens([[began], [replace(given, at=BEGIN)]])
    await center.deliver()
    told = [json.loads(body)["data"] for _, body in receiver.got]
    assert len(told) == 10
    assert max(len(str(each.get("disposition", each.get("caller")))) for each in told) == 200
