"""The languages of a center: who speaks them, what can be said in each, and what is said instead where something lacks."""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from callcenter.domain.desk_names import DISPOSITION, LEVEL, QUEUE, REASON, named
from callcenter.domain.ivr.speech import LANGUAGES, Language, Languages
from callcenter.runtime.catalogue import CALLERS_HEAR, NEEDED, Catalogue, Prompt, shipped_prompts, words
from callcenter.runtime.settings_problems import Problem
from callcenter.runtime.tts.engine import Engine, Voice
from callcenter.runtime.tts.http import HttpEngine
from callcenter.runtime.tts.programs import EspeakNg, Flite, Piper, espeak_voice

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings

GROUP = "callcenter.languages"
"""The entry point under which installed packages offer languages."""


class RulesError(ValueError):
    """A plug-in cannot be used; the sentence says why."""


# --- rules ------------------------------------------------------------------------------------------


def grammar(language: str, rules: str | None) -> Language | None:
    """How its values are said: as the class says that is named, or an installed plug-in, or we. None: nobody knows.

    A variant (``es-MX``) is said as its language (``es``). Raises RulesError.
    """
    if rules is not None:
        return _plug_in(*rules.split(":"))
    for name in (language, _base(language)):
        if installed := _installed(name):
            return _plug_in(*installed)
        if name in LANGUAGES:
            return LANGUAGES[name]
    return None


@cache
def _installed(language: str) -> tuple[str, str] | None:
    """The class that an installed package offers. Looked up once: packages do not come and go while we run."""
    return next(((point.module, point.attr) for point in entry_points(group=GROUP, name=language)), None)


def _plug_in(module: str, name: str) -> Language:
    try:
        made = getattr(importlib.import_module(module), name)()
    except Exception as error:  # whatever somebody else's code does
        raise RulesError(f"names '{module}:{name}', which cannot be used: {type(error).__name__}: {error}") from None
    lacking = [each for each in dir(Language) if not each.startswith("_") and not hasattr(made, each)]
    if lacking:
        raise RulesError(f"names '{module}:{name}', which lacks {', '.join(lacking)} (docs/prompts.md says what a language needs)")
    language: Language = made
    if set(language.sounds()) != set(language.words):
        raise RulesError(f"names '{module}:{name}', whose sounds are not those that its words have")
    return language


def _base(language: str) -> str:
    return language.split("-")[0]


def languages(settings: "Settings") -> Languages:
    """As the core reads them."""
    return Languages(settings.center.languages[0], {code: _spoken(settings, code) for code in settings.center.languages})


def _spoken(settings: "Settings", code: str, asked: tuple[str, ...] = ()) -> Language | None:
    """Its own rules if somebody can speak their words, else those of the language it falls back to."""
    section = settings.languages.get(code)
    try:
        own = grammar(code, section.rules if section else None)
    except RulesError:
        return None  # said by language_faults
    fallback = section.fallback if section else None
    if fallback is None or fallback in asked or (own is not None and voice(settings, code) is not None):
        return own
    return _spoken(settings, fallback, (*asked, code))


# --- voices -----------------------------------------------------------------------------------------


def voice(settings: "Settings", code: str) -> Voice | None:
    """Who speaks it; None: nobody, as far as we know."""
    section = settings.languages.get(code)
    engine = (section.engine if section else None) or settings.tts.engine
    name = (section.voice if section else None) or ""
    if not name and (engine == "piper" or (engine == "espeak-ng" and not espeak_voice(code))):
        return None
    if name and engine == "piper":
        name = str(settings.beside_the_file(Path(name)))
    return Voice(engine, name)


def engines(settings: "Settings") -> Mapping[str, Engine]:
    """Raises OSError when the token of the engine ``http`` cannot be read."""
    tts = settings.tts
    token = settings.beside_the_file(tts.token_file).read_text(encoding="utf-8").split("\n")[0].strip() if tts.token_file else ""
    made: dict[str, Engine] = {"espeak-ng": EspeakNg(), "flite": Flite(), "piper": Piper(tts.piper)}
    if tts.url is not None:
        made["http"] = HttpEngine(tts.url, tts.timeout.total_seconds(), token=token)
    return made


# --- what can be said -------------------------------------------------------------------------------


