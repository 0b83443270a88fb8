"""What else an agent does at her console, all in one center: handing on, calls of her own, payments, promises, the test of her devices."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from callcenter.adapters.db.caller_history import PostgresHistories
from callcenter.adapters.db.connection import connect
from callcenter.domain import facts as f
from callcenter.domain.facts import callbacks as cf
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, Busy
from tests.browser.shift import ALICE_TONE, FRIEND, OUTSIDE_TONE, SCRIPT, Shift, hears, hears_no_more, shift, silent
from tests.pbx.test_payments import dips_answer, process
from tests.support.asterisk import BEEP_TONES, DID, MENU_TONES, MUSIC_TONES, PROMPT_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE
from tests.support.dip_source import DipSource, dip_source, saying

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]

SALES_DID = "+18005550101"
BOB = AGENT_TONES["bob"]


def tables(source: DipSource) -> dict[str, Any]:
    """alice at her console, bob at a desk phone; callers are looked up in a CRM first."""
    look = {"type": "dip", "source": "crm", "parameters": {"caller": "{caller}"}, "budget_s": 2}
    choices = {"2": "support", "3": "box"}
    enter = {"type": "collect", "prompt": "enter-code", "attribute": "code", "max_length": 1, "first_digit_s": 20}
    return {
        "queue": [
            {
                "name": "support",
                "music": "tones",
                "wrap_up_s": 2,
                "dispositions": ["sale", "no_sale"],
                "script": "sale",
                "callback": {},
                "voicemail": {"number": "7001"},
            },
            {"name": "sales", "music": "tones", "wrap_up_s": 1, "number_shown": SALES_DID},
        ],
        "agent": [
            {"name": "alice", "queues": ["support", "sales"], "phone": "browser", "may_opt_out": ["sales"], "extension": "2001"},
            {"name": "bob", "queues": ["support", "sales"], "extension": "2002"},
        ],
        "number": [{"did": DID, "flow": "main"}, {"did": SALES_DID, "flow": "main"}],
        "flow": {
            "main": {
                "start": "look",
                "node": {
                    "look": {**look, "next": "choice", "otherwise": "choice", "failed": "choice"},
                    "choice": {"type": "menu", "prompt": "menu", "choices": choices, "otherwise": "support", "timeout_s": 10},
                    "support": {"type": "queue", "queue": "support"},
                    "box": {"type": "voicemail", "queue": "support", "next": "end", "otherwise": "end"},
                    "end": {"type": "hang_up"},
                },
            },
            "pay": {
                "start": "enter",
                "node": {
                    "enter": {**enter, "next": "thanks", "otherwise": "no"},
                    "thanks": {"type": "prompt", "prompt": "you-entered", "next": "yes"},
                    "yes": {"type": "return", "outcome": "paid"},
                    "no": {"type": "return", "outcome": "not_paid"},
                },
            },
        },
        "dip": {
            "crm": {
                "url": f"{source.url}/customers/{{caller}}",
                "allow_private": True,
                "budget_s": 2,
                "attributes": {"account": {"path": "account", "type": "digits"}},
            }
        },
        "payments": {"flows": ["pay"]},
        "own_calls": {"allowed": ["+1202"]},
        "script": {"sale": SCRIPT},
        "disposition": {},
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def at(tmp_path_factory: pytest.TempPathFactory, database: str) -> AsyncIterator[Shift]:
    async with dip_source(saying({"account": "4711"})) as source:
        given = tables(source)
        async with shift(tmp_path_factory.mktemp("shift"), database, books=True, **given) as at, process(at.center, "dips"):
            await dips_answer(at.center)
            yield at
            await at.all_hang_up()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outside(at: Shift) -> Phone:
    return await at.outside()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bob(at: Shift) -> Phone:
    return await at.center.phone("bob", AnswerAfter(0.2))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(at: Shift) -> Page:
    """The page that stays open over all tests."""
    return await at.signs_in()


@pytest_asyncio.fixture(loop_scope="module")
async def page(at: Shift, console: Page) -> AsyncIterator[Page]:
    """Alice is ready, and nobody else."""
    await at.center.ask("agent_login", agent="alice")
    await at.center.ask("agent_force", agent="alice", state="not_ready", reason="meeting", by="test")
    await expect(console.locator("#state")).to_have_text("Not ready (meeting)")
    await console.locator("#ready").click()
    await expect(console.locator("#state")).to_have_text("Ready")
    yield console
    print(*at.center.read()[-25:], sep="\n")  # for who looks into a failure
    await at.all_hang_up()
    await at.center.ask("agent_force", agent="bob", state="logged_out", by="test")
    await at.center.until(lambda: _logged_out(at, "bob"))  # after the wrap-up of a talk
    await expect(console.locator("#no-contact")).to_be_visible()


async def _logged_out(at: Shift, agent: str) -> bool:
    (found,) = (each for each in (await at.center.ask("state"))["agents"] if each["name"] == agent)
    return bool(found["state"] == "logged_out")


async def ready(at: Shift, agent: str) -> None:
    await at.center.ask("agent_login", agent=agent)
    await at.center.until(lambda: at.center._ready(agent))


async def choose(page: Page, target: str, how: str = "#consult") -> None:
    await page.locator("#target").select_option(target)
    await page.locator(how).click()


# --- handing on -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["colleague:bob", "queue:sales"])
async def test_a_blind_transfer(at: Shift, page: Page, bob: Phone, target: str) -> None:
    caller = await at.talking(page)
    await ready(at, "bob")
    await choose(page, target, "#blind")
    at_bob = await bob.incoming()
    await at_bob.hears(CALLER_TONE)
    await caller.hears(BOB)
    await silent(caller)
    await expect(page.locator("#contact-body")).to_be_hidden()
    entered = at.center.all(f.ContactEntered)[-1]
    assert entered.queue == ("sales" if target == "queue:sales" else "support")
    await caller.hang_up()


async def test_a_transfer_to_a_number_outside_that_she_may_call(at: Shift, page: Page, outside: Phone) -> None:
    caller = await at.talking(page)
    await page.locator("#target").select_option("number")
    await page.locator("#target-number").fill("911")
    await page.locator("#blind").click()
    await expect(page.locator("#trouble")).to_contain_text("emergency")
    await page.locator("#target-number").fill("+1 212 555 0100")
    await page.locator("#blind").click()
    await expect(page.locator("#trouble")).to_contain_text("alice may not call +12125550100; she may call: +1202…")
    await caller.hears(ALICE_TONE)
    await page.locator("#target-number").fill(FRIEND)
    await page.locator("#blind").click()
    friend = await outside.incoming()
    await friend.hears(CALLER_TONE)
    await caller.hears(OUTSIDE_TONE)
    await caller.hang_up()
    await friend.ended()


async def test_three_hear_each_other_in_a_conference(at: Shift, page: Page, bob: Phone) -> None:
    caller = await at.talking(page)
    await ready(at, "bob")
    await choose(page, "colleague:bob")
    at_bob = await bob.incoming()
    await at_bob.hears(ALICE_TONE)
    await page.locator("#conference").click()
    await expect(page.locator("#consult-state")).to_have_text("All three hear each other")
    await asyncio.gather(caller.hears(ALICE_TONE), caller.hears(BOB), at_bob.hears(ALICE_TONE), at_bob.hears(CALLER_TONE))
    await hears(page, CALLER_TONE, BOB)
    await page.locator("#swap").click()
    await expect(page.locator("#consult-state")).to_have_text("You are with bob; the caller waits")
    await silent(caller, ALICE_TONE, BOB)
    await page.locator("#complete").click()
    await at_bob.hears(CALLER_TONE)
    await caller.hang_up()


async def test_somebody_outside_is_asked_first_and_has_the_caller_then(at: Shift, page: Page, outside: Phone) -> None:
    caller = await at.talking(page)
    await page.locator("#target").select_option("number")
    await page.locator("#target-number").fill("911")
    await page.locator("#consult").click()
    await expect(page.locator("#trouble")).to_contain_text("emergency")
    await page.locator("#target-number").fill("(202) 555-0171")
    await page.locator("#consult").click()
    friend = await outside.incoming()
    await friend.hears(ALICE_TONE)
    await hears(page, OUTSIDE_TONE)
    await caller.hears(MUSIC_TONES)
    await expect(page.locator("#consult-state")).to_have_text(f"You are with {FRIEND}; the caller waits")
    await page.locator("#swap").click()
    await caller.hears(ALICE_TONE)
    await friend.hears(MUSIC_TONES)
    await page.locator("#complete").click()
    await asyncio.gather(caller.hears(OUTSIDE_TONE), friend.hears(CALLER_TONE))
    await silent(caller)
    assert (await at.center.fact(f.CallerHandedOutside)).number == FRIEND
    await caller.hang_up()
    await friend.ended()


async def test_a_page_that_is_loaded_anew_in_a_consult_goes_on_with_it(at: Shift, page: Page, bob: Phone) -> None:
    caller = await at.talking(page)
    await ready(at, "bob")
    await choose(page, "colleague:bob")
    at_bob = await bob.incoming()
    await at_bob.hears(ALICE_TONE)
    before = len(at.center.all(f.AgentLegResumed))
    await page.reload()
    await at.center.fact(f.AgentLegResumed, before + 1)
    await at_bob.hears(ALICE_TONE)
    await hears(page, BOB)
    await caller.hears(MUSIC_TONES)
    await expect(page.locator("#consult-state")).to_have_text("You are with bob; the caller waits")
    await page.locator("#cancel").click()
    await caller.hears(ALICE_TONE)
    await hears(page, CALLER_TONE)
    await caller.hang_up()


async def test_whom_she_may_not_hand_on_to_is_said_and_the_call_goes_on(at: Shift, page: Page) -> None:
    """A colleague who is not there, and two clicks at once."""
    caller = await at.talking(page)
    await choose(page, "colleague:bob", "#blind")
    await expect(page.locator("#trouble")).to_contain_text("bob is logged out, not ready")
    await page.locator("#target").select_option("queue:sales")
    await page.locator("#consult").dblclick()
    await expect(page.locator("#consulting")).to_be_visible()
    await expect(page.locator("#consult-state")).to_have_text("sales is being rung; the caller waits")
    await expect(page.locator("#swap")).to_be_hidden()
    await page.locator("#cancel").click()
    await caller.hears(ALICE_TONE)
    await hears(page, CALLER_TONE)
    await caller.hang_up()


async def test_who_is_asked_sees_who_asks_and_hands_nobody_on(at: Shift, page: Page, bob: Phone) -> None:
    """Bob has the caller at his desk phone, and asks alice at her console."""
    await page.locator("#not-ready").click()
    await ready(at, "bob")
    caller = await at.caller()
    at_bob = await bob.incoming()
    await at_bob.hears(CALLER_TONE)
    await page.locator("#ready").click()
    await expect(page.locator("#state")).to_have_text("Ready")
    await at.center.ask("agent_consult", agent="bob", colleague="alice")
    await page.locator("#answer").click()
    await at_bob.hears(ALICE_TONE)
    await hears(page, BOB)
    await expect(page.locator("#consult-state")).to_have_text("bob asks you about a caller")
    await expect(page.locator("#complete")).to_be_hidden()
    await expect(page.locator("#transfer")).to_be_hidden()
    await at.center.ask("agent_complete", agent="bob")
    await caller.hears(ALICE_TONE)
    await hears(page, CALLER_TONE)
    await expect(page.locator("#transfer")).to_be_visible()
    await caller.hang_up()


async def test_a_caller_who_pays_is_not_heard_and_comes_back(at: Shift, page: Page) -> None:
    caller = await at.talking(page)
    await asyncio.gather(page.locator("#pay").click(), caller.hears(PROMPT_TONES["enter-code"], for_s=0.3))
    await hears(page, MUSIC_TONES)
    await hears_no_more(page, CALLER_TONE)
    await expect(page.locator("#transfer")).to_be_hidden()
    await asyncio.gather(caller.send_digit("7"), caller.hears(PROMPT_TONES["you-entered"], for_s=0.3))
    await caller.hears(ALICE_TONE)
    await hears(page, CALLER_TONE)
    await expect(page.locator("#facts")).to_contain_text("payment")
    await expect(page.locator("#facts")).to_contain_text("paid")
    assert len(at.center.all(f.RecordingStarted, contact=at.center.all(f.PaymentBegan)[-1].contact)) == 2, "paused in between"
    await asyncio.gather(page.locator("#pay").click(), caller.hears(PROMPT_TONES["enter-code"], for_s=0.3))
    await page.locator("#pay-end").click()
    await caller.hears(ALICE_TONE)
    assert [fact.outcome for fact in at.center.all(f.PaymentEnded)][-2:] == ["paid", "called_off"]
    await caller.hang_up()


async def test_a_page_that_is_loaded_anew_while_the_caller_pays(at: Shift, page: Page) -> None:
    caller = await at.talking(page)
    await asyncio.gather(page.locator("#pay").click(), caller.hears(PROMPT_TONES["enter-code"], for_s=0.3))
    before = len(at.center.all(f.AgentLegResumed))
    await page.reload()
    await at.center.fact(f.AgentLegResumed, before + 1)
    await hears(page, MUSIC_TONES)
    await silent(caller, ALICE_TONE, MUSIC_TONES)
    await caller.send_digit("7")
    await caller.hears(ALICE_TONE)
    await hears(page, CALLER_TONE)
    assert at.center.all(f.PaymentEnded)[-1].outcome == "paid"
    await caller.hang_up()


# --- calls of her own -----------------------------------------------------------------------------------------


async def test_she_calls_a_colleague(at: Shift, page: Page, bob: Phone) -> None:
    await ready(at, "bob")
    await page.locator("#dial-to").fill("bob")
    await page.locator("#dial button[type=submit]").click()
    at_bob = await bob.incoming()
    await at_bob.hears(ALICE_TONE)
    await hears(page, BOB)
    await expect(page.locator("#own-call")).to_have_text("You talk to bob")
    await expect(page.locator("#state")).to_have_text("Not ready (own call)")
    await at_bob.hang_up()
    await expect(page.locator("#state")).to_have_text("Ready")


async def test_a_colleague_calls_her_and_she_answers(at: Shift, page: Page, bob: Phone) -> None:
    await ready(at, "bob")
    at_bob = await bob.invite("2001")
    await expect(page.locator("#own-call")).to_have_text("bob calls you")
    await page.locator("#answer").click()
    await at_bob.hears(ALICE_TONE)
    await hears(page, BOB)
    await expect(page.locator("#own-call")).to_have_text("You talk to bob")
    await page.locator("#mute").click()
    await silent(at_bob)
    await page.locator("#mute").click()
    await at_bob.hears(ALICE_TONE)
    await page.locator("#hang-up").click()
    await at_bob.ended()
    await expect(page.locator("#own-call")).to_be_hidden()
    await expect(page.locator("#state")).to_have_text("Ready")


async def test_she_calls_outside_for_a_queue_and_is_told_what_she_may_not(at: Shift, page: Page, outside: Phone) -> None:
    for number, why in (("911", "emergency"), ("+1 212 555 0100", "may not call"), ("12", "not a valid"), ("2001", "herself")):
        await page.locator("#dial-to").fill(number)
        await page.locator("#dial button[type=submit]").click()
        await expect(page.locator("#trouble")).to_contain_text(why)
    await expect(page.locator("#state")).to_have_text("Ready")
    await page.locator("#dial-to").fill("(202) 555-0171")
    await page.locator("#dial-queue").select_option("sales")
    await page.locator("#dial button[type=submit]").click()
    friend = await outside.incoming()
    assert friend.dialed == FRIEND
    assert f"<sip:{SALES_DID}@" in friend.invite.need("From")
    await friend.hears(ALICE_TONE)
    await hears(page, OUTSIDE_TONE)
    await expect(page.locator("#own-call")).to_have_text(f"You talk to {FRIEND}")
    await expect(page.locator("#state")).to_have_text("Not ready (own call)")
    await page.locator("#keypad-box summary").click()
    await page.locator("#keypad").get_by_role("button", name="7", exact=True).click()
    await friend.hears_digits("7")
    await page.locator("#dial-end").click()
    await friend.ended()
    await expect(page.locator("#state")).to_have_text("Ready")
    assert (await at.center.fact(f.OwnCallEnded, number=len(at.center.all(f.OwnCallBegan)))).why == "hung_up"


@pytest.mark.parametrize("whom", ["bob", FRIEND])
async def test_a_page_that_is_loaded_anew_in_a_call_of_her_own_goes_on_with_it(
    at: Shift, page: Page, bob: Phone, outside: Phone, whom: str
) -> None:
    """The other one hears music meanwhile, and both hear each other again."""
    await ready(at, "bob")
    await page.locator("#dial-to").fill(whom)
    await page.locator("#dial button[type=submit]").click()
    other = await (bob if whom == "bob" else outside).incoming()
    await other.hears(ALICE_TONE)
    before = len(at.center.all(f.OwnLegResumed))
    await page.reload()
    await at.center.fact(f.OwnLegResumed, before + 1)
    await other.hears(ALICE_TONE)
    await hears(page, BOB if whom == "bob" else OUTSIDE_TONE)
    await silent(other, MUSIC_TONES)
    await expect(page.locator("#own-call")).to_have_text(f"You talk to {whom}")
    await page.locator("#dial-end").click()
    await other.ended()
    await expect(page.locator("#state")).to_have_text("Ready")
    assert at.center.all(f.OwnCallEnded)[-1].why == "hung_up"


async def test_nobody_answers_a_call_of_her_own(at: Shift, page: Page, outside: Phone) -> None:
    before, outside.on_invite = outside.on_invite, Busy()
    try:
        await page.locator("#dial-to").fill(FRIEND)
        await page.locator("#dial button[type=submit]").click()
        await outside.incoming()
        await expect(page.locator("#state")).to_have_text("Ready")
        assert at.center.all(f.OwnCallEnded)[-1].why == "busy"
    finally:
        outside.on_invite = before


# --- promises, notices, queues, presence ----------------------------------------------------------------------


async def test_a_callback_promised_at_the_console_comes_to_her(at: Shift, page: Page, outside: Phone) -> None:
    caller = await at.talking(page, caller=FRIEND)
    await expect(page.locator("#callback-number")).to_have_value(FRIEND)
    tomorrow = (datetime.now().astimezone() + timedelta(days=1)).replace(hour=12, minute=0)
    await page.locator("#callback-at").fill(tomorrow.strftime("%Y-%m-%dT%H:%M"))
    await page.locator("#callback button").click()
    await expect(page.locator("#callback-state")).to_have_text("Promised")
    created = await at.center.fact(cf.CallbackCreated)
    assert (created.number, created.queue, created.owner) == (FRIEND, "support", "alice")
    await caller.hang_up()
    await expect(page.locator("#state")).to_have_text("Ready")

    promised = page.locator("#to-call li")
    await expect(promised).to_contain_text("yours")
    await page.locator("#not-ready").click()
    await expect(page.locator("#state")).to_contain_text("Not ready")
    await promised.get_by_role("button", name=f"Call {FRIEND} now").click()
    await expect(page.locator("#waiting-state")).to_contain_text(f"{FRIEND} is yours")
    await expect(page.locator("#answer")).to_be_visible()
    await expect(page.locator("#caller")).to_have_text(FRIEND)
    await page.locator("#answer").click()
    friend = await outside.incoming()
    await friend.hears(ALICE_TONE)
    await hears(page, OUTSIDE_TONE)
    await friend.hang_up()
    assert (await at.center.fact(cf.CallbackKept)).how is cf.KeptHow.BRIDGED
    await expect(promised).to_have_count(0)


async def test_a_notice_stays_until_she_has_seen_it(at: Shift, page: Page) -> None:
    sent = await at.center.ask("notice_send", text="The printer <b>burns</b>.", agents=["alice"], by="sue")
    notice = page.locator("#notices .notice")
    await expect(notice).to_contain_text("sue: The printer <b>burns</b>.")
    await page.reload()
    await expect(notice).to_contain_text("The printer")
    await page.get_by_role("button", name="Seen").click()
    await expect(notice).to_have_count(0)
    seen = await at.center.fact(f.NoticeAcknowledged)
    assert (seen.notice, seen.agent) == (sent["notice"], "alice")
    await expect(page.locator("#phone")).to_have_text("Phone: here, connected")


async def test_she_leaves_a_queue_and_comes_back(at: Shift, page: Page) -> None:
    rows = page.locator("#queues li")
    sales = rows.filter(has_text="sales")
    await expect(rows.filter(has_text="support").get_by_role("button")).to_have_count(0)
    await sales.get_by_role("button", name="Leave").click()
    await expect(sales).to_contain_text("left")
    state = await at.center.ask("state")
    agents = {agent["name"]: agent for agent in state["agents"] if isinstance(agent, dict)}  # type: ignore[union-attr]
    assert agents["alice"]["queues"] == ["support"]
    await sales.get_by_role("button", name="Serve").click()
    await expect(sales).to_contain_text("serving")


async def test_reasons_and_timers(at: Shift, page: Page) -> None:
    reasons = await page.locator("#reason option").all_inner_texts()
    assert len(reasons) > 1
    await page.locator("#reason").select_option(label=reasons[1])
    await page.locator("#not-ready").click()
    await expect(page.locator("#state")).to_have_text(f"Not ready ({reasons[1]})")
    await expect(page.locator("#state-timer")).to_have_text(re.compile("0:0[2-9]"))
    await page.locator("#ready").click()
    await expect(page.locator("#state")).to_have_text("Ready")
    caller = await at.talking(page)
    await page.locator("#reason").select_option(label=reasons[0])
    await page.locator("#not-ready").click()
    await expect(page.locator("#later")).to_have_text(f"Then: {reasons[0]}")
    await expect(page.locator("#state")).to_have_text("Talking")
    await caller.hang_up()
    await expect(page.locator("#state")).to_have_text("Wrap-up (ACW)")
    await expect(page.locator("#state-timer")).to_have_text(re.compile("0:0[12]"))
    await expect(page.locator("#state")).to_have_text(f"Not ready ({reasons[0]})")


# --- sound, figures, what is known ----------------------------------------------------------------------------


async def test_the_test_before_the_shift(at: Shift, page: Page) -> None:
    await page.locator("#audio-open").click()
    await page.locator("#test").click()
    results = page.locator("#test-results li")
    await expect(results.nth(0)).to_contain_text("✓ Your microphone is heard")
    await expect(results.nth(1)).to_contain_text("✓ Sound goes to the center and comes back")
    await expect(page.locator("#test-asks")).to_be_visible()
    await page.locator("#test-yes").click()
    await expect(results.nth(2)).to_contain_text("✓ You hear the loudspeaker")
    assert await page.locator("#input option").count() > 1
    await page.locator("#audio-open").click()
    await expect(page.locator("#state")).to_have_text("Ready")


async def test_how_a_talk_sounds_is_shown_and_kept_and_her_figures_grow(at: Shift, page: Page) -> None:
    before = int(await page.locator("#figures dd").first.inner_text())
    caller = await at.talking(page)
    await expect(page.locator("#quality")).to_be_visible()
    await expect(page.locator("#quality")).to_contain_text("Sound: good")
    measured = len(at.center.all(f.TalkMeasured))
    await caller.hang_up()
    kept = await at.center.fact(f.TalkMeasured, number=measured + 1)
    assert kept.received > 20
    assert kept.lost == 0
    assert 0 <= kept.rtt_ms < 200
    await expect(page.locator("#state")).to_have_text("Ready")
    await expect(page.locator("#figures dd").first).to_have_text(str(before + 1))


async def test_a_script_branches_and_takes_only_what_fits(at: Shift, page: Page) -> None:
    caller = await at.talking(page)
    await expect(page.locator("#script-text")).to_contain_text("Hello")
    await page.locator("#script-next").click()
    await expect(page.locator("#script-plan-fault")).to_have_text("An answer is needed")
    await page.locator("#script-plan").select_option("gold")
    await page.locator("#script-next").click()
    await expect(page.locator("#script-text")).to_have_text("Gold for +12025550123.")
    await page.locator("#script-seats").fill("0")
    await page.locator("#script-next").click()
    await expect(page.locator("#script-seats-fault")).to_have_text("Too small")
    await page.locator("#script-back").click()
    await page.locator("#script-plan").select_option("silver")
    await page.locator("#script-next").click()
    await expect(page.locator("#script-done")).to_be_visible()
    filled = at.center.all(f.ScriptFilled)[-1]
    assert filled.done
    assert dict(zip(filled.fields, filled.answers, strict=True))["plan"] == "silver"
    await caller.hang_up()


async def test_all_that_is_known_of_a_caller_is_before_her(at: Shift, page: Page) -> None:
    """The way through the flow, what the CRM said, a voicemail, a callback, the note of before."""
    ann = "+12025550142"
    voice = await at.center.call(caller=ann)
    at.calls.append(voice)
    await voice.hears(MENU_TONES, for_s=0.2)
    await voice.send_digit("3")
    await voice.hears(BEEP_TONES, for_s=0.2)
    message = await at.center.fact(f.MessageBegan)
    file = at.center.pbx.node.recordings / f"voicemail-{message.message}.wav"
    await at.center.until(lambda: file.exists() and file.stat().st_size > 48_000)
    await voice.hang_up()
    await at.center.ask("callback_add", queue="support", number=ann, at=(datetime.now(UTC) + timedelta(days=2)).isoformat(), by="test")
    caller = await at.talking(page, caller=ann)
    await expect(page.locator("#facts")).to_contain_text("4711")
    await page.locator("#note").fill("Likes tea.")
    await page.locator("#disposition").select_option("no_sale")
    await caller.hang_up()
    await expect(page.locator("#state")).to_have_text("Ready")
    await known_of(at, ann, "Likes tea.")

    again = await at.caller(caller=ann)
    await expect(page.locator("#calls .note")).to_have_text("Likes tea.")
    await expect(page.locator("#calls")).to_contain_text("look → choice → support")
    await expect(page.locator("#calls")).to_contain_text("no sale")
    await expect(page.locator("#messages li")).to_have_count(1)
    await expect(page.locator("#callbacks li")).to_have_count(1)
    await expect(page.locator("#callbacks")).to_contain_text("kept")  # for she has called before it was due
    await again.hang_up()


async def test_a_message_is_heard_and_deleted_at_the_console(at: Shift, page: Page) -> None:
    ben, before = "+12025550144", len(at.center.all(f.MessageBegan))
    voice = await at.center.call(caller=ben)
    at.calls.append(voice)
    await voice.hears(MENU_TONES, for_s=0.2)
    await voice.send_digit("3")
    await voice.hears(BEEP_TONES, for_s=0.2)
    message = await at.center.fact(f.MessageBegan, before + 1)
    file = at.center.pbx.node.recordings / f"voicemail-{message.message}.wav"
    await at.center.until(lambda: file.exists() and file.stat().st_size > 48_000)
    await voice.hang_up()
    row = page.locator("#to-hear li", has_text=ben)
    await expect(row).to_contain_text("new", timeout=40_000)
    sound = row.locator("audio")
    async with asyncio.timeout(40):  # the books finish the file first
        while not await sound.evaluate("each => (each.load(), each.play().then(() => true, () => false))"):
            await asyncio.sleep(0.5)
    await expect(row.get_by_text("new", exact=True)).to_be_hidden()
    heard = await at.center.fact(f.MessageHeard, message=message.message)
    assert heard.by == "alice"
    await row.get_by_role("button", name="Delete").click()
    await row.get_by_role("button", name="Delete for good?").click()
    await expect(row).to_have_count(0)
    assert (await at.center.fact(f.MessageDeleted, message=message.message)).by == "alice"


async def known_of(at: Shift, caller: str, note: str) -> None:
    """Wait until the books have the note and the message."""
    engine = connect(at.database, name="test")
    histories = PostgresHistories(engine)
    try:
        async with asyncio.timeout(30):
            while True:
                known = await histories.of(caller, "")
                if note in str(known.calls) and known.messages and known.callbacks:
                    return
                await asyncio.sleep(0.1)
    finally:
        await engine.dispose()
