"""``callcenter.toml``: read once, checked whole, and said plainly when something is wrong in it."""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import phonenumbers
from pydantic import Field, PrivateAttr, ValidationError

from callcenter.domain.config import CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.documents import digest
from callcenter.domain.hours import Calendar
from callcenter.domain.ivr.flow import Flow
from callcenter.domain.ivr.speech import Languages
from callcenter.domain.ivr.switch_flow import hours_switch
from callcenter.domain.supervision_modes import SupervisionTold
from callcenter.domain.survey_kinds import SurveyRule
from callcenter.runtime.catalogue import Catalogue, Prompt
from callcenter.runtime.center_source import CenterSource, source
from callcenter.runtime.document_cache import CacheError, DocumentCache
from callcenter.runtime.document_kinds import SplitError, split
from callcenter.runtime.flow_documents import DocumentError, FlowDocument
from callcenter.runtime.flow_prompts import own_prompts, prompt_faults, with_prompts
from callcenter.runtime.flow_sources import FlowSources, Instead, gather
from callcenter.runtime.settings_agents import disposition_rule, miss_policy, occupancy_rule
from callcenter.runtime.settings_calendars import CalendarError, calendars, own_calendar
from callcenter.runtime.settings_calendars_model import CalendarSection
from callcenter.runtime.settings_calling import callback_config, calling_config
from callcenter.runtime.settings_console import DispositionSection, ScriptSection, disposition_flags
from callcenter.runtime.settings_desk_phone import DeskPhoneSection, OwnCallsSection, number_shown, own_calls
from callcenter.runtime.settings_dips import ConnectionSection, DipSection
from callcenter.runtime.settings_faults import faults
from callcenter.runtime.settings_fields import Disposition, Language, Name, Section
from callcenter.runtime.settings_flow_model import FlowSection
from callcenter.runtime.settings_flows import flow
from callcenter.runtime.settings_language_model import LanguageSection, PromptSection, TtsSection
from callcenter.runtime.settings_languages import catalogue_of, languages
from callcenter.runtime.settings_model import (
    AgentSection,
    CallingSection,
    CenterSection,
    DatabaseSection,
    EngineSection,
    MissedOffersSection,
    MusicSection,
    NodeSection,
    NumberSection,
    OccupancySection,
    PathsSection,
    PaymentsSection,
    PeopleSection,
    QueueSection,
    RecordingSection,
    SupervisorSection,
    TrunkSection,
    WebhooksSection,
    WebSection,
)
from callcenter.runtime.settings_oidc import OidcSection
from callcenter.runtime.settings_problems import Fault, Problem, from_pydantic
from callcenter.runtime.settings_routing import agent_config, caller_lists, routing_of, routing_rules
from callcenter.runtime.settings_routing_model import CallerListSection, RoutingRuleSection, RoutingSection
from callcenter.runtime.settings_softphone import SoftphoneSection
from callcenter.runtime.settings_speech import SpeechSection
from callcenter.runtime.settings_supervision import supervisors
from callcenter.runtime.settings_teams import SkillSection, TeamSection, teams
from callcenter.runtime.settings_voicemail import mailboxes
from callcenter.runtime.settings_voicemail_model import MailSection
from callcenter.runtime.settings_waiting import announce, closing, overflow, overflow_row

DEFAULT_FILE = Path("callcenter.toml")


