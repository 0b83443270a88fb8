"""The engine's FastAGI port: customers' own dialplans ask, the center's state answers."""

import asyncio
from collections.abc import Sequence

import structlog

from callcenter.adapters.agi.server import AgiRequest, AgiServer
from callcenter.services.engine import Engine
from callcenter.services.lookups import UnknownQuestion, answer
from callcenter.services.ports import Clock

log = structlog.get_logger(__name__)

TRY_AGAIN_AFTER = 5.0
"""Seconds; an engine before us may hold the port for a moment, and calls go on without it."""


async def serve_questions(engine: Engine, clock: Clock, host: str, port: int) -> None:
    """Until cancelled."""

    async def answers(request: AgiRequest) -> Sequence[tuple[str, str]]:
        try:
            return answer(engine.center.state, clock.now(), request.name, request.query, request.environment)
        except UnknownQuestion as error:
            log.warning("agi_unknown_question", sentence=str(error))
            return ()

    server = AgiServer(answers)
    while True:
        try:
            await server.start(host, port)
            break
        except OSError as error:
            log.error("agi_not_served", host=host, port=port, error=str(error), advice="free the port, or set another engine.agi_port")
            await asyncio.sleep(TRY_AGAIN_AFTER)
    try:
        await asyncio.Event().wait()
    finally:
        await server.close()