def catalogue_of(settings: "Settings", flows_own: Iterable[Prompt]) -> Catalogue:
    """In each of the center's languages: what is recorded, else written, else shipped, else what its fallback says."""
    made = _Renderings(settings, list(flows_own))
    return Catalogue(settings.center.languages[0], {code: made.of(code) for code in settings.center.languages})


class _Renderings:
    def __init__(self, settings: "Settings", flows_own: list[Prompt]) -> None:
        self._settings = settings
        self._shipped = shipped_prompts()
        self._default = settings.center.languages[0]
        self._written = [*self._of_the_file(), *flows_own]
        self._names = list(_names(settings))

    def of(self, code: str, asked: tuple[str, ...] = ()) -> Mapping[str, Prompt]:
        settings = self._settings
        section = settings.languages.get(code)
        speaker = voice(settings, code)
        fallback = section.fallback if section else None
        found: dict[str, Prompt] = {}
        if fallback in settings.center.languages and fallback not in asked:
            found.update(self.of(fallback, (*asked, code)))
        own: list[Prompt] = [*self._shipped["*"].values()]
        if speaker is not None:
            own += self._names
            for name in dict.fromkeys((_base(code), code)):
                own += self._shipped.get(name, {}).values()
        if (spoken := _spoken(settings, code)) is not None and (speaker is not None or fallback is None):
            own += words(code, spoken).values()
        own += [prompt for prompt in self._written if prompt.language in (code, "*")]
        own += recorded(settings.data, code)
        for prompt in own:
            if speaker is not None or prompt.file is not None or prompt.source:
                known = found.get(prompt.id)
                found[prompt.id] = _as_said(prompt, code, speaker, word=prompt.word or (known is not None and known.word))
        return found

    def _of_the_file(self) -> Iterator[Prompt]:
        for section in self._settings.prompts:
            yield Prompt(
                id=section.id,
                text=section.text or "",
                language=section.language or ("*" if section.source else self._default),
                source=section.source or "",
                file=self._settings.beside_the_file(section.file) if section.file else None,
                voice=Voice("", section.voice or ""),
            )


def _names(settings: "Settings") -> Iterator[Prompt]:
    """What agents hear of reasons, dispositions and queues, as it is written in the file, until somebody writes or records it better."""
    for reason in settings.center.not_ready_reasons:
        yield _name(REASON, reason)
    for queue in settings.queues:
        yield _name(QUEUE, queue.name)
    for level in dict.fromkeys(level for queue in settings.queues for each in queue.dispositions for level in each.split(LEVEL)):
        yield _name(DISPOSITION, level)


def _name(kind: str, name: str) -> Prompt:
    return Prompt(named(kind, name), name.replace("_", " ").replace("-", " "))


def _as_said(prompt: Prompt, code: str, speaker: Voice | None, *, word: bool) -> Prompt:
    """In that language, by its voice unless the prompt has one of its own."""
    own = prompt.voice.name if not prompt.voice.engine else ""
    engine = Voice(speaker.engine, own or speaker.name) if speaker is not None else prompt.voice
    return Prompt(prompt.id, prompt.text, code, prompt.source, prompt.file, word, engine)


def recorded_folder(data: Path, language: str) -> Path:
    """Where ``callcenter prompt add`` keeps recordings."""
    return data / "prompts" / "recorded" / language


def recorded(data: Path, language: str) -> Iterator[Prompt]:
    """Those that were added with ``callcenter prompt add``."""
    folder = recorded_folder(data, language)
    for file in sorted(folder.glob("*.wav")) if folder.is_dir() else ():
        if not file.name.startswith("."):
            yield Prompt(file.stem, language=language, file=file)


# --- faults -----------------------------------------------------------------------------------------


def language_faults(settings: "Settings") -> Iterator[Problem]:
    """Languages without rules that can be used, voices that nobody has, prompts of ours that they lack."""
    spoken = settings.center.languages
    for index, code in enumerate(spoken):
        if code in spoken[:index]:
            yield Problem(f"center.languages[{index}]", f"'{code}' stands there twice")
    for code, section in settings.languages.items():
        key = f"language.{code}"
        if code not in spoken:
            yield Problem(key, f"is none of center.languages: {', '.join(spoken)}")
        if section.fallback is not None and section.fallback not in spoken:
            yield Problem(f"{key}.fallback", f"names '{section.fallback}', which is none of center.languages: {', '.join(spoken)}")
        elif _falls_back_to_itself(settings, code):
            yield Problem(f"{key}.fallback", f"leads back to '{code}'; one language of the circle must have all prompts itself")
        try:
            grammar(code, section.rules)
        except RulesError as error:
            yield Problem(f"{key}.rules", str(error))
    for code in dict.fromkeys(spoken):
        yield from _voice_faults(settings, code)
    yield from _prompt_section_faults(settings)
    yield from _lacking_faults(settings)
    yield from _value_faults(settings)


