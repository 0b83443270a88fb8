"""``[desk_phone]`` and ``[own_calls]``: what agents may do with their phones, checked and in the core's words."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from callcenter.domain.config import OwnCallsConfig
from callcenter.runtime.settings_fields import Prefix, Section, SomeSeconds, matching
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings
    from callcenter.runtime.settings_model import AgentSection, QueueSection

FeaturePrefix = Annotated[str, matching(r"(\*|#|\*\*|##|\*#|#\*)?", "'*', '#', or two of them; empty: there are no such sequences")]

LOOPBACK = ("127.0.0.1", "::1")


class DeskPhoneSection(Section):
    """What agents' phones may do."""

    feature_prefix: FeaturePrefix = "*"
    """What begins a sequence of keys by which an agent transfers, consults or joins in the middle of a talk."""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    """By which phones are told to register (``callcenter phone provision``)."""
    srtp: bool = False
    """Whether phones must encrypt their audio (SRTP with keys in SDP, RFC 4568); one that does not cannot call or be called."""
    provisioning: bool = False
    """Whether phones may fetch their files from ``web``, each at the secret address that ``callcenter phone address`` makes."""


class OwnCallsSection(Section):
    """Calls that agents make by themselves, to colleagues and outside."""

    allowed: tuple[Prefix, ...] = Field(default=(), max_length=50)
    """With what a number outside must begin; an agent's own ``may_dial`` takes the place of this."""
    premium: bool = False
    """Whether numbers may be called that cost the caller more; no caller is ever transferred to one."""
    ring: SomeSeconds = Field(default=timedelta(seconds=40), alias="ring_s")


def own_calls(section: OwnCallsSection) -> OwnCallsConfig:
    return OwnCallsConfig(section.ring, section.premium)


def may_dial(settings: "Settings", agent: "AgentSection") -> tuple[str, ...]:
    """With what a number outside must begin that she may call by herself."""
    return settings.own_calls.allowed if agent.may_dial is None else agent.may_dial


def number_shown(settings: "Settings", queue: "QueueSection") -> str:
    """The number of ours that those see whom the queue's agents call; empty: the center's first."""
    return next((settings.did(number) for number in settings.numbers if number.did == queue.number_shown), "")


def desk_phone_faults(settings: "Settings") -> Iterator[Problem]:
    phones = settings.desk_phone
    if phones.transport == "tls" and any(node.sip_tls_port is None and not node.remote for node in settings.nodes):
        yield Problem("desk_phone.transport", "is tls, and a [[node]] has no sip_tls_port to listen on")
    if phones.provisioning and not (settings.web.public_url or "").startswith("https://") and settings.web.host not in LOOPBACK:
        yield Problem("desk_phone.provisioning", "needs web.public_url with https: the files hold passwords")
    if phones.srtp and phones.transport != "tls":
        yield Problem("desk_phone.srtp", 'needs desk_phone.transport = "tls": otherwise the keys go in the clear')
    callers = [("own_calls.allowed", settings.own_calls.allowed)]
    callers += [(f"agent[{index}].may_dial", agent.may_dial or ()) for index, agent in enumerate(settings.agents)]
    for key, allowed in callers:
        if allowed and settings.calling.trunk is None:
            yield Problem(key, "lets agents call outside, and calling.trunk is missing: through which trunk do they call?")
        if allowed and not settings.numbers:
            yield Problem(key, "lets agents call outside, and there is no [[number]] of ours to show there")
    numbers = [number.did for number in settings.numbers]
    for index, queue in enumerate(settings.queues):
        if queue.number_shown is not None and queue.number_shown not in numbers:
            yield Problem(f"queue[{index}].number_shown", f"'{queue.number_shown}' is none of our numbers: {', '.join(numbers) or 'none'}")
