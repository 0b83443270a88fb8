"""Where values go in a question: ``{account}`` in a path, a query, a JSON body or a statement, each put in as its place demands.

A value never reaches a scheme, a host, a port or the text of a statement. ``{secret:NAME}`` is a secret of the source.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

LONGEST_VALUE = 500
SECRET = "secret:"

_PLACE = re.compile(r"\{((?:secret:)?[a-z][a-z0-9_]{0,39})\}")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$([A-Za-z_]*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/", re.DOTALL)

Body = str | int | float | bool | None | list["Body"] | dict[str, "Body"]
"""JSON."""


class TemplateError(ValueError):
    """What was written is no template; the sentence says why."""


class ValueRefused(Exception):
    """A value cannot be asked with."""


def names(text: str) -> tuple[str, ...]:
    """The values that the text wants, in order; secrets of the source begin with ``secret:``."""
    return tuple(found[1] for found in _PLACE.finditer(text))


def _check_braces(text: str) -> None:
    left = _PLACE.sub("", text)
    if "{" in left or "}" in left:
        raise TemplateError(f"{text!r} has a brace that belongs to no value; a value is written {{name}}, a secret {{secret:name}}")


@dataclass(frozen=True, slots=True)
class UrlTemplate:
    """``scheme``, ``host`` and ``port`` are as they were written, always."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{f':{self.port}' if self.port else ''}"

    def names(self) -> tuple[str, ...]:
        return (*names(self.path), *names(self.query))

    def render(self, values: Mapping[str, str]) -> str:
        """The whole URL, each value percent-encoded so that it stays within its segment or its place in the query (RFC 3986).

        Raises ValueRefused.
        """
        path = _fill(self.path, values)
        if any(segment in (".", "..") for segment in path.split("/")):
            raise ValueRefused("a value would climb out of its place in the path")
        return self.origin + path + (f"?{_fill(self.query, values)}" if self.query else "")


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: quote(_given(values, found[1]), safe=""), text)


def _given(values: Mapping[str, str], name: str) -> str:
    value = values.get(name, "")
    if not value:
        raise ValueRefused(f"'{name}' has no value")
    if not name.startswith(SECRET) and len(value) > LONGEST_VALUE:
        raise ValueRefused(f"'{name}' is longer than {LONGEST_VALUE} characters")
    return value


def parse_url(text: str) -> UrlTemplate:
    """Raises TemplateError."""
    _check_braces(text)
    if not text.isascii() or any(sign <= " " or sign in '\\"<>^`|' for sign in text):
        raise TemplateError("must be a URL in ASCII without spaces; write other characters percent-encoded")
    if not text.startswith(("http://", "https://")):
        raise TemplateError("must begin with https:// or http://")
    try:
        parts = urlsplit(text)
        if "{" in parts.netloc:
            raise TemplateError("has a value in its host; values may stand in the path and in the query only")
        port = parts.port
    except TemplateError:
        raise
    except ValueError as error:
        raise TemplateError(f"is no URL: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise TemplateError("has a user or password in it; use a header with {secret:NAME} instead")
    if not parts.hostname:
        raise TemplateError("names no host")
    if parts.fragment or text.endswith("#"):
        raise TemplateError("has a fragment ('#...'), which is never sent")
    return UrlTemplate(parts.scheme, parts.hostname, port, parts.path or "/", parts.query)


def check_body(body: Body) -> None:
    """Raises TemplateError."""
    for text in _texts(body):
        _check_braces(text)


def _texts(body: Body) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, list):
        for item in body:
            yield from _texts(item)
    elif isinstance(body, dict):
        for item in body.values():
            yield from _texts(item)


def body_names(body: Body) -> tuple[str, ...]:
    return tuple(name for text in _texts(body) for name in names(text))


def fill_body(body: Body, values: Mapping[str, str]) -> Body:
    """The same with the values in its texts; encoding it as JSON is what quotes them. Raises ValueRefused."""
    if isinstance(body, str):
        return fill_text(body, values)
    if isinstance(body, list):
        return [fill_body(item, values) for item in body]
    if isinstance(body, dict):
        return {key: fill_body(item, values) for key, item in body.items()}
    return body


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """As it is, for places that are quoted later. Raises ValueRefused."""
    return _PLACE.sub(lambda found: _given(values, found[1]), text)


def check_header(text: str) -> None:
    """Headers take secrets of the source, never values of a call. Raises TemplateError."""
    _check_braces(text)
    for name in names(text):
        if not name.startswith(SECRET):
            raise TemplateError(f"{{{name}}} may not stand in a header; only {{secret:NAME}} may")


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT with bound parameters."""

    text: str
    """As PostgreSQL's driver takes it: ``%(name)s`` for each value, which is sent apart from the text."""
    wanted: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        return self.wanted

    def bind(self, values: Mapping[str, str]) -> dict[str, str]:
        """Raises ValueRefused."""
        bound = {name: _given(values, name) for name in self.wanted}
        if any("\x00" in value for value in bound.values()):
            raise ValueRefused("a value holds NUL, which PostgreSQL's texts cannot")
        return bound


def parse_statement(text: str) -> Statement:
    """Raises TemplateError."""
    text = text.strip().removesuffix(";").strip()
    bare = _QUOTED.sub(" ", text)
    if bare.split(None, 1)[:1] and bare.split(None, 1)[0].lower() not in ("select", "with", "values", "table"):
        raise TemplateError("must be one SELECT (or WITH … SELECT): a dip only reads")
    if not bare.strip():
        raise TemplateError("is empty")
    if ";" in bare:
        raise TemplateError("holds more than one statement; a dip is one SELECT")
    _check_braces(bare)
    for quoted in _QUOTED.finditer(text):
        if _PLACE.search(quoted[0]):
            raise TemplateError(f"has a value within quotes or a comment ({quoted[0]}); write it bare, it is bound as a parameter")
    wanted = names(bare)
    if any(name.startswith(SECRET) for name in wanted):
        raise TemplateError("has a {secret:NAME} in it; a statement takes values only")
    driver_text = _PLACE.sub(lambda found: f"%({found[1]})s", text.replace("%", "%%"))
    return Statement(driver_text, tuple(dict.fromkeys(wanted)))
