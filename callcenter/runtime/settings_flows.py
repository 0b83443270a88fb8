"""Flows of ``callcenter.toml``: checked against the rest of the file, and turned into the core's words."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from callcenter.domain.ivr.flow import Flow, attributes_set
from callcenter.domain.ivr.speech import LANGUAGES
from callcenter.domain.ivr.validation import Known, comes_back, faults, lacking_prompt
from callcenter.runtime.catalogue import Catalogue
from callcenter.runtime.settings_flow_model import FlowSection
from callcenter.runtime.settings_flow_said import VALUE, said
from callcenter.runtime.settings_problems import Problem

__all__ = ["flow", "flow_faults", "said", "unknown_prompts"]


def flow(name: str, section: FlowSection) -> Flow:
    """As the core reads it."""
    return section.program(name)


def flow_faults(sections: Mapping[str, FlowSection], known: Known, entered: Mapping[str, str]) -> Iterator[Problem]:
    """What makes flows unfit to run: places that do not exist, prompts nobody has, values nobody sets.

    ``known`` is what there is beside these flows; ``entered`` are the flows that calls come to, by the key that says so.
    """
    flows = {name: flow(name, section) for name, section in sections.items()}
    attributes = frozenset(known.attributes).union(*(attributes_set(each) for each in flows.values()))
    known = replace(known, flows={**known.flows, **flows}, attributes=attributes)
    for name, each in flows.items():
        for fault in faults(each, known):
            place = ".".join(filter(None, (f"flow.{name}", fault.node and f"node.{fault.node}", fault.key)))
            yield Problem(place, fault.sentence)
    for key, name in entered.items():
        if name in known.flows and comes_back(known.flows[name]):
            yield Problem(key, f"names flow '{name}', which has a return node: it can only be entered by another flow")


def unknown_prompts(key: str, pieces: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    """Prompts that the catalogue does not have, or not in all languages.

    The sounds that numbers are made of are not listed among those it has.
    """
    for piece in pieces:
        if VALUE.fullmatch(piece):
            continue
        if piece not in known:
            listed = frozenset(known).difference(*(language.sounds() for language in LANGUAGES.values()))
            yield Problem(key, f"names prompt '{piece}', which does not exist; prompts: {', '.join(sorted(listed)) or 'none'}")
        elif isinstance(known, Catalogue) and (lacking := known.lacking(piece)):
            yield Problem(key, lacking_prompt(piece, lacking, known.languages[piece]))
