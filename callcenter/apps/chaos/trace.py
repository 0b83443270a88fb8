"""What happened in one seed, line by line, and its hash: the same seed gives the same trace, in any process."""

import json
from hashlib import sha256
from pathlib import Path


class Trace:
    """Lines of virtual seconds, who, and what. The hash needs no memory; the lines are kept only when somebody wants to read them."""

    def __init__(self, *, keep: bool = False) -> None:
        self.lines: list[tuple[float, str, str]] = []
        self.count = 0
        self._keep = keep
        self._hash = sha256()

    def note(self, at: float, who: str, what: object) -> None:
        text = str(what)
        self.count += 1
        self._hash.update(f"{at:.6f} {who} {text}\n".encode())
        if self._keep:
            self.lines.append((at, who, text))

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, path: Path) -> None:
        """As JSON lines."""
        with path.open("w") as file:
            for at, who, what in self.lines:
                file.write(json.dumps({"at": round(at, 6), "who": who, "what": what}) + "\n")
