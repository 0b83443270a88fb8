"""An engine reached over HTTP: we POST the text, it answers with a WAV file."""

import http.client
import json
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from callcenter.runtime.tts.engine import TtsError

MOST_BYTES = 20_000_000
"""Of one answer."""


@dataclass(frozen=True, slots=True)
class HttpEngine:
    """POST ``{"text": ..., "language": ..., "voice": ...}`` as JSON; the answer is a WAV file with status 200. No redirect is followed."""

    url: str
    timeout_s: float = 20.0
    """For the whole answer."""
    most_bytes: int = MOST_BYTES
    token: str = ""
    """Sent as ``Authorization: Bearer``."""

    def speak(self, text: str, language: str, voice: str, wav: Path) -> None:
        try:
            wav.write_bytes(self._asked(json.dumps({"text": text, "language": language, "voice": voice}).encode()))
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise TtsError(f"the speech engine at {self._place()} cannot be asked: {reason}") from None

    def _asked(self, body: bytes) -> bytes:
        until = time.monotonic() + self.timeout_s
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout_s)
        try:
            headers = {"Content-Type": "application/json", "Accept": "audio/wav"}
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
            response = connection.getresponse()
            if response.status != 200:
                raise TtsError(f"the speech engine at {self._place()} answered with status {response.status}")
            return self._body(response, until)
        finally:
            connection.close()

    def _body(self, response: http.client.HTTPResponse, until: float) -> bytes:
        content = bytearray()
        while block := response.read1(65_536):
            content += block
            if len(content) > self.most_bytes:
                raise TtsError(f"the speech engine at {self._place()} answered with more than {self.most_bytes} bytes")
            if time.monotonic() > until:
                raise TtsError(f"the speech engine at {self._place()} took longer than {self.timeout_s:g} seconds")
        return bytes(content)

    def _place(self) -> str:
        """Without what may be secret in the URL."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"

    def tag(self) -> str:
        return self._place()
