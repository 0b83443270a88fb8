"""``callcenter.toml``: what fits becomes what the core reads; what does not is named by file, key and what is allowed."""

import copy
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from callcenter.domain.conditions import Metric
from callcenter.domain.ivr.flow import HangUpNode, MenuNode, PromptNode, QueueNode
from callcenter.runtime.catalogue import catalogue
from callcenter.runtime.settings import Settings, SettingsError, load, parse
from callcenter.runtime.settings_flow_model import FlowNodeSection

SAMPLE = Path(__file__).parents[2] / "callcenter.toml"
RAW = tomllib.loads(SAMPLE.read_text())


def with_change(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    raw = copy.deepcopy(RAW)
    change(raw)
    return raw


def problems(change: Callable[[dict[str, Any]], object]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse(with_change(change), SAMPLE)
    return [problem.removeprefix(f"{SAMPLE}: ") for problem in refused.value.problems]


def accepted(change: Callable[[dict[str, Any]], object]) -> Settings:
    return parse(with_change(change), SAMPLE)


def test_the_sample_becomes_what_the_core_reads() -> None:
    config = load(SAMPLE).center_config({"alice": "phone-1", "bob": "phone-2", "carol": "phone-3"})

    assert config.queues["support"].ring_timeout == timedelta(seconds=20)
    assert config.queues["sales"].max_wait == timedelta(minutes=10)
    assert config.agents["alice"].endpoint == "phone-1"
    assert config.agents["alice"].queues == ("sales", "support")
    assert config.numbers["+18005550100"].flow == "main"
    assert config.numbers["+18005550100"].fallback_queue == "support"
    choice = config.flows["main"].nodes["choice"]
    assert isinstance(choice, MenuNode)
    assert choice.choices == {"1": "sales", "2": "support"}
    assert choice.timeout == timedelta(seconds=5)
    assert config.flows["main"].nodes["greeting"] == PromptNode("welcome", "choice")
    assert config.flows["main"].nodes["sales"] == QueueNode("sales")
    assert config.node_lost_after == timedelta(seconds=30)


def test_national_numbers_are_read_in_the_centers_country() -> None:
    def german(raw: dict[str, Any]) -> None:
        raw["center"]["country"] = "DE"
        raw["number"][0]["did"] = "0800 3301000"

    settings = accepted(german)
    assert settings.did(settings.numbers[0]) == "+498003301000"


def test_a_flow_may_hang_up() -> None:
    def hang_up(raw: dict[str, Any]) -> None:
        raw["flow"]["main"]["node"] = {"greeting": raw["flow"]["main"]["node"]["greeting"], "choice": {"type": "hang_up"}}

    settings = accepted(hang_up)
    endpoints = {agent.name: agent.name for agent in settings.agents}
    assert settings.center_config(endpoints).flows["main"].nodes["choice"] == HangUpNode()


def test_recording_off_is_off_for_every_queue() -> None:
    settings = accepted(lambda raw: raw["recording"].update(enabled=False))
    config = settings.center_config({agent.name: agent.name for agent in settings.agents})
    assert not any(queue.record for queue in config.queues.values())


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CALLCENTER_DATA", str(tmp_path))
    monkeypatch.setenv("CALLCENTER_DATABASE_URL", "postgresql://elsewhere/center")
    settings = accepted(lambda raw: raw["paths"].update(data="/somewhere"))
    assert settings.data == tmp_path
    assert settings.database_url == "postgresql://elsewhere/center"


# --- one sentence each -----------------------------------------------------------------------

TRUNK = {"name": "second", "authentication": "registration", "host": "sip.example.com", "user": "u", "password_file": "callcenter.toml"}

SHIPPED = sorted([*(prompt.id for prompt in catalogue().values() if not prompt.word), "queue-sales", "queue-support"])
COLLECT = {"type": "collect", "prompt": "menu", "attribute": "code", "next": "sales", "otherwise": "support", "max_length": 4}


def overflow(**row: object) -> Callable[[dict[str, Any]], object]:
    return lambda raw: raw["queue"][0].update(overflow=[row])


SALES, SUPPORT = (next(n for n, queue in enumerate(RAW["queue"]) if queue["name"] == name) for name in ("sales", "support"))


def circle(raw: dict[str, Any]) -> None:
    raw["queue"][SALES]["overflow"] = [{"waited_s": 60, "to": "queue:support"}]
    raw["queue"][SUPPORT]["overflow"] = [{"waited_s": 30, "to": "goodbye"}, {"when": "ewt > 60", "to": "queue:sales"}]


WAITING_FAULTS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda raw: raw["queue"][0].update(announce={"every_s": 10}), "queue[0].announce.every_s: must be 15 seconds at least, but is 10"),
    (
        lambda raw: raw["queue"][0].update(announce={"comfort": ["hello"]}),
        f"queue[0].announce.comfort: names prompt 'hello', which does not exist; prompts: {', '.join(SHIPPED)}",
    ),
    (
        overflow(waited_s=5, to="voicemail"),
        "queue[0].overflow[0].to: names mailbox 'queue:sales', which does not exist; mailboxes: none",
    ),
    (
        overflow(waited_s=5, to="moon"),
        "queue[0].overflow[0].to: must be 'queue:NAME', 'flow:NAME', 'callback', 'voicemail', 'voicemail:queue:NAME', "
        "'voicemail:agent:NAME' or 'goodbye', but is 'moon'",
    ),
    (
        overflow(waited_s=5, to="queue:moon"),
        "queue[0].overflow[0].to: names queue 'moon', which does not exist; queues: sales, support",
    ),
    (overflow(waited_s=5, to="flow:moon"), "queue[0].overflow[0].to: names flow 'moon', which does not exist; flows: main"),
    (
        overflow(waited_s=5, to="callback"),
        "queue[0].overflow[0].to: offers a callback, but the queue calls nobody back; give it a callback table",
    ),
    (
        overflow(to="goodbye"),
        "queue[0].overflow[0]: needs when or waited_s; without either it would apply to everybody at once",
    ),
    (overflow(waited_s=5, for_s=5, to="goodbye"), "queue[0].overflow[0]: has for_s, released_at or of_queue, which need when"),
    (
        overflow(when="ewt above 5", to="goodbye"),
        "queue[0].overflow[0].when: must be a metric, a comparison and a number, such as 'waiting > 10', but is 'ewt above 5'; "
        f"metrics: {', '.join(Metric)}",
    ),
    (
        overflow(when="service_level < 80", to="goodbye"),
        "queue[0].overflow[0].when: 'service_level < 80' is about a service level above 1; write 0.8 for 80 %",
    ),
    (overflow(when="waiting < 0", to="goodbye"), "queue[0].overflow[0].when: 'waiting < 0' can never hold: no metric is below 0"),
    (
        overflow(when="ewt > 60", of_queue="moon", to="goodbye"),
        "queue[0].overflow[0].of_queue: names queue 'moon', which does not exist; queues: sales, support",
    ),
    (
        lambda raw: raw["queue"][0].update(max_wait_s=60, overflow=[{"waited_s": 60, "to": "goodbye"}]),
        "queue[0].overflow[0].waited_s: can never apply: nobody waits longer than max_wait_s, which is 60",
    ),
    (
        lambda raw: raw["queue"][0].update(max_waiting=5, overflow=[{"when": "waiting > 5", "to": "goodbye"}]),
        "queue[0].overflow[0].when: can never hold: no more than max_waiting = 5 wait here",
    ),
    (circle, f"queue[{SALES}].overflow[0].to: sends callers round in a circle: sales to support to sales"),
    (
        lambda raw: raw["queue"][0].update(closing={"at": "18:00", "until": "18:00"}),
        "queue[0].closing.until: is the time at which it closes; it would never open",
    ),
    (
        lambda raw: raw["queue"][0].update(closing={"at": "6pm", "until": "08:00"}),
        "queue[0].closing.at: must be a time of day, such as '18:00', but is '6pm'",
    ),
    (
        lambda raw: raw["queue"][0].update(keys={"1": "goodbye"}, callback={"key": "1"}),
        "queue[0].keys.1: is the key of queue[0].callback already; each key does one thing",
    ),
]


