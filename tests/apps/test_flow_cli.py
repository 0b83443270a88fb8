"""``callcenter flow``: what people type, and what they are told."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app

runner = CliRunner()
TOML = """
[center]
time_zone = "America/New_York"
[paths]
data = "{data}"
[[agent]]
name = "alice"
queues = ["support"]
[[queue]]
name = "support"
[calendar.main]
weekly = ["mon-fri 09:00-17:00"]
[[number]]
did = "+18005550100"
flow = "main"
"""
MAIN = """\
flow: main
title: The front door
start: hours
prompts:
  greeting: Welcome to the example.
  ask: Please enter your account number.
  yours: Your account is
  closed: We are closed now.
nodes:
  hours: {type: condition, when: hours.main is open, next: greeting, otherwise: closed}
  greeting:
    type: menu
    prompt: greeting
    choices: {1: ask, "*": support}
    otherwise: support
    timeout_s: 4
  ask: {type: collect, prompt: ask, attribute: account, next: read, otherwise: support, min_length: 4, max_length: 8}
  read: {type: prompt, prompt: [yours, "{digits:account}"], next: greeting}
  support: {type: queue, queue: support, priority: 5}
  closed: {type: prompt, prompt: closed, next: end}
  end: {type: hang_up}
"""
MONDAY, SUNDAY = "2026-11-23T10:00", "2026-11-22T10:00"


@pytest.fixture(autouse=True)
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A center with a flow in ``flows/``, in the folder where the commands are typed."""
    monkeypatch.delenv("CALLCENTER_DATA", raising=False)
    monkeypatch.delenv("CALLCENTER_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "flows").mkdir()
    (tmp_path / "callcenter.toml").write_text(TOML.format(data=tmp_path / "data"))
    (tmp_path / "flows/main.yaml").write_text(MAIN)
    return tmp_path / "flows/main.yaml"


def said(*words: str, input: str | None = None, code: int = 0) -> str:
    ran = runner.invoke(app, ["flow", *words], input=input)
    assert ran.exit_code == code, ran.output
    return ran.stdout if code == 0 else ran.output


def edit(file: Path, written: str, instead: str) -> None:
    text = file.read_text()
    assert written in text
    file.write_text(text.replace(written, instead))


# --- check, publish, rollback, list, diff ---------------------------------------------------------


def test_check_says_what_is_fine_and_what_is_not(main: Path) -> None:
    assert said("check") == "flows/main.yaml: fine (1 condition, 1 menu, 1 collect, 2 prompt, 1 queue, 1 hang_up)\n"
    edit(main, "queue: support", "queue: suport")
    told = said("check", "flows/main.yaml", code=2)
    assert told.startswith("flows/main.yaml:19: nodes.support")
    assert told.endswith("callcenter: 1 fault\n")
    faults = json.loads(said("check", "flows/main.yaml", "--json", code=2))["faults"]
    assert [(fault["file"], fault["line"]) for fault in faults] == [("flows/main.yaml", 19)]


def test_from_the_first_publication_to_the_way_back(main: Path) -> None:
    assert said("publish", "flows/main.yaml", "--note", "the first", "--by", "ann") == (
        "main: version 1\nthe engine does not run; it takes this up when it starts\n"
    )
    edit(main, "timeout_s: 4", "timeout_s: 9")
    assert said("diff", "flows/main.yaml").splitlines() == [
        "main (version 1) -> flows/main.yaml",
        "~ nodes.greeting.timeout_s: 4 -> 9",
    ]
    said("publish", "flows/main.yaml", "--note", "more time", "--by", "bob")
    (listed,) = json.loads(said("list", "--json"))["flows"]
    assert (listed["version"], listed["author"], listed["note"], listed["from"]) == (2, "bob", "more time", "published")
    assert "main: version 1\n" in said("rollback", "main", "--by", "ann", "--note", "too slow")
    history = json.loads(said("list", "main", "--json"))
    assert [(version["version"], version["in_use"]) for version in history["versions"]] == [(2, False), (1, True)]
    assert [(action["by"], action["did"], action["version"], action["note"]) for action in history["actions"]] == [
        ("ann", "rollback", 1, "too slow"),
        ("bob", "publish", 2, "more time"),
        ("ann", "publish", 1, "the first"),
    ]
    assert said("diff", "main@2", "main").splitlines()[1:] == ["~ nodes.greeting.timeout_s: 9 -> 4"]
    assert "main: version 2\n" in said("publish", "main@2")


def test_what_the_files_say_and_callers_do_not_get_is_told(main: Path) -> None:
    said("publish", "flows/main.yaml")
    assert len(runner.invoke(app, ["config", "check"]).stdout.splitlines()) == 1
    edit(main, "timeout_s: 4", "timeout_s: 9")
    (note,) = runner.invoke(app, ["config", "check"]).stdout.splitlines()[1:]
    assert note.startswith("flow main: version 1 is published and in use, and flows/main.yaml says something else; publish that, or")
    assert "main: the one of the files\n" in said("rollback", "main", "0")
    assert len(runner.invoke(app, ["config", "check"]).stdout.splitlines()) == 1


def test_a_canary_is_published_and_told(main: Path) -> None:
    said("publish", "flows/main.yaml")
    edit(main, "timeout_s: 4", "timeout_s: 9")
    assert "main: version 1, and version 2 for 10 % of the calls\n" in said("publish", "flows/main.yaml", "--canary", "10%")
    assert "canary: version 2 for 10 % of the calls" in said("list")
    assert "--canary must be a share of the calls" in said("publish", "flows/main.yaml", "--canary", "110%", code=2)
    assert "main: version 1\n" in said("rollback", "main")


def test_diff_names_nodes_that_came_and_went(main: Path) -> None:
    said("publish", "flows/main.yaml")
    edit(main, "  end: {type: hang_up}\n", "  over: {type: hang_up}\n")
    edit(main, "next: end", "next: over")
    edit(main, "We are closed now.", "Closed.")
    assert said("diff", "flows/main.yaml").splitlines()[1:] == [
        "~ prompts.closed: {en: We are closed now.} -> {en: Closed.}",
        "~ nodes.closed.next: end -> over",
        "+ nodes.over: {type: hang_up}",
        "- nodes.end: {type: hang_up}",
    ]
    assert said("diff", "main", "main@1").splitlines()[1:] == ["no difference"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("publish", "nothing"), "there is no flow 'nothing'; flows: main. A file is named with its ending, such as flows/nothing.yaml"),
        (("publish", "nothing.yaml"), "nothing.yaml: cannot be read: No such file"),
        (("rollback", "main"), "flow 'main' was never published; published: none"),
        (("rollback", "main", "7"), "there is no version 7 of flow 'main'; versions: none"),
        (("diff", "main@7"), "there is no version 7 of flow 'main'; versions: none"),
        (("dial", "main", "--at", "noon"), "--at must be a date and time, such as 2026-12-24T18:30, but is 'noon'"),
        (("dial", "main", "--answer", "x"), "--answer must be NODE=OUTCOME"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(words: tuple[str, ...], told: str) -> None:
    assert told in said(*words, code=2)


def test_a_faulty_document_is_not_published_and_says_why(main: Path) -> None:
    edit(main, "next: read", "next: raed")
    told = said("publish", "flows/main.yaml", code=2)
    assert "flows/main.yaml:17: nodes.ask.next" in told
    assert "nothing was changed" in told
    assert json.loads(said("publish", "flows/main.yaml", "--json", code=2))["ok"] is False
    assert not (main.parents[1] / "data/flows/in-use.json").exists()


def test_the_schema_is_printed() -> None:
    assert json.loads(said("schema"))["required"] == ["start", "nodes", "flow"]


# --- dial -----------------------------------------------------------------------------------------


def test_dial_tells_what_the_caller_hears(main: Path) -> None:
    told = said("dial", "flows/main.yaml", "--at", MONDAY, "--keys", "1,4711#,*").splitlines()
    assert told == [
        "+12025550123 calls +18005550100 at 2026-11-23T10:00-05:00",
        "flow main",
        "hours (condition)",
        "    next -> greeting",
        "greeting (menu)",
        "    hears: Welcome to the example.",
        "    presses 1",
        "    1 -> ask",
        "ask (collect)",
        "    hears: Please enter your account number.",
        *(f"    presses {key}" for key in "4711"),
        "    account = 4711",
        "    next -> read",
        "read (prompt)",
        "    hears: Your account is four seven one one",
        "    next -> greeting",
        "greeting (menu)",
        "    hears: Welcome to the example.",
        "    presses *",
        "    * -> support",
        "=> waits in queue support, priority 5",
    ]


def test_dial_knows_the_hours_of_the_day_it_is_asked_for(main: Path) -> None:
    told = said("dial", "main", "--at", SUNDAY)
    assert "hears: We are closed now." in told
    assert told.endswith("=> the flow is over: hang up\n")


def test_dial_takes_keys_from_whoever_types_them(main: Path) -> None:
    told = said("dial", "flows/main.yaml", "--at", MONDAY, input="1\n4711#\n\n\n\n")
    assert "hears: Your account is four seven one one" in told
    assert told.count("greeting (menu, again)") == 2, "silence: the menu is said again, until its tries are over"
    assert told.endswith("=> waits in queue support, priority 5\n")


def test_dial_goes_on_in_silence_when_nothing_more_is_typed(main: Path) -> None:
    assert said("dial", "main", "--at", MONDAY, input="").endswith("=> waits in queue support, priority 5\n")


def test_dial_speaks_the_language_that_the_caller_chose(main: Path) -> None:
    file = main.parents[1] / "callcenter.toml"
    file.write_text(file.read_text().replace('time_zone = "America/New_York"', 'time_zone = "America/New_York"\nlanguages = ["en", "es"]'))
    main.write_text(
        "flow: main\nstart: ask\nlanguages: [en, es]\n"
        "prompts:\n  ask: {en: For English press 1, es: Para español oprima 2}\n  hi: {en: Good day, es: Buenos días}\n"
        "nodes:\n  ask: {type: language, prompt: ask, choices: {1: en, 2: es}, next: hi, otherwise: hi}\n"
        '  hi: {type: prompt, prompt: [hi, "{digits:caller}"], next: end}\n  end: {type: hang_up}\n'
    )
    told = said("dial", "main", "--keys", "2", "--caller", "12")
    assert "hears: For English press 1" in told
    assert "hears: Buenos días uno dos" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--answer", "look=answered,tier=gold"), ["    comes of it: answered, tier = gold", "    next -> known"]),
        ((), ["    comes of it: failed", "    failed -> support"]),
    ],
)
def test_dial_answers_what_a_node_asks_the_outside(main: Path, words: tuple[str, ...], told: list[str]) -> None:
    file = main.parents[1] / "callcenter.toml"
    file.write_text(file.read_text() + '[dip.customer]\nurl = "https://crm.example.com/{caller}"\nattributes = { tier = "tier" }\n')
    main.write_text(
        "flow: main\nstart: pause\nprompts: {wait: One moment., known: We know you.}\nnodes:\n"
        "  pause: {type: pause_recording, next: look}\n"
        '  look: {type: dip, source: customer, parameters: {caller: "{caller}"}, filler: wait, '
        "next: known, otherwise: support, failed: support}\n"
        "  known: {type: prompt, prompt: known, next: support}\n  support: {type: queue, queue: support}\n"
    )
    lines = said("dial", "main", *words, input="").splitlines()
    assert lines[2:7] == ["pause (pause_recording)", "    next -> look", "look (dip)", "    hears: One moment.", told[0]]
    assert told[1] in lines
    assert lines[-1] == "=> waits in queue support, priority 0"


