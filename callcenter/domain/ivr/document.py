"""A flow: an IVR program as data, nodes and edges."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callcenter.domain.ivr.node import Node
from callcenter.domain.ivr.speech import LANGUAGE

__all__ = ["CALLER", "LANGUAGE", "Flow"]

CALLER = "caller"
"""The attribute that each call has from the beginning, unless it was withheld: the number it comes from."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A named program; ``start`` is the first node."""

    name: str
    start: str
    nodes: Mapping[str, Node] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    """Those it can be heard in; the first is that of callers who have chosen none. Empty: the center's."""
    parameters: tuple[str, ...] = ()
    """The attributes that it is given as a sub-flow; each must be given."""
    on_error: str = ""
    """The node at which a caller goes on when something went wrong; empty: that of the flow around it, else a goodbye."""
    version: int = 0
    """The published one; 0: none that is published."""
