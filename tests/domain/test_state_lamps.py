"""Lamps beside keys: what an agent's and a queue's extension show at each moment, at every node, after restarts too."""

from dataclasses import replace
from datetime import timedelta

from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.domain.config import QueueConfig
from callcenter.sim.world import World, small_center


def world() -> World:
    plain = small_center([QueueConfig("support", wrap_up=timedelta(seconds=5), extension="3001"), QueueConfig("sales")])
    agents = {**plain.agents, "alice": replace(plain.agents["alice"], extension="2001")}
    return World(replace(plain, agents=agents))


def test_an_agents_lamp_follows_her_states() -> None:
    it = world()
    shown = it.pbx.device_states
    assert shown == {"agent-alice": c.DeviceState.UNAVAILABLE, "queue-support": c.DeviceState.NOT_INUSE}
    it.tell(e.AgentLoginRequested("alice"))
    assert shown["agent-alice"] is c.DeviceState.ONHOLD
    it.tell(e.AgentReadyRequested("alice"))
    assert shown["agent-alice"] is c.DeviceState.NOT_INUSE
    caller = it.caller_arrives()
    assert shown["agent-alice"] is c.DeviceState.RINGING
    it.run_for(3)
    assert shown["agent-alice"] is c.DeviceState.INUSE
    it.pbx.party_hangs_up(caller)
    assert shown["agent-alice"] is c.DeviceState.BUSY
    it.run_for(6)
    assert shown["agent-alice"] is c.DeviceState.NOT_INUSE


def test_a_queues_lamp_is_on_while_callers_wait() -> None:
    it = world()
    callers = [it.caller_arrives(), it.caller_arrives()]
    assert it.pbx.device_states["queue-support"] is c.DeviceState.INUSE
    it.pbx.party_hangs_up(callers[0])
    assert it.pbx.device_states["queue-support"] is c.DeviceState.INUSE
    it.pbx.party_hangs_up(callers[1])
    assert it.pbx.device_states["queue-support"] is c.DeviceState.NOT_INUSE
    assert "queue-sales" not in it.pbx.device_states


def test_a_node_that_comes_back_and_new_extensions_are_told_all_of_it_and_nothing_twice() -> None:
    it = world()
    it.agent_ready("alice")
    it.pbx.device_states.clear()
    it.agent_ready("bob")
    assert it.pbx.device_states == {}
    it.lose_node()
    it.pbx.listening = True
    it.tell(e.NodeConnected("node1", it.pbx.started_at))
    assert it.pbx.device_states["agent-alice"] is c.DeviceState.NOT_INUSE
    config = it.config
    agents = {**config.agents, "bob": replace(config.agents["bob"], extension="2002")}
    it.tell(e.ConfigChanged(replace(config, agents=agents)))
    assert it.pbx.device_states["agent-bob"] is c.DeviceState.NOT_INUSE
    assert it.faults == []
