"""After the talk: the server's timer, one extension, a required disposition, and what was asked for meanwhile."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.books import fold_call
from callcenter.domain.config import DispositionRule, QueueConfig
from callcenter.domain.events import Event
from callcenter.domain.facts import AgentState
from callcenter.sim.world import World, small_center

SALE = DispositionRule(("sale", "no_sale"), required=True, on_timeout="not_given", then_not_ready="meeting")
PHONE = "phone-of-alice"


def world_in_wrap_up(dispositions: DispositionRule = SALE, extension: float = 20, in_talk: Sequence[Event] = ()) -> World:
    """Alice has talked to a caller, asked for something in the middle of it, and wraps up for 30 s."""
    rule = QueueConfig("support", wrap_up=timedelta(seconds=30), wrap_up_extension=timedelta(seconds=extension), dispositions=dispositions)
    world = World(small_center([rule], ["alice"]))
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(5)
    for event in in_talk:
        world.tell(event)
    world.pbx.party_hangs_up(caller)
    assert world.agent("alice").state is AgentState.WRAP_UP
    return world


def states(world: World) -> list[str]:
    changes = [fact for fact in world.facts if isinstance(fact, f.AgentStateChanged)]
    return [f"{fact.state} {fact.reason}".strip() for fact in changes]


def given(world: World) -> list[tuple[str, str]]:
    return [(fact.disposition, fact.by.value) for fact in world.facts if isinstance(fact, f.DispositionGiven)]


def test_wrap_up_ends_when_the_agent_says_so() -> None:
    world = world_in_wrap_up(DispositionRule())
    world.run_for(4)
    world.tell(e.WrapUpEndRequested("alice"))
    assert world.agent("alice").state is AgentState.READY
    assert next(fact.wrap_up for fact in world.facts if isinstance(fact, f.ContactEnded)) == timedelta(seconds=4)


@pytest.mark.parametrize("asked", [e.WrapUpEndRequested("alice"), e.AgentReadyRequested("alice")])
def test_wrap_up_does_not_end_by_her_wish_without_a_required_disposition(asked: Event) -> None:
    world = world_in_wrap_up()
    world.tell(asked)
    assert world.agent("alice").state is AgentState.WRAP_UP
    assert world.refusals == ["queue 'support' wants a disposition before alice's wrap-up ends; choose one of: sale, no_sale"]
    world.tell(e.DispositionChosen("alice", "no_sale"))
    world.tell(e.DispositionChosen("alice", "sale"))
    world.tell(asked)
    assert world.agent("alice").state is AgentState.READY
    assert given(world) == [("no_sale", "agent"), ("sale", "agent")]


def test_what_was_given_in_mid_talk_counts() -> None:
    world = world_in_wrap_up(in_talk=[e.DispositionChosen("alice", "sale")])
    world.tell(e.WrapUpEndRequested("alice"))
    assert world.agent("alice").state is AgentState.READY


def test_a_disposition_the_queue_does_not_know_is_refused() -> None:
    world = world_in_wrap_up(in_talk=[e.DispositionChosen("alice", "profit")])
    assert world.refusals == ["queue 'support' has no disposition 'profit'; there are: sale, no_sale"]
    assert given(world) == []


def test_without_a_contact_there_is_nothing_to_dispose_of() -> None:
    world = world_in_wrap_up(DispositionRule(("sale",)))
    world.tell(e.WrapUpEndRequested("alice"))
    world.tell(e.DispositionChosen("alice", "sale"))
    assert world.refusals == ["alice has no contact to give a disposition to"]


def test_when_the_time_is_up_the_missing_disposition_is_noted_and_she_is_not_ready() -> None:
    world = world_in_wrap_up()
    world.run_for(30)
    assert (world.agent("alice").state, world.agent("alice").reason) == (AgentState.NOT_READY, "meeting")
    assert given(world) == [("not_given", "time_out")]


def test_who_gave_one_is_ready_when_the_time_is_up() -> None:
    world = world_in_wrap_up()
    world.tell(e.DispositionChosen("alice", "sale"))
    world.run_for(30)
    assert world.agent("alice").state is AgentState.READY
    assert given(world) == [("sale", "agent")]


def test_one_extension_and_no_second() -> None:
    world = world_in_wrap_up(DispositionRule())
    world.tell(e.WrapUpExtensionRequested("alice"))
    world.tell(e.WrapUpExtensionRequested("alice"))
    assert world.refusals == ["alice has extended this wrap-up already; once is allowed"]
    world.run_for(49)
    world.crash_and_restore()
    assert world.agent("alice").state is AgentState.WRAP_UP
    world.run_for(1)
    assert world.agent("alice").state is AgentState.READY
    assert states(world).count("ready") == 2


def test_a_new_contact_may_be_extended_again() -> None:
    world = world_in_wrap_up(DispositionRule())
    world.tell(e.WrapUpExtensionRequested("alice"))
    world.run_for(50)
    caller = world.caller_arrives()
    world.run_for(5)
    world.pbx.party_hangs_up(caller)
    world.tell(e.WrapUpExtensionRequested("alice"))
    assert world.refusals == []
    assert world.agent("alice").until == world.now + timedelta(seconds=50)


@pytest.mark.parametrize("where", ["ready", "no extension"])
def test_there_is_no_extension_of_nothing(where: str) -> None:
    world = world_in_wrap_up(DispositionRule(), extension=0)
    if where == "ready":
        world.tell(e.WrapUpEndRequested("alice"))
    world.tell(e.WrapUpExtensionRequested("alice"))
    why = {"ready": "alice is not in wrap-up, so there is none to extend", "no extension": "queue 'support' allows no extension of wrap-up"}
    assert world.refusals == [why[where]]


BREAK, LOGOUT = e.AgentNotReadyRequested("alice", "break"), e.AgentLogoutRequested("alice")


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("end", ["by time", "by her"])
@pytest.mark.parametrize(
    ("asked", "then"),
    [
        ([], "ready"),
        ([BREAK], "not_ready break"),
        ([e.AgentNotReadyRequested("alice", "lunch"), BREAK], "not_ready break"),
        ([LOGOUT], "logged_out"),
        ([BREAK, LOGOUT], "logged_out"),
        ([LOGOUT, e.AgentReadyRequested("alice")], "ready"),
        ([BREAK, e.AgentReadyRequested("alice")], "ready"),
    ],
)
def test_what_was_asked_for_in_mid_talk_is_obeyed_after_wrap_up(asked: Sequence[Event], then: str, end: str, required: bool) -> None:
    rule = SALE if required else DispositionRule(("sale",))
    world = world_in_wrap_up(rule, in_talk=[*asked, e.DispositionChosen("alice", "sale")])
    world.crash_and_restore()
    if end == "by her":
        world.tell(e.WrapUpEndRequested("alice"))
    else:
        world.run_for(30)
    assert states(world)[-2:] == ["wrap_up", then]


@pytest.mark.parametrize(("asked", "then"), [(BREAK, "not_ready break"), (LOGOUT, "logged_out")])
def test_what_is_asked_for_in_a_wrap_up_that_may_not_end_is_obeyed_after_it(asked: Event, then: str) -> None:
    world = world_in_wrap_up()
    world.tell(asked)
    assert states(world)[-1] == "wrap_up"
    world.run_for(30)
    assert states(world)[-1] == then
    assert given(world) == [("not_given", "time_out")]


def test_a_removed_agent_who_owes_a_disposition_leaves_when_the_time_is_up() -> None:
    world = world_in_wrap_up()
    world.tell(e.ConfigChanged(small_center([world.config.queues["support"]], ["bob"])))
    assert world.agent("alice").state is AgentState.WRAP_UP
    world.run_for(30)
    assert states(world)[-1] == "logged_out"
    assert "alice" not in world.center.state.agents


def test_all_of_it_from_a_plain_desk_phone() -> None:
    world = world_in_wrap_up()

    def dials(code: str) -> list[str]:
        leg = world.pbx.dial_from_phone(PHONE, code)
        heard = world.pbx.channels[leg].heard
        world.run_for(3)
        return heard

    assert dials("*13") == ["not-possible"]
    assert dials("*15") == ["wrap-up-extended"]
    assert dials("*15") == ["not-possible"]
    assert dials("*143") == ["not-possible"]
    assert dials("*14") == ["not-possible"]
    assert dials("*142") == ["disposition-noted"]
    assert given(world) == [("no_sale", "agent")]
    assert dials("*122") == ["you-are-not-ready"]
    assert states(world)[-1] == "not_ready lunch"
    assert dials("*125") == ["not-possible"]
    assert dials("*120") == ["not-possible"]
    assert dials("*11") == ["you-are-ready"]
    assert dials("*111") == ["not-possible"]
    assert world.faults == []


def test_the_books_keep_the_disposition() -> None:
    world = world_in_wrap_up()
    world.run_for(1)
    world.tell(e.DispositionChosen("alice", "sale"))
    books = fold_call(fact for fact in world.facts if getattr(fact, "call", "") or isinstance(fact, f.CallBegan))
    assert books.call is not None
    assert (books.call.disposition, [contact.disposition for contact in books.contacts]) == ("sale", ["sale"])


# --- a log-out that waits, and what is asked for meanwhile ------------------------------------------


LOGOUT = e.AgentLogoutRequested("alice")


@pytest.mark.parametrize("in_talk", [[LOGOUT, e.AgentLoginRequested("alice")], [LOGOUT]], ids=["asked in the talk", "asked in wrap-up"])
def test_a_login_calls_off_the_log_out_that_waits(in_talk: list[Event]) -> None:
    world = world_in_wrap_up(DispositionRule(), in_talk=in_talk)
    world.tell(e.AgentLoginRequested("alice"))
    assert world.agent("alice").state is AgentState.WRAP_UP, "it ends nothing"
    world.run_for(31)
    assert states(world)[-2:] == ["wrap_up", "ready"]
    assert world.faults == []


def test_a_login_leaves_another_wish_as_it_is() -> None:
    world = world_in_wrap_up(DispositionRule(), in_talk=[e.AgentNotReadyRequested("alice", "lunch")])
    world.tell(e.AgentLoginRequested("alice"))
    world.run_for(31)
    assert states(world)[-2:] == ["wrap_up", "not_ready lunch"]


@pytest.mark.parametrize(
    ("asked", "becomes"),
    [
        (e.AgentReadyRequested("alice"), "not_ready meeting"),
        (e.AgentNotReadyRequested("alice", "lunch"), "not_ready lunch"),
        (e.AgentLoginRequested("alice"), "not_ready meeting"),
        (e.WrapUpEndRequested("alice"), "logged_out"),
    ],
    ids=lambda each: getattr(each, "reason", "") or type(each).__name__,
)
def test_the_latest_wish_counts_in_a_wrap_up_that_lacks_a_disposition(asked: Event, becomes: str) -> None:
    """Ready is refused with why, and is her wish all the same; the queue has not ready (meeting) for who lets the time run out."""
    world = world_in_wrap_up(in_talk=[LOGOUT])
    world.tell(asked)
    world.run_for(31)
    assert states(world)[-2:] == ["wrap_up", becomes]
    assert world.faults == []


def test_in_a_call_of_her_own_a_login_calls_the_log_out_off_too() -> None:
    world = World(small_center(agents=["alice", "bob"]))
    world.agent_ready("alice")
    world.agent_ready("bob")
    world.tell(e.AgentDialRequested("alice", colleague="bob"))
    world.run_for(6)
    for asked in (LOGOUT, e.AgentLoginRequested("alice"), e.AgentDialEndRequested("alice")):
        world.tell(asked)
    world.run_for(1)
    assert states(world)[-1] == "ready", "bob"
    alice = world.agent("alice")
    assert (alice.state, alice.reason) == (AgentState.NOT_READY, "login")
