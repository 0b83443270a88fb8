"""Where a webhook may be sent: a URL that says what it means, and keeps no secret in sight."""

import re
from urllib.parse import urlsplit

from callcenter.domain.dips.addresses import may_connect

LONGEST = 1000
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?|.*:.*", re.IGNORECASE)
"""A host that is an address, in whichever way C libraries read one, and no name."""


def url_fault(url: str, *, allow_private: bool) -> str:
    """What is wrong with it, as a sentence; empty: nothing. Which address it leads to is judged at each connection."""
    if len(url) > LONGEST or not url.isascii() or any(sign <= " " or sign == "\x7f" for sign in url):
        return f"the URL must be of at most {LONGEST} ASCII characters, without blanks"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "that is no URL"
    if parts.scheme not in (("https", "http") if allow_private else ("https",)):
        return "the URL must begin with https://" + (" or http://" if allow_private else "; webhooks.allow_private would allow http:// too")
    if not parts.hostname:
        return "the URL names no host"
    if parts.username is not None or parts.password is not None:
        return "the URL must not hold a user or a password: messages are signed instead"
    if port == 0:
        return "the URL names port 0"
    if parts.fragment:
        return "the URL must not have a fragment"
    return _host_fault(parts.hostname, allow_private=allow_private)


def _host_fault(host: str, *, allow_private: bool) -> str:
    """What can be told before the name is resolved."""
    if host == "localhost" or host.endswith(".localhost"):
        host = "127.0.0.1"
    if not _NUMERIC.fullmatch(host) or may_connect(host, allow_private=allow_private):
        return ""
    if may_connect(host, allow_private=True):
        return "the URL leads to this machine or network; webhooks.allow_private would allow that"
    return "the URL leads to an address that is never asked"
