"""``callcenter.toml``: read once, checked whole, and said plainly when something is wrong in it."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import phonenumbers
from pydantic import Field, PrivateAttr, ValidationError

from callcenter.domain.config import CenterConfig, NumberConfig, QueueConfig
from callcenter.runtime.catalogue import DEFAULT_MUSIC, CatalogueError, Prompt, catalogue, tones
from callcenter.runtime.settings_agents import agents_faults, disposition_rule, miss_policy, occupancy_rule
from callcenter.runtime.settings_calling import callback_config, calling_config, calling_faults
from callcenter.runtime.settings_fields import Name, Section
from callcenter.runtime.settings_flows import flow, flow_faults
from callcenter.runtime.settings_model import (
    AgentSection,
    CallingSection,
    CenterSection,
    DatabaseSection,
    EngineSection,
    FlowSection,
    MissedOffersSection,
    MusicSection,
    NodeSection,
    NumberSection,
    OccupancySection,
    PathsSection,
    PromptSection,
    QueueSection,
    RecordingSection,
    TrunkSection,
    WebSection,
)
from callcenter.runtime.settings_problems import Problem, from_pydantic
from callcenter.runtime.settings_routing import agent_config, caller_lists, routing_faults, routing_of, routing_rules
from callcenter.runtime.settings_routing_model import CallerListSection, RoutingRuleSection, RoutingSection
from callcenter.runtime.settings_transfers import extension_faults
from callcenter.runtime.settings_waiting import announce, closing, overflow, overflow_row, waiting_faults

DEFAULT_FILE = Path("callcenter.toml")


class SettingsError(Exception):
    """The settings cannot be used; ``problems`` are all that were found, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(Section):
    """All of ``callcenter.toml``."""

    center: CenterSection
    paths: PathsSection = PathsSection()
    database: DatabaseSection = DatabaseSection()
    nodes: tuple[NodeSection, ...] = Field(default=(NodeSection(name="node1"),), alias="node", min_length=1)
    engine: EngineSection = EngineSection()
    web: WebSection = WebSection()
    recording: RecordingSection = RecordingSection()
    missed_offers: MissedOffersSection = MissedOffersSection()
    occupancy: OccupancySection = OccupancySection()
    trunks: tuple[TrunkSection, ...] = Field(default=(), alias="trunk")
    calling: CallingSection = CallingSection()
    numbers: tuple[NumberSection, ...] = Field(default=(), alias="number")
    queues: tuple[QueueSection, ...] = Field(default=(), alias="queue")
    agents: tuple[AgentSection, ...] = Field(default=(), alias="agent")
    flows: dict[Name, FlowSection] = Field(default_factory=dict, alias="flow")
    routing: RoutingSection = RoutingSection()
    caller_lists: tuple[CallerListSection, ...] = Field(default=(), alias="caller_list")
    routing_rules: tuple[RoutingRuleSection, ...] = Field(default=(), alias="routing_rule")
    prompts: tuple[PromptSection, ...] = Field(default=(), alias="prompt")
    music: tuple[MusicSection, ...] = ()

    _file: Path = PrivateAttr(default=DEFAULT_FILE)

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

    @cached_property
    def catalogue(self) -> Mapping[str, Prompt]:
        """All prompts: those shipped, with those of the file added or put in their place."""
        ours = catalogue()
        own = {
            section.id: Prompt(
                id=section.id,
                text=section.text or "",
                language=section.language,
                source=section.source or "",
                file=self.beside_the_file(section.file) if section.file else None,
                word=section.id in ours and ours[section.id].word,
            )
            for section in self.prompts
        }
        return {**ours, **own}

    def did(self, number: NumberSection) -> str:
        """The configured number in E.164."""
        return _e164(number.did, self.center.country)

    def fallback_queue(self, number: NumberSection | None = None) -> str | None:
        """The queue whose agents the dialplan rings for this number while the engine is away."""
        if number is not None and number.fallback_queue:
            return number.fallback_queue
        return self.queues[0].name if self.queues else None

    def center_config(self, endpoints: Mapping[str, str]) -> CenterConfig:
        """What the core reads; ``endpoints`` are the agents' phones by name."""
        return CenterConfig(
            queues={queue.name: self._queue(queue) for queue in self.queues},
            agents={agent.name: agent_config(self, agent, endpoints[agent.name]) for agent in self.agents},
            numbers={
                self.did(number): NumberConfig(self.did(number), number.flow, self.fallback_queue(number) or "") for number in self.numbers
            },
            not_ready_reasons=self.center.not_ready_reasons,
            flows={name: flow(name, section) for name, section in self.flows.items()},
            calling=calling_config(self),
            missed_offers=miss_policy(self.missed_offers),
            occupancy=occupancy_rule(self.occupancy),
            between_queues=self.routing.between_queues,
            window=self.routing.window,
            caller_lists=caller_lists(self),
            routing_rules=routing_rules(self),
            node_lost_after=self.center.node_lost_after,
        )

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
            music=queue.music,
            announce=announce(queue.announce),
            keys={key: overflow(action) for key, action in queue.keys.items()},
            overflows=tuple(overflow_row(row) for row in queue.overflow),
            closing=closing(queue.closing, self.center.time_zone) if queue.closing else None,
            record=queue.record and self.recording.enabled,
            callback=callback_config(self, queue),
            extension=queue.extension or "",
        )


