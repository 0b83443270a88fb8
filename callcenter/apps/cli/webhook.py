"""``callcenter webhook``: who is told of what happens, at the command line. The same rules as the API's."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from callcenter.apps.cli.common import DEFAULT, FAILED, WRONG_USE, AsJson, Config, fail, settings_of, tell

if TYPE_CHECKING:
    from callcenter.domain.webhooks import Subscription
    from callcenter.runtime.settings import Settings
    from callcenter.services.webhooks import Sent, WebhookBook

webhook_app = typer.Typer(no_args_is_help=True, help="Webhooks: other systems are told of what happens.")

Id = Annotated[str, typer.Argument(metavar="WEBHOOK", help="As 'callcenter webhook list' names it.")]
T = TypeVar("T")


@webhook_app.command("list")
def list_(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """All subscriptions, and how it goes with them."""
    found = _ask(config, lambda book, _: book.subscriptions())
    if as_json:
        typer.echo(json.dumps([_as_json(each) for each in found], indent=2))
        return
    for each in found:
        state = "enabled" if each.enabled else f"disabled: {each.why}"
        state += f", failing since {each.failing_since:%Y-%m-%d %H:%M} UTC" if each.failing_since and each.enabled else ""
        tell(f"{each.webhook}  {each.url}  {', '.join(each.events) or 'everything'}  {state}")
    if not found:
        typer.echo("nobody is told anything; see: callcenter webhook add --help")


@webhook_app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent.")],
    config: Config = DEFAULT,
    event: Annotated[list[str] | None, typer.Option(help="A type of event; may be repeated. Without any: all.")] = None,
    numbers: Annotated[str, typer.Option(help="How much of callers' numbers is told: none, masked or whole.")] = "masked",
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    by: Annotated[str, typer.Option(help="Who asks for it, for the record.")] = "command line",
    as_json: AsJson = False,
) -> None:
    """Tell another system of what happens from now on; prints the secret that it checks messages with."""
    from callcenter.runtime.secrets import load_secrets
    from callcenter.services.webhooks import WebhookError, new_id, secrets_for, wanted

    settings = settings_of(config)
    try:
        asked = wanted(url, tuple(event or ()), numbers, note, True, allow_private=settings.webhooks.allow_private)
    except WebhookError as error:
        fail(str(error), WRONG_USE)
    made = _ask(config, lambda book, now: book.add(new_id(), asked, by, now))
    (secret,) = secrets_for(load_secrets(settings.data).webhook_key.encode(), made, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps({**_as_json(made), "secret": secret}, indent=2))
    else:
        typer.echo(f"{made.webhook}\nsecret: {secret}")
        typer.echo(f"It is not shown again; 'callcenter webhook rotate {made.webhook}' makes another one.")


@webhook_app.command()
def rotate(webhook: Id, config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Make a new secret; for a day messages are signed with the former one too."""
    from callcenter.runtime.secrets import load_secrets
    from callcenter.services.webhooks import secrets_for

    made = _ask(config, lambda book, now: book.rotate(webhook, now))
    secret = secrets_for(load_secrets(settings_of(config).data).webhook_key.encode(), made, datetime.now(UTC))[0]
    typer.echo(json.dumps({"webhook": webhook, "secret": secret}, indent=2) if as_json else f"secret: {secret}")


@webhook_app.command()
def remove(webhook: Id, config: Config = DEFAULT) -> None:
    """Tell it nothing more; what waits for it is dropped."""
    _ask(config, lambda book, _: book.remove(webhook))
    typer.echo(f"{webhook}: removed")


@webhook_app.command()
def enable(webhook: Id, config: Config = DEFAULT) -> None:
    """Begin again with one that was disabled; what waited for it is sent."""

    async def change(book: "WebhookBook", _: datetime) -> "Subscription":
        from callcenter.services.webhooks import again

        return await again(book, webhook)

    _ask(config, change)
    typer.echo(f"{webhook}: enabled")


