"""What supervisors ask for over the control socket, and the sentences they get when it cannot be."""

import json

import pytest

from callcenter.domain import facts as f
from callcenter.domain.rights import Right, Scope, Signed
from callcenter.services import mandate
from callcenter.services.control import ControlError, Json, JsonObject
from callcenter.services.desk import Desk
from tests.services.test_supervision_killed import config, talk
from tests.support.virtual import VirtualCenter, in_virtual_time


async def _nothing_to_reload() -> str:
    return ""


async def ask(center: VirtualCenter, do: str, **fields: Json) -> dict[str, object]:
    return dict(await Desk(center.engine, center.clock, _nothing_to_reload).handle({"do": do, **fields}))


@in_virtual_time(config=config())
async def test_a_supervision_from_its_beginning_to_its_end(center: VirtualCenter) -> None:
    await talk(center)
    assert await ask(center, "supervise_begin", supervisor="sam", agent="alice", reason="a complaint", by="sue") == {"ok": True}
    await center.pass_time(4)
    state = json.loads(json.dumps(await ask(center, "state")))
    (shown,) = state["supervisions"]
    assert (shown["supervisor"], shown["agent"], shown["state"], shown["reason"], shown["by"]) == (
        *("sam", "alice", "listening", "a complaint", "sue"),
    )
    assert len(state["calls"]) == 1  # the supervisor's leg is no caller's call
    assert (await ask(center, "drain"))["calls"] == 1
    await ask(center, "supervise_switch", supervisor="sam", mode="whisper", by="sue")
    await ask(center, "supervise_end", supervisor="sam", by="sue")
    assert [(turned.mode, turned.by) for turned in center.kept(f.SupervisionTurned)] == [("listen", ""), ("whisper", "sue")]
    assert [(ended.why, ended.by) for ended in center.kept(f.SupervisionEnded)] == [("asked", "sue")]


@in_virtual_time(config=config())
async def test_states_and_callers_and_notices(center: VirtualCenter) -> None:
    await center.agent_ready("alice")
    answer = await ask(center, "agent_force", agent="alice", state="not_ready", reason="meeting", by="sue", why="now")
    assert answer == {"ok": True, "state": "not_ready", "later": None}
    center.calls()
    center.calls(caller="+12025550124")
    await center.pass_time(1)
    contacts = [contact.id for contact in center.engine.center.state.contacts.values()]
    await ask(center, "contact_priority", contact=contacts[1], head=True, by="sue")
    assert center.engine.center.state.queue("support").waiting.in_order() == [contacts[1], contacts[0]]
    await ask(center, "contact_priority", contact=contacts[0], priority=9, by="sue")
    sent = await ask(center, "notice_send", notice="n", text="Two lines\nof text", queues=["support"], by="sue")
    assert sent == {"ok": True, "notice": "n", "agents": ["alice"]}
    (shown,) = json.loads(json.dumps(await ask(center, "notice_list", agent="alice")))["notices"]
    assert (shown["text"], shown["by"], shown["to"], shown["unseen"]) == ("Two lines\nof text", "sue", "queue:support", ["alice"])
    await ask(center, "notice_ack", notice="n", agent="alice")
    assert (await ask(center, "notice_list"))["notices"] == []
    await center.restart()
    assert center.engine.center.state.queue("support").waiting.in_order() == [contacts[1], contacts[0]]


REFUSED: list[tuple[str, dict[str, Json], str]] = [
    (
        "supervise_begin",
        {"supervisor": "sam", "agent": "alice", "mode": "shout"},
        "'mode' must be one of: listen, whisper, barge, take_over",
    ),
    ("supervise_begin", {"supervisor": "sam", "agent": "alice", "stay": "yes"}, "'stay' must be true or false"),
    ("supervise_begin", {"supervisor": "alice", "agent": "sam"}, "alice is no supervisor"),
    ("supervise_begin", {"supervisor": "sam"}, "'agent' is missing"),
    ("supervise_begin", {"supervisor": "sam", "agent": "alice\n"}, "'agent' is missing or no text"),
    ("supervise_switch", {"supervisor": "sam", "mode": "listen"}, "sam supervises nobody"),
    ("supervise_switch", {"supervisor": "sam"}, "'mode' must be one of"),
    ("supervise_switch", {"supervisor": "sam", "mode": ["listen"]}, "'mode' must be one of"),
    ("supervise_end", {"supervisor": "sam"}, "sam supervises nobody"),
    ("agent_force", {"agent": "alice", "state": "talking", "by": "sue"}, "'state' must be one of: ready, not_ready, logged_out"),
    ("agent_force", {"agent": "alice", "state": "not_ready", "by": "sue"}, "'reason' is missing"),
    ("agent_force", {"agent": "alice", "state": "ready"}, "'by' is missing"),
    ("agent_force", {"agent": "zoe", "state": "ready", "by": "sue"}, "there is no agent 'zoe'"),
    ("contact_move", {"contact": "x", "by": "sue"}, "name a queue or an agent"),
    ("contact_move", {"contact": "x", "queue": "a", "agent": "b", "by": "sue"}, "name a queue or an agent"),
    ("contact_move", {"contact": "x", "queue": "support", "by": "sue"}, "there is no contact 'x'"),
    ("contact_priority", {"contact": "x", "by": "sue"}, "give a priority, or head"),
    ("contact_priority", {"contact": "x", "priority": 1, "head": True, "by": "sue"}, "give a priority, or head"),
    ("contact_priority", {"contact": "x", "priority": 10**9, "by": "sue"}, "between -1000 and 1000"),
    ("contact_priority", {"contact": "x", "priority": 1.5, "by": "sue"}, "between -1000 and 1000"),
    ("notice_send", {"text": " ", "by": "sue"}, "'text' is missing"),
    ("notice_send", {"text": "x" * 2001, "by": "sue"}, "'text' is missing, or is no text of at most 2000"),
    ("notice_send", {"text": "\x1b[2J", "by": "sue"}, "'text' is missing"),
    ("notice_send", {"text": "hi"}, "'by' is missing"),
    ("notice_send", {"text": "hi", "by": "sue", "lasts_s": 0}, "'lasts_s' must be"),
    ("notice_send", {"text": "hi", "by": "sue", "lasts_s": float("inf")}, "'lasts_s' must be"),
    ("notice_send", {"text": "hi", "by": "sue", "agents": "alice"}, "'agents' must be a list"),
    ("notice_send", {"text": "hi", "by": "sue", "agents": [1]}, "'agents' must be a list"),
    ("notice_ack", {"notice": "n", "agent": "alice"}, "there is no notice 'n' to alice"),
]


