"""Fifty changes of the documents in the middle of calls at every stage: nobody who is inside notices one."""

import random

import pytest

from callcenter.domain import facts as f
from callcenter.domain.documents import Body, Documents, changed, digest
from callcenter.domain.events import Cause, ConfigChanged
from callcenter.runtime.document_kinds import join, split
from callcenter.runtime.settings import Settings, SettingsError, parse
from callcenter.sim.world import World

CHANGES = 50
AGENTS = [f"agent{n}" for n in range(12)]
PHONES = {name: f"phone-of-{name}" for name in (*AGENTS, *(f"new{n}" for n in range(CHANGES)))}
SITE: dict[str, object] = {"node": [{"name": "node1"}]}
FIRST = split(
    {
        "center": {"time_zone": "UTC"},
        "queue": [{"name": "sales", "wrap_up_s": 5}, {"name": "support", "wrap_up_s": 5}],
        "agent": [{"name": name, "queues": ["sales", "support"]} for name in AGENTS],
        "number": [{"did": "+18005550100", "flow": "main"}],
        "flow": {
            "main": {
                "start": "ask",
                "node": {
                    "ask": {"type": "menu", "prompt": "menu", "choices": {"1": "sales", "2": "support"}, "otherwise": "ask2"},
                    "ask2": {"type": "menu", "prompt": "menu", "choices": {"1": "sales", "2": "support"}, "otherwise": "support"},
                    "sales": {"type": "queue", "queue": "sales"},
                    "support": {"type": "queue", "queue": "support"},
                },
            }
        },
    }
)[1]


def settings_of(documents: Documents) -> Settings:
    return parse(join(SITE, documents))


def drawn(rng: random.Random, documents: Documents, number: int) -> Documents:
    """A change that somebody might make; the one before when it would not be taken."""
    queue, agent = rng.choice(["queue/sales", "queue/support"]), f"agent/{rng.choice(AGENTS)}"
    at_queue, at_agent = documents[queue], documents.get(agent, {"name": agent.partition("/")[2], "queues": ["sales"]})
    changes: list[dict[str, Body | None]] = [
        {queue: {**at_queue, "ring_timeout_s": rng.randint(5, 60)}},
        {queue: {**at_queue, "strategy": rng.choice(["round_robin", "longest_idle", "least_talk", "list_order"])}},
        {queue: {**at_queue, "max_waiting": rng.randint(50, 99), "target_wait_s": rng.randint(5, 60)}},
        {
            agent: {
                **at_agent,
                "queues": rng.choice([["sales"], ["support"], ["support", "sales"]]),
                "skills": {"spanish": rng.randint(1, 99)},
            }
        },
        {agent: None} if agent in documents else {agent: at_agent},
        {f"agent/new{number}": {"name": f"new{number}", "queues": ["support"]}},
        {"calendar/main": {"weekly": [f"mon-fri 09:00-{rng.randint(12, 20)}:00"]}},
        {"center": {**documents["center"], "not_ready_reasons": ["break", f"reason{number}"]}},
        {f"team/t{number}": {"name": f"t{number}", "agents": [agent.partition("/")[2]]}},
    ]
    after = changed(documents, rng.choice(changes))
    try:
        settings_of(after)
    except SettingsError:
        return documents
    return after


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 6))])
def test_fifty_changes_in_the_middle_of_calls_disturb_nobody(seed: int) -> None:
    rng, documents = random.Random(seed), FIRST
    world = World(settings_of(FIRST).center_config(PHONES), seed=f"changes-{seed}")
    for name in AGENTS:
        world.agent_ready(name)
    callers: list[str] = []
    taken = 0
    for number in range(CHANGES):
        if number % 2 == 0:
            callers.append(world.pbx.call_in("+18005550100"))
        if callers and rng.random() < 0.7:
            world.pbx.party_presses(rng.choice(callers), rng.choice("12"))
        world.run_for(rng.choice([0.1, 0.5, 2.0]))
        talking, in_line = world.talking(), [*world.waiting("sales"), *world.waiting("support")]
        after = drawn(rng, documents, number)
        taken += digest(after) != digest(documents)
        documents = after
        world.tell(ConfigChanged(settings_of(documents).center_config(PHONES)))
        assert talking.items() <= world.talking().items()
        assert {*in_line} <= {*world.waiting("sales"), *world.waiting("support"), *_offered(world)}
        assert not _ended(world)
    assert taken > CHANGES / 2
    assert world.faults == []
    for name in AGENTS:
        if f"agent/{name}" in documents:
            world.agent_ready(name)
    world.run_for(60)
    served = {fact.contact for fact in world.facts if isinstance(fact, f.ContactConnected)}
    entered = [fact for fact in world.facts if isinstance(fact, f.ContactEntered)]
    assert len(entered) == len(callers)  # each of them came through the menu into a queue
    for caller in callers:
        world.pbx.party_hangs_up(caller)
    world.run_for(120)
    assert {fact.cause for fact in _ended(world)} == {Cause.NORMAL}
    parted = [fact for fact in world.facts if isinstance(fact, f.ContactParted)]
    abandoned = [fact for fact in world.facts if isinstance(fact, f.ContactAbandoned)]
    assert (len(parted), len(parted) + len(abandoned)) == (len(served), len(callers))
    assert {fact.why for fact in parted} == {f.EndedWhy.CALLER_HUNG_UP}
    assert not world.center.state.calls
    assert [fact.documents for fact in world.facts if isinstance(fact, f.ConfigTaken)][-1] == digest(documents)


def _ended(world: World) -> list[f.CallEnded]:
    return [fact for fact in world.facts if isinstance(fact, f.CallEnded)]


def _offered(world: World) -> set[str]:
    """Callers whom somebody's phone rings for."""
    state = world.center.state
    return {state.calls[contact.entered.call].began.leg for contact in state.contacts.values() if contact.state == "offered"}
