"""What is said to an agent on her desk phone, in the language of her call."""

from callcenter.domain.call import Call
from callcenter.domain.ivr.speech import LANGUAGE, Pieces
from callcenter.domain.turn import Turn


def in_words(turn: Turn, call: Call, said: Pieces, values: dict[str, str] | None = None) -> tuple[str, ...]:
    """As sounds; ``values`` are those that are said among the prompts."""
    return turn.state.config.languages.speaker(call.attributes.get(LANGUAGE, "")).say(said, values or {})
