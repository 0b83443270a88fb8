"""What callcenter.toml says about agents' work: the checks no table can do alone, and how the core reads it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from callcenter.domain.agent import OWN_REASONS
from callcenter.domain.config import Device, DispositionRule, MissPolicy, OccupancyRule
from callcenter.domain.desk_names import LEVEL
from callcenter.runtime.settings_calling import dialing_rules
from callcenter.runtime.settings_model import AgentSection, MissedOffersSection, OccupancySection, QueueSection
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings


def agents_faults(settings: "Settings") -> Iterator[Problem]:
    yield from _reason_faults(settings)
    for index, queue in enumerate(settings.queues):
        yield from _wrap_up_faults(settings, f"queue[{index}]", queue)
    for index, agent in enumerate(settings.agents):
        yield from _opting_faults(f"agent[{index}]", agent)
        yield from _find_me_faults(settings, f"agent[{index}]", agent)
        if agent.language is not None and agent.language not in settings.center.languages:
            spoken = ", ".join(settings.center.languages)
            yield Problem(f"agent[{index}].language", f"'{agent.language}' is none of center.languages: {spoken}")


def disposition_rule(queue: QueueSection) -> DispositionRule:
    return DispositionRule(queue.dispositions, queue.disposition_required, queue.disposition_on_timeout, queue.not_ready_on_timeout or "")


def miss_policy(section: MissedOffersSection) -> MissPolicy:
    return MissPolicy(section.most, section.within, section.rest, section.busy_rest, section.busy_counts)


def occupancy_rule(section: OccupancySection) -> OccupancyRule | None:
    return None if section.ceiling is None else OccupancyRule(section.ceiling, section.micro_break)


def devices(settings: "Settings", agent: AgentSection) -> tuple[Device, ...]:
    """How she is reached, her desk phone among it."""
    rules = dialing_rules(settings) if any(device.number for device in agent.find_me) else None
    return tuple(Device(rules(each.number).number if rules and each.number else "", each.ring, each.accept) for each in agent.find_me)


def _find_me_faults(settings: "Settings", key: str, agent: AgentSection) -> Iterator[Problem]:
    if agent.leg == "persistent" and agent.find_me:
        yield Problem(f"{key}.find_me", 'means nothing with leg = "persistent": a leg that is up is never rung')
    outside = [index for index, device in enumerate(agent.find_me) if device.number is not None]
    for index, device in enumerate(agent.find_me):
        place = f"{key}.find_me[{index}]"
        if (device.phone is None) == (device.number is None):
            yield Problem(place, 'needs exactly one of phone ("desk") and number')
        if device.phone is not None and any(other.phone is not None for other in agent.find_me[:index]):
            yield Problem(f"{place}.phone", "is the desk phone a second time; name each device once")
    if not outside:
        return
    if settings.calling.trunk is None:
        yield Problem(f"{key}.find_me[{outside[0]}].number", "is outside, and calling.trunk is missing: through which trunk do we call?")
    if not settings.numbers:
        yield Problem(f"{key}.find_me[{outside[0]}].number", "is outside, and there is no [[number]] of ours to show there")
    for index in outside:
        number = agent.find_me[index].number or ""
        try:
            checked = dialing_rules(settings)(number)
        except (OSError, ValueError):  # what is wrong with the rules is said elsewhere
            return
        if not checked.may_be_dialed:
            yield Problem(f"{key}.find_me[{index}].number", f"may not be dialed: {checked.sentence}")
        elif number in [agent.find_me[other].number for other in outside if other < index]:
            yield Problem(f"{key}.find_me[{index}].number", "is there already; name each device once")


def _opting_faults(key: str, agent: AgentSection) -> Iterator[Problem]:
    for place, name in enumerate(agent.may_opt_out):
        if name not in agent.queues:
            yield Problem(
                f"{key}.may_opt_out[{place}]", f"names queue '{name}', which she does not serve; {key}.queues: {', '.join(agent.queues)}"
            )
    if agent.may_opt_out and agent.least_queues >= len(agent.queues):
        yield Problem(f"{key}.least_queues", f"is {agent.least_queues} of {len(agent.queues)} queues, so she may never opt out; lower it")


def _reason_faults(settings: "Settings") -> Iterator[Problem]:
    reasons = settings.center.not_ready_reasons
    for place, reason in enumerate(reasons):
        key = f"center.not_ready_reasons[{place}]"
        if reason in OWN_REASONS:
            yield Problem(key, f"'{reason}' is a reason that the center gives by itself; those are: {', '.join(sorted(OWN_REASONS))}")
        if reason in reasons[:place]:
            yield Problem(key, f"'{reason}' is there already")


def _wrap_up_faults(settings: "Settings", key: str, queue: QueueSection) -> Iterator[Problem]:
    for place, name in enumerate(queue.dispositions):
        if name in queue.dispositions[:place]:
            yield Problem(f"{key}.dispositions[{place}]", f"'{name}' is there already")
        if any(other.startswith(f"{name}{LEVEL}") for other in queue.dispositions):
            yield Problem(f"{key}.dispositions[{place}]", f"'{name}' cannot be chosen: it is a level above others")
    if queue.disposition_required and not queue.dispositions:
        yield Problem(f"{key}.disposition_required", "needs dispositions to choose from; name at least one")
    if queue.disposition_required and queue.wrap_up == timedelta(0):
        yield Problem(f"{key}.disposition_required", "needs time to give it: wrap_up_s must be more than 0")
    if queue.wrap_up_extension and queue.wrap_up == timedelta(0):
        yield Problem(f"{key}.wrap_up_extension_s", "extends nothing: wrap_up_s is 0")
    reason = queue.not_ready_on_timeout
    if reason is not None and not queue.disposition_required:
        yield Problem(f"{key}.not_ready_on_timeout", "means nothing without disposition_required = true")
    if reason is not None and reason not in settings.center.not_ready_reasons:
        allowed = ", ".join(settings.center.not_ready_reasons)
        yield Problem(f"{key}.not_ready_on_timeout", f"names '{reason}', which is not in center.not_ready_reasons: {allowed}")
