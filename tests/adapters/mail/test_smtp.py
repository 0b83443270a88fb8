"""Mail about messages, given to a server of our own: what arrives, and what becomes of what is not taken."""

import ssl
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callcenter.adapters.mail.smtp import MailServer, SmtpMailer, compose
from callcenter.services.voicemail_mail import DueMail, MailResult, MailState, NotTaken, pause, send_some
from tests.support.smtp import smtp_sink

NOW = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
MAIL = DueMail(
    "m-1", "support@example.com", 1, "queue:support", "+12025550123", "Ann", NOW, 7.4, wanted=True, has_audio=True, transcript="call me"
)


def server(port: int, **more: object) -> MailServer:
    return replace(MailServer("127.0.0.1", port, "none", "voicemail@center.example", timeout=5), **more)  # type: ignore[arg-type]


def mailer(port: int, kept: Path, context: ssl.SSLContext | None = None, **more: object) -> SmtpMailer:
    return SmtpMailer(server(port, **more), lambda: "s3cret", kept, "Example Center", ZONE, context=context)


async def test_the_message_arrives_with_its_audio(tmp_path: Path) -> None:
    (tmp_path / "m-1.wav").write_bytes(b"RIFF" + bytes(1000))
    async with smtp_sink() as sink:
        await mailer(sink.port, tmp_path).send(MAIL)
    (mail,) = sink.mails
    assert sink.recipients == [["support@example.com"]]
    assert mail["Subject"] == "Voicemail for queue support from Ann +12025550123"
    assert (mail["From"], mail["To"]) == ("Example Center <voicemail@center.example>", "support@example.com")
    assert mail["Message-ID"].startswith("<m-1.")
    text, audio = mail.iter_parts()
    assert "Ann +12025550123 has left a message of 7 seconds for queue support at 2026-11-22 12:30 EST." in text.get_content()
    assert "call me" in text.get_content()
    assert (audio.get_content_type(), audio.get_filename()) == ("audio/wav", "voicemail-2026-11-22-1230.wav")
    assert audio.get_content() == b"RIFF" + bytes(1000)
    assert compose(MAIL, server(25), "x", ZONE, None)["Message-ID"] == mail["Message-ID"], "sent twice it is the same mail"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Ann\r\nBcc: all@example.com", "+1"),
        ("Ann\n\n<script>", "1\r\nX: y"),
        ("=?utf-8?q?Ann=0ABcc:_x@example.com?=", ""),
        ("\u202eAnn\x00\x7f", "5"),
        ("Å" * 500, "9" * 500),
        ('"Ann" <a@b>, c@d', "+1"),
    ],
)
async def test_hostile_callers_are_but_text(name: str, number: str, tmp_path: Path) -> None:
    async with smtp_sink() as sink:
        await mailer(sink.port, tmp_path).send(replace(MAIL, caller_name=name, caller=number))
    (mail,) = sink.mails
    assert sink.recipients == [["support@example.com"]]
    assert sorted(mail.keys()) == sorted(
        ["Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    )
    assert mail["To"] == "support@example.com"
    assert len(mail["Subject"]) < 250
    assert not set(mail["Subject"]) & set("\r\n\x00\u202e")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's side and the client's, who trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    ask = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*ask, *files], check=True, capture_output=True)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return theirs, ssl.create_default_context(cafile=str(folder / "cert.pem"))


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_over_tls_with_a_login(security: str, tmp_path: Path, certificate: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    theirs, ours = certificate
    async with smtp_sink(theirs, implicit=security == "tls") as sink:
        await mailer(sink.port, tmp_path, ours, security=security, user="me").send(MAIL)
        assert (sink.logins, sink.encrypted) == ([("me", "s3cret")], [True])
        with pytest.raises(NotTaken, match=r"(?i)certificate") as refused:
            await mailer(sink.port, tmp_path, security=security, user="me").send(MAIL)
        assert (len(sink.mails), refused.value.forever) == (1, False), "whom we cannot trust gets neither password nor mail"


async def test_starttls_that_is_not_offered_sends_nothing(tmp_path: Path) -> None:
    async with smtp_sink() as sink:
        with pytest.raises(NotTaken):
            await mailer(sink.port, tmp_path, security="starttls", user="me").send(MAIL)
        assert (sink.mails, sink.logins) == ([], [])


@pytest.mark.parametrize(
    ("verb", "answer", "forever"),
    [
        ("RCPT", "550 no such user", True),
        ("RCPT", "451 greylisted", False),
        ("BODY", "554 spam", True),
        ("BODY", "452 no room", False),
        ("MAIL", "421 shutting down", False),
        ("AUTH", "535 wrong password", False),
    ],
)
async def test_what_the_server_refuses(verb: str, answer: str, forever: bool, tmp_path: Path) -> None:
    async with smtp_sink() as sink:
        sink.verdict = lambda said: answer if said == verb else None
        with pytest.raises(NotTaken) as refused:
            await mailer(sink.port, tmp_path, user="me").send(MAIL)
        assert refused.value.forever is forever
        assert "s3cret" not in str(refused.value)
    with pytest.raises(NotTaken) as away:  # nobody listens there any more
        await mailer(sink.port, tmp_path).send(MAIL)
    assert not away.value.forever


class Store:
    """One mail that is due."""

    def __init__(self, mail: DueMail) -> None:
        self.due = [mail]
        self.results: list[MailResult] = []

    async def list_mail(self, recipients: object, now: datetime) -> None: ...

    async def next_due(self, now: datetime) -> DueMail | None:
        return self.due.pop() if self.due else None

    async def settle(self, result: MailResult) -> None:
        self.results.append(result)


class Refusing:
    def __init__(self, *, forever: bool) -> None:
        self.forever = forever
        self.asked = 0

    async def send(self, mail: DueMail) -> None:
        self.asked += 1
        raise NotTaken("no", forever=self.forever)


async def outcome(mail: DueMail, *, forever: bool = False) -> tuple[Sequence[MailResult], int]:
    store, refusing = Store(mail), Refusing(forever=forever)
    assert await send_some(store, refusing, NOW) == 0
    return store.results, refusing.asked


async def test_pauses_grow_and_end() -> None:
    ((again,), _) = await outcome(replace(MAIL, attempt=3))
    assert (again.state, again.due_at) == (MailState.DUE, NOW + timedelta(minutes=4))
    assert [pause(n).total_seconds() / 60 for n in (1, 2, 3, 6, 7, 40)] == [1, 2, 4, 32, 60, 60]
    for last, forever in ((replace(MAIL, attempt=40), False), (MAIL, True)):
        ((given_up,), _) = await outcome(last, forever=forever)
        assert (given_up.state, given_up.why) == (MailState.FAILED, "no")


async def test_of_a_message_that_was_deleted_nobody_is_told() -> None:
    ((result,), asked) = await outcome(replace(MAIL, wanted=False))
    assert (result.state, asked) == (MailState.FAILED, 0)
