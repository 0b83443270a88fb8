"""From a question of a flow to the dips process, and back to the outcomes that the node knows."""

from callcenter.domain.commands import AskOutside
from callcenter.domain.dips.source import Outcome
from callcenter.domain.ivr.dipping import NOT_FOUND, DipQuestion
from callcenter.domain.ivr.questions import ANSWERED, FAILED
from callcenter.services.answering import Answer
from callcenter.services.dips.client import DipsClient

OUTCOMES = {Outcome.FOUND: ANSWERED, Outcome.NOT_FOUND: NOT_FOUND, Outcome.FAILED: FAILED, Outcome.LATE: FAILED}


class DipAnswerer:
    """Implements ``services.answering.Answerer`` for data dips."""

    def __init__(self, client: DipsClient) -> None:
        self._client = client

    async def __call__(self, command: AskOutside) -> Answer:
        question = command.question
        assert isinstance(question, DipQuestion)
        answer = await self._client.ask(question.source, question.parameters, command.budget, secret=question.secret)
        return Answer(OUTCOMES[answer.outcome], answer.told())
