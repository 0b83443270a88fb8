"""Publishing flows and rolling them back: checked as a whole, then in use at once, for callers who come from then on."""

import asyncio
import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callcenter.runtime.asterisk_media import add_prompts
from callcenter.runtime.data_folder import DataFolder
from callcenter.runtime.flow_documents import DocumentError, DocumentSection, FlowDocument, read_file
from callcenter.runtime.flow_sources import Instead, published
from callcenter.runtime.flow_store import Draft, FlowStore, InUse, StoreError
from callcenter.runtime.prompt_files import make
from callcenter.runtime.prompts import PromptError
from callcenter.runtime.secrets import SecretsError, load_secrets
from callcenter.runtime.settings import Settings, SettingsError, data_of, parse_text, read
from callcenter.runtime.settings_problems import Fault
from callcenter.runtime.yaml_text import Written
from callcenter.services.control_client import EngineAway, RequestRefused, ask

TAKE_UP_WITHIN = 60.0


class PublishError(Exception):
    """Nothing was changed; the sentence says why."""

    def __init__(self, sentence: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(sentence)
        self.faults = faults


class ChangedMeanwhile(PublishError):
    """Another version is in use than the one that was to be replaced."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was published or rolled back."""

    before: Mapping[str, InUse]
    now: Mapping[str, InUse]
    taken_up: bool
    """The engine serves it already; else it does when it starts."""


# --- which flow is meant ------------------------------------------------------------------------


def document_of(settings: Settings, named: str) -> FlowDocument:
    """A flow by its file, as ``main`` (the one in use) or as ``main@7`` (a published version). Raises PublishError, DocumentError."""
    name, _, number = named.partition("@")
    try:
        if number.isdecimal() and len(number) < 10 and name and not Path(named).exists():
            return published(settings.flow_sources.store.find(name, int(number)))
    except StoreError as error:
        raise PublishError(str(error)) from None
    if named in settings.flow_sources.in_use:
        return settings.flow_sources.in_use[named]
    if named in settings.flow_tables:
        section = settings.flow_tables[named]
        words = {field: getattr(section, field) for field in type(section).model_fields}
        return FlowDocument(DocumentSection.model_construct(flow=named, **words), settings.file, Written(None, {}), "")
    if "/" not in named and not Path(named).suffix and not Path(named).exists():
        flows = ", ".join(sorted(settings.flows)) or "none"
        raise PublishError(f"there is no flow '{named}'; flows: {flows}. A file is named with its ending, such as flows/{named}.yaml")
    return read_file(Path(named))


# --- publishing ---------------------------------------------------------------------------------


def checked(file: Path, tried: Instead) -> Settings:
    """The settings as they would be. Raises PublishError with all faults."""
    try:
        return parse_text(read(file), file, tried)
    except SettingsError as error:
        raise PublishError("nothing was changed: what would be in use has faults", error.faults) from None


def publish(file: Path, documents: Sequence[FlowDocument], author: str, note: str, share: float = 0.0, expected: int | None = None) -> Done:
    """Publish documents together; with a ``share`` as canaries. Raises PublishError: nothing was changed.

    ``expected`` is the version that must be in use of each (ChangedMeanwhile); None: whatever is.

    A document is one that was published already when it has a version: then that one comes into use again.
    """
    names = [document.name for document in documents]
    if len(set(names)) < len(names):
        raise PublishError(f"two of these documents are of the same flow: {', '.join(sorted(names))}; publish one of each")
    settings = checked(file, {document.name: document for document in documents})
    store = FlowStore(settings.data)
    try:
        _provide(settings, documents)
        with store.alone():
            now, before = datetime.now(UTC), store.in_use()
            _check_expected(before, names, expected)
            changes = {}
            for document in documents:
                number = document.version or store.add(_draft(document), now, author, note).number
                current = before.get(document.name, InUse(0)).version
                if share and number == current:
                    raise PublishError(f"version {number} of flow '{document.name}' is in use for all callers; it cannot be a canary too")
                changes[document.name] = InUse(current, number, share) if share else InUse(number)
            store.use(changes, "canary" if share else "publish", now, author, note)
            return Done(before, changes, _taken_up(settings, store, {name: before.get(name) for name in changes}))
    except (PromptError, StoreError) as error:
        raise PublishError(f"nothing was changed: {error}") from None
    except OSError as error:
        raise PublishError(f"nothing was changed: {error.filename or store.folder}: {error.strerror or error}") from None


def _check_expected(before: Mapping[str, InUse], names: Sequence[str], expected: int | None) -> None:
    for name in names:
        current = before.get(name, InUse(0)).version
        if expected is not None and current != expected:
            raise ChangedMeanwhile(f"nothing was changed: version {current} of flow '{name}' is in use, not {expected}")


def rollback(file: Path, name: str, number: int | None, author: str, note: str, expected: int | None = None) -> Done:
    """Bring back a version; None: what was in use before (a canary is only withdrawn). Raises PublishError: nothing was changed."""
    store = FlowStore(data_of(file))
    try:
        with store.alone():
            before = store.in_use()
            _check_expected(before, [name], expected)
            back = store.before(name) if number is None else InUse(number)
            if number:
                published(store.find(name, number))
            settings = checked(file, {name: back})
            if name in settings.flow_sources.in_use:
                _provide(settings, [settings.flow_sources.in_use[name]])
            store.use({name: back}, "rollback", datetime.now(UTC), author, note)
            return Done(before, {name: back}, _taken_up(settings, store, {name: before.get(name)}))
    except DocumentError as error:
        raise PublishError("nothing was changed: that version does not fit any more", error.faults) from None
    except (PromptError, StoreError) as error:
        raise PublishError(str(error)) from None
    except OSError as error:
        raise PublishError(f"nothing was changed: {error.filename or store.folder}: {error.strerror or error}") from None


def _provide(settings: Settings, documents: Sequence[FlowDocument]) -> None:
    """Make their prompts, and put them where the nodes of this machine play them from: an engine that was killed finds them there."""
    ids = {prompt.id for document in documents for prompt in document.prompts.values()}
    make(settings, ids)
    for node in settings.nodes:
        if not node.remote:
            add_prompts(settings, settings.data / "nodes" / node.name, ids)


def _draft(document: FlowDocument) -> Draft:
    recordings = {}
    for texts in document.section.prompts.values():
        for said in texts.values():
            if said.file is not None:
                recordings[str(said.file)] = document.recording(said.file).read_bytes()
    return Draft(document.name, document.text, recordings)


def _taken_up(settings: Settings, store: FlowStore, before: Mapping[str, InUse | None]) -> bool:
    """Whether the engine serves it; one that does not run will when it starts. Raises PublishError when it refuses: then it is undone."""
    try:
        ask_flows(settings, "take_up_flows", TAKE_UP_WITHIN)
        return True
    except EngineAway:
        return False
    except RequestRefused as error:
        store.put_back(before)
        hint = "if the configuration file was changed, take that over first: callcenter reload"
        raise PublishError(f"nothing was changed: the engine refused it: {error}; {hint}") from None


def ask_flows(settings: Settings, do: str, within: float = 5.0) -> Mapping[str, object]:
    """Raises EngineAway, RequestRefused."""
    try:
        if not settings.data.is_dir():
            raise EngineAway("the engine does not run")
        token = load_secrets(settings.data).control_token
    except SecretsError as error:
        raise EngineAway(str(error)) from None
    return asyncio.run(ask(DataFolder(settings.data).control_socket, token, do, within))


def who() -> str:
    """Who publishes, unless somebody else is named."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
