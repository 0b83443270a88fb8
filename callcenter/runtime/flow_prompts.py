"""The prompts that are a flow's own: named after what they say, so that no version of a flow overwrites what another one says.

In the flow a prompt is ``greeting``; in the catalogue it is ``greeting-f15208edb6``. Callers who are inside an older version go on
hearing what that version says.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from callcenter.runtime.catalogue import Prompt
from callcenter.runtime.settings_fields import SaidMark
from callcenter.runtime.settings_flow_words import FlowWords
from callcenter.runtime.settings_problems import Problem

Words = TypeVar("Words", bound=FlowWords)


def own_prompts(section: FlowWords, recording: Callable[[Path], Path]) -> Mapping[str, "OwnPrompt"]:
    """By their ids in the flow. ``recording`` says where a file is that it names."""
    return {name: _own(section, name, recording) for name in section.prompts}


@dataclass(frozen=True, slots=True)
class OwnPrompt:
    """A flow's own prompt, as it stands in the catalogue."""

    id: str
    renderings: tuple[Prompt, ...]
    """In each of the languages it was written in; ``""`` is the center's, where the flow names none."""


def _own(section: FlowWords, name: str, recording: Callable[[Path], Path]) -> OwnPrompt:
    texts = {(language if "languages" in section.model_fields_set else ""): said for language, said in section.prompts[name].items()}
    files = {language: recording(said.file) for language, said in texts.items() if said.file is not None}
    what = hashlib.sha256()
    for language, said in sorted(texts.items()):
        file = files.get(language)
        what.update(file.read_bytes() if file and file.is_file() else f"{language}\0{said.text}\0".encode())
    own = f"{name[:48]}-{what.hexdigest()[:10]}"
    return OwnPrompt(own, tuple(Prompt(own, said.text or "", language, file=files.get(language)) for language, said in texts.items()))


def prompt_faults(key: str, section: FlowWords, recording: Callable[[Path], Path]) -> Iterator[Problem]:
    """What they lack: files that are not there, languages that nobody hears."""
    for name, texts in section.prompts.items():
        for language, said in texts.items():
            if language not in section.languages:
                yield Problem(f"{key}.{name}.{language}", f"is none of the flow's languages: {', '.join(section.languages)}")
            if said.file is not None and not recording(said.file).is_file():
                yield Problem(f"{key}.{name}.{language}.file", f"names '{said.file}', which is not a file")
        for language in section.languages:
            if language not in texts:
                yield Problem(f"{key}.{name}", f"has no text in '{language}', which is one of the flow's languages")


def with_prompts(section: Words, names: Mapping[str, str]) -> Words:
    """The same flow, with these prompts under other names wherever a node says them."""
    if not names:
        return section
    nodes = {name: _renamed(node, names) for name, node in _nodes(section).items()}
    return section.model_copy(update={"nodes": nodes})


def _nodes(section: FlowWords) -> Mapping[str, BaseModel]:
    nodes: Mapping[str, BaseModel] = getattr(section, "nodes", {})
    return nodes


def _renamed(section: BaseModel, names: Mapping[str, str]) -> BaseModel:
    """With every prompt in it renamed, however deep."""
    changes: dict[str, object] = {}
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        renamed = _said(value, names) if SaidMark.marks(field) else _inside(value, names)
        if renamed is not value:
            changes[name] = renamed
    return section.model_copy(update=changes) if changes else section


def _inside(value: object, names: Mapping[str, str]) -> object:
    """Tables in a value may say something, too."""
    if isinstance(value, BaseModel):
        return _renamed(value, names)
    if isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        return tuple(_inside(item, names) for item in value)
    if isinstance(value, dict) and any(isinstance(item, BaseModel) for item in value.values()):
        return {key: _inside(item, names) for key, item in value.items()}
    return value


def _said(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, tuple):
        return tuple(_said(item, names) for item in value)
    return {key: _said(item, names) for key, item in value.items()} if isinstance(value, dict) else value
