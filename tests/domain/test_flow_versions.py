"""Callers finish on the version of a flow they began with; a canary gets its share of the calls, always the same ones."""

from dataclasses import replace

from callcenter.domain import facts as f
from callcenter.domain.center import Center
from callcenter.domain.config import Canary, CenterConfig, NumberConfig
from callcenter.domain.events import ConfigChanged, FlowsChanged
from callcenter.domain.ids import Ids
from callcenter.domain.ivr.flow import Flow, HangUpNode, PromptNode, ReturnNode, SubflowNode
from callcenter.sim.world import World

DID = "+18005550100"


def two_prompts(version: int) -> Flow:
    """Says who it is twice."""
    nodes = {"first": PromptNode(f"first-{version}", "second"), "second": PromptNode(f"second-{version}", "end"), "end": HangUpNode()}
    return Flow("main", "first", nodes, version=version)


def center(current: int, known: int, canary: int = 0, share: float = 0.0) -> CenterConfig:
    versions = {("main", number): two_prompts(number) for number in range(1, known + 1)}
    return CenterConfig(
        numbers={DID: NumberConfig(DID, "main")},
        flows={"main": versions["main", current]},
        flow_versions=versions,
        canaries={"main": Canary(versions["main", canary], share)} if canary else {},
    )


def test_a_caller_finishes_on_the_version_he_began_with() -> None:
    world = World(center(current=1, known=1))
    leg = world.pbx.call_in(DID)
    channel = world.pbx.channels[leg]
    world.run_for(1)
    world.tell(ConfigChanged(center(current=2, known=2)))
    later = world.pbx.call_in(DID)
    channel_later = world.pbx.channels[later]
    world.run_for(10)
    assert channel.heard == ["first-1", "second-1"]
    assert channel_later.heard == ["first-2", "second-2"]
    assert [(fact.flow, fact.version) for fact in world.facts if isinstance(fact, f.FlowStarted)] == [("main", 1), ("main", 2)]


def test_he_finishes_on_it_after_a_restart_too() -> None:
    world = World(center(current=1, known=1))
    leg = world.pbx.call_in(DID)
    channel = world.pbx.channels[leg]
    world.run_for(1)
    world.config = center(current=2, known=2)
    world.crash_and_restore()
    (call,) = world.center.state.calls.values()
    assert call.flow is not None
    assert call.flow.flow.version == 1
    world.run_for(10)
    assert channel.heard == ["first-1", "second-1"]


def test_a_version_that_is_gone_is_replaced_by_the_one_in_use() -> None:
    world = World(center(current=1, known=1))
    world.pbx.call_in(DID)
    world.run_for(1)
    config = center(current=2, known=2)
    kept = {key: flow for key, flow in config.flow_versions.items() if key != ("main", 1)}
    restored = Center.restore(replace(config, flow_versions=kept), Ids("again"), list(world.center.checkpoint()))
    (call,) = restored.state.calls.values()
    assert call.flow is not None
    assert call.flow.flow.version == 2


def test_a_canary_gets_its_share_and_always_the_same_calls() -> None:
    flow = two_prompts(2)
    ids = Ids("calls")
    calls = [ids.draw() for _ in range(4000)]
    tenth = {call for call in calls if Canary(flow, 0.1).takes(call)}
    half = {call for call in calls if Canary(flow, 0.5).takes(call)}
    assert 320 < len(tenth) < 480
    assert 1850 < len(half) < 2150
    assert tenth < half
    assert tenth == {call for call in calls if Canary(flow, 0.1).takes(call)}
    assert not [call for call in calls if Canary(flow, 0.0).takes(call)]
    assert all(Canary(flow, 1.0).takes(call) for call in calls)


def test_callers_of_the_canary_hear_it_also_after_a_restart() -> None:
    world = World(center(current=1, known=2, canary=2, share=1.0))
    leg = world.pbx.call_in(DID)
    channel = world.pbx.channels[leg]
    world.run_for(1)
    world.config = center(current=1, known=2)
    world.crash_and_restore()
    world.run_for(10)
    assert channel.heard == ["first-2", "second-2"]


def test_sub_flows_stay_in_their_version_and_have_canaries_too() -> None:
    main = Flow("main", "first", {"first": PromptNode("welcome", "sub"), "sub": SubflowNode("sub", "end"), "end": HangUpNode()})

    def sub(version: int) -> Flow:
        return Flow("sub", "say", {"say": PromptNode(f"sub-{version}", "back"), "back": ReturnNode()}, version=version)

    def config(current: int, canary: int = 0) -> CenterConfig:
        return CenterConfig(
            numbers={DID: NumberConfig(DID, "main")},
            flows={"main": main, "sub": sub(current)},
            flow_versions={("sub", number): sub(number) for number in (1, 2, 3)},
            canaries={"sub": Canary(sub(canary), 1.0)} if canary else {},
        )

    world = World(config(current=1))
    began_with_1 = world.pbx.channels[world.pbx.call_in(DID)]
    world.run_for(1)
    world.tell(ConfigChanged(config(current=2, canary=3)))
    began_with_canary = world.pbx.channels[world.pbx.call_in(DID)]
    world.run_for(1)
    world.config = config(current=2)
    world.crash_and_restore()
    world.run_for(10)
    assert began_with_1.heard == ["welcome", "sub-1"]
    assert began_with_canary.heard == ["welcome", "sub-3"]
    assert world.faults == []


def test_publishing_changes_nothing_but_the_flows() -> None:
    world = World(center(current=1, known=1))
    before = world.center.state.config
    published = center(current=2, known=2, canary=1, share=0.5)
    world.tell(FlowsChanged(published.flows, published.flow_versions, published.canaries))
    assert world.center.state.config == replace(
        before, flows=published.flows, flow_versions=published.flow_versions, canaries=published.canaries
    )
