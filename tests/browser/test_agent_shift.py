"""The agent's console in a real browser, with real callers: from sign-in to wrap-up, and what happens when things break in between."""

import asyncio
import time
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from callcenter.adapters.db.caller_history import PostgresHistories
from callcenter.adapters.db.connection import connect
from callcenter.domain import facts as f
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from tests.browser.axe import axe
from tests.browser.shift import ALICE_TONE, Shift, hears, hears_no_more, shift, silent
from tests.support.asterisk import MUSIC_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE


async def press(page: Page, key: str) -> None:
    await page.locator("body").press(key)


async def test_a_short_shift(tmp_path: Path, database: str) -> None:
    """Each step of the long one below, in the shortest way."""
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        await at.is_ready(page)
        caller = await _takes_a_caller(at, page)
        await _is_quiet_and_holds(page, caller)
        await press(page, "h")
        await caller.hears(ALICE_TONE)
        await _presses(page, caller, "5")
        bob = await at.center.agent("bob", AnswerAfter(0.2))
        at_bob = await _asks_bob(page, caller, bob)
        await _hands_over(page, caller, at_bob)
        await _wraps_up(at, page)
        await caller.hang_up()


@pytest.mark.long
async def test_a_whole_shift(tmp_path: Path, database: str) -> None:
    """From the sign-in to the log-out; who hears whom is proven by the tones at every end, at every step."""
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        await at.is_ready(page)
        caller = await _takes_a_caller(at, page)
        await _is_quiet_and_holds(page, caller)
        await hears_no_more(page, CALLER_TONE)
        await press(page, "h")
        await expect(page.locator("#held")).to_be_hidden()
        await caller.hears(ALICE_TONE)
        await silent(caller, MUSIC_TONES)
        await hears(page, CALLER_TONE)
        await _presses(page, caller, "159*#0")
        await hears(page, CALLER_TONE)

        bob = await at.center.agent("bob", AnswerAfter(0.2))
        at_bob = await _asks_bob(page, caller, bob)
        await page.locator("#cancel").click()
        await at_bob.ended()
        await _are_alone_again(page, caller)

        at_bob = await _asks_bob(page, caller, bob)
        await _swaps_to_and_fro(page, caller, at_bob)
        await _hands_over(page, caller, at_bob)
        await _wraps_up(at, page)
        await caller.hang_up()
        await at_bob.ended()
        began = [fact.agent for fact in at.center.all(f.ConsultBegan)]
        assert began == ["alice", "alice"]
        parted = [(fact.agent, fact.why) for fact in at.center.all(f.ContactParted)]
        assert parted == [("bob", "called_off"), ("alice", "transferred"), ("bob", "caller_hung_up")]
        assert [fact.agent for fact in at.center.all(f.RecordingStarted)] == ["alice", "bob"]
        await page.locator("#logout").click()
        await expect(page.locator("#state")).to_have_text("Logged out")
        await expect(page.locator("#login")).to_be_visible()


async def _takes_a_caller(at: Shift, page: Page) -> Call:
    caller = await at.caller()
    await expect(page.locator("#caller")).to_have_text("+12025550123")
    await expect(page.locator("#offer")).to_have_text("A caller for support")
    await expect(page.locator("#pop-link")).to_have_attribute("href", "https://crm.example.org/find?number=%2B12025550123")
    await expect(page.locator("#answer")).to_be_visible()
    await caller.hears(MUSIC_TONES)
    await press(page, "a")
    await caller.hears(ALICE_TONE)
    await hears(page, CALLER_TONE)
    await expect(page.locator("#state")).to_have_text("Talking")
    return caller


async def _is_quiet_and_holds(page: Page, caller: Call) -> None:
    """Muted, the caller hears nothing, and she the caller; on hold, the caller hears music, and not her."""
    await press(page, "m")
    await silent(caller)
    await hears(page, CALLER_TONE)
    await press(page, "m")
    await caller.hears(ALICE_TONE)
    await press(page, "h")
    await expect(page.locator("#held")).to_be_visible()
    await caller.hears(MUSIC_TONES)
    await silent(caller)


async def _presses(page: Page, caller: Call, keys: str) -> None:
    await page.locator("#keypad-box summary").click()
    for key in keys:
        await page.locator("#keypad").get_by_role("button", name=key, exact=True).click()
    await caller.hears_digits(keys)


async def _asks_bob(page: Page, caller: Call, bob: Phone) -> Call:
    """She talks to bob, the caller hears music; neither of the two others hears the other."""
    await page.locator("#target").select_option("colleague:bob")
    await page.locator("#consult").click()
    at_bob = await bob.incoming()
    await at_bob.hears(ALICE_TONE)
    await expect(page.locator("#consult-state")).to_have_text("You are with bob; the caller waits")
    await hears(page, AGENT_TONES["bob"])
    await hears_no_more(page, CALLER_TONE)
    await caller.hears(MUSIC_TONES)
    await silent(caller, ALICE_TONE, AGENT_TONES["bob"])
    return at_bob


