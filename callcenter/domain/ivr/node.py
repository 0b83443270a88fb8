"""What all kinds of node share: their exits, and what they need of the rest of the configuration."""

from collections.abc import Iterator
from typing import NamedTuple

from callcenter.domain.ivr.speech import Pieces

NEXT, OTHERWISE, FAILED = "next", "otherwise", "failed"
"""Exits: the usual one, the one after all tries or without a way, and the one when the outside could not answer."""


class Reference(NamedTuple):
    """Something that a node names and that must exist: ``what`` is ``queue``, ``flow``, ``hours``, ``list``, ``agent`` ..."""

    key: str
    what: str
    name: str


class Node:
    """One place of a flow. A kind is a frozen dataclass of this and its row in ``kinds.KINDS``."""

    __slots__ = ()

    def exits(self) -> Iterator[tuple[str, str]]:
        """Each way out: its name, and the node it leads to."""
        return iter(())

    def exit_key(self, exit_name: str) -> str:
        """Under which key the exit stands."""
        return exit_name

    def targets(self) -> Iterator[str]:
        return (target for _, target in self.exits())

    def says(self) -> Iterator[tuple[str, Pieces]]:
        """What may be said here, by key."""
        return iter(())

    def reads(self) -> Iterator[tuple[str, str]]:
        """The attributes of the call that are looked at here, beside those said, by key."""
        return iter(())

    def sets(self) -> Iterator[str]:
        """The attributes of the call that may be set here."""
        return iter(())

    def references(self) -> Iterator[Reference]:
        """What must exist elsewhere."""
        return iter(())

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with the node by itself: key and sentence."""
        return iter(())
