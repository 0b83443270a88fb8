"""Nodes that ask for keys: menus, entries and the choice of a language.

The ladder of tries is the same for all of them: asked once; after a wrong key or none asked again, in the same words; the last time
in other words, if there are some (``rephrased``); then ``otherwise``, which leads to a person as a rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from callcenter.domain.ivr.check_digits import CheckDigit, agrees
from callcenter.domain.ivr.document import LANGUAGE
from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.kind import Keep, Kind, Leave, Listen, Say, SetAttributes, Step, TakeDigit, spoken
from callcenter.domain.ivr.node import NEXT, OTHERWISE, Node
from callcenter.domain.ivr.run import ENTRY, FlowRun
from callcenter.domain.ivr.speech import Pieces, pieces

DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True)
class MenuNode(Node):
    """Says something and waits for one key; the caller may press it while we still speak."""

    prompt: Pieces
    choices: Mapping[str, str]
    """From key (0-9, *, #) to node."""
    otherwise: str
    """Where to go when no valid key came after all tries."""
    timeout: timedelta = timedelta(seconds=5)
    """How long to wait for a key after the prompt has ended."""
    tries: int = 3
    invalid_prompt: Pieces | None = None
    """Said before the menu is repeated after a wrong key or none."""
    rephrased: Pieces | None = None
    """Said in place of the prompt at the last try."""
    barge_in: bool = True
    """Whether a key cuts the prompt short; else keys pressed meanwhile are lost."""
    type_ahead: bool = True
    """Whether keys count that were pressed before the caller came here; never without ``barge_in``."""

    def exits(self) -> Iterator[tuple[str, str]]:
        yield from self.choices.items()
        yield OTHERWISE, self.otherwise

    def exit_key(self, exit_name: str) -> str:
        return exit_name if exit_name == OTHERWISE else f"choices.{exit_name}"

    def says(self) -> Iterator[tuple[str, Pieces]]:
        return _says(self)

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.choices:
            yield "choices", "must not be empty"


@dataclass(frozen=True, slots=True)
class LanguageNode(Node):
    """Lets the caller choose the language in which all further prompts are said."""

    prompt: Pieces
    choices: Mapping[str, str]
    """From key to language."""
    next: str
    otherwise: str
    """Where to go, in the language of before, when no valid key came after all tries."""
    timeout: timedelta = timedelta(seconds=5)
    tries: int = 2
    invalid_prompt: Pieces | None = None
    rephrased: Pieces | None = None
    barge_in: bool = True
    type_ahead: bool = True

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield OTHERWISE, self.otherwise

    def says(self) -> Iterator[tuple[str, Pieces]]:
        return _says(self)

    def sets(self) -> Iterator[str]:
        yield LANGUAGE


@dataclass(frozen=True, slots=True)
class CollectNode(Node):
    """Says something and takes digits, from the first of them on in silence; they become an attribute of the call.

    The entry ends with the terminator, with the longest length, or when no further digit comes in time. An entry that
    is too short, has another key in it, or does not agree with its check digit, is asked for again.
    """

    prompt: Pieces
    attribute: str
    """Under which name the call keeps the digits, for later nodes and flows, queues and callbacks."""
    next: str
    otherwise: str
    """Where to go when no valid entry came after all tries."""
    min_length: int = 1
    max_length: int = 20
    terminator: str = "#"
    """The key that ends the entry; empty: none does."""
    first_digit: timedelta = timedelta(seconds=5)
    """How long to wait for the first digit after the prompt has ended."""
    next_digit: timedelta = timedelta(seconds=3)
    """How long to wait for each further digit."""
    tries: int = 3
    invalid_prompt: Pieces | None = None
    """Said before it is asked again."""
    rephrased: Pieces | None = None
    barge_in: bool = True
    check_digit: CheckDigit = CheckDigit.NONE
    secret: bool = False
    """The digits are kept in memory only: in no fact, log, recording or event."""
    type_ahead: bool = True
    """Of a secret entry always false: it begins once it was asked for."""

    def exits(self) -> Iterator[tuple[str, str]]:
        yield NEXT, self.next
        yield OTHERWISE, self.otherwise

    def says(self) -> Iterator[tuple[str, Pieces]]:
        return _says(self)

    def sets(self) -> Iterator[str]:
        if not self.secret:
            yield self.attribute

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.min_length > self.max_length:
            yield "min_length", f"takes at least {self.min_length} digits and at most {self.max_length}, which no entry can be"
        if not self.attribute:
            yield "attribute", "has no attribute to keep the digits in"


Asking = MenuNode | LanguageNode | CollectNode


def _says(node: Asking) -> Iterator[tuple[str, Pieces]]:
    yield "prompt", node.prompt
    if node.invalid_prompt:
        yield "invalid_prompt", node.invalid_prompt
    if node.rephrased:
        yield "rephrase_prompt", node.rephrased


def _enter(run: FlowRun, node: Asking, around: Circumstances) -> Step:
    return Say(0, spoken(run, node.prompt))


class Ladder(Protocol):
    """What it takes to be asked again: the tries, and what is said at each."""

    @property
    def prompt(self) -> Pieces: ...
    @property
    def otherwise(self) -> str: ...
    @property
    def tries(self) -> int: ...
    @property
    def invalid_prompt(self) -> Pieces | None: ...
    @property
    def rephrased(self) -> Pieces | None: ...


def again(run: FlowRun, node: Ladder) -> Step:
    """No valid answer: the next try, or the way out after all of them."""
    tries = run.tries + 1
    if tries >= node.tries:
        return Leave(OTHERWISE, node.otherwise)
    asked = node.rephrased if node.rephrased and tries + 1 == node.tries else node.prompt
    return Say(tries, spoken(run, (*pieces(node.invalid_prompt or ()), *pieces(asked))))


def _is_deaf(run: FlowRun, node: Asking) -> bool:
    return bool(run.playback) and not node.barge_in


# --- menu and language --------------------------------------------------------------------------


def _listen(run: FlowRun, node: MenuNode | LanguageNode, around: Circumstances) -> Step:
    return Listen(node.timeout)


def _menu_key(run: FlowRun, node: MenuNode, digit: str, around: Circumstances) -> Step | None:
    if _is_deaf(run, node):
        return None
    target = node.choices.get(digit)
    return Leave(digit, target) if target else again(run, node)


def _language_key(run: FlowRun, node: LanguageNode, digit: str, around: Circumstances) -> Step | None:
    if _is_deaf(run, node):
        return None
    chosen = node.choices.get(digit)
    return SetAttributes((LANGUAGE,), (chosen,), Leave(NEXT, node.next)) if chosen else again(run, node)


def _no_key(run: FlowRun, node: MenuNode | LanguageNode, around: Circumstances) -> Step:
    return again(run, node)


# --- entries ------------------------------------------------------------------------------------


def _entry(run: FlowRun, node: CollectNode) -> str:
    return run.secrets.get(ENTRY, "") if node.secret else run.digits


def _first_digit(run: FlowRun, node: CollectNode, around: Circumstances) -> Step:
    return Listen(node.first_digit)


def _digit(run: FlowRun, node: CollectNode, digit: str, around: Circumstances) -> Step | None:
    if _is_deaf(run, node):
        return None
    if digit == node.terminator:
        return _end_of_entry(run, node, _entry(run, node))
    if digit not in DIGITS:
        return again(run, node)
    entered = _entry(run, node) + digit
    return _end_of_entry(run, node, entered) if len(entered) >= node.max_length else TakeDigit(digit, node.next_digit, node.secret)


def _end_of_entry(run: FlowRun, node: CollectNode, entered: str) -> Step:
    if len(entered) < node.min_length or not agrees(node.check_digit, entered):
        return again(run, node)
    return Keep(node.attribute, entered, Leave(NEXT, node.next), node.secret)


def _no_digit(run: FlowRun, node: CollectNode, around: Circumstances) -> Step:
    """What has been entered so far may do; else it is asked again."""
    entered = _entry(run, node)
    return _end_of_entry(run, node, entered) if entered else again(run, node)


KINDS: Mapping[type, Kind] = {
    MenuNode: Kind(_enter, said=_listen, key=_menu_key, silence=_no_key, takes_time=True),
    LanguageNode: Kind(_enter, said=_listen, key=_language_key, silence=_no_key, takes_time=True),
    CollectNode: Kind(_enter, said=_first_digit, key=_digit, silence=_no_digit, takes_time=True),
}
