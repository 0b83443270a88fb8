"""AMI: nothing that could be read as a second action is ever sent, and connections that break."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from callcenter.adapters.ami.client import AmiClient, AmiServer, Message, UnsafeField, check_fields
from callcenter.adapters.ami.phones import PhoneHealth
from callcenter.adapters.ami.recorder import MixMonitorRecorder
from callcenter.domain.events import Event, PhoneReachable, PhoneUnreachable, Refusal
from callcenter.services.ports import CommandError

LEG = "n1-1795327262.0"


class FakeAmi:
    """The far end of AMI, played inside the test."""

    def __init__(self) -> None:
        self.actions: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.answers: dict[str, str] = {}
        """By action: the lines after the ActionID; what is not in here succeeds, what is empty is never answered."""
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                action = dict(line.split(": ", 1) for line in lines if line)
                self.actions.put_nowait(action)
                answer = self.answers.get(action["Action"], "Response: Success\r\n\r\n")
                writer.write(answer.replace("\r\n\r\n", f"\r\nActionID: {action['ActionID']}\r\n\r\n").encode())

    async def next(self, name: str) -> dict[str, str]:
        """The next action of that name."""
        async with asyncio.timeout(10):
            while (action := await self.actions.get())["Action"] != name:
                pass
        return action

    def say(self, **fields: str) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writers[-1].write(f"{lines}\r\n".encode())

    def hang_up(self) -> None:
        self.writers[-1].close()


class Connected:
    """A client, signed in."""

    def __init__(self, far_end: FakeAmi, client: AmiClient, logins: asyncio.Queue[None]) -> None:
        self.far_end, self.client, self.logins = far_end, client, logins


@asynccontextmanager
async def fake_ami() -> AsyncIterator[FakeAmi]:
    far_end = FakeAmi()
    server = await asyncio.start_server(far_end.serve, "127.0.0.1", 0)
    far_end.port = server.sockets[0].getsockname()[1]
    try:
        yield far_end
    finally:
        server.close()
        for writer in far_end.writers:
            writer.close()


@asynccontextmanager
async def connected(**changes: float) -> AsyncIterator[Connected]:
    async with fake_ami() as far_end:
        logins: asyncio.Queue[None] = asyncio.Queue()

        async def on_login() -> None:
            logins.put_nowait(None)

        client = AmiClient(AmiServer("127.0.0.1", far_end.port, "rec", "secret", **changes), on_login=on_login)  # type: ignore[arg-type]
        running = asyncio.create_task(client.run())
        try:
            async with asyncio.timeout(10):
                await logins.get()
            yield Connected(far_end, client, logins)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.mark.parametrize("value", ["a\r\n\r\nAction: Originate", "a\nb", "a\r", "\0", "x" * 513])
async def test_a_value_that_could_be_a_second_action_is_refused(value: str) -> None:
    async with connected() as it:
        with pytest.raises(UnsafeField):
            await it.client.action("Ping", {"Channel": value})
        with pytest.raises(UnsafeField):
            await it.client.action(value)
        await it.client.action("Ping", {"Channel": "clean"})
        assert (await it.far_end.next("Ping"))["Channel"] == "clean"
        assert it.far_end.actions.empty()


@pytest.mark.parametrize("name", ["A: b\r\nX", "A B", "A:", "", "Ä", "A" * 41])
def test_the_name_of_a_field_is_a_name(name: str) -> None:
    with pytest.raises(UnsafeField):
        check_fields({name: "x"})


@pytest.mark.parametrize("value", [None, 7, ["a", "b"], b"x"])
def test_a_value_is_a_text(value: object) -> None:
    with pytest.raises(UnsafeField):
        check_fields({"Channel": value})  # type: ignore[dict-item]


async def test_a_lost_connection_refuses_what_was_asked_and_asks_nothing_twice() -> None:
    async with connected(action_timeout=60.0) as it:
        it.far_end.answers["MixMonitor"] = ""
        asking = asyncio.create_task(it.client.action("MixMonitor", {"Channel": LEG}))
        await it.far_end.next("MixMonitor")
        it.far_end.hang_up()
        async with asyncio.timeout(10):
            with pytest.raises(CommandError) as refused:
                await asking
            assert refused.value.refusal is Refusal.NODE_AWAY
            await it.logins.get()  # it came back by itself
        it.far_end.say(Event="FullyBooted")  # upon which panoramisk would send it again
        await it.client.action("Ping")
        await it.far_end.next("Ping")
        assert it.far_end.actions.empty()


async def test_no_answer_in_time_means_that_nobody_knows() -> None:
    async with connected(action_timeout=0.2) as it:
        it.far_end.answers["MixMonitor"] = ""
        with pytest.raises(CommandError) as refused:
            await it.client.action("MixMonitor", {"Channel": LEG})
        assert refused.value.refusal is Refusal.NODE_AWAY
        assert (await it.client.action("Ping"))["response"] == "Success"


async def test_a_node_that_answers_no_ping_is_left() -> None:
    async with connected(action_timeout=0.2, ping_every=0.05) as it:
        it.far_end.answers["Ping"] = ""
        await it.far_end.next("Ping")
        del it.far_end.answers["Ping"]
        async with asyncio.timeout(10):
            await it.logins.get()


async def test_without_connection_everything_is_refused() -> None:
    client = AmiClient(AmiServer("127.0.0.1", 9, "rec", "secret"))
    with pytest.raises(CommandError) as refused:
        await client.action("Ping")
    assert refused.value.refusal is Refusal.NODE_AWAY


async def test_a_wrong_password_is_no_connection() -> None:
    async with fake_ami() as far_end:
        far_end.answers["Login"] = "Response: Error\r\nMessage: Authentication failed\r\n\r\n"
        client = AmiClient(AmiServer("127.0.0.1", far_end.port, "rec", "wrong"))
        running = asyncio.create_task(client.run())
        await far_end.next("Login")
        await far_end.next("Login")  # tried again
        assert not client.is_connected
        running.cancel()


async def test_a_list_that_is_refused_ends_at_once() -> None:
    async with connected(action_timeout=60.0) as it:
        it.far_end.answers["PJSIPShowContacts"] = "Response: Error\r\nMessage: No Contacts found\r\n\r\n"
        async with asyncio.timeout(10):
            (said,) = await it.client.action_list("PJSIPShowContacts")
        assert said["message"] == "No Contacts found"


async def test_how_a_recording_is_asked_for() -> None:
    async with connected() as it:
        recorder = MixMonitorRecorder({"n1": it.client})
        await recorder.start("n1", LEG, "0f8fad5b-d9cb-869f-a165-70867728950e")
        asked = await it.far_end.next("MixMonitor")
        assert (asked["Channel"], asked["File"], asked["Options"]) == (LEG, "0f8fad5b-d9cb-869f-a165-70867728950e.raw", "D")
        it.far_end.answers["StopMixMonitor"] = "Response: Error\r\nMessage: No such channel\r\n\r\n"
        await recorder.stop("n1", LEG, "0f8fad5b-d9cb-869f-a165-70867728950e")
        assert (await it.far_end.next("StopMixMonitor"))["Channel"] == LEG


async def test_a_recording_goes_on_in_the_same_file_when_its_leg_hears_another() -> None:
    async with connected() as it:
        recorder = MixMonitorRecorder({"n1": it.client})
        await recorder.start("n1", LEG, "r1")
        assert (await it.far_end.next("MixMonitor"))["Options"] == "D"
        recorder.hears_another("n1", LEG)
        assert (await it.far_end.next("StopMixMonitor"))["Channel"] == LEG
        again = await it.far_end.next("MixMonitor")
        assert (again["Channel"], again["File"], again["Options"]) == (LEG, "r1.raw", "aD")
        await recorder.stop("n1", LEG, "r1")
        recorder.hears_another("n1", LEG)
        await it.client.action("Ping")
        assert (await it.far_end.next("StopMixMonitor"))["Channel"] == LEG
        assert [action["Action"] for action in list(it.far_end.actions._queue)] == ["Ping"], "what is not recorded hears whom it likes"


async def test_what_may_have_begun_before_a_restart_on_another_machine_is_never_written_twice() -> None:
    async with connected() as it:
        recorder = MixMonitorRecorder({"n1": it.client})
        for _ in range(2):
            await recorder.take_up("n1", LEG, "r1")
            await recorder.start("n1", LEG, "r1")
        assert (await it.far_end.next("StopMixMonitor"))["Channel"] == LEG
        assert (await it.far_end.next("MixMonitor"))["Options"] == "aD"
        await it.client.action("Ping")
        assert (await it.far_end.next("Ping"))["Action"] == "Ping"
        assert it.far_end.actions.empty()


@pytest.mark.parametrize("recording", ["../x", "a/b", "", "a.raw", "x" * 65, "a\n"])
async def test_a_recording_is_never_named_from_outside(recording: str) -> None:
    async with connected() as it:
        with pytest.raises(CommandError):
            await MixMonitorRecorder({"n1": it.client}).start("n1", LEG, recording)


@pytest.mark.parametrize(("message", "refusal"), [("No such channel", Refusal.GONE), ("Could not start", Refusal.REFUSED)])
async def test_why_a_recording_did_not_begin(message: str, refusal: Refusal) -> None:
    async with connected() as it:
        it.far_end.answers["MixMonitor"] = f"Response: Error\r\nMessage: {message}\r\n\r\n"
        with pytest.raises(CommandError) as refused:
            await MixMonitorRecorder({"n1": it.client}).start("n1", LEG, "r1")
        assert refused.value.refusal is refusal


async def test_a_folder_that_is_not_there_refuses_the_recording(tmp_path: Path) -> None:
    async with connected() as it:
        with pytest.raises(CommandError) as refused:
            await MixMonitorRecorder({"n1": it.client}, {"n1": tmp_path / "nothing"}).start("n1", LEG, "r1")
        assert refused.value.refusal is Refusal.REFUSED


async def test_a_recording_that_leaves_no_file_is_refused(tmp_path: Path) -> None:
    async with connected() as it:
        with pytest.raises(CommandError) as refused:
            await MixMonitorRecorder({"n1": it.client}, {"n1": tmp_path}).start("n1", LEG, "r1")
        assert refused.value.refusal is Refusal.REFUSED


def peer(endpoint: str, status: str) -> Message:
    return {"event": "PeerStatus", "channeltype": "PJSIP", "peer": f"PJSIP/{endpoint}", "peerstatus": status}


def test_a_phone_is_reachable_while_any_node_reaches_it() -> None:
    told: list[Event] = []
    health = PhoneHealth(told.append)
    for node, event in (
        ("n1", peer("p", "Reachable")),
        ("n2", peer("p", "Reachable")),
        ("n1", peer("p", "Unreachable")),
        ("n1", peer("p", "Unreachable")),
        ("n2", peer("p", "Registered")),
        ("n2", {"event": "ContactStatus", "endpointname": "p"}),
        ("n2", peer("p", "Unreachable")),
        ("n2", {**peer("p", "Reachable"), "peer": "IAX2/p"}),
        ("n2", peer("q", "Unreachable")),
    ):
        health.heard(node, event)
    assert told == [PhoneReachable("p"), PhoneUnreachable("p"), PhoneUnreachable("q")]


async def test_phones_are_asked_for_at_each_login() -> None:
    async with fake_ami() as far_end:
        far_end.answers["PJSIPShowEndpoints"] = (
            "Response: Success\r\nEventList: start\r\nMessage: A listing follows\r\n\r\n"
            "Event: EndpointList\r\nObjectName: p\r\nDeviceState: Not in use\r\n\r\n"
            "Event: EndpointList\r\nObjectName: q\r\nDeviceState: Unavailable\r\n\r\n"
            "Event: EndpointListComplete\r\nEventList: Complete\r\n\r\n"
        )
        told: asyncio.Queue[Event] = asyncio.Queue()
        client = PhoneHealth(told.put_nowait).client("n1", AmiServer("127.0.0.1", far_end.port, "ops", "secret", hears_events=True))
        running = asyncio.create_task(client.run())
        async with asyncio.timeout(10):
            assert [await told.get(), await told.get()] == [PhoneReachable("p"), PhoneUnreachable("q")]
            far_end.say(Event="PeerStatus", ChannelType="PJSIP", Peer="PJSIP/q", PeerStatus="Reachable")
            assert await told.get() == PhoneReachable("q")
        running.cancel()
