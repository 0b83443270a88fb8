"""What an agent asks the engine about herself, beside the commands of her work."""

from collections.abc import Mapping

from callcenter.domain.figures import now_of
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.engine import Engine
from callcenter.services.ports import Clock


class AgentDesk:
    """Each operation is a method named after it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def agent_figures(self, request: JsonObject) -> Mapping[str, object]:
        """Her figures of today, this moment included; seconds, and a ratio or null."""
        state, name = self._engine.center.state, str(request.get("agent") or "")
        agent = state.agents.get(name)
        if agent is None:
            raise ControlError(f"there is no agent '{name[:40]}'; agents: {', '.join(sorted(state.agents)) or 'none'}")
        figures = now_of(agent.figures, state.config.time_zone, agent.state, agent.since, self._clock.now())
        lengths = {"talk": figures.talk, "hold": figures.hold, "wrap_up": figures.wrap_up, "aht": figures.aht}
        return {
            "ok": True,
            "agent": name,
            "day": figures.day.isoformat() if figures.day else None,
            "contacts": figures.contacts,
            **{f"{key}_s": None if length is None else round(length.total_seconds(), 3) for key, length in lengths.items()},
            "occupancy": figures.occupancy,
        }
