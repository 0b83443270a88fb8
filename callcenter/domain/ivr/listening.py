"""The node that listens: the caller says what is wanted, or presses a key for it; the key always wins.

::

    prompt ──► listening ──understood──► the way of that value
       ▲          │  └────unsure───────► "did you say ...?" ──yes──► the way of that value
       │          │                              │ no
       └──nothing, not understood (tries)────────┘──────► otherwise

Without a recogniser (none, too busy, away) the caller hears the same prompts and uses the keys: a node that cannot do without is
refused when it is checked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from callcenter.domain.ivr import grammar as grammars
from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.grammar import NO, YES, YES_NO, Grammar
from callcenter.domain.ivr.keys import DIGITS, again
from callcenter.domain.ivr.kind import Ask, Kind, Leave, Listen, Say, SetAttributes, Step, TakeDigit, spoken
from callcenter.domain.ivr.node import FAILED, NEXT, OTHERWISE, Node
from callcenter.domain.ivr.questions import LATE, Question
from callcenter.domain.ivr.run import FlowRun
from callcenter.domain.ivr.speech import Pieces

UNDERSTOOD, UNSURE, NOT_UNDERSTOOD, NOTHING, BUSY = "understood", "unsure", "not_understood", "nothing", "busy"
"""Outcomes of listening, beside ``failed`` and ``late``."""
ASKED_AGAIN = frozenset({NOT_UNDERSTOOD, NOTHING, LATE})
HEARD, CONFIDENCE, TO_CONFIRM = "heard", "heard_confidence", "heard_to_confirm"
"""Attributes of the call: the value last heard, how sure that was (0 to 1), and the value that the caller is asked to confirm."""
CONFIRM_KEYS: Mapping[str, str] = {"1": YES, "2": NO}
DECIDES = timedelta(seconds=1)
"""After the listen limit, in which the recogniser makes up its mind; then the caller goes on in any case."""


@dataclass(frozen=True, slots=True)
class SpeechQuestion(Question):
    """Listen to the caller, and say which of the grammar's values was meant."""

    grammar: Grammar
    no_speech: timedelta
    """Nobody waits longer than this for the caller to begin to speak ..."""
    limit: timedelta
    """... and to end."""
    accept: float
    """From this confidence on a value counts as understood ..."""
    confirm: float
    """... and from this one on as worth asking about."""


def verdict(question: SpeechQuestion, value: str, confidence: float) -> str:
    """The outcome of what was heard; an empty value is none of the phrases."""
    if not value or confidence < question.confirm:
        return NOT_UNDERSTOOD
    return UNDERSTOOD if confidence >= question.accept else UNSURE


