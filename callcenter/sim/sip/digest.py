"""HTTP digest as SIP uses it: MD5 and SHA-256, with ``qop=auth`` or without (RFC 3261 §22, RFC 7616, RFC 8760)."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callcenter.sim.sip.message import Response, quote

_PAIR = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))\s*(?:,|\Z)')
_HASHES = {"MD5": "md5", "SHA-256": "sha256"}
_STRENGTH = ("SHA-256", "MD5")
"""Best first. The far end may offer several challenges; the strongest we know is answered."""


class NoUsableChallenge(ValueError):
    """The far end asks for a digest we do not speak."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the far end asked for in WWW-Authenticate or Proxy-Authenticate."""

    realm: str
    nonce: str
    algorithm: str
    qop_auth: bool
    opaque: str | None
    stale: bool
    named_algorithm: bool


def fields(header: str) -> dict[str, str]:
    """The ``name=value`` pairs after the word ``Digest``; names in lower case."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest":
        raise NoUsableChallenge(f"scheme {scheme!r}")
    found: dict[str, str] = {}
    for name, quoted, bare in _PAIR.findall(rest):
        found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else bare)
    return found


def read_challenge(header: str) -> Challenge:
    """One challenge header; raises :class:`NoUsableChallenge` for what we cannot answer."""
    found = fields(header)
    algorithm = found.get("algorithm", "MD5").upper()
    qop = [word.strip().lower() for word in found.get("qop", "").split(",") if word.strip()]
    if algorithm not in _HASHES or (qop and "auth" not in qop) or "realm" not in found or "nonce" not in found:
        raise NoUsableChallenge(header)
    return Challenge(
        found["realm"],
        found["nonce"],
        algorithm,
        bool(qop),
        found.get("opaque"),
        found.get("stale", "").lower() == "true",
        "algorithm" in found,
    )


def strongest(headers: Sequence[str]) -> Challenge:
    """The best challenge among several headers (RFC 8760 §2.4)."""
    usable: list[Challenge] = []
    for header in headers:
        try:
            usable.append(read_challenge(header))
        except NoUsableChallenge:
            continue
    if not usable:
        raise NoUsableChallenge("; ".join(headers))
    return min(usable, key=lambda challenge: _STRENGTH.index(challenge.algorithm))


def digest_response(found: Mapping[str, str], *, user: str, password: str, method: str) -> str:
    """The ``response`` value that belongs to these fields of an Authorization header. Both ends compute it."""
    name = _HASHES[found.get("algorithm", "MD5").upper()]

    def hashed(text: str) -> str:
        return hashlib.new(name, text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()

    secret = hashed(f"{user}:{found['realm']}:{password}")
    asked = hashed(f"{method}:{found['uri']}")
    if "qop" in found:
        return hashed(":".join((secret, found["nonce"], found["nc"], found["cnonce"], found["qop"], asked)))
    return hashed(f"{secret}:{found['nonce']}:{asked}")


def authorize(challenge: Challenge, *, user: str, password: str, method: str, uri: str, count: int = 1) -> str:
    """The value of an Authorization or Proxy-Authorization header; ``count`` is the uses of this nonce so far."""
    found = {"username": user, "realm": challenge.realm, "nonce": challenge.nonce, "uri": uri}
    if challenge.named_algorithm:
        found["algorithm"] = challenge.algorithm
    if challenge.qop_auth:
        found |= {"qop": "auth", "nc": f"{count:08x}", "cnonce": secrets.token_hex(8)}
    if challenge.opaque is not None:
        found["opaque"] = challenge.opaque
    found["response"] = digest_response(found, user=user, password=password, method=method)
    bare = {"algorithm", "qop", "nc"}
    return "Digest " + ", ".join(f"{name}={value if name in bare else quote(value)}" for name, value in found.items())


def answer(response: Response, *, user: str, password: str, method: str, uri: str) -> tuple[str, str, Challenge]:
    """Header name, header value and challenge for a 401 or 407; raises :class:`NoUsableChallenge`."""
    asks, gives = ("WWW-Authenticate", "Authorization") if response.status == 401 else ("Proxy-Authenticate", "Proxy-Authorization")
    headers = [value for name, value in response.headers if name.lower() == asks.lower()]
    challenge = strongest(headers)
    return gives, authorize(challenge, user=user, password=password, method=method, uri=uri), challenge
