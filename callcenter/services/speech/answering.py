"""Answers the questions of nodes that listen."""

from collections.abc import Callable

import structlog

from callcenter.domain.commands import AskOutside
from callcenter.domain.ivr.listening import CONFIDENCE, HEARD, NOTHING, SpeechQuestion, verdict
from callcenter.services.answering import Answer
from callcenter.services.speech.listening import Listening, NotListening

log = structlog.get_logger(__name__)


class SpeechAnswerer:
    """Lets the recogniser hear the caller, and says what to make of it."""

    def __init__(self, listening: Listening, rate: Callable[[], int]) -> None:
        """``rate``: samples per second that the recogniser wants now."""
        self._listening = listening
        self._rate = rate

    async def answer(self, command: AskOutside) -> Answer:
        """What the caller said. It is cancelled when a key was pressed."""
        question = command.question
        assert isinstance(question, SpeechQuestion)
        leg = (command.node, command.leg)
        try:
            heard = await self._listening.hear(command.ask, leg, question.grammar, question.no_speech, question.limit, self._rate())
        except NotListening as error:
            log.warning("not_listening", call=command.call, why=error.why, detail=str(error))
            return Answer(error.why)
        if heard is None:
            return Answer(NOTHING)
        outcome = verdict(question, heard.value, heard.confidence)
        log.info("heard", call=command.call, outcome=outcome, confidence=round(heard.confidence, 2))
        return Answer(outcome, {HEARD: heard.value, CONFIDENCE: f"{heard.confidence:.2f}"} if heard.value else {})
