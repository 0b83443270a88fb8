"""Prompts are made once, hold what they should, and are in the telephone's own coding too."""

import array
import math
import wave
from pathlib import Path

import pytest

from callcenter.runtime.audio import RATE, WIDE, halved, resampled, tone_samples
from callcenter.runtime.audio import read_wav as read
from callcenter.runtime.catalogue import NEEDED, CatalogueError, Prompt, Tones, catalogue, tones
from callcenter.runtime.prompts import PromptError, prepare


def read_wav(path: Path) -> "array.array[int]":
    with path.open("rb") as file:
        samples, rate = read(file)
    assert rate == RATE
    return samples


def strength(samples: "array.array[int]", frequency: float, rate: int = RATE) -> float:
    """How much of the tone there is (Goertzel), 0 to 1."""
    step = 2 * math.pi * frequency / rate
    real = sum(sample * math.cos(step * index) for index, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(step * index) for index, sample in enumerate(samples))
    power = sum(sample * sample for sample in samples)
    return 2 * (real * real + imaginary * imaginary) / (len(samples) * power)


def ulaw_decoded(octet: int) -> int:
    """G.711, written from its table of segments."""
    octet = ~octet & 0xFF
    magnitude = (((octet & 0x0F) << 3) + 132 << (octet >> 4 & 0x07)) - 132
    return -magnitude if octet & 0x80 else magnitude


def alaw_decoded(octet: int) -> int:
    octet ^= 0x55
    segment, step = octet >> 4 & 0x07, octet & 0x0F
    magnitude = (step << 4) + 8 if segment == 0 else (step << 4) + 264 << segment - 1
    return magnitude if octet & 0x80 else -magnitude


def test_the_catalogue_has_all_that_the_code_and_the_dialplan_say() -> None:
    assert set(NEEDED) <= set(catalogue())


def test_every_prompt_we_ship_can_be_spoken(tmp_path: Path) -> None:
    made = prepare(catalogue().values(), tmp_path)
    for name, wav in made.items():
        with wave.open(str(wav)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2), name
            assert 0.3 < file.getnframes() / 8000 < 15, name
        assert max(map(abs, read_wav(wav))) > 3000, name


def test_a_prompt_is_made_once_and_anew_when_its_text_changes(tmp_path: Path) -> None:
    said = Prompt("hello", text="Hello.")
    first = prepare([said], tmp_path)["hello"]
    made_at = first.stat().st_mtime_ns
    assert prepare([said], tmp_path)["hello"].stat().st_mtime_ns == made_at
    assert prepare([Prompt("hello", text="Good evening.")], tmp_path)["hello"] != first


def test_a_tone_prompt_holds_its_two_tones_and_no_other(tmp_path: Path) -> None:
    wav = prepare([Prompt("beep", source="tone:440+620:1.5")], tmp_path)["beep"]
    samples = read_wav(wav)
    assert len(samples) == 12_000
    wide = array.array("h", wav.with_suffix(".sln16").read_bytes())
    assert len(wide) == 24_000
    assert strength(wide, 440, WIDE) > 0.45
    assert strength(samples, 440) > 0.45
    assert strength(samples, 620) > 0.45
    assert strength(samples, 530) < 0.01


def test_the_twins_in_g711_sound_alike(tmp_path: Path) -> None:
    wav = prepare([Prompt("beep", source="tone:440:0.2")], tmp_path)["beep"]
    samples = read_wav(wav)
    for suffix, decoded in ((".ulaw", ulaw_decoded), (".alaw", alaw_decoded)):
        octets = wav.with_suffix(suffix).read_bytes()
        assert len(octets) == len(samples)
        assert all(abs(decoded(octet) - sample) <= 16 + abs(sample) / 16 for octet, sample in zip(octets, samples, strict=True)), suffix


def test_a_recording_in_stereo_at_another_rate_is_converted(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded.wav"
    tone = [int(8000 * math.sin(2 * math.pi * 440 * index / 44_100)) for index in range(44_100)]
    with wave.open(str(recorded), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(array.array("h", [sample for sample in tone for _ in range(2)]).tobytes())

    samples = read_wav(prepare([Prompt("recorded", file=recorded)], tmp_path / "kept")["recorded"])

    assert abs(len(samples) - 8000) <= 1
    assert strength(samples, 440) > 0.95


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("hello")
    with pytest.raises(PromptError, match=r"prompt 'hello': .*text\.wav is not a WAV file; save it as WAV"):
        prepare([Prompt("hello", file=tmp_path / "text.wav")], tmp_path / "kept")


def test_a_language_that_nobody_speaks_is_said(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="prompt 'hello': espeak-ng cannot say it in 'xx-none'"):
        prepare([Prompt("hello", text="Hello.", language="xx-none")], tmp_path)


@pytest.mark.parametrize("source", ["tone:", "tone:440", "tone:9999:1", "tone:440:0", "tone:440+x:1", "sine:440:1", "tone:440:1000"])
def test_what_is_no_tone_is_said(source: str) -> None:
    with pytest.raises(CatalogueError, match=r"must (be|have)"):
        tones(source)


def test_tones_begin_and_end_softly() -> None:
    samples = tone_samples(Tones((1000.0,), 0.5))
    assert samples[0] == samples[-1] == 0


def test_what_a_narrow_telephone_cannot_carry_is_filtered_out_and_does_not_come_back_as_another_tone() -> None:
    high = array.array("h", [int(8000 * math.sin(2 * math.pi * 6000 * index / WIDE)) for index in range(WIDE)])
    low = array.array("h", [int(8000 * math.sin(2 * math.pi * 1000 * index / WIDE)) for index in range(WIDE)])
    assert max(map(abs, halved(high)[100:-100])) < 80
    assert 7900 < max(map(abs, halved(low)[100:-100])) < 8100


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000])
def test_a_tone_keeps_its_pitch_and_loudness_at_another_rate(rate: int) -> None:
    tone = array.array("h", [int(8000 * math.sin(2 * math.pi * 1000 * index / rate)) for index in range(rate)])
    wide = resampled(tone, rate, WIDE)
    assert abs(len(wide) - WIDE) <= 1
    assert strength(wide[200:-200], 1000, WIDE) > 0.99
    assert 7800 < max(map(abs, wide[200:-200])) < 8200