async def _are_alone_again(page: Page, caller: Call) -> None:
    await expect(page.locator("#transfer")).to_be_visible()
    await caller.hears(ALICE_TONE)
    await hears(page, CALLER_TONE)
    await hears_no_more(page, AGENT_TONES["bob"])
    await silent(caller, MUSIC_TONES)


async def _swaps_to_and_fro(page: Page, caller: Call, at_bob: Call) -> None:
    await page.locator("#swap").click()
    await expect(page.locator("#consult-state")).to_have_text("You are with the caller; bob waits")
    await caller.hears(ALICE_TONE)
    await at_bob.hears(MUSIC_TONES)
    await hears(page, CALLER_TONE)
    await silent(at_bob, ALICE_TONE, CALLER_TONE)
    await page.locator("#swap").click()
    await at_bob.hears(ALICE_TONE)
    await caller.hears(MUSIC_TONES)
    await hears(page, AGENT_TONES["bob"])


async def _hands_over(page: Page, caller: Call, at_bob: Call) -> None:
    await page.locator("#complete").click()
    await caller.hears(AGENT_TONES["bob"])
    await at_bob.hears(CALLER_TONE)
    await silent(caller)
    await expect(page.locator("#state")).to_have_text("Wrap-up (ACW)")


async def _wraps_up(at: Shift, page: Page) -> None:
    """Not without a disposition; the note and how the talk sounded are kept."""
    await page.locator("#wrap-up-end").click()
    await expect(page.locator("#trouble")).to_contain_text("wants a disposition")
    await page.locator("#disposition").select_option("sale/by-phone")
    await expect(page.locator("#disposition-means")).to_have_text("success · resolved")
    await page.locator("#note").fill("Wants the blue one.")
    await page.locator("#wrap-up-end").click()
    await expect(page.locator("#state")).to_have_text("Ready")
    given = await at.center.fact(f.DispositionGiven, agent="alice")
    assert (given.disposition, given.flags) == ("sale/by-phone", ("success", "resolved"))
    assert (await at.center.fact(f.ContactNoted)).note == "Wants the blue one."
    assert (await at.center.fact(f.TalkMeasured)).received > 50
    assert len(at.center.all(f.ContactHeld, agent="alice")) >= 1


async def talking(at: Shift, page: Page) -> Call:
    """Alice gets ready, and a caller talks to her at her console."""
    await at.is_ready(page)
    return await at.talking(page)


@pytest.mark.long
async def test_the_web_process_restarted_in_mid_call_costs_no_word(tmp_path: Path, database: str) -> None:
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        caller = await talking(at, page)
        await at.stop_web()
        await expect(page.locator("#trouble")).to_contain_text("a call that is on goes on")
        await caller.hears(ALICE_TONE, for_s=1.0)
        await hears(page, CALLER_TONE)
        await at.start_web()
        await expect(page.locator("#phone")).to_have_text("Phone: here, connected")
        await caller.hears(ALICE_TONE, for_s=1.0)
        await hears(page, CALLER_TONE)
        await press(page, "x")
        await caller.ended()
        assert (await at.center.fact(f.ContactParted)).why == "agent_hung_up"
        assert at.center.all(f.AgentLegRedialed) == []
        await expect(page.locator("#state")).to_have_text("Wrap-up (ACW)")


@pytest.mark.long
async def test_a_page_that_is_loaded_anew_goes_on_with_the_call(tmp_path: Path, database: str) -> None:
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        caller = await talking(at, page)
        await page.locator("#note").fill("half a sentence")
        await page.locator("#note").blur()
        await at.center.fact(f.ContactNoted)
        await page.reload()
        await at.center.fact(f.AgentLegResumed)
        await caller.hears(ALICE_TONE, for_s=1.0)
        await hears(page, CALLER_TONE)
        await expect(page.locator("#note")).to_have_value("half a sentence")
        assert at.center.all(f.ContactParted) == []
        await caller.hang_up()
        assert (await at.center.fact(f.ContactParted)).why == "caller_hung_up"


@pytest.mark.long
async def test_a_second_tab_leaves_the_call_where_it_is_until_she_takes_it(tmp_path: Path, database: str) -> None:
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        caller = await talking(at, page)
        second = await at.tab()
        await second.goto(f"{at.address}/agent")
        await expect(second.locator("#phone")).to_have_text("Phone: in another window")
        await expect(second.locator("#caller")).to_have_text("+12025550123")
        await caller.hears(ALICE_TONE, for_s=0.5)
        assert at.center.all(f.AgentLegRedialed) == []
        await second.locator("#take-phone").click()
        await at.center.fact(f.AgentLegResumed)
        await caller.hears(ALICE_TONE, for_s=0.5)
        await hears(second, CALLER_TONE)
        await expect(page.locator("#phone")).to_have_text("Phone: in another window")
        await caller.hang_up()
        assert (await at.center.fact(f.ContactParted)).why == "caller_hung_up"


