"""G.711, tone pairs, digits and descriptions: the parts of the phone that need no network."""

import math
import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.sim.sip.dtmf import EVENTS, event_payload, read_event
from callcenter.sim.sip.ear import Ear
from callcenter.sim.sip.g711 import ALAW, LAWS, ULAW, Law
from callcenter.sim.sip.sdp import Audio, Direction, MalformedSdp, read_sdp, write_sdp
from callcenter.sim.sip.tones import DTMF, FRAME, TonePair, goertzel, samples_of, shares, sounds, tone_frames, tone_pair

BOTH = pytest.mark.parametrize("law", [ULAW, ALAW], ids=lambda law: law.name)


@BOTH
def test_each_byte_survives_decoding_and_encoding(law: Law) -> None:
    twins = {0x7F} if law is ULAW else set()  # minus zero becomes plus zero
    for code in set(range(256)) - twins:
        assert law.encode(law.decode(bytes([code]))) == bytes([code])


@pytest.mark.parametrize(
    ("law", "code", "sample"),
    [
        (ULAW, 0xFF, 0),
        (ULAW, 0x80, 32124),
        (ULAW, 0x00, -32124),
        (ULAW, 0xF0, 120),
        (ALAW, 0xD5, 8),
        (ALAW, 0x55, -8),
        (ALAW, 0xAA, 32256),
        (ALAW, 0x2A, -32256),
    ],
)
def test_known_values_of_the_standard(law: Law, code: int, sample: int) -> None:
    assert law.linear[code] == sample
    assert law.encode([sample]) == bytes([code])


@BOTH
@given(sample=st.integers(-32768, 32767))
def test_the_nearest_of_the_tables_samples_is_chosen(law: Law, sample: int) -> None:
    heard = law.decode(law.encode([sample]))[0]

    least = min(abs(candidate - sample) for candidate in law.linear)
    # between two steps either may be taken, the rule of the standard rounds at their middle
    assert abs(heard - sample) <= max(least + 16, abs(sample) / 32 + 8)
    assert (heard >= 0) == (sample >= 0) or abs(heard) <= 8


@pytest.mark.parametrize("frequency", [300.0, 440.0, 1004.0, 2100.0, 3400.0])
def test_goertzel_measures_the_energy_of_a_sine(frequency: float) -> None:
    samples = [round(8000 * math.sin(2 * math.pi * frequency * n / 8000)) for n in range(800)]

    assert goertzel(samples, frequency) / sum(s * s for s in samples) == pytest.approx(1.0, abs=0.02)
    assert goertzel(samples, frequency + 100) / sum(s * s for s in samples) < 0.01


PROMPTS: list[TonePair] = [(500.0, 700.0), (440.0, 620.0), (350.0, 450.0), (840.0, 1040.0)]


@BOTH
@pytest.mark.parametrize("packet_ms", [20, 40, 60])
def test_each_pair_sounds_like_itself_and_like_no_other(law: Law, packet_ms: int) -> None:
    pairs = [tone_pair(n) for n in range(0, 78, 6)] + PROMPTS + [DTMF["1"], DTMF["D"]]
    for said in pairs:
        frames = tone_frames(said, law, packet_ms)
        assert {len(frame) for frame in frames} == {packet_ms * 8}
        for heard in pairs:
            matching = [sounds(frame, law.payload_type, heard) for frame in frames]
            assert all(matching) if heard == said else not any(matching)


def test_two_pairs_at_once_are_both_heard() -> None:
    """A bridge of three: two of them speak."""
    mixed = [a + b for a, b in zip(samples_of(tone_pair(0), FRAME), samples_of(tone_pair(70), FRAME), strict=True)]
    payload = ULAW.encode(mixed)

    assert sounds(payload, 0, tone_pair(0))
    assert sounds(payload, 0, tone_pair(70))
    assert not sounds(payload, 0, tone_pair(40))


def test_silence_and_noise_hold_no_tone() -> None:
    dice = random.Random(3)
    noise = [ULAW.encode([dice.randint(-8000, 8000) for _ in range(FRAME)]) for _ in range(200)]

    for payload in (*tone_frames(None, ULAW), b"", b"\xff", *noise):
        assert not sounds(payload, 0, tone_pair(0))
    assert shares(b"", 0, tone_pair(0)) == (0.0, 0.0)


def test_frames_go_round_without_a_click() -> None:
    frames = tone_frames((440.0, 620.0), ULAW)
    twice = b"".join(frames * 2)

    assert twice == ULAW.encode(samples_of((440.0, 620.0), len(twice)))


def test_agreed_pairs_differ() -> None:
    pairs = [tone_pair(n) for n in range(78)]

    assert len(set(pairs)) == 78
    for one, other in combinations({f for pair in pairs for f in pair}, 2):
        assert abs(one - other) >= 100


@given(st.sampled_from(EVENTS), st.integers(0, 0xFFFF), st.booleans())
def test_digits_are_read_back(digit: str, duration: int, ended: bool) -> None:
    assert read_event(event_payload(EVENTS.index(digit), duration, ended)) == (digit, duration, ended)


@given(st.binary())
def test_any_rtp_is_taken_or_counted_as_malformed(packet: bytes) -> None:
    ear = Ear(True)
    ear.expect(ULAW, 101)

    assert ear.take(packet, 1.0) is (ear.malformed == 0)
    assert ear.packets + ear.malformed == 1


def test_extension_contributing_sources_and_padding_are_stripped() -> None:
    ear = Ear(True)
    ear.expect(ULAW, 101)
    head = bytes([0xB1, 0]) + bytes(10)
    ear.take(head + b"CSRC" + b"\x00\x00\x00\x01" + b"EXTN" + b"payload" + b"\x00\x00\x03", 1.0)

    assert ear.payloads() == [(1.0, 0, b"payload")]


audios = st.builds(
    Audio,
    st.sampled_from(["127.0.0.1", "192.0.2.7"]),
    st.integers(0, 65535),
    st.sampled_from([(ULAW,), (ALAW,), (ULAW, ALAW), (ALAW, ULAW)]),
    st.none() | st.integers(96, 127),
    st.sampled_from(Direction),
)


@given(audios)
def test_a_description_is_read_back(audio: Audio) -> None:
    assert read_sdp(write_sdp(audio, session=1, version=1, packet_ms=20)) == audio


@given(st.text() | st.builds("v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio {}\r\n{}".format, st.text(), st.text()))
def test_any_text_is_a_description_or_malformed(text: str) -> None:
    try:
        audio = read_sdp(text.encode("utf-8", "surrogatepass"))
    except MalformedSdp:
        return
    assert set(audio.laws) <= set(LAWS.values())


def test_a_second_stream_is_refused_in_the_answer() -> None:
    offer = b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 8 99\r\na=rtpmap:99 telephone-event/8000\r\na=sendonly\r\n"
    offer += b"m=video 4002 RTP/AVP 34\r\n"
    theirs = read_sdp(offer)

    assert (theirs.laws, theirs.telephone_event, theirs.direction) == ((ALAW,), 99, Direction.SENDONLY)
    answer = write_sdp(Audio("1.2.3.5", 6000, (ALAW,), 99, theirs.direction.mirrored, theirs.rejected), session=1, version=1, packet_ms=20)
    assert b"m=video 0 RTP/AVP 34" in answer
    assert b"a=recvonly" in answer
