"""``[dip.NAME]`` and ``[connection.NAME]``: whom flows may ask, checked so that a dip can only do what it says.

Secrets never stand in the file: they are named there, and read from files or from the environment by the process that asks.
"""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from callcenter.domain.dips.addresses import may_connect
from callcenter.domain.dips.breaker import BreakerRule
from callcenter.domain.dips.reading import Kind, Wanted, parse_path
from callcenter.domain.dips.source import FALLBACK, HttpSource, Rules, Source, SqlSource
from callcenter.domain.dips.template import SECRET, Body, body_names, check_body, check_header, names, parse_statement, parse_url
from callcenter.runtime.settings_fields import AttributeName, Name, Plain, Seconds, Section, SomeSeconds
from callcenter.runtime.settings_flow_model import DipNodeSection
from callcenter.runtime.settings_problems import Problem

if TYPE_CHECKING:
    from callcenter.runtime.settings import Settings

RESERVED = frozenset({"caller", "dialed", "trunk", "list", FALLBACK})
"""Attributes that every call has; no answer may change them."""
LONGEST_BUDGET = timedelta(seconds=30)
DEEPEST_BODY = 8

_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?|.*:.*", re.IGNORECASE)
"""What a resolver takes for an address, octal, hexadecimal and shortened forms included; only the plain form is taken here."""


class SecretError(Exception):
    """A secret cannot be had; the sentence names where it should be, never what it is."""


def _checked(check: object) -> AfterValidator:
    def run(text: str) -> str:
        check(text)  # type: ignore[operator]
        return text

    return AfterValidator(run)


def _variable(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,100}", text):
        raise ValueError(f"must be the name of an environment variable, but is {text!r}")
    return text


