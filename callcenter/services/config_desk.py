"""What may be asked about the configuration over the control socket."""

from collections.abc import Mapping

from callcenter.services.control import JsonObject
from callcenter.services.engine import Engine


class ConfigDesk:
    """Each operation is a method named after it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def config_in_use(self, request: JsonObject) -> Mapping[str, object]:
        """The digest of the documents that the center goes by, and since when."""
        state = self._engine.center.state
        taken = state.config_taken
        since = taken.at.isoformat() if taken is not None and taken.documents == state.config.documents else None
        return {"documents": state.config.documents, "since": since}
