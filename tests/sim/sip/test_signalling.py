"""How calls begin and end: refusals, CANCEL, lost packets, and requests nobody asked for."""

import asyncio
import random
from typing import Any

import pytest

from callcenter.sim.sip import AnswerAfter, Busy, Call, CallFailed, CallState, Manual, Phone, Reject, RingForever
from callcenter.sim.sip.message import Request, Response, parse
from callcenter.sim.sip.state import TRANSITIONS, IllegalTransition
from callcenter.sim.sip.wire import LoseFirst, RandomLoss


async def test_busy() -> None:
    async with await Phone.start("alice", on_invite=Busy()) as alice, await Phone.start("carol") as carol:
        call = await carol.invite(alice.uri)

        reason = await call.ended()

        assert (reason.status, reason.by_us) == (486, False)
        assert call.state is CallState.ENDED
        with pytest.raises(CallFailed):
            await call.answered()


async def test_a_refusal_after_ringing_carries_its_cause() -> None:
    async with await Phone.start("alice", on_invite=Manual()) as alice, await Phone.start("carol") as carol:
        call = await carol.invite(alice.uri)
        incoming = await alice.incoming()
        await call.ringing()

        incoming.reject(480, q850=19)

        reason = await call.ended()
        assert (reason.status, reason.q850) == (480, 19)
        assert call.statuses == [100, 180, 480]


@pytest.mark.parametrize("status", [480, 503, 603])
async def test_reject_with_any_status(status: int) -> None:
    async with await Phone.start("alice", on_invite=Reject(status)) as alice, await Phone.start("carol") as carol:
        assert (await (await carol.invite(alice.uri)).ended()).status == status


async def test_the_caller_gives_up_while_it_rings() -> None:
    async with await Phone.start("alice", on_invite=RingForever()) as alice, await Phone.start("carol") as carol:
        call = await carol.invite(alice.uri)
        incoming = await alice.incoming()
        await call.ringing()

        reason = await call.hang_up()

        assert (reason.status, reason.by_us) == (487, True)
        theirs = await incoming.ended()
        assert (theirs.status, theirs.by_us) == (487, False)
        assert alice.calls == carol.calls == []


async def test_the_caller_gives_up_by_herself_after_her_ring_timeout() -> None:
    async with await Phone.start("alice", on_invite=RingForever()) as alice, await Phone.start("carol") as carol:
        call = await carol.invite(alice.uri, ring_timeout=0.2)

        assert (await call.ended()).status == 487


async def test_a_cancel_waits_for_the_first_response() -> None:
    """Before any response there is nothing to cancel (RFC 3261 §9.1): it goes out right after the 100."""
    async with await Phone.start("alice", on_invite=RingForever()) as alice, await Phone.start("carol") as carol:
        call = await carol.invite(alice.uri)
        assert call.statuses == []

        assert (await call.hang_up()).status == 487


async def test_an_answer_that_crosses_the_cancel_is_hung_up() -> None:
    lost = LoseFirst(b"CANCEL", 1000)
    async with await Phone.start("alice", on_invite=Manual(), loss=lost) as alice, await Phone.start("carol", t1=0.02) as carol:
        call = await carol.invite(alice.uri)
        incoming = await alice.incoming()
        await call.ringing()
        ending = asyncio.ensure_future(call.hang_up())
        await call.until(lambda: call.state is CallState.ENDING)

        incoming.answer()

        assert (await ending).by_us
        assert not (await incoming.ended()).by_us
        assert call.up_at is None


async def test_hanging_up_an_ended_call_is_no_error() -> None:
    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        call = await (await carol.invite(alice.uri)).answered()
        first = await call.hang_up()

        assert await call.hang_up() == first


@pytest.mark.parametrize("start", [b"INVITE", b"ACK", b"BYE", b"SIP/2.0 200"])
async def test_a_lost_message_is_sent_again(start: bytes) -> None:
    async with (
        await Phone.start("alice", t1=0.05, loss=LoseFirst(start, 2)) as alice,
        await Phone.start("carol", t1=0.05) as carol,
    ):
        call = await (await carol.invite(alice.uri)).answered()
        incoming = await (await alice.incoming()).answered()
        await incoming.until(lambda: incoming.signalling.confirmed)

        await call.hang_up()

        assert not (await incoming.ended()).by_us
        assert [request.method for request in alice.requests] == ["INVITE"]


