"""REGISTER and challenged INVITEs against a registrar of about fifty lines that trusts nobody."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from callcenter.sim.sip import Phone, RegistrationRefused
from callcenter.sim.sip.digest import NoUsableChallenge, digest_response, fields, read_challenge, strongest
from callcenter.sim.sip.message import Request, parse, response_to
from callcenter.sim.sip.wire import Address

PASSWORD = 'a "quoted\\ pass:word'


class Registrar(asyncio.DatagramProtocol):
    """Challenges everything, keeps bindings, grants at most two seconds."""

    def __init__(self, challenges: tuple[str, ...], *, least: int = 0, invite_status: int = 486) -> None:
        self.challenges = challenges
        self.least = least
        self.invite_status = invite_status
        self.bindings: dict[str, str] = {}
        self.seen: list[Request] = []
        self.changed = asyncio.Event()
        self.stale_once = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    @property
    def address(self) -> Address:
        host, port = self.transport.get_extra_info("sockname")
        return str(host), int(port)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        request = parse(data)
        assert isinstance(request, Request)
        if request.method != "ACK":
            self.seen.append(request)
            self.transport.sendto(self.answer(request), addr)  # type: ignore[attr-defined]
            self.changed.set()

    def answer(self, request: Request) -> bytes:
        asks, gives = ("Proxy-Authenticate", "Proxy-Authorization") if request.method == "INVITE" else ("WWW-Authenticate", "Authorization")
        given = request.get(gives)
        if given is None or self.stale_once or not self.right(given, request):
            response = response_to(request, 407 if request.method == "INVITE" else 401, tag="r")
            stale = ", stale=true" if given and self.stale_once else ""
            self.stale_once = self.stale_once and given is None
            response.headers += [(asks, f'Digest realm="call center", nonce="n{len(self.seen)}"{stale}{more}') for more in self.challenges]
        elif request.method == "INVITE":
            response = response_to(request, self.invite_status, tag="r")
        elif int(request.need("Expires")) < self.least and request.need("Expires") != "0":
            response = response_to(request, 423, tag="r")
            response.add("Min-Expires", str(self.least))
        else:
            granted = min(int(request.need("Expires")), max(self.least, 2))
            self.bindings = {request.need("To"): request.need("Contact")} if granted else {}
            response = response_to(request, 200, tag="r")
            response.add("Contact", f"{request.need('Contact')};expires={granted}")
        return response.encode()

    def right(self, given: str, request: Request) -> bool:
        found = fields(given)
        return found["uri"] == request.uri and found["response"] == digest_response(
            found, user="alice", password=PASSWORD, method=request.method
        )

    async def until_seen(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.seen) < count:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def registrar(*challenges: str, least: int = 0, invite_status: int = 486) -> AsyncIterator[Registrar]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Registrar(challenges, least=least, invite_status=invite_status), local_addr=("127.0.0.1", 0)
    )
    yield protocol
    transport.close()


MD5_OLD = ""
MD5 = ', algorithm=MD5, qop="auth,auth-int", opaque="o,\\"p"'
SHA256 = ', algorithm=SHA-256, qop="auth"'


@pytest.mark.parametrize("challenges", [(MD5_OLD,), (MD5,), (SHA256,), (MD5, SHA256), (', algorithm=SHA-512-256, qop="auth"', MD5)])
async def test_register_and_unregister(challenges: tuple[str, ...]) -> None:
    async with registrar(*challenges) as server, await Phone.start("alice", server=server.address, password=PASSWORD) as phone:
        await phone.register()

        assert phone.registered
        host, port = phone.address
        assert list(server.bindings.values()) == [f"<sip:alice@{host}:{port}>"]
        await phone.unregister()
        assert not phone.registered
        assert server.bindings == {}


async def test_the_strongest_challenge_is_answered() -> None:
    async with registrar(MD5, SHA256) as server, await Phone.start("alice", server=server.address, password=PASSWORD) as phone:
        await phone.register()

        assert fields(server.seen[-1].need("Authorization"))["algorithm"] == "SHA-256"


async def test_a_wrong_password_is_told_after_one_try() -> None:
    async with registrar(MD5) as server, await Phone.start("alice", server=server.address, password="wrong") as phone:
        with pytest.raises(RegistrationRefused) as refused:
            await phone.register()

        assert refused.value.status == 401
        assert len(server.seen) == 2
        assert not phone.registered


async def test_a_stale_nonce_is_answered_once_more() -> None:
    async with registrar(MD5) as server, await Phone.start("alice", server=server.address, password=PASSWORD) as phone:
        server.stale_once = True

        await phone.register()

        assert len(server.seen) == 3


async def test_the_registration_is_refreshed_before_it_expires() -> None:
    async with registrar(MD5) as server, await Phone.start("alice", server=server.address, password=PASSWORD) as phone:
        await phone.register(expires=2)

        await server.until_seen(4)

        numbers = [request.cseq[0] for request in server.seen]
        assert numbers == sorted(set(numbers))
        assert len({request.call_id for request in server.seen}) == 1


async def test_too_brief_an_interval_is_lengthened() -> None:
    async with registrar(MD5, least=600) as server, await Phone.start("alice", server=server.address, password=PASSWORD) as phone:
        await phone.register(expires=60)

        assert server.seen[-1].need("Expires") == "600"


async def test_nobody_there_is_refused_with_408() -> None:
    async with await Phone.start("alice", server=("127.0.0.1", 9), password=PASSWORD, t1=0.01) as phone:
        with pytest.raises(RegistrationRefused) as refused:
            await phone.register()

        assert refused.value.status == 408


@pytest.mark.parametrize("challenge", [MD5_OLD, MD5, SHA256])
async def test_a_challenged_invite(challenge: str) -> None:
    async with registrar(challenge) as server, await Phone.start("alice", server=server.address, password=PASSWORD) as phone:
        call = await phone.invite("+18005550100")

        assert (await call.ended()).status == 486
        assert call.statuses == [407, 486]
        first, second = server.seen
        assert second.cseq[0] == first.cseq[0] + 1
        assert second.via.branch != first.via.branch
        assert second.tag("From") == first.tag("From")


async def test_without_a_password_the_challenge_is_the_end() -> None:
    async with registrar(MD5) as server, await Phone.start("alice", server=server.address) as phone:
        assert (await (await phone.invite("1")).ended()).status == 407


def test_the_example_of_rfc_7616() -> None:
    found = {
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "qop": "auth",
    }

    def computed(algorithm: str) -> str:
        return digest_response(found | {"algorithm": algorithm}, user="Mufasa", password="Circle of Life", method="GET")

    assert computed("MD5") == "8ca523f5e9506fed4657c9700eebdbec"
    assert computed("SHA-256") == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"


def test_without_qop_as_in_rfc_2069() -> None:
    secret = hashlib.md5(b"u:r:p").hexdigest()
    asked = hashlib.md5(b"REGISTER:sip:x").hexdigest()

    found = {"realm": "r", "nonce": "n", "uri": "sip:x"}

    assert digest_response(found, user="u", password="p", method="REGISTER") == hashlib.md5(f"{secret}:n:{asked}".encode()).hexdigest()


@pytest.mark.parametrize("header", ["Basic realm=x", 'Digest realm="x"', 'Digest realm="x", nonce="n", qop="auth-int"', "Digest", ""])
def test_challenges_we_cannot_answer(header: str) -> None:
    with pytest.raises(NoUsableChallenge):
        read_challenge(header)
    with pytest.raises(NoUsableChallenge):
        strongest([header])
