"""What callcenter.toml says about voicemail and mail: the checks no table can do alone, and how the core reads it."""

import ipaddress
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from callcenter.domain.mailbox_config import MailboxConfig, mailbox_of
from callcenter.runtime.settings_problems import Problem
from callcenter.runtime.settings_voicemail_model import MailSection, VoicemailSection
from callcenter.runtime.settings_waiting import actions, mailbox_named

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings

LONGEST_MESSAGE = timedelta(minutes=30)
PASSWORD_VARIABLE = "CALLCENTER_MAIL_PASSWORD"


def mailbox_sections(settings: "Settings") -> Mapping[str, tuple[str, VoicemailSection]]:
    """From each mailbox to the place of its table, and the table."""
    found = {
        mailbox_of(queue=queue.name): (f"queue[{index}].voicemail", queue.voicemail)
        for index, queue in enumerate(settings.queues)
        if queue.voicemail is not None
    }
    for index, agent in enumerate(settings.agents):
        if agent.voicemail is not None:
            found[mailbox_of(agent=agent.name)] = (f"agent[{index}].voicemail", agent.voicemail)
    return found


def mailboxes(settings: "Settings") -> Mapping[str, MailboxConfig]:
    """As the core reads them."""
    return {
        name: MailboxConfig(
            name,
            section.number or "",
            section.greeting,
            section.longest,
            section.silence,
            section.shortest,
            section.most,
            timedelta(days=section.keep_days),
            _lamps(settings, MailboxConfig(name)) if section.lamp else (),
        )
        for name, (_, section) in mailbox_sections(settings).items()
    }


def _lamps(settings: "Settings", mailbox: MailboxConfig) -> tuple[str, ...]:
    return (mailbox.agent,) if mailbox.agent else tuple(agent.name for agent in settings.agents if mailbox.queue in agent.queues)


def voicemail_faults(settings: "Settings") -> Iterator[Problem]:
    sections = mailbox_sections(settings)
    numbers: dict[str, str] = {}
    for key, section in sections.values():
        if section.greeting not in settings.catalogue:
            yield Problem(f"{key}.greeting", f"names prompt '{section.greeting}', which does not exist")
        if section.number is not None and section.number in numbers:
            yield Problem(f"{key}.number", f"'{section.number}' is taken by {numbers[section.number]}; each needs its own")
        numbers.setdefault(section.number or "", key)
        if section.longest > LONGEST_MESSAGE:
            yield Problem(f"{key}.longest_s", f"must be at most {LONGEST_MESSAGE.total_seconds():g}")
        if section.shortest >= section.longest:
            yield Problem(f"{key}.shortest_s", "must be less than longest_s; no message could be kept")
        if section.email and settings.mail is None:
            yield Problem(f"{key}.email", "needs a server to send through; give the file a [mail] table")
    for index, queue in enumerate(settings.queues):
        for where, action in actions(f"queue[{index}]", queue):
            if action.startswith("voicemail") and mailbox_named(action, queue.name) not in sections:
                there = f"mailboxes: {', '.join(sorted(sections)) or 'none'}"
                yield Problem(where, f"names mailbox '{mailbox_named(action, queue.name)}', which does not exist; {there}")
    for index, agent in enumerate(settings.agents):
        if agent.find_me_then == "voicemail" and agent.voicemail is None:
            yield Problem(f"agent[{index}].find_me_then", "is 'voicemail', but she has no mailbox; give her a [agent.voicemail] table")
    if settings.mail is not None:
        yield from _mail_faults(settings, settings.mail)


def _mail_faults(settings: "Settings", mail: MailSection) -> Iterator[Problem]:
    if mail.password_file is not None and not settings.beside_the_file(mail.password_file).is_file():
        yield Problem("mail.password_file", f"names '{mail.password_file}', which is not a file")
    secret = mail.password_file is not None or bool(os.environ.get(PASSWORD_VARIABLE))
    if mail.user is not None and not secret:
        yield Problem("mail.user", f"needs a password; give mail.password_file, or the environment variable {PASSWORD_VARIABLE}")
    if mail.user is not None and mail.security == "none" and not _is_here(mail.host):
        yield Problem("mail.security", "is 'none': the password would cross the network in the open; use 'starttls' or 'tls'")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def mail_password(settings: "Settings") -> str | None:
    """Never for logs. Raises OSError when the file cannot be read."""
    mail = settings.mail
    if mail is None or mail.user is None:
        return None
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given
    return settings.beside_the_file(mail.password_file).read_text(encoding="utf-8").strip() if mail.password_file else None
