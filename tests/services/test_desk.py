"""What people ask of the engine, and the sentences they get."""

import json

import pytest

from callcenter.domain import facts as f
from callcenter.services.control import ControlError, Json
from callcenter.services.desk import Desk
from tests.support.virtual import VirtualCenter, in_virtual_time


async def _nothing_to_reload() -> str:
    return "nothing to reload"


async def _broken_file() -> str:
    raise ControlError("callcenter.toml: queue[0].name is missing")


async def ask(center: VirtualCenter, do: str, **fields: Json) -> dict[str, object]:
    return dict(await Desk(center.engine, center.clock, _nothing_to_reload).handle({"do": do, **fields}))


async def refusal(center: VirtualCenter, do: str, **fields: Json) -> str:
    with pytest.raises(ControlError) as refused:
        await ask(center, do, **fields)
    return str(refused.value)


@in_virtual_time
async def test_an_agents_day(center: VirtualCenter) -> None:
    assert await ask(center, "agent_login", agent="alice") == {
        "ok": True,
        "state": "not_ready",
        "reason": "login",
        "later": None,
        "until": None,
    }
    assert (await ask(center, "agent_ready", agent="alice"))["state"] == "ready"
    assert (await ask(center, "agent_not_ready", agent="alice", reason="meeting"))["reason"] == "meeting"
    assert (await ask(center, "agent_not_ready", agent="alice"))["reason"] == "break"
    assert (await ask(center, "agent_logout", agent="alice"))["state"] == "logged_out"


