"""What an agent hears of names: each reason, disposition and queue has a prompt of its own, spoken or recorded."""

REASON, DISPOSITION, QUEUE = "reason", "disposition", "queue"
LEVEL = "/"
"""Between the levels of a disposition: ``sale/by-phone``."""


def named(kind: str, name: str) -> str:
    """The prompt that says the name; ``runtime`` makes one for each, unless there is a better one by that id."""
    return f"{kind}-{name.replace('_', '-')}"
