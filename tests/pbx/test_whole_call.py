"""Whole calls through the engine's own process and a real Asterisk: what is heard, what is recorded, what hostile callers reach."""

import json
import re
import wave
from array import array
from pathlib import Path

import pytest

from callcenter.domain import facts as f
from callcenter.runtime import toml_text
from callcenter.services.control_client import RequestRefused
from callcenter.services.fact_codec import encode
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.tones import TonePair, goertzel
from tests.support.asterisk import MENU_TONES, MUSIC_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE, RunningCenter, running_center

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def channels(recording: Path) -> tuple[list[int], list[int]]:
    """Left and right of a two-channel file, raw or WAV."""
    if recording.suffix == ".wav":
        with wave.open(str(recording)) as file:
            assert file.getnchannels() == 2
            samples = array("h", file.readframes(file.getnframes()))
    else:
        samples = array("h", recording.read_bytes())
    return list(samples[0::2]), list(samples[1::2])


def share(samples: list[int], pair: TonePair) -> float:
    """What part of the sound in the middle is this pair."""
    middle = samples[len(samples) // 3 : len(samples) // 3 + 4000]
    energy = sum(sample * sample for sample in middle) or 1
    return sum(goertzel(middle, frequency) for frequency in pair) / energy


async def test_a_call_from_the_number_to_the_recording() -> None:
    async with running_center() as center:
        caller = await center.call()
        await caller.hears(MENU_TONES, for_s=0.2)
        await caller.send_digit("2")
        await caller.hears(MUSIC_TONES)
        alice = await center.agent("alice", AnswerAfter(0.3))
        at_alice = await alice.incoming()
        await caller.hears(AGENT_TONES["alice"])
        await at_alice.hears(CALLER_TONE)
        started = await center.fact(f.RecordingStarted)
        await caller.hears(AGENT_TONES["alice"], for_s=2.0)
        await caller.hang_up()
        await at_alice.ended()
        await center.fact(f.ContactEnded)
        assert [fact.cause for fact in center.all(f.CallEnded)] == ["normal"]
        (recording,) = center.pbx.node.recordings.iterdir()
        assert recording.stem == started.recording
        left, right = channels(recording)
        assert len(left) == len(right) > 2 * 8000
        assert share(left, CALLER_TONE) > 0.8
        assert share(left, AGENT_TONES["alice"]) < 0.05
        assert share(right, AGENT_TONES["alice"]) > 0.8
        assert share(right, CALLER_TONE) < 0.05


async def test_what_is_said_to_those_who_reach_no_agent() -> None:
    async with running_center() as center:
        lost = await center.call(did="+18005559999")
        await lost.hears((640.0, 840.0), for_s=0.3)
        await lost.ended()
        assert (await center.fact(f.NumberUnknown)).did == "+18005559999"
        alice = await center.phone("alice", AnswerAfter(0.3))
        for code, tones, state in (("*11", (760.0, 960.0), "ready"), ("*12", (800.0, 1000.0), "not_ready")):
            call = await alice.invite(code)
            await call.answered()
            await call.hears(tones, for_s=0.3)
            await call.ended()
            assert center.all(f.AgentStateChanged, agent="alice")[-1].state == state


HOSTILE = {
    "line breaks": "<sip:1%0d%0aX-Evil%3a%201@127.0.0.1>",
    "a line break in the name": '"x%0d%0aAction: Command" <sip:12025550131@127.0.0.1>',
    "a dialplan function": '"${SHELL(id)}" <sip:%24%7BSHELL(id)%7D@127.0.0.1>',
    "a path": '"../../etc/passwd" <sip:..%2f..%2fetc%2fpasswd@127.0.0.1>',
    "600 characters": f'"{"n" * 600}" <sip:{"7" * 600}@127.0.0.1>',
    "right to left": '"\u202eevil\u202c \u0007bell" <sip:%e2%80%ae2025550132@127.0.0.1>',
    "markup": '"<script>alert(1)</script>" <sip:%3cscript%3e@127.0.0.1>',
    "another dial string": '"a&PJSIP/b" <sip:500&Local%2fx%40y@127.0.0.1>',
    "nobody": "<sip:anonymous@anonymous.invalid>",
}


async def test_hostile_callers_are_callers_like_any_other() -> None:
    queue = [{"name": "support", "music": "tones", "wrap_up_s": 0}]
    async with running_center(queue=queue) as center:
        await center.agent("alice", AnswerAfter(0.1))
        for number, (what, shown) in enumerate(HOSTILE.items(), start=1):
            call = await center.call(from_raw=shown)
            await call.send_digit("2")
            await call.hears(AGENT_TONES["alice"], for_s=0.2)
            await call.hang_up()
            await center.fact(f.CallEnded, number=number)
            began = center.all(f.CallBegan)[-1]
            assert set(began.caller) <= set("+0123456789*#"), what
            assert len(began.caller) <= 32, what
            assert began.caller_name.isprintable(), what
            assert len(began.caller_name) <= 80, what
        assert len(center.all(f.ContactConnected)) == len(HOSTILE)
        _nothing_hostile_is_kept(center)


def _nothing_hostile_is_kept(center: RunningCenter) -> None:
    for fact in center.read():
        for value in encode(fact).values():
            assert not isinstance(value, str) or value.isprintable(), fact
    for line in center.log_file.read_text().splitlines():
        assert isinstance(json.loads(line), dict)
        assert line.isprintable()
    files = list(center.pbx.node.recordings.iterdir())
    assert len(files) == len(HOSTILE)
    assert all(UUID.fullmatch(file.stem) for file in files)
    assert all(len(line) < 20 for line in center.pbx.queue_log())


async def test_a_reload_leaves_calls_alone_and_lets_new_phones_in() -> None:
    async with running_center() as center:
        await center.agent("alice", AnswerAfter(0.2))
        caller = await center.call()
        await caller.hears(MENU_TONES, for_s=0.2)
        await caller.send_digit("2")
        await caller.hears(AGENT_TONES["alice"])
        waits = await center.call("+12025550142")
        await waits.send_digit("2")
        await waits.hears(MUSIC_TONES)
        center.raw["agent"].append({"name": "carol", "queues": ["support"]})
        toml_text.write(center.file, center.raw)
        assert (await center.ask("reload"))["ok"]
        await center.agent("carol", AnswerAfter(0.2))
        await waits.hears(AGENT_TONES["carol"])
        await caller.hears(AGENT_TONES["alice"])
        assert caller.longest_gap_s(2.0) < 1.0
        assert (await center.phases()) == {"+12025550123": "talking", "+12025550142": "talking"}
        assert not center.all(f.LegGone)
        center.raw["queue"] = []  # the flow now names a queue that is not there
        toml_text.write(center.file, center.raw)
        with pytest.raises(RequestRefused, match="support"):
            await center.ask("reload")
        assert (await center.phases()) == {"+12025550123": "talking", "+12025550142": "talking"}
        for call in (caller, waits):
            await call.hang_up()
        await center.fact(f.CallEnded, number=2)


async def test_keys_are_heard_in_the_audio_of_who_sends_no_telephone_events() -> None:
    async with running_center() as center:
        caller = await center.call(tone=None, telephone_events=False)
        await caller.hears(MENU_TONES, for_s=0.2)
        await caller.send_inband_digit("2", ms=100)
        await caller.hears(MUSIC_TONES)
        pressed = await center.fact(f.FlowKeyPressed)
        assert (pressed.digit, pressed.node) == ("2", "support")
        assert len(center.all(f.FlowKeyPressed)) == 1
        await caller.hang_up()