@pytest.mark.long
async def test_a_tab_that_is_gone_gives_the_caller_back_to_the_line_in_time(tmp_path: Path, database: str) -> None:
    async with shift(tmp_path, database) as at:
        page = await at.signs_in()
        caller = await talking(at, page)
        began = asyncio.get_running_loop().time()
        await page.close()
        bob = await at.center.agent("bob", AnswerAfter(0.2))
        at_bob = await bob.incoming(within=40)
        waited = asyncio.get_running_loop().time() - began
        assert waited > 8, "a page that is loaded anew has time to come back"
        await at_bob.hears(CALLER_TONE)
        assert (await at.center.fact(f.ContactParted)).why == "agent_lost"
        await caller.hears(AGENT_TONES["bob"])
        await at.center.fact(f.AgentRequestRemembered, agent="alice", reason="console_gone")
        await caller.hang_up()


@pytest.mark.long
async def test_what_is_said_is_encrypted_and_the_page_is_given_a_relay_for_a_while(tmp_path: Path, database: str) -> None:
    turn = {"url": "turn:127.0.0.1:9?transport=udp", "secret_file": "turn.secret", "lasts_s": 600}
    async with shift(tmp_path, database, softphone={"turn": [turn]}, beside={"turn.secret": b"north\n"}) as at:
        page = await at.signs_in()
        caller = await talking(at, page)
        used = await page.evaluate("callcenterPhone.session.connection.getConfiguration().iceServers")
        (server,) = used
        assert server["urls"] == [turn["url"]]
        until, _, whom = server["username"].partition(":")
        assert whom == "alice"
        assert 0 < int(until) - time.time() <= 600
        assert server["credential"]
        transport = await page.evaluate(
            "callcenterPhone.session.connection.getStats().then(all => [...all.values()].find(one => one.type === 'transport'))"
        )
        assert transport["dtlsState"] == "connected"
        assert "AES" in transport["srtpCipher"]
        assert transport["packetsReceived"] > 0
        offered = await page.evaluate("callcenterPhone.session.connection.remoteDescription.sdp")
        assert "UDP/TLS/RTP/SAVPF" in offered
        assert "a=fingerprint:sha-256" in offered.lower()
        await caller.hang_up()


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e"


@pytest.mark.long
async def test_hostile_names_and_notes_are_words_and_the_history_is_there_at_the_next_call(tmp_path: Path, database: str) -> None:
    async with shift(tmp_path, database, books=True) as at:
        page = await at.signs_in()
        await at.is_ready(page)
        caller = await at.center.call(from_raw=f'"{HOSTILE}" <sip:+12025550123@127.0.0.1>')
        await caller.send_digit("2")
        await page.locator("#answer").click()
        await expect(page.locator("#caller-name")).to_contain_text("<script>")
        await page.locator("#script-plan").select_option("gold")
        await page.locator("#script-email").fill("no address")
        await page.locator("#script-next").click()
        await expect(page.locator("#script-email-fault")).to_have_text("Must be an e-mail address")
        await page.locator("#script-email").fill("a@example.org")
        await page.locator("#script-next").click()
        await page.locator("#script-seats").fill("3")
        await page.locator("#script-next").click()
        await expect(page.locator("#script-done")).to_be_visible()
        await page.locator("#note").fill(HOSTILE)
        await page.locator("#disposition").select_option("leave_me_alone")
        await expect(page.locator("#disposition-means")).to_contain_text("will not be called any more")
        await caller.hang_up()
        await page.locator("#wrap-up-end").click()
        await expect(page.locator("#state")).to_have_text("Ready")
        (filled,) = [fact for fact in at.center.all(f.ScriptFilled) if fact.done]
        assert dict(zip(filled.fields, filled.answers, strict=True)) == {"plan": "gold", "email": "a@example.org", "seats": "3"}
        assert [fact.number for fact in at.center.all(f.DoNotCallAdded)] == ["+12025550123"]
        await kept_in_the_database(at)

        again = await at.center.call()
        await again.send_digit("2")
        await expect(page.locator("#calls li")).to_have_count(1)
        await expect(page.locator("#calls .note")).to_contain_text("<script>alert(1)</script>")
        await expect(page.locator("#calls")).to_contain_text("seats: 3")
        await expect(page.locator("#calls")).to_contain_text("choice → support")
        assert await page.locator("main script, main img").count() == 0
        assert await axe(page) == []
        await again.hang_up()


async def kept_in_the_database(at: Shift) -> None:
    """Wait until the books have the note."""
    engine = connect(at.database, name="test")
    histories = PostgresHistories(engine)
    try:
        async with asyncio.timeout(30):
            while "alert" not in str((await histories.of("+12025550123", "")).calls):
                await asyncio.sleep(0.1)
    finally:
        await engine.dispose()
