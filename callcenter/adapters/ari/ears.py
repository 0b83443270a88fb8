"""Lets a recogniser hear what a leg says, while prompts go on playing to it.

A snoop channel picks up what the leg says (``spy=in``); a media channel (``externalMedia`` over a WebSocket, ``chan_websocket``) carries it
to whoever connects to ``/media/ID``; a bridge lets the one hear the other. Measured on 22.10.1 (docs/asterisk.md):

- The media channel enters the application only once somebody has connected to its WebSocket, and cannot join a bridge before.
- When that connection ends, so does the media channel; when the leg ends, so does the snoop. The bridge stays.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import cast
from urllib.parse import urlsplit
from uuid import uuid4

from callcenter.adapters.ari.client import AriClient
from callcenter.adapters.ari.commands import check, check_ended, safe
from callcenter.adapters.ari.types import Channel, bridges, channels
from callcenter.domain.events import Refusal
from callcenter.services.ports import CommandError, Ear, Snapshot

FORMATS = {8000: "slin", 16000: "slin16"}
CONNECTION = "MEDIA_WEBSOCKET_CONNECTION_ID"
ENTERS_WITHIN = 2.0
"""Seconds; the answer to the request comes earlier than the channel."""
EAR = "ear"
"""What we tell the application about the snoop channel."""


class Ears:
    """Those of one node."""

    def __init__(self, node: str, client: AriClient, run_errand: Callable[[Coroutine[None, None, None]], None]) -> None:
        self._node = node
        self._client = client
        self._run_errand = run_errand
        self.opened: dict[str, Ear] = {}
        """By id of the media channel."""
        self._snoops: dict[str, asyncio.Future[None]] = {}
        """By channel: whether it has entered the application; before, it cannot join a bridge."""

    def begin(self) -> None:
        """The connection was lost: the snapshot of the next one finds what is left, and clears it away."""
        self.opened.clear()
        self._snoops.clear()

    def takes(self, channel: str) -> bool:
        """Whether what is told of this channel is ours alone. A media channel that enters the application joins its bridge."""
        ear = self.opened.get(channel)
        return ear is not None or channel in self._snoops

    def entered(self, channel: str) -> None:
        """The channel is inside the application now: the snoop is ready, or somebody is listening."""
        inside = self._snoops.get(channel)
        if inside is not None and not inside.done():
            inside.set_result(None)
        ear = self.opened.get(channel)
        if ear is not None:
            self._run_errand(self._join(ear))

    async def _join(self, ear: Ear) -> None:
        check_ended(await self._client.call(bridges.addChannel, {"channel": ear.media}, bridgeId=ear.bridge))

    async def open(self, leg: str, rate: int) -> Ear:
        """Make the three of them. Raises CommandError, with nothing left behind."""
        safe(leg)
        names = [f"{self._node}-{uuid4()}" for _ in range(3)]
        ear = Ear(self._node, leg, "", *names)
        self.opened[ear.media] = ear
        self._snoops[ear.snoop] = inside = asyncio.get_running_loop().create_future()
        try:
            media, _, _ = await asyncio.gather(self._make_media(ear, rate), self._make_snoop(ear), self._make_bridge(ear))
            async with asyncio.timeout(ENTERS_WITHIN):
                await inside
            check(await self._client.call(bridges.addChannel, {"channel": ear.snoop}, bridgeId=ear.bridge))
        except TimeoutError:
            await self.close(ear)
            raise CommandError(Refusal.GONE, "the snoop channel did not come") from None
        except BaseException:
            await self.close(ear)
            raise
        self.opened[ear.media] = ear = replace(ear, url=self._url(media))
        return ear

    async def _make_media(self, ear: Ear, rate: int) -> str:
        """Returns the name of the connection."""
        query = {
            "app": self._client.server.application,
            "channelId": ear.media,
            "external_host": "INCOMING",
            "transport": "websocket",
            "connection_type": "server",
            "encapsulation": "none",
            "format": FORMATS[rate],
        }
        reply = await self._client.call(channels.externalMedia, query)
        check(reply)
        connection = cast(Channel, reply.json()).get("channelvars", {}).get(CONNECTION)
        if not isinstance(connection, str):
            raise CommandError(Refusal.REFUSED, f"externalMedia: no {CONNECTION}")
        safe(connection)
        return connection

    async def _make_snoop(self, ear: Ear) -> None:
        query = {"app": self._client.server.application, "appArgs": EAR, "spy": "in"}
        check(await self._client.call(channels.snoopChannelWithId, query, channelId=ear.leg, snoopId=ear.snoop))

    async def _make_bridge(self, ear: Ear) -> None:
        check(await self._client.call(bridges.createWithId, {"type": "mixing"}, bridgeId=ear.bridge))

    def _url(self, connection: str) -> str:
        server = urlsplit(self._client.server.base_url)
        scheme = "wss" if server.scheme == "https" else "ws"
        return f"{scheme}://{server.netloc}{server.path.removesuffix('/ari')}/media/{connection}"

    async def close(self, ear: Ear) -> None:
        """Take away what is there of it."""
        requests = (
            self._client.call(channels.hangup, channelId=ear.media),
            self._client.call(channels.hangup, channelId=ear.snoop),
            self._client.call(bridges.destroy, bridgeId=ear.bridge),
        )
        results = await asyncio.gather(*requests, return_exceptions=True)
        self.opened.pop(ear.media, None)
        self._snoops.pop(ear.snoop, None)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, CommandError):
                raise result

    def without(self, seen: Snapshot) -> Snapshot:
        """The snapshot as others should see it: what we hold is nobody's stray."""
        ours = {*self.opened, *self._snoops}
        held = {ear.bridge for ear in self.opened.values()}
        legs = {name: leg for name, leg in seen.legs.items() if name not in ours}
        return replace(seen, legs=legs, bridges={name: legs for name, legs in seen.bridges.items() if name not in held})