@pytest.mark.parametrize(
    ("change", "sentence"),
    WAITING_FAULTS,
    ids=[sentence.split(":")[0] + f"-{number}" for number, (_, sentence) in enumerate(WAITING_FAULTS)],
)
def test_a_fault_of_waiting_is_one_sentence(change: Callable[[dict[str, Any]], object], sentence: str) -> None:
    assert sentence in problems(change)


def test_the_overflow_table_becomes_rows() -> None:
    def table(raw: dict[str, Any]) -> None:
        raw["queue"][0]["overflow"] = [
            {"when": "ewt > 360", "for_s": 30, "released_at": 300, "to": "queue:support"},
            {"when": "agents_ready < 1", "of_queue": "support", "waited_s": 20, "to": "flow:main"},
        ]
        raw["queue"][0]["closing"] = {"at": "18:00", "until": "08:00", "drain": True}

    config = accepted(table).center_config({"alice": "1", "bob": "2", "carol": "3"})
    assert [row.key for row in config.queues[RAW["queue"][0]["name"]].overflows] == [
        "ewt > 360 for 30 s, released at 300: queue:support",
        "support: agents_ready < 1, waited 20 s: flow:main",
    ]


KINDS_OF_NODE = [get_args(section.model_fields["type"].annotation)[0] for section in get_args(get_args(FlowNodeSection)[0])]
FAULTS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda raw: raw["queue"][1].update(ring_timout_s=3), "queue[1].ring_timout_s: is not a key; did you mean 'ring_timeout_s'?"),
    (lambda raw: raw.update(quue=[]), "quue: is not a key; did you mean 'queue'?"),
    (lambda raw: raw["web"].update(zzz=1), "web.zzz: is not a key; allowed: host, port, public_url, proxies, api_requests_per_second"),
    (lambda raw: raw["center"].pop("time_zone"), "center.time_zone: is missing"),
    (lambda raw: raw.pop("center"), "center: is missing"),
    (
        lambda raw: raw["center"].update(time_zone="Mars/Olympus"),
        "center.time_zone: must be a time zone of the IANA database, such as 'Europe/Berlin' or 'America/New_York', but is 'Mars/Olympus'",
    ),
    (
        lambda raw: raw["center"].update(country="Germany"),
        "center.country: must be a country in two capital letters (ISO 3166), such as 'US' or 'DE', but is 'Germany'",
    ),
    (lambda raw: raw["center"].update(emergency_numbers=["9-1-1"]), "center.emergency_numbers[0]: must be 2 to 15 digits, but is '9-1-1'"),
    (lambda raw: raw["queue"][0].update(ring_timeout_s="soon"), "queue[0].ring_timeout_s: must be a number of seconds, but is 'soon'"),
    (
        lambda raw: raw["queue"][0].update(ring_timeout_s=-3),
        "queue[0].ring_timeout_s: must be a number of seconds between 0 and a year, but is -3",
    ),
    (lambda raw: raw["queue"][0].update(ring_timeout_s=0), "queue[0].ring_timeout_s: must be more than 0 seconds"),
    (lambda raw: raw["queue"][0].update(target_ratio=1.5), "queue[0].target_ratio: must be less than or equal to 1, but is 1.5"),
    (lambda raw: raw["queue"][0].update(record="yes please"), "queue[0].record: must be true or false, but is 'yes please'"),
    (
        lambda raw: raw["queue"][0].update(name="Sales & more"),
        "queue[0].name: must be a name of 1 to 40 characters a-z, 0-9, '-' and '_', beginning with a letter, but is 'Sales & more'",
    ),
    (lambda raw: raw["queue"].append({"name": "sales"}), "queue[2].name: 'sales' is taken by queue[0]; each needs a name of its own"),
    (lambda raw: raw["queue"][0].update(music="jazz"), "queue[0].music: names music 'jazz', which does not exist; music: default"),
    (
        lambda raw: raw["queue"][0].update(overflow_flow="out"),
        "queue[0].overflow_flow: names flow 'out', which does not exist; flows: main",
    ),
    (
        lambda raw: raw["agent"][0]["queues"].append("billing"),
        "agent[0].queues[2]: names queue 'billing', which does not exist; queues: sales, support",
    ),
    (lambda raw: raw["number"][0].update(flow="night"), "number[0].flow: names flow 'night', which does not exist; flows: main"),
    (
        lambda raw: raw["number"][0].update(fallback_queue="night"),
        "number[0].fallback_queue: names queue 'night', which does not exist; queues: sales, support",
    ),
    (
        lambda raw: raw["number"][0].update(did="hello"),
        "number[0].did: must be a telephone number, such as '+18005550100' or national for US, but is 'hello'",
    ),
    (
        lambda raw: raw["number"].append({"did": "(800) 555-0100", "flow": "main"}),
        "number[1].did: '(800) 555-0100' is the number of number[0] already",
    ),
    (
        lambda raw: raw["trunk"][0].pop("addresses"),
        "trunk[0].addresses: is missing; a trunk known by address needs the addresses its calls come from",
    ),
    (
        lambda raw: raw["trunk"][0].update(addresses=["carrier"]),
        "trunk[0].addresses[0]: must be an IP address or network, such as '192.0.2.7' or '192.0.2.0/24', but is 'carrier'",
    ),
    (lambda raw: raw["trunk"][0].update(transport="sctp"), "trunk[0].transport: must be one of 'udp', 'tcp' or 'tls', but is 'sctp'"),
    (lambda raw: raw["trunk"][0].update(transport="tls"), "trunk[0].transport: 'tls' needs sip_tls_port in every [[node]]"),
    (lambda raw: raw["trunk"][0].update(srtp=True), 'trunk[0].srtp: needs transport = "tls": SRTP keys travel in the signalling'),
    (
        lambda raw: raw["trunk"].append({**TRUNK, "password_file": "nowhere"}),
        "trunk[1].password_file: names 'nowhere', which is not a file",
    ),
    (
        lambda raw: raw["trunk"].append({key: value for key, value in TRUNK.items() if key != "user"}),
        "trunk[1].user: is missing; a trunk we register with needs host, user and password_file",
    ),
    (
        lambda raw: raw["node"][0].update(name="Node-1"),
        "node[0].name: must be a name of 1 to 20 characters a-z and 0-9, beginning with a letter, but is 'Node-1'",
    ),
    (
        lambda raw: raw["node"][0].update(ami_port=8088),
        "node[0].ami_port: port 8088 is taken by node[0].http_port; each needs a port of its own",
    ),
    (lambda raw: raw["node"][0].update(http_port=99999), "node[0].http_port: must be a port between 1 and 65535, but is 99999"),
    (
        lambda raw: raw["node"].append({"name": "node2", "sip_port": 6060, "http_port": 9088, "ami_port": 6038}),
        "node[1].rtp_ports: overlap with those of node[0]; each node needs a range of its own",
    ),
    (
        lambda raw: raw["node"].append({"name": "far", "remote": True, "host": "far", "ari_url": "http://far/ari", "ari_user": "u"}),
        "node[1].ari_password_file: is missing; a remote node needs host, ari_url, ari_user and ari_password_file",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"]["sales"].update(type="que"),
        f"flow.main.node.sales: has type 'que'; allowed: {', '.join(map(repr, KINDS_OF_NODE))}",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"]["sales"].pop("type"),
        "flow.main.node.sales: needs a type, such as 'prompt', 'menu', 'collect', 'condition', 'queue' or 'hang_up'",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"]["choice"].update(promt="menu"),
        "flow.main.node.choice.promt: is not a key; did you mean 'prompt'?",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"]["choice"]["choices"].update(x="sales"),
        "flow.main.node.choice.choices.x: must be one key: 0-9, * or #, but is 'x'",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"]["choice"].update(otherwise="nowhere"),
        "flow.main.node.choice.otherwise: goes to 'nowhere', which does not exist; nodes: choice, greeting, sales, support",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"]["sales"].update(queue="billing"),
        "flow.main.node.sales.queue: names queue 'billing', which does not exist; queues: sales, support",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"]["greeting"].update(prompt="hello"),
        f"flow.main.node.greeting.prompt: names prompt 'hello', which does not exist; prompts: {', '.join(SHIPPED)}",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"]["greeting"].update(prompt=["welcome", "{shout:number}"]),
        "flow.main.node.greeting.prompt[1]: must be a prompt (a-z, 0-9 and '-'), or a value to be said: '{digits:ATTRIBUTE}', or number, "
        "money, date, time, duration, minutes or position in place of digits; "
        "'{money:ATTRIBUTE:USD}' with its currency, but is '{shout:number}'",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"]["greeting"].update(prompt=["welcome", "{digits:account}"]),
        "flow.main.node.greeting.prompt: reads attribute 'account', which nothing sets; "
        "attributes: caller, dialed, language, list, payment, trunk",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"].update(choice=COLLECT | {"min_length": 9}),
        "flow.main.node.choice.min_length: takes at least 9 digits and at most 4, which no entry can be",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"].update(choice=COLLECT | {"terminator": "5"}),
        "flow.main.node.choice.terminator: must be one of '#', '*' or '', but is '5'",
    ),
    (
        lambda raw: raw["flow"]["main"]["node"].update(choice=COLLECT | {"attribute": "A-1"}),
        "flow.main.node.choice.attribute: must be a name of 1 to 40 characters a-z, 0-9 and '_', beginning with a letter, but is 'A-1'",
    ),
    (lambda raw: raw.update(prompt=[{"id": "hello"}]), "prompt[0]: needs exactly one of text, file and source"),
    (lambda raw: raw.update(prompt=[{"id": "hello", "file": "no.wav"}]), "prompt[0].file: names 'no.wav', which is not a file"),
    (
        lambda raw: raw.update(prompt=[{"id": "hello", "source": "tone:loud"}]),
        "prompt[0].source: must be 'tone:FIRST+SECOND:SECONDS', such as 'tone:440+620:1.5', but is 'tone:loud'",
    ),
    (lambda raw: raw.update(music=[{"name": "jazz"}]), "music[0]: needs exactly one of folder and source"),
    (lambda raw: raw.update(music=[{"name": "jazz", "folder": "no"}]), "music[0].folder: names 'no', which is not a folder"),
]


@pytest.mark.parametrize(
    ("change", "sentence"), FAULTS, ids=[sentence.partition(":")[0] + f"-{n}" for n, (_, sentence) in enumerate(FAULTS)]
)
def test_a_fault_is_one_sentence(change: Callable[[dict[str, Any]], object], sentence: str) -> None:
    assert problems(change) == [sentence]


def test_all_faults_are_told_at_once() -> None:
    def spoil(raw: dict[str, Any]) -> None:
        raw["center"]["time_zone"] = "Nowhere"
        raw["queue"][0]["wrap_up_s"] = "x"
        raw["trunk"][0]["prot"] = 5060

    assert [problem.partition(":")[0] for problem in problems(spoil)] == ["center.time_zone", "trunk[0].prot", "queue[0].wrap_up_s"]


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file or directory; name the file with --config"):
        load(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[center\n")
    with pytest.raises(SettingsError, match=r"broken\.toml: is not valid TOML: .*line 1"):
        load(broken)
    broken.write_bytes(b"name = '\xff'")
    with pytest.raises(SettingsError, match=r"broken\.toml: is not UTF-8 text"):
        load(broken)
