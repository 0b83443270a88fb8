"""Asks a source over HTTP: one request, no redirects, an answer of bounded size from an address that was checked."""

import json
import ssl
from collections.abc import Mapping
from pathlib import Path

import aiohttp
from yarl import URL

from callcenter.domain.dips.reading import Garbage, attributes, is_there, read_json
from callcenter.domain.dips.source import DipAnswer, HttpSource, Outcome
from callcenter.domain.dips.template import ValueRefused, fill_body, fill_text
from callcenter.services.checked_address import AddressRefused, sockets
from callcenter.services.dips.runner import SourceFailed

BLAMED = frozenset({401, 403, 407, 408, 421, 423, 425, 429})
"""Of the statuses 400 to 499 those that speak against the source or our account there, not against the one question."""
_CHUNK = 16_384


class HttpAsker:
    """Implements ``services.dips.runner.Asker`` for one source."""

    def __init__(self, source: HttpSource, secrets: Mapping[str, str], ca_file: Path | None = None) -> None:
        """``secrets`` by name; ``ca_file``: whom to trust instead of the machine's authorities."""
        self._source = source
        self._secrets = {f"secret:{name}": secret for name, secret in secrets.items()}
        self._trust: ssl.SSLContext | bool = ssl.create_default_context(cafile=ca_file) if ca_file else True
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, values: Mapping[str, str]) -> DipAnswer:
        """Raises SourceFailed, Garbage, ValueRefused."""
        source, known = self._source, {**values, **self._secrets}
        url = source.url.render(known)
        body = None if source.body is None else json.dumps(fill_body(source.body, known)).encode()
        headers = {name: fill_text(text, known) for name, text in source.headers.items()}
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            async with self._open().request(
                source.method, _encoded(url), data=body, headers=headers, allow_redirects=False, ssl=self._trust
            ) as response:
                return await self._read(response)
        except AddressRefused:
            raise SourceFailed("its address is private, and allow_private is not set") from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise SourceFailed("its address is private, and allow_private is not set") from None
            raise SourceFailed(f"no connection: {type(error).__name__}") from None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:  # the sentence of an aiohttp error may hold the URL
            raise SourceFailed(f"no answer: {type(error).__name__}") from None

    async def _read(self, response: aiohttp.ClientResponse) -> DipAnswer:
        source = self._source
        if response.status in source.not_found_status:
            return DipAnswer(Outcome.NOT_FOUND)
        if response.status not in source.found_status:
            blameless = 400 <= response.status < 500 and response.status not in BLAMED
            hint = ", a redirect, which is not followed" if 300 <= response.status < 400 else ""
            raise SourceFailed(f"status {response.status}{hint}", blameless=blameless)
        answer = read_json(await self._whole(response)) if source.rules.attributes or source.found_if else None
        if source.found_if is not None and not is_there(answer, source.found_if):
            return DipAnswer(Outcome.NOT_FOUND)
        return DipAnswer(Outcome.FOUND, attributes(answer, source.rules.attributes))

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        """Compressed answers are refused: a few bytes could become gigabytes, and we asked for none."""
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Garbage("it is compressed, which was not asked for")
        body = bytearray()
        while chunk := await response.content.read(_CHUNK):
            body += chunk
            if len(body) > self._source.longest:
                raise Garbage(f"it is larger than {self._source.longest} bytes")
        return bytes(body)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._source.rules.at_once, socket_factory=sockets(allow_private=lambda: self._source.allow_private)
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "callcenter"},
                auto_decompress=False,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=self._source.rules.budget.total_seconds()),
            )
        return self._session


def _encoded(url: str) -> URL:
    """As it was rendered: to encode it once more would change what it means."""
    try:
        return URL(url, encoded=True)
    except ValueError:
        raise ValueRefused("the URL cannot be asked") from None
