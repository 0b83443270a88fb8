"""Sends one webhook message over HTTP: no redirects, a bounded wait, an answer nobody reads more of than its status."""

import email.utils
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import aiohttp
from yarl import URL

from callcenter.domain.webhooks import Attempted
from callcenter.services.checked_address import AddressRefused, sockets

ANSWER_SECONDS = 10.0
_PRIVATE = "its address is private, which webhooks.allow_private would allow, or one that is never asked"


class HttpSender:
    """Implements ``services.webhooks.Sender``."""

    def __init__(self, *, allow_private: Callable[[], bool], answer_seconds: float = ANSWER_SECONDS) -> None:
        """``allow_private`` is asked at each connection."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=100, limit_per_host=8, socket_factory=sockets(allow_private=allow_private)),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "callcenter", "Accept": "*/*", "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=answer_seconds),
        )

    async def close(self) -> None:
        await self._session.close()

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempted:
        try:
            async with self._session.post(URL(url), data=body, headers=dict(headers), allow_redirects=False) as response:
                return _attempted(response)
        except AddressRefused:
            return Attempted(0, _PRIVATE)
        except aiohttp.ClientConnectorError as error:
            private = isinstance(error.os_error, AddressRefused)
            return Attempted(0, _PRIVATE if private else f"no connection: {type(error.os_error).__name__}")
        except TimeoutError:
            return Attempted(0, "no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:  # the sentence of an aiohttp error may hold the URL
            return Attempted(0, f"no answer: {type(error).__name__}")


def _attempted(response: aiohttp.ClientResponse) -> Attempted:
    if 300 <= response.status < 400:
        return Attempted(response.status, f"status {response.status}, a redirect, which is not followed")
    wish = retry_after(response.headers.get("Retry-After", ""))
    return Attempted(response.status, "" if response.ok else f"status {response.status}", wish)


def retry_after(said: str) -> timedelta | None:
    """Seconds or a date (RFC 9110 §10.2.3); None: it was not said, or not so."""
    if said.isascii() and said.isdigit() and len(said) <= 9:
        return timedelta(seconds=int(said))
    try:
        at = email.utils.parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return None
    return max(timedelta(0), at.astimezone(UTC) - datetime.now(UTC)) if at.tzinfo else None
