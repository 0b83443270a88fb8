"""A SIP test phone of our own: agents' phones, callers and carriers, many in one process."""

from callcenter.sim.sip.call import Call, CallFailed, CallState, EndReason, NotHeard
from callcenter.sim.sip.phone import Phone, RegistrationRefused
from callcenter.sim.sip.policy import AnswerAfter, Busy, InvitePolicy, Manual, Reject, RingForever
from callcenter.sim.sip.tones import TonePair, tone_pair

__all__ = [
    "AnswerAfter",
    "Busy",
    "Call",
    "CallFailed",
    "CallState",
    "EndReason",
    "InvitePolicy",
    "Manual",
    "NotHeard",
    "Phone",
    "RegistrationRefused",
    "Reject",
    "RingForever",
    "TonePair",
    "tone_pair",
]
