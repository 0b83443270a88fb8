"""A leg that stays up between contacts, on a real Asterisk: rung once, a beep for each caller, adopted after a kill, lost."""

from callcenter.domain import facts as f
from callcenter.domain.facts import AgentState
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter, RingForever
from tests.support.asterisk import BEEP_TONES, CONNECTED_TONES, MENU_TONES
from tests.support.center import AGENT_TONES, CALLER_TONE, RunningCenter, running_center

AGENTS = [{"name": "alice", "queues": ["support"], "leg": "persistent"}]


async def ready(center: RunningCenter, alice: Phone) -> None:
    await center.fact(f.AgentPhoneChanged, agent="alice", reachable=True)
    await center.ask("agent_login", agent="alice")
    await center.ask("agent_ready", agent="alice")


async def caller_in(center: RunningCenter, caller: str) -> Call:
    call = await center.call(caller)
    await call.hears(MENU_TONES, for_s=0.2)
    await call.send_digit("2")
    return call


async def test_contacts_come_with_a_beep_on_one_leg_also_after_a_kill_of_the_engine() -> None:
    async with running_center(agent=AGENTS) as center:
        alice = await center.phone("alice", AnswerAfter(0.2))
        await ready(center, alice)
        leg = await alice.incoming()
        await leg.hears(CONNECTED_TONES, for_s=0.2)
        for n in range(2):
            caller = await caller_in(center, f"+1202555012{n}")
            await leg.hears(BEEP_TONES, for_s=0.1)
            await caller.hears(AGENT_TONES["alice"])
            await leg.hears(CALLER_TONE)
            if n == 1:
                await center.kill_engine()
                await caller.hears(AGENT_TONES["alice"], for_s=0.5)
                await center.start_engine()
            await caller.hang_up()
            await center.fact(f.ContactEnded, n + 1)
        assert len(alice.calls) == 1
        assert [fact.queue for fact in center.all(f.ContactConnected)] == ["support"] * 2
        await leg.hang_up()
        lost = await center.fact(f.AgentStateChanged, reason="phone_unreachable")
        assert lost.state is AgentState.NOT_READY
        await center.ask("agent_logout", agent="alice")


async def test_she_dials_in_and_hangs_up_on_a_caller() -> None:
    async with running_center(agent=AGENTS) as center:
        alice = await center.phone("alice", RingForever())
        leg = await alice.invite("*18")
        await leg.hears(CONNECTED_TONES, for_s=0.2)
        await center.fact(f.AgentStateChanged, agent="alice", state=AgentState.READY)
        caller = await caller_in(center, "+12025550123")
        await leg.hears(BEEP_TONES, for_s=0.1)
        await caller.hears(AGENT_TONES["alice"])
        await leg.hang_up()
        await caller.ended()
        parted = await center.fact(f.ContactParted)
        assert parted.why is f.EndedWhy.AGENT_HUNG_UP
        await center.ask("agent_logout", agent="alice")
