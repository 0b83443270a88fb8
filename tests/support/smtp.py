"""An SMTP server that keeps what it is given: as much of RFC 5321 as a client of ours says, on a free port of the loopback."""

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

Verdict = Callable[[str], str | None]
"""From ``RCPT``, ``DATA``, ``AUTH`` to what is answered instead of success; None: success."""


@dataclass
class Sink:
    """What the server was given."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    verdict: Verdict = lambda verb: None
    connections: int = 0


@asynccontextmanager
async def smtp_sink(context: ssl.SSLContext | None = None, *, implicit: bool = False) -> AsyncIterator[Sink]:
    """``context`` offers STARTTLS, or with ``implicit`` speaks TLS from the first byte."""
    sink = Sink()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sink.connections += 1
        try:
            await _converse(sink, reader, writer, context)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context if implicit else None, limit=1 << 22)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()


async def _converse(sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext | None) -> None:
    def say(line: str) -> None:
        writer.write(f"{line}\r\n".encode())

    recipients: list[str] = []
    say("220 sink ESMTP")
    while line := (await reader.readline()).decode().strip():
        verb = line.split()[0].upper()
        refusal = sink.verdict(verb)
        if verb == "EHLO":
            offers = ["sink", "AUTH PLAIN"]
            if context is not None and writer.get_extra_info("ssl_object") is None:
                offers.append("STARTTLS")
            for offer in offers[:-1]:
                say(f"250-{offer}")
            say(f"250 {offers[-1]}")
        elif verb == "STARTTLS" and context is not None:
            say("220 go ahead")
            await writer.drain()
            await writer.start_tls(context)
        elif refusal is not None:
            say(refusal)
            if refusal.startswith("421"):
                break
        elif verb == "AUTH":
            _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
            sink.logins.append((user, password))
            say("235 welcome")
        elif verb == "RCPT":
            found = re.search(r"<([^>]*)>", line)
            recipients.append(found[1] if found else "")
            say("250 ok")
        elif verb == "DATA":
            say("354 go on")
            await writer.drain()
            body = (await reader.readuntil(b"\r\n.\r\n"))[:-5].replace(b"\r\n..", b"\r\n.")
            after = sink.verdict("BODY")
            if after is None:
                sink.mails.append(cast(EmailMessage, message_from_bytes(body, policy=default)))  # type: ignore[arg-type]
                sink.recipients.append(recipients)
                sink.encrypted.append(writer.get_extra_info("ssl_object") is not None)
            recipients = []
            say(after or "250 kept")
        elif verb == "QUIT":
            say("221 bye")
            break
        else:
            say("250 ok")
        await writer.drain()
