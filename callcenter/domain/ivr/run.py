"""A flow run: one caller inside a flow, as far as facts tell. Each method is what one kind of fact changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.domain.ivr.document import LANGUAGE, Flow
from callcenter.domain.ivr.speech import ENGLISH, Languages, Speaker

DEEPEST = 8
"""So many sub-flows inside each other."""
MOST_MOVES = 2000
"""So often one flow run may say, listen and ask.

A flow that goes round for ever, waiting for what never comes, ends by its error exit, which has as many.
"""
ENTRY = ""
"""Under which name the secret digits are kept that are being entered."""
AHEAD = "keys ahead"
"""... and keys pressed ahead of the node that is to take them: they may be part of a secret. No attribute has a blank in its name."""
MOST_AHEAD = 40
"""So many are kept."""


@dataclass(slots=True)
class Frame:
    """A flow that waits for its sub-flow to come back."""

    flow: Flow
    node: str
    """Where the sub-flow was entered."""
    hidden: Mapping[str, str | None]
    """The attributes that the sub-flow's parameters hide, as they were before; None: not set."""


@dataclass(slots=True)
class FlowRun:
    """One caller inside a flow."""

    flow: Flow
    attributes: dict[str, str] = field(default_factory=dict)
    """Those of the call, which outlive the flow run."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Secret entries of the call by attribute; in memory only, gone after a restart."""
    library: Mapping[str, Flow] = field(default_factory=dict)
    """The sub-flows it may enter, in the versions they had when it began."""
    spoken: Languages = field(default=ENGLISH, compare=False)
    """The center's languages."""
    node: str = ""
    tries: int = 0
    """How often the menu or entry we are in was left without a valid key."""
    playback: str = ""
    """What we are saying; empty once it has ended."""
    prompts: tuple[str, ...] = ()
    digits: str = ""
    """What has been pressed so far, where digits are collected."""
    until: datetime | None = None
    """While listening or asking: when the time is up."""
    ask: str = ""
    """The question to the outside that is open."""
    frames: list[Frame] = field(default_factory=list)
    """The flows around this one, the outermost first."""
    moves: int = 0
    failures: int = 0
    """How often the error exit was taken."""
    surplus: str = ""
    """The key that ends entries, after one that was whole without it; until another key is pressed, or a prompt was heard to its end."""
    sent: bool = False
    """An agent sent the caller here: at its end the caller goes back, so that it may end with a return."""

    def __post_init__(self) -> None:
        self.node = self.node or self.flow.start

    @property
    def speaker(self) -> Speaker:
        """Of the language that the caller has chosen, if the flow and the center speak it; else of the flow's first, or the center's."""
        chosen, of_flow = self.attributes.get(LANGUAGE, ""), self.flow.languages
        return self.spoken.speaker(chosen if chosen in of_flow or (chosen and not of_flow) else next(iter(of_flow), ""))

    @property
    def language(self) -> str:
        """The language in which all is said, and the caller is listened to."""
        return self.speaker.folder.removesuffix("/") or self.spoken.default

    # --- facts ----------------------------------------------------------------------------------

    def moved(self, node: str, tries: int, playback: str, prompts: tuple[str, ...]) -> None:
        self.node, self.tries, self.playback, self.prompts = node, tries, playback, prompts
        self.until, self.digits = None, ""
        self.moves += 1

    def listened(self, until: datetime) -> None:
        self.playback, self.until, self.surplus = "", until, ""
        self.moves += 1

    def key_pressed(self) -> None:
        self.surplus = ""
        if not self.ask:
            self.until = None

    def digit_taken(self, digit: str, until: datetime) -> None:
        self.digits += digit
        self.playback, self.until, self.surplus = "", until, ""

    def collected(self, attribute: str, digits: str, *, secret: bool) -> None:
        self.digits, self.until, self.playback = "", None, ""
        node = self.flow.nodes.get(self.node)
        if secret or len(digits) >= getattr(node, "max_length", 0):  # of a secret entry nobody knows what has ended it
            self.surplus = getattr(node, "terminator", "")
        if not secret:
            self.attributes[attribute] = digits

    def told(self, names: Sequence[str], values: Sequence[str]) -> None:
        """Attributes of the call were set."""
        self.attributes.update(zip(names, values, strict=False))

    def passed(self, to: str) -> None:
        """The node was left for another one."""
        self._arrive(to)

    def asked(self, ask: str, until: datetime, playback: str, prompts: tuple[str, ...]) -> None:
        self.ask, self.until, self.playback, self.prompts = ask, until, playback, prompts
        self.moves += 1

    def answered(self, names: Sequence[str], values: Sequence[str]) -> None:
        self.ask, self.until, self.playback = "", None, ""
        self.told(names, values)

    def entered(self, flow: Flow, names: Sequence[str], values: Sequence[str]) -> None:
        """A sub-flow began, with these parameters."""
        self.frames.append(Frame(self.flow, self.node, {name: self.attributes.get(name) for name in names}))
        self.flow = flow
        self.told(names, values)
        self._arrive(flow.start)

    def returned(self) -> None:
        """The sub-flow is over: at the node that entered it; its parameters are no longer known."""
        frame = self.frames.pop()
        self.flow = frame.flow
        for name, before in frame.hidden.items():
            if before is None:
                self.attributes.pop(name, None)
            else:
                self.attributes[name] = before
        self._arrive(frame.node)

    def failed(self, depth: int, to: str) -> None:
        """Something went wrong: on with the error exit of the flow at that depth."""
        while len(self.frames) > depth:
            self.returned()
        self.failures, self.moves = self.failures + 1, 0
        self._arrive(to)

    def _arrive(self, node: str) -> None:
        self.node, self.tries, self.digits = node, 0, ""
        self.playback, self.prompts, self.until, self.ask = "", (), None, ""
