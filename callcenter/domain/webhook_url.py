"""Where a webhook may be sent: a URL that says what it means, and keeps no secret in sight."""

from urllib.parse import urlsplit

LONGEST = 1000


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
    return "" if not parts.fragment else "the URL must not have a fragment"
