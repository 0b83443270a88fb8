"""Whatever a document says, it is refused with a place and a sentence, or every call through it ends."""

import random
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.apps.flow_dial import Dialed, Keys, Walk, moment, words
from callcenter.runtime.flow_documents import DocumentError, FlowDocument, read_document
from callcenter.runtime.settings import SettingsError, parse_text
from callcenter.runtime.settings_problems import Fault
from callcenter.sim.scripted_answers import Scripted

FILE = Path("fuzz/callcenter.toml")
TOML = """
[center]
time_zone = "UTC"
[paths]
data = "/nonexistent"
[[agent]]
name = "alice"
queues = ["support"]
[[queue]]
name = "support"
callback = {}
[[number]]
did = "+18005550100"
flow = "main"
[calling]
trunk = "carrier"
[[trunk]]
name = "carrier"
authentication = "address"
addresses = ["192.0.2.10"]
host = "192.0.2.10"
"""
MAIN = """\
flow: main
start: a
prompts:
  hello: {en: Hello}
nodes:
  a: {type: menu, prompt: [hello, "{digits:caller}"], choices: {1: b, "*": c}, otherwise: c, timeout_s: 4}
  b: {type: collect, prompt: hello, attribute: code, next: a, otherwise: c, min_length: 2, max_length: 4}
  c: {type: condition, when: 'attribute.code == "12" or share 50%', next: d, otherwise: e}
  d: {type: queue, queue: support}
  e: {type: hang_up}
"""


def read(text: str) -> FlowDocument | None:
    """None: refused, and well."""
    faults: list[Fault] = []
    try:
        return read_document(text, Path("main.yaml"))
    except DocumentError as refused:
        faults = refused.faults
    assert faults
    assert all(fault.sentence and fault.line >= 1 for fault in faults)
    return None


def check_and_walk(document: FlowDocument, keys: str) -> str:
    """How a call through it ends; empty: the check refused it."""
    faults: list[Fault] = []
    try:
        center = parse_text(TOML, FILE, {document.name: document})
    except SettingsError as refused:
        faults = refused.faults
    if faults:
        assert all(fault.sentence for fault in faults)
        return ""
    pressed = Keys(waiting=list(keys))
    walk = Walk(center, document, Dialed("+12025550100", "+12025550123", moment(center, "2026-11-23T10:00")), pressed, nobody)
    steps = list(walk.steps())
    assert all(words(step) for step in steps)
    assert not walk.faults
    return str(steps[-1]["what"])


def nobody(node: str, question: object) -> Scripted | None:
    """Nothing outside answers."""
    return None


@settings(max_examples=300)
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    read(text)


@settings(max_examples=200)
@given(st.integers(0, len(MAIN)), st.integers(0, 40), st.text(alphabet=" :{}[],-#&*!|>'\"%@\n\t\\ab1é\x00", max_size=12))
def test_a_document_with_a_slip_of_the_pen_is_read_or_refused(at: int, gone: int, instead: str) -> None:
    document = read(MAIN[:at] + instead + MAIN[at + gone :])
    if document is not None:
        check_and_walk(document, "1")


WORDS = st.text(max_size=8) | st.sampled_from(["a", "b", "menu", "support"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
VALUES = st.recursive(SCALARS, lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text(max_size=6), of, max_size=3), max_leaves=6)
KEYS = ["type", "prompt", "choices", "next", "otherwise", "tries", "when", "queue"]


@settings(max_examples=200)
@given(st.sampled_from(["a", "b", "c", "d", "e"]), st.sampled_from(KEYS), VALUES)
def test_a_key_of_any_value_is_taken_or_refused(node: str, key: str, value: Any) -> None:
    written = yaml.safe_load(MAIN)
    written["nodes"][node][key] = value
    document = read(yaml.safe_dump(written, allow_unicode=True))
    if document is not None:
        check_and_walk(document, "1")


def flow_of(chance: random.Random) -> str:
    """Nodes of many kinds, each leading somewhere; those that nobody reaches are left out."""
    names = [f"n{number}" for number in range(chance.randrange(2, 9))]
    nodes = {name: node_of(chance, [*names, *names[place + 1 :] * 3, "queue", "bye"]) for place, name in enumerate(names)}
    nodes |= {"queue": {"type": "queue", "queue": "support"}, "bye": {"type": "prompt", "prompt": "hello", "next": "end"}}
    nodes["end"] = {"type": "hang_up"}
    reached = ["n0"]
    for name in reached:
        targets = [*nodes[name].get("choices", {}).values(), nodes[name].get("next"), nodes[name].get("otherwise")]
        reached += dict.fromkeys(target for target in targets if target and target not in reached)
    flow = {"flow": "main", "start": "n0", "prompts": {"hello": "Hello"}, "nodes": {name: nodes[name] for name in reached}}
    return yaml.safe_dump(flow)


def node_of(chance: random.Random, names: list[str]) -> dict[str, Any]:
    next_, otherwise = chance.choice(names), chance.choice(names)
    both = {"next": next_, "otherwise": otherwise}
    kinds: list[dict[str, Any]] = [
        {"type": "prompt", "prompt": "hello", "next": next_},
        {"type": "menu", "prompt": "hello", "choices": {"1": next_, "2": chance.choice(names)}, "otherwise": otherwise, "tries": 2},
        {"type": "collect", "prompt": "hello", "attribute": "code", "max_length": 2, **both},
        {"type": "condition", "when": chance.choice(["share 50%", 'attribute.caller == "12"']), **both},
        {"type": "set", "set": {"code": chance.choice(["12", "{caller}"])}, "next": next_},
        {"type": "callback", "queue": "support", **both},
    ]
    return chance.choice(kinds)


def test_a_call_through_any_flow_that_is_fine_ends() -> None:
    chance = random.Random(1)
    ends = []
    for _ in range(150):
        document = read(flow_of(chance))
        assert document is not None
        ends.append(check_and_walk(document, "".join(chance.choices("12*#9", k=chance.randrange(12)))))
    assert ends.count("queue") > 20
    assert ends.count("ends") > 20
    assert set(ends) <= {"", "queue", "ends"}, set(ends)
