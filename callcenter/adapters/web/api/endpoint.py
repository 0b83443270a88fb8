"""How an endpoint is declared: once. Validation, the answer, the OpenAPI document and the matrix of rights all follow from it."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from callcenter.adapters.web.access import by
from callcenter.adapters.web.api.ports import Ports
from callcenter.domain.audit import By
from callcenter.domain.rights import Right, Signed

LARGEST_BODY = 64 * 1024
"""Bytes, unless an endpoint says otherwise."""


class Nothing(BaseModel):
    """No parameters, or an empty object."""

    model_config = ConfigDict(extra="forbid")


class Request(BaseModel):
    """What a body of ours is: no name in it that is not known."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Shown(BaseModel):
    """What an answer of ours is."""

    model_config = ConfigDict(extra="ignore")


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""As the configuration names things, or an id: one line."""
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text, or none."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of a path."""

    pattern: str
    description: str

    def fits(self, value: str) -> bool:
        return re.fullmatch(self.pattern, value, re.ASCII) is not None


_ID = r"[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,199}"
PARAMETERS: Mapping[str, Parameter] = {
    "agent": Parameter(_ID, "The agent's name."),
    "queue": Parameter(_ID, "The queue's name."),
    "calendar": Parameter(_ID, "The calendar's name."),
    "flow": Parameter(_ID, "The flow's name."),
    "version": Parameter(r"[0-9]{1,9}", "The number of a published version."),
    "contact": Parameter(_ID, "The contact's id."),
    "call": Parameter(_ID, "The call's id."),
    "recording": Parameter(_ID, "The recording's id."),
    "callback": Parameter(_ID, "The callback's id."),
    "message": Parameter(_ID, "The message's id."),
    "number": Parameter(r"\+[0-9]{3,15}", "A number in E.164, with its plus sign."),
    "list": Parameter(_ID, "The caller list's name."),
    "notice": Parameter(_ID, "The notice's id."),
    "webhook": Parameter(_ID, "The subscription's id."),
}

Q = TypeVar("Q", bound=BaseModel)
B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q, B]):
    """A request that was let in, and fits."""

    signed: Signed
    path: Mapping[str, str]
    query: Q
    body: B
    http: web.Request

    @property
    def by(self) -> By:
        """Who asks, for the record."""
        return by(self.http)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with more than its body."""

    body: BaseModel | None
    status: int | None = None
    """None: the endpoint's."""
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    """Of what is shown; empty: it has none."""


Do = Callable[[Asked[Any, Any], Ports], Awaitable[BaseModel | Answer | web.StreamResponse | None]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    method: str
    path: str
    """Below ``/api/v1``; parts in braces are ``PARAMETERS``."""
    do: Do
    summary: str
    needs: Right | frozenset[Right]
    """A set: any of them, and the function asks which of them reaches the object."""
    tag: str
    query: type[BaseModel] = Nothing
    body: type[BaseModel] | None = None
    answers: type[BaseModel] | None = None
    """None: 204, or ``audio``, or ``table``."""
    status: int = 200
    audio: bool = False
    """The answer is a sound file, of which parts can be asked for."""
    table: bool = False
    """The answer is a table (CSV)."""
    etag: bool = False
    """What is answered has an ETag; a change takes ``If-Match``."""
    problems: Sequence[int] = ()
    """Statuses beside those that every endpoint may answer."""
    largest: int = LARGEST_BODY

    @property
    def operation(self) -> str:
        """The operation's id: as unique as the function is."""
        return f"{self.tag}_{self.do.__name__}".replace("-", "_")

    @property
    def parameters(self) -> Sequence[str]:
        return re.findall(r"{([a-z_]+)}", self.path)

    @property
    def rights(self) -> frozenset[Right]:
        return self.needs if isinstance(self.needs, frozenset) else frozenset({self.needs})

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD")

    @property
    def optional_body(self) -> bool:
        """Whether an empty object, or nothing, is enough."""
        return self.body is not None and not any(part.is_required() for part in self.body.model_fields.values())
