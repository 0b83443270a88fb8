"""Signing in by somebody else's word: what an OIDC provider tells us, and whom of ours that is.

A person is known by her subject (``sub``). Who signs in for the first time is linked by her name with somebody whom an admin
has let in without a password; whoever is not known is not let in. Roles stay ours.
"""

import secrets
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Begun:
    """One way to the provider and back; random, and only this browser has it."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    """Of PKCE (RFC 7636)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider has seen."""

    subject: str
    name: str = ""
    """As it calls her; one of ours may be linked by it, once."""


class OidcRefused(Exception):
    """She is not let in; ``why`` is a key of the catalogue of words, ``detail`` is for the log."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(detail or why)
        self.why = why
        self.detail = detail


class Provider(Protocol):
    @property
    def shown(self) -> str:
        """Its name for people."""
        ...

    async def address(self, begun: Begun, back: str) -> str:
        """Where the browser goes; ``back`` is where it comes back to. Raises OidcRefused."""
        ...

    async def identity(self, code: str, begun: Begun, back: str) -> Identity:
        """Who came back with this code. Raises OidcRefused."""
        ...
