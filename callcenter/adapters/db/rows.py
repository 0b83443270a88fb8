"""Records of the books as rows, and the statements that write many rows at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects import postgresql

from callcenter.adapters.db.tables import cdr, contact, recording
from callcenter.domain.records import CallRecord, ContactRecord, RecordingRecord

Value = str | int | bool | Decimal | datetime | None
Record = CallRecord | ContactRecord | RecordingRecord

_SPANS = {"wait", "talk", "hold", "wrap_up"}
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def seconds(span: timedelta) -> Decimal:
    """Exact to the microsecond."""
    return Decimal(span // timedelta(microseconds=1)).scaleb(-6)


def span(value: Decimal | None) -> timedelta | None:
    """What ``seconds`` wrote."""
    return None if value is None else timedelta(microseconds=int(value.scaleb(6)))


def columns_of(records: Sequence[Record]) -> dict[str, list[Value]]:
    """The records column by column, under the columns' names."""
    if not records:
        return {}
    names = [field.name for field in fields(records[0])]
    return {f"{name}_s" if name in _SPANS else name: [_value(getattr(record, name)) for record in records] for name in names}


def _value(value: object) -> Value:
    if isinstance(value, timedelta):
        return seconds(value)
    if isinstance(value, StrEnum):
        return value.value
    assert value is None or isinstance(value, str | int | datetime)
    return value


def upsert(table: Table, columns: Iterable[str], *, unless: Mapping[str, str] | None = None) -> TextClause:
    """Write rows given as one array per column; rows that are there are brought up to date, and left alone when nothing changed.

    ``unless`` gives some columns another expression for the update.
    """
    names = list(columns)
    keys = [column.name for column in table.primary_key]
    arrays = ", ".join(f"CAST(:{name} AS {_type(table, name)}[])" for name in names)
    others = [name for name in names if name not in keys]
    sets = ", ".join(f"{name} = {(unless or {}).get(name, f'excluded.{name}')}" for name in others)
    old = ", ".join(f"{table.name}.{name}" for name in others)
    new = ", ".join((unless or {}).get(name, f"excluded.{name}") for name in others)
    return text(
        f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM unnest({arrays}) "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets} WHERE ({old}) IS DISTINCT FROM ({new})"
    )


def _type(table: Table, name: str) -> str:
    return table.c[name].type.compile(_DIALECT).split("(")[0] if name.endswith("_s") else table.c[name].type.compile(_DIALECT)


def _names(record: type[Record]) -> list[str]:
    return [f"{field.name}_s" if field.name in _SPANS else field.name for field in fields(record)]


# What became of the file is known better than facts know it.
_FILE_IS_SETTLED = "recording.state IN ('finished', 'missing')"
_UNLESS_SETTLED: Collection[str] = ("state", "why")

UPSERT_CALLS = upsert(cdr, _names(CallRecord))
UPSERT_CONTACTS = upsert(contact, _names(ContactRecord))
UPSERT_RECORDINGS = upsert(
    recording,
    _names(RecordingRecord),
    unless={name: f"CASE WHEN {_FILE_IS_SETTLED} THEN recording.{name} ELSE excluded.{name} END" for name in _UNLESS_SETTLED},
)
