"""``[softphone]``: how the audio of phones in browsers finds its way, and what those phones are told of it."""

import hmac
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from callcenter.runtime.settings_fields import Seconds, Section, SipUser, matching
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings

HOST_AND_PORT = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:]{2,39}\])(?::[0-9]{1,5})?"
StunServer = Annotated[str, matching(HOST_AND_PORT, "a host with or without a port, such as 'stun.example.org:3478'")]
TurnUrl = Annotated[
    str,
    matching(rf"turns?:{HOST_AND_PORT}(?:\?transport=(?:udp|tcp))?", "such as 'turn:turn.example.org:3478?transport=udp' or 'turns:…'"),
]


class TurnSection(Section):
    """A relay for the audio of browsers that reach no node directly: with a secret that it shares with us, or one account for all."""

    url: TurnUrl
    secret_file: Path | None = None
    """Each agent is given credentials of her own that end by themselves (coturn's ``use-auth-secret``)."""
    lasts: Seconds = Field(timedelta(hours=12), alias="lasts_s", ge=timedelta(minutes=5), le=timedelta(days=7))
    user: SipUser | None = None
    password_file: Path | None = None

    @model_validator(mode="after")
    def one_of_both(self) -> "TurnSection":
        account = (self.user, self.password_file).count(None)
        if account == 1 or (self.secret_file is None) is (account == 2):
            raise ValueError("takes secret_file, or user and password_file, one of both")
        return self


class SoftphoneSection(Section):
    """Nothing is needed where browsers and nodes reach each other directly."""

    stun: StunServer | None = None
    """Asked by browsers and nodes for their address as the outside sees it."""
    turn: tuple[TurnSection, ...] = Field(default=(), max_length=5)


def softphone_faults(settings: "Settings") -> Iterator[Problem]:
    for index, turn in enumerate(settings.softphone.turn):
        try:
            _shared(settings, turn)
        except OSError as error:
            yield Problem(f"softphone.turn[{index}].{_file(turn)[0]}", f"cannot be read: {error.strerror}")
        except ValueError:
            yield Problem(f"softphone.turn[{index}].{_file(turn)[0]}", "must hold one line of printable characters")
    browsers = [index for index, agent in enumerate(settings.agents) if agent.phone == "browser"]
    for index in browsers[:1] if any(node.remote for node in settings.nodes) else []:
        yield Problem(f"agent[{index}].phone", "is 'browser', which needs nodes on this machine: of a remote one we do not reach /ws")


def ice_servers(settings: "Settings", agent: str, now: datetime) -> list[dict[str, str]]:
    """For the ``RTCPeerConnection`` of this agent's softphone. Raises OSError when a password cannot be read."""
    section = settings.softphone
    stun = [{"urls": f"stun:{section.stun}"}] if section.stun else []
    return [*stun, *({"urls": turn.url, **_credentials(settings, turn, agent, now)} for turn in section.turn)]


def _credentials(settings: "Settings", turn: TurnSection, agent: str, now: datetime) -> dict[str, str]:
    """With a shared secret by draft-uberti-behave-turn-rest-00: until when, and for whom; signed by HMAC-SHA1, as coturn does."""
    shared = _shared(settings, turn)
    if turn.user is not None:
        return {"username": turn.user, "credential": shared}
    name = f"{int((now + turn.lasts).timestamp())}:{agent}"
    return {"username": name, "credential": b64encode(hmac.digest(shared.encode(), name.encode(), "sha1")).decode()}


def _file(turn: TurnSection) -> tuple[str, Path]:
    """The key and the file with what the relay and we both know."""
    if turn.secret_file is not None:
        return "secret_file", turn.secret_file
    assert turn.password_file is not None
    return "password_file", turn.password_file


def _shared(settings: "Settings", turn: TurnSection) -> str:
    """Raises OSError, ValueError."""
    text = settings.beside_the_file(_file(turn)[1]).read_text(encoding="utf-8").strip()
    if not text or not text.isprintable():
        raise ValueError(text)
    return text
