"""What a flow asks the outside while the caller waits.

A question is plain data, a frozen dataclass of ``Question`` for each kind: whoever answers it (``services.answering``) needs nothing
else. It lives in a command, never in a fact, so it may hold secret values; after a restart it is made anew by the node it was asked at.
"""


class Question:
    """Something that only the outside can answer."""

    __slots__ = ()


ANSWERED = "answered"
"""The plain good outcome."""
FAILED = "failed"
"""Nobody could answer."""
LATE = "late"
"""The budget was over before there was an answer. Only the core says so."""
KEY = "key"
"""The caller pressed a key instead. Only the core says so."""
