"""Two phones talk to each other over loopback: answered, heard, held, hung up."""

import wave
from pathlib import Path

import pytest

from callcenter.sim.sip import AnswerAfter, Call, CallState, Manual, NotHeard, Phone, tone_pair
from callcenter.sim.sip.g711 import ALAW
from callcenter.sim.sip.tones import DTMF

ALICE, CAROL = tone_pair(0), tone_pair(20)


async def talking(caller: Phone, called: Phone) -> tuple[Call, Call]:
    """A call that both ends have up."""
    out = await (await caller.invite(called.uri)).answered()
    return out, await (await called.incoming()).answered()


async def test_each_hears_the_others_tone_and_not_its_own() -> None:
    async with await Phone.start("alice", tone=ALICE) as alice, await Phone.start("carol", tone=CAROL) as carol:
        at_carol, at_alice = await talking(carol, alice)

        await at_carol.hears(ALICE)
        await at_alice.hears(CAROL)
        with pytest.raises(NotHeard):
            await at_carol.hears(CAROL, within=0.3, for_s=0.1)

        reason = await at_carol.hang_up()
        assert reason.by_us
        assert not (await at_alice.ended()).by_us
        assert [tone.pair for tone in at_alice.heard_tones(ALICE, CAROL)] == [CAROL]


async def test_alaw_where_only_that_is_offered() -> None:
    async with await Phone.start("alice", tone=ALICE) as alice, await Phone.start("carol", tone=CAROL, laws=(ALAW,)) as carol:
        at_carol, at_alice = await talking(carol, alice)

        await at_carol.hears(ALICE)
        await at_alice.hears(CAROL)


async def test_no_codec_in_common_is_488() -> None:
    async with await Phone.start("alice", laws=()) as alice, await Phone.start("carol") as carol:
        call = await carol.invite(alice.uri)

        assert (await call.ended()).status == 488


async def test_sparse_rtp_is_still_heard() -> None:
    """Each tenth packet only: a tenth of the work, and the tone pair is known all the same."""
    async with await Phone.start("alice", tone=ALICE, rtp_every=10) as alice, await Phone.start("carol", tone=CAROL) as carol:
        at_carol, at_alice = await talking(carol, alice)

        await at_carol.hears(ALICE, for_s=0.6)
        await at_alice.hears_packets(10)
        assert at_carol.packets_received < at_alice.packets_received / 3


async def test_packets_of_forty_milliseconds() -> None:
    async with await Phone.start("alice", tone=ALICE, packet_ms=40) as alice, await Phone.start("carol", tone=CAROL) as carol:
        at_carol, _ = await talking(carol, alice)

        await at_carol.hears(ALICE)
        assert {len(payload) for _, _, payload in at_carol.ear.payloads()} == {320}


async def test_digits_arrive_once_each_and_in_order() -> None:
    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        at_carol, at_alice = await talking(carol, alice)

        await at_carol.send_digits("1590*#D", ms=60, gap_ms=40)

        await at_alice.hears_digits("1590*#D")


async def test_the_same_digit_twice_is_two_digits() -> None:
    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        at_carol, at_alice = await talking(carol, alice)

        await at_carol.send_digits("11", ms=40, gap_ms=40)

        await at_alice.hears_digits("11")


async def test_an_inband_digit_is_its_two_tones() -> None:
    async with await Phone.start("alice") as alice, await Phone.start("carol", tone=CAROL) as carol:
        at_carol, at_alice = await talking(carol, alice)

        await at_carol.send_inband_digit("5", ms=200)

        await at_alice.hears(CAROL)
        (digit,) = at_alice.heard_tones(DTMF["5"])
        assert digit.end_s - digit.start_s == pytest.approx(0.2, abs=0.1)
        assert at_alice.digits_received == ""


async def test_hold_stops_the_audio_both_ways_and_resume_brings_it_back() -> None:
    async with await Phone.start("alice", tone=ALICE) as alice, await Phone.start("carol", tone=CAROL) as carol:
        at_carol, at_alice = await talking(carol, alice)
        await at_carol.hears(ALICE)

        await at_alice.hold()

        assert at_alice.held
        assert at_carol.held_by_far_end
        with pytest.raises(NotHeard):
            await at_carol.hears(ALICE, within=0.4, for_s=0.1)
        await at_alice.resume()
        assert not at_carol.held_by_far_end
        await at_carol.hears(ALICE)
        await at_alice.hears(CAROL)


async def test_both_ask_for_hold_at_once() -> None:
    """Glare: both get 491, wait different times, and one after the other gets through."""
    import asyncio

    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        at_carol, at_alice = await talking(carol, alice)

        await asyncio.gather(at_carol.hold(), at_alice.hold())

        assert at_carol.held
        assert at_alice.held


async def test_early_media_is_heard_before_the_answer() -> None:
    async with await Phone.start("alice", tone=ALICE, on_invite=Manual(ring=False)) as alice, await Phone.start("carol") as carol:
        call = await carol.invite(alice.uri)
        incoming = await alice.incoming()

        incoming.progress()

        await call.hears(ALICE)
        assert call.state is CallState.RINGING
        incoming.answer()
        await call.answered()
        assert call.statuses == [100, 183, 200]


async def test_what_was_heard_is_saved_as_wav(tmp_path: Path) -> None:
    async with await Phone.start("alice", tone=ALICE) as alice, await Phone.start("carol") as carol:
        at_carol, _ = await talking(carol, alice)
        await at_carol.hears(ALICE)
        await at_carol.hang_up()

        at_carol.save_wav(tmp_path / "heard.wav")

    with wave.open(str(tmp_path / "heard.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.getnframes() >= 4000
        assert max(file.readframes(4000)) > 0


async def test_a_vanished_phone_says_nothing_more() -> None:
    async with await Phone.start("alice", tone=ALICE, on_invite=AnswerAfter()) as alice, await Phone.start("carol", t1=0.01) as carol:
        at_carol, at_alice = await talking(carol, alice)
        await at_carol.hears(ALICE)

        alice.vanish()

        assert (await at_carol.hang_up()).by_us  # her BYE is never answered: she gives up
        assert at_alice.state is CallState.UP
        assert (await (await carol.invite(alice.uri)).ended()).status == 408


async def test_gaps_and_losses_are_counted() -> None:
    from callcenter.sim.sip.wire import RandomLoss

    lossy = RandomLoss(0.3, seed=7)
    async with await Phone.start("alice", tone=ALICE) as alice, await Phone.start("carol", rtp_loss=lossy) as carol:
        at_carol, at_alice = await talking(carol, alice)
        await at_carol.hears_packets(50)
        await at_carol.hang_up()

        assert at_carol.packets_lost > 0
        assert at_carol.longest_gap_s() >= 0.035
        assert at_alice.packets_sent >= at_carol.packets_received + at_carol.packets_lost
