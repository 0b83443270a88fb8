"""What a node holds right now, seen as legs and bridges."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from callcenter.adapters.ari.client import AriClient, Reply
from callcenter.adapters.ari.commands import check, safe
from callcenter.adapters.ari.parse import VOICEMAIL, application_args, arrival, endpoint_of
from callcenter.adapters.ari.types import (
    Application,
    AsteriskInfo,
    Bridge,
    Channel,
    applications,
    asterisk,
    bridges,
    channels,
    playbacks,
    recordings,
)
from callcenter.domain.commands import RECORDED
from callcenter.domain.events import Refusal
from callcenter.services.ports import CommandError, SeenLeg, Snapshot

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def _read(reply: Reply) -> object:
    check(reply)
    return reply.json()


async def started_at(client: AriClient) -> datetime:
    """When that Asterisk was started. Raises CommandError."""
    info = cast(AsteriskInfo, _read(await client.call(asterisk.getInfo)))
    try:
        started = datetime.fromisoformat(info["status"]["startup_time"])
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError(Refusal.REFUSED, f"asterisk/info: {error!r}") from error
    if started.tzinfo is None:
        raise CommandError(Refusal.REFUSED, "asterisk/info: a time without zone")
    return started


def is_created_by_us(node: str, leg: str) -> bool:
    """Legs that we create are called ``NODE-UUID``; Asterisk's own ``NODE-SECONDS.COUNT``."""
    return re.fullmatch(re.escape(node) + "-" + _UUID, leg) is not None


def seen_leg(node: str, application: str, channel: Channel) -> SeenLeg:
    """One channel, as the core sees it."""
    leg, state = channel["id"], channel["state"]
    args = application_args(channel, application)
    ours = args is not None or is_created_by_us(node, leg)
    came = arrival(node, channel, args) if args else None
    return SeenLeg(leg, state == "Up", state == "Ringing", ours, endpoint_of(channel["name"]), came)


async def take(client: AriClient, node: str, playing: Sequence[str]) -> Snapshot:
    """Ask for everything at once. Raises CommandError."""
    name = client.server.application
    started, replies = await asyncio.gather(
        started_at(client),
        asyncio.gather(
            client.call(channels.list),
            client.call(bridges.list),
            client.call(applications.get, applicationName=name),
            *(_going_on(client, each) for each in playing),
        ),
    )
    said_channels, said_bridges, said_application, *said_playbacks = replies
    try:
        legs = {seen.leg: seen for seen in (seen_leg(node, name, each) for each in cast(list[Channel], _read(said_channels)))}
        told = frozenset(cast(Application, _read(said_application))["channel_ids"])
        rooms = {
            each["id"]: frozenset(each["channels"]) for each in cast(list[Bridge], _read(said_bridges)) if each["bridge_class"] == "stasis"
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CommandError(Refusal.REFUSED, f"snapshot: {error!r}") from error
    await _hear_of(client, [seen.leg for seen in legs.values() if seen.ours and seen.leg not in told])
    going_on = frozenset(each for each, reply in zip(playing, said_playbacks, strict=True) if reply.ok)
    return Snapshot(node, started, legs, rooms, going_on)


async def _going_on(client: AriClient, name: str) -> Reply:
    """Asked of a playback, or of the recording of a message."""
    message = name.removeprefix(RECORDED)
    safe(message)
    if message != name:
        return await client.call(recordings.getLive, recordingName=VOICEMAIL + message)
    return await client.call(playbacks.get, playbackId=name)


async def _hear_of(client: AriClient, legs: Sequence[str]) -> None:
    """Be told of legs that rang while the application was gone: its subscriptions went with it."""
    await asyncio.gather(*(subscribe(client, leg) for leg in legs))


async def subscribe(client: AriClient, leg: str) -> bool:
    """Be told what becomes of the leg; return False when it is gone already."""
    safe(leg)
    reply = await client.call(applications.subscribe, {"eventSource": f"channel:{leg}"}, applicationName=client.server.application)
    if reply.status in (400, 404, 422):
        return False
    check(reply)
    return True
