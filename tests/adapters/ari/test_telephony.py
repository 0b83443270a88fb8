"""The exact request of each command, and what becomes of a connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from callcenter.adapters.ari.telephony import AsteriskTelephony
from callcenter.domain.commands import (
    Answer,
    CloseBridge,
    Command,
    ConnectLegs,
    HangUp,
    Play,
    RingAgent,
    StartMusic,
    StartRecording,
    StopMusic,
    StopPlayback,
    StopRecording,
)
from callcenter.domain.events import (
    Cause,
    DigitPressed,
    Event,
    LegEnded,
    NodeConnected,
    NodeDisconnected,
    Refusal,
)
from callcenter.services.ports import CommandError
from tests.adapters.ari.fake_ari import FakeAri, Request, fake_ari

LEG, AGENT = "n1-1795327262.0", "n1-0f8fad5b-d9cb-869f-a165-70867728950e"
CONNECTED = NodeConnected("n1", datetime(2026, 11, 22, 5, 56, 24, 972000, UTC))
SECOND = timedelta(seconds=1)


class Recordings:
    """Plays ``services.ports.Recorder``."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []

    async def start(self, node: str, leg: str, recording: str) -> None:
        self.done.append(("start", node, leg, recording))

    async def take_up(self, node: str, leg: str, recording: str) -> None:
        self.done.append(("take up", node, leg, recording))

    async def stop(self, node: str, leg: str, recording: str) -> None:
        self.done.append(("stop", node, leg, recording))

    def hears_another(self, node: str, leg: str) -> None:
        self.done.append(("hears another", node, leg))

    def is_over(self, node: str, leg: str) -> None:
        pass


class Center:
    """One engine with one node."""

    def __init__(self, far_end: FakeAri, on_connect: Callable[[str], Awaitable[None]] | None, **server: object) -> None:
        self.far_end = far_end
        self.inbox: asyncio.Queue[Event] = asyncio.Queue()
        self.replaced: asyncio.Queue[str] = asyncio.Queue()
        self.recorder = Recordings()
        self._on_connect = on_connect
        self.telephony = AsteriskTelephony(
            {"n1": far_end.server(**server)},
            self.inbox.put_nowait,
            self._connected,
            self.recorder,
            self.replaced.put_nowait,
        )

    async def _connected(self, node: str) -> None:
        seen = await self.telephony.snapshot(node, ())
        self.inbox.put_nowait(NodeConnected(node, seen.started_at))
        if self._on_connect is not None:
            await self._on_connect(node)

    async def next(self) -> Event:
        async with asyncio.timeout(10):
            return await self.inbox.get()

    async def socket(self) -> web.WebSocketResponse:
        async with asyncio.timeout(10):
            return await self.far_end.sockets.get()

    async def says(self, *commands: Command) -> list[Request]:
        """What is asked of Asterisk for these commands."""
        before = len(self.far_end.requests)
        for command in commands:
            await self.telephony.run(command)
        return self.far_end.requests[before:]


@asynccontextmanager
async def center(on_connect: Callable[[str], Awaitable[None]] | None = None, **server: object) -> AsyncIterator[Center]:
    async with fake_ari() as far_end:
        it = Center(far_end, on_connect, **server)
        await it.telephony.start()
        try:
            yield it
        finally:
            await it.telephony.close()


@asynccontextmanager
async def connected(**server: object) -> AsyncIterator[Center]:
    async with center(**server) as it:
        assert await it.next() == CONNECTED
        yield it


def event(kind: str, leg: str = LEG, **fields: object) -> dict[str, object]:
    dialplan = {"context": "", "exten": "", "priority": 1, "app_name": "Stasis", "app_data": "callcenter,trunk,1,"}
    channel = {"id": leg, "name": "PJSIP/carrier-00000001", "state": "Up", "dialplan": dialplan, "caller": {"name": "", "number": ""}}
    return {"type": kind, "application": "callcenter", "channel": channel, **fields}


