"""Nodes that listen, and nodes that ask survey questions."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from callcenter.domain.ivr.grammar import BUILT_IN, DIGIT, LONGEST_NUMBER, NO, NUMBER, YES, YES_NO, Grammar, built_in
from callcenter.domain.ivr.listening import HEARD, Entry, SpeechNode
from callcenter.domain.ivr.node import FAILED, NEXT, OTHERWISE, Node
from callcenter.domain.ivr.surveying import SurveyNode
from callcenter.domain.mailbox_config import mailbox_of
from callcenter.domain.survey_kinds import SurveyKind
from callcenter.runtime.settings_fields import AttributeName, Key, Language, Name, Seconds, SomeSeconds
from callcenter.runtime.settings_flow_said import LadderSection, Said, said


def _value(text: str) -> str:
    if text in (NEXT, OTHERWISE, FAILED):
        raise ValueError(f"must be another name than '{text}', which is that of an exit")
    return text


Value = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$"), AfterValidator(_value)]
"""What a phrase or a key means."""
Confidence = Annotated[float, Field(ge=0, le=1)]
LONGEST_LISTEN = 60
DIGIT_KEYS = {str(digit): str(digit) for digit in range(10)}
USUAL_KEYS = {YES_NO: {"1": YES, "2": NO}, DIGIT: DIGIT_KEYS}


class SpeechNodeSection(LadderSection):
    """Listens to the caller; every answer has a key, too."""

    type: Literal["speech"]
    grammar: Literal["yes_no", "digit", "digits"] | None = None
    """A built-in one ..."""
    phrases: dict[Language, dict[str, Value]] = Field(default_factory=dict, max_length=20)
    """... or phrases by language, and what they mean. In a language without phrases the caller uses keys."""
    keys: dict[Key, Value] = Field(default_factory=dict)
    """What a key means; by default 1 is yes and 2 is no, and digits are themselves."""
    choices: dict[Value, Name] = Field(default_factory=dict, max_length=100)
    """From value to node; all others go to ``next``."""
    next: Name | None = None
    failed: Name | None = None
    """When nobody can listen; without it the caller goes on here by keys."""
    attribute: AttributeName = HEARD
    min_length: int = Field(default=1, ge=1, le=LONGEST_NUMBER)
    max_length: int = Field(default=LONGEST_NUMBER, ge=1, le=LONGEST_NUMBER)
    terminator: Literal["#", "*"] = "#"
    next_digit: SomeSeconds = Field(default=timedelta(seconds=3), alias="next_digit_s")
    """Of grammar ``digits``: how many, and how they are pressed."""
    no_speech: SomeSeconds = Field(default=timedelta(seconds=5), alias="no_speech_s")
    limit: SomeSeconds = Field(default=timedelta(seconds=10), alias="listen_s")
    """Nobody is listened to for longer."""
    accept: Confidence = 0.7
    confirm: Confidence = 0.4
    confirm_prompt: Said | None = None
    """Asked when it is not sure; the caller says yes or no, or presses 1 or 2."""
    confirm_prompts: dict[Value, Said] = Field(default_factory=dict, max_length=100)

    @model_validator(mode="after")
    def _bounded(self) -> "SpeechNodeSection":
        if (self.grammar is None) is not bool(self.phrases):
            raise ValueError("needs either grammar or phrases")
        if self.limit > timedelta(seconds=LONGEST_LISTEN):
            raise ValueError(f"listen_s must be {LONGEST_LISTEN} at most")
        if self.no_speech > self.limit:
            raise ValueError("no_speech_s must be no more than listen_s")
        return self

    @property
    def grammars(self) -> dict[str, Grammar]:
        if self.grammar is None:
            return {language: Grammar(language, dict(phrases)) for language, phrases in self.phrases.items()}
        found = ((language, built_in(self.grammar, language)) for language in BUILT_IN[self.grammar])
        return {language: grammar for language, grammar in found if grammar is not None}

    def node(self) -> Node:
        digits = self.grammar == NUMBER
        return SpeechNode(
            prompt=said(self.prompt),
            grammars=self.grammars,
            keys=dict(self.keys) or USUAL_KEYS.get(self.grammar or "", {}),
            otherwise=self.otherwise,
            choices=dict(self.choices),
            next=self.next or "",
            attribute=self.attribute,
            failed=self.failed or "",
            entry=Entry(self.min_length, self.max_length, self.terminator, self.next_digit) if digits else None,
            no_speech=self.no_speech,
            limit=self.limit,
            accept=self.accept,
            confirm=self.confirm,
            confirm_prompt=said(self.confirm_prompt) if self.confirm_prompt else None,
            confirm_prompts={value: said(prompt) for value, prompt in self.confirm_prompts.items()},
            tries=self.tries,
            invalid_prompt=self.invalid,
            rephrased=self.rephrased,
            barge_in=self.barge_in,
            type_ahead=self.type_ahead,
        )


class SurveyNodeSection(LadderSection):
    """Asks one survey question; a comment is spoken, all others are answered by keys."""

    type: Literal["survey"]
    kind: Literal["csat", "nps", "choice", "comment"]
    """1 to 5; 0 to 10; keys with meanings of their own; or the caller's own words."""
    question: Name
    """Its name in the reports."""
    queue: Name | None = None
    """Of a comment: in the mailbox of this queue it is left."""
    next: Name
    choices: dict[Key, Value] = Field(default_factory=dict)
    attribute: AttributeName | None = None
    """Keeps the answer with the call, for conditions."""
    timeout: Seconds = Field(default=timedelta(seconds=5), alias="timeout_s")
    next_digit: SomeSeconds = Field(default=timedelta(seconds=2), alias="next_digit_s")
    """After a 1 that may become 10."""
    tries: int = Field(default=2, ge=1, le=10)

    def node(self) -> Node:
        return SurveyNode(
            question=self.question,
            kind=SurveyKind(self.kind),
            prompt=said(self.prompt),
            next=self.next,
            otherwise=self.otherwise,
            choices=dict(self.choices),
            mailbox=mailbox_of(self.queue) if self.queue else "",
            attribute=self.attribute or "",
            timeout=self.timeout,
            next_digit=self.next_digit,
            tries=self.tries,
            invalid_prompt=self.invalid,
            rephrased=self.rephrased,
            barge_in=self.barge_in,
            type_ahead=self.type_ahead,
        )