async def test_a_repeated_request_gets_the_same_answer_and_is_not_a_second_one() -> None:
    lost = LoseFirst(b"SIP/2.0 200", 2)
    async with await Phone.start("alice", loss=lost) as alice, await Phone.start("carol", t1=0.05) as carol:
        assert (await carol.options(alice.uri)).status == 200

        assert lost.left == 0
        assert len(alice.requests) == 1


@pytest.mark.parametrize("seed", range(5))
async def test_calls_survive_a_lossy_network(seed: int) -> None:
    """A quarter of all SIP datagrams is lost on either side; the retransmissions bring every call through."""
    async with (
        await Phone.start("alice", t1=0.02, loss=RandomLoss(0.25, seed)) as alice,
        await Phone.start("carol", t1=0.02, loss=RandomLoss(0.25, seed + 100)) as carol,
    ):
        calls = [await carol.invite(alice.uri) for _ in range(10)]
        for call in calls:
            await call.answered()
        await asyncio.gather(*(call.hang_up() for call in calls))

        assert all(call.end_reason and call.end_reason.by_us for call in calls)


async def test_without_an_ack_the_called_side_hangs_up() -> None:
    async with await Phone.start("alice", t1=0.01, loss=LoseFirst(b"ACK", 1000)) as alice, await Phone.start("carol", t1=0.01) as carol:
        call = await carol.invite(alice.uri)
        incoming = await alice.incoming()

        assert (await incoming.ended()).text == "no ACK came"
        assert not (await call.ended()).by_us


async def test_nobody_there_is_408() -> None:
    async with await Phone.start("carol", t1=0.01) as carol:
        call = await carol.invite("sip:nobody@127.0.0.1:9")

        reason = await call.ended()
        assert (reason.status, reason.by_us) == (408, True)


async def test_options_are_answered() -> None:
    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        response = await carol.options(alice.uri)

        assert response.status == 200
        assert response.lists("Allow", "INVITE")


@pytest.mark.parametrize(
    ("method", "status"), [("MESSAGE", 405), ("SUBSCRIBE", 405), ("DANCE", 501), ("BYE", 481), ("CANCEL", 481), ("NOTIFY", 200)]
)
async def test_requests_outside_a_call(method: str, status: int) -> None:
    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        request = carol.outside_dialog(alice.uri).request(method)

        assert (await carol.ask(request, alice.address)).status == status


async def test_an_extension_we_do_not_know_is_refused() -> None:
    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        request = carol.outside_dialog(alice.uri).request("INVITE")
        request.add("Require", "100rel")

        response = await carol.ask(request, alice.address)

        assert (response.status, response.get("Unsupported")) == (420, "100rel")


async def test_who_calls_is_told_as_given() -> None:
    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        call = await carol.invite(alice.uri, caller_id="+1202\r\n555", display_name='Ca "r" ol', headers=[("X-Test", "1")])
        invite = (await alice.incoming()).invite
        await call.answered()

        assert '"Ca \\"r\\" ol" <sip:+1202%0D%0A555@' in invite.need("From")
        assert invite.get("X-Test") == "1"


async def test_a_raw_from_goes_out_untouched() -> None:
    hostile = '"<script>\'; DROP TABLE x;--\x1b[2J" <sip:%00${EXTEN}@example.invalid>'
    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        await carol.invite(alice.uri, from_raw=hostile)

        assert (await alice.incoming()).invite.need("From").startswith(hostile + ";tag=")


async def test_rubbish_is_counted_and_harms_no_call() -> None:
    async with await Phone.start("alice") as alice, await Phone.start("carol") as carol:
        call = await (await carol.invite(alice.uri)).answered()
        for rubbish in (
            b"\xff" * 500,
            b"INVITE\r\n\r\n",
            b"SIP/2.0 999 no\r\n\r\n",
            b"INVITE sip:x SIP/2.0\r\nVia: x\r\n\r\n",
            b"\r\n\r\n",
        ):
            carol.send(rubbish, alice.address)

        await carol.options(alice.uri)

        assert alice.malformed == 4
        assert call.is_up
        await call.hang_up()