def _data(named: str) -> Path:
    """The data folder, of that name unless the environment gives another one."""
    named = os.environ.get("CALLCENTER_DATA") or named
    if named:
        return Path(named).expanduser().absolute()
    return Path("/var/lib/callcenter") if os.geteuid() == 0 else Path.home() / ".local/share/callcenter"


def data_of(path: Path) -> Path:
    """The data folder that the file names, whatever else is wrong in it; the default one when that cannot be known."""
    try:
        named = tomllib.loads(read(path)).get("paths", {}).get("data", "")
    except (SettingsError, tomllib.TOMLDecodeError, AttributeError):
        named = ""
    return _data(named if isinstance(named, str) else "")


def load(path: Path = DEFAULT_FILE) -> Settings:
    """Read and check the file. Raises SettingsError with every problem found."""
    return parse_text(read(path), path)


def read(path: Path) -> str:
    """The text of the file. Raises SettingsError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}; name the file with --config"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{path}: is not UTF-8 text; save it as such"]) from None


def parse_text(text: str, path: Path = DEFAULT_FILE) -> Settings:
    """Check what was read from ``path``, as TOML. Raises SettingsError with every problem found."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path}: is not valid TOML: {error}"]) from None
    return parse(raw, path)


def parse(raw: Mapping[str, object], path: Path = DEFAULT_FILE) -> Settings:
    """Check what was read from ``path``."""
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError([f"{path}: {problem}" for problem in from_pydantic(error, Settings)]) from None
    settings._file = path
    problems = [f"{path}: {key}: {sentence}" for key, sentence in _faults(settings)]
    if problems:
        raise SettingsError(problems)
    return settings


# --- what no table can know alone -------------------------------------------------------------


def _faults(settings: Settings) -> Iterator[Problem]:
    yield from _repeated("node", [node.name for node in settings.nodes])
    yield from _repeated("trunk", [trunk.name for trunk in settings.trunks])
    yield from _repeated("queue", [queue.name for queue in settings.queues])
    yield from _repeated("agent", [agent.name for agent in settings.agents])
    yield from _repeated("prompt", [prompt.id for prompt in settings.prompts], "id")
    yield from _repeated("music", [music.name for music in settings.music])
    yield from _database_faults(settings)
    yield from _node_faults(settings)
    for index, trunk in enumerate(settings.trunks):
        yield from _trunk_faults(settings, f"trunk[{index}]", trunk)
    yield from _number_faults(settings)
    yield from calling_faults(settings)
    yield from _reference_faults(settings)
    yield from agents_faults(settings)
    yield from routing_faults(settings)
    yield from extension_faults(settings)
    yield from _media_faults(settings)
    yield from flow_faults(settings.flows, [queue.name for queue in settings.queues], settings.catalogue)
    yield from waiting_faults(settings.queues, settings.flows, settings.catalogue)


def _repeated(table: str, names: list[str], key: str = "name") -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(f"{table}[{index}].{key}", f"'{name}' is taken by {table}[{names.index(name)}]; each needs a {key} of its own")


def _database_faults(settings: Settings) -> Iterator[Problem]:
    """The sentence never repeats the URL: it may hold a password."""
    if settings.database_url and not settings.database_url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        key = "CALLCENTER_DATABASE_URL (environment)" if os.environ.get("CALLCENTER_DATABASE_URL") else "database.url"
        yield Problem(key, "must be postgresql://USER:PASSWORD@HOST:PORT/NAME; empty for an embedded PostgreSQL")


