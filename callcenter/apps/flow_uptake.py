"""Published flows, taken up by a running engine: what is new is for the callers who come from now on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from callcenter.domain.events import FlowsChanged
from callcenter.runtime.prompts import PromptError
from callcenter.runtime.settings import Settings, SettingsError, parse_text
from callcenter.services.control import ControlError
from callcenter.services.engine import Engine

Provide = Callable[[Settings], None]
"""Puts the prompts where they are played from; in a thread of its own."""


async def take_up(engine: Engine, text: str, file: Path, provide: Provide) -> Settings:
    """Read the published flows, with the settings that the engine goes by; return those. Raises ControlError: everything is as before."""
    try:
        settings = await asyncio.to_thread(parse_text, text, file)
        await asyncio.to_thread(provide, settings)
        changed = await asyncio.to_thread(_changed, settings)
    except SettingsError as error:
        raise ControlError("; ".join(error.problems)) from None
    except PromptError as error:
        raise ControlError(str(error)) from None
    except OSError as error:
        raise ControlError(f"{error.filename or file}: {error.strerror or error}") from None
    await engine.request(changed)
    return settings


def _changed(settings: Settings) -> FlowsChanged:
    return FlowsChanged(settings.programs, settings.flow_sources.versions, settings.flow_sources.shares)
