"""Names of everything the center creates, from a seed the engine passes in at boot."""

from hashlib import blake2b

_VARIANT = {digit: f"{int(digit, 16) & 0b0011 | 0b1000:x}" for digit in "0123456789abcdef"}
"""RFC 9562 §4.1: the two highest bits of the ninth octet are 1 and 0."""


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
        digits = blake2b(b"%s:%d" % (self._seed, self._drawn), digest_size=16).hexdigest()
        return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"

    def draw_leg(self, node: str) -> str:
        """Return the id of a leg we are about to create on ``node``; like Asterisk's own ids there, it begins with the node's name."""
        return f"{node}-{self.draw()}"
