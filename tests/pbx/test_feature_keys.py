"""One line, no screen: keys in the middle of a talk on a real Asterisk. The caller hears neither the keys nor what is said of them."""

from contextlib import suppress

import pytest

from callcenter.domain import facts as f
from callcenter.sim.sip.ear import StreamClosed
from tests.pbx.test_transfers import ALICE, BOB, CALLER, heard_since, now_at, three
from tests.support.asterisk import MUSIC_TONES

NOT_POSSIBLE = (720.0, 920.0)


@pytest.mark.long  # the shift of a desk phone does most of it in every run
async def test_one_line_is_enough_to_consult_join_and_hand_over_and_the_caller_gets_no_key() -> None:
    async with three() as it:
        await it.alice.send_digits("*19999#")
        await it.alice.hears(NOT_POSSIBLE, for_s=0.2)
        await it.alice.send_digits("7")
        await it.caller.hears_digits("7")
        await it.alice.send_digits("*22002#")
        bob = await it.bob()
        await it.caller.hears(MUSIC_TONES)
        await bob.hears(ALICE)
        since = now_at(it.alice)
        await it.alice.hears(BOB, for_s=1)
        assert heard_since(it.alice, since, CALLER) == set()
        await it.alice.send_digits("*4")
        await it.alice.hears(CALLER)
        await bob.hears(MUSIC_TONES)
        await it.alice.send_digits("*5")
        await bob.hears(CALLER)
        await it.caller.hears(BOB)
        await it.caller.hears(ALICE)
        with suppress(StreamClosed):  # we hang up on the first packet that ends the key
            await it.alice.send_digits("*3")
        await it.alice.ended()
        await it.caller.hears(BOB)
        assert it.caller.digits_received == "7"
        assert it.caller.heard_tones(NOT_POSSIBLE, at_least=0.2) == []
        book = it.running.book
        assert [fact.hears for fact in book.of(f.ConsultTurned)] == ["caller", "all"]
