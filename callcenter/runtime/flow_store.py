"""The published flows: every version as it was published, for good, and which of them is in use.

    <data>/flows/main/0007/document.yaml     version 7 of flow main, never changed
    <data>/flows/main/0007/version.json      who published it, when, with which note, and the hash of the document
    <data>/flows/main/0007/2c26b46b.wav      a recording that its prompts name
    <data>/flows/in-use.json                 which version of each flow is in use, its canary, and what was done so far

A version appears with all of its files at once, and all flows of one publication come into use by one rename; so a crash
at any moment leaves what was, or what is to be. Numbers are never used twice.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from callcenter.runtime.whole_files import NEW, alone_in, make_folder_whole, write_whole

KEPT = 200
"""Of each flow; older versions are removed, but for those in use."""
ACTIONS_KEPT = 1000
DOCUMENT, VERSION = "document.yaml", "version.json"


class StoreError(Exception):
    """There is no such version, or the store cannot be read or written; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """One version of one flow."""

    flow: str
    number: int
    at: datetime
    author: str
    note: str
    sha256: str
    """The first 12 digits, of the document and its recordings."""
    folder: Path
    recordings: Mapping[str, str] = field(default_factory=dict)
    """From the path that the document names to the file in the folder."""

    @property
    def document(self) -> Path:
        return self.folder / DOCUMENT

    def read(self) -> str:
        """Its text. Raises StoreError."""
        try:
            text = self.document.read_text(encoding="utf-8")
            recordings = {name: (self.folder / kept).read_bytes() for name, kept in self.recordings.items()}
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"version {self.number} of flow '{self.flow}' cannot be read: {error}; {_another(self.flow)}") from None
        if digest(text, recordings) != self.sha256:
            raise StoreError(f"version {self.number} of flow '{self.flow}' was changed since it was published; {_another(self.flow)}")
        return text


@dataclass(frozen=True, slots=True)
class InUse:
    """Which versions of a flow callers get."""

    version: int
    """0: none that was published; the one in the files, if any."""
    canary: int = 0
    """A version that a share of the calls gets instead; 0: none."""
    share: float = 0.0
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody did to a flow."""

    at: str
    by: str
    flow: str
    did: str
    """``publish``, ``canary`` or ``rollback``."""
    version: int
    canary: int = 0
    share: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that is to be published."""

    flow: str
    text: str
    recordings: Mapping[str, bytes] = field(default_factory=dict)
    """By the path that the document names."""


