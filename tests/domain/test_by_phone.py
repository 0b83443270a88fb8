"""What is done by phone, and would be in the audit trail from a screen, is told by one fact each: who, what, upon whom, what came of it."""

from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.audit import By, Deed
from callcenter.domain.by_phone import by_of, deed_of
from callcenter.domain.facts import AgentState
from callcenter.sim.world import World, small_center
from tests.domain import test_desk_menu, test_hours_switch, test_voicemail_listening
from tests.domain.test_desk_menu import Menu
from tests.domain.test_hours_switch import PIN
from tests.domain.test_hours_switch import world as hours_world
from tests.domain.test_supervision import SAM, Floor
from tests.domain.test_voicemail_listening import ALICE, SUPPORT, Story

__all__ = ["hours_world"]


def entries(world: World) -> list[tuple[By, Deed]]:
    """As they will be in the trail, when agent sam is the person sam.smith."""
    done = [fact for fact in world.facts if isinstance(fact, f.DoneByPhone)]
    return [(by_of(fact, {"sam": "sam.smith"}), deed_of(fact)) for fact in done]


def told(world: World) -> list[str]:
    return [f"{by.person}: {deed.what} {deed.of}{' refused' * ('refused' in deed.after)}" for by, deed in entries(world)]


def test_a_supervisor_listens_switches_and_takes_over() -> None:
    floor = Floor()
    leg = floor.world.pbx.dial_from_phone(SAM, "*45200")
    for key in "467":
        floor.world.pbx.party_presses(leg, key)
    assert told(floor.world) == ["sam.smith: supervised agent alice"] + 3 * ["sam.smith: supervision_switched supervisor sam"]
    assert [deed.after["mode"] for _, deed in entries(floor.world)] == ["whisper", "listen", "barge", "take_over"]
    by, deed = entries(floor.world)[0]
    assert by == By("sam.smith", "phone of agent sam")
    assert deed.after["happened_at"]
    floor.all_is_over()


@pytest.mark.parametrize("ends", ["key", "hangs up"])
def test_how_a_supervisor_ends_it_by_phone(ends: str) -> None:
    floor = Floor()
    leg = floor.world.pbx.dial_from_phone(SAM, "*44200")
    if ends == "key":
        floor.world.pbx.party_presses(leg, "*")
    else:
        floor.world.pbx.party_hangs_up(leg)
    floor.world.run_for(1)
    assert told(floor.world) == ["sam.smith: supervised agent alice", "sam.smith: supervision_ended supervisor sam"]


def test_what_was_asked_for_at_a_screen_is_no_deed_by_phone() -> None:
    floor = Floor()
    floor.begins()
    floor.asks(e.SupervisionEndRequested("sam"))
    floor.world.tell(e.AgentLogoutRequested("bob"))
    floor.world.run_for(1)
    assert told(floor.world) == []


def test_who_is_refused_has_tried() -> None:
    floor = Floor()
    floor.world.pbx.dial_from_phone("phone-of-bob", "*44200")
    ((by, deed),) = entries(floor.world)
    assert (by, deed.what, deed.of) == (By("bob", "phone of agent bob"), "supervised", "agent alice")
    assert "no supervisor" in str(deed.after["refused"])


def test_star_codes_log_in_and_out_once() -> None:
    world = World(small_center())
    for dialed in ("*11", "*11", "*12", "*25", "*22", "*22"):
        world.pbx.dial_from_phone("phone-of-alice", dialed)
        world.run_for(3)
    assert told(world) == ["alice: logged_in agent alice", "alice: logged_out agent alice"]


def test_the_spoken_menu_logs_in_and_out_and_takes_a_callback() -> None:
    world = World(test_desk_menu.config())
    world.tell(e.CallbackRequested("c1", "support", "+12025550142", due_at=world.now + timedelta(hours=3)))
    menu = Menu(world, "*24")
    menu.heard()
    menu.press("1")
    assert told(world) == ["alice: callback_changed callback c1", "alice: logged_in agent alice"]
    world.agent_ready("bob")
    menu = Menu(world)
    menu.heard()
    menu.press("9")
    assert told(world)[2:] == ["alice: logged_out agent alice"]


def test_a_log_out_that_waits_and_is_called_off_by_phone() -> None:
    floor = Floor()
    for dialed in ("*22", "*25"):
        floor.world.pbx.dial_from_phone("phone-of-alice", dialed)
        floor.world.run_for(3)
    assert told(floor.world) == ["alice: logged_out agent alice", "alice: logged_in agent alice"]
    assert floor.world.agent("alice").state is AgentState.TALKING


def test_hours_are_switched_from_a_desk_phone_and_from_outside(hours_world: World) -> None:
    world = hours_world
    leg = world.pbx.dial_from_phone("phone-of-alice", "*19")
    world.run_for(3)
    for entry in ("1357#", f"{PIN}#", "1", "1"):
        test_hours_switch.press(world, leg, entry)
        world.run_for(4)
    assert told(world) == ["alice: hours_switched calendar main refused", "alice: hours_switched calendar main"]
    assert entries(world)[1][1].after["is_open"] == "False"
    test_hours_switch.dial(world, f"{PIN}#", "1", "1")
    by, deed = entries(world)[2]
    assert (by, deed.what) == (By("+12025550123", "phone"), "hours_switched")
    assert PIN not in str(entries(world))


def test_messages_that_are_heard_by_phone_and_a_callback_that_is_promised_there() -> None:
    story = Story(pin="")
    first, second = story.leave(), story.leave("+12025550177")
    story.dial()
    story.presses("2", then=3)
    story.presses("1", then=3)
    story.presses("4", then=3)
    (created,) = (fact for fact in story.world.facts if isinstance(fact, f.CallbackCreated))
    assert told(story.world) == [
        f"alice: listened message {first}",
        f"alice: listened message {second}",
        f"alice: callback_added callback {created.callback}",
    ]
    assert entries(story.world)[0][1].after["mailbox"] == SUPPORT != ALICE
    assert test_voicemail_listening.PIN not in str(entries(story.world))
