"""What a flow may say, in TOML and in documents alike: one section for each kind of node, which knows how it reads in the core's words."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from callcenter.domain.ivr.check_digits import CheckDigit
from callcenter.domain.ivr.dipping import DipNode
from callcenter.domain.ivr.expressions import Expression, ExpressionError, parse
from callcenter.domain.ivr.flow import (
    CallbackNode,
    Case,
    CollectNode,
    ConditionNode,
    Flow,
    HangUpNode,
    LanguageNode,
    MenuNode,
    Node,
    OutsideNode,
    PromptNode,
    QueueNode,
    ReturnNode,
    SetNode,
    SubflowNode,
    TransferNode,
)
from callcenter.domain.ivr.off_record import OptOutNode, PauseRecordingNode, ResumeRecordingNode
from callcenter.domain.ivr.switching import MOST_TRIES, PinNode, SwitchNode, SwitchTo
from callcenter.domain.ivr.templates import Template, TemplateError, template
from callcenter.runtime.settings_fields import AttributeName, Key, Language, Name, Plain, Seconds, Section, SomeSeconds
from callcenter.runtime.settings_flow_asking import SpeechNodeSection, SurveyNodeSection
from callcenter.runtime.settings_flow_said import LadderSection, Said, said
from callcenter.runtime.settings_flow_voicemail import VoicemailNodeSection
from callcenter.runtime.settings_flow_words import FlowWords
from callcenter.runtime.settings_routing_model import NodeRouting, needs_of


def _expression(text: str) -> str:
    try:
        parse(text)
    except ExpressionError as error:
        raise ValueError(f"{error}") from None
    return text


def _template(value: object) -> object:
    """Numbers and truth values may stand without quotes."""
    text = str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value
    if not isinstance(text, str):
        return text
    if len(text) > 500:
        raise ValueError("is longer than 500 characters")
    try:
        template(text)
    except TemplateError as error:
        raise ValueError(f"{error}") from None
    return text


Condition = Annotated[str, AfterValidator(_expression)]
"""``hours.main is open and not list.vip``; see ``domain.ivr.expressions``."""
Filled = Annotated[str, BeforeValidator(_template)]
"""A text with ``{attribute}`` in it."""


def _templates(written: dict[str, str]) -> dict[str, Template]:
    return {name: template(text) for name, text in written.items()}


# --- speaking and asking ------------------------------------------------------------------------


class PromptNodeSection(Section):
    type: Literal["prompt"]
    prompt: Said
    next: Name
    barge_in: bool = False
    """Whether any key cuts it short ..."""
    type_ahead: bool = True
    """... and counts for the next node that takes keys."""

    def node(self) -> Node:
        return PromptNode(said(self.prompt), self.next, self.barge_in, self.type_ahead)


class MenuNodeSection(LadderSection):
    type: Literal["menu"]
    choices: dict[Key, Name] = Field(min_length=1)
    timeout: Seconds = Field(default=timedelta(seconds=5), alias="timeout_s")

    def node(self) -> Node:
        asked = (said(self.prompt), dict(self.choices), self.otherwise, self.timeout, self.tries)
        return MenuNode(*asked, self.invalid, self.rephrased, self.barge_in, self.type_ahead)


class LanguageNodeSection(LadderSection):
    """The caller chooses the language of all further prompts."""

    type: Literal["language"]
    choices: dict[Key, Language] = Field(min_length=1)
    next: Name
    timeout: Seconds = Field(default=timedelta(seconds=5), alias="timeout_s")
    tries: int = Field(default=2, ge=1, le=10)

    def node(self) -> Node:
        asked = (said(self.prompt), dict(self.choices), self.next, self.otherwise, self.timeout, self.tries)
        return LanguageNode(*asked, self.invalid, self.rephrased, self.barge_in, self.type_ahead)


class CollectNodeSection(LadderSection):
    """Takes digits; they become an attribute of the call."""

    type: Literal["collect"]
    attribute: AttributeName
    next: Name
    min_length: int = Field(default=1, ge=1, le=40)
    max_length: int = Field(default=20, ge=1, le=40)
    terminator: Literal["#", "*", ""] = "#"
    first_digit: SomeSeconds = Field(default=timedelta(seconds=5), alias="first_digit_s")
    next_digit: SomeSeconds = Field(default=timedelta(seconds=3), alias="next_digit_s")
    check_digit: Literal["none", "luhn", "mod11", "mod97", "ean"] = "none"
    """What the entry must agree with, else it is asked again."""
    secret: bool = False
    """The digits are kept in memory only: a PIN, a card number."""

    def node(self) -> Node:
        return CollectNode(
            prompt=said(self.prompt),
            attribute=self.attribute,
            next=self.next,
            otherwise=self.otherwise,
            min_length=self.min_length,
            max_length=self.max_length,
            terminator=self.terminator,
            first_digit=self.first_digit,
            next_digit=self.next_digit,
            tries=self.tries,
            invalid_prompt=self.invalid,
            rephrased=self.rephrased,
            barge_in=self.barge_in,
            check_digit=CheckDigit(self.check_digit),
            secret=self.secret,
            type_ahead=self.type_ahead,
        )


# --- deciding -----------------------------------------------------------------------------------


class CaseSection(Section):
    when: Condition
    next: Name


class ConditionNodeSection(Section):
    """One condition (``when`` and ``next``), or several ``cases`` of which the first that holds is taken."""

    type: Literal["condition"]
    when: Condition | None = None
    next: Name | None = None
    cases: tuple[CaseSection, ...] = Field(default=(), max_length=50)
    otherwise: Name

    @model_validator(mode="after")
    def _one_way_of_writing(self) -> "ConditionNodeSection":
        if (self.when is None) is not (self.next is None) or (self.when is None) is not bool(self.cases):
            raise ValueError("needs either when and next, or cases")
        return self

    def node(self) -> Node:
        single = (CaseSection(when=self.when, next=self.next),) if self.when is not None and self.next is not None else ()
        return ConditionNode(tuple(Case(expression(case.when), case.next) for case in (*single, *self.cases)), self.otherwise)


def expression(text: str) -> Expression:
    """A condition that was checked already."""
    return parse(text)


class SetNodeSection(Section):
    type: Literal["set"]
    attributes: dict[AttributeName, Filled] = Field(alias="set", min_length=1, max_length=40)
    next: Name

    def node(self) -> Node:
        return SetNode(_templates(self.attributes), self.next)


class SubflowNodeSection(Section):
    """Goes through another flow, and comes back."""

    type: Literal["flow"]
    flow: Name
    next: Name
    parameters: dict[AttributeName, Filled] = Field(default_factory=dict, max_length=40)
    outcomes: dict[Name, Name] = Field(default_factory=dict, max_length=40)
    """From the outcome of its return node to where that leads; all others lead to ``next``."""

    def node(self) -> Node:
        return SubflowNode(self.flow, self.next, _templates(self.parameters), dict(self.outcomes))


class ReturnNodeSection(Section):
    type: Literal["return"]
    outcome: Name | None = None

    def node(self) -> Node:
        return ReturnNode(self.outcome or "")


def _patience(budget: timedelta) -> timedelta:
    if budget > timedelta(seconds=30):
        raise ValueError("must be 30 at most: a caller waits meanwhile")
    return budget


class DipNodeSection(Section):
    """Looks something up at a source of ``[dip.NAME]``."""

    type: Literal["dip"]
    source: Name
    next: Name
    """When it was found."""
    otherwise: Name
    """When there is no such thing."""
    failed: Name
    """When the source did not answer in time, or not sensibly."""
    parameters: dict[AttributeName, Filled] = Field(default_factory=dict, max_length=40)
    filler: Said | None = None
    """Said meanwhile."""
    budget: Annotated[SomeSeconds, AfterValidator(_patience)] = Field(default=timedelta(seconds=3), alias="budget_s")
    type_ahead: bool = True
    """Whether keys pressed meanwhile count for the next node that takes keys."""

    def node(self) -> Node:
        filler, parameters = said(self.filler) if self.filler else None, _templates(self.parameters)
        return DipNode(self.source, self.next, self.otherwise, self.failed, parameters, (), filler, self.budget, self.type_ahead)


# --- leaving ------------------------------------------------------------------------------------


class QueueNodeSection(NodeRouting):
    type: Literal["queue"]
    queue: Name
    priority: int = Field(default=0, ge=-1000, le=1000)

    def node(self) -> Node:
        return QueueNode(self.queue, self.priority, needs_of(self))


class CallbackNodeSection(Section):
    """Promises a callback at the place that the caller has left for it."""

    type: Literal["callback"]
    queue: Name
    next: Name
    otherwise: Name
    """When the number is none that we call."""
    attribute: AttributeName = "caller"
    priority: int = Field(default=0, ge=-1000, le=1000)
    after: SomeSeconds | None = Field(default=None, alias="after_s")
    """The chosen time, from now on; without it, when its turn comes."""

    def node(self) -> Node:
        return CallbackNode(self.queue, self.next, self.otherwise, self.attribute, self.priority, self.after)


LONGEST_RING = timedelta(seconds=120)
"""A caller hears it ring so long at most."""


class TransferNodeSection(Section):
    """To one agent, if she is ready; or to a number outside, if it answers."""

    type: Literal["transfer"]
    agent: Name | None = None
    queue: Name | None = None
    """Of which queue the contact is; with an agent."""
    number: Plain | None = None
    """Outside."""
    otherwise: Name
    ring: SomeSeconds | None = Field(default=None, alias="ring_s")
    """How long the number outside rings; 30 s when not given."""
    wait: SomeSeconds = Field(default=timedelta(seconds=20), alias="wait_s")
    """She has so long to answer; then the caller goes on at otherwise."""
    priority: int = Field(default=0, ge=-1000, le=1000)

    @model_validator(mode="after")
    def _one_of_both(self) -> "TransferNodeSection":
        if (self.number is None) is (self.agent is None) or (self.agent is None) is not (self.queue is None):
            raise ValueError("needs either agent and queue, or a number outside")
        if self.ring is not None and (self.number is None or self.ring > LONGEST_RING):
            raise ValueError(f"has ring_s, which goes with a number outside, {LONGEST_RING.total_seconds():g} seconds at most")
        return self

    def node(self) -> Node:
        if self.agent is not None and self.queue is not None:
            return TransferNode(self.agent, self.queue, self.otherwise, self.wait, self.priority)
        return OutsideNode(self.number or "", self.otherwise, self.ring or timedelta(seconds=30))


class PauseRecordingNodeSection(Section):
    """Nothing of the call is recorded until it is resumed, or the flow ends."""

    type: Literal["pause_recording"]
    next: Name

    def node(self) -> Node:
        return PauseRecordingNode(self.next)


class ResumeRecordingNodeSection(Section):
    type: Literal["resume_recording"]
    next: Name

    def node(self) -> Node:
        return ResumeRecordingNode(self.next)


class OptOutNodeSection(Section):
    """The caller is not called any more."""

    type: Literal["opt_out"]
    next: Name
    otherwise: Name
    """When there is no number that could be called."""
    attribute: AttributeName = "caller"

    def node(self) -> Node:
        return OptOutNode(self.next, self.otherwise, self.attribute)


class HangUpNodeSection(Section):
    type: Literal["hang_up"]

    def node(self) -> Node:
        return HangUpNode()


# --- behind a PIN -------------------------------------------------------------------------------


class PinNodeSection(Section):
    """Asks for the PIN of a calendar's emergency switch."""

    type: Literal["pin"]
    calendar: Name
    prompt: Said
    next: Name
    otherwise: Name
    """After all tries, or while too many wrong ones keep it locked."""
    failed: Name
    """When the calendar has no PIN."""
    tries: int = Field(default=MOST_TRIES, ge=1, le=MOST_TRIES)
    invalid_prompt: Said | None = None

    def node(self) -> Node:
        invalid = said(self.invalid_prompt) if self.invalid_prompt else None
        return PinNode(self.calendar, said(self.prompt), self.next, self.otherwise, self.failed, self.tries, invalid)