@pytest.mark.parametrize(("do", "fields", "says"), REFUSED)
def test_what_cannot_be_is_refused(do: str, fields: dict[str, Json], says: str) -> None:
    @in_virtual_time(config=config(), seeds=(None,))
    async def story(center: VirtualCenter) -> None:
        with pytest.raises(ControlError) as refused:
            await ask(center, do, **fields)
        assert says in str(refused.value)

    story()


# --- on behalf of a person ------------------------------------------------------------------------------


def signed(*rights: Right, queues: tuple[str, ...] | None = None, agent: str = "") -> JsonObject:
    scope = Scope(queues=None if queues is None else frozenset(queues))
    return mandate.who(Signed("sid", "Sid", rights=frozenset(rights), scope=scope, agent=agent))


NOT_HERS: list[tuple[str, dict[str, Json], JsonObject, str]] = [
    ("agent_force", {"agent": "alice", "state": "ready"}, signed(Right.LISTEN), "needs the right 'force_state'"),
    ("agent_force", {"agent": "alice", "state": "ready"}, signed(Right.FORCE_STATE, queues=("sales",)), "'force_state' there"),
    ("supervise_begin", {"supervisor": "sam", "agent": "alice"}, signed(Right.FORCE_STATE), "needs the right 'listen'"),
    ("supervise_begin", {"supervisor": "sam", "agent": "alice"}, signed(Right.LISTEN, queues=("sales",)), "'listen' there"),
    ("supervise_switch", {"supervisor": "sam", "mode": "barge"}, signed(), "needs the right 'listen'"),
    ("supervise_end", {"supervisor": "sam"}, signed(), "needs the right 'listen'"),
    ("contact_move", {"contact": "x", "queue": "support"}, signed(Right.MOVE_CONTACTS, queues=("sales",)), "'move_contacts' there"),
    ("notice_send", {"text": "hi"}, signed(Right.SEND_NOTICES, queues=("sales",)), "'send_notices' there"),
    ("notice_send", {"text": "hi", "agents": ["alice"]}, signed(Right.SEND_NOTICES, queues=("sales",)), "'send_notices' there"),
    ("notice_send", {"text": "hi", "queues": ["support"]}, signed(Right.SEND_NOTICES, queues=("sales",)), "'send_notices' there"),
    ("calendar_switch", {"calendar": "none"}, signed(Right.SWITCH_HOURS, queues=("sales",)), "'switch_hours' there"),
    ("callback_list", {}, signed(), "needs the right 'handle_callbacks'"),
    ("agent_force", {"agent": "alice", "state": "ready"}, {"person": "sid"}, "'who' must have"),
    ("agent_force", {"agent": "alice", "state": "ready"}, {"person": "", "rights": ["force_state"]}, "'who' must have"),
    ("agent_force", {"agent": "alice", "state": "ready"}, {"person": "sid", "rights": ["no_such_right"]}, "needs the right"),
    ("agent_force", {"agent": "alice", "state": "ready"}, {"person": "sid", "rights": ["force_state"], "queues": "all"}, "lists of names"),
]


@pytest.mark.parametrize(("do", "fields", "who", "says"), NOT_HERS)
def test_the_engine_judges_itself_what_a_person_may(do: str, fields: dict[str, Json], who: JsonObject, says: str) -> None:
    @in_virtual_time(config=config(), seeds=(None,))
    async def story(center: VirtualCenter) -> None:
        with pytest.raises(ControlError) as refused:
            await ask(center, do, **fields, by="somebody else", who=who)
        assert says in str(refused.value)

    story()


@in_virtual_time(config=config(), seeds=(None,))
async def test_what_a_person_may_is_done_in_her_name_and_within_her_queues(center: VirtualCenter) -> None:
    await talk(center)
    who = signed(Right.FORCE_STATE, Right.LISTEN, queues=("support",), agent="sam")
    await ask(center, "agent_force", agent="alice", state="not_ready", reason="meeting", by="somebody else", who=who)
    assert [forced.by for forced in center.kept(f.AgentForced)] == ["sid"]
    await ask(center, "supervise_begin", supervisor="sam", agent="alice", who=who)
    assert [(began.by, began.within) for began in center.kept(f.SupervisionBegan)] == [("sid", ("support",))]
    await ask(center, "supervise_end", supervisor="sam", by="the command line")
    assert [ended.by for ended in center.kept(f.SupervisionEnded)] == ["the command line"], "without who: the machine's own people"