class SettingsError(Exception):
    """The settings cannot be used; ``problems`` are all that were found, one sentence each."""

    def __init__(self, problems: Sequence[str | Fault]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = [str(problem) for problem in problems]
        self.faults = [problem if isinstance(problem, Fault) else Fault("", 0, "", problem) for problem in problems]


class Settings(Section):
    """All of ``callcenter.toml``."""

    center: CenterSection
    paths: PathsSection = PathsSection()
    database: DatabaseSection = DatabaseSection()
    nodes: tuple[NodeSection, ...] = Field(default=(NodeSection(name="node1"),), alias="node", min_length=1)
    engine: EngineSection = EngineSection()
    web: WebSection = WebSection()
    softphone: SoftphoneSection = SoftphoneSection()
    scripts: dict[Name, ScriptSection] = Field(default_factory=dict, alias="script")
    dispositions: dict[Disposition, DispositionSection] = Field(default_factory=dict, alias="disposition")
    webhooks: WebhooksSection = WebhooksSection()
    people: PeopleSection = PeopleSection()
    oidc: OidcSection | None = None
    recording: RecordingSection = RecordingSection()
    payments: PaymentsSection = PaymentsSection()
    mail: MailSection | None = None
    missed_offers: MissedOffersSection = MissedOffersSection()
    occupancy: OccupancySection = OccupancySection()
    trunks: tuple[TrunkSection, ...] = Field(default=(), alias="trunk")
    calling: CallingSection = CallingSection()
    numbers: tuple[NumberSection, ...] = Field(default=(), alias="number")
    queues: tuple[QueueSection, ...] = Field(default=(), alias="queue")
    agents: tuple[AgentSection, ...] = Field(default=(), alias="agent")
    supervisors: tuple[SupervisorSection, ...] = Field(default=(), alias="supervisor")
    teams: tuple[TeamSection, ...] = Field(default=(), alias="team")
    skills: tuple[SkillSection, ...] = Field(default=(), alias="skill")
    flows: dict[Name, FlowSection] = Field(default_factory=dict, alias="flow")
    routing: RoutingSection = RoutingSection()
    caller_lists: tuple[CallerListSection, ...] = Field(default=(), alias="caller_list")
    routing_rules: tuple[RoutingRuleSection, ...] = Field(default=(), alias="routing_rule")
    desk_phone: DeskPhoneSection = DeskPhoneSection()
    own_calls: OwnCallsSection = OwnCallsSection()
    speech: SpeechSection = SpeechSection()
    dips: dict[Name, DipSection] = Field(default_factory=dict, alias="dip")
    connections: dict[Name, ConnectionSection] = Field(default_factory=dict, alias="connection")
    calendars: dict[Name, CalendarSection] = Field(default_factory=dict, alias="calendar")
    tts: TtsSection = TtsSection()
    languages: dict[Language, LanguageSection] = Field(default_factory=dict, alias="language")
    prompts: tuple[PromptSection, ...] = Field(default=(), alias="prompt")
    music: tuple[MusicSection, ...] = ()

    _file: Path = PrivateAttr(default=DEFAULT_FILE)
    _sources: FlowSources = PrivateAttr()
    _tables: Mapping[str, FlowSection] = PrivateAttr(default_factory=dict)
    """The flows of the file itself."""
    _documents: str = PrivateAttr(default="")
    """The digest of the documents in it."""

    @property
    def file(self) -> Path:
        return self._file

    @property
    def data(self) -> Path:
        """The folder of everything we keep. ``CALLCENTER_DATA`` wins over the file."""
        return _data(self.paths.data)

    @property
    def database_url(self) -> str:
        """Empty: embedded. ``CALLCENTER_DATABASE_URL`` wins over the file."""
        return os.environ.get("CALLCENTER_DATABASE_URL") or self.database.url

    def beside_the_file(self, path: Path) -> Path:
        """A path written in the file is relative to the file."""
        return (self._file.absolute().parent / path.expanduser()).resolve()

    @property
    def flow_tables(self) -> Mapping[str, FlowSection]:
        """The flows that are tables of the file, whether in use or not."""
        return self._tables

    @property
    def flow_sources(self) -> FlowSources:
        """The documents of flows, beside the tables of the file."""
        return self._sources

    @property
    def programs(self) -> Mapping[str, Flow]:
        """The flows in use, as the core reads them."""
        return {**{name: flow(name, self.flows[name]) for name in self._tables}, **self._sources.programs}

    @cached_property
    def catalogue(self) -> Catalogue:
        """All that can be said, in each of the center's languages."""
        return catalogue_of(self, self._flows_own())

    @cached_property
    def spoken(self) -> Languages:
        """The center's languages, as the core reads them."""
        return languages(self)

    @cached_property
    def team_of(self) -> Mapping[str, str]:
        """From each agent who is in a team to that."""
        return {agent: team.name for team in self.teams for agent in team.agents}

    def _flows_own(self) -> Iterator[Prompt]:
        """The prompts of the flows, also of older versions that callers may still be in."""
        owned = [own for section in self._tables.values() for own in own_prompts(section, self.beside_the_file).values()]
        owned += [own for document in self._sources.all() for own in document.prompts.values()]
        for prompt in (prompt for own in owned for prompt in own.renderings):
            yield prompt if prompt.language else replace(prompt, language=self.center.languages[0])

    def did(self, number: NumberSection) -> str:
        """The configured number in E.164."""
        return _e164(number.did, self.center.country)

    def may_transfer(self, agent: AgentSection) -> bool:
        """Whether the agent's phone may transfer with its own keys."""
        return self.center.phone_transfers if agent.phone_transfers is None else agent.phone_transfers

    def fallback_queue(self, number: NumberSection | None = None) -> str | None:
        """The queue whose agents the dialplan rings for this number while the engine is away."""
        if number is not None and number.fallback_queue:
            return number.fallback_queue
        return self.queues[0].name if self.queues else None

    def center_config(self, endpoints: Mapping[str, str], today: date | None = None) -> CenterConfig:
        """What the core reads; ``endpoints`` are the agents' phones by name. Opening hours are made for the time around today.

        Raises SettingsError.
        """
        return CenterConfig(
            queues={queue.name: self._queue(queue) for queue in self.queues},
            agents={agent.name: agent_config(self, agent, endpoints[agent.name]) for agent in self.agents},
            supervisors=supervisors(self),
            teams=teams(self),
            numbers={self.did(number): self._number(number) for number in self.numbers},
            not_ready_reasons=self.center.not_ready_reasons,
            payment_flows=self.payments.flows,
            disposition_flags=disposition_flags(self),
            flows=self.programs,
            flow_versions=self._sources.versions,
            canaries=self._sources.shares,
            calling=calling_config(self),
            mailboxes=mailboxes(self),
            missed_offers=miss_policy(self.missed_offers),
            occupancy=occupancy_rule(self.occupancy),
            between_queues=self.routing.between_queues,
            window=self.routing.window,
            languages=self.spoken,
            caller_lists=caller_lists(self),
            routing_rules=routing_rules(self),
            calendars=self.opening_hours(today or datetime.now(UTC).date()),
            node_lost_after=self.center.node_lost_after,
            time_zone=self.center.time_zone,
            own_calls=own_calls(self.own_calls),
            feature_prefix=self.desk_phone.feature_prefix,
            documents=self._documents,
        )

    def opening_hours(self, today: date) -> Mapping[str, Calendar]:
        """All calendars, made for the time around today. Raises SettingsError."""
        try:
            return calendars(self, today)
        except CalendarError as error:
            raise SettingsError([f"{self._file}: {error}"]) from None

    def _number(self, number: NumberSection) -> NumberConfig:
        flow = number.flow or hours_switch(number.switch or "")
        queue = self.fallback_queue(number) or ""
        hours = number.fallback_hours or next((_hours(each) for each in self.queues if each.name == queue), "")
        return NumberConfig(self.did(number), flow, queue, hours)

    def _queue(self, queue: QueueSection) -> QueueConfig:
        return QueueConfig(
            name=queue.name,
            routing=routing_of(queue),
            ring_timeout=queue.ring_timeout,
            wrap_up=queue.wrap_up,
            wrap_up_extension=queue.wrap_up_extension,
            dispositions=disposition_rule(queue),
            short_abandon=queue.short_abandon,
            target_ratio=queue.target_ratio,
            target_wait=queue.target_wait,
            max_wait=queue.max_wait,
            max_waiting=queue.max_waiting,
            wait_without_agents=queue.wait_without_agents,
            overflow_flow=queue.overflow_flow,
            survey=_survey(queue),
            music=queue.music,
            announce=announce(queue.announce),
            keys={key: overflow(action, queue.name) for key, action in queue.keys.items()},
            overflows=tuple(overflow_row(row, queue.name) for row in queue.overflow),
            hours=_hours(queue),
            closing=closing(queue.closing, queue.name),
            record=queue.record and self.recording.enabled,
            callback=callback_config(self, queue),
            extension=queue.extension or "",
            supervision_told=SupervisionTold(queue.supervision),
            number_shown=number_shown(self, queue),
        )


def _hours(queue: QueueSection) -> str:
    """The calendar of the queue; empty: it has none."""
    return queue.hours or (own_calendar(queue.name) if queue.closing is not None else "")


def _survey(queue: QueueSection) -> SurveyRule | None:
    if queue.survey_flow is None:
        return None
    return SurveyRule(queue.survey_flow, queue.survey_attribute or "", timedelta(days=queue.survey_again_after_days))


def _data(named: str) -> Path:
    """The data folder, of that name unless the environment gives another one."""
    named = os.environ.get("CALLCENTER_DATA") or named
    if named:
        return Path(named).expanduser().absolute()
    return Path("/var/lib/callcenter") if os.geteuid() == 0 else Path.home() / ".local/share/callcenter"


def data_of(path: Path) -> Path:
    """The data folder that the file names, whatever else is wrong in it; the default one when that cannot be known."""
    try:
        named = tomllib.loads(read_file(path)).get("paths", {}).get("data", "")
    except (SettingsError, tomllib.TOMLDecodeError, AttributeError):
        named = ""
    return _data(named if isinstance(named, str) else "")


def load(path: Path = DEFAULT_FILE) -> Settings:
    """Read and check what the center goes by whose site settings stand in the file. Raises SettingsError with every problem found."""
    return parse_text(read(path), path)


def load_file(path: Path) -> Settings:
    """Read and check the file for itself, whatever documents its center has. Raises SettingsError with every problem found."""
    return parse_text(read_file(path), path)


def read(path: Path) -> str:
    """What the center goes by whose site settings stand in the file, as the text of one. Raises SettingsError."""
    return center_source(path).text


def center_source(path: Path) -> CenterSource:
    """The file together with the documents of its center, if it has any. Raises SettingsError."""
    text = read_file(path)
    try:
        found = DocumentCache(data_of(path)).look()
    except CacheError as error:
        raise SettingsError([str(error)]) from None
    counts = source(text, path, found.cached)
    return replace(counts, note="; ".join(filter(None, (found.note, counts.note)))) if found.note else counts


def read_file(path: Path) -> str:
    """The text of the file itself. Raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}; name the file with --config"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{path}: is not UTF-8 text; save it as such"]) from None


def parse_text(text: str, path: Path = DEFAULT_FILE, instead: Instead | None = None) -> Settings:
    """Check what was read from ``path``, as TOML. Raises SettingsError with every problem found."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path}: is not valid TOML: {error}"]) from None
    return parse(raw, path, instead)


