"""What a flow says about itself, and the prompts that are its own."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic.config import JsonDict

from callcenter.runtime.settings_fields import Language, Plain, PromptId, PromptText, Section


class PromptTextSection(Section):
    """What a prompt of a flow says in one language: a text, or a recording."""

    text: PromptText | None = None
    file: Path | None = None
    """A recorded WAV file, relative to the document."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.file is None):
            raise ValueError("needs a text or a file, one of both")
        return self


def _text_or_file(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


_TEXT: JsonDict = {"type": "string", "minLength": 1, "maxLength": 2000}
_TABLE: JsonDict = {
    "type": "object",
    "properties": {"text": _TEXT, "file": {"type": "string"}},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
_TEXT_OR_FILE: JsonDict = {"anyOf": [_TEXT, _TABLE]}
_LANGUAGES: JsonDict = {
    "type": "object",
    "propertyNames": {"pattern": "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$"},
    "additionalProperties": _TEXT_OR_FILE,
}
Texts = Annotated[
    dict[Language, Annotated[PromptTextSection, BeforeValidator(_text_or_file)]], WithJsonSchema({"anyOf": [_TEXT, _TABLE, _LANGUAGES]})
]
"""What a prompt says, by language."""


class FlowWords(Section):
    """Title, languages and prompts of a flow."""

    title: Plain = ""
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1, max_length=20)
    """In which its prompts are said; the first is that of callers who have chosen none."""
    prompts: dict[PromptId, Texts] = Field(default_factory=dict, max_length=2000)
    """Its own, beside those of the catalogue: by id, then by language. A single text is of the first language."""

    @model_validator(mode="before")
    @classmethod
    def _single_texts(cls, raw: object) -> object:
        """``prompts: {greeting: Hello}`` is said in the first language."""
        if not isinstance(raw, dict) or not isinstance(raw.get("prompts"), dict):
            return raw
        languages = raw.get("languages")
        first = languages[0] if isinstance(languages, list | tuple) and languages and isinstance(languages[0], str) else "en"
        return {**raw, "prompts": {name: {first: said} if _is_single(said) else said for name, said in raw["prompts"].items()}}


def _is_single(said: object) -> bool:
    return isinstance(said, str) or (isinstance(said, dict) and bool(said.keys() & {"text", "file"}))
