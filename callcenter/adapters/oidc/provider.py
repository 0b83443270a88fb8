"""OpenID Connect, the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9700).

The id token is accepted only with a signature by one of the provider's keys, our client as its audience, the issuer as it was
configured, the nonce of this very sign-in, and before it expires. Keys are asked for again, once a minute at most, when one is unknown.
"""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from callcenter.services.people.oidc import Begun, Identity, OidcRefused

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
"""Never ``none``, and none with a shared secret."""
SECONDS = 8.0
LARGEST = 256 * 1024
"""Bytes of an answer."""
LEEWAY = 60
"""Seconds by which our clocks may differ."""
KEYS_AGAIN = 60.0
DISCOVERY_LASTS = 3600.0
LONGEST_SUBJECT = 255
AWAY, WRONG = "sign_in.oidc_away", "sign_in.oidc_wrong"


@dataclass(frozen=True, slots=True)
class OidcClient:
    """What we are to the provider."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    """Empty: a public client, for which PKCE alone vouches."""
    shown: str = "OpenID"
    scopes: str = "openid profile email"
    name_claim: str = "preferred_username"


class OidcProvider:
    """``services.people.oidc.Provider`` over HTTP."""

    def __init__(self, client: OidcClient, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._now = now
        self._discovered: tuple[float, Mapping[str, str]] | None = None
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._one = asyncio.Lock()

    @property
    def shown(self) -> str:
        return self._client.shown

    async def address(self, begun: Begun, back: str) -> str:
        places = await self._places()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": back,
            "scope": self._client.scopes,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        there = places["authorization_endpoint"]
        return f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}"

    async def identity(self, code: str, begun: Begun, back: str) -> Identity:
        places = await self._places()
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self._client.client_id,
            "code_verifier": begun.verifier,
        }
        answer = await self._ask("POST", places["token_endpoint"], data=sent)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise OidcRefused(WRONG, "the answer holds no id token")
        return self._read(await self._verified(id_token, begun.nonce))

    def _read(self, claims: Mapping[str, object]) -> Identity:
        subject, name = claims.get("sub"), claims.get(self._client.name_claim)
        if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
            raise OidcRefused(WRONG, "the id token names nobody")
        return Identity(subject, name if isinstance(name, str) else "")

    # --- the id token ---------------------------------------------------------------------------

    async def _verified(self, id_token: str, nonce: str) -> Mapping[str, object]:
        try:
            token = jwt.decode(id_token, await self._key_set(), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            try:
                token = jwt.decode(id_token, await self._key_set(anew=True), algorithms=ALGORITHMS)
            except (JoseError, ValueError) as error:
                raise OidcRefused(WRONG, f"the id token cannot be believed: {error}") from None
        except (JoseError, ValueError) as error:
            raise OidcRefused(WRONG, f"the id token cannot be believed: {error}") from None
        claims: Mapping[str, object] = token.claims
        rules = jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self._client.issuer},
            aud={"essential": True, "value": self._client.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            rules.validate(token.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise OidcRefused(WRONG, f"the id token is not for us: {error}") from None
        audience = claims.get("aud")
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._client.client_id:
            raise OidcRefused(WRONG, "the id token is for several, and not made for us")
        return claims

    async def _key_set(self, *, anew: bool = False) -> KeySet:
        async with self._one:
            old = self._now() - self._keys_at
            if self._keys is None or (anew and old > KEYS_AGAIN) or old > DISCOVERY_LASTS:
                answer = await self._ask("GET", (await self._places())["jwks_uri"])
                self._keys_at = self._now()
                try:
                    self._keys = KeySet.import_key_set(answer)  # type: ignore[arg-type]
                except (JoseError, ValueError, KeyError, TypeError) as error:
                    raise OidcRefused(AWAY, f"the provider's keys cannot be read: {error}") from None
            return self._keys

    # --- asking ---------------------------------------------------------------------------------

    async def _places(self) -> Mapping[str, str]:
        """Where the provider is asked what; as it says itself (OpenID Connect Discovery 1.0)."""
        if self._discovered is not None and self._now() - self._discovered[0] < DISCOVERY_LASTS:
            return self._discovered[1]
        told = await self._ask("GET", f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != self._client.issuer:
            raise OidcRefused(AWAY, f"the provider calls itself {told.get('issuer')!r}")
        places = {name: told.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        found = {name: place for name, place in places.items() if isinstance(place, str) and self._may_be(place)}
        if len(found) != len(places):
            raise OidcRefused(AWAY, "the provider does not say where to ask, or says it without TLS")
        self._discovered = self._now(), found
        return found

    def _may_be(self, place: str) -> bool:
        """With TLS; without it only where the issuer itself is so."""
        return urlsplit(place).scheme in ("https", urlsplit(self._client.issuer).scheme)

    async def _ask(self, method: str, url: str, *, data: Mapping[str, str] | None = None) -> Mapping[str, object]:
        """A JSON object, within limits of time and size; redirections are not followed."""
        headers = {"Accept": "application/json"}
        if data and self._client.client_secret:
            headers["Authorization"] = aiohttp.encode_basic_auth(*map(quote_plus, (self._client.client_id, self._client.client_secret)))
        try:
            async with (
                asyncio.timeout(SECONDS),
                aiohttp.ClientSession(headers=headers) as session,
                session.request(method, url, data=data, allow_redirects=False) as answer,
            ):
                body = await answer.content.read(LARGEST + 1)
                while len(body) <= LARGEST and not answer.content.at_eof():
                    body += await answer.content.read(LARGEST + 1 - len(body))
                if answer.status != 200 or len(body) > LARGEST:
                    raise OidcRefused(WRONG if data else AWAY, f"{urlsplit(url).path} answered {answer.status}, {len(body)} bytes")
                found = await asyncio.to_thread(_object, body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise OidcRefused(AWAY, f"the provider does not answer: {type(error).__name__}") from None
        return found


def _object(body: bytes) -> Mapping[str, object]:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found