def parse(raw: Mapping[str, object], path: Path = DEFAULT_FILE, instead: Instead | None = None) -> Settings:
    """Check what was read from ``path``; ``instead``: flows to be tried in place of those in use."""
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError([Fault(str(path), 0, *problem) for problem in from_pydantic(error, Settings)]) from None
    settings._file = path
    settings._documents = _digest(raw)
    try:
        settings = _with_documents(settings, gather(path, settings.data, settings.flows, instead or {}))
    except DocumentError as error:
        raise SettingsError(error.faults) from None
    if wrong := list(_placed(settings)):
        raise SettingsError(wrong)
    return settings


def _digest(raw: Mapping[str, object]) -> str:
    try:
        return digest(split(raw)[1])
    except SplitError:  # the same name twice, of which the checks say more
        return ""


def _with_documents(settings: Settings, sources: FlowSources) -> Settings:
    """With the flows that have documents of their own."""
    tables = {
        name: with_prompts(section, {own: prompt.id for own, prompt in own_prompts(section, settings.beside_the_file).items()})
        for name, section in settings.flows.items()
    }
    whole = settings.model_copy(update={"flows": {**tables, **{name: document.resolved for name, document in sources.in_use.items()}}})
    whole._sources, whole._tables = sources, settings.flows
    return whole


