"""One engine, two real nodes: each serves its own callers, and killing one costs only its calls."""

from contextlib import AsyncExitStack

from callcenter.domain import facts as f
from callcenter.domain.facts import AgentState
from tests.support.asterisk import asterisk_nodes, raw_settings, short_folder
from tests.support.parties import story_settings
from tests.support.real_parties import RealEngine, RealStoryCenter


async def test_a_node_is_killed_and_only_its_calls_are_lost() -> None:
    with short_folder() as folder:
        raw = story_settings(raw_settings(folder, nodes=("node1", "node2")), 2)
        async with asterisk_nodes(raw=raw) as nodes, RealEngine(nodes, folder).running() as running, AsyncExitStack() as phones:
            here = RealStoryCenter(0, running, phones, "node1")
            there = RealStoryCenter(1, running, phones, "node2")
            alice, bob = await here.agent("alice"), await there.agent("alice")
            calls = []
            for center, agent in ((here, alice), (there, bob)):
                await agent.ready()
                caller = await center.calls()
                await caller.hears("menu")
                await caller.presses("2")
                await agent.talks()
                await caller.hears("alice")
                calls.append(caller)
            waits = await there.calls()
            await waits.hears("menu")
            survivor, lost = calls
            began = [await caller.began() for caller in (survivor, lost, waits)]
            assert [call.node for call in began] == ["node1", "node2", "node2"]
            assert all(call.leg.startswith(f"{call.node}-") for call in began)
            assert all(fact.leg.startswith(f"{fact.bridge.partition('-')[0]}-") for fact in running.book.of(f.ContactConnected))

            since = len(running.book.facts)
            nodes[1].node.kill()
            await running.book.until(lambda: next(iter(running.book.of(f.NodeAway, node="node2")[1:]), None), "the loss")
            await nodes[1].node.start()
            await running.sees("node2", since)

            assert [fact.cause for fact in running.book.of(f.CallEnded)] == ["node_crash", "node_crash"]
            assert {fact.call for fact in running.book.of(f.CallEnded)} == {began[1].call, began[2].call}
            (parted,) = running.book.of(f.ContactParted)
            assert (parted.call, parted.why) == (began[1].call, f.EndedWhy.NODE_CRASH)
            await bob.becomes(AgentState.READY)
            await survivor.hears("alice")

            again = await there.agent("alice")  # her phone must register at the new Asterisk
            caller = await there.calls()
            await caller.hears("menu")
            await caller.presses("2")
            await again.talks()
            await caller.hangs_up()
            await caller.meets(f.CallEnded)
            await survivor.hangs_up()
            assert (await survivor.story())[-1] == "CallEnded normal"
            assert await running.left() == (set(), set())
