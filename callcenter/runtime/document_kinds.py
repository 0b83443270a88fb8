"""Which tables of ``callcenter.toml`` are documents of the center, and which are settings of this site (decision 0012).

Documents say how the center works, the same on every machine that serves it. Site settings say where it runs: ports, folders, the
database, nodes, trunks, and everything that names secrets or other machines. A table that is not listed here is a site setting.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callcenter.domain.documents import Body, Documents, kind_of, name_of, plain


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of document: the table of that name."""

    table: str
    named_by: str = ""
    """``[[table]]``: the key that holds the name of each. Empty: ``[table.NAME]``, or one table ``[table]``."""
    one: bool = False
    """``[table]``: a center has one such document at most."""


KINDS: Mapping[str, Kind] = {
    kind.table: kind
    for kind in (
        Kind("center", one=True),
        Kind("recording", one=True),
        Kind("payments", one=True),
        Kind("missed_offers", one=True),
        Kind("occupancy", one=True),
        Kind("calling", one=True),
        Kind("desk_phone", one=True),
        Kind("own_calls", one=True),
        Kind("routing", one=True),
        Kind("queue", named_by="name"),
        Kind("agent", named_by="name"),
        Kind("team", named_by="name"),
        Kind("supervisor", named_by="name"),
        Kind("skill", named_by="name"),
        Kind("number", named_by="did"),
        Kind("calendar"),
        Kind("flow"),
        Kind("script"),
        Kind("disposition"),
        Kind("caller_list", named_by="name"),
        Kind("routing_rule", named_by="name"),
        Kind("prompt", named_by="id"),
        Kind("music", named_by="name"),
        Kind("language"),
    )
}


class SplitError(ValueError):
    """A table is not made of documents; the settings' own checks say more of it."""


def split(raw: Mapping[str, object]) -> tuple[dict[str, object], dict[str, Body]]:
    """The site settings, and the documents. Raises SplitError."""
    site = {table: value for table, value in raw.items() if table not in KINDS}
    documents: dict[str, Body] = {}
    for table, value in raw.items():
        if table in KINDS:
            for key, body in _documents(KINDS[table], value):
                if key in documents:
                    raise SplitError(f"{key} is there twice")
                documents[key] = body
    return site, documents


def join(site: Mapping[str, object], documents: Documents) -> dict[str, object]:
    """The whole of ``callcenter.toml`` that says the same; documents that the site settings hold too are left out of those."""
    raw: dict[str, object] = {table: value for table, value in site.items() if table not in KINDS}
    several: dict[str, list[object]] = {}
    named: dict[str, dict[str, object]] = {}
    for key, body in documents.items():
        kind = KINDS[kind_of(key)]
        if kind.one:
            raw[kind.table] = body
        elif kind.named_by:
            several.setdefault(kind.table, []).append(body)
        else:
            named.setdefault(kind.table, {})[name_of(key)] = body
    return {**raw, **several, **named}


def key_of(kind: Kind, body: Body) -> str:
    """A document's key. Raises SplitError."""
    name = body.get(kind.named_by)
    if not isinstance(name, str) or not name:
        raise SplitError(f"a {kind.table} has no {kind.named_by}")
    if kind.table == "prompt" and isinstance(body.get("language"), str):
        name = f"{name}.{body['language']}"
    return f"{kind.table}/{name}"


def place_of(raw: Mapping[str, object], dotted: str) -> tuple[str, str]:
    """From the dotted key of a fault (``queue[1].keys.3``) to the document's key and what is left (``keys.3``); no document: empty."""
    table, _, rest = dotted.partition(".")
    table, _, place = table.partition("[")
    kind = KINDS.get(table)
    if kind is None:
        return "", dotted
    if kind.one:
        return table, rest
    if kind.named_by:
        entries = raw.get(table)
        number = place.removesuffix("]")
        if not isinstance(entries, list) or not number.isdigit() or int(number) >= len(entries):
            return "", dotted
        try:
            return key_of(kind, entries[int(number)]), rest
        except SplitError:
            return "", dotted
    name, _, rest = rest.partition(".")
    return f"{table}/{name}", rest


def _documents(kind: Kind, value: object) -> Iterator[tuple[str, Body]]:
    if kind.one:
        yield kind.table, _body(kind, value)
    elif kind.named_by:
        if not isinstance(value, list):
            raise SplitError(f"{kind.table} is no list of tables")
        for entry in value:
            body = _body(kind, entry)
            yield key_of(kind, body), body
    else:
        for name, entry in _body(kind, value).items():
            yield f"{kind.table}/{name}", _body(kind, entry)


def _body(kind: Kind, value: object) -> Body:
    if not isinstance(value, Mapping):
        raise SplitError(f"{kind.table} is no table")
    try:
        body = plain(value)
    except ValueError as error:
        raise SplitError(f"{kind.table}: {error}") from None
    assert isinstance(body, dict)
    return body
