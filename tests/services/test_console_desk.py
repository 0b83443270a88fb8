"""What a console asks about the contact before her, and what it is refused."""

import pytest

from callcenter.domain import facts as f
from callcenter.services.control import ControlError, Json
from callcenter.services.desk import Desk
from tests.support.virtual import VirtualCenter, in_virtual_time


async def _nothing_to_reload() -> str:
    return ""


async def ask(center: VirtualCenter, do: str, **fields: Json) -> dict[str, object]:
    return dict(await Desk(center.engine, center.clock, _nothing_to_reload).handle({"do": do, **fields}))


async def refusal(center: VirtualCenter, do: str, **fields: Json) -> str:
    with pytest.raises(ControlError) as refused:
        await ask(center, do, **fields)
    return str(refused.value)


FIGURES: dict[str, Json] = {
    "received": 500,
    "lost": 1,
    "jitter_ms": 2.5,
    "rtt_ms": 40,
    "worst_loss": 0.5,
    "worst_jitter_ms": 9,
    "worst_rtt_ms": 80,
}


@in_virtual_time()
async def test_what_is_written_is_a_fact(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    center.calls()
    await center.pass_time(5)
    contact = center.agent("alice").contact
    await ask(center, "agent_note", agent="alice", contact=contact, note="two\r\nlines\x00\u202e \ud800")
    await ask(center, "agent_script", agent="alice", contact=contact, script="sale", answers={"plan": "gold"}, done=True)
    await ask(center, "agent_quality", agent="alice", contact=contact, **FIGURES)
    assert [fact.note for fact in center.kept(f.ContactNoted)] == ["two\nlines "]
    assert [(fact.fields, fact.answers, fact.done) for fact in center.kept(f.ScriptFilled)] == [(("plan",), ("gold",), True)]
    assert [(fact.received, fact.rtt_ms) for fact in center.kept(f.TalkMeasured)] == [(500, 40.0)]


@in_virtual_time()
async def test_what_does_not_fit_is_refused_with_a_sentence(center: VirtualCenter) -> None:
    agent: dict[str, Json] = {"agent": "alice", "contact": "c"}
    assert "not alice's" in await refusal(center, "agent_note", **agent, note="")
    assert "'note' must be a text" in await refusal(center, "agent_note", **agent, note=7)
    assert "'note' must be a text" in await refusal(center, "agent_note", **agent, note="x" * 30_000)
    assert "'contact' is missing" in await refusal(center, "agent_note", agent="alice", note="")
    assert "'answers' must be" in await refusal(center, "agent_script", **agent, script="s", answers=["a"])
    assert "'answers.a' must be a text" in await refusal(center, "agent_script", **agent, script="s", answers={"a": 1})
    for name, wrong in (("received", -1), ("lost", True), ("worst_loss", 1.5), ("rtt_ms", "40")):
        assert f"'{name}' must be a number" in await refusal(center, "agent_quality", **agent, **{**FIGURES, name: wrong})
    assert "on her desk" in await refusal(center, "agent_resume", agent="alice")
    assert "no agent" in await refusal(center, "agent_resume", agent="mallory")
