"""A real caller walks through flows and hears each step: menu, entry, sub-flow, question, condition, error exit, a number outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from callcenter.domain import facts as f
from callcenter.domain.commands import AskOutside
from callcenter.domain.ivr.check_digits import CheckDigit
from callcenter.domain.ivr.dipping import DipNode, DipQuestion
from callcenter.domain.ivr.expressions import parse
from callcenter.domain.ivr.flow import (
    Case,
    CollectNode,
    ConditionNode,
    Flow,
    HangUpNode,
    MenuNode,
    OutsideNode,
    PromptNode,
    QueueNode,
    ReturnNode,
    SubflowNode,
)
from callcenter.domain.ivr.speech import SpeakAs, Spoken
from callcenter.domain.ivr.templates import template
from callcenter.services.answering import Answer
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, Busy
from callcenter.sim.sip.tones import tone_pair
from tests.support.asterisk import DID, MENU_TONES, MUSIC_TONES, PROMPT_TONES, Pbx, asterisk_node, raw_settings, short_folder
from tests.support.center import CALLER_TONE
from tests.support.real_parties import RealEngine

PARTNER = "+12025550199"
PARTNER_TONE = tone_pair(64)
IDENTIFY = Flow(
    "identify",
    "ask",
    {
        "ask": CollectNode(
            "enter-code", "account", "look", "unknown", 2, 2, tries=2, invalid_prompt="comfort", check_digit=CheckDigit.LUHN
        ),
        "look": DipNode(
            "accounts",
            "known",
            "unknown",
            "unknown",
            {"number": template("{account}{suffix}")},
            ("balance",),
            filler="you-are-next",
            budget=timedelta(seconds=6),
        ),
        "known": ReturnNode("known"),
        "unknown": ReturnNode(),
    },
    parameters=("suffix",),
)
MAIN = Flow(
    "main",
    "menu",
    {
        "menu": MenuNode("menu", {"3": "identify", "4": "broken", "5": "out"}, "line", timeout=timedelta(seconds=5)),
        "identify": SubflowNode("identify", "line", {"suffix": template("-x")}, {"known": "rich"}),
        "rich": ConditionNode((Case(parse("attribute.balance > 3"), "say"),), "end"),
        "say": PromptNode(("you-entered", Spoken(SpeakAs.NUMBER, "balance")), "line"),
        "broken": SubflowNode("not-there", "line"),
        "sorry": PromptNode("your-position-is", "end"),
        "out": OutsideNode(PARTNER, "sorry", timedelta(seconds=10)),
        "line": QueueNode("support"),
        "end": HangUpNode(),
    },
    on_error="sorry",
)


class Accounts:
    """The other system: it knows one account, and answers when it is told to."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    async def __call__(self, asked: AskOutside) -> Answer:
        assert asked.question == DipQuestion("accounts", {"number": "18-x"})
        await self.may_answer.wait()
        return Answer("answered", {"balance": "4"})


@asynccontextmanager
async def center(folder: Path, outside_port: int, accounts: Accounts) -> AsyncIterator[tuple[RealEngine, Pbx]]:
    """The flows on a real node; everybody outside has the phone at that port."""
    raw = raw_settings(folder)
    raw = {**raw, "trunk": [{**raw["trunk"][0], "host": "127.0.0.1", "port": outside_port}], "calling": {"trunk": raw["trunk"][0]["name"]}}
    async with (
        asterisk_node(raw) as pbx,
        RealEngine([pbx], folder, flows=(MAIN, IDENTIFY), answerers={DipQuestion: accounts}).running() as running,
    ):
        yield running, pbx


async def heard(call: Call, *prompts: str) -> None:
    for prompt in prompts:
        await call.hears(PROMPT_TONES[prompt], within=20, for_s=0.3)


async def in_menu(phone: Phone, key: str) -> Call:
    """A caller who presses that key in the menu."""
    call = await phone.invite(DID)
    await call.answered()
    await call.hears(MENU_TONES, within=20, for_s=0.3)
    await call.send_digit(key)
    return call


async def test_a_caller_hears_each_step_of_a_flow() -> None:
    accounts = Accounts()
    with short_folder() as folder:
        async with (
            await Phone.start("outside", tone=PARTNER_TONE, on_invite=AnswerAfter(0.5)) as outside,
            center(folder, outside.address[1], accounts) as (running, pbx),
            await Phone.start("caller", server=("127.0.0.1", pbx.sip_port), tone=CALLER_TONE) as phone,
        ):
            call = await in_menu(phone, "3")
            await heard(call, "enter-code")
            await call.send_digits("17")
            await heard(call, "comfort", "enter-code")  # its check digit is wrong
            await call.send_digits("18")
            await heard(call, "you-are-next")
            accounts.may_answer.set()
            await heard(call, "you-entered", "en-4")
            await call.hears(MUSIC_TONES, within=20)
            await call.hang_up()
            passed = [(fact.node, fact.exit) for fact in running.book.of(f.FlowPassed)]
            assert passed == [("menu", "3"), ("ask", "next"), ("look", "next"), ("identify", "known"), ("rich", "next"), ("say", "next")]

            wrong = await in_menu(phone, "4")  # a sub-flow that is not there
            await heard(wrong, "your-position-is")
            await wrong.ended()
            assert [fact.to for fact in running.book.of(f.FlowFailed)] == ["sorry"]

            out = await in_menu(phone, "5")
            partner = await outside.incoming(20)
            await out.hears(PARTNER_TONE, within=20, for_s=0.3)
            await partner.hears(CALLER_TONE, within=20, for_s=0.3)
            await partner.hang_up()
            await out.ended()

            outside.on_invite = Busy()
            busy = await in_menu(phone, "5")
            await heard(busy, "your-position-is")
            await busy.ended()
            assert [fact.outcome for fact in running.book.of(f.FlowAnswered)] == ["answered", "answered", "busy"]
            assert await running.left() == (set(), set())
