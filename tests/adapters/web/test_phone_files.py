"""The files that phones fetch: under the right address, over TLS or on this machine, and for nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from callcenter.adapters.web.access import ORIGINS, Origins
from callcenter.adapters.web.phone_files import FREE_MISSES, Misses, PhoneFiles
from callcenter.domain.audit import By, Deed
from callcenter.runtime.phone_files import FILE, PATH, make_address, text_for, withdraw_address
from callcenter.runtime.secrets import load_secrets
from callcenter.runtime.settings import Settings, SettingsError, parse
from tests.support.asterisk import raw_settings

MAC, NAME = "00:15:65:ab:cd:01", "001565abcd01.cfg"


def settings(folder: Path, web_: dict[str, object] | None = None, **desk_phone: object) -> Settings:
    raw = raw_settings(folder)
    raw["agent"] = [{"name": name, "queues": ["support"]} for name in ("alice", "bob")]
    return parse(raw | {"desk_phone": {"provisioning": True, **desk_phone}, **({"web": web_} if web_ else {})})


class Server:
    """As ``web`` serves them; its clock stands still until a test moves it."""

    def __init__(self, known: Settings, origins: Origins) -> None:
        self.now, self.noted = 0.0, list[tuple[Deed, By]]()

        async def find(secret: str, name: str) -> tuple[str, str] | None:
            found = text_for(known, secret, name)
            return (found[0].agent, found[1]) if found else None

        async def note(deed: Deed, by: By) -> None:
            self.noted.append((deed, by))

        files = PhoneFiles(PATH, find, note, Misses(lambda: self.now))
        app = web.Application()
        app[ORIGINS] = origins
        app.router.add_get(PATH + "/{secret}/{file}", files.file)
        self.client = TestClient(TestServer(app))

    async def get(self, secret: str, name: str = NAME, **headers: str) -> ClientResponse:
        return await self.client.get(f"{PATH}/{secret}/{name}", headers=headers)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    made = Server(settings(tmp_path), Origins())
    async with made.client:
        yield made


async def test_a_phone_gets_its_own_file_as_it_is_now_and_that_is_noted(server: Server, tmp_path: Path) -> None:
    secret, made = make_address(tmp_path, "alice", "yealink", MAC)
    answer = await server.get(secret)
    text = await answer.text()
    phones = load_secrets(tmp_path, ["alice", "bob"]).phones
    assert (answer.status, made.name, answer.headers["Cache-Control"]) == (200, NAME, "no-store")
    assert phones["alice"].password in text
    assert phones["bob"].password not in text
    ((deed, by),) = server.noted
    assert (deed.what, deed.of, by.person) == ("phone_provisioned", "agent alice", "alice")
    assert secret not in (tmp_path / FILE).read_text()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


async def test_whatever_is_wrong_the_answer_is_the_same(server: Server, tmp_path: Path) -> None:
    old, _ = make_address(tmp_path, "alice", "yealink", MAC)
    secret, _ = make_address(tmp_path, "alice", "yealink", MAC)
    wrong = [(old, NAME), (secret, "001565abcd02.cfg"), ("x" * 43, NAME), (secret, "%2e%2e%2fx"), ("%00", NAME), ("x" * 5000, NAME)]
    answers = [await server.get(*each) for each in wrong]
    assert {(answer.status, await answer.text()) for answer in answers} == {(404, "There is nothing here.\n")}
    assert (await server.client.get(f"{PATH}/{secret}/")).status == 404
    assert (await server.client.get(f"{PATH}/")).status == 404
    assert withdraw_address(tmp_path, "alice")
    assert (await server.get(secret)).status == 404
    assert server.noted == []


async def test_who_guesses_waits(server: Server, tmp_path: Path) -> None:
    secret, _ = make_address(tmp_path, "alice", "yealink", MAC)
    for n in range(FREE_MISSES):
        assert (await server.get(f"guess{n}")).status == 404
    waits = await server.get(secret)
    assert (waits.status, waits.headers["Retry-After"]) == (429, "60")
    server.now = 61
    assert (await server.get(secret)).status == 200


@pytest.mark.parametrize(
    ("origins", "headers", "status"),
    [
        (Origins(), {}, 200),
        (Origins(), {"X-Forwarded-For": "192.0.2.7"}, 404),
        (Origins("http://center.example"), {"X-Forwarded-For": "192.0.2.7"}, 404),
        (Origins("https://center.example", ("127.0.0.0/8",)), {"X-Forwarded-For": "192.0.2.7"}, 200),
    ],
    ids=["this machine", "a proxy that nobody named", "a proxy without TLS", "a proxy with TLS"],
)
async def test_a_password_goes_over_tls_or_stays_on_this_machine(
    tmp_path: Path, origins: Origins, headers: dict[str, str], status: int
) -> None:
    secret, _ = make_address(tmp_path, "alice", "yealink", MAC)
    server = Server(settings(tmp_path), origins)
    async with server.client:
        assert (await server.get(secret, NAME, **headers)).status == status


async def test_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert not parse(raw_settings(tmp_path)).desk_phone.provisioning
    secret, _ = make_address(tmp_path, "alice", "yealink", MAC)
    server = Server(settings(tmp_path, provisioning=False), Origins())
    async with server.client:
        assert (await server.get(secret)).status == 404


def test_it_is_refused_where_passwords_would_go_in_the_clear(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"desk_phone\.provisioning: needs web\.public_url with https"):
        settings(tmp_path, {"host": "0.0.0.0"})
    assert settings(tmp_path, {"host": "0.0.0.0", "public_url": "https://center.example"}).desk_phone.provisioning
