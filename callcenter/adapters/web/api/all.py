"""All endpoints of the API. Those of campaigns and leads come with them."""

from collections.abc import Mapping, Sequence

from callcenter.adapters.web.api.endpoint import Endpoint
from callcenter.adapters.web.api.openapi import text
from callcenter.adapters.web.api.resources import (
    agents,
    calendars,
    callbacks,
    contacts,
    documents,
    exports,
    flows,
    live,
    messages,
    numbers,
    queues,
    recordings,
    reports,
    supervision,
    webhooks,
)

TAGS: Mapping[str, str] = {
    "live": "The center at this moment.",
    "agents": "Agents, and what they are told to do.",
    "queues": "Queues, and who waits.",
    "skills": "Skills, and who has them.",
    "supervision": "What supervisors do.",
    "contacts": "Contacts of the past, with their history; why one waits.",
    "calls": "Calls (CDR).",
    "recordings": "Recordings, and what they sound like.",
    "callbacks": "Promises to call back.",
    "messages": "Voicemail.",
    "do-not-call": "Who asked not to be called any more.",
    "caller-lists": "Named lists of numbers.",
    "calendars": "Opening hours.",
    "documents": "The configuration: queues, agents, teams, numbers, hours and the rest, with their history.",
    "flows": "What callers meet before a queue.",
    "reports": "KPI.",
    "exports": "Tables to take along.",
    "webhooks": "Other systems are told of what happens.",
}
ENDPOINTS: Sequence[Endpoint] = (
    *live.ENDPOINTS,
    *agents.ENDPOINTS,
    *queues.ENDPOINTS,
    *supervision.ENDPOINTS,
    *contacts.ENDPOINTS,
    *recordings.ENDPOINTS,
    *callbacks.ENDPOINTS,
    *messages.ENDPOINTS,
    *numbers.ENDPOINTS,
    *calendars.ENDPOINTS,
    *documents.ENDPOINTS,
    *flows.ENDPOINTS,
    *reports.ENDPOINTS,
    *exports.ENDPOINTS,
    *webhooks.ENDPOINTS,
)


def schema() -> str:
    """The OpenAPI document of them all."""
    return text(ENDPOINTS, TAGS)