def digest(text: str, recordings: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256(text.encode())
    for name in sorted(recordings):
        whole.update(b"\0%s\0%s" % (name.encode(), hashlib.sha256(recordings[name]).digest()))
    return whole.hexdigest()[:12]


class FlowStore:
    """All published flows of one data folder."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "flows"

    # --- reading --------------------------------------------------------------------------------

    def in_use(self) -> Mapping[str, InUse]:
        """By flow; a flow that was never published is not there. Raises StoreError."""
        return self._read()[0]

    def actions(self) -> Sequence[Action]:
        """What was done, in order. Raises StoreError."""
        return self._read()[1]

    def flows(self) -> Sequence[str]:
        """Every flow of which something was ever published."""
        return sorted(path.name for path in self.folder.iterdir() if path.is_dir()) if self.folder.is_dir() else []

    def versions(self, flow: str) -> Sequence[PublishedVersion]:
        """In the order in which they were published. What is damaged is not among them."""
        folder = self.folder / flow
        numbers = sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit()) if folder.is_dir() else []
        return [version for number in numbers if (version := self._version(flow, number)) is not None]

    def find(self, flow: str, number: int) -> PublishedVersion:
        """Raises StoreError."""
        found = self._version(flow, number)
        if found is None:
            there = ", ".join(str(version.number) for version in self.versions(flow)[-20:]) or "none"
            raise StoreError(f"there is no version {number} of flow '{flow}'; versions: {there}")
        return found

    def before(self, flow: str) -> InUse:
        """What was in use before that which is: without its canary if it has one, else the version before. Raises StoreError."""
        now = self.in_use().get(flow)
        if now is None or not (now.version or now.canary):
            raise StoreError(f"flow '{flow}' was never published; published: {', '.join(sorted(self.in_use())) or 'none'}")
        if now.canary:
            return InUse(now.version)
        earlier = [0, *(action.version for action in self.actions() if action.flow == flow and not action.canary)]
        for number in reversed(earlier):
            if number != now.version and (number == 0 or self._version(flow, number) is not None):
                return InUse(number)
        raise StoreError(f"there is no version of flow '{flow}' before {now.version}; see: callcenter flow list {flow}")

    def _version(self, flow: str, number: int) -> PublishedVersion | None:
        folder = self.folder / flow / f"{number:04}"
        try:
            kept = json.loads((folder / VERSION).read_text(encoding="utf-8"))
            return PublishedVersion(
                flow,
                number,
                datetime.fromisoformat(kept["at"]),
                str(kept["author"]),
                str(kept["note"]),
                str(kept["sha256"]),
                folder,
                {str(name): Path(str(file)).name for name, file in kept["recordings"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _read(self) -> tuple[dict[str, InUse], list[Action]]:
        file = self.folder / "in-use.json"
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            in_use = {str(flow): InUse(int(at["version"]), int(at["canary"]), float(at["share"])) for flow, at in kept["flows"].items()}
            return in_use, [Action(**action) for action in kept["actions"]]
        except (FileNotFoundError, NotADirectoryError):
            return {}, []
        except OSError as error:
            raise StoreError(f"{file} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoreError(f"{file} is damaged; bring it back from a backup, or remove it and publish the flows again") from None

    # --- writing --------------------------------------------------------------------------------

    def alone(self) -> AbstractContextManager[None]:
        """Only one publication at a time; the next one waits. Raises OSError."""
        return alone_in(self.folder)

    def add(self, draft: Draft, at: datetime, author: str, note: str) -> PublishedVersion:
        """Keep it as a new version, which nobody uses yet; or the version that says the same, if the latest does. Raises OSError."""
        versions = self.versions(draft.flow)
        sha256 = digest(draft.text, draft.recordings)
        if versions and versions[-1].sha256 == sha256:
            return versions[-1]
        folder = self.folder / draft.flow
        folder.mkdir(mode=0o700, exist_ok=True)
        self._clear_away(draft.flow, versions)
        number = max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0) + 1
        recordings = {name: f"{hashlib.sha256(content).hexdigest()[:16]}.wav" for name, content in draft.recordings.items()}
        told = {"flow": draft.flow, "version": number, "at": at.isoformat(), "author": author, "note": note, "sha256": sha256}
        files = {DOCUMENT: draft.text.encode(), VERSION: json.dumps({**told, "recordings": recordings}, indent=2).encode()}
        files |= {recordings[name]: content for name, content in draft.recordings.items()}
        make_folder_whole(folder / f"{number:04}", files)
        return self.find(draft.flow, number)

    def use(self, changes: Mapping[str, InUse], did: str, at: datetime, by: str, note: str = "") -> None:
        """From now on these are in use, all at once. Raises OSError, StoreError."""
        in_use, actions = self._read()
        in_use.update(changes)
        actions += [Action(at.isoformat(), by, flow, did, now.version, now.canary, now.share, note) for flow, now in changes.items()]
        self._write(in_use, actions)

    def _write(self, in_use: Mapping[str, InUse], actions: Sequence[Action]) -> None:
        kept = {
            "flows": {flow: asdict(now) for flow, now in sorted(in_use.items())},
            "actions": [asdict(action) for action in actions[-ACTIONS_KEPT:]],
        }
        write_whole(self.folder / "in-use.json", json.dumps(kept, indent=1), mode=0o600)

    def put_back(self, before: Mapping[str, InUse | None]) -> None:
        """As it was before the latest change of these flows, which the engine refused. Raises OSError, StoreError."""
        in_use, actions = self._read()
        for flow, was in before.items():
            in_use.pop(flow, None)
            if was is not None:
                in_use[flow] = was
        self._write(in_use, actions[: -len(before)])

    def _clear_away(self, flow: str, versions: Sequence[PublishedVersion]) -> None:
        """Publications that were not finished, and versions that nobody has needed for long."""
        for unfinished in (self.folder / flow).glob(f"{NEW}*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        now = self.in_use().get(flow, InUse(0))
        for old in versions[: max(0, len(versions) + 1 - KEPT)]:
            if old.number not in (now.version, now.canary):
                shutil.rmtree(old.folder, ignore_errors=True)


def _another(flow: str) -> str:
    return f"choose another one: callcenter flow list {flow}; callcenter flow rollback {flow} NUMBER"