@dataclass(frozen=True, slots=True)
class Entry:
    """How digits are pressed where several may be said in a row."""

    min_length: int = 1
    max_length: int = grammars.LONGEST_NUMBER
    terminator: str = "#"
    next_digit: timedelta = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class SpeechNode(Node):
    """Says something and takes an answer by voice or by key."""

    prompt: Pieces
    grammars: Mapping[str, Grammar]
    """By language."""
    keys: Mapping[str, str]
    """From key to value; empty where digits are entered."""
    otherwise: str
    """Where to go when there was no answer after all tries."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """From value to node ..."""
    next: str = ""
    """... and where to go with a value that is not among them."""
    attribute: str = HEARD
    """Under which name the call keeps the value."""
    failed: str = ""
    """Where to go when nobody can listen; empty: it goes on here, by keys."""
    entry: Entry | None = None
    """Where several digits are said in a row: how they are pressed."""
    no_speech: timedelta = timedelta(seconds=5)
    limit: timedelta = timedelta(seconds=10)
    """Hard: however the caller goes on speaking."""
    accept: float = 0.7
    confirm: float = 0.4
    confirm_prompt: Pieces | None = None
    """Asked when it is not sure what was heard (the attribute ``heard``): the caller says yes or no, or presses 1 or 2 ..."""
    confirm_prompts: Mapping[str, Pieces] = field(default_factory=dict)
    """... and by value, in its place. Where there is none, the caller is asked again."""
    tries: int = 3
    invalid_prompt: Pieces | None = None
    rephrased: Pieces | None = None
    barge_in: bool = True
    """Whether a key cuts the prompt short."""
    type_ahead: bool = True

    def exits(self) -> Iterator[tuple[str, str]]:
        yield from self.choices.items()
        if self.next:
            yield NEXT, self.next
        yield OTHERWISE, self.otherwise
        if self.failed:
            yield FAILED, self.failed

    def exit_key(self, exit_name: str) -> str:
        return f"choices.{exit_name}" if exit_name in self.choices else exit_name

    def says(self) -> Iterator[tuple[str, Pieces]]:
        yield "prompt", self.prompt
        for key, said in (
            ("invalid_prompt", self.invalid_prompt),
            ("rephrase_prompt", self.rephrased),
            ("confirm_prompt", self.confirm_prompt),
        ):
            if said:
                yield key, said
        for value, said in self.confirm_prompts.items():
            yield f"confirm_prompts.{value}", said

    def sets(self) -> Iterator[str]:
        yield from dict.fromkeys((self.attribute, HEARD, CONFIDENCE))

    @property
    def values(self) -> frozenset[str]:
        """What may be said, in any language."""
        return frozenset(value for grammar in self.grammars.values() for value in grammar.values)

    def faults(self) -> Iterator[tuple[str, str]]:
        for grammar in self.grammars.values():
            for sentence in grammars.faults(grammar):
                yield "phrases", sentence
        if not self.grammars:
            yield "grammar", "is missing; name a built-in grammar, or give phrases by language"
        yield from self._value_faults()
        if self.confirm > self.accept:
            yield "confirm", f"is {self.confirm:g}, above accept, {self.accept:g}"
        if self.entry is not None and self.entry.min_length > self.entry.max_length:
            yield "min_length", f"takes at least {self.entry.min_length} digits and at most {self.entry.max_length}, which no entry can be"

    def _value_faults(self) -> Iterator[tuple[str, str]]:
        values = self.values
        if self.entry is None:
            for value in sorted(values - set(self.keys.values())):
                yield "keys", f"has no key for '{value}'; whoever is not understood must be able to press one"
        for key, value in self.keys.items():
            if value not in values:
                yield f"keys.{key}", f"stands for '{value}', which no phrase means; values: {_listed(values)}"
        for value in self.choices:
            if value not in values or self.entry is not None:
                yield f"choices.{value}", f"is for '{value}', which no phrase means; values: {_listed(values)}"
        for value in self.confirm_prompts:
            if value not in values:
                yield f"confirm_prompts.{value}", f"is for '{value}', which no phrase means; values: {_listed(values)}"
        for value in sorted(values - set(self.choices)):
            if not self.next and self.entry is None:
                yield "choices", f"has no way for '{value}', and there is no next"
        if self.entry is not None and not self.next:
            yield "next", "is missing; it says where to go with the digits"


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values)) or "none"


# --- what it does -------------------------------------------------------------------------------


def _enter(run: FlowRun, node: SpeechNode, around: Circumstances) -> Step:
    return _settled(run, Say(0, spoken(run, node.prompt)))


def _settled(run: FlowRun, step: Step) -> Step:
    """Nothing is left to be confirmed."""
    return SetAttributes((TO_CONFIRM,), ("",), step) if run.attributes.get(TO_CONFIRM) else step


def _again(run: FlowRun, node: SpeechNode) -> Step:
    return _settled(run, again(run, node))


def _listen(run: FlowRun, node: SpeechNode, around: Circumstances) -> Step:
    """The prompt has been heard: listen. In a language that nobody listens in, keys do."""
    confirming = bool(run.attributes.get(TO_CONFIRM))
    grammar = grammars.built_in(YES_NO, run.language) if confirming else node.grammars.get(run.language)
    if grammar is None:
        return Listen(node.no_speech)
    return Ask(SpeechQuestion(grammar, node.no_speech, node.limit, node.accept, node.confirm), node.limit + DECIDES)


def _key(run: FlowRun, node: SpeechNode, digit: str, around: Circumstances) -> Step | None:
    if run.playback and not node.barge_in:
        return None
    confirmed = run.attributes.get(TO_CONFIRM)
    if confirmed:
        return _take(run, node, confirmed) if CONFIRM_KEYS.get(digit) == YES else _again(run, node)
    if node.entry is not None:
        return _digit(run, node, node.entry, digit)
    value = node.keys.get(digit)
    return _take(run, node, value) if value else _again(run, node)


def _digit(run: FlowRun, node: SpeechNode, entry: Entry, digit: str) -> Step:
    if digit == entry.terminator:
        return _take(run, node, run.digits)
    if digit not in DIGITS:
        return _again(run, node)
    entered = run.digits + digit
    return _take(run, node, entered) if len(entered) >= entry.max_length else TakeDigit(digit, entry.next_digit)


def _silence(run: FlowRun, node: SpeechNode, around: Circumstances) -> Step:
    """No key in time, where nobody listens; digits that were pressed so far may do."""
    return _take(run, node, run.digits) if run.digits else _again(run, node)


def _take(run: FlowRun, node: SpeechNode, value: str) -> Step:
    """The answer is there, by voice or by key."""
    if node.entry is not None and not node.entry.min_length <= len(value) <= node.entry.max_length:
        return _again(run, node)
    target = node.choices.get(value)
    leave = Leave(value, target) if target else Leave(NEXT, node.next)
    return SetAttributes((node.attribute, TO_CONFIRM), (value, ""), leave)


def _outcome(run: FlowRun, node: SpeechNode, outcome: str, around: Circumstances) -> Step:
    heard, to_confirm = run.attributes.get(HEARD, ""), run.attributes.get(TO_CONFIRM, "")
    if outcome in ASKED_AGAIN:
        return _again(run, node)
    if outcome not in (UNDERSTOOD, UNSURE):
        return _settled(run, Leave(FAILED, node.failed)) if node.failed else Listen(node.no_speech)
    if to_confirm:
        return _take(run, node, to_confirm) if outcome == UNDERSTOOD and heard == YES else _again(run, node)
    if node.entry is None and heard not in node.values:
        return _again(run, node)
    return _take(run, node, heard) if outcome == UNDERSTOOD else _confirm(run, node, heard)


def _confirm(run: FlowRun, node: SpeechNode, value: str) -> Step:
    asked = node.confirm_prompts.get(value) or node.confirm_prompt
    if not asked or (node.entry is not None and not node.entry.min_length <= len(value) <= node.entry.max_length):
        return _again(run, node)
    return SetAttributes((TO_CONFIRM,), (value,), Say(run.tries, spoken(run, asked)))


KINDS: Mapping[type, Kind] = {
    SpeechNode: Kind(_enter, said=_listen, key=_key, silence=_silence, outcome=_outcome, asks=_listen, takes_time=True)
}
