"""A consult, and whatever may happen to it at any moment: all that must hold of the center holds after each step."""

import hypothesis.strategies as st
from hypothesis import given, settings

from callcenter.sim.fake_pbx import Mood
from tests.domain.test_center_machine import ASKED, CONSULT_STEPS, DIRECT, CenterMachine, begin_consult, consult_step


@settings(max_examples=300, deadline=None)
@given(
    did=st.sampled_from(DIRECT),
    whom=st.sampled_from(ASKED),
    by_phone=st.booleans(),
    mood=st.sampled_from([Mood.ANSWERS, Mood.ANSWERS, Mood.ANSWERS, *Mood]),
    seconds=st.integers(0, 4),
    steps=st.text(CONSULT_STEPS, max_size=8),
)
def test_whatever_happens_to_a_consult(did: str, whom: str, by_phone: bool, mood: Mood, seconds: int, steps: str) -> None:
    center = CenterMachine()
    begin_consult(center.world, did, whom, by_phone, mood, seconds)
    check(center)
    for step in steps:
        consult_step(center.world, step)
        check(center)
    center.teardown()


def check(center: CenterMachine) -> None:
    """All invariants of the machine."""
    for rule in center.invariants:
        rule.function(center)
