"""What the outside answers, made harmless: names that an attribute may have, values of one bounded line."""

import re
from collections.abc import Mapping

from callcenter.domain.ivr.deciding import GIVEN
from callcenter.domain.ivr.templates import neutralised

MOST = 40
"""Attributes of one answer."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


def cleaned(attributes: Mapping[str, str]) -> Mapping[str, str]:
    """What may be kept of an answer; the rest is dropped."""
    kept: dict[str, str] = {}
    for name, value in attributes.items():
        if len(kept) < MOST and _NAME.fullmatch(name) and name not in GIVEN:
            kept[name] = neutralised(value)
    return kept
