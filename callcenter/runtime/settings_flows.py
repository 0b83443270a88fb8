"""Flows of ``callcenter.toml``: checked against the rest of the file, and turned into the core's words."""

import re
from collections.abc import Iterable, Iterator, Mapping

from callcenter.domain.ivr.flow import (
    CALLER,
    CallbackNode,
    CollectNode,
    Flow,
    HangUpNode,
    MenuNode,
    Node,
    PromptNode,
    QueueNode,
    attributes_said,
    attributes_set,
    faults,
)
from callcenter.domain.ivr.speech import LANGUAGES, Pieces, SpeakAs, Spoken
from callcenter.runtime.settings_model import (
    CallbackNodeSection,
    CollectNodeSection,
    FlowNodeSection,
    FlowSection,
    HangUpNodeSection,
    MenuNodeSection,
    PromptNodeSection,
    QueueNodeSection,
)
from callcenter.runtime.settings_problems import Problem
from callcenter.runtime.settings_routing_model import needs_of

_VALUE = re.compile(r"\{([a-z]+):([a-z0-9_]+)\}")


def flow(name: str, section: FlowSection) -> Flow:
    """As the core reads it."""
    return Flow(name, section.start, {node_name: _node(node) for node_name, node in section.nodes.items()})


def said(written: Iterable[str]) -> Pieces:
    """What a node says, from ``["your-number-is", "{digits:number}"]``; a single prompt stands for itself."""
    read = tuple(Spoken(SpeakAs(value[1]), value[2]) if (value := _VALUE.fullmatch(piece)) else piece for piece in written)
    return read[0] if len(read) == 1 and isinstance(read[0], str) else read


def _node(section: FlowNodeSection) -> Node:
    match section:
        case PromptNodeSection():
            return PromptNode(said(section.prompt), section.next)
        case MenuNodeSection():
            return MenuNode(
                prompt=said(section.prompt),
                choices=dict(section.choices),
                otherwise=section.otherwise,
                timeout=section.timeout,
                tries=section.tries,
                invalid_prompt=said(section.invalid_prompt or ()) or None,
            )
        case CollectNodeSection():
            return CollectNode(
                prompt=said(section.prompt),
                attribute=section.attribute,
                next=section.next,
                otherwise=section.otherwise,
                min_length=section.min_length,
                max_length=section.max_length,
                terminator=section.terminator,
                first_digit=section.first_digit,
                next_digit=section.next_digit,
                tries=section.tries,
                invalid_prompt=said(section.invalid_prompt or ()) or None,
            )
        case CallbackNodeSection():
            return CallbackNode(section.queue, section.next, section.otherwise, section.attribute, section.priority, section.after)
        case QueueNodeSection():
            return QueueNode(section.queue, section.priority, needs_of(section))
        case HangUpNodeSection():
            return HangUpNode()


def flow_faults(sections: Mapping[str, FlowSection], queues: Iterable[str], prompts: Iterable[str]) -> Iterator[Problem]:
    """What makes flows unfit to run: places that do not exist, prompts nobody has, values nobody sets."""
    flows = {name: flow(name, section) for name, section in sections.items()}
    there: dict[str, object] = dict.fromkeys(queues)
    known = frozenset(prompts)
    attributes = frozenset({CALLER}.union(*(attributes_set(each) for each in flows.values())))
    for name, each in flows.items():
        for sentence in faults(each, there):
            yield Problem(f"flow.{name}", sentence)
        for speaking, attribute in attributes_said(each):
            if attribute not in attributes:
                yield Problem(
                    f"flow.{name}.node.{speaking}.prompt",
                    f"says attribute '{attribute}', which no collect node sets; attributes: {', '.join(sorted(attributes))}",
                )
        for node_name, node in each.nodes.items():
            if isinstance(node, CallbackNode) and node.attribute not in attributes:
                yield Problem(
                    f"flow.{name}.node.{node_name}.attribute",
                    f"'{node.attribute}' is set by no collect node; attributes: {', '.join(sorted(attributes))}",
                )
        for node_name, node_section in sections[name].nodes.items():
            yield from _prompt_faults(f"flow.{name}.node.{node_name}", node_section, known)


def _prompt_faults(key: str, node: FlowNodeSection, known: frozenset[str]) -> Iterator[Problem]:
    if isinstance(node, PromptNodeSection | MenuNodeSection | CollectNodeSection):
        yield from unknown_prompts(f"{key}.prompt", node.prompt, known)
    if isinstance(node, MenuNodeSection | CollectNodeSection):
        yield from unknown_prompts(f"{key}.invalid_prompt", node.invalid_prompt or (), known)


def unknown_prompts(key: str, pieces: Iterable[str], known: frozenset[str]) -> Iterator[Problem]:
    """Prompts that the catalogue does not have. The sounds that numbers are made of are not listed among those it has."""
    for piece in pieces:
        if not _VALUE.fullmatch(piece) and piece not in known:
            listed = known.difference(*(language.sounds() for language in LANGUAGES.values()))
            yield Problem(key, f"names prompt '{piece}', which does not exist; prompts: {', '.join(sorted(listed)) or 'none'}")