def test_dial_as_json_is_for_scripts(main: Path) -> None:
    steps = json.loads(said("dial", "main", "--at", MONDAY, "--keys", "*", "--caller", "", "--json"))
    assert [step["what"] for step in steps] == ["calls", "flow", "passes", "hears", "presses", "passes", "queue"]


def test_dial_tries_a_draft_without_publishing_it(main: Path) -> None:
    said("publish", "flows/main.yaml")
    edit(main, "Welcome to the example.", "Good day.")
    assert "hears: Good day." in said("dial", "flows/main.yaml", "--at", MONDAY, "--keys", "*")
    assert "hears: Welcome to the example." in said("dial", "main", "--at", MONDAY, "--keys", "*")


# --- draw -----------------------------------------------------------------------------------------


def test_draw_makes_an_svg_with_every_node_and_every_way(main: Path, tmp_path: Path) -> None:
    assert said("draw", "flows/main.yaml", "-o", "main.svg") == "flows/main.yaml: 7 nodes drawn in main.svg\n"
    drawn = ET.parse(tmp_path / "main.svg").getroot()
    svg = "{http://www.w3.org/2000/svg}"
    boxes = {group.get("id"): group for group in drawn.iter(f"{svg}g")}
    assert set(boxes) == {f"node-{name}" for name in ("hours", "greeting", "ask", "read", "support", "closed", "end")}
    assert len([path for path in drawn.iter(f"{svg}path") if path.get("marker-end")]) == 8
    texts = ["".join(text.itertext()) for text in drawn.iter(f"{svg}text")]
    assert "*, otherwise" in texts
    assert "“Welcome to the example.”" in texts


def test_boxes_of_a_drawing_do_not_cover_each_other(main: Path) -> None:
    drawn = ET.fromstring(said("draw", "main"))
    boxes = [
        tuple(float(rect.get(key, "0")) for key in ("x", "y", "width", "height"))
        for group in drawn.iter("{http://www.w3.org/2000/svg}g")
        for rect in group.iter("{http://www.w3.org/2000/svg}rect")
    ]
    for place, (x, y, width, height) in enumerate(boxes):
        for x2, y2, width2, height2 in boxes[:place]:
            assert x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y
        assert x >= 0
        assert x + width <= float(drawn.get("width", "0"))
        assert y + height <= float(drawn.get("height", "0"))


def test_nothing_that_a_document_says_becomes_markup(main: Path) -> None:
    edit(main, "Welcome to the example.", '"<script>alert(1)</script> & more"')
    drawn = said("draw", "flows/main.yaml")
    assert "<script>" not in drawn
    ET.fromstring(drawn)


def test_draw_in_words(main: Path) -> None:
    told = said("draw", "main", "--text")
    assert told.startswith("The front door\nhours (condition): hours.main is open\n    next -> greeting\n    otherwise -> closed\n")