class SwitchHoursNodeSection(Section):
    """The emergency switch of a calendar."""

    type: Literal["switch_hours"]
    calendar: Name
    to: Literal["closed", "open", "hours"]
    """``hours``: it follows its hours again."""
    until: Literal["midnight"] | None = None
    """By the calendar's clock; without it and for_hours, until further notice."""
    for_hours: AttributeName | None = None
    """The attribute that holds a number of hours."""
    next: Name
    otherwise: Name
    """When that is no number of hours."""

    def node(self) -> Node:
        return SwitchNode(self.calendar, SwitchTo(self.to), self.next, self.otherwise, self.until == "midnight", self.for_hours or "")


FlowNodeSection = Annotated[
    PromptNodeSection
    | MenuNodeSection
    | CollectNodeSection
    | LanguageNodeSection
    | ConditionNodeSection
    | SetNodeSection
    | SubflowNodeSection
    | ReturnNodeSection
    | QueueNodeSection
    | CallbackNodeSection
    | TransferNodeSection
    | DipNodeSection
    | PauseRecordingNodeSection
    | ResumeRecordingNodeSection
    | OptOutNodeSection
    | VoicemailNodeSection
    | HangUpNodeSection
    | SpeechNodeSection
    | SurveyNodeSection
    | PinNodeSection
    | SwitchHoursNodeSection,
    Field(discriminator="type"),
]
"""Who adds a kind of node adds its section here."""


class FlowSection(FlowWords):
    """A flow; the same keys in ``[flow.NAME]`` and in a document of its own, where ``node`` is ``nodes``."""

    start: Name
    parameters: tuple[AttributeName, ...] = Field(default=(), max_length=40)
    """What must be given to it as a sub-flow."""
    on_error: Name | None = None
    """The node at which callers go on when something went wrong; without it they hear a goodbye."""
    nodes: dict[Name, FlowNodeSection] = Field(alias="node", min_length=1)

    def program(self, name: str) -> Flow:
        """As the core reads it."""
        nodes = {node_name: node.node() for node_name, node in self.nodes.items()}
        languages = self.languages if "languages" in self.model_fields_set else ()
        return Flow(name, self.start, nodes, languages, parameters=self.parameters, on_error=self.on_error or "")
