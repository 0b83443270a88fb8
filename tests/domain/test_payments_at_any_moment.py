"""A payment, and whatever may happen to it at any moment: all that must hold of the center holds after each step."""

import hypothesis.strategies as st
from hypothesis import given, settings

from callcenter.sim.fake_pbx import Mood, Phone
from tests.domain.test_center_machine import DIRECT, PAYMENT_STEPS, CenterMachine, consult_step
from tests.domain.test_consults_at_any_moment import check


@settings(max_examples=300, deadline=None)
@given(did=st.sampled_from(DIRECT), steps=st.text(PAYMENT_STEPS, max_size=10))
def test_whatever_happens_to_a_payment(did: str, steps: str) -> None:
    center = CenterMachine()
    center.world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS)
    center.an_agent_asks("alice", "r")
    center.world.pbx.call_in(did)
    center.world.run_for(4)
    for step in ("p", *steps):
        consult_step(center.world, step)
        check(center)
    center.teardown()