def digit(which: str) -> dict[str, object]:
    return event("ChannelDtmfReceived", digit=which)


RING = RingAgent("c", "n1", AGENT, "alice", "phone-1", "+12025550123", 'Ann "<1>" \\ B\r\n', 1.5 * SECOND)


@pytest.mark.parametrize("rest_over_websocket", [True, False], ids=["websocket", "http"])
@pytest.mark.parametrize(
    ("command", "requests"),
    [
        (Answer("c", "n1", LEG), [("POST", f"channels/{LEG}/answer", {})]),
        (
            Play("c", "n1", LEG, "p1", ("welcome", "menu")),
            [("POST", f"channels/{LEG}/play/p1", {"media": "sound:callcenter/welcome,sound:callcenter/menu"})],
        ),
        (StopPlayback("c", "n1", "p1"), [("DELETE", "playbacks/p1", {})]),
        (StartMusic("c", "n1", LEG, "tones"), [("POST", f"channels/{LEG}/moh", {"mohClass": "tones"})]),
        (StopMusic("c", "n1", LEG), [("DELETE", f"channels/{LEG}/moh", {})]),
        (
            RING,
            [
                (
                    "POST",
                    f"channels/{AGENT}",
                    {
                        "endpoint": "PJSIP/phone-1",
                        "app": "callcenter",
                        "appArgs": "agent",
                        "callerId": '"Ann 1 B" <+12025550123>',
                        "timeout": "4",
                    },
                )
            ],
        ),
        (
            ConnectLegs("c", "n1", "b1", (LEG, AGENT)),
            [("POST", "bridges/b1", {"type": "mixing"}), ("POST", "bridges/b1/addChannel", {"channel": f"{LEG},{AGENT}"})],
        ),
        (CloseBridge("c", "n1", "b1"), [("DELETE", "bridges/b1", {})]),
        (HangUp("c", "n1", LEG), [("DELETE", f"channels/{LEG}", {"reason": "normal"})]),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_is_asked_for_each_command(command: Command, requests: list[Request], rest_over_websocket: bool) -> None:
    async with connected(rest_over_websocket=rest_over_websocket) as it:
        assert await it.says(command) == requests


async def test_recording_is_another_interface() -> None:
    async with connected() as it:
        assert await it.says(StartRecording("c", "n1", LEG, "r1"), StopRecording("c", "n1", LEG, "r1")) == []
        assert it.recorder.done == [("start", "n1", LEG, "r1"), ("stop", "n1", LEG, "r1")]


async def test_signing_in_asks_only_for_what_we_use_and_shows_no_password() -> None:
    async with connected() as it:
        assert it.far_end.requests[0] == ("PUT", "applications/callcenter/eventFilter", {})
        body = it.far_end.bodies[0]
        assert isinstance(body, dict)
        kinds = {each["type"] for each in body["allowed"]}
        assert {"RESTResponse", "ApplicationReplaced", "StasisStart", "StasisEnd", "ChannelDestroyed"} <= kinds
        assert not {"ChannelVarset", "Dial", "ChannelDialplan", "ChannelCreated"} & kinds
        assert it.far_end.urls == ["/ari/events?app=callcenter"]
        assert it.far_end.authorizations == ["Basic ZW5naW5lOnNlY3JldA=="]


@pytest.mark.parametrize("status", [404, 409, 422])
async def test_ending_what_is_gone_is_success(status: int) -> None:
    async with connected() as it:
        for path in (f"channels/{LEG}", "playbacks/p1", f"channels/{LEG}/moh", "bridges/b1"):
            it.far_end.answers["DELETE", path] = status, {"message": "not found"}
        await it.says(HangUp("c", "n1", LEG), StopPlayback("c", "n1", "p1"), StopMusic("c", "n1", LEG), CloseBridge("c", "n1", "b1"))
        await it.telephony.release("n1", LEG)
        await it.telephony.destroy_bridge("n1", "b1")


@pytest.mark.parametrize(
    ("status", "message", "refusal"),
    [
        (404, "Channel not found", Refusal.GONE),
        (409, "Channel not in a Stasis application", Refusal.GONE),
        (412, "Channel in invalid state", Refusal.GONE),
        (422, "Channel not in a Stasis application", Refusal.GONE),
        (400, "Channel not found", Refusal.GONE),
        (400, "Invalid media", Refusal.REFUSED),
        (500, "Internal", Refusal.REFUSED),
        (403, "Forbidden", Refusal.REFUSED),
    ],
)
async def test_why_a_prompt_was_not_said(status: int, message: str, refusal: Refusal) -> None:
    async with connected() as it:
        it.far_end.answers["POST", f"channels/{LEG}/play/p1"] = status, {"message": message}
        with pytest.raises(CommandError) as refused:
            await it.says(Play("c", "n1", LEG, "p1", ("welcome",)))
        assert refused.value.refusal is refusal
        assert message in refused.value.detail


async def test_a_phone_that_is_not_there_ends_its_leg() -> None:
    async with connected() as it:
        it.far_end.answers["POST", f"channels/{AGENT}"] = 500, {"error": "Allocation failed"}
        await it.says(RING)
        assert await it.next() == LegEnded(AGENT, Cause.UNREACHABLE)


async def test_making_what_exists_is_success() -> None:
    async with connected() as it:
        it.far_end.answers["POST", f"channels/{AGENT}"] = 409, {"message": "exists"}
        it.far_end.answers["POST", "bridges/b1"] = 409, {"message": "exists"}
        assert len(await it.says(RING, ConnectLegs("c", "n1", "b1", (LEG, AGENT)))) == 3


async def test_a_prompt_still_being_said_is_stopped_before_connecting() -> None:
    async with connected() as it:
        await it.says(Play("c", "n1", LEG, "p1", ("welcome",)))
        asked = await it.says(ConnectLegs("c", "n1", "b1", (LEG, AGENT)))
        assert asked[0] == ("DELETE", "playbacks/p1", {})


async def test_a_prompt_said_to_its_end_is_not_stopped() -> None:
    async with connected() as it:
        await it.says(Play("c", "n1", LEG, "p1", ("welcome",)))
        over = {"id": "p1", "target_uri": f"channel:{LEG}", "media_uri": "", "language": "en", "state": "done"}
        await (await it.socket()).send_json({"type": "PlaybackFinished", "application": "callcenter", "playback": over})
        await it.next()
        asked = await it.says(ConnectLegs("c", "n1", "b1", (LEG, AGENT)))
        assert [path for _, path, _ in asked] == ["bridges/b1", "bridges/b1/addChannel"]


@pytest.mark.parametrize("bad", ["../x", "a/b", "a?b=c", "", "a&b"])
async def test_an_id_that_could_mean_something_else_is_never_sent(bad: str) -> None:
    async with connected() as it:
        before = len(it.far_end.requests)
        for command in (
            HangUp("c", "n1", bad),
            Play("c", "n1", LEG, "p", (bad,)),
            StartMusic("c", "n1", LEG, bad),
            RingAgent("c", "n1", AGENT, "alice", bad, "", "", SECOND),
            ConnectLegs("c", "n1", "b1", (bad,)),
        ):
            with pytest.raises(CommandError):
                await it.telephony.run(command)
        assert len(it.far_end.requests) == before


async def test_the_heart_beats_in_the_time_of_the_node() -> None:
    async with connected() as it:
        it.far_end.answers["GET", "asterisk/variable"] = 200, {"value": "1795327175"}
        await it.telephony.beat("n1")
        assert it.far_end.requests[-2:] == [
            ("GET", "asterisk/variable", {"variable": "EPOCH"}),
            ("POST", "asterisk/variable", {"variable": "CC_BEAT", "value": "1795327175"}),
        ]


async def test_no_answer_in_time_means_that_nobody_knows() -> None:
    async with connected(request_timeout=0.2) as it:
        it.far_end.silent.add(("POST", f"channels/{LEG}/answer"))
        with pytest.raises(CommandError) as refused:
            await it.says(Answer("c", "n1", LEG))
        assert refused.value.refusal is Refusal.NODE_AWAY
        await it.says(HangUp("c", "n1", LEG))  # the connection lives on


async def test_a_phone_of_which_nobody_knows_whether_it_rings_is_told_to_stop() -> None:
    async with connected(request_timeout=0.2) as it:
        it.far_end.silent.add(("POST", f"channels/{AGENT}"))
        asked = asyncio.Event()
        it.far_end.answers = _Noting(it.far_end.answers, ("DELETE", f"channels/{AGENT}"), asked)
        with pytest.raises(CommandError):
            await it.says(RING)
        async with asyncio.timeout(10):
            await asked.wait()


class _Noting(dict[tuple[str, str], tuple[int, object]]):
    """Notes that an answer was looked up."""

    def __init__(self, answers: dict[tuple[str, str], tuple[int, object]], which: tuple[str, str], asked: asyncio.Event) -> None:
        super().__init__(answers)
        self._which, self._asked = which, asked

    def get(self, key: tuple[str, str], default: object = None) -> tuple[int, object]:  # type: ignore[override]
        if key == self._which:
            self._asked.set()
        return super().get(key, default)  # type: ignore[return-value]


async def test_a_clean_close_is_a_disconnect_and_we_come_back() -> None:
    async with connected() as it:
        await (await it.socket()).close()
        assert await it.next() == NodeDisconnected("n1")
        assert await it.next() == CONNECTED
        await it.says(HangUp("c", "n1", LEG))


async def test_what_was_asked_when_the_connection_broke_is_refused_at_once() -> None:
    async with connected(request_timeout=60.0) as it:
        it.far_end.silent.add(("POST", f"channels/{LEG}/answer"))
        asking = asyncio.create_task(it.telephony.run(Answer("c", "n1", LEG)))
        await asyncio.sleep(0)
        await (await it.socket()).close()
        async with asyncio.timeout(10):
            with pytest.raises(CommandError) as refused:
                await asking
        assert refused.value.refusal is Refusal.NODE_AWAY


async def test_a_node_that_does_not_answer_pings_is_away() -> None:
    async with connected(ping_every=0.05) as it:
        it.far_end.deaf = True
        assert await it.next() == NodeDisconnected("n1")


async def test_a_connection_on_which_nothing_is_told_is_given_up() -> None:
    async with fake_ari() as far_end:
        far_end.tells_nothing = True
        it = Center(far_end, None, request_timeout=0.1)
        await it.telephony.start()
        try:
            await it.socket()
            await it.socket()
            assert ("GET", "channels", {}) not in far_end.requests
            far_end.tells_nothing = False
            assert await it.next() == CONNECTED
        finally:
            await it.telephony.close()


async def test_commands_before_the_snapshot_are_refused() -> None:
    async with fake_ari() as far_end:
        refused: asyncio.Queue[Refusal] = asyncio.Queue()

        async def on_connect(node: str) -> None:
            try:
                await telephony.run(HangUp("c", "n1", LEG))
            except CommandError as error:
                refused.put_nowait(error.refusal)

        telephony = AsteriskTelephony({"n1": far_end.server()}, lambda event: None, on_connect, Recordings(), lambda node: None)
        await telephony.start()
        async with asyncio.timeout(10):
            assert await refused.get() is Refusal.NODE_AWAY
        await telephony.close()


async def test_commands_to_a_node_that_is_away_are_refused_at_once() -> None:
    async with fake_ari() as far_end:
        it = Center(far_end, None)
        for command in (HangUp("c", "n1", LEG), Answer("c", "elsewhere", LEG)):
            with pytest.raises(CommandError) as refused:
                await it.telephony.run(command)
            assert refused.value.refusal is Refusal.NODE_AWAY
        with pytest.raises(CommandError):
            await it.telephony.snapshot("n1", ())
        with pytest.raises(CommandError):
            await it.telephony.beat("n1")


async def test_replaced_we_stand_down() -> None:
    async with connected() as it:
        socket = await it.socket()
        await socket.send_json({"type": "ApplicationReplaced", "application": "callcenter"})
        await socket.send_json(digit("1"))
        assert await it.replaced.get() == "n1"
        with pytest.raises(CommandError) as refused:
            await it.says(HangUp("c", "n1", LEG))
        assert refused.value.refusal is Refusal.NODE_AWAY
        async with asyncio.timeout(10):
            await asyncio.gather(*it.telephony._running)  # nothing tries to come back
        assert it.inbox.empty()


async def test_leaving_is_no_loss() -> None:
    async with connected() as it:
        await it.telephony.close()
        assert it.inbox.empty()


async def test_garbage_disturbs_nothing() -> None:
    async with connected() as it:
        socket = await it.socket()
        for garbage in ("", "{", "[]", "null", "7", '"x"', "[" * 100_000, '{"type": 7}', '{"type": "RESTResponse"}', '{"a": NaN}'):
            await socket.send_str(garbage)
        await socket.send_bytes(b"\xff")
        await socket.send_json({"type": "StasisStart", "application": "callcenter"})
        await socket.send_json({"type": "RESTResponse", "request_id": "77", "status_code": 200})
        await socket.send_json(digit("1"))
        assert await it.next() == DigitPressed(LEG, "1")


async def test_a_leg_that_came_by_mistake_is_hung_up() -> None:
    async with connected() as it:
        asked = asyncio.Event()
        it.far_end.answers = _Noting(it.far_end.answers, ("DELETE", f"channels/{LEG}"), asked)
        await (await it.socket()).send_json(event("StasisStart", args=["nonsense"]))
        async with asyncio.timeout(10):
            await asked.wait()


async def test_events_keep_their_order() -> None:
    async with connected() as it:
        socket = await it.socket()
        for which in "123456789":
            await socket.send_json(digit(which))
        assert [await it.next() for _ in range(9)] == [DigitPressed(LEG, which) for which in "123456789"]


async def test_events_wait_for_the_end_of_on_connect() -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def on_connect(node: str) -> None:
        begun.set()
        await end.wait()

    async with center(on_connect) as it:
        socket = await it.socket()
        assert await it.next() == CONNECTED
        await begun.wait()
        await socket.send_json(digit("1"))
        await socket.send_json(digit("2"))
        await it.says(HangUp("c", "n1", LEG))  # its answer comes after them, so they are here
        assert it.inbox.empty()
        end.set()
        assert await it.next() == DigitPressed(LEG, "1")
        await socket.send_json(digit("3"))
        assert [await it.next(), await it.next()] == [DigitPressed(LEG, "2"), DigitPressed(LEG, "3")]


async def test_what_was_kept_back_is_worthless_when_the_connection_breaks() -> None:
    times: list[str] = []
    never = asyncio.Event()

    async def on_connect(node: str) -> None:
        times.append(node)
        if len(times) == 1:
            await never.wait()

    async with center(on_connect) as it:
        assert await it.next() == CONNECTED
        socket = await it.socket()
        await socket.send_json(digit("1"))
        await it.says(HangUp("c", "n1", LEG))
        await socket.close()
        assert await it.next() == NodeDisconnected("n1")
        assert await it.next() == CONNECTED
        await (await it.socket()).send_json(digit("2"))
        assert await it.next() == DigitPressed(LEG, "2")


async def test_a_greeting_that_fails_is_tried_again() -> None:
    async with center() as it:
        it.far_end.answers["GET", "asterisk/info"] = 503, {"message": "Asterisk not booted"}
        await it.socket()
        await it.socket()  # it came again
        it.far_end.answers["GET", "asterisk/info"] = 200, {"status": {"startup_time": "2026-11-22T05:56:24.972+0000"}}
        while (told := await it.next()) != CONNECTED:
            assert told == NodeDisconnected("n1")
