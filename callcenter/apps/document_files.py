"""The documents as text files: one TOML file, or a folder of them, as ``callcenter config export`` writes and ``apply`` reads them."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from callcenter.domain.documents import Documents, kind_of
from callcenter.runtime import toml_text
from callcenter.runtime.document_kinds import KINDS, SplitError, join, split
from callcenter.runtime.whole_files import write_whole

HEAD = """# Documents of the center, written by `callcenter config export`. Change them here, then:
#   callcenter config plan {folder}      what would change
#   callcenter config apply {folder}     change it

"""


class FilesError(Exception):
    """They cannot be read or written; the sentence says why and where."""


def read_documents(paths: Sequence[Path]) -> tuple[Documents, Sequence[str]]:
    """All documents in these files and folders, and the names of the other tables there. Raises FilesError."""
    files = [file for path in paths for file in (sorted(path.glob("*.toml")) if path.is_dir() else [path])]
    if not files:
        raise FilesError(f"there is no file *.toml in {', '.join(map(str, paths))}")
    documents: dict[str, Mapping[str, object]] = {}
    others: dict[str, None] = {}
    where: dict[str, Path] = {}
    for file in files:
        try:
            site, found = split(tomllib.loads(file.read_text(encoding="utf-8")))
        except OSError as error:
            raise FilesError(f"{file}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise FilesError(f"{file}: is not UTF-8 text; save it as such") from None
        except tomllib.TOMLDecodeError as error:
            raise FilesError(f"{file}: is not valid TOML: {error}") from None
        except SplitError as error:
            raise FilesError(f"{file}: {error}") from None
        for key in found:
            if key in documents:
                raise FilesError(f"{file}: {key} is in {where[key]}, too")
            where[key] = file
        documents.update(found)
        others.update(dict.fromkeys(site))
    return documents, tuple(others)


def as_text(documents: Documents) -> str:
    """All of them as one TOML text."""
    return toml_text.pretty(join({}, in_order(documents)))


def in_order(documents: Documents) -> Documents:
    """By kind as the kinds are listed, and within a kind as they are."""
    kinds = list(KINDS)
    return {key: documents[key] for key in sorted(documents, key=lambda key: kinds.index(kind_of(key)))}


def write_folder(folder: Path, documents: Documents) -> Sequence[Path]:
    """One file for each kind; files of kinds that have no document any more go. Raises FilesError."""
    by_kind: dict[str, dict[str, Mapping[str, object]]] = {}
    for key, body in documents.items():
        by_kind.setdefault(kind_of(key), {})[key] = body
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            file = folder / f"{kind}.toml"
            if kind in by_kind:
                write_whole(file, HEAD.format(folder=folder) + as_text(by_kind[kind]), 0o644)
            else:
                file.unlink(missing_ok=True)
    except OSError as error:
        raise FilesError(f"{error.filename or folder}: {error.strerror or error}") from None
    return [folder / f"{kind}.toml" for kind in KINDS if kind in by_kind]


def write_into(file: Path, documents: Documents) -> Path:
    """The documents in place of those in ``callcenter.toml``, whose site settings stay; return where the former file is kept.

    Comments are not kept. Raises FilesError.
    """
    try:
        text = file.read_text(encoding="utf-8")
        site, _ = split(tomllib.loads(text))
        former = file.with_name(f"{file.name}.before")
        write_whole(former, text, file.stat().st_mode & 0o777)
        write_whole(file, toml_text.pretty(join(site, in_order(documents))))
    except OSError as error:
        raise FilesError(f"{error.filename or file}: {error.strerror or error}") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise FilesError(f"{file}: {error}") from None
    return former
