"""``[speech]``: who understands callers, and which words the built-in recogniser knows."""

import importlib.util
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from callcenter.domain.ivr.grammar import Grammar
from callcenter.runtime.settings_dips import SecretSection, secret_faults
from callcenter.runtime.settings_fields import Section, SomeSeconds, Url
from callcenter.runtime.settings_flow_asking import SpeechNodeSection
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings

SCHEMES = {"http": ("http://", "https://"), "websocket": ("ws://", "wss://")}
LanguageName = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
LONGEST_TRANSCRIPT = timedelta(minutes=10)
SPHINX_LANGUAGES = ("en",)


class SpeechSection(Section):
    """Whom flows let listen to callers. Only the operator's file names it; no caller and no flow can."""

    recogniser: Literal["pocketsphinx", "http", "websocket"] = "pocketsphinx"
    at_once: int = Field(default=20, ge=1, le=90)
    """So many callers are listened to at once; further ones use keys."""
    processes: int = Field(default=1, ge=1, le=16)
    """Of pocketsphinx: so many utterances are decoded side by side."""
    # of others
    url: Url | None = None
    secret: SecretSection | None = None
    """Sent as ``Authorization: Bearer``."""
    languages: Annotated[tuple[LanguageName, ...], Field(min_length=1)] = ("en",)
    rate: Literal[8000, 16000] = 8000
    answer_within: SomeSeconds = Field(default=timedelta(seconds=3), alias="answer_within_s")
    # whole messages
    transcripts: bool = True
    """Whether messages are given to the recogniser, if it is one of others; pocketsphinx cannot write down what is said."""
    transcript_url: Url | None = None
    """Who writes down messages, if somebody else than who listens to callers, or beside pocketsphinx."""
    transcript_within: SomeSeconds = Field(default=timedelta(seconds=60), alias="transcript_within_s")

    @property
    def writes_at(self) -> str:
        """Where messages are written down; empty: nowhere."""
        return (self.transcript_url or self.url or "") if self.transcripts else ""


def speech_faults(settings: "Settings") -> Iterator[Problem]:
    yield from _recogniser_faults(settings)
    for name, flow in settings.flows.items():
        for node_name, node in flow.nodes.items():
            if isinstance(node, SpeechNodeSection):
                yield from _phrase_faults(f"flow.{name}.node.{node_name}.phrases", settings.speech, node)


def _phrase_faults(key: str, speech: SpeechSection, node: SpeechNodeSection) -> Iterator[Problem]:
    """Built-in grammars are known; where the recogniser does not know the language, keys do."""
    if node.grammar is None:
        for language, grammar in node.grammars.items():
            for sentence in grammar_faults(speech, grammar):
                yield Problem(f"{key}.{language}", sentence)


def _recogniser_faults(settings: "Settings") -> Iterator[Problem]:
    speech = settings.speech
    written = (*SCHEMES["http"], *SCHEMES["websocket"])
    if speech.transcript_url is not None and not speech.transcript_url.startswith(written):
        yield Problem("speech.transcript_url", f"must begin with {', '.join(written)}")
    if speech.transcript_within > LONGEST_TRANSCRIPT:
        yield Problem(
            "speech.transcript_within_s", f"must be {LONGEST_TRANSCRIPT.total_seconds():g} at most: other messages wait meanwhile"
        )
    if speech.secret is not None and speech.transcript_url is not None:
        yield from secret_faults(settings, "speech.secret", speech.secret)
    if speech.recogniser == "pocketsphinx":
        secret = None if speech.transcript_url is not None else speech.secret
        for key, value in {"url": speech.url, "secret": secret}.items():
            if value is not None:
                yield Problem(f"speech.{key}", 'is for recogniser = "http" or "websocket"; \'pocketsphinx\' asks nobody')
        if speech.rate != 8000:
            yield Problem("speech.rate", "must be 8000 for 'pocketsphinx', which listens as the telephone sounds")
        return
    schemes = SCHEMES[speech.recogniser]
    if speech.url is None or not speech.url.startswith(schemes):
        yield Problem("speech.url", f'must begin with {" or ".join(schemes)} for recogniser = "{speech.recogniser}"')
    if speech.secret is not None and speech.transcript_url is None:
        yield from secret_faults(settings, "speech.secret", speech.secret)
    if speech.answer_within > timedelta(seconds=10):
        yield Problem("speech.answer_within_s", "must be 10 at most: the caller waits in silence meanwhile")


@cache
def dictionary() -> frozenset[str]:
    """The words that pocketsphinx knows how to pronounce, from its own file."""
    found = importlib.util.find_spec("pocketsphinx")
    folder = next(iter(found.submodule_search_locations or ()), "") if found is not None else ""
    with (Path(folder) / "model" / "en-us" / "cmudict-en-us.dict").open(encoding="utf-8") as file:
        return frozenset(line.partition(" ")[0] for line in file)


def grammar_faults(speech: SpeechSection, grammar: Grammar) -> Iterator[str]:
    """Yield, one sentence each, why the configured recogniser cannot listen for it."""
    languages = SPHINX_LANGUAGES if speech.recogniser == "pocketsphinx" else speech.languages
    if grammar.language not in languages:
        yield (
            f"listens in language '{grammar.language}', which the recogniser does not know; languages: {', '.join(languages)} "
            "(a menu does without a recogniser)"
        )
    elif speech.recogniser == "pocketsphinx":
        for word in sorted(grammar.words - dictionary()):
            yield f"listens for the word '{word}', which is not in the recogniser's dictionary; write it as words that are"
