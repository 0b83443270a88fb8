"""Supervisions that anything may happen to, at any moment of them: all invariants of the machine, at each step."""

from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import given, settings

from callcenter.domain import events as e
from callcenter.domain.contact import ContactState
from callcenter.domain.facts import SupervisionMode
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World
from tests.domain.test_center_machine import AGENTS, DIRECT, EXTENSIONS, CenterMachine, node_away
from tests.domain.test_consults_at_any_moment import check

STEPS = "4567*45670123abcdefghijklmnopqrs"
"""What ``step`` knows."""


def begin(world: World, did: str, mode: SupervisionMode, *, by_phone: bool, stay: bool, mood: Mood) -> str:
    """A caller talks to somebody, whom sam hears; returns whom, or nobody."""
    world.pbx.phones["phone-of-sam"] = Phone(mood, lambda: timedelta(seconds=1))
    for agent in AGENTS:
        world.pbx.phones[f"phone-of-{agent}"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=1))
        world.tell(e.PhoneReachable(f"phone-of-{agent}"))
        world.agent_ready(agent)
    world.pbx.call_in(did)
    world.run_for(3)
    talks = next((c.offer.agent for c in world.center.state.contacts.values() if c.state is ContactState.CONNECTED and c.offer), "alice")
    if by_phone:
        world.pbx.dial_from_phone("phone-of-sam", f"*4{4 + list(SupervisionMode).index(mode)}{EXTENSIONS[AGENTS.index(talks)]}")
    else:
        world.tell(e.SupervisionRequested("sam", talks, mode, stay, "because", "boss"))
        world.run_for(2)
    return talks


def step(center: CenterMachine, talks: str, what: str) -> None:
    world = center.world
    state, pbx = world.center.state, world.pbx
    call = state.supervising.get("sam")
    supervision = call.supervision if call is not None else None
    contact = state.contacts.get(state.agents[talks].contact)
    other = next(name for name in AGENTS if name != talks)
    match what:
        case "4" | "5" | "6" | "7" | "*" if supervision is not None:
            pbx.party_presses(supervision.leg, what)
        case "0" | "1" | "2" | "3":
            world.tell(e.SupervisionSwitchRequested("sam", list(SupervisionMode)[int(what)]))
        case "a" if supervision is not None:
            pbx.party_hangs_up(supervision.leg, e.Cause.LOST)
        case "b" if supervision is not None:
            pbx.party_hangs_up(supervision.snoop)
        case "c" if contact is not None and contact.offer is not None:
            pbx.party_hangs_up(contact.offer.leg, e.Cause.LOST)
        case "d" if contact is not None and contact.offer is not None:
            pbx.party_hangs_up(contact.offer.leg)
        case "e" if contact is not None:
            pbx.party_hangs_up(state.calls[contact.entered.call].began.leg)
        case "f":
            world.crash_and_restore()
        case "g":
            node_away(world, 2.0, crashed=False)
        case "h":
            node_away(world, 40.0, crashed=False)
        case "i":
            node_away(world, 2.0, crashed=True)
        case "j":
            world.tell(e.ConsultRequested(talks, colleague=other))
        case "k":
            world.tell(e.CompleteRequested(talks))
        case "l":
            world.tell(e.ConferenceRequested(talks))
        case "m":
            world.tell(e.PaymentRequested(talks, "pay"))
        case "n":
            world.tell(e.PaymentEndRequested(talks))
        case "o":
            world.tell(e.TransferRequested(talks, "support"))
        case "p":
            pbx.call_in(DIRECT[0], "+12025550144")
        case "q":
            world.tell(e.AgentForceRequested(talks, e.ForcedState.LOGGED_OUT, "", "boss"))
        case "r":
            world.tell(e.SupervisionRequested("carol", talks, SupervisionMode.TAKE_OVER))
        case "s":
            world.tell(e.SwapRequested(talks))
        case _:
            world.run_for(3)
    world.run_for(1)


@settings(max_examples=300, deadline=None)
@given(
    did=st.sampled_from(DIRECT),
    mode=st.sampled_from(SupervisionMode),
    by_phone=st.booleans(),
    stay=st.booleans(),
    mood=st.sampled_from([*[Mood.ANSWERS] * 6, *Mood]),
    steps=st.text(STEPS, min_size=3, max_size=9),
)
def test_whatever_happens_to_a_supervision(did: str, mode: SupervisionMode, by_phone: bool, stay: bool, mood: Mood, steps: str) -> None:
    center = CenterMachine()
    talks = begin(center.world, did, mode, by_phone=by_phone, stay=stay, mood=mood)
    check(center)
    for what in steps:
        step(center, talks, what)
        check(center)
    center.teardown()


def test_the_beginnings_do_begin() -> None:
    """What is tried at any moment is in fact a supervision."""
    for by_phone in (True, False):
        center = CenterMachine()
        begin(center.world, DIRECT[0], SupervisionMode.WHISPER, by_phone=by_phone, stay=False, mood=Mood.ANSWERS)
        assert center.world.center.state.supervising