async def test_damaged_messages_break_nothing() -> None:
    """Real requests of a real call, bent at random: whatever they do, no error escapes and other calls go on."""
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    dice = random.Random(11)
    async with await Phone.start("alice", t1=0.01, on_invite=RingForever()) as alice, await Phone.start("carol") as carol:
        call = await carol.invite(alice.uri)
        await call.ringing()
        bodies = [call.invite.encode(), call.signalling.dialog.request("BYE").encode()]
        bodies += [carol.outside_dialog(alice.uri).request(method).encode() for method in ("OPTIONS", "NOTIFY", "CANCEL")]
        for _ in range(2000):
            datagram = bytearray(dice.choice(bodies))
            for _ in range(dice.randint(1, 8)):
                at = dice.randrange(len(datagram))
                datagram[at : at + dice.randint(0, 12)] = dice.randbytes(dice.randint(0, 3)) + dice.choice(
                    [b"", b"\r\n", b";", b":", b"<", b'"']
                )
            alice._received(bytes(datagram), carol.address)
        await carol.options(alice.uri)

        assert alice.malformed > 0
        assert problems == []
        assert call.state is CallState.RINGING
        carol.vanish()
        alice.vanish()


async def test_a_late_offer_is_answered_in_the_ack() -> None:
    """An INVITE without a description: the 200 makes the offer, the ACK answers it."""
    async with await Phone.start("alice", tone=(550.0, 1000.0)) as alice, await Phone.start("carol") as carol:
        call = await (await carol.invite(alice.uri)).answered()
        incoming = await (await alice.incoming()).answered()
        request = call.signalling.dialog.request("INVITE")
        response = await carol.ask(request, alice.address)
        assert b"m=audio" in response.body

        ack = call.signalling.dialog.request("ACK", cseq=request.cseq[0], body=call.invite.body)
        carol.send(ack.encode(), alice.address)

        await call.hears((550.0, 1000.0))
        assert incoming.is_up


async def test_the_session_is_refreshed_by_whoever_must() -> None:
    async with await Phone.start("alice", t1=0.02) as alice, await Phone.start("carol") as carol:
        carol.session_expires = 2
        call = await (await carol.invite(alice.uri)).answered()
        incoming = await (await alice.incoming()).answered()
        assert call.signalling.timer.we_refresh
        assert not incoming.signalling.timer.we_refresh

        first = incoming.signalling.timer.refreshed
        await incoming.until(lambda: incoming.signalling.timer.refreshed == first + 2)

        assert call.is_up
        carol.vanish()
        await incoming.until(lambda: incoming.state is CallState.ENDING)  # nobody refreshes any more: she hangs up


async def test_a_response_goes_back_where_the_request_came_from() -> None:
    """rport and received (RFC 3581), whatever the Via claims."""
    answers: asyncio.Queue[bytes] = asyncio.Queue()

    class Bare(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            answers.put_nowait(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Bare, local_addr=("127.0.0.1", 0))
    try:
        async with await Phone.start("alice") as alice:
            request = Request("OPTIONS", alice.uri)
            request.headers = [
                ("v", "SIP/2.0/UDP 192.0.2.1:5999;branch=z9hG4bKx;rport"),
                ("f", "<sip:carol@192.0.2.1>;tag=1"),
                ("t", f"<{alice.uri}>"),
                ("i", "1"),
                ("CSeq", "1 OPTIONS"),
            ]
            transport.sendto(request.encode(), alice.address)

            response = parse(await asyncio.wait_for(answers.get(), 5))

            assert isinstance(response, Response)
            assert response.via.params["rport"] == str(transport.get_extra_info("sockname")[1])
            assert response.via.params["received"] == "127.0.0.1"
    finally:
        transport.close()


async def test_many_calls_on_one_phone_as_a_carrier_has_them() -> None:
    async with (
        await Phone.start("carrier", on_invite=AnswerAfter(0.05), rtp_every=10) as carrier,
        await Phone.start("pbx", rtp_every=10) as pbx,
    ):
        host, port = carrier.address
        calls = [await pbx.invite(f"sip:+1202555{number:04d}@{host}:{port}") for number in range(50)]
        for call in calls:
            await call.answered()
        dialed = [(await carrier.incoming()).dialed for _ in calls]

        assert sorted(dialed) == [f"+1202555{number:04d}" for number in range(50)]
        await asyncio.gather(*(call.hang_up() for call in calls))
        assert carrier.calls == []


@pytest.mark.parametrize("state", CallState)
@pytest.mark.parametrize("wanted", CallState)
async def test_only_the_tables_ways_are_open(state: CallState, wanted: CallState) -> None:
    async with await Phone.start("alice", on_invite=RingForever()) as alice, await Phone.start("carol") as carol:
        call: Call = await carol.invite(alice.uri)
        call.state = state
        if wanted in TRANSITIONS[state]:
            call.enter(wanted)
            assert call.state is wanted
        else:
            with pytest.raises(IllegalTransition):
                call.enter(wanted)
            assert call.state is state
        carol.vanish()
        call.state = CallState.CREATED
