"""One node's AMI connection: panoramisk behind a door that lets no line break through.

Measured on panoramisk 1.4: a value holding CR LF CR LF is sent, and executed, as a second action; actions
that a lost connection left unanswered are sent again after the next login; they never fail. So fields are
checked here, a connection of panoramisk's lives once only, and coming back is our own work.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from panoramisk import Manager

from callcenter.domain.events import Refusal
from callcenter.services.ports import CommandError

log = structlog.get_logger(__name__)

LONGEST_VALUE = 512
BACKOFF_FIRST, BACKOFF_MOST = 0.2, 5.0

_FORBIDDEN = re.compile(r"[\r\n\0]")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,39}")

Message = Mapping[str, str]
"""What Asterisk said, by lower-case field name."""


class UnsafeField(ValueError):
    """A field that could be read as something else. A mistake of ours: such texts are cleaned before."""


@dataclass(frozen=True, slots=True)
class AmiServer:
    """Where a node's AMI is, and as whom we sign in."""

    host: str
    port: int
    user: str
    secret: str
    hears_events: bool = False
    action_timeout: float = 2.0
    """Seconds; then nobody knows whether the action was carried out."""
    ping_every: float = 5.0
    """Seconds; a ping without answer ends the connection."""


def check_fields(fields: Mapping[str, str]) -> None:
    """Raises UnsafeField when a field could end early, begin another one, or is too long to be meant."""
    for name, value in fields.items():
        if not _FIELD_NAME.fullmatch(name):
            raise UnsafeField(f"field name {name[:40]!r}")
        if not isinstance(value, str) or _FORBIDDEN.search(value) or len(value) > LONGEST_VALUE:
            raise UnsafeField(f"value of {name}")


class _Everything:
    """Contains everything: no action is ever sent a second time."""

    def __contains__(self, action: object) -> bool:
        return True


class _OneConnection(Manager):  # type: ignore[misc]
    """panoramisk for the length of one connection."""

    def __init__(self, **config: object) -> None:
        super().__init__(forgetable_actions=_Everything(), **config)
        self.lost = asyncio.Event()

    def connection_lost(self, exc: object) -> None:
        if self.pinger:
            self.pinger.cancel()
        self.lost.set()

    def ping(self) -> None:
        """Ours notices when no answer comes; this one would not."""


class AmiClient:
    """Keeps one connection to one node's AMI. ``run`` never returns unless cancelled."""

    def __init__(
        self,
        server: AmiServer,
        on_event: Callable[[Message], None] | None = None,
        on_login: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``on_event`` must not block; ``on_login`` is awaited after each login, while events are coming already."""
        self.server = server
        self._on_event = on_event
        self._on_login = on_login
        self._manager: _OneConnection | None = None
        self._signed_in = False
        self._unanswered: set[asyncio.Future[Any]] = set()

    @property
    def is_connected(self) -> bool:
        return self._signed_in

    async def run(self) -> None:
        """Connect, and connect again with growing, jittered pauses."""
        failures = 0
        while True:
            try:
                await self._hold()
                failures = 0
            except (OSError, TimeoutError, CommandError) as error:
                log.warning("ami_unreachable", host=self.server.host, port=self.server.port, error=str(error) or type(error).__name__)
                failures += 1
            await asyncio.sleep(min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0))

    async def action(self, name: str, fields: Mapping[str, str] | None = None) -> Message:
        """Do one action and return its response, whatever it is. Raises CommandError(NODE_AWAY) and UnsafeField."""
        return (await self._send(name, fields, is_list=False))[0]

    async def action_list(self, name: str, fields: Mapping[str, str] | None = None) -> Sequence[Message]:
        """Do one action that is answered by a list of events. Raises CommandError(NODE_AWAY) and UnsafeField."""
        return await self._send(name, fields, is_list=True)

    # --- inside ---------------------------------------------------------------------------------

    async def _hold(self) -> None:
        """Hold one connection until it ends. Raises CommandError, OSError or TimeoutError when it could not begin."""
        loop = asyncio.get_running_loop()
        manager = _OneConnection(loop=loop, host=self.server.host, port=self.server.port)
        async with asyncio.timeout(self.server.action_timeout):
            made = await loop.create_connection(manager.config["protocol_factory"], self.server.host, self.server.port)
        connection: asyncio.Future[Any] = loop.create_future()
        connection.set_result(made)
        manager.connection_made(connection)
        self._manager = manager
        try:
            await self._sign_in(manager)
            await self._keep_alive(manager)
        finally:
            self._manager, self._signed_in = None, False
            manager.close()
            for future in self._unanswered:
                if not future.done():
                    future.set_exception(CommandError(Refusal.NODE_AWAY, "the AMI connection ended before the answer came"))

    async def _sign_in(self, manager: _OneConnection) -> None:
        if self._on_event is not None:
            manager.register_event("*", self._heard)
        events = "on" if self.server.hears_events else "off"
        login = {"Username": self.server.user, "Secret": self.server.secret, "Events": events}
        said = (await self._send("Login", login, is_list=False))[0]
        if said.get("response") != "Success":
            raise CommandError(Refusal.REFUSED, f"login: {said.get('message', '')}")
        self._signed_in = True
        if self._on_login is not None:
            await self._on_login()

    async def _keep_alive(self, manager: _OneConnection) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.server.ping_every):
                    await manager.lost.wait()
                    return
            try:
                await self.action("Ping")
            except CommandError as error:
                log.warning("ami_silent", host=self.server.host, port=self.server.port, error=str(error))
                return

    async def _send(self, name: str, fields: Mapping[str, str] | None, *, is_list: bool) -> Sequence[Message]:
        asked = {"Action": name, **(fields or {})}
        check_fields(asked)
        manager = self._manager
        if manager is None or manager.lost.is_set() or not (self._signed_in or name == "Login"):
            raise CommandError(Refusal.NODE_AWAY, "AMI is not connected")
        # With as_list=True panoramisk waits for ever for a list that was refused; with None it sees whether one follows.
        future: asyncio.Future[Any] = manager.send_action(asked, as_list=None if is_list else False)
        self._unanswered.add(future)
        try:
            async with asyncio.timeout(self.server.action_timeout):
                said = await future
        except TimeoutError as error:
            raise CommandError(Refusal.NODE_AWAY, f"no answer to {name}") from error
        finally:
            self._unanswered.discard(future)
        return [_plain(each) for each in (said if isinstance(said, list) else [said])]

    def _heard(self, _manager: Manager, event: Mapping[str, object]) -> None:
        assert self._on_event is not None
        self._on_event(_plain(event))


def _plain(message: Mapping[str, object]) -> Message:
    """Fields by lower-case name; of one that came several times, the last."""
    return {str(name).lower(): str(value[-1] if isinstance(value, list) else value) for name, value in message.items()}
