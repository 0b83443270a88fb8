"""Flows in documents of their own: read, checked with the rest of the settings, and every fault said with its line."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from callcenter.domain.ivr.flow import MenuNode, PromptNode
from callcenter.runtime.flow_documents import DocumentError, as_document, read_document
from callcenter.runtime.flow_schema import schema
from callcenter.runtime.flow_store import Draft, FlowStore, InUse
from callcenter.runtime.settings import Settings, SettingsError, load, parse
from callcenter.runtime.settings_flow_model import FlowSection
from callcenter.runtime.settings_problems import Fault
from callcenter.runtime.yaml_text import read_yaml

PAGE = Path(__file__).parents[2] / "docs" / "flow.schema.json"
AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TOML = """
[center]
time_zone = "UTC"
[paths]
data = "{data}"
[[agent]]
name = "alice"
queues = ["sales", "support"]
[[queue]]
name = "sales"
[[queue]]
name = "support"
[[number]]
did = "+18005550100"
flow = "{flow}"
"""
MAIN = """\
flow: main
title: The front door
start: greeting
prompts:
  greeting: Welcome to the example.
nodes:
  greeting:
    type: prompt
    prompt: greeting
    next: choice
  choice:
    type: menu
    prompt: [menu]
    choices: {1: sales, "*": support}
    otherwise: support
    timeout_s: 4
  sales: {type: queue, queue: sales}
  support: {type: queue, queue: support}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CALLCENTER_DATA", raising=False)
    (tmp_path / "flows").mkdir()
    path = tmp_path / "callcenter.toml"
    path.write_text(TOML.format(data=tmp_path / "data", flow="main"))
    return path


def write(file: Path, text: str, name: str = "main.yaml") -> Path:
    path = file.parent / "flows" / name
    path.write_text(text)
    return path


def publish(file: Path, text: str, share: float = 0.0) -> int:
    store = FlowStore(file.parent / "data")
    (file.parent / "data").mkdir(exist_ok=True)
    with store.alone():
        number = store.add(Draft("main", text), AT, "ann", "").number
        now = store.in_use().get("main", InUse(0))
        store.use({"main": InUse(now.version, number, share) if share else InUse(number)}, "publish", AT, "ann")
    return number


def problems(file: Path) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(file)
    return [problem.replace(f"{file.parent}/", "") for problem in refused.value.problems]


def flow_of(settings: Settings, name: str = "main") -> Any:
    return settings.center_config({"alice": "phone"}).flows[name]


def test_a_document_beside_the_settings_is_a_flow(file: Path) -> None:
    write(file, MAIN)
    flow = flow_of(load(file))
    assert isinstance(flow.nodes["choice"], MenuNode)
    assert dict(flow.nodes["choice"].choices) == {"1": "sales", "*": "support"}


def test_its_own_prompts_join_the_catalogue_under_a_name_of_what_they_say(file: Path) -> None:
    write(file, MAIN)
    settings = load(file)
    greeting = flow_of(settings).nodes["greeting"]
    assert isinstance(greeting, PromptNode)
    assert isinstance(greeting.prompt, str)
    assert greeting.prompt.startswith("greeting-")
    assert settings.catalogue[greeting.prompt].text == "Welcome to the example."
    write(file, MAIN.replace("Welcome to", "Good day from"))
    assert flow_of(load(file)).nodes["greeting"].prompt != greeting.prompt


