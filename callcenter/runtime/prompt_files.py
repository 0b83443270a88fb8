"""The prompts of a center as files, made before anybody hears them."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from callcenter.runtime.catalogue import Prompt
from callcenter.runtime.places import cache
from callcenter.runtime.prompts import PromptError, prepare
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_languages import engines


def prepared(settings: Settings, prompts: Iterable[Prompt]) -> dict[str, Path]:
    """Made, each where it is kept: recordings in the data folder; what was spoken in the cache, once for every data folder."""
    wanted = list(prompts)
    try:
        speaking = engines(settings)
        spoken = _writable(cache() / "prompts", settings.data / "prompts")
    except OSError as error:
        raise PromptError(f"prompts cannot be made: {error}") from None
    recorded = prepare([prompt for prompt in wanted if prompt.file is not None], settings.data / "prompts", speaking)
    return recorded | prepare([prompt for prompt in wanted if prompt.file is None], spoken, speaking)


def _writable(first: Path, otherwise: Path) -> Path:
    try:
        first.mkdir(parents=True, exist_ok=True)
    except OSError:
        return otherwise
    return first if os.access(first, os.W_OK) else otherwise


def make(settings: Settings, ids: Collection[str]) -> None:
    """Those prompts, in all languages. Raises PromptError."""
    for prompts in settings.catalogue.renderings.values():
        prepared(settings, [prompts[name] for name in ids if name in prompts])
