"""The pages of the configuration, as people use them: form, difference, reason, history, and back."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callcenter.adapters.web.config.flow_pages import FlowPages
from callcenter.adapters.web.config.pages import ConfigPages
from callcenter.adapters.web.config.prompt_pages import PromptPages
from callcenter.adapters.web.site import Site
from callcenter.apps.config_pages import CenterPrompts, PublishedFlows
from callcenter.apps.configuring import Configuring
from callcenter.apps.document_forms import forms
from callcenter.domain.rights import Role
from callcenter.runtime.audio import WIDE, write_audio
from callcenter.runtime.settings import load
from callcenter.services.configuration import Change
from callcenter.services.people.passwords import Passwords
from callcenter.services.people.person import Person
from callcenter.services.people.signing import Signing
from tests.support.documents import FakeEngine, FakeStore
from tests.support.people import FakePeople, SignedClient, person, signed_client

TEXT = """
[center]
time_zone = "UTC"
[[queue]]
name = "sales"
[[queue]]
name = "support"
ring_timeout_s = 15
[[agent]]
name = "alice"
queues = ["sales", "support"]
[[agent]]
name = "bob"
queues = ["sales"]
[[team]]
name = "north"
agents = ["bob"]
[[number]]
did = "+18005550100"
flow = "main"
[flow.main]
start = "bye"
[flow.main.node.bye]
type = "hang_up"
"""
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "\u202egnp.exe", "'; DROP TABLE fact; --"]


class Pages:
    """One center's pages, with a browser for each person."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "callcenter.toml"
        self.file.write_text(TEXT)
        self.engine = FakeEngine(self.file)
        self.store = FakeStore()
        self.configuring = Configuring(self.file, self.store, self.engine)
        self.people = FakePeople()
        self.signing = Signing(self.people, Passwords())
        site = Site("Example", self.signing)
        site.add(ConfigPages(site.shell, self.configuring, forms()))
        site.add(FlowPages(site.shell, PublishedFlows(self.file)))
        site.add(PromptPages(site.shell, CenterPrompts(self.file)))
        self.site = site
        self.clients: list[SignedClient] = []

    async def browser(self, who: Person) -> SignedClient:
        self.people.known[who.name] = who
        self.clients.append(await signed_client(self.site.application(), self.signing, who))
        return self.clients[-1]

    async def admin(self) -> SignedClient:
        return await self.browser(person("ada", Role.ADMIN))


@asynccontextmanager
async def pages_in(folder: Path) -> AsyncIterator[Pages]:
    (folder / "data").mkdir()
    pages = Pages(folder)
    pages.engine.start()
    await pages.configuring.catch_up()
    try:
        yield pages
    finally:
        for client in pages.clients:
            await client.client.close()


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path / "data"))


