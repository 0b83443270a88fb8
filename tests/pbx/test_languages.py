"""Languages on a real phone: who chose Spanish hears Spanish, prompts, values and announcements; wideband phones get wideband."""

import asyncio
import sys
import wave
from array import array
from pathlib import Path
from typing import Any

import pytest

from callcenter.domain import facts as f
from callcenter.runtime.audio import tone_samples
from callcenter.runtime.catalogue import Tones
from callcenter.sim.sip import g711
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.support.asterisk import DID, MENU_TONES, MUSIC_TONES, PROMPT_TONES, WELCOME_TONES, raw_settings, short_folder
from tests.support.center import RunningCenter, running_center

SPANISH: dict[str, TonePair] = {
    "welcome": tone_pair(8),
    "enter-code": tone_pair(19),
    "you-entered": tone_pair(30),
    "es-21": tone_pair(43),
    "you-are-next": tone_pair(55),
}
FLOW = {
    "main": {
        "start": "choose",
        "node": {
            "choose": {"type": "language", "prompt": "menu", "choices": {"1": "en", "2": "es"}, "next": "greet", "otherwise": "greet"},
            "greet": {"type": "prompt", "prompt": "welcome", "next": "ask"},
            "ask": {"type": "collect", "prompt": "enter-code", "attribute": "code", "next": "repeat", "otherwise": "support"},
            "repeat": {"type": "prompt", "prompt": ["you-entered", "{number:code}"], "next": "support"},
            "support": {"type": "queue", "queue": "support"},
        },
    }
}


def tables() -> dict[str, Any]:
    with short_folder() as folder:
        raw = raw_settings(folder)
    spoken = [{"id": name, "language": "es", "source": f"tone:{pair[0]:.0f}+{pair[1]:.0f}:0.7"} for name, pair in SPANISH.items()]
    announced = [{"name": "support", "music": "tones", "announce": {"position": "yes", "first_after_s": 1}}]
    center = raw["center"] | {"languages": ["en", "es"]}
    return {"center": center, "prompt": raw["prompt"] + spoken, "queue": announced, "flow": FLOW}


async def walks(center: RunningCenter, key: str, code: str, tones: dict[str, TonePair], value: str) -> None:
    call = await center.call()
    await call.hears(MENU_TONES)
    await call.send_digit(key)
    await call.hears(tones["welcome"], for_s=0.3)
    await call.hears(tones["enter-code"], for_s=0.3)
    for digit in f"{code}#":
        await call.send_digit(digit)
    await call.hears(tones["you-entered"], for_s=0.3)
    await call.hears(tones[value], for_s=0.3)
    await call.hears(tones["you-are-next"], within=20, for_s=0.3)
    await call.hang_up()


async def test_who_chose_spanish_hears_spanish_and_who_did_not_does_not() -> None:
    async with running_center(**tables()) as center:
        await walks(center, "2", "21", SPANISH, "es-21")
        spoken = [fact.prompts for fact in center.all(f.FlowMoved)]
        assert ("es/you-entered", "es/es-21") in spoken
        assert [fact.prompts for fact in center.all(f.ContactAnnounced)] == [("es/you-are-next",)]
        english = PROMPT_TONES | {"welcome": WELCOME_TONES}
        await walks(center, "1", "2", english, "en-2")


async def test_a_wideband_phone_is_given_the_wideband_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asterisk writes what the file holds, and says so: 16 kHz to G.722, the file's own µ-law to G.711."""
    wideband = g711.Law("G722", 9, 0xFF, g711.ULAW.linear, g711.ULAW.code)  # we look at what Asterisk does, and do not listen
    monkeypatch.setitem(g711.LAWS, wideband.name, wideband)
    monkeypatch.setitem(g711.BY_PAYLOAD_TYPE, wideband.payload_type, wideband)
    trunk = [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"], "codecs": ["g722", "ulaw"]}]
    with short_folder() as folder:
        prompts = [{"id": "menu", "source": "tone:500+700:20"}]
        prompts += [prompt for prompt in raw_settings(folder)["prompt"] if prompt["id"] != "menu"]
    async with running_center(trunk=trunk, prompt=prompts) as center:
        for law, written in ((wideband, "slin16"), (g711.ULAW, "ulaw")):
            server = ("127.0.0.1", center.pbx.sip_port)
            phone = await center.stack.enter_async_context(await Phone.start("carrier-end", server=server, laws=(law,)))
            call = await (await phone.invite(DID, caller_id="+12025550123")).answered()
            await center.fact(f.FlowMoved, number=1 if law is wideband else 2)
            await center.until(lambda written=written: _write_format(center) == written)
            await call.hang_up()
            await center.until(lambda: "\n0 active channels" in "\n" + center.pbx.cli("core show channels count"))


def _write_format(center: RunningCenter) -> str:
    channels = [line.split("!")[0] for line in center.pbx.cli("core show channels concise").splitlines() if line.startswith("PJSIP/")]
    if not channels:
        return ""
    shown = center.pbx.cli(f"core show channel {channels[0]}")
    return next((line.split(":")[1].strip() for line in shown.splitlines() if "WriteFormat" in line), "")


async def test_a_recording_that_is_added_is_for_the_next_callers_and_does_not_disturb_who_is_listening(tmp_path: Path) -> None:
    old, new = tone_pair(8), tone_pair(30)
    with short_folder() as folder:
        prompts = [{"id": "menu", "source": f"tone:{old[0]:.0f}+{old[1]:.0f}:8"}]
        prompts += [prompt for prompt in raw_settings(folder)["prompt"] if prompt["id"] != "menu"]
    recording = tmp_path / "menu.wav"
    with wave.open(str(recording), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(array("h", [sample for sample in tone_samples(Tones(new, 4.0), 44_100) for _ in range(2)]).tobytes())
    async with running_center(prompt=prompts) as center:
        first = await center.call()
        await first.hears(old)
        arguments = ("-m", "callcenter.apps.cli", "prompt", "add", "menu", str(recording), "--config", str(center.file))
        adding = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
        said, _ = await adding.communicate()
        assert said.decode() == "menu: 4.0 seconds in 'en' kept; callers hear it from now on\n"
        second = await center.call()
        await second.hears(new)
        await first.hears(MUSIC_TONES, within=60)  # after the menu, twice in its new words, and the time for a key after each
        (listened,) = first.heard_tones(old, at_least=2)
        assert listened.end_s - listened.start_s == pytest.approx(8, abs=0.3)
        await first.hang_up()
        await second.hang_up()
