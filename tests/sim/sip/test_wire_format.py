"""What exactly goes over the wire: RFC 4733 digits packet by packet, and where requests within a call are sent."""

import asyncio
import socket
import struct
from itertools import pairwise

from callcenter.sim.sip.dialog import Dialog
from callcenter.sim.sip.g711 import ULAW
from callcenter.sim.sip.message import Response
from callcenter.sim.sip.rtp import RtpStream, shared_pacer
from callcenter.sim.sip.tones import tone_frames, tone_pair
from callcenter.sim.sip.wire import Address

Packet = tuple[bool, int, int, int, bytes]
"""Marker, payload type, sequence number, timestamp, payload."""


def unpack(datagram: bytes) -> Packet:
    first, second, sequence, timestamp, _ = struct.unpack_from("!BBHII", datagram)
    assert first == 0x80
    return bool(second & 0x80), second & 0x7F, sequence, timestamp, datagram[12:]


async def sent(digit: str, ms: int, *, every: int = 1) -> list[Packet]:
    """Everything a stream sends until some audio has followed a digit."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far_end:
        far_end.bind(("127.0.0.1", 0))
        far_end.setblocking(False)
        stream = RtpStream(shared_pacer(), "127.0.0.1", every=every, keep_audio=False)
        stream.play(tone_pair(0))
        stream.aim(far_end.getsockname(), ULAW, 101, packet_ms=20)
        stream.sending = True
        shared_pacer().add(stream)
        packets = [unpack(await loop.sock_recv(far_end, 500)) for _ in range(3)]
        await stream.send_digit(digit, ms)
        while packets[-1][1] != 0 or not any(packet[1] == 101 for packet in packets):
            packets.append(unpack(await loop.sock_recv(far_end, 500)))
        stream.close()
        return packets


async def test_a_digit_packet_by_packet() -> None:
    packets = await sent("5", 100)

    events = [packet for packet in packets if packet[1] == 101]
    assert [marker for marker, *_ in events] == [True] + [False] * 6
    assert len({timestamp for _, _, _, timestamp, _ in events}) == 1
    assert [payload for *_, payload in events] == [bytes([5, 10]) + duration.to_bytes(2, "big") for duration in (160, 320, 480, 640)] + [
        bytes([5, 0x8A]) + (800).to_bytes(2, "big")
    ] * 3


async def test_sequence_numbers_run_on_and_audio_keeps_its_clock() -> None:
    packets = await sent("#", 60)

    assert all((after[2] - before[2]) & 0xFFFF == 1 for before, after in pairwise(packets))
    audio = [packet for packet in packets if packet[1] == 0]
    steps = [(after[3] - before[3]) & 0xFFFFFFFF for before, after in pairwise(audio)]
    assert all(step % 160 == 0 for step in steps)
    assert max(steps) >= 6 * 160  # three packets of the digit and its end twice more, then the time is right again
    assert audio[0][0]
    assert audio[-1][0]  # a talkspurt begins after the digit
    assert {payload for *_, payload in audio} <= set(tone_frames(tone_pair(0), ULAW))


async def test_sparse_audio_tells_its_true_time() -> None:
    packets = await sent("1", 40, every=10)

    first, second, *_ = (packet for packet in packets if packet[1] == 0)
    assert (second[3] - first[3]) & 0xFFFFFFFF == 10 * 160
    assert (second[2] - first[2]) & 0xFFFF == 1


async def test_audio_goes_back_to_where_audio_comes_from() -> None:
    """Symmetric RTP: the description names a port behind a NAT, the packets tell the truth."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far_end:
        far_end.bind(("127.0.0.1", 0))
        far_end.setblocking(False)
        stream = RtpStream(shared_pacer(), "127.0.0.1", every=1, keep_audio=False)
        stream.aim(("127.0.0.1", 9), ULAW, 101, packet_ms=20)
        stream.sending = True
        shared_pacer().add(stream)

        far_end.sendto(struct.pack("!BBHII", 0x80, 0, 1, 0, 1) + bytes(160), stream.address)

        async with asyncio.timeout(10):
            assert unpack(await loop.sock_recv(far_end, 500))[1] == 0
        stream.close()


SERVER: Address = ("192.0.2.1", 5060)


def calling() -> Dialog:
    return Dialog("id", "<sip:a@h>;tag=a", "<sip:b@h>", "a", None, "<sip:a@me>", "me", "sip:b@h", SERVER)


def accepted(*headers: tuple[str, str]) -> Response:
    return Response(200, "OK", headers=[("To", "<sip:b@h>;tag=b"), *headers])


def test_before_the_answer_the_server_is_asked() -> None:
    dialog = calling()

    assert dialog.next_hop() == SERVER
    assert dialog.request("INVITE").uri == "sip:b@h"


def test_the_contact_is_the_target_after_it() -> None:
    dialog = calling()
    dialog.request("INVITE")

    dialog.confirm(accepted(("Contact", "<sip:b@192.0.2.9:5071;transport=udp>")))

    assert dialog.next_hop() == ("192.0.2.9", 5071)
    ack = dialog.request("ACK", cseq=dialog.local_cseq)
    assert (ack.uri, ack.need("To"), ack.need("CSeq")) == ("sip:b@192.0.2.9:5071;transport=udp", "<sip:b@h>;tag=b", "1 ACK")
    assert dialog.request("BYE").need("CSeq") == "2 BYE"


def test_recorded_routes_are_taken_backwards() -> None:
    dialog = calling()

    dialog.confirm(accepted(("Contact", "<sip:b@192.0.2.9>"), ("Record-Route", "<sip:192.0.2.3;lr>, <sip:192.0.2.2:5080;lr>")))

    assert dialog.next_hop() == ("192.0.2.2", 5080)
    bye = dialog.request("BYE")
    assert bye.uri == "sip:b@192.0.2.9"
    assert bye.all("Route") == ["<sip:192.0.2.2:5080;lr>", "<sip:192.0.2.3;lr>"]


def test_the_called_side_takes_them_forwards() -> None:
    invite = calling().request("INVITE")
    invite.headers += [("Record-Route", "<sip:192.0.2.2;lr>"), ("Record-Route", "<sip:192.0.2.3;lr>")]

    dialog = Dialog.of_invite(invite, contact="<sip:b@me>", via_sent_by="me", source=("192.0.2.2", 5060))

    assert dialog.request("BYE").all("Route") == ["<sip:192.0.2.2;lr>", "<sip:192.0.2.3;lr>"]
    assert dialog.next_hop() == ("192.0.2.2", 5060)