@in_virtual_time
async def test_a_pause_asked_for_in_a_call_comes_later(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    center.calls()
    await center.pass_time(3)
    answer = await ask(center, "agent_not_ready", agent="alice")
    assert (answer["state"], answer["later"]) == ("talking", "not_ready")


@in_virtual_time
async def test_a_transfer(center: VirtualCenter) -> None:
    assert "not talking" in await refusal(center, "agent_transfer", agent="alice", queue="support")
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    assert "no queue 'sales'; queues: support" in await refusal(center, "agent_transfer", agent="alice", queue="sales")
    assert (await ask(center, "agent_transfer", agent="alice", queue="support"))["state"] == "wrap_up"
    assert center.waiting() == [caller]


@in_virtual_time
async def test_a_consult_that_becomes_a_conference(center: VirtualCenter) -> None:
    for operation in ("agent_complete", "agent_cancel", "agent_swap", "agent_conference"):
        assert "alice is not consulting anybody" in await refusal(center, operation, agent="alice")
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(3)
    assert "bob is logged out, not ready" in await refusal(center, "agent_consult", agent="alice", colleague="bob")
    assert "alice has the caller already" in await refusal(center, "agent_consult", agent="alice", colleague="alice")
    assert "no agent 'zoe'" in await refusal(center, "agent_consult", agent="alice", colleague="zoe")
    assert "one of them" in await refusal(center, "agent_consult", agent="alice")
    assert "one of them" in await refusal(center, "agent_transfer", agent="alice", queue="support", colleague="bob")
    await center.agent_ready("bob")
    assert (await ask(center, "agent_consult", agent="alice", colleague="bob"))["state"] == "talking"
    assert "nobody has answered yet" in await refusal(center, "agent_conference", agent="alice")
    await center.pass_time(3)
    assert center.together() == {frozenset({"phone-of-alice", "phone-of-bob"}), frozenset({caller})}
    assert "alice is consulting already" in await refusal(center, "agent_transfer", agent="alice", queue="support")
    assert "bob is being consulted; the caller is alice's" in await refusal(center, "agent_transfer", agent="bob", queue="support")
    await ask(center, "agent_swap", agent="alice")
    await center.pass_time(1)
    assert center.together() == {frozenset({caller, "phone-of-alice"}), frozenset({"phone-of-bob"})}
    await ask(center, "agent_conference", agent="alice")
    await center.pass_time(1)
    assert center.together() == {frozenset({caller, "phone-of-alice", "phone-of-bob"})}
    assert (await ask(center, "agent_complete", agent="alice"))["state"] == "wrap_up"
    await center.pass_time(1)
    assert center.together() == {frozenset({caller, "phone-of-bob"})}


@in_virtual_time
async def test_what_cannot_be(center: VirtualCenter) -> None:
    assert "no agent 'zoe'; agents: alice, bob" in await refusal(center, "agent_ready", agent="zoe")
    assert "log in first" in await refusal(center, "agent_ready", agent="alice")
    assert "'agent' is missing" in await refusal(center, "agent_ready")
    assert "'agent' is missing" in await refusal(center, "agent_ready", agent=["alice"])
    assert "'agent' is missing" in await refusal(center, "agent_ready", agent="a" * 201)
    assert "no operation 'fly'" in await refusal(center, "fly")
    assert "no operation 'None'" in await refusal(center, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("reason", ["a b", "x\ny", "x" * 41, "<b>", "../x", "missed_offer"])
@in_virtual_time(seeds=[None])
async def test_a_reason_is_one_of_those_configured(center: VirtualCenter, reason: str) -> None:
    await ask(center, "agent_login", agent="alice")
    asked = await refusal(center, "agent_not_ready", agent="alice", reason=reason)
    assert asked.endswith("is not a reason to be not ready; there are: break, lunch, meeting, training")


@in_virtual_time(seeds=[None])
async def test_wrap_up_over_the_control_socket(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    assert "is not in wrap-up" in await refusal(center, "agent_wrap_up_end", agent="alice")
    assert "no contact" in await refusal(center, "agent_disposition", agent="alice", disposition="sale")
    caller = center.calls()
    await center.pass_time(3)
    center.pbx.party_hangs_up(caller)
    await center.pass_time(1)
    assert "allows no extension" in await refusal(center, "agent_extend", agent="alice")
    assert "no disposition 'sale'; there are: none" in await refusal(center, "agent_disposition", agent="alice", disposition="sale")
    assert (await ask(center, "agent_wrap_up_end", agent="alice"))["state"] == "ready"


@in_virtual_time
async def test_the_state_of_everything(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    center.calls(caller="+12025550101")
    center.calls(caller="+12025550102")
    await center.pass_time(3)
    state = json.loads(json.dumps(await ask(center, "state")))
    assert state["seq"] == len(center.journal.records)
    assert [(node["name"], node["connected"]) for node in state["nodes"]] == [("node1", True)]
    assert {call["caller"]: call["phase"] for call in state["calls"]} == {"+12025550101": "talking", "+12025550102": "waiting"}
    (queue,) = state["queues"]
    assert (queue["waiting"], queue["ready"], queue["logged_in"]) == (1, 0, 1)
    assert [agent["state"] for agent in state["agents"]] == [f.AgentState.TALKING, f.AgentState.LOGGED_OUT]


@in_virtual_time
async def test_a_file_that_cannot_be_used_changes_nothing(center: VirtualCenter) -> None:
    assert await ask(center, "reload") == {"ok": True, "detail": "nothing to reload"}
    with pytest.raises(ControlError, match="queue"):
        await Desk(center.engine, center.clock, _broken_file).handle({"do": "reload"})


@in_virtual_time
async def test_a_contact_that_waits_is_explained(center: VirtualCenter) -> None:
    center.calls()
    await center.pass_time(3)
    (contact,) = center.engine.center.state.contacts
    explained = await ask(center, "explain", contact=contact[:8])
    assert explained["contact"] == contact
    assert explained["waited"] == 3
    assert {"agent": "alice", "why": "is logged out"} in explained["others"]  # type: ignore[operator]
    json.dumps(explained)
    assert "no contact that waits begins with 'nobody'" in await refusal(center, "explain", contact="nobody")


@in_virtual_time
async def test_an_agents_own_figures_of_today(center: VirtualCenter) -> None:
    assert "there is no agent 'nobody'" in await refusal(center, "agent_figures", agent="nobody")
    assert (await ask(center, "agent_figures", agent="alice"))["contacts"] == 0
    await center.agent_ready("alice")
    await center.pass_time(30)
    center.calls()
    await center.pass_time(12)  # two seconds of ringing, ten of talk
    figures = await ask(center, "agent_figures", agent="alice")
    assert (figures["contacts"], figures["aht_s"]) == (0, None)
    assert figures["occupancy"] == pytest.approx(10 / 42, abs=0.01)
