"""Messages and lamps on a real Asterisk: every command, and every event we live on."""

import asyncio
import wave
from array import array
from collections.abc import Callable
from datetime import timedelta

import pytest

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.services.ports import CommandError
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.tones import goertzel
from tests.support.asterisk import WELCOME_TONES, Pbx, asterisk_node
from tests.support.telephony import CALLER_TONES, PATIENCE, Engine, agent_phone, arrive, caller, engine

LONG, QUIET = timedelta(seconds=60), timedelta(seconds=2)


def recorded(pbx: Pbx, message: str) -> tuple[float, bool]:
    """Seconds of audio, and whether the caller's tone is in the middle of it."""
    with wave.open(str(pbx.node.recordings / f"voicemail-{message}.wav")) as file:
        samples = list(array("h", file.readframes(file.getnframes())))
    middle = samples[len(samples) // 3 : len(samples) // 3 + 4000]
    return len(samples) / 8000, min(goertzel(middle, tone) for tone in CALLER_TONES) > 100 * goertzel(middle, 1777.0)


def goes_on_quietly(pbx: Pbx, message: str) -> bool:
    """Whether the last second is silent."""
    with wave.open(str(pbx.node.recordings / f"voicemail-{message}.wav")) as file:
        samples = array("h", file.readframes(file.getnframes()))
    return max(map(abs, samples[-8000:])) < 500


async def begin(it: Engine, leg: str, longest: timedelta = LONG) -> str:
    """A message is being recorded, and there is some of it already."""
    message = it.ids.draw()
    await it.run(c.RecordMessage, leg, message, longest, QUIET)
    file = it.pbx.node.recordings / f"voicemail-{message}.wav"
    await until(lambda: file.exists() and file.stat().st_size > 16_000)
    return message


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.02)


async def told(it: Engine, message: str) -> e.MessageRecorded:
    await until(lambda: any(isinstance(event, e.MessageRecorded) and event.message == message for event in it.events))
    return next(event for event in it.events if isinstance(event, e.MessageRecorded) and event.message == message)


async def test_a_message_is_recorded_and_played_back() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it, caller(pbx) as ann:
        call, leg = await arrive(it, ann)
        message = await begin(it, leg)
        asked = (c.recorded_prompt(message), c.recorded_prompt("none"))
        assert (await it.telephony.snapshot(pbx.name, asked)).playbacks == {c.recorded_prompt(message)}
        await it.run(c.StopMessage, message)
        said = await told(it, message)
        await it.run(c.StopMessage, message)  # once more changes nothing
        length, is_the_callers = recorded(pbx, message)
        assert said.leg == leg
        assert is_the_callers
        assert abs(said.length.total_seconds() - length) <= 1.1
        assert (await it.telephony.snapshot(pbx.name, asked)).playbacks == frozenset()
        await it.run(c.Play, leg, "p1", (c.recorded_prompt(message),))
        await call.hears(CALLER_TONES, for_s=0.3)
        await until(lambda: e.PlaybackEnded(leg, "p1") in it.events)
        with pytest.raises(CommandError, match="no_such_media"):  # Asterisk would never say that it has ended
            await it.run(c.Play, leg, "p2", (c.recorded_prompt("nowhere"),))
        await it.run(c.Play, leg, "p3", (c.recorded_prompt("nowhere"), "welcome"))
        await call.hears(WELCOME_TONES, for_s=0.2)

        ended = await begin(it, leg, timedelta(seconds=2))
        assert timedelta(seconds=2) <= (await told(it, ended)).length <= timedelta(seconds=3)  # rounded up
        quiet = await begin(it, leg)
        call.play(None)
        said = await told(it, quiet)
        assert abs(said.length.total_seconds() - recorded(pbx, quiet)[0]) <= 1.1
        assert said.length < timedelta(seconds=5)
        assert not goes_on_quietly(pbx, quiet), "the silence that ended it is cut off"

        call.play(CALLER_TONES)
        last = await begin(it, leg)
        await call.hang_up()
        await it.wait_for(e.LegEnded, leg)
        assert isinstance(it.events[-2], e.MessageRecorded), "the message is told before the end of who left it"
        assert it.events[-2].message == last
        assert recorded(pbx, last)[1]


async def lamp(phone: Phone, number: int) -> str:
    """The ``number``-th message summary that the phone was sent."""

    def sent() -> list[str]:
        notified = [request for request in phone.requests if request.method == "NOTIFY"]
        return [request.body.decode() for request in notified if request.need("Event") == "message-summary"]

    await until(lambda: len(sent()) >= number)
    return sent()[number - 1]


async def test_the_lamp_of_a_desk_phone_goes_on_and_off() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it, agent_phone(pbx) as alice:
        endpoint = pbx.phone("alice").endpoint
        await it.run(c.SetLamp, endpoint, 2, 1)
        assert await lamp(alice, 1) == "Messages-Waiting: yes\r\nVoice-Message: 2/1 (0/0)\r\n"
        await it.run(c.SetLamp, endpoint, 0, 3)
        assert await lamp(alice, 2) == "Messages-Waiting: no\r\nVoice-Message: 0/3 (0/0)\r\n"
        await it.run(c.SetLamp, pbx.phone("bob").endpoint, 1, 0)  # nobody is registered there
