"""A flow as a document of its own: YAML, read into the same sections as ``[flow.NAME]`` of ``callcenter.toml``.

What does not fit is said with its place: ``flows/main.yaml:12: nodes.ask.next: …``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from pydantic import Field, ValidationError

from callcenter.domain.ivr.flow import Flow
from callcenter.runtime.flow_prompts import OwnPrompt, own_prompts, prompt_faults, with_prompts
from callcenter.runtime.settings_fields import Name
from callcenter.runtime.settings_flow_model import FlowNodeSection, FlowSection
from callcenter.runtime.settings_flows import flow
from callcenter.runtime.settings_problems import Fault, Problem, from_pydantic
from callcenter.runtime.yaml_text import Written, YamlError, read_yaml, write_yaml

_NODE = re.compile(r"node '([a-z][a-z0-9_-]*)'")


class DocumentError(Exception):
    """A document cannot be used; ``faults`` are all that were found."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class DocumentSection(FlowSection):
    """A whole document: the flow and its name."""

    flow: Name
    """Its name: what numbers, queues and other flows call it by."""
    nodes: dict[Name, FlowNodeSection] = Field(min_length=1, max_length=2000)


@dataclass(frozen=True)
class FlowDocument:
    """A document that fits its grammar; whether its places exist is for the settings to say."""

    section: DocumentSection
    file: Path
    written: Written
    text: str
    version: int = 0
    """The published one that it is; 0: a file."""
    recordings: Mapping[Path, Path] = field(default_factory=dict)
    """Where the recordings of a published version are kept."""

    @property
    def name(self) -> str:
        return self.section.flow

    @property
    def place(self) -> str:
        """As people know it."""
        return f"{self.name} (version {self.version})" if self.version else str(self.file)

    def fault(self, problem: Problem) -> Fault:
        """The problem with its place. What is said of the whole flow, but names a node, is said of that node."""
        key = problem.key.removeprefix(f"flow.{self.name}").removeprefix(".")
        key = re.sub(r"^node\.", "nodes.", key)
        if not key and (named := _NODE.match(problem.sentence)) and f"nodes.{named[1]}" in self.written.lines:
            key = f"nodes.{named[1]}"
        if not key and problem.sentence.startswith("start "):
            return Fault(self.place, self.written.line("start"), "start", problem.sentence.removeprefix("start "))
        return Fault(self.place, self.written.line(key), key, problem.sentence)

    def recording(self, file: Path) -> Path:
        """Where a recording is that the document names."""
        return self.recordings.get(file) or (self.file.absolute().parent / file.expanduser()).resolve()

    @cached_property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """Its own, by their ids in it."""
        return own_prompts(self.section, self.recording)

    @cached_property
    def resolved(self) -> FlowSection:
        """The flow as the core may read it: its own prompts by their names in the catalogue."""
        return with_prompts(self.section, {name: prompt.id for name, prompt in self.prompts.items()})

    @cached_property
    def program(self) -> Flow:
        """As the core reads it."""
        return replace(flow(self.name, self.resolved), version=self.version)

    def faults(self) -> Iterator[Fault]:
        """What its own prompts lack."""
        for problem in prompt_faults("prompts", self.section, self.recording):
            yield self.fault(problem)


def as_document(name: str, table: FlowSection) -> str:
    """The flow of a table ``[flow.NAME]``, written as a document of its own: to begin from."""
    body = {key: _plain(value) for key, value in table.model_dump(by_alias=True, exclude_unset=True).items()}
    nodes = body.pop("node")
    return write_yaml({"flow": name, **body, "nodes": nodes})


def _plain(value: object) -> object:
    """As it is written: lengths of time in seconds."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    return value if value is None or type(value) in (str, int, float, bool) else str(value)


def read_document(text: str, file: Path, version: int = 0, recordings: Mapping[Path, Path] | None = None) -> FlowDocument:
    """Read what stands in ``file``. Raises DocumentError."""
    place = f"{file}"
    try:
        written = read_yaml(text)
    except YamlError as error:
        raise DocumentError([Fault(place, error.line, error.key, error.sentence)]) from None
    if not isinstance(written.value, dict):
        raise DocumentError([Fault(place, 1, "", "is no flow; it begins with 'flow: NAME', 'start: NODE' and 'nodes:'")])
    try:
        section = DocumentSection.model_validate(written.value)
    except ValidationError as error:
        problems = from_pydantic(error, DocumentSection)
        raise DocumentError([Fault(place, written.line(problem.key), problem.key, problem.sentence) for problem in problems]) from None
    return FlowDocument(section, file, written, text, version, recordings or {})


def read_file(file: Path) -> FlowDocument:
    """Raises DocumentError."""
    try:
        if file.stat().st_size > 4 * 1024 * 1024:
            raise DocumentError([Fault(str(file), 0, "", "is no flow: it is larger than 4 MiB")])
        return read_document(file.read_text(encoding="utf-8-sig"), file)
    except UnicodeDecodeError:
        raise DocumentError([Fault(str(file), 0, "", "is not UTF-8 text; save it as such")]) from None
    except OSError as error:
        raise DocumentError([Fault(str(file), 0, "", f"cannot be read: {error.strerror}")]) from None
