"""What the center goes by: ``callcenter.toml`` alone, or its site settings together with the documents (decision 0012).

1. No copy of documents on this disk: the file is everything.
2. The file holds no documents, or those it held when it was last applied: the documents of the copy.
3. The file was edited since, and nobody has changed the documents otherwise: the file. ``books`` makes a version of it once the engine
   goes by it.
4. Both were changed: the documents, and a sentence that says so; nobody's work is lost or taken over unseen.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from callcenter.domain.documents import Body, Documents, digest
from callcenter.runtime import toml_text
from callcenter.runtime.document_cache import Cached
from callcenter.runtime.document_kinds import SplitError, join, split


class Origin(StrEnum):
    """Where the documents that count come from."""

    FILE = "file"
    """``callcenter.toml``; there are no others."""
    SAME = "same"
    """``callcenter.toml``, as it was last applied."""
    EDITED = "edited"
    """``callcenter.toml``, edited since it was last applied."""
    DOCUMENTS = "documents"
    """The documents; ``callcenter.toml`` holds none, or older ones."""
    CONFLICT = "conflict"
    """The documents; but ``callcenter.toml`` was edited, too."""


@dataclass(frozen=True)
class CenterSource:
    """What counts, as the text of a whole ``callcenter.toml``."""

    text: str
    origin: Origin
    note: str = ""
    """What the operator should know; empty: nothing."""
    site: Mapping[str, object] = field(default_factory=dict)
    in_file: Documents = field(default_factory=dict)
    cached: Cached | None = None


def source(text: str, file: Path, cached: Cached | None) -> CenterSource:
    """What counts on a center whose file says ``text``."""
    try:
        site, in_file = split(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, SplitError):
        return CenterSource(text, Origin.FILE)  # its own checks say what is wrong with it
    if cached is None:
        return CenterSource(text, Origin.FILE, "", site, in_file)
    origin = _origin(in_file, cached)
    whole = text if origin in (Origin.SAME, Origin.EDITED) else toml_text.text(join(site, cached.documents))
    return CenterSource(whole, origin, _note(origin, file, in_file, cached), site, in_file, cached)


def _origin(in_file: Mapping[str, Body], cached: Cached) -> Origin:
    if not in_file:
        return Origin.DOCUMENTS
    now = digest(in_file)
    if now == digest(cached.documents):
        return Origin.SAME
    if now == cached.file:
        return Origin.DOCUMENTS
    return Origin.EDITED if cached.is_the_files else Origin.CONFLICT


def _note(origin: Origin, file: Path, in_file: Documents, cached: Cached) -> str:
    version = f"version {cached.version} ({cached.at:%Y-%m-%d %H:%M} UTC{f', {cached.author}' if cached.author else ''})"
    if origin is Origin.CONFLICT:
        return (
            f"{file} was edited, but the documents were changed, too: the center goes by {version} of them. "
            f"To see the difference: callcenter config plan {file}; to take the file: callcenter config apply {file}; "
            f"to take the documents into the file: callcenter config export --into {file}"
        )
    if origin is Origin.DOCUMENTS and in_file:
        return f"the center goes by {version} of its documents; what {file} says of queues, agents and the like is older"
    return ""
