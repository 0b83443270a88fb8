"""``[softphone]``: how the audio of phones in browsers finds its way, and what those phones are told of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from callcenter.runtime.settings_fields import Section, SipUser, matching
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
    """A relay for the audio of browsers that reach no node directly."""

    url: TurnUrl
    user: SipUser
    password_file: Path


class SoftphoneSection(Section):
    """Nothing is needed where browsers and nodes reach each other directly."""

    stun: StunServer | None = None
    """Asked by browsers and nodes for their address as the outside sees it."""
    turn: tuple[TurnSection, ...] = Field(default=(), max_length=5)


def softphone_faults(settings: "Settings") -> Iterator[Problem]:
    for index, turn in enumerate(settings.softphone.turn):
        try:
            _password(settings, turn)
        except OSError as error:
            yield Problem(f"softphone.turn[{index}].password_file", f"cannot be read: {error.strerror}")
        except ValueError:
            yield Problem(f"softphone.turn[{index}].password_file", "must hold one line of printable characters")
    browsers = [index for index, agent in enumerate(settings.agents) if agent.phone == "browser"]
    for index in browsers[:1] if any(node.remote for node in settings.nodes) else []:
        yield Problem(f"agent[{index}].phone", "is 'browser', which needs nodes on this machine: of a remote one we do not reach /ws")


def ice_servers(settings: "Settings") -> list[dict[str, str]]:
    """For ``RTCPeerConnection``. Raises OSError when a password cannot be read."""
    section = settings.softphone
    stun = [{"urls": f"stun:{section.stun}"}] if section.stun else []
    turns = ({"urls": turn.url, "username": turn.user, "credential": _password(settings, turn)} for turn in section.turn)
    return [*stun, *turns]


def _password(settings: "Settings", turn: TurnSection) -> str:
    """Raises OSError, ValueError."""
    password = settings.beside_the_file(turn.password_file).read_text(encoding="utf-8").strip()
    if not password or not password.isprintable():
        raise ValueError(password)
    return password
