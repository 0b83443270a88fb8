"""``[oidc]``: people sign in by somebody else's word."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field

from callcenter.runtime.settings_fields import Plain, Section, Url
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings


class OidcSection(Section):
    """The provider, and what we are to it."""

    issuer: Url
    """Exactly as the provider writes it: ``https://login.example``."""
    client_id: Plain
    client_secret_file: Path | None = None
    """One line; without it we are a public client."""
    shown: Plain = "OpenID"
    """On the button: Sign in with ..."""
    name_claim: Plain = "preferred_username"
    """Which claim is the sign-in name of somebody who comes for the first time."""
    scopes: tuple[Plain, ...] = Field(default=("openid", "profile", "email"), max_length=20)


def oidc_faults(settings: "Settings") -> Iterator[Problem]:
    section = settings.oidc
    if section is None:
        return
    try:
        parts = urlsplit(section.issuer)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(parts.hostname or "")):
        yield Problem("oidc.issuer", f"must begin with https://, but is '{section.issuer}'; only on this machine itself may it be http://")
    if "openid" not in section.scopes:
        yield Problem("oidc.scopes", "must hold 'openid'")
    file = section.client_secret_file
    if file is not None and not settings.beside_the_file(file).is_file():
        yield Problem("oidc.client_secret_file", f"names '{file}', which is not a file")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
