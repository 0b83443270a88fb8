"""The answer to a SIP digest challenge: SHA-256 or MD5, with ``qop=auth`` or without (RFC 7616, RFC 8760)."""

import hashlib
import re
import secrets

_PAIR = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*(?:"([^"\\]*)"|([^\s,"]*))\s*(?:,|\Z)')
_HASHES = {"SHA-256": "sha256", "MD5": "md5"}


class NoUsableChallenge(ValueError):
    """We cannot answer what was asked for."""


def authorization(challenge: str, user: str, password: str, method: str, uri: str) -> str:
    """The value of an Authorization header. Raises NoUsableChallenge."""
    scheme, _, rest = challenge.strip().partition(" ")
    asked = {name.lower(): quoted or bare for name, quoted, bare in _PAIR.findall(rest)}
    algorithm = asked.get("algorithm", "MD5").upper()
    qop = "auth" in (word.strip() for word in asked.get("qop", "").split(","))
    if scheme.lower() != "digest" or algorithm not in _HASHES or not asked.get("realm") or not asked.get("nonce"):
        raise NoUsableChallenge(challenge)

    def hashed(*parts: str) -> str:
        return hashlib.new(_HASHES[algorithm], ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    secret, what, fresh = hashed(user, asked["realm"], password), hashed(method, uri), secrets.token_hex(8)
    counted = ("00000001", fresh, "auth") if qop else ()
    fields = {"username": user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
    fields |= {"response": hashed(secret, asked["nonce"], *counted, what)}
    fields |= {"opaque": asked["opaque"]} if "opaque" in asked else {}
    bare = f", algorithm={algorithm}" + (f', qop=auth, nc=00000001, cnonce="{fresh}"' if qop else "")
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items()) + bare
