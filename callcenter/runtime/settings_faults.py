"""What is wrong in settings that no table of them can know alone: names that lead nowhere, or stand twice."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from callcenter.domain.call import PAYMENT
from callcenter.domain.ivr.leaving import CALLS_BACK
from callcenter.domain.ivr.validation import Known
from callcenter.runtime.catalogue import DEFAULT_MUSIC, CatalogueError, tones
from callcenter.runtime.settings_agents import agents_faults
from callcenter.runtime.settings_calendars import calendar_faults
from callcenter.runtime.settings_calling import calling_faults, number_refusal
from callcenter.runtime.settings_console import console_faults
from callcenter.runtime.settings_desk_phone import desk_phone_faults
from callcenter.runtime.settings_dips import dip_attributes, dips_faults
from callcenter.runtime.settings_flows import flow_faults
from callcenter.runtime.settings_languages import language_faults
from callcenter.runtime.settings_machines import machine_faults
from callcenter.runtime.settings_oidc import oidc_faults
from callcenter.runtime.settings_problems import Problem
from callcenter.runtime.settings_routing import routing_faults
from callcenter.runtime.settings_softphone import softphone_faults
from callcenter.runtime.settings_speech import speech_faults
from callcenter.runtime.settings_supervision import supervision_faults
from callcenter.runtime.settings_teams import skill_faults, team_faults
from callcenter.runtime.settings_transfers import extension_faults
from callcenter.runtime.settings_voicemail import mailbox_sections, voicemail_faults
from callcenter.runtime.settings_waiting import waiting_faults

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings


def faults(settings: "Settings") -> Iterator[Problem]:
    """Everything that is wrong across tables."""
    yield from _repeated("node", [node.name for node in settings.nodes])
    yield from _repeated("trunk", [trunk.name for trunk in settings.trunks])
    yield from _repeated("queue", [queue.name for queue in settings.queues])
    yield from _repeated("agent", [agent.name for agent in settings.agents])
    yield from _repeated("supervisor", [supervisor.name for supervisor in settings.supervisors])
    yield from _repeated("music", [music.name for music in settings.music])
    yield from machine_faults(settings)
    yield from _number_faults(settings)
    yield from calling_faults(settings)
    yield from _reference_faults(settings)
    yield from agents_faults(settings)
    yield from softphone_faults(settings)
    yield from oidc_faults(settings)
    yield from team_faults(settings)
    yield from skill_faults(settings)
    yield from console_faults(settings)
    yield from routing_faults(settings)
    yield from extension_faults(settings)
    yield from supervision_faults(settings)
    yield from desk_phone_faults(settings)
    yield from _media_faults(settings)
    yield from dips_faults(settings)
    for name in settings.payments.flows:
        yield from _unknown("payments.flows", "flow", name, list(settings.flows))
    yield from speech_faults(settings)
    yield from language_faults(settings)
    yield from flow_faults(settings.flows, _known(settings), _entered(settings))
    yield from calendar_faults(settings)
    yield from waiting_faults(settings.queues, settings.flows, settings.catalogue)
    yield from voicemail_faults(settings)


def _known(settings: "Settings") -> Known:
    """What flows may name."""
    names = {
        "queue": [queue.name for queue in settings.queues],
        CALLS_BACK: [queue.name for queue in settings.queues if queue.callback is not None],
        "agent": [agent.name for agent in settings.agents],
        "list": [caller_list.name for caller_list in settings.caller_lists],
        "hours": list(settings.calendars),
        "source": list(settings.dips),
        "mailbox": list(mailbox_sections(settings)),
    }
    attributes, spoken = {PAYMENT, *dip_attributes(settings)}, settings.spoken.spoken
    refusal = partial(number_refusal, settings)
    return Known(names, prompts=settings.catalogue.languages, speaks=spoken, refusal=refusal, attributes=attributes)


def _entered(settings: "Settings") -> Mapping[str, str]:
    """The flows that calls come to, by the key that says so."""
    entered = {f"number[{index}].flow": number.flow for index, number in enumerate(settings.numbers) if number.flow}
    for index, queue in enumerate(settings.queues):
        actions = {
            "overflow_flow": f"flow:{queue.overflow_flow}",
            "survey_flow": f"flow:{queue.survey_flow}",
            "callback.flow": f"flow:{queue.callback and queue.callback.flow}",
        }
        actions |= {f"keys.{key}": action for key, action in queue.keys.items()}
        actions |= {f"overflow[{place}].to": row.to for place, row in enumerate(queue.overflow)}
        actions |= {"closing.to": queue.closing.to} if queue.closing else {}
        for key, action in actions.items():
            if action.startswith("flow:"):
                entered[f"queue[{index}].{key}"] = action.removeprefix("flow:")
    return entered


def _repeated(table: str, names: list[str], key: str = "name") -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(f"{table}[{index}].{key}", f"'{name}' is taken by {table}[{names.index(name)}]; each needs a {key} of its own")


def _number_faults(settings: "Settings") -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, number in enumerate(settings.numbers):
        key = f"number[{index}]"
        try:
            did = settings.did(number)
        except ValueError as error:
            yield Problem(f"{key}.did", str(error))
            continue
        if did in seen:
            yield Problem(f"{key}.did", f"'{number.did}' is the number of number[{seen[did]}] already")
        seen[did] = index


def _reference_faults(settings: "Settings") -> Iterator[Problem]:
    queues = [queue.name for queue in settings.queues]
    flows = list(settings.flows)
    for index, number in enumerate(settings.numbers):
        yield from _unknown(f"number[{index}].flow", "flow", number.flow, flows)
        yield from _unknown(f"number[{index}].fallback_queue", "queue", number.fallback_queue, queues)
    for index, queue in enumerate(settings.queues):
        yield from _unknown(f"queue[{index}].overflow_flow", "flow", queue.overflow_flow, flows)
        yield from _unknown(f"queue[{index}].survey_flow", "flow", queue.survey_flow, flows)
        yield from _unknown(f"queue[{index}].lookup", "dip", queue.lookup, list(settings.dips))
        yield from _unknown(f"queue[{index}].music", "music", queue.music, [DEFAULT_MUSIC, *(music.name for music in settings.music)])
    for index, agent in enumerate(settings.agents):
        for place, name in enumerate(agent.queues):
            yield from _unknown(f"agent[{index}].queues[{place}]", "queue", name, queues)


def _unknown(key: str, what: str, name: str | None, existing: list[str]) -> Iterator[Problem]:
    if name is not None and name not in existing:
        plural = "music" if what == "music" else f"{what}s"
        yield Problem(key, f"names {what} '{name}', which does not exist; {plural}: {', '.join(sorted(set(existing))) or 'none'}")


def _media_faults(settings: "Settings") -> Iterator[Problem]:
    for index, prompt in enumerate(settings.prompts):
        key = f"prompt[{index}]"
        if (prompt.text is None) + (prompt.file is None) + (prompt.source is None) != 2:
            yield Problem(key, "needs exactly one of text, file and source")
        yield from _source_faults(settings, key, prompt.file, prompt.source)
    for index, music in enumerate(settings.music):
        key = f"music[{index}]"
        if (music.folder is None) == (music.source is None):
            yield Problem(key, "needs exactly one of folder and source")
        yield from _source_faults(settings, key, music.folder, music.source, "folder")


def _source_faults(settings: "Settings", key: str, path: Path | None, source: str | None, what: str = "file") -> Iterator[Problem]:
    if source is not None:
        try:
            tones(source)
        except CatalogueError as error:
            yield Problem(f"{key}.source", str(error))
    if path is not None:
        found = settings.beside_the_file(path)
        if not (found.is_dir() if what == "folder" else found.is_file()):
            yield Problem(f"{key}.{what}", f"names '{path}', which is not a {what}")