def _node_faults(settings: Settings) -> Iterator[Problem]:
    taken: dict[int, str] = {}
    for index, node in enumerate(settings.nodes):
        key = f"node[{index}]"
        if node.remote:
            needed = {"host": node.host, "ari_url": node.ari_url, "ari_user": node.ari_user, "ari_password_file": node.ari_password_file}
            for name, value in needed.items():
                if value is None:
                    yield Problem(f"{key}.{name}", "is missing; a remote node needs host, ari_url, ari_user and ari_password_file")
            continue
        if (node.tls_certificate is None) != (node.tls_private_key is None):
            yield Problem(f"{key}.tls_certificate", "and tls_private_key go together; give both or neither")
        ports = {"sip_port": node.sip_port, "http_port": node.http_port, "ami_port": node.ami_port}
        if node.sip_tls_port is not None:
            ports["sip_tls_port"] = node.sip_tls_port
        for name, port in ports.items():
            if port in taken:
                yield Problem(f"{key}.{name}", f"port {port} is taken by {taken[port]}; each needs a port of its own")
            taken[port] = f"{key}.{name}"
    local = [(index, node) for index, node in enumerate(settings.nodes) if not node.remote]
    for place, (index, node) in enumerate(local):
        for other_index, other in local[:place]:
            if node.rtp_ports[0] <= other.rtp_ports[1] and other.rtp_ports[0] <= node.rtp_ports[1]:
                yield Problem(f"node[{index}].rtp_ports", f"overlap with those of node[{other_index}]; each node needs a range of its own")


def _trunk_faults(settings: Settings, key: str, trunk: TrunkSection) -> Iterator[Problem]:
    if trunk.authentication == "address" and not trunk.addresses:
        yield Problem(f"{key}.addresses", "is missing; a trunk known by address needs the addresses its calls come from")
    if trunk.authentication == "registration":
        for name, value in {"host": trunk.host, "user": trunk.user, "password_file": trunk.password_file}.items():
            if value is None:
                yield Problem(f"{key}.{name}", "is missing; a trunk we register with needs host, user and password_file")
    if trunk.password_file is not None and not settings.beside_the_file(trunk.password_file).is_file():
        yield Problem(f"{key}.password_file", f"names '{trunk.password_file}', which is not a file")
    if trunk.transport == "tls" and any(node.sip_tls_port is None for node in settings.nodes if not node.remote):
        yield Problem(f"{key}.transport", "'tls' needs sip_tls_port in every [[node]]")
    if trunk.srtp and trunk.transport != "tls":
        yield Problem(f"{key}.srtp", 'needs transport = "tls": SRTP keys travel in the signalling')
    if not trunk.codecs:
        yield Problem(f"{key}.codecs", "must name at least one codec; allowed: ulaw, alaw, g722")


def _number_faults(settings: Settings) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, number in enumerate(settings.numbers):
        key = f"number[{index}]"
        try:
            did = settings.did(number)
        except ValueError as error:
            yield Problem(f"{key}.did", str(error))
            continue
        if did in seen:
            yield Problem(f"{key}.did", f"'{number.did}' is the number of number[{seen[did]}] already")
        seen[did] = index


def _reference_faults(settings: Settings) -> Iterator[Problem]:
    queues = [queue.name for queue in settings.queues]
    flows = list(settings.flows)
    for index, number in enumerate(settings.numbers):
        yield from _unknown(f"number[{index}].flow", "flow", number.flow, flows)
        yield from _unknown(f"number[{index}].fallback_queue", "queue", number.fallback_queue, queues)
    for index, queue in enumerate(settings.queues):
        yield from _unknown(f"queue[{index}].overflow_flow", "flow", queue.overflow_flow, flows)
        yield from _unknown(f"queue[{index}].music", "music", queue.music, [DEFAULT_MUSIC, *(music.name for music in settings.music)])
    for index, agent in enumerate(settings.agents):
        for place, name in enumerate(agent.queues):
            yield from _unknown(f"agent[{index}].queues[{place}]", "queue", name, queues)


def _unknown(key: str, what: str, name: str | None, existing: list[str]) -> Iterator[Problem]:
    if name is not None and name not in existing:
        plural = "music" if what == "music" else f"{what}s"
        yield Problem(key, f"names {what} '{name}', which does not exist; {plural}: {', '.join(sorted(set(existing))) or 'none'}")


def _media_faults(settings: Settings) -> Iterator[Problem]:
    for index, prompt in enumerate(settings.prompts):
        key = f"prompt[{index}]"
        if (prompt.text is None) + (prompt.file is None) + (prompt.source is None) != 2:
            yield Problem(key, "needs exactly one of text, file and source")
        yield from _source_faults(settings, key, prompt.file, prompt.source)
    for index, music in enumerate(settings.music):
        key = f"music[{index}]"
        if (music.folder is None) == (music.source is None):
            yield Problem(key, "needs exactly one of folder and source")
        yield from _source_faults(settings, key, music.folder, music.source, "folder")


def _source_faults(settings: Settings, key: str, path: Path | None, source: str | None, what: str = "file") -> Iterator[Problem]:
    if source is not None:
        try:
            tones(source)
        except CatalogueError as error:
            yield Problem(f"{key}.source", str(error))
    if path is not None:
        found = settings.beside_the_file(path)
        if not (found.is_dir() if what == "folder" else found.is_file()):
            yield Problem(f"{key}.{what}", f"names '{path}', which is not a {what}")


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
