"""Flows for the API: the same code as ``callcenter flow``, in threads, because it reads and writes files and asks the engine."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from callcenter.adapters.web.api.ports import FlowsAway
from callcenter.apps.flow_lists import history, overview
from callcenter.apps.flow_publishing import ChangedMeanwhile, Done, PublishError, publish, rollback
from callcenter.runtime.flow_documents import DocumentError, FlowDocument, read_document
from callcenter.runtime.flow_store import InUse, StoreError
from callcenter.runtime.settings import Settings, SettingsError, load

T = TypeVar("T")


class FlowDesk:
    """Implements ``adapters.web.api.ports.Flows``. One publication at a time; those after it wait."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._alone = asyncio.Lock()

    def _settings(self) -> Settings:
        """As they are now: what was published a moment ago is in them."""
        return load(self._file)

    async def listed(self) -> Mapping[str, object]:
        return await asyncio.to_thread(_said, lambda: overview(self._settings()))

    async def history(self, flow: str) -> Mapping[str, object]:
        return await asyncio.to_thread(_said, lambda: self._history(flow))

    async def document(self, flow: str, version: int) -> str:
        return await asyncio.to_thread(_said, lambda: self._settings().flow_sources.store.find(flow, version).read())

    async def publish(self, flow: str, text: str, author: str, note: str, share: float, expected: int | None) -> Mapping[str, object]:
        async with self._alone:
            return await asyncio.to_thread(_said, lambda: self._publish(flow, text, author, note, share, expected))

    async def rollback(self, flow: str, version: int | None, author: str, note: str, expected: int | None) -> Mapping[str, object]:
        async with self._alone:
            return await asyncio.to_thread(_said, lambda: _done(flow, rollback(self._file, flow, version, author, note, expected)))

    def _history(self, flow: str) -> Mapping[str, object]:
        settings = self._settings()
        used = settings.flow_sources.store.in_use()
        if flow not in settings.flows and flow not in used:
            raise FlowsAway(f"there is no flow '{flow}'", unknown=True)
        return {**history(settings, flow), "version": used.get(flow, InUse(0)).version}

    def _publish(self, flow: str, text: str, author: str, note: str, share: float, expected: int | None) -> Mapping[str, object]:
        document = read_document(text, Path(f"{flow}.yaml"))
        _check(document, flow)
        return _done(flow, publish(self._file, [document], author, note, share, expected))


def _check(document: FlowDocument, flow: str) -> None:
    """A document that came over the network names no file of this machine. Raises FlowsAway."""
    if document.name != flow:
        raise FlowsAway("nothing was changed", [f"flow: is {document.name!r}; this is the address of '{flow}'"])
    named = [name for name, texts in document.section.prompts.items() for said in texts.values() if said.file is not None]
    if named:
        raise FlowsAway(
            "nothing was changed",
            [f"prompts.{name}: names a recording; publish it with 'callcenter flow publish', or use words" for name in named],
        )


def _done(flow: str, done: Done) -> Mapping[str, object]:
    now = done.now[flow]
    return {"flow": flow, "version": now.version, "canary": now.canary, "share": now.share, "taken_up": done.taken_up}


def _said(work: Callable[[], T]) -> T:
    """Raises FlowsAway for whatever the sentence is."""
    try:
        return work()
    except ChangedMeanwhile as error:
        raise FlowsAway(str(error), changed=True) from None
    except PublishError as error:
        raise FlowsAway(str(error), [str(fault) for fault in error.faults]) from None
    except DocumentError as error:
        raise FlowsAway("the document has faults; nothing was changed", [str(fault) for fault in error.faults]) from None
    except StoreError as error:
        raise FlowsAway(str(error), unknown=str(error).startswith("there is no")) from None
    except SettingsError as error:
        raise FlowsAway("the configuration has faults", [str(fault) for fault in error.faults]) from None
