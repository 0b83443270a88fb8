"""Whole numbers as strangers write them."""


def whole(text: str) -> int | None:
    """The number, where it is one that every place of ours holds; None: it is none, or has more than nine digits, or other than ASCII's."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
