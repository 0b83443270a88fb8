"""Where the operator looks: a terminal, a pipe, a file. It may go away at any moment; what was told about goes on."""

import contextlib
import io
import os
from typing import TextIO

from rich.console import Console


class Outliving(io.TextIOBase):
    """Writes to ``stream``; once its reader has left (a lost terminal, a broken pipe, a full disk), to nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed: a variable
        return self._stream.encoding or "utf-8"

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, text: str, /) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._leave()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._leave()

    def _leave(self) -> None:
        """What is still buffered goes nowhere too, else it would fail again when Python ends."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def terminal(stream: TextIO) -> Console:
    return Console(file=Outliving(stream), highlight=False)  # type: ignore[arg-type]  # it is all that Console needs
