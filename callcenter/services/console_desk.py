"""What an agent's console may ask over the control socket about the contact before her: note, script, sound, going on after a loss."""

from collections.abc import Mapping

from callcenter.domain.events import AgentLegResumeRequested, Event, NoteWritten, ScriptAnswered, TalkFigures, TalkHeard
from callcenter.services.control import ControlError, JsonObject
from callcenter.services.engine import Engine

LONGEST = 25_000
"""Characters of any text here; the core has narrower limits and says so."""
FIELDS = 200


class ConsoleDesk:
    """Each operation is a method named after it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def agent_note(self, request: JsonObject) -> Mapping[str, object]:
        """``note`` takes the place of what stood there; empty: nothing."""
        return await self._ask(NoteWritten(_name(request, "agent"), _name(request, "contact"), _written(request.get("note"), "note")))

    async def agent_script(self, request: JsonObject) -> Mapping[str, object]:
        """``answers`` by field; ``done`` when the script was gone through to its end."""
        answers = request.get("answers")
        if not isinstance(answers, dict) or len(answers) > FIELDS:
            raise ControlError(f"'answers' must be at most {FIELDS} texts, each by the name of its field")
        texts = tuple(_written(answer, f"answers.{field}") for field, answer in answers.items())
        names = _name(request, "agent"), _name(request, "contact"), _name(request, "script")
        return await self._ask(ScriptAnswered(*names, tuple(answers), texts, request.get("done") is True))

    async def agent_quality(self, request: JsonObject) -> Mapping[str, object]:
        counted = [_figure(request, name, 2**31) for name in ("received", "lost")]
        spans = [_figure(request, name, 600_000) for name in ("jitter_ms", "rtt_ms")]
        worst = [_figure(request, "worst_loss", 1), *(_figure(request, name, 600_000) for name in ("worst_jitter_ms", "worst_rtt_ms"))]
        figures = TalkFigures(int(counted[0]), int(counted[1]), *spans, *worst)
        return await self._ask(TalkHeard(_name(request, "agent"), _name(request, "contact"), figures))

    async def agent_resume(self, request: JsonObject) -> Mapping[str, object]:
        """Ring her softphone once more, for the talk that it has lost."""
        return await self._ask(AgentLegResumeRequested(_name(request, "agent")))

    async def _ask(self, event: Event) -> Mapping[str, object]:
        refusal = await self._engine.request(event)
        if refusal is not None:
            raise ControlError(refusal)
        return {"ok": True}


def _name(request: JsonObject, name: str) -> str:
    text = request.get(name)
    if not isinstance(text, str) or not text or len(text) > 200 or not text.isprintable():
        raise ControlError(f"'{name}' is missing or no text of at most 200 characters on one line")
    return text


def _written(text: object, name: str) -> str:
    """Several lines; no other control characters, nor what cannot be written as UTF-8."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise ControlError(f"'{name}' must be a text of at most {LONGEST} characters")
    kept = "".join(character for character in text.replace("\r\n", "\n") if character in "\n\t" or character.isprintable())
    return kept.encode(errors="ignore").decode()


def _figure(request: JsonObject, name: str, most: float) -> float:
    figure = request.get(name)
    if isinstance(figure, bool) or not isinstance(figure, int | float) or not 0 <= figure <= most:
        raise ControlError(f"'{name}' must be a number between 0 and {most:g}")
    return float(figure)