def packed_in(page: str) -> str:
    found = re.search(r'name="packed" value="([^"]*)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def support(**fields: str) -> Mapping[str, object]:
    """What the form of queue support sends."""
    return {"document": "support", "seen": "1", "name": "support", "+serves": "yes", "+agents": "alice", **fields}


async def reviewed(browser: SignedClient, path: str, data: Mapping[str, object]) -> str:
    answer = await browser.post(path, data)
    page = await answer.text()
    assert answer.status == 200, page
    return page


async def test_a_queue_is_changed_with_a_reason_and_the_change_is_taken_back(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        for path in (
            "/config",
            "/config/list/queue",
            "/config/edit/queue/support",
            "/config/edit/center",
            "/config/new/agent",
            "/config/history",
        ):
            assert (await browser.get(path)).status == 200, path
        page = await reviewed(browser, "/config/review/queue", support(ring_timeout_s="25", record="no"))
        for said in ("queue/support", "ring_timeout_s", ">15<", ">25<", "record", ">false<"):
            assert said in page
        refused = await browser.post("/config/save", {"packed": packed_in(page), "reason": "  "})
        assert (refused.status, "somebody will want to know" in await refused.text()) == (422, True)
        done = await browser.post("/config/save", {"packed": packed_in(page), "reason": "rings too short"})
        assert (done.status, done.headers["Location"]) == (303, "/config?saved=2")
        assert "Version 2 is in use." in await (await browser.get("/config?saved=2")).text()
        assert load(pages.file).queues[1].ring_timeout.seconds == 25
        told = await (await browser.get("/config/history?document=queue/support")).text()
        assert "rings too short" in told
        assert "ada" in told
        assert ">25<" in await (await browser.get("/config/version/2")).text()
        page = await reviewed(browser, "/config/back", {"version": "1", "document": "queue/support"})
        await browser.post("/config/save", {"packed": packed_in(page), "reason": "as before"})
        assert load(pages.file).queues[1].ring_timeout.seconds == 15
        assert [(note.source, note.reason) for note in await pages.store.history()][:2] == [
            ("rollback", "as before"),
            ("page", "rings too short"),
        ]


async def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        answer = await browser.post("/config/review/queue", support(ring_timeout_s="soon", music="jazz", max_wait_s="60"))
        page = await answer.text()
        assert answer.status == 422
        field = re.search(r'<input id="field-ring_timeout_s"[^>]*>', page)
        assert field is not None
        assert 'value="soon"' in field[0]
        assert 'aria-invalid="true"' in field[0]
        (described,) = re.findall(r'aria-describedby="([^"]*)"', field[0])
        assert any("must be a number of seconds" in found for found in re.findall(rf'id="{described.split()[-1]}">([^<]*)', page))
        assert 'value="60"' in page
        assert await pages.store.number() == 1
        answer = await browser.post("/config/review/queue", support(music="jazz"))
        assert "names music" in await answer.text()


async def test_a_new_queue_comes_with_its_agents_and_goes_without_leaving_any(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        alone = await browser.post("/config/review/queue", {"new": "yes", "name": "vip", "+serves": "yes"})
        assert (alone.status, "no agent serves" in await alone.text()) == (422, True)
        new = {"new": "yes", "name": "vip", "+serves": "yes", "+agents": "alice bob", "seen": "0"}
        page = await reviewed(browser, "/config/review/queue", new)
        assert "More agents for queue vip: 1" not in page  # it is new: nobody loses or wins anything
        await browser.post("/config/save", {"packed": packed_in(page), "reason": "new"})
        assert load(pages.file).agents[1].queues == ("sales", "vip")
        page = await reviewed(
            browser, "/config/review/queue", {"document": "sales", "seen": "1", "name": "sales", "remove": "yes", "+serves": "yes"}
        )
        assert "Queue sales takes nobody any more; callers who wait in it (2) are served to the end." in page
        await browser.post("/config/save", {"packed": packed_in(page), "reason": "gone"})
        assert [queue.name for queue in load(pages.file).queues] == ["support", "vip"]
        page = await reviewed(
            browser, "/config/review/agent", {"document": "bob", "seen": "3", "name": "bob", "queues": "vip", "remove": "yes"}
        )
        assert "team/north" in page


async def test_the_second_of_two_sees_what_the_first_changed(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        page = await reviewed(browser, "/config/review/queue", support(ring_timeout_s="25"))
        plan = await pages.configuring.plan({"queue/support": {"name": "support", "ring_timeout_s": 40}})
        await pages.configuring.apply(plan, Change("erin"))
        late = await browser.post("/config/save", {"packed": packed_in(page), "reason": "x"})
        assert (late.status, "changed meanwhile" in await late.text()) == (409, True)
        again = await browser.post("/config/review/queue", support(ring_timeout_s="25"))
        shown = await again.text()
        assert again.status == 409
        assert ">40<" in shown
        assert 'value="25"' in shown
        assert load(pages.file).queues[1].ring_timeout.seconds == 40
        other = await reviewed(
            browser, "/config/review/agent", {"document": "bob", "seen": "1", "name": "bob", "queues": "sales", "extension": "2002"}
        )
        assert (await browser.post("/config/save", {"packed": packed_in(other), "reason": "x"})).status == 303


async def test_a_file_that_was_edited_beside_them_is_told(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        assert "was edited, but" not in await (await browser.get("/config")).text()
        await pages.configuring.apply(await pages.configuring.plan({"queue/support": {"name": "support"}}), Change("erin"))
        pages.file.write_text(TEXT.replace("ring_timeout_s = 15", "ring_timeout_s = 16"))
        assert "was edited, but" in await (await browser.get("/config")).text()


async def test_only_who_may_changes_anything(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        sue, amy = await pages.browser(person("sue", Role.SUPERVISOR)), await pages.browser(person("amy", Role.AGENT, agent="alice"))
        scoped = await pages.browser(person("pat", Role.ADMIN, queues=["support"]))
        assert (await sue.get("/config/edit/queue/support")).status == 200
        assert "Look at the change" not in await (await sue.get("/config/edit/queue/support")).text()
        assert (await amy.get("/config")).status == 403
        for path in (
            "/config/review/queue",
            "/config/save",
            "/config/back",
            "/config/flows/main/back",
            "/config/prompts/en/welcome/remove",
        ):
            assert (await sue.post(path, support())).status == 403, path
        assert (await scoped.post("/config/review/queue", support(ring_timeout_s="25"))).status == 200
        sales = {"document": "sales", "seen": "1", "name": "sales", "wrap_up_s": "1"}
        assert (await scoped.post("/config/review/queue", sales)).status == 403
        assert (await scoped.post("/config/review/center", {"time_zone": "UTC", "seen": "1"})).status == 403
        forged = '{"changes": {"queue/sales": null}, "expected": {}, "base": 1}'
        assert (await scoped.post("/config/save", {"packed": forged, "reason": "x"})).status == 403
        foreign = await scoped.client.post(
            "/config/save", data={"packed": forged, "reason": "x"}, headers={"Origin": "https://evil.example"}
        )
        assert foreign.status == 403
        assert await pages.store.number() == 1


@pytest.mark.parametrize("packed", ["", "[]", "{", '{"changes": 3}', '{"changes": {"a": 3}, "expected": {}, "base": 1}', "[" * 3000])
async def test_a_form_that_was_tampered_with_is_refused(tmp_path: Path, packed: str) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        assert (await browser.post("/config/save", {"packed": packed, "reason": "x"})).status == 400
        made_up = '{"changes": {"node/x": {"name": "x"}}, "expected": {}, "base": 1}'
        assert (await browser.post("/config/save", {"packed": made_up, "reason": "x"})).status == 422


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_texts_are_shown_and_never_run(tmp_path: Path, text: str) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        sent = {"new": "yes", "name": "s", "description": text, "seen": "0"}
        answer = await browser.post("/config/review/skill", sent)
        page = await answer.text()
        if answer.status == 200:
            await browser.post("/config/save", {"packed": packed_in(page), "reason": text})
            page += await (await browser.get("/config/list/skill")).text() + await (await browser.get("/config/edit/skill/s")).text()
            page += await (await browser.get("/config/history")).text()
        assert "<script>" not in page.replace('<script type="module"', "")
        assert "<img src=x" not in page
        assert ">49<" not in page


async def test_the_history_of_what_no_database_can_hold_is_not_there(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        assert (await browser.get("/config/history?document=queue/a%00b")).status == 404
        assert (await browser.get("/config/history?document=queue/nobody")).status == 200


async def test_without_the_database_it_is_said_and_calls_go_on(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        pages.store.away = True
        for path in ("/config", "/config/list/queue", "/config/edit/queue/support", "/config/history"):
            assert (await browser.get(path)).status == 503
        assert (await browser.post("/config/review/queue", support())).status == 503


@pytest.mark.parametrize("language", ["es", "ar"])
async def test_every_page_speaks_each_language(tmp_path: Path, language: str) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.browser(person("ada", Role.ADMIN, language=language))
        kinds = [f"/config/list/{kind}" if not form.one else f"/config/edit/{kind}" for kind, form in forms().items()]
        for path in (
            "/config",
            *kinds,
            "/config/edit/queue/support",
            "/config/history",
            "/config/flows",
            "/config/flows/main",
            "/config/prompts",
        ):
            answer = await browser.get(path)
            assert answer.status == 200, path
            assert f'lang="{language}"' in await answer.text()


async def test_a_flow_is_seen_published_and_taken_back(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        document = "flow: main\nstart: bye\nnodes:\n  bye:\n    type: hang_up\n"
        svg = await browser.get("/config/flows/main/0.svg")
        assert (svg.status, svg.content_type, "<svg" in await svg.text()) == (200, "image/svg+xml", True)
        answer = await browser.post("/config/flows/publish", {"flow": "main", "text": document, "note": "first"})
        assert (answer.status, answer.headers.get("Location")) == (303, "/config/flows/main")
        bad = await browser.post(
            "/config/flows/publish", {"flow": "main", "text": document.replace("start: bye", "start: by"), "note": "x"}
        )
        told = html.unescape(await bad.text())
        assert bad.status == 422
        assert "start" in told
        assert "start: by\n" in told  # what was typed is not lost
        longer = document.replace("type: hang_up", "type: prompt\n    prompt: welcome\n    next: end\n  end:\n    type: hang_up")
        await browser.post("/config/flows/publish", {"flow": "main", "text": longer, "note": "second", "share": "25"})
        told = await (await browser.get("/config/flows/main")).text()
        assert "Canary: version 2 for 25.0 % of the calls" in told
        await browser.post("/config/flows/main/use", {"version": "2", "share": ""})
        assert "Version 2: in use" in await (await browser.get("/config/flows/main")).text()
        await browser.post("/config/flows/main/back", {})
        assert "Version 1: in use" in await (await browser.get("/config/flows/main")).text()
        assert (await browser.get("/config/flows/main/99.svg")).status == 404


async def test_a_prompt_is_listed_uploaded_heard_and_taken_away(tmp_path: Path) -> None:
    async with pages_in(tmp_path) as pages:
        browser = await pages.admin()
        assert "welcome" in await (await browser.get("/config/prompts?find=welcome")).text()
        from array import array

        file = tmp_path / "tone.wav"
        write_audio(file, array("h", [round(8000 * ((n // 20) % 2 * 2 - 1)) for n in range(WIDE)]))
        kept = await browser.request("POST", "/config/prompts/en/welcome/sound", data=await asyncio.to_thread(file.read_bytes))
        assert (kept.status, await kept.json()) == (200, {"seconds": 1.0})
        heard = await browser.get("/config/prompts/en/welcome/sound.wav")
        assert (heard.status, (await heard.read())[:4]) == (200, b"RIFF")
        assert "added recording" in await (await browser.get("/config/prompts/en/welcome")).text()
        for nonsense in (b"", b"RIFF....WAVE", b"\x00" * 5000):
            refused = await browser.request("POST", "/config/prompts/en/welcome/sound", data=nonsense)
            assert (refused.status, "error" in await refused.json()) == (422, True)
        assert (await browser.post("/config/prompts/en/welcome/remove")).status == 303
        assert "added recording" not in await (await browser.get("/config/prompts/en/welcome")).text()
        assert (await browser.get("/config/prompts/en/nowhere")).status == 404
