"""Where the flows come from, and which document of a flow is in use. One truth for each name:

1. what was published, if its current version is not 0;
2. else the file ``flows/NAME.yaml`` beside ``callcenter.toml``, or the table ``[flow.NAME]`` in it; never both.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from callcenter.domain.config import Canary
from callcenter.domain.ivr.flow import Flow
from callcenter.runtime.flow_documents import DocumentError, FlowDocument, read_document, read_file
from callcenter.runtime.flow_store import FlowStore, InUse, PublishedVersion, StoreError
from callcenter.runtime.settings_problems import Fault

FOLDER = "flows"


@dataclass(frozen=True)
class FlowSources:
    """The documents in use."""

    store: FlowStore
    in_use: Mapping[str, FlowDocument] = field(default_factory=dict)
    """By name; the flows of ``callcenter.toml`` itself are not among them."""
    canaries: Mapping[str, tuple[FlowDocument, float]] = field(default_factory=dict)
    """By name: the document that a share of the calls gets instead, and the share."""
    used: Mapping[str, InUse] = field(default_factory=dict)
    """What the store said."""
    aside: Mapping[str, str] = field(default_factory=dict)
    """By name: a file or table that is not used, because another version was published."""
    same: frozenset[str] = frozenset()
    """Those of them that say the same."""

    @property
    def behind(self) -> bool:
        """Whether something was published or rolled back since these were read. Raises StoreError."""
        return self.store.in_use() != self.used

    @property
    def notes(self) -> tuple[str, ...]:
        """Of each flow whose file says something else than what is in use: a sentence."""
        return tuple(
            f"flow {name}: version {self.in_use[name].version} is published and in use, and {place} says something else; "
            f"publish that, or give the flow back to it: callcenter flow rollback {name} 0"
            for name, place in self.aside.items()
            if name not in self.same
        )

    @cached_property
    def older(self) -> tuple[FlowDocument, ...]:
        """The published versions that callers may still be in. What can no longer be read is not among them."""
        used = {(name, document.version) for name, document in self.in_use.items()}
        used |= {(name, document.version) for name, (document, _) in self.canaries.items()}
        found = []
        for name in self.store.flows():
            for version in self.store.versions(name):
                if (name, version.number) not in used:
                    try:
                        found.append(published(version))
                    except DocumentError:
                        continue
        return tuple(found)

    @property
    def programs(self) -> Mapping[str, Flow]:
        """Those in use, as the core reads them."""
        return {name: document.program for name, document in self.in_use.items()}

    @property
    def versions(self) -> Mapping[tuple[str, int], Flow]:
        """Every published version, as the core reads it."""
        return {(document.name, document.version): document.program for document in self.all() if document.version}

    @property
    def shares(self) -> Mapping[str, Canary]:
        """The canaries, as the core reads them."""
        return {name: Canary(document.program, share) for name, (document, share) in self.canaries.items()}

    def all(self) -> tuple[FlowDocument, ...]:
        return (*self.in_use.values(), *(document for document, _ in self.canaries.values()), *self.older)


Instead = Mapping[str, FlowDocument | InUse]
"""What is to be tried in place of what is in use: a document, or what may soon be in use."""


def gather(file: Path, data: Path, tables: Collection[str], tried: Instead) -> FlowSources:
    """The documents of the center whose settings stand in ``file`` and name these flows in tables of their own. Raises DocumentError."""
    store = FlowStore(data)
    instead = {name: document for name, document in tried.items() if isinstance(document, FlowDocument)}
    try:
        used = {**store.in_use(), **{name: now for name, now in tried.items() if isinstance(now, InUse)}}
    except StoreError as error:
        raise DocumentError([Fault(str(store.folder), 0, "", str(error))]) from None
    files, unread = _files(file, tables)
    won = {name for name, now in used.items() if now.version}
    faults = [fault for name, found in unread.items() if name not in won and name not in instead for fault in found]
    in_use, canaries = dict(files), {}
    for name, now in used.items():
        if name not in instead:
            try:
                if now.version:
                    in_use[name] = published(store.find(name, now.version))
                if now.canary:
                    canaries[name] = (published(store.find(name, now.canary)), now.share)
            except StoreError as error:
                faults.append(Fault(str(store.folder / name), 0, "", str(error)))
            except DocumentError as error:
                faults += error.faults
    if faults:
        raise DocumentError(faults)
    places = {**dict.fromkeys(tables, str(file)), **{name: found[0].file for name, found in unread.items()}}
    places |= {name: str(document.file) for name, document in files.items()}
    aside = {name: place for name, place in places.items() if name in won}
    same = frozenset(name for name in aside if name in files and name in in_use and files[name].text == in_use[name].text)
    return FlowSources(store, {**in_use, **instead}, canaries, used, aside, same)


def _files(file: Path, tables: Collection[str]) -> tuple[dict[str, FlowDocument], dict[str, list[Fault]]]:
    """The documents beside the settings; and, by name, what is wrong with those that cannot be used."""
    documents: dict[str, FlowDocument] = {}
    unread: dict[str, list[Fault]] = {}
    folder = file.absolute().parent / FOLDER
    for path in sorted(folder.glob("*.y*ml")) if folder.is_dir() else ():
        if path.name.startswith(".") or path.suffix not in (".yaml", ".yml"):
            continue
        place = file.parent / FOLDER / path.name
        try:
            document = read_file(place)
            if document.name != path.stem:
                sentence = f"is '{document.name}', but in this folder a file is named after its flow: rename it to {document.name}.yaml"
                raise DocumentError([Fault(str(place), document.written.line("flow"), "flow", sentence)])
            if document.name in tables:
                sentence = f"'{document.name}' is a table of {file} too; keep one of both"
                raise DocumentError([Fault(str(place), document.written.line("flow"), "flow", sentence)])
            if document.name in documents:
                sentence = f"'{document.name}' is in {documents[document.name].file} too; keep one of both"
                raise DocumentError([Fault(str(place), document.written.line("flow"), "flow", sentence)])
            documents[document.name] = document
        except DocumentError as error:
            unread.setdefault(path.stem, []).extend(error.faults)
    return documents, unread


def published(version: PublishedVersion) -> FlowDocument:
    """A published version as a document. Raises DocumentError."""
    return _published(version.folder, version.flow, version.number, version.sha256)


@lru_cache(maxsize=4096)
def _published(folder: Path, flow: str, number: int, sha256: str) -> FlowDocument:
    """A published version never changes, so it is read once only."""
    version = FlowStore(folder.parent.parent.parent).find(flow, number)
    try:
        text = version.read()
    except StoreError as error:
        raise DocumentError([Fault(str(version.document), 0, "", str(error))]) from None
    recordings = {Path(name): version.folder / kept for name, kept in version.recordings.items()}
    return read_document(text, version.document, number, recordings)
