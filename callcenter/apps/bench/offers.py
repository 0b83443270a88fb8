"""From an agent being free to the INVITE at her phone, as the phone's own messages and our facts tell it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path

from callcenter.apps.bench.sipp_load import Traced
from callcenter.domain.facts import ContactEntered, ContactOffered
from callcenter.services.fact_codec import load
from callcenter.services.journal_reader import JournalReader

_REQUEST_TO = re.compile(r"INVITE sip:([^@;>]+)@")


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds, over all offers."""

    count: int
    p50_ms: float
    p99_ms: float
    most_ms: float


@dataclass(frozen=True, slots=True)
class _Rang:
    """An INVITE at a phone, and when that phone hung up before (None: it was free from the beginning)."""

    at: datetime
    free_since: datetime | None


def delays(messages: Iterable[Traced], journal: Path, after: int, endpoints: Mapping[str, str]) -> Delays:
    """From the moment an offer became possible (the agent's phone has hung up, and the caller has entered the queue) to its INVITE.

    ``messages`` are those of the phones, ``after`` is the last record before the calls, ``endpoints`` are by agent.
    """
    rang = _rang(messages)
    agents = {endpoint: agent for agent, endpoint in endpoints.items()}
    offers, entered = _offers(journal, after)
    found: list[float] = []
    for endpoint, invites in rang.items():
        for invite, offer in zip(invites, offers.get(agents[endpoint], ()), strict=False):
            possible = entered[offer.contact]
            if invite.free_since is not None:
                possible = max(possible, invite.free_since)
            found.append((invite.at - possible).total_seconds() * 1000.0)
    found.sort()
    return Delays(len(found), _share(found, 0.50), _share(found, 0.99), found[-1] if found else 0.0)


def _share(ordered: list[float], share: float) -> float:
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _rang(messages: Iterable[Traced]) -> dict[str, list[_Rang]]:
    """By endpoint, in order. What is sent again counts once."""
    rang: dict[str, list[_Rang]] = defaultdict(list)
    phones: dict[str, str] = {}
    free_since: dict[str, datetime] = {}
    over: set[str] = set()
    for message in messages:
        if not message.sent and (invite := _REQUEST_TO.match(message.first_line)) and message.sip_call not in phones:
            phone = phones[message.sip_call] = invite[1]
            rang[phone].append(_Rang(message.at, free_since.get(phone)))
        elif message.sent and message.first_line.startswith("BYE ") and message.sip_call not in over:
            over.add(message.sip_call)
            free_since[phones[message.sip_call]] = message.at
    return rang


def _offers(journal: Path, after: int) -> tuple[dict[str, list[ContactOffered]], dict[str, datetime]]:
    """By agent, in order; and when each contact entered its queue."""
    offers: dict[str, list[ContactOffered]] = defaultdict(list)
    entered: dict[str, datetime] = {}
    reader = JournalReader(journal, after + 1)
    try:
        for record in reader.read_all():
            for fact in load(record.payload):
                if isinstance(fact, ContactOffered):
                    offers[fact.agent].append(fact)
                elif isinstance(fact, ContactEntered):
                    entered[fact.contact] = fact.at
    finally:
        reader.close()
    return offers, entered
