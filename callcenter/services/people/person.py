"""A person: whoever signs in. Names are checked where they come in, so that two people never look alike on a screen."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.domain.rights import EVERYTHING, Right, Role, Scope, Signed, rights_of

LONGEST_NAME, LONGEST_SHOWN = 64, 80
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


class PersonError(Exception):
    """It cannot be done so; ``field`` names what is wrong, the sentence says why, and so does the word ``people.<why>`` on screens."""

    def __init__(self, field: str, sentence: str, why: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.why = why


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    """She signs in by it; never changed."""
    shown: str
    roles: frozenset[Role] = frozenset()
    granted: frozenset[Right] = frozenset()
    withheld: frozenset[Right] = frozenset()
    scope: Scope = EVERYTHING
    agent: str = ""
    language: str = ""
    theme: str = ""
    active: bool = True
    password_hash: str = field(default="", repr=False)
    """Argon2id in PHC form; empty: no password opens anything (she comes by OIDC only)."""
    subject: str = ""
    """Who she is to the OIDC provider; empty: unknown there."""
    created_at: datetime | None = None

    def signed(self, *, session: str = "", token: str = "", token_scopes: frozenset[Right] | None = None) -> Signed:
        """She, signed in by a session or by a token."""
        return Signed(
            self.name,
            self.shown,
            self.roles,
            rights_of(self.roles, self.granted, self.withheld, token_scopes),
            self.scope,
            self.agent,
            self.language,
            self.theme,
            session,
            token,
        )


def sign_in_name(text: str) -> str:
    """As it is kept: lower case. Raises PersonError."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise PersonError(
            "name",
            f"the sign-in name must be 1 to {LONGEST_NAME} of a-z, 0-9, '.', '_', '@', '+', '-' and begin with a letter or digit",
            "fault_name",
        )
    return name


def shown_name(text: str) -> str:
    """A name for screens. Raises PersonError when something in it could not be seen, or turns or stacks what is around it."""
    name = unicodedata.normalize("NFC", " ".join(text.split(" "))).strip()
    if not name or len(name) > LONGEST_SHOWN:
        raise PersonError("shown", f"the name must have 1 to {LONGEST_SHOWN} characters", "fault_shown_length")
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for sign in name):
        raise PersonError("shown", "the name must not hold control characters or signs that cannot be seen", "fault_shown_signs")
    if re.search(r"\s\s", name) or _stacked(name):
        raise PersonError("shown", "the name must not hold heaps of blanks or accents", "fault_shown_heaps")
    return name


def _stacked(name: str) -> bool:
    """More than four marks upon one letter are no writing of any language."""
    marks = 0
    for sign in name:
        marks = marks + 1 if unicodedata.category(sign) in ("Mn", "Me") else 0
        if marks > 4:
            return True
    return False
