"""The records of a call that the dialplan served, because the engine was away."""

from datetime import timedelta

from callcenter.domain import facts as f
from callcenter.domain.contact import ContactState
from callcenter.domain.events import Cause
from callcenter.domain.records import CallBooks, CallRecord, ContactRecord, EndedBy, ServedBy

ZERO = timedelta(0)


def fallback_books(fact: f.FallbackCallEnded) -> CallBooks:
    """One call and one contact, served from beginning to end by the dialplan."""
    wait = (fact.answered_at or fact.ended_at) - fact.entered_at
    talk = fact.ended_at - fact.answered_at if fact.answered_at else ZERO
    answered = fact.answered_at is not None
    contact = ContactRecord(
        contact_id=fact.contact,
        call_id=fact.call,
        queue=fact.queue,
        caller=fact.caller,
        priority=0,
        entered_at=fact.entered_at,
        offers=int(answered),
        offers_missed=0,
        answered_at=fact.answered_at,
        agent=fact.agent,
        parted_at=fact.ended_at if answered else None,
        ended_at=fact.ended_at,
        state=ContactState.ENDED if answered else ContactState.OVERFLOWED if fact.closed else ContactState.ABANDONED,
        wait=wait,
        talk=talk if answered else None,
        hold=ZERO if answered else None,
        wrap_up=ZERO if answered else None,
        why=f.OverflowWhy.CLOSED if fact.closed else "",
        short_abandon=fact.short and not answered,
        transferred_from="",
        served_by=ServedBy.FALLBACK,
    )
    call = CallRecord(
        call_id=fact.call,
        linkedid=fact.leg,
        node=fact.node,
        direction=f.Direction.INBOUND,
        caller=fact.caller,
        dialed=fact.did,
        trunk="",
        flow="",
        started_at=fact.entered_at,
        answered_at=fact.answered_at,
        ended_at=fact.ended_at,
        wait=wait,
        talk=talk,
        hold=ZERO,
        queue=fact.queue,
        agent=fact.agent if answered else "",
        contacts=1,
        cause=Cause.NORMAL,
        ended_by=EndedBy.UNKNOWN if answered else EndedBy.CALLER,
        served_by=ServedBy.FALLBACK,
    )
    return CallBooks(call, (contact,), ())
