"""Names of everything the center creates, from a seed the engine passes in at boot."""

from hashlib import blake2b
from uuid import UUID


class Ids:
    """Repeatable ids: the n-th id of a boot depends only on the boot's seed and n.

    A seed is used for one boot only (the engine draws it at random), so no id is ever used twice.
    Ids are UUIDs of version 8 (RFC 9562 §5.8), unguessable to whom does not know the seed.
    """

    __slots__ = ("_drawn", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._drawn = 0

    def draw(self) -> str:
        """Return the next id."""
        self._drawn += 1
        digest = bytearray(blake2b(b"%s:%d" % (self._seed, self._drawn), digest_size=16).digest())
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return str(UUID(bytes=bytes(digest)))

    def draw_leg(self, node: str) -> str:
        """Return the id of a leg we are about to create on ``node``; like Asterisk's own ids there, it begins with the node's name."""
        return f"{node}-{self.draw()}"