PathText = Annotated[str, _checked(parse_path)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")]
HeaderText = Annotated[Plain, _checked(check_header)]
UrlText = Annotated[str, Field(max_length=2000), _checked(parse_url)]
StatementText = Annotated[str, Field(max_length=10_000), _checked(parse_statement)]
Status = Annotated[int, Field(ge=200, le=599)]


class SecretSection(Section):
    """Where a secret is: one of both."""

    file: Path | None = None
    """Relative to the settings file; its text without the last line end."""
    environment: Annotated[str, AfterValidator(_variable)] | None = None


class WantedSection(Section):
    """One attribute of the answer."""

    path: PathText
    type: Kind = Kind.TEXT
    optional: bool = False
    max_length: int = Field(default=200, ge=1, le=500)


def _path_alone(value: object) -> object:
    """``"customer.name"`` is short for a text at that path."""
    return {"path": value} if isinstance(value, str) else value


class BreakerSection(Section):
    failures: int = Field(default=5, ge=1, le=1000)
    open_for: SomeSeconds = Field(default=timedelta(seconds=30), alias="open_for_s")


class DipSection(Section):
    """A source that flows may ask: over HTTP, or with one SELECT."""

    kind: Literal["http", "sql"] = "http"
    # http
    method: Literal["GET", "POST", "PUT"] = "GET"
    url: UrlText | None = None
    headers: dict[HeaderName, HeaderText] = Field(default_factory=dict, max_length=20)
    body: dict[str, object] | None = None
    """Sent as JSON, with ``{name}`` in its texts filled in."""
    found_status: tuple[Status, ...] = (200,)
    not_found_status: tuple[Status, ...] = (404,)
    found_if: PathText | None = None
    allow_private: bool = False
    """Whether its address may be one of this machine or network."""
    ca_file: Path | None = None
    """Whom to trust over TLS instead of this machine's authorities."""
    max_bytes: int = Field(default=65_536, ge=100, le=1_048_576)
    secrets: dict[AttributeName, SecretSection] = Field(default_factory=dict, max_length=10)
    # sql
    connection: Name | None = None
    statement: StatementText | None = None
    # both
    attributes: dict[AttributeName, Annotated[WantedSection, BeforeValidator(_path_alone)]] = Field(default_factory=dict, max_length=50)
    defaults: dict[AttributeName, Annotated[str, Field(max_length=200)]] = Field(default_factory=dict)
    """The attributes when there is no answer."""
    budget: SomeSeconds = Field(default=timedelta(seconds=3), alias="budget_s")
    cached_for: Seconds = Field(default=timedelta(0), alias="cached_for_s")
    """How old the last good answer to the same question may be that stands in for none; 0: none does."""
    at_once: int = Field(default=20, ge=1, le=500)
    breaker: BreakerSection = BreakerSection()


class ConnectionSection(Section):
    """A PostgreSQL that dips may read."""

    url: SecretSection
    """``postgresql://USER:PASSWORD@HOST:PORT/NAME``, kept elsewhere because of its password."""


# --- what is wrong ------------------------------------------------------------------------------


def dips_faults(settings: "Settings") -> Iterator[Problem]:
    broken = False
    for problem in _source_faults(settings):
        broken = True
        yield problem
    if not broken:
        yield from _node_faults(settings)


def _source_faults(settings: "Settings") -> Iterator[Problem]:
    for name, section in settings.dips.items():
        key = f"dip.{name}"
        yield from _http_faults(key, section) if section.kind == "http" else _sql_faults(key, section, settings.connections)
        yield from _attribute_faults(key, section)
        if section.budget > LONGEST_BUDGET:
            yield Problem(f"{key}.budget_s", f"must be {LONGEST_BUDGET.seconds} at most: a caller waits meanwhile")
        for secret, where in section.secrets.items():
            yield from secret_faults(settings, f"{key}.secrets.{secret}", where)
        if section.ca_file is not None and not settings.beside_the_file(section.ca_file).is_file():
            yield Problem(f"{key}.ca_file", f"names '{section.ca_file}', which is not a file")
    for name, connection in settings.connections.items():
        yield from secret_faults(settings, f"connection.{name}.url", connection.url)


def dip_attributes(settings: "Settings") -> frozenset[str]:
    """What flows may find set after a dip."""
    found = {name for section in settings.dips.values() for name in section.attributes}
    return frozenset(found | {FALLBACK}) if settings.dips else frozenset()


def _node_faults(settings: "Settings") -> Iterator[Problem]:
    """A dip must be asked with everything that its source wants, and with nothing else."""
    wanted = {name: source.names() for name, source in sources(settings).items()}
    for flow, section in settings.flows.items():
        for name, node in section.nodes.items():
            if not isinstance(node, DipNodeSection) or node.source not in wanted:
                continue
            key = f"flow.{flow}.node.{name}.parameters"
            for missing in [wants for wants in wanted[node.source] if wants not in node.parameters]:
                yield Problem(key, f"lacks '{missing}', which source '{node.source}' is asked with; write {missing} = \"{{ATTRIBUTE}}\"")
            for extra in [given for given in node.parameters if given not in wanted[node.source]]:
                there = ", ".join(wanted[node.source]) or "none"
                yield Problem(f"{key}.{extra}", f"is nothing that source '{node.source}' is asked with: {there}")


def _http_faults(key: str, section: DipSection) -> Iterator[Problem]:
    if section.connection is not None or section.statement is not None:
        yield Problem(f"{key}.kind", "'http' takes no connection and no statement; those are for kind = \"sql\"")
    if section.url is None:
        yield Problem(f"{key}.url", 'is missing; an http dip needs one, such as "https://crm.example.com/customers/{caller}"')
        return
    url = parse_url(section.url)
    if not section.allow_private and not _host_may_be_asked(url.host):
        yield Problem(f"{key}.url", f"host '{url.host}' is an address of this machine or network; set allow_private = true if it is meant")
    if section.body is not None:
        try:
            _check_json(section.body)
            check_body(_json(section.body))
        except ValueError as error:
            yield Problem(f"{key}.body", str(error))
        if section.method == "GET":
            yield Problem(f"{key}.body", 'needs method = "POST" or "PUT"')
    if set(section.found_status) & set(section.not_found_status):
        yield Problem(f"{key}.not_found_status", "and found_status have a status in common")
    wanted = {*url.names(), *(name for text in section.headers.values() for name in names(text))}
    wanted |= set(body_names(_json(section.body)))
    for name in sorted(wanted):
        if name.startswith(SECRET) and name.removeprefix(SECRET) not in section.secrets:
            yield Problem(f"{key}.secrets", f"has no '{name.removeprefix(SECRET)}', which {{{name}}} wants")


def _sql_faults(key: str, section: DipSection, connections: Mapping[str, ConnectionSection]) -> Iterator[Problem]:
    if section.url is not None or section.headers or section.body is not None or section.secrets or section.found_if is not None:
        yield Problem(f"{key}.kind", "'sql' takes no url, headers, body, secrets or found_if; those are for kind = \"http\"")
    if section.statement is None:
        yield Problem(f"{key}.statement", 'is missing; an sql dip needs one, such as "select tier from customers where number = {caller}"')
    if section.connection not in connections:
        known = ", ".join(sorted(connections)) or "none"
        yield Problem(f"{key}.connection", f"names '{section.connection or ''}', which does not exist; connections: {known}")


def _attribute_faults(key: str, section: DipSection) -> Iterator[Problem]:
    for name in section.attributes:
        if name in RESERVED:
            yield Problem(f"{key}.attributes.{name}", "is an attribute that every call has; choose another name")
    for name in section.defaults:
        if name not in section.attributes:
            known = ", ".join(sorted(section.attributes)) or "none"
            yield Problem(f"{key}.defaults.{name}", f"is none of the attributes of this dip: {known}")


def secret_faults(settings: "Settings", key: str, section: SecretSection) -> Iterator[Problem]:
    if (section.file is None) is (section.environment is None):
        yield Problem(key, "needs file or environment, one of both")
    elif section.file is not None and not settings.beside_the_file(section.file).is_file():
        yield Problem(f"{key}.file", f"names '{section.file}', which is not a file")


def _host_may_be_asked(host: str) -> bool:
    """As far as can be told before its name is resolved; the address itself is judged at each connection."""
    if host == "localhost" or host.endswith(".localhost"):
        return False
    return not _NUMERIC.fullmatch(host) or may_connect(host, allow_private=False)


def _check_json(value: object, depth: int = 0) -> None:
    """TOML has dates, JSON has none. Raises ValueError."""
    if depth > DEEPEST_BODY:
        raise ValueError(f"is nested deeper than {DEEPEST_BODY} levels")
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_json(inner, depth + 1)
    elif value is not None and not isinstance(value, str | int | float | bool):
        raise ValueError(f"holds {value!r}, which JSON has no form for; write it as a text")


def _json(body: dict[str, object] | None) -> Body:
    return body  # type: ignore[return-value]  # checked by _check_json


# --- as the process reads it --------------------------------------------------------------------


def sources(settings: "Settings") -> dict[str, Source]:
    return {name: _source(name, section) for name, section in settings.dips.items()}


def dip_defaults(settings: "Settings") -> dict[str, dict[str, str]]:
    """By source, the attributes when nobody can be asked."""
    return {name: dict(section.defaults) for name, section in settings.dips.items() if section.defaults}


def _source(name: str, section: DipSection) -> Source:
    rules = Rules(
        attributes={key: _wanted(rule) for key, rule in section.attributes.items()},
        defaults=dict(section.defaults),
        budget=section.budget,
        breaker=BreakerRule(section.breaker.failures, section.breaker.open_for),
        cached_for=section.cached_for,
        at_once=section.at_once,
    )
    if section.kind == "sql":
        return SqlSource(name, section.connection or "", parse_statement(section.statement or ""), rules)
    return HttpSource(
        name=name,
        url=parse_url(section.url or ""),
        method=section.method,
        headers=dict(section.headers),
        body=_json(section.body),
        found_status=frozenset(section.found_status),
        not_found_status=frozenset(section.not_found_status),
        found_if=parse_path(section.found_if) if section.found_if else None,
        allow_private=section.allow_private,
        longest=section.max_bytes,
        rules=rules,
    )


def _wanted(section: WantedSection) -> Wanted:
    return Wanted(parse_path(section.path), section.type, section.optional, section.max_length)


def secret(settings: "Settings", section: SecretSection) -> str:
    """Raises SecretError."""
    if section.environment is not None:
        found = os.environ.get(section.environment, "")
        where = f"environment variable {section.environment}"
    else:
        where = str(section.file)
        try:
            found = settings.beside_the_file(section.file or Path()).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            raise SecretError(f"{where} cannot be read as text") from None
    if not found or any(sign < " " for sign in found):
        raise SecretError(f"{where} is empty, or not one line")
    return found
