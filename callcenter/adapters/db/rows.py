"""Records of the books as rows, and the statements that write many rows at once."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects import postgresql

from callcenter.adapters.db.tables import callback, cdr, contact, flow_stay, recording, survey_answer
from callcenter.domain.flow_books import FlowStay
from callcenter.domain.records import CallbackRecord, CallRecord, ContactRecord, RecordingRecord, SurveyAnswerRecord

Value = str | int | bool | list[str] | None
Record = CallRecord | ContactRecord | RecordingRecord | CallbackRecord | FlowStay | SurveyAnswerRecord

_SPANS = {"wait", "talk", "hold", "wrap_up"}
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def seconds(span: timedelta) -> Decimal:
    """Exact to the microsecond."""
    return Decimal(span // timedelta(microseconds=1)).scaleb(-6)


def span(value: Decimal | None) -> timedelta | None:
    """What ``seconds`` wrote."""
    return None if value is None else timedelta(microseconds=int(value.scaleb(6)))


def as_json(records: Sequence[Record]) -> str:
    """The records as the JSON array that the statements below read: one parameter, cheap to make and to send."""
    if not records:
        return "[]"
    names = [(field.name, f"{field.name}_s" if field.name in _SPANS else field.name) for field in fields(records[0])]
    return json.dumps([{column: _value(getattr(record, name)) for name, column in names} for record in records], separators=(",", ":"))


def _value(value: object) -> Value:
    if isinstance(value, timedelta):
        return str(seconds(value))
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return list(map(str, value))
    assert value is None or isinstance(value, str | int)
    return value


def upsert(table: Table, columns: Iterable[str], *, unless: Mapping[str, str] | None = None) -> TextClause:
    """Write the rows of ``:rows`` (``as_json``); those that are there are brought up to date, and left alone when nothing changed.

    ``unless`` gives some columns another expression for the update.
    """
    names = list(columns)
    keys = [column.name for column in table.primary_key]
    typed = ", ".join(f"{name} {table.c[name].type.compile(_DIALECT)}" for name in names)
    others = [name for name in names if name not in keys]
    sets = ", ".join(f"{name} = {(unless or {}).get(name, f'excluded.{name}')}" for name in others)
    old = ", ".join(f"{table.name}.{name}" for name in others)
    new = ", ".join((unless or {}).get(name, f"excluded.{name}") for name in others)
    return text(
        f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row ({typed}) "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets} WHERE ({old}) IS DISTINCT FROM ({new})"
    )


def _names(record: type[Record]) -> list[str]:
    return [f"{field.name}_s" if field.name in _SPANS else field.name for field in fields(record)]


# What became of the file is known better than facts know it.
_FILE_IS_SETTLED = "recording.state IN ('finished', 'missing', 'deleted')"
_UNLESS_SETTLED: Collection[str] = ("state", "why")

UPSERT_CALLS = upsert(cdr, _names(CallRecord))
UPSERT_CONTACTS = upsert(contact, _names(ContactRecord))
UPSERT_STAYS = upsert(flow_stay, _names(FlowStay))
UPSERT_SURVEY_ANSWERS = upsert(survey_answer, _names(SurveyAnswerRecord))
UPSERT_CALLBACKS = upsert(callback, _names(CallbackRecord))
UPSERT_RECORDINGS = upsert(
    recording,
    _names(RecordingRecord),
    unless={name: f"CASE WHEN {_FILE_IS_SETTLED} THEN recording.{name} ELSE excluded.{name} END" for name in _UNLESS_SETTLED},
)
