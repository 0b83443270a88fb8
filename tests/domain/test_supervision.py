"""Supervisors in others' contacts: who hears whom in every mode, and that agent and caller go on whatever becomes of the supervisor."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.books import call_touched, fold_call
from callcenter.domain.center import Center
from callcenter.domain.config import AgentConfig, CenterConfig, QueueConfig, SupervisorConfig
from callcenter.domain.facts import AgentState, SupervisionMode, SupervisionTold
from callcenter.domain.folds import FOLDS
from callcenter.domain.ids import Ids
from callcenter.domain.machine import IllegalTransition
from callcenter.domain.state import State
from callcenter.domain.supervision import CALLING, SUPERVISION_MOVES, SupervisionState
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

LISTEN, WHISPER, BARGE, TAKE_OVER = SupervisionMode
CALLER, ALICE, SAM = "carrier", "phone-of-alice", "phone-of-sam"
EXTENSIONS = {"alice": "200", "bob": "201", "sam": "209"}


def config(**queue: object) -> CenterConfig:
    center = small_center((replace(QueueConfig("support"), **queue), QueueConfig("sales")), ("alice", "bob"))  # type: ignore[arg-type]
    people = {**center.agents, "sam": AgentConfig("sam", SAM), "tess": AgentConfig("tess", "phone-of-tess")}
    agents = {name: replace(agent, extension=EXTENSIONS.get(name, "")) for name, agent in people.items()}
    supervisors = {name: SupervisorConfig(name, ("support",)) for name in ("sam", "tess")}
    return replace(center, agents=agents, supervisors=supervisors)


class Floor:
    """alice talks to a caller."""

    def __init__(self, **queue: object) -> None:
        self.world = World(config(**queue))
        self.caller = self.world.caller_arrives()
        self.world.agent_ready("alice")
        self.world.run_for(5)
        assert self.world.talking() == {"alice": self.caller}

    def asks(self, event: e.Event) -> str:
        """Returns the refusal; empty: done."""
        before = len(self.world.refusals)
        self.world.tell(event)
        return " ".join(self.world.refusals[before:])

    def begins(self, mode: SupervisionMode = LISTEN, supervisor: str = "sam", *, stay: bool = False) -> str:
        refusal = self.asks(e.SupervisionRequested(supervisor, "alice", mode, stay, reason="coaching", by="sam@desk"))
        self.world.run_for(3)
        return refusal

    def switches(self, mode: SupervisionMode) -> str:
        return self.asks(e.SupervisionSwitchRequested("sam", mode))

    def heard(self) -> dict[str, set[str]]:
        """From each party to those it hears."""
        pbx = self.world.pbx
        legs = [leg for leg, channel in pbx.channels.items() if not channel.spies_on]
        return {pbx.channels[leg].endpoint: {pbx.channels[other].endpoint for other in pbx.hears(leg)} for leg in legs}

    def leg(self, endpoint: str) -> str:
        return next(channel.id for channel in self.world.pbx.channels.values() if channel.endpoint == endpoint)

    def of(self, kind: type) -> list:  # type: ignore[type-arg]
        return [fact for fact in self.world.facts if isinstance(fact, kind)]

    def all_is_over(self) -> None:
        for leg in list(self.world.pbx.channels):
            self.world.pbx.party_hangs_up(leg)
        self.world.run_for(60)
        state = self.world.center.state
        assert (self.world.pbx.channels, self.world.pbx.bridges, self.world.faults) == ({}, {}, [])
        assert (state.calls, state.supervising, state.supervised, state.snoops) == ({}, {}, {}, {})


HEARD = {
    LISTEN: {CALLER: {ALICE}, ALICE: {CALLER}, SAM: {CALLER, ALICE}},
    WHISPER: {CALLER: {ALICE}, ALICE: {CALLER, SAM}, SAM: {CALLER, ALICE}},
    BARGE: {CALLER: {ALICE, SAM}, ALICE: {CALLER, SAM}, SAM: {CALLER, ALICE}},
    TAKE_OVER: {CALLER: {SAM}, SAM: {CALLER}},
}


@pytest.mark.parametrize("mode", SupervisionMode)
def test_who_hears_whom_from_the_beginning(mode: SupervisionMode) -> None:
    floor = Floor()
    assert floor.begins(mode) == ""
    assert floor.heard() == HEARD[mode]
    floor.all_is_over()


@pytest.mark.parametrize(("first", "second"), [pair for pair in product(SupervisionMode, repeat=2) if pair[0] is not TAKE_OVER])
def test_who_hears_whom_after_every_switch(first: SupervisionMode, second: SupervisionMode) -> None:
    floor = Floor()
    floor.begins(first)
    assert floor.switches(second) == ""
    assert floor.heard() == HEARD[second]
    snoops = [channel.id for channel in floor.world.pbx.channels.values() if channel.spies_on]
    assert len(snoops) == (1 if second in (LISTEN, WHISPER) else 0)
    assert len([members for members in floor.world.pbx.bridges.values() if members]) == len(floor.world.pbx.bridges)
    floor.all_is_over()


def test_taken_over_is_a_transfer_in_the_books_and_the_agent_wraps_up() -> None:
    floor = Floor()
    floor.begins()
    floor.world.run_for(10)
    floor.switches(TAKE_OVER)
    assert floor.world.agent("alice").state is AgentState.WRAP_UP
    assert floor.world.agent("sam").state is AgentState.TALKING
    floor.world.run_for(7)
    floor.world.pbx.party_hangs_up(floor.caller)
    floor.world.run_for(30)
    assert floor.world.agent("sam").state is AgentState.LOGGED_OUT
    (call,) = {fact.call for fact in floor.of(f.ContactEntered)}
    books = fold_call(fact for fact in floor.world.facts if call_touched(fact) == call)
    assert [(contact.agent, contact.why) for contact in books.contacts] == [("alice", "transferred"), ("sam", "caller_hung_up")]
    assert books.contacts[1].talk is not None
    assert books.contacts[1].talk.total_seconds() == 7
    assert [recording.agent for recording in books.recordings] == ["alice", "sam"]
    floor.all_is_over()


@pytest.mark.parametrize("mode", [LISTEN, WHISPER, BARGE])
@pytest.mark.parametrize("cause", [e.Cause.NORMAL, e.Cause.LOST])
def test_a_supervisor_who_goes_leaves_nothing_behind(mode: SupervisionMode, cause: e.Cause) -> None:
    floor = Floor()
    floor.begins(mode)
    floor.world.pbx.party_hangs_up(floor.leg(SAM), cause)
    assert floor.heard() == {CALLER: {ALICE}, ALICE: {CALLER}}
    assert len(floor.world.pbx.channels) == 2
    assert len(floor.world.pbx.bridges) == 1
    (ended,) = floor.of(f.SupervisionEnded)
    assert ended.why == ("supervisor_hung_up" if cause is e.Cause.NORMAL else "supervisor_lost")
    floor.all_is_over()


@pytest.mark.parametrize("leaves", [CALLER, ALICE])
@pytest.mark.parametrize("mode", [LISTEN, WHISPER, BARGE])
def test_with_the_contact_it_is_over(mode: SupervisionMode, leaves: str) -> None:
    floor = Floor()
    floor.begins(mode)
    floor.world.pbx.party_hangs_up(floor.leg(leaves))
    floor.world.run_for(1)
    assert floor.of(f.SupervisionEnded)[0].why == "contact_ended"
    floor.all_is_over()


@pytest.mark.parametrize("mode", [LISTEN, WHISPER, BARGE])
def test_who_stays_hears_the_next_contact_and_only_hears_it(mode: SupervisionMode) -> None:
    floor = Floor()
    floor.begins(mode, stay=True)
    floor.world.pbx.party_hangs_up(floor.caller)
    floor.world.run_for(1)
    assert floor.heard() == {SAM: set()}
    assert floor.switches(WHISPER) == "alice has no caller at the moment"
    floor.caller = floor.world.caller_arrives(caller="+12025550199")
    floor.world.run_for(20)
    assert floor.heard() == HEARD[LISTEN]
    floor.all_is_over()


def test_who_stays_hears_no_contact_of_other_queues() -> None:
    floor = Floor()
    floor.begins(stay=True)
    floor.world.pbx.party_hangs_up(floor.caller)
    floor.world.caller_arrives("sales")
    floor.world.run_for(20)
    assert floor.heard() == {CALLER: {ALICE}, ALICE: {CALLER}, SAM: set()}
    floor.world.tell(e.AgentLogoutRequested("alice"))
    floor.world.pbx.party_hangs_up(floor.leg(CALLER))
    floor.world.run_for(20)
    assert floor.of(f.SupervisionEnded)[0].why == "contact_ended"
    floor.all_is_over()


def test_waiting_for_the_first_contact() -> None:
    world = World(config())
    world.agent_ready("alice")
    world.tell(e.SupervisionRequested("sam", "alice", LISTEN))
    assert world.refusals == ["alice is not talking to a caller"]
    world.tell(e.SupervisionRequested("sam", "alice", WHISPER, stay=True))
    world.run_for(5)
    world.caller_arrives()
    world.run_for(5)
    assert [turned.mode for turned in world.facts if isinstance(turned, f.SupervisionTurned)] == [LISTEN, LISTEN]


@pytest.mark.parametrize("told", SupervisionTold)
def test_who_is_told_by_the_policy_of_the_queue(told: SupervisionTold) -> None:
    floor = Floor(supervision_told=told)
    floor.begins()
    floor.switches(WHISPER)
    heard = {channel.endpoint: channel.heard.count("supervisor-listens") for channel in floor.world.pbx.channels.values()}
    assert heard[ALICE] == (told is not SupervisionTold.NOBODY)
    assert heard[CALLER] == (told is SupervisionTold.BOTH)
    assert [turned.told for turned in floor.of(f.SupervisionTurned)] == [told, SupervisionTold.NOBODY]


REFUSED = {
    "sam is no supervisor": lambda: e.SupervisionRequested("bob", "alice", LISTEN),
    "there is no agent 'zoe'": lambda: e.SupervisionRequested("sam", "zoe", LISTEN),
    "sam cannot supervise herself": lambda: e.SupervisionRequested("sam", "sam", LISTEN),
    "tess is a supervisor": lambda: e.SupervisionRequested("sam", "tess", LISTEN),
    "bob is not talking": lambda: e.SupervisionRequested("sam", "bob", LISTEN),
    "bob is logged out": lambda: e.SupervisionRequested("sam", "bob", LISTEN, stay=True),
    "sam supervises nobody": lambda: e.SupervisionSwitchRequested("sam", BARGE),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_refused_and_why(sentence: str) -> None:
    floor = Floor()
    wanted = sentence.replace("sam is no", "bob is no")
    assert wanted in floor.asks(REFUSED[sentence]())
    assert floor.heard() == {CALLER: {ALICE}, ALICE: {CALLER}}


def test_contacts_of_other_queues_are_no_matter_of_hers() -> None:
    world = World(config())
    world.caller_arrives("sales")
    world.agent_ready("alice")
    world.run_for(5)
    world.tell(e.SupervisionRequested("sam", "alice", LISTEN))
    assert world.refusals == ["sam may not hear contacts of queue 'sales'; sam's queues: support"]


def test_who_asks_listens_within_her_own_queues_also_to_contacts_to_come() -> None:
    floor = Floor()
    wanted = e.SupervisionRequested("sam", "alice", LISTEN, stay=True, by="sid", within=("sales",))
    assert floor.asks(wanted) == "sam may not hear contacts of queue 'support'; sam's queues: none"
    floor.world.tell(e.ConfigChanged(replace(config(), supervisors={"sam": SupervisorConfig("sam", ("*",))})))
    assert floor.asks(wanted) == "sam may not hear contacts of queue 'support'; sam's queues: sales"
    assert floor.asks(replace(wanted, within=("support",))) == ""
    floor.world.run_for(3)
    assert floor.heard() == HEARD[LISTEN]
    floor.world.pbx.party_hangs_up(floor.caller)
    floor.world.caller_arrives("sales")
    floor.world.run_for(20)
    assert floor.heard() == {CALLER: {ALICE}, ALICE: {CALLER}, SAM: set()}, "sales is sam's, and not of who asked"
    floor.all_is_over()


def test_a_double_click_and_two_supervisors() -> None:
    floor = Floor()
    assert floor.begins() == ""
    assert floor.begins() == "sam supervises alice already; switch or end that"
    assert floor.begins(WHISPER, "tess") == ""
    assert floor.heard()[ALICE] == {CALLER, "phone-of-tess"}
    assert floor.heard()[CALLER] == {ALICE}
    assert floor.switches(LISTEN) == floor.switches(LISTEN) == ""
    assert floor.switches(TAKE_OVER) == ""
    assert floor.switches(TAKE_OVER) == "sam supervises nobody"
    assert "is not talking" in floor.asks(e.SupervisionRequested("tess", "alice", TAKE_OVER))
    assert floor.heard() == HEARD[TAKE_OVER]
    floor.all_is_over()


def test_nobody_is_between_agent_and_caller_while_the_caller_pays_or_waits_for_a_consult() -> None:
    floor = Floor()
    floor.world.agent_ready("bob")
    floor.begins(BARGE)
    floor.world.tell(e.ConsultRequested("alice", colleague="bob"))
    floor.world.run_for(5)
    assert floor.heard() == {CALLER: set(), ALICE: {"phone-of-bob"}, "phone-of-bob": {ALICE}, SAM: {ALICE, "phone-of-bob"}}
    assert "is in a consult" in floor.switches(BARGE)
    floor.world.tell(e.CompleteRequested("alice"))
    floor.world.run_for(5)
    assert floor.of(f.SupervisionEnded)[0].why == "contact_ended"
    floor.all_is_over()


def test_by_the_keys_of_a_phone() -> None:
    floor = Floor()
    leg = floor.world.pbx.dial_from_phone(SAM, "*44200")
    assert floor.heard() == HEARD[LISTEN]
    for key, mode in (("5", WHISPER), ("6", BARGE), ("4", LISTEN), ("9", LISTEN), ("7", TAKE_OVER)):
        floor.world.pbx.party_presses(leg, key)
        assert floor.heard() == HEARD[mode], key
    said = [prompt for prompt in floor.world.pbx.channels[leg].heard if prompt != "bridge"]
    assert said == ["you-listen", "you-whisper", "you-are-in-the-call", "you-listen", "the-caller-is-yours"]
    floor.all_is_over()


@pytest.mark.parametrize("dialed", ["*44999", "*44", "*44209", "*44201"])
def test_what_cannot_be_heard_is_said_to_be_impossible(dialed: str) -> None:
    floor = Floor()
    leg = floor.world.pbx.dial_from_phone(SAM, dialed)
    assert "not-possible" in floor.world.pbx.channels[leg].heard
    floor.all_is_over()


def test_the_star_key_ends_it() -> None:
    floor = Floor()
    leg = floor.world.pbx.dial_from_phone(SAM, "*45200")
    floor.world.pbx.party_presses(leg, "*")
    assert floor.heard() == {CALLER: {ALICE}, ALICE: {CALLER}}
    floor.all_is_over()


def test_who_supervises_is_offered_nothing_and_then_is_what_she_was() -> None:
    world = World(replace(config(), agents={**config().agents, "sam": AgentConfig("sam", SAM, ("support",))}))
    world.agent_ready("alice")
    world.caller_arrives()
    world.run_for(5)
    world.agent_ready("sam")
    world.tell(e.SupervisionRequested("sam", "alice", LISTEN))
    world.run_for(5)
    waits = world.caller_arrives(caller="+12025550177")
    world.tell(e.AgentReadyRequested("sam"))
    assert (world.agent("sam").state, world.agent("sam").reason) == (AgentState.NOT_READY, "supervising")
    assert world.waiting() == [waits]
    world.tell(e.SupervisionEndRequested("sam"))
    assert world.agent("sam").state is AgentState.RESERVED


@pytest.mark.parametrize("mood", [Mood.BUSY, Mood.DECLINES, Mood.RINGS_ON, Mood.UNREACHABLE])
def test_a_phone_that_is_not_answered(mood: Mood) -> None:
    floor = Floor()
    floor.world.pbx.phones[SAM] = Phone(mood)
    floor.begins(BARGE)
    floor.world.run_for(40)
    assert floor.of(f.SupervisionEnded)[0].why == "not_answered"
    assert floor.heard() == {CALLER: {ALICE}, ALICE: {CALLER}}
    floor.all_is_over()


def test_rights_that_are_taken_away_end_it() -> None:
    floor = Floor()
    floor.begins()
    floor.world.tell(e.ConfigChanged(replace(floor.world.config, supervisors={})))
    assert floor.of(f.SupervisionEnded)[0].why == "not_allowed"
    assert floor.heard() == {CALLER: {ALICE}, ALICE: {CALLER}}


def test_an_ear_that_the_pbx_has_lost_is_made_anew_once() -> None:
    floor = Floor()
    floor.begins(WHISPER)
    for _ in range(2):
        assert floor.heard() == HEARD[WHISPER]
        floor.world.pbx.party_hangs_up(next(channel.id for channel in floor.world.pbx.channels.values() if channel.spies_on))
    assert floor.of(f.SupervisionEnded)[0].why == "not_possible"
    floor.all_is_over()


def _restored(floor: Floor, how: Callable[[Floor], list[f.Fact]]) -> Center:
    return Center.restore(floor.world.config, Ids("again"), how(floor))


@pytest.mark.parametrize("mode", SupervisionMode)
@pytest.mark.parametrize("how", [lambda floor: floor.world.facts, lambda floor: list(floor.world.center.checkpoint())])
def test_restored_equals_live(mode: SupervisionMode, how: Callable[[Floor], list[f.Fact]]) -> None:
    floor = Floor()
    floor.begins(mode)
    live, restored = floor.world.center.state, _restored(floor, how).state
    assert restored.calls.keys() == live.calls.keys()
    assert {name: call.supervision for name, call in restored.calls.items()} == {
        name: call.supervision for name, call in live.calls.items()
    }
    assert {leg: call.id for leg, call in restored.legs.items()} == {leg: call.id for leg, call in live.legs.items()}
    assert restored.supervising.keys() == live.supervising.keys()
    assert restored.snoops.keys() == live.snoops.keys()


@pytest.mark.parametrize(("state", "target"), product(SupervisionState, SupervisionState))
def test_the_table_is_kept(state: SupervisionState, target: SupervisionState) -> None:
    if target is CALLING:
        return
    floor = Floor()
    floor.begins()
    center: State = floor.world.center.state
    (call,) = center.supervising.values()
    assert call.supervision is not None
    call.supervision.state = state
    turned = {SupervisionState.LISTENING: LISTEN, SupervisionState.WHISPERING: WHISPER, SupervisionState.BARGED: BARGE}
    fact: f.Fact
    if target is SupervisionState.ENDED:
        fact = f.SupervisionEnded(center.at, call.id, "sam", "alice", "", "", f.SupervisionEndedWhy.ASKED)  # type: ignore[arg-type]
    else:
        mode = turned.get(target, TAKE_OVER)
        fact = f.SupervisionTurned(center.at, call.id, "sam", "alice", "", "", mode, f.TurnedWhy.ASKED, "", "", "")  # type: ignore[arg-type]
    if target in SUPERVISION_MOVES[state]:
        FOLDS[type(fact)](center, fact)
    else:
        with pytest.raises(IllegalTransition):
            FOLDS[type(fact)](center, fact)