def _placed(settings: Settings) -> Iterator[Fault]:
    """All faults, each with its place: those of a document with its line."""
    documents = settings._sources.in_use
    found = list(faults(settings))
    yield from (_place(settings, documents, problem) for problem in found)
    for document in documents.values():
        yield from document.faults()
    for name, section in settings._tables.items():
        for key, sentence in prompt_faults(f"flow.{name}.prompts", section, settings.beside_the_file):
            yield Fault(str(settings.file), 0, key, sentence)
    for name, (canary, _) in settings._sources.canaries.items():
        tried = settings.model_copy(update={"flows": {**settings.flows, name: canary.resolved}})
        yield from (_place(tried, {**documents, name: canary}, problem) for problem in faults(tried) if problem not in found)
        yield from canary.faults()


def _place(settings: Settings, documents: Mapping[str, FlowDocument], problem: Problem) -> Fault:
    parts = problem.key.split(".")
    document = documents.get(parts[1]) if parts[0] == "flow" and len(parts) > 1 else None
    return document.fault(problem) if document is not None else Fault(str(settings.file), 0, *problem)


# --- into the core's words --------------------------------------------------------------------


def _e164(text: str, country: str) -> str:
    """The number with plus sign and country code. Raises ValueError with a sentence."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValueError(f"must be a telephone number, such as '+18005550100' or national for {country}, but is {text!r}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
