"""Webhooks: who is told of what happens (docs/webhooks.md)."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from callcenter.adapters.web.api.endpoint import Answer, Asked, Endpoint, Line, Nothing, Request, Shown
from callcenter.adapters.web.api.paging import Cursors, Page, PageQuery
from callcenter.adapters.web.api.ports import Ports
from callcenter.adapters.web.api.problems import Problem
from callcenter.adapters.web.numbers import whole
from callcenter.domain.audit import Deed
from callcenter.domain.rights import Right
from callcenter.domain.webhook_events import TYPES, Numbers
from callcenter.domain.webhooks import MessageState, Subscription
from callcenter.services.webhooks import Sent, Wanted, new_id, secrets_for, send_test, wanted

TAG = "webhooks"


class WebhookShown(Shown):
    """A subscription, and how it goes with it."""

    webhook: str
    url: str
    events: Annotated[list[str], Field(description="Empty: all.")]
    numbers: Numbers
    note: str
    enabled: bool
    why: Annotated[str, Field(description="Why it is not enabled.")]
    created_at: AwareDatetime
    created_by: str
    former_until: Annotated[AwareDatetime | None, Field(description="Until then messages are signed with the former secret too.")]
    failing_since: AwareDatetime | None
    delivered_at: Annotated[AwareDatetime | None, Field(description="When a message was taken last.")]


class WebhookMade(WebhookShown):
    """With its secret, which is shown this once."""

    secret: str


class WebhookList(Shown):
    """All subscriptions."""

    items: list[WebhookShown]


class WebhookRequest(Request):
    url: Annotated[str, Field(max_length=1000)]
    events: Annotated[list[str], Field(max_length=len(TYPES), description=f"Of {', '.join(TYPES)}. Empty: all.")] = Field(
        default_factory=list
    )
    numbers: Annotated[Numbers, Field(description="How much of callers' numbers is told.")] = Numbers.MASKED
    note: Line = ""
    enabled: bool = True


class MessageSent(Shown):
    """A message to a subscription."""

    message: str
    type: str
    at: AwareDatetime
    state: MessageState
    attempts: int
    due_at: Annotated[AwareDatetime | None, Field(description="When it is tried next.")]
    status: Annotated[int, Field(description="Of the last attempt; 0: no answer, or none yet.")]
    why: str


class SentPage(Page[MessageSent]):
    """Messages, the newest first."""


class SentQuery(PageQuery):
    state: MessageState | Literal[""] = ""


class RedeliverRequest(Request):
    message: Annotated[Line, Field(description="Only this one; without it, all that are dead.")] = ""


class Redelivered(Shown):
    count: Annotated[int, Field(description="How many messages will be sent again.")]


class Listed(Shown):
    message: str


async def webhooks(asked: Asked[Nothing, Nothing], ports: Ports) -> WebhookList:
    return WebhookList(items=[_shown(each) for each in await ports.webhooks.subscriptions()])


async def webhook(asked: Asked[Nothing, Nothing], ports: Ports) -> Answer:
    found = await ports.webhooks.subscription(asked.path["webhook"])
    return Answer(_shown(found), etag=_etag(found))


async def add(asked: Asked[Nothing, WebhookRequest], ports: Ports) -> Answer:
    """From now on. The secret is in this answer and nowhere else; `…/rotate` makes another one."""
    made = await ports.webhooks.add(new_id(), _wanted(asked, ports), asked.by.person, ports.now())
    await ports.audit(asked.by, Deed("webhook_added", f"webhook {made.webhook}", after={"url": made.url, "numbers": made.numbers}))
    return _made(made, ports)


async def change(asked: Asked[Nothing, WebhookRequest], ports: Ports) -> Answer:
    """As a whole. Enabling one that was disabled begins again, with what waited for it."""
    name = asked.path["webhook"]
    before = await ports.webhooks.subscription(name)
    made = await ports.webhooks.change(name, _wanted(asked, ports), _revision(asked))
    told = [{"url": each.url, "numbers": each.numbers, "enabled": each.enabled} for each in (before, made)]
    await ports.audit(asked.by, Deed("webhook_changed", f"webhook {name}", before=told[0], after=told[1]))
    return Answer(_shown(made), etag=_etag(made))


async def remove(asked: Asked[Nothing, Nothing], ports: Ports) -> None:
    """What waits for it is dropped."""
    await ports.webhooks.remove(asked.path["webhook"])
    await ports.audit(asked.by, Deed("webhook_removed", f"webhook {asked.path['webhook']}"))


async def rotate(asked: Asked[Nothing, Nothing], ports: Ports) -> Answer:
    """For a day messages are signed with the former secret too."""
    made = await ports.webhooks.rotate(asked.path["webhook"], ports.now())
    await ports.audit(asked.by, Deed("webhook_rotated", f"webhook {made.webhook}"))
    return _made(made, ports)


async def test(asked: Asked[Nothing, Nothing], ports: Ports) -> Listed:
    """A message of the type `webhook.test`."""
    return Listed(message=await send_test(ports.webhooks, asked.path["webhook"], ports.now()))


async def messages(asked: Asked[SentQuery, Nothing], ports: Ports) -> SentPage:
    name, query, cursors = asked.path["webhook"], asked.query, Cursors(ports.cursor_key)
    place = cursors.read(f"webhooks/{name}", query)
    found = await ports.webhooks.messages(name, query.state or None, place, query.limit + 1)
    shown = found[: query.limit]
    last = (shown[-1].at.isoformat(), shown[-1].message) if len(found) > len(shown) else None
    return SentPage(items=[_sent(each) for each in shown], next=cursors.make(f"webhooks/{name}", query, last) if last else None)


async def redeliver(asked: Asked[Nothing, RedeliverRequest], ports: Ports) -> Redelivered:
    """Dead messages are sent again, from the first attempt on."""
    return Redelivered(count=await ports.webhooks.redeliver(asked.path["webhook"], asked.body.message or None, ports.now()))


def _wanted(asked: Asked[Any, WebhookRequest], ports: Ports) -> Wanted:
    body = asked.body
    return wanted(body.url, body.events, body.numbers, body.note, body.enabled, allow_private=ports.configured().private_webhooks)


def _shown(found: Subscription) -> WebhookShown:
    return WebhookShown.model_validate({name: getattr(found, name) for name in WebhookShown.model_fields})


def _made(found: Subscription, ports: Ports) -> Answer:
    secret = secrets_for(ports.webhook_key, found, datetime.max.replace(tzinfo=found.created_at.tzinfo))[0]
    return Answer(WebhookMade(**_shown(found).model_dump(), secret=secret), etag=_etag(found))


def _sent(each: Sent) -> MessageSent:
    return MessageSent.model_validate({name: getattr(each, name) for name in MessageSent.model_fields})


def _etag(found: Subscription) -> str:
    return f'"{found.revision}"'


def _revision(asked: Asked[Any, Any]) -> int | None:
    given = asked.http.headers.get("If-Match", "*").strip()
    number = whole(given.strip('"'))
    if given == "*":
        return None
    if number is None:
        raise Problem(412, "changed_meanwhile", "If-Match is not the ETag of this webhook")
    return number


_NEEDS = Right.MANAGE_WEBHOOKS
ENDPOINTS = (
    Endpoint("GET", "/webhooks", webhooks, "All subscriptions", _NEEDS, TAG, answers=WebhookList),
    Endpoint(
        "POST", "/webhooks", add, "Tell another system of what happens", _NEEDS, TAG, body=WebhookRequest, answers=WebhookMade, status=201
    ),
    Endpoint("GET", "/webhooks/{webhook}", webhook, "One subscription", _NEEDS, TAG, answers=WebhookShown, etag=True),
    Endpoint("PUT", "/webhooks/{webhook}", change, "Change it", _NEEDS, TAG, body=WebhookRequest, answers=WebhookShown, etag=True),
    Endpoint("DELETE", "/webhooks/{webhook}", remove, "Tell it nothing more", _NEEDS, TAG, status=204),
    Endpoint("POST", "/webhooks/{webhook}/rotate", rotate, "Make a new secret", _NEEDS, TAG, body=Nothing, answers=WebhookMade),
    Endpoint(
        "POST", "/webhooks/{webhook}/test", test, "Send it a message to try it", _NEEDS, TAG, body=Nothing, answers=Listed, status=202
    ),
    Endpoint(
        "GET", "/webhooks/{webhook}/messages", messages, "What it was and will be sent", _NEEDS, TAG, query=SentQuery, answers=SentPage
    ),
    Endpoint(
        "POST",
        "/webhooks/{webhook}/redeliver",
        redeliver,
        "Send dead messages again",
        _NEEDS,
        TAG,
        body=RedeliverRequest,
        answers=Redelivered,
        status=202,
    ),
)
