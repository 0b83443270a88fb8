"""Flows and prompts as the pages of ``web`` ask for them; everything that blocks is done in a thread."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from callcenter.adapters.web.config.flow_pages import FlowRefused
from callcenter.adapters.web.config.prompt_pages import PromptRefused, PromptRow
from callcenter.apps import flow_lists
from callcenter.apps.flow_drawing import svg
from callcenter.apps.flow_picture import picture
from callcenter.apps.flow_publishing import TAKE_UP_WITHIN, PublishError, ask_flows, document_of, publish, rollback
from callcenter.runtime.catalogue import Prompt
from callcenter.runtime.flow_documents import DocumentError, FlowDocument, as_document, read_document
from callcenter.runtime.prompt_files import prepared
from callcenter.runtime.prompts import PromptError
from callcenter.runtime.recordings_added import RecordingError, add, remove
from callcenter.runtime.settings import Settings, SettingsError, load
from callcenter.services.control_client import EngineAway, RequestRefused

T = TypeVar("T")


class PublishedFlows:
    """A ``adapters.web.config.flow_pages.Flows``."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def overview(self) -> Sequence[Mapping[str, Any]]:
        told = await asyncio.to_thread(lambda: flow_lists.overview(load(self._file)))
        flows: Sequence[Mapping[str, Any]] = told["flows"]
        return flows

    async def history(self, flow: str) -> Mapping[str, Any]:
        return await asyncio.to_thread(lambda: flow_lists.history(load(self._file), flow))

    async def picture(self, flow: str, version: int) -> str:
        def draw() -> str:
            settings = load(self._file)
            return svg(picture(settings, _document(settings, flow, version)))

        return await asyncio.to_thread(_refusing, draw)

    async def text(self, flow: str, version: int) -> str:
        def written() -> str:
            settings = load(self._file)
            text = _document(settings, flow, version).text
            return text if text or flow not in settings.flow_tables else as_document(flow, settings.flow_tables[flow])

        return await asyncio.to_thread(_refusing, written)

    async def publish(self, text: str, share: float, author: str, note: str) -> str:
        def work() -> str:
            document = read_document(text, self._file.parent / "flows" / "new.yaml")
            publish(self._file, [document], author, note, share)
            return document.name

        return await asyncio.to_thread(_refusing, work)

    async def publish_version(self, flow: str, version: int, share: float, author: str, note: str) -> None:
        def work() -> None:
            if version == 0 and not share:
                rollback(self._file, flow, 0, author, note)
            else:
                publish(self._file, [document_of(load(self._file), f"{flow}@{version}")], author, note, share)

        await asyncio.to_thread(_refusing, work)

    async def rollback(self, flow: str, author: str, note: str) -> None:
        await asyncio.to_thread(_refusing, lambda: rollback(self._file, flow, None, author, note))


def _document(settings: Settings, flow: str, version: int) -> FlowDocument:
    return document_of(settings, f"{flow}@{version}" if version > 0 else flow)


def _refusing(work: Callable[[], T]) -> T:
    """Raises FlowRefused in place of all that publishing raises."""
    try:
        return work()
    except PublishError as error:
        raise FlowRefused(str(error), [str(fault) for fault in error.faults]) from None
    except DocumentError as error:
        raise FlowRefused("", [str(fault) for fault in error.faults]) from None
    except SettingsError as error:
        raise FlowRefused("", error.problems) from None


class CenterPrompts:
    """A ``adapters.web.config.prompt_pages.Prompts``."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def rows(self) -> Sequence[PromptRow]:
        return await asyncio.to_thread(lambda: list(_rows(load(self._file))))

    async def sound(self, prompt: str, language: str) -> Path:
        def work() -> Path:
            settings = load(self._file)
            found = settings.catalogue.renderings.get(language, {}).get(prompt)
            if found is None:
                raise PromptRefused(f"there is no prompt '{prompt}' in '{language}'")
            try:
                return prepared(settings, [found])[prompt]
            except PromptError as error:
                raise PromptRefused(str(error)) from None

        return await asyncio.to_thread(work)

    async def add(self, prompt: str, language: str, file: Path) -> float:
        def work() -> float:
            settings = load(self._file)
            seconds = add(settings, prompt, language, file)
            _take_up(settings)
            return seconds

        return await self._done(work)

    async def remove(self, prompt: str, language: str) -> None:
        def work() -> None:
            settings = load(self._file)
            remove(settings, prompt, language)
            _take_up(settings)

        await self._done(work)

    @staticmethod
    async def _done(work: Callable[[], T]) -> T:
        """Raises PromptRefused."""
        try:
            return await asyncio.to_thread(work)
        except RecordingError as error:
            sentence = str(error)
            raise PromptRefused(sentence.partition("upload.wav ")[2] or sentence) from None


def _rows(settings: Settings) -> Iterator[PromptRow]:
    for language, prompts in settings.catalogue.renderings.items():
        for name, prompt in sorted(prompts.items()):
            if not prompt.word:
                yield PromptRow(name, language, _origin(settings, prompt), prompt.text)


def _origin(settings: Settings, prompt: Prompt) -> str:
    if prompt.file is not None:
        return "added" if settings.data in prompt.file.parents else "recorded"
    return "tones" if prompt.source else "spoken"


def _take_up(settings: Settings) -> None:
    """An engine that is away takes it up when it starts; one that refuses keeps what it has, and its log says why."""
    with contextlib.suppress(EngineAway, RequestRefused):
        ask_flows(settings, "take_up_flows", TAKE_UP_WITHIN)
