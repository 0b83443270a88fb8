"""Alerts by mail, through the configured server."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from callcenter.adapters.mail.smtp import MailServer, SmtpMailer, one_line
from callcenter.services.alert_keeper import AlertMail


def compose_alert(mail: AlertMail, server: MailServer, center: str, zone: ZoneInfo) -> EmailMessage:
    """The e-mail. Sent twice it has the same Message-ID, so that the recipient's server may drop the second."""
    message = EmailMessage(policy=SMTP)
    user, _, domain = server.sender.rpartition("@")
    said = one_line(mail.text)
    kind = "Alert" if mail.fired else "Over"
    message["Subject"] = f"{kind}: {said}"
    message["From"] = Address(one_line(center), user, domain)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<alert-{mail.number}-{'fired' if mail.fired else 'over'}.{mail.recipient.encode().hex()[:24]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    happened = "began" if mail.fired else "was over"
    message.set_content(f"{said}\n\nIt {happened} at {mail.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}.\n")
    return message


class SmtpAlertMailer:
    """Implements ``services.alert_keeper.AlertMailer``."""

    def __init__(self, mailer: SmtpMailer, server: MailServer, center: str, zone: ZoneInfo) -> None:
        self._mailer, self._server, self._center, self._zone = mailer, server, center, zone

    async def send_alert(self, mail: AlertMail) -> None:
        await self._mailer.give(compose_alert(mail, self._server, self._center, self._zone))
