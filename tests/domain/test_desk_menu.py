"""The spoken menu of a desk phone: what it offers at each moment, and that a key does what was said."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.config import CallbackConfig, CallingConfig, CenterConfig, DispositionRule, QueueConfig
from callcenter.domain.facts import AgentState
from callcenter.domain.ivr.speech import LANGUAGES, Languages
from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.sim.world import World, small_center

SUPPORT = QueueConfig(
    "support",
    wrap_up=timedelta(seconds=60),
    wrap_up_extension=timedelta(seconds=30),
    dispositions=DispositionRule(("solved", "sale/by-phone", "sale/by_mail")),
    callback=CallbackConfig(),
    extension="3001",
)


def config(*queues: QueueConfig) -> CenterConfig:
    plain = small_center(queues or (SUPPORT, QueueConfig("sales", extension="3002")))
    agents = {name: replace(agent, extension=f"200{number}") for number, (name, agent) in enumerate(plain.agents.items(), 1)}
    return replace(plain, agents=agents, calling=CallingConfig(trunk="carrier"))


@pytest.fixture
def world() -> World:
    return World(config())


class Menu:
    """alice at the spoken menu."""

    def __init__(self, world: World, code: str = "*10") -> None:
        self.world = world
        self.leg = world.pbx.dial_from_phone("phone-of-alice", code)
        self.channel = world.pbx.channels[self.leg]
        self._heard = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.world.pbx.party_presses(self.leg, key)

    def heard(self) -> list[str]:
        """Since we last asked."""
        new = self.channel.heard[self._heard :]
        self._heard = len(self.channel.heard)
        return new

    @property
    def is_over(self) -> bool:
        return self.leg not in self.world.pbx.channels


def choices(*pairs: str) -> list[str]:
    """``1:ready`` is "press 1 to be ready"."""
    return [word for key, _, prompt in (pair.partition(":") for pair in pairs) for word in ("desk-press", f"en-{key}", prompt)]


def test_who_is_logged_out_may_log_in_and_hear_her_figures(world: World) -> None:
    menu = Menu(world)
    assert menu.heard() == choices("1:desk-log-in-ready", "2:desk-log-in", "8:desk-figures")
    menu.press("1")
    assert menu.heard() == ["you-are-ready"]
    world.run_for(3)
    assert menu.is_over
    assert world.agent("alice").state is AgentState.READY


def test_a_reason_is_chosen_from_the_list_that_is_said(world: World) -> None:
    world.agent_ready("alice")
    menu = Menu(world)
    menu.press("2")
    menu.heard()
    reasons = [f"reason-{name}" for name in world.config.not_ready_reasons]
    menu.press("0")
    assert menu.heard() == choices(*(f"{number}:{reason}" for number, reason in enumerate(reasons, 1)))
    menu.press("3")
    assert menu.heard() == ["you-are-not-ready"]
    assert (world.agent("alice").state, world.agent("alice").reason) == (AgentState.NOT_READY, "meeting")
    menu.press("#")
    assert menu.heard()[-3:] == ["desk-press", "en-9", "desk-log-out"]
    menu.press("9")
    assert menu.heard() == ["you-are-logged-out"]
    assert world.agent("alice").state is AgentState.LOGGED_OUT


def talk(world: World) -> str:
    world.agent_ready("alice")
    caller = world.caller_arrives()
    world.run_for(3)
    assert world.talking() == {"alice": caller}
    return caller


def wrapped_up(world: World) -> None:
    world.pbx.party_hangs_up(talk(world))
    world.run_for(1)


def test_levels_of_a_disposition_are_chosen_one_after_the_other_and_the_wrap_up_is_ended(world: World) -> None:
    wrapped_up(world)
    menu = Menu(world)
    assert "desk-extend" in menu.heard()
    menu.press("5")
    assert menu.heard() == ["wrap-up-extended"]
    menu.press("#")
    assert "desk-extend" not in menu.heard()
    menu.press("4")
    assert menu.heard() == choices("1:disposition-solved", "2:disposition-sale")
    menu.press("2")
    assert menu.heard() == choices("1:disposition-by-phone", "2:disposition-by-mail")
    menu.press("2")
    assert menu.heard() == ["disposition-noted"]
    assert [fact.disposition for fact in world.facts if isinstance(fact, f.DispositionGiven)] == ["sale/by_mail"]
    menu.press("#", "3")
    assert menu.heard()[-1] == "you-are-ready"
    assert world.agent("alice").state is AgentState.READY


def test_a_long_list_is_said_in_parts() -> None:
    many = tuple(f"d{number}" for number in range(20))
    world = World(config(replace(SUPPORT, dispositions=DispositionRule(many))))
    wrapped_up(world)
    menu = Menu(world)
    menu.press("4")
    assert menu.heard()[-3:] == ["desk-press", "en-9", "desk-further"]
    menu.press("9", "9")
    assert menu.heard()[-12:] == choices(*(f"{key}:disposition-d{number}" for key, number in enumerate(range(16, 20), 1)))
    menu.press("4")
    assert [fact.disposition for fact in world.facts if isinstance(fact, f.DispositionGiven)] == ["d19"]


def test_a_scheduled_callback_is_heard_and_taken() -> None:
    world = World(config())
    world.tell(e.CallbackRequested("c1", "support", "+12025550142", due_at=world.now + timedelta(hours=3)))
    world.tell(e.CallbackRequested("c2", "support", "+12025550143", due_at=world.now + timedelta(hours=1)))
    world.tell(e.CallbackRequested("c3", "support", "+12025550144", due_at=world.now + timedelta(minutes=5), owner="bob"))
    menu = Menu(world, "*24")
    heard = menu.heard()
    assert heard.count("desk-callback-for") == 2  # bob's own is not hers to take
    assert heard[3:15] == ["en-plus", *(f"en-{digit}" for digit in "12025550143")]
    menu.press("1")
    assert menu.heard() == ["desk-callback-yours"]
    menu.press("#")
    world.run_for(10)
    assert [dial.number for dial in world.pbx.dialed] == ["+12025550143"]
    assert world.agent("alice").state is AgentState.TALKING


def test_no_callback_is_said_and_the_menu_goes_on(world: World) -> None:
    world.agent_ready("alice")
    menu = Menu(world)
    menu.heard()
    menu.press("6")
    assert menu.heard()[:3] == ["desk-no-callback", "desk-press", "en-1"]


def test_from_a_second_line_the_caller_is_sent_to_a_queue(world: World) -> None:
    caller = talk(world)
    menu = Menu(world)
    menu.press("7", "1", *"3002#")
    assert menu.heard()[-1] == "desk-done"
    assert world.waiting("sales") == [caller]


def test_from_a_second_line_a_colleague_is_consulted_and_gets_the_caller(world: World) -> None:
    caller = talk(world)
    world.agent_ready("bob")
    menu = Menu(world)
    menu.press("7", "2", *"2002")
    world.run_for(30)
    assert menu.is_over
    menu = Menu(world)
    menu.press("7", "1")
    assert world.talking() == {"bob": caller}
    assert world.refusals == []


@pytest.mark.parametrize("extension", ["2001", "9999", "911", "12025550123", ""])
def test_nobody_is_transferred_to_oneself_nowhere_an_emergency_number_or_outside_by_menu(world: World, extension: str) -> None:
    caller = talk(world)
    menu = Menu(world)
    menu.press("7", "1", *extension[:8], "#")
    assert "not-possible" in menu.heard()
    assert world.talking() == {"alice": caller}


def test_figures_of_today_are_those_of_the_books(world: World) -> None:
    world.agent_ready("alice")
    world.run_for(60)
    wrapped_up(world)
    world.run_for(50)
    menu = Menu(world, "*23")
    heard = menu.heard()
    assert heard == ["desk-contacts", "en-0", "desk-talk", "en-0", "en-seconds", "desk-occupancy", *heard[6:-1], "desk-percent"]
    world.run_for(30)
    assert menu.is_over
    menu = Menu(world, "*23")
    figures = world.agent("alice").figures
    (parted,) = [fact for fact in world.facts if isinstance(fact, f.ContactParted)]
    (ended,) = [fact for fact in world.facts if isinstance(fact, f.ContactEnded)]
    assert (figures.contacts, figures.talk, figures.wrap_up) == (1, parted.talk, ended.wrap_up)
    assert figures.aht == parted.talk + parted.hold + ended.wrap_up
    assert menu.heard()[:4] == ["desk-contacts", "en-1", "desk-talk", f"en-{round(parted.talk.total_seconds())}"]


def test_a_day_is_over_at_midnight_of_the_center(world: World) -> None:
    wrapped_up(world)
    world.run_for(61)
    assert world.agent("alice").figures.contacts == 1
    world.run_for(24 * 3600)
    menu = Menu(world, "*23")
    assert menu.heard()[:2] == ["desk-contacts", "en-0"]


def test_figures_outlive_a_restart(world: World) -> None:
    wrapped_up(world)
    world.run_for(61)
    before = world.agent("alice").figures
    world.crash_and_restore()
    assert world.agent("alice").figures == before


def test_who_says_nothing_is_asked_again_and_let_go(world: World) -> None:
    menu = Menu(world)
    first = menu.heard()
    world.run_for(len(first) * 2 + 7)
    assert menu.heard() == first
    world.run_for(100)
    assert menu.is_over
    assert world.faults == []


def test_the_menu_goes_on_after_a_restart(world: World) -> None:
    menu = Menu(world)
    menu.heard()
    world.crash_and_restore()
    world.tell(e.LegFoundSilent(menu.leg))
    assert menu.heard() == choices("1:desk-log-in-ready", "2:desk-log-in", "8:desk-figures")
    menu.press("2")
    assert menu.heard() == ["you-are-logged-in"]


def test_an_agent_is_spoken_to_in_her_own_language() -> None:
    plain = config()
    agents = {**plain.agents, "alice": replace(plain.agents["alice"], language="es")}
    spoken = Languages("en", {"en": LANGUAGES["en"], "es": LANGUAGES["es"]})
    menu = Menu(World(replace(plain, agents=agents, languages=spoken)))
    assert menu.heard()[:3] == ["es/desk-press", "es/es-1", "es/desk-log-in-ready"]


def test_what_is_rarer_is_behind_the_pound_key() -> None:
    plain = config()
    alice = replace(plain.agents["alice"], may_opt_out=("sales",))
    mailboxes = {"agent:alice": MailboxConfig("agent:alice")}
    world = World(replace(plain, agents={**plain.agents, "alice": alice}, mailboxes=mailboxes))
    world.agent_ready("alice")
    menu = Menu(world)
    assert menu.heard()[-1] == "desk-further"
    menu.press("#")
    assert menu.heard() == choices("1:desk-queues", "2:desk-mailbox")
    menu.press("1")
    assert menu.heard() == [*choices("1:desk-leave"), "queue-sales"]
    menu.press("1")
    assert menu.heard() == ["queue-left"]
    assert world.agent("alice").opted_out == ("sales",)
    menu.press("*")
    menu = Menu(world)
    menu.press("#", "1")
    assert menu.heard()[-4:] == [*choices("1:desk-join"), "queue-sales"]
    menu.press("1")
    assert world.agent("alice").opted_out == ()
    menu = Menu(world)
    menu.press("#", "2")
    assert [(fact.mailbox, fact.agent) for fact in world.facts if isinstance(fact, f.VisitBegan)] == [("agent:alice", "alice")]
    assert world.faults == []
