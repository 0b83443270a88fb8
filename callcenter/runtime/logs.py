"""Logs: one JSON object per line, numbers masked, secrets never.

JSON escapes control characters, so nothing a caller sends can break a line.
"""

import logging
import shutil
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

NUMBERS = frozenset({"caller", "caller_name", "dialed", "did", "number", "endpoint"})
"""Shown by their last digits only."""
SECRETS = frozenset({"token", "password", "secret", "digit", "digits", "url", "cookie"})
CAP = 20_000_000
"""Bytes of one log file."""
KEPT = 3


def configure(process: str, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Log as ``process`` to ``stream`` (standard error; the supervisor leads it to a file). Libraries' own logging goes the same way."""
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
        mask,
    ]
    ending: list[Processor] = [
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),  # locals hold numbers and passwords
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared], processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending]
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _named(process: str) -> Processor:
    def name(_logger: object, _method: str, event: MutableMapping[str, object]) -> Mapping[str, object]:
        event["process"] = process
        return event

    return name


def mask(_logger: object, _method: str, event: MutableMapping[str, object]) -> Mapping[str, object]:
    """Policy: of numbers the last three digits, of secrets and pressed digits nothing."""
    for key, value in event.items():
        if key in SECRETS:
            event[key] = "***"
        elif key in NUMBERS and isinstance(value, str) and value:
            event[key] = f"…{value[-3:]}" if len(value) > 5 else value
    return event


def cap(file: Path, size: int = CAP, kept: int = KEPT) -> bool:
    """When the file has grown over ``size`` bytes, keep a copy and begin anew; its writers (who append) notice nothing."""
    try:
        if file.stat().st_size <= size:
            return False
        for number in range(kept - 1, 0, -1):
            older = file.with_name(f"{file.name}.{number}")
            if older.exists():
                older.replace(file.with_name(f"{file.name}.{number + 1}"))
        shutil.copyfile(file, file.with_name(f"{file.name}.1"))
        with file.open("r+b") as log:
            log.truncate()
    except OSError:  # a full disk: better no copy than a full disk for ever
        with file.open("r+b") as log:
            log.truncate()
    return True