def _falls_back_to_itself(settings: "Settings", code: str) -> bool:
    seen: list[str] = []
    at: str | None = code
    while at is not None and at not in seen:
        seen.append(at)
        section = settings.languages.get(at)
        at = section.fallback if section else None
    return at == code


def _voice_faults(settings: "Settings", code: str) -> Iterator[Problem]:
    section = settings.languages.get(code)
    engine = (section.engine if section else None) or settings.tts.engine
    speaker = voice(settings, code)
    if engine == "http" and settings.tts.url is None:
        yield Problem("tts.url", f"is missing; '{code}' is spoken by engine 'http', which must be asked somewhere")
    if engine == "http" and settings.tts.url and not settings.tts.url.startswith(("http://", "https://")):
        yield Problem("tts.url", "must begin with http:// or https://")
    if settings.tts.token_file is not None and not settings.beside_the_file(settings.tts.token_file).is_file():
        yield Problem("tts.token_file", f"names '{settings.tts.token_file}', which is not a file")
    if speaker is None and engine == "piper":
        yield Problem(f"language.{code}.voice", "is missing; piper needs a model's file (.onnx) for each language")
    elif speaker is not None and engine == "piper" and not Path(speaker.name).is_file():
        yield Problem(f"language.{code}.voice", f"names '{speaker.name}', which is not a file")
    elif speaker is None and (section is None or section.fallback is None):
        yield Problem(
            f"language.{code}.voice",
            f"is missing: espeak-ng has no voice for '{code}'; name one that reads it well enough (for 'fil', 'es-419' does), "
            "another engine, or a fallback language",
        )


def _prompt_section_faults(settings: "Settings") -> Iterator[Problem]:
    spoken = settings.center.languages
    seen: dict[tuple[str, str], int] = {}
    for index, section in enumerate(settings.prompts):
        if section.language is not None and section.language not in spoken:
            yield Problem(f"prompt[{index}].language", f"'{section.language}' is none of center.languages: {', '.join(spoken)}")
        this = (section.id, section.language or ("*" if section.source else spoken[0]))
        if this in seen:
            yield Problem(f"prompt[{index}].id", f"'{section.id}' is taken by prompt[{seen[this]}]; each needs an id of its own")
        seen.setdefault(this, index)
        if section.voice is not None and section.text is None:
            yield Problem(f"prompt[{index}].voice", "is for a text to be spoken; this prompt has none")


def _lacking_faults(settings: "Settings") -> Iterator[Problem]:
    """What we say by ourselves must be there in every language in which we may have to say it."""
    for code in settings.center.languages:
        agents_hear = code == settings.center.languages[0] or any(agent.language == code for agent in settings.agents)
        needed = dict.fromkeys((*NEEDED, *CALLERS_HEAR) if agents_hear else CALLERS_HEAR)
        there = settings.catalogue.renderings[code]
        section = settings.languages.get(code)
        if voice(settings, code) is None and (section is None or section.fallback is None):
            continue  # said already
        if lacking := [name for name in needed if name not in there]:
            yield Problem(
                "center.languages",
                f"'{code}' lacks what we say ourselves: {', '.join(lacking)}; add a [[prompt]] with language = '{code}' for each, "
                f"or say language.{code}.fallback = '{settings.center.languages[0]}'",
            )


def _value_faults(settings: "Settings") -> Iterator[Problem]:
    """Positions and waits are put together from numbers; every language must know how."""
    unknown = [code for code, spoken in settings.spoken.spoken.items() if spoken is None]
    for index, queue in enumerate(settings.queues):
        for code in unknown if queue.announce.position != "no" or queue.announce.ewt else ():
            sentence = f"tells positions or waits, but nobody knows how numbers are said in '{code}' (docs/prompts.md)"
            yield Problem(f"queue[{index}].announce", f"{sentence}; give it rules or a fallback")