def test_a_table_may_have_prompts_of_its_own_too(file: Path) -> None:
    raw = tomllib.loads(file.read_text())
    raw["flow"] = {"main": {"start": "a", "prompts": {"hi": "Hello"}, "node": {"a": {"type": "prompt", "prompt": "hi", "next": "b"}}}}
    raw["flow"]["main"]["node"]["b"] = {"type": "hang_up"}
    settings = parse(raw, file)
    assert settings.catalogue[flow_of(settings).nodes["a"].prompt].text == "Hello"


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("timeout_s: 4", "timeot_s: 4", ":16: nodes.choice.timeot_s: is not a key; did you mean 'timeout_s'?"),
        ("timeout_s: 4", "timeout_s: soon", ":16: nodes.choice.timeout_s: must be a number of seconds, but is 'soon'"),
        ("timeout_s: 4", "timeout_s: 4\n    timeout_s: 5", ":17: nodes.choice.timeout_s: is there twice; the first is in line 16"),
        ("queue: sales}", "queue: vip}", ":17: nodes.sales"),
        ("next: choice", "next: chioce", ":10: nodes.greeting.next: goes to"),
        ("start: greeting", "start: greting", ":3: start: names node 'greting', which does not exist"),
        ("start: greeting\n", "", ":1: start: is missing"),
        ("prompt: [menu]", "prompt: [menu, nonsense]", ":13: nodes.choice.prompt: names prompt 'nonsense', which does not exist"),
        ("{1: sales", "{12: sales", ":14: nodes.choice.choices.12: must be one key: 0-9, * or #, but is '12'"),
        ("{1: sales", "{yes: sales", ":14: nodes.choice.choices.yes: must be one key: 0-9, * or #, but is 'yes'"),
        ("type: menu", "type: menue", ":11: nodes.choice: has type 'menue'; allowed: 'prompt', 'menu'"),
        ("greeting: Welcome", "Greeting: Welcome", ":5: prompts.Greeting: must be 1 to 60 characters a-z, 0-9 and '-'"),
        ("greeting: Welcome to the example.", "greeting: 5", ":5: prompts.greeting: must be a table, but is 5"),
        ("greeting: Welcome to the example.", "greeting: {file: no.wav}", ":5: prompts.greeting.en.file: names 'no.wav', which is not"),
        ("greeting: Welcome to the example.", "greeting: {es: Hola}", ":5: prompts.greeting.es: is none of the flow's languages: en"),
        ("flow: main", "flow: front", ":1: flow: is 'front', but in this folder a file is named after its flow"),
        ("nodes:", "nodes: 3\nx:", ":6: nodes: must be a table, but is 3"),
        (MAIN, "- a\n- b\n", ":1: is no flow"),
        (MAIN, "just words", ":1: is no flow"),
        (MAIN, "a: 1\n\tb: 2", ":2: is not YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_line_key_and_sentence(file: Path, written: str, instead: str, said: str) -> None:
    assert written in MAIN
    write(file, MAIN.replace(written, instead, 1))
    assert any(problem.startswith(f"flows/main.yaml{said}") for problem in problems(file)), problems(file)


def test_a_circle_that_never_ends_is_refused_at_its_first_node(file: Path) -> None:
    circle = "flow: main\nstart: a\nnodes:\n  a: {type: prompt, prompt: menu, next: b}\n  b: {type: prompt, prompt: menu, next: a}\n"
    write(file, circle)
    assert any(problem.startswith("flows/main.yaml:4: nodes.a: ") for problem in problems(file))


def test_a_node_that_nobody_reaches_is_refused_where_it_stands(file: Path) -> None:
    write(file, MAIN + "  alone: {type: hang_up}\n")
    assert [problem for problem in problems(file) if problem.startswith("flows/main.yaml:19: nodes.alone: ")]


def test_files_that_are_no_text_are_refused(file: Path) -> None:
    (file.parent / "flows" / "main.yaml").write_bytes(b"\xff\xfe\x00f")
    assert problems(file) == ["flows/main.yaml: is not UTF-8 text; save it as such"]


def test_a_huge_file_is_refused_unread(file: Path) -> None:
    with (file.parent / "flows" / "main.yaml").open("wb") as huge:
        huge.truncate(2**33)
    assert problems(file) == ["flows/main.yaml: is no flow: it is larger than 4 MiB"]


def test_a_name_is_either_a_file_or_a_table(file: Path) -> None:
    write(file, MAIN)
    table = '\n[flow.main]\nstart = "a"\n[flow.main.node.a]\ntype = "hang_up"\n'
    file.write_text(file.read_text() + table)
    assert problems(file) == ["flows/main.yaml:1: flow: 'main' is a table of callcenter.toml too; keep one of both"]


def test_what_was_published_wins_over_the_file(file: Path) -> None:
    write(file, MAIN)
    number = publish(file, MAIN.replace("timeout_s: 4", "timeout_s: 9"))
    settings = load(file)
    assert (flow_of(settings).version, flow_of(settings).nodes["choice"].timeout.seconds) == (number, 9)
    assert settings.flow_sources.aside == {"main": str(file.parent / "flows" / "main.yaml")}


def test_a_file_that_is_not_used_may_be_unfinished(file: Path) -> None:
    publish(file, MAIN)
    write(file, "flow: main\nstart: [")
    assert flow_of(load(file)).version == 1


def test_a_published_flow_is_checked_against_the_settings_too(file: Path) -> None:
    publish(file, MAIN)
    raw = tomllib.loads(file.read_text())
    raw["queue"] = raw["queue"][1:]
    raw["agent"][0]["queues"] = ["support"]
    with pytest.raises(SettingsError) as refused:
        parse(raw, file)
    assert [str(problem).startswith("main (version 1):17: nodes.sales") for problem in refused.value.problems] == [True]


def test_older_versions_stay_known_with_all_they_say(file: Path) -> None:
    for text in ("One", "Two", "Three"):
        publish(file, MAIN.replace("Welcome", text))
    settings = load(file)
    config = settings.center_config({"alice": "phone"})
    assert set(config.flow_versions) == {("main", 1), ("main", 2), ("main", 3)}
    assert config.flow_versions["main", 3] is config.flows["main"]
    said = {settings.catalogue[flow.nodes["greeting"].prompt].text for flow in config.flow_versions.values()}  # type: ignore[union-attr, index]
    assert said == {"One to the example.", "Two to the example.", "Three to the example."}


def test_settings_know_when_something_was_published_since(file: Path) -> None:
    write(file, MAIN)
    settings = load(file)
    assert not settings.flow_sources.behind
    publish(file, MAIN)
    assert settings.flow_sources.behind
    assert not load(file).flow_sources.behind


def test_a_canary_is_known_with_its_share(file: Path) -> None:
    publish(file, MAIN)
    publish(file, MAIN.replace("timeout_s: 4", "timeout_s: 9"), share=0.25)
    config = load(file).center_config({"alice": "phone"})
    assert (config.flows["main"].version, config.canaries["main"].flow.version, config.canaries["main"].share) == (1, 2, 0.25)


def test_a_canary_is_checked_as_well(file: Path) -> None:
    publish(file, MAIN)
    publish(file, MAIN.replace("queue: sales}", "queue: vip}"), share=0.25)
    assert all(problem.startswith("main (version 2):17: nodes.sales") for problem in problems(file))


def test_flows_refer_to_documents_of_others(file: Path) -> None:
    raw = tomllib.loads(file.read_text())
    raw["number"][0]["flow"] = "gone"
    write(file, MAIN)
    with pytest.raises(SettingsError, match="flow 'gone', which does not exist; flows: main"):
        parse(raw, file)


# --- the schema ---------------------------------------------------------------------------------


def test_the_schema_that_is_checked_in_is_that_of_the_models() -> None:
    assert json.loads(PAGE.read_text(encoding="utf-8")) == schema(), "run: callcenter flow schema > docs/flow.schema.json"


@pytest.mark.parametrize("file", sorted([*PAGE.parents[1].glob("flows/*.yaml"), *PAGE.parents[1].glob("samples/**/flows/*.yaml")]))
def test_the_flows_that_ship_fit_the_schema(file: Path) -> None:
    jsonschema.validate(read_yaml(file.read_text(encoding="utf-8")).value, schema())


def test_the_schema_takes_what_we_take() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(read_yaml(MAIN).value, schema())


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("timeout_s: 4", "timeot_s: 4"),
        ("timeout_s: 4", "timeout_s: soon"),
        ("flow: main", "flow: Main"),
        ("start: greeting\n", ""),
        ("{1: sales", "{12: sales"),
        ("type: menu", "type: menue"),
        ("greeting: Welcome to the example.", "greeting: {es: Hola, e: x}"),
    ],
)
def test_the_schema_refuses_what_we_refuse(written: str, instead: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read_yaml(MAIN.replace(written, instead, 1)).value, schema())


def test_no_document_breaks_its_reader() -> None:
    """Every document cut short anywhere is read or refused with a place."""
    for end in range(0, len(MAIN), 3):
        faults: list[Fault] = []
        try:
            read_document(MAIN[:end], Path("main.yaml"))
        except DocumentError as refused:
            faults = refused.faults
        assert all(fault.line >= 1 and fault.sentence for fault in faults)


def test_the_flow_of_a_table_written_as_a_document_is_the_same_flow(tmp_path: Path) -> None:
    sample = tomllib.loads((Path(__file__).parents[2] / "callcenter.toml").read_text())["flow"]["main"]
    hard = {
        "start": "ask",
        "node": {
            "ask": {
                "type": "menu",
                "prompt": ["yes", "{digits:caller}"],
                "choices": {"1": "no", "*": "no"},
                "otherwise": "set",
                "timeout_s": 2.5,
            },
            "set": {"type": "set", "set": {"code": "012", "plan": "true: #é"}, "next": "no"},
            "no": {"type": "queue", "queue": "sales"},
        },
    }
    for table in (sample, hard):
        section = FlowSection.model_validate(table)
        document = read_document(as_document("main", section), tmp_path / "main.yaml")
        assert document.section.program("main") == section.program("main")
