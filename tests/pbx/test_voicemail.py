"""Voicemail on a real Asterisk, with real audio: a caller leaves a tone, the lamp goes on, the agent hears that tone with her PIN."""

import asyncio
import os
import wave
from array import array
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from callcenter.domain import facts as f
from callcenter.domain.facts import VisitOutcome
from callcenter.runtime.pins import Pins
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.ear import StreamClosed
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import RingForever
from callcenter.sim.sip.tones import goertzel
from tests.support.asterisk import BEEP_TONES, DID, MENU_TONES, MUSIC_TONES, PROMPT_TONES
from tests.support.center import CALLER_TONE, PATIENCE, RunningCenter, running_center

MAILBOX_DID = "+18005550101"
PIN = "4711"


def tables() -> dict[str, Any]:
    """Key 0 leads from the queue to its mailbox; a second number is for listening."""
    listen = {
        "start": "box",
        "node": {
            "box": {"type": "voicemail", "listen": True, "next": "end", "otherwise": "end"},
            "end": {"type": "hang_up"},
        },
    }
    main = {
        "start": "choice",
        "node": {
            "choice": {"type": "menu", "prompt": "menu", "choices": {"2": "support"}, "otherwise": "support", "timeout_s": 2},
            "support": {"type": "queue", "queue": "support"},
        },
    }
    queue = {"name": "support", "music": "tones", "wrap_up_s": 1, "keys": {"0": "voicemail"}, "voicemail": {"number": "7001"}}
    return {
        "queue": [queue],
        "flow": {"main": main, "listen": listen},
        "number": [{"did": DID, "flow": "main"}, {"did": MAILBOX_DID, "flow": "listen"}],
    }


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.03)


def audio(center: RunningCenter, message: str) -> Path:
    return center.pbx.node.recordings / f"voicemail-{message}.wav"


async def speaking(center: RunningCenter, number: int = 1, seconds: float = 3) -> str:
    """A caller is being recorded, and has said something for so long; returns the message."""
    began = await center.fact(f.MessageBegan, number)
    file = audio(center, began.message)
    await until(lambda: file.exists() and file.stat().st_size > 16_000 * seconds)
    return began.message


async def at_the_mailbox(center: RunningCenter) -> Call:
    caller = await center.call()
    await caller.hears(MENU_TONES, for_s=0.2)
    await caller.send_digit("2")
    await caller.hears(MUSIC_TONES)
    await caller.send_digit("0")
    await caller.hears(PROMPT_TONES["voicemail-greeting"], for_s=0.3)
    await caller.hears(BEEP_TONES, for_s=0.2)
    return caller


def holds_the_tone(file: Path) -> bool:
    """The caller's, in the middle of it."""
    with wave.open(str(file)) as sound:
        samples = list(array("h", sound.readframes(sound.getnframes())))
    middle = samples[len(samples) // 2 : len(samples) // 2 + 4000]
    return min(goertzel(middle, tone) for tone in CALLER_TONE) > 100 * goertzel(middle, 1777.0)


def lamp(phone: Phone) -> str:
    """What the phone was told last (RFC 3842)."""
    told = [request.body.decode() for request in phone.requests if request.method == "NOTIFY"]
    return told[-1].partition("Voice-Message: ")[2].partition(" ")[0] if told else ""


async def leaves(owner: Call) -> None:
    with suppress(StreamClosed):  # we hang up as soon as the key is known
        await owner.send_digit("*")


async def test_a_tone_is_left_lights_the_lamp_and_is_heard_with_the_pin() -> None:
    async with running_center(**tables()) as center:
        Pins(center.pbx.settings.data).set("queue:support", PIN)
        alice = await center.phone("alice", RingForever())
        caller = await at_the_mailbox(center)
        message = await speaking(center)
        await caller.send_digit("#")
        await caller.hears(PROMPT_TONES["voicemail-review"], for_s=0.3)
        await caller.send_digit("1")
        await caller.hears(PROMPT_TONES["voicemail-kept"], for_s=0.3)
        await caller.ended()
        left = await center.fact(f.MessageLeft)
        assert (left.mailbox, left.message, left.caller) == ("queue:support", message, "+12025550123")
        assert (await center.fact(f.ContactOverflowed)).contact == left.contact
        assert holds_the_tone(audio(center, message))
        await until(lambda: lamp(alice) == "1/0")

        owner = await (await alice.invite("*211")).answered()
        await owner.hears(PROMPT_TONES["voicemail-pin"], for_s=0.3)
        await owner.send_digits("9001#")
        await owner.hears(PROMPT_TONES["voicemail-wrong-pin"], for_s=0.3)
        await owner.hears(PROMPT_TONES["voicemail-pin"], for_s=0.3)
        await owner.send_digits(f"{PIN}#")
        await owner.hears(CALLER_TONE, within=PATIENCE, for_s=1)
        await owner.hears(PROMPT_TONES["voicemail-menu"], within=PATIENCE, for_s=0.3)
        await until(lambda: lamp(alice) == "0/1")
        await owner.send_digit("3")
        await until(lambda: lamp(alice) == "0/0")
        await owner.hears(PROMPT_TONES["voicemail-no-more"], within=PATIENCE, for_s=0.3)
        await leaves(owner)
        await owner.ended()
        assert (await center.fact(f.MessageDeleted)).by == "alice"
        assert [fact.outcome for fact in center.all(f.VisitEnded)] == [VisitOutcome.LEFT, VisitOutcome.LISTENED]
        assert PIN not in "".join(repr(fact) for fact in center.read() if isinstance(fact, f.VisitMoved))
        assert PIN not in center.log_file.read_text()


async def test_killed_in_mid_message_and_heard_from_outside() -> None:
    async with running_center(**tables()) as center:
        Pins(center.pbx.settings.data).set("queue:support", PIN)
        caller = await at_the_mailbox(center)
        message = await speaking(center, seconds=1)
        await center.kill_engine()
        await center.start_engine()
        await speaking(center, seconds=3)
        await caller.send_digit("#")
        await caller.hears(PROMPT_TONES["voicemail-review"], for_s=0.3)
        await caller.hang_up()
        assert (await center.fact(f.MessageLeft)).message == message
        assert holds_the_tone(audio(center, message))

        owner = await center.call("+12025550199", MAILBOX_DID, tone=(600.0, 900.0))
        await until(lambda: center.all(f.VisitMoved, stage=f.Stage.NUMBER))
        await owner.send_digits("7001#")
        await owner.hears(PROMPT_TONES["voicemail-pin"], for_s=0.3)
        await owner.send_digits(f"{PIN}#")
        await owner.hears(CALLER_TONE, within=PATIENCE, for_s=1)
        await leaves(owner)
        await owner.ended()


async def test_a_recording_that_cannot_be_written_is_told() -> None:
    async with running_center(**tables()) as center:
        center.pbx.node.recordings.rename(center.pbx.node.recordings.with_name("elsewhere"))
        center.pbx.node.recordings.write_text("not a folder")  # as good as a disk that takes nothing
        try:
            caller = await center.call()
            await caller.hears(MENU_TONES, for_s=0.2)
            await caller.send_digit("2")
            await caller.hears(MUSIC_TONES)
            await caller.send_digit("0")
            await caller.hears(PROMPT_TONES["voicemail-not-recorded"], within=PATIENCE, for_s=0.3)
            await caller.ended()
            assert (await center.fact(f.VisitEnded)).outcome is VisitOutcome.FAILED
            assert center.all(f.MessageLeft) == []
        finally:
            os.unlink(center.pbx.node.recordings)
            center.pbx.node.recordings.with_name("elsewhere").rename(center.pbx.node.recordings)