@webhook_app.command("test")
def try_out(webhook: Id, config: Config = DEFAULT) -> None:
    """Send it one message of the type webhook.test."""
    from callcenter.services.webhooks import send_test

    message = _ask(config, lambda book, now: send_test(book, webhook, now))
    typer.echo(f"{message}: listed; 'callcenter webhook messages {webhook}' shows what became of it")


@webhook_app.command()
def messages(
    webhook: Id, config: Config = DEFAULT, limit: Annotated[int, typer.Option(min=1, max=1000)] = 50, as_json: AsJson = False
) -> None:
    """Its latest messages, the newest first."""
    _show(_ask(config, lambda book, _: book.messages(webhook, None, None, limit)), as_json)


@webhook_app.command()
def dead(webhook: Id, config: Config = DEFAULT, limit: Annotated[int, typer.Option(min=1, max=1000)] = 50, as_json: AsJson = False) -> None:
    """Messages that it did not take, however often they were tried."""
    from callcenter.domain.webhooks import MessageState

    _show(_ask(config, lambda book, _: book.messages(webhook, MessageState.DEAD, None, limit)), as_json)


@webhook_app.command()
def redeliver(
    webhook: Id,
    config: Config = DEFAULT,
    message: Annotated[str, typer.Option(help="Only this one; without it, all that are dead.")] = "",
) -> None:
    """Send dead messages again, from the first attempt on."""
    count = _ask(config, lambda book, now: book.redeliver(webhook, message or None, now))
    typer.echo(f"{webhook}: {count} messages will be sent again")


@webhook_app.command()
def events() -> None:
    """The types of event there are."""
    from callcenter.domain.webhook_events import TYPES

    typer.echo("\n".join(TYPES))


def _show(found: "Sequence[Sent]", as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_message_json(each) for each in found], indent=2))
        return
    for each in found:
        tell(f"{each.message}  {each.at:%Y-%m-%d %H:%M:%S}  {each.type:<24} {each.state:<9} {each.attempts}  {each.why}".rstrip())
    if not found:
        typer.echo("none")


def _message_json(each: "Sent") -> Mapping[str, object]:
    return {
        "message": each.message,
        "type": each.type,
        "at": each.at.isoformat(),
        "state": each.state,
        "attempts": each.attempts,
        "due_at": each.due_at.isoformat() if each.due_at else None,
        "status": each.status,
        "why": each.why,
    }


def _as_json(each: "Subscription") -> Mapping[str, object]:
    dates = {name: getattr(each, name) for name in ("created_at", "former_until", "failing_since", "delivered_at")}
    return {
        "webhook": each.webhook,
        "url": each.url,
        "events": list(each.events),
        "numbers": each.numbers,
        "note": each.note,
        "enabled": each.enabled,
        "why": each.why,
        "created_by": each.created_by,
        **{name: at.isoformat() if at else None for name, at in dates.items()},
    }


def _ask(config: Path, work: "Callable[[WebhookBook, datetime], Awaitable[T]]") -> T:
    """Something of the book of webhooks. Ends with a sentence."""
    from callcenter.adapters.db.connection import connect
    from callcenter.adapters.db.webhooks import PostgresWebhooks
    from callcenter.runtime.data_folder import database_url
    from callcenter.runtime.postgres import PostgresError
    from callcenter.services.ledger import StoreAway, StoreRefused
    from callcenter.services.webhooks import WebhookError

    settings: Settings = settings_of(config)

    async def ask() -> T:
        engine = connect(database_url(settings), name="webhook", statement_timeout=5.0)
        try:
            return await work(PostgresWebhooks(engine), datetime.now(UTC))
        finally:
            await engine.dispose()

    try:
        return asyncio.run(ask())
    except WebhookError as error:
        fail(str(error), WRONG_USE)
    except (StoreAway, StoreRefused, PostgresError, ValueError) as error:
        fail(f"the webhooks cannot be reached: {error}", FAILED)
