"""Routing on real calls: who hears whom."""

import json

from callcenter.apps.explain import from_the_past, words
from callcenter.domain import facts as f
from callcenter.sim.sip.policy import AnswerAfter, RingForever
from tests.support.asterisk import DID
from tests.support.center import AGENT_TONES, RunningCenter, running_center

STRAIGHT = {"main": {"start": "in", "node": {"in": {"type": "queue", "queue": "support"}}}}
ANN, BEN = "+12025550123", "+12025550124"


async def offers_to(center: RunningCenter, agent: str) -> int:
    return len(center.all(f.ContactOffered, agent=agent))


async def test_a_caller_waits_for_the_agent_talked_with_last_and_not_for_ever() -> None:
    queue = [{"name": "support", "music": "tones", "wrap_up_s": 0, "last_agent_wait_s": 6}]
    async with running_center(queue=queue, flow=STRAIGHT) as center:
        await center.agent("alice", AnswerAfter(0.3))
        ann = await center.call(ANN)
        await ann.hears(AGENT_TONES["alice"])
        await ann.hang_up()
        await center.fact(f.ContactEnded)

        await center.agent("bob", AnswerAfter(0.3))
        ben = await center.call(BEN)
        await ben.hears(AGENT_TONES["alice"])  # idle longer than bob
        ann = await center.call(ANN)
        entered = await center.fact(f.ContactEntered, number=3)
        assert entered.preferred == "alice"
        why = await center.ask("explain", contact=entered.contact[:12])
        assert why["preferred"] == "waits for alice alone"
        assert {"agent": "bob", "why": "it waits for alice alone"} in json.loads(json.dumps(why["others"]))
        await ben.hang_up()
        await ann.hears(AGENT_TONES["alice"])
        assert await offers_to(center, "bob") == 0

        ben = await center.call(BEN)  # for whom alice is not free in time
        await ben.hears(AGENT_TONES["bob"])
        connected = await center.fact(f.ContactConnected, number=4)
        assert (connected.agent, 6 <= connected.wait.total_seconds() < 9) == ("bob", True)
        await center.fact(f.WaiterAdvanced, contact=connected.contact)

        past = from_the_past(center.pbx.settings, connected.contact)
        assert past["answered_by"] == "bob"
        assert "not alice: is talking" in words(past)
        await ann.hang_up()
        await ben.hang_up()


async def test_all_phones_ring_and_the_first_who_answers_has_the_caller() -> None:
    queue = [{"name": "support", "music": "tones", "wrap_up_s": 0, "strategy": "ring_all"}]
    async with running_center(queue=queue, flow=STRAIGHT) as center:
        alice = await center.agent("alice", RingForever())
        bob = await center.agent("bob", AnswerAfter(1.0))
        caller = await center.call(did=DID)
        at_alice, at_bob = await alice.incoming(), await bob.incoming()
        await caller.hears(AGENT_TONES["bob"])
        await at_alice.ended()
        withdrawn = await center.fact(f.OfferWithdrawn)
        assert (withdrawn.agent, withdrawn.why) == ("alice", f.WithdrawnWhy.ANSWERED)
        assert center.all(f.AgentStateChanged, agent="alice")[-1].state is f.AgentState.READY
        assert center.all(f.OfferMissed) == []
        await caller.hang_up()
        await at_bob.ended()
