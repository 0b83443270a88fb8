"""YAML as people mean it: keys are text, every fault has its line, and nothing in a document can harm whoever reads it."""

import pytest

from callcenter.runtime.yaml_text import MOST_BYTES, MOST_VALUES, YamlError, read_yaml


def refused(text: str) -> YamlError:
    with pytest.raises(YamlError) as error:
        read_yaml(text)
    return error.value


def test_keys_are_what_is_written() -> None:
    choices = read_yaml('choices: {1: a, 012: b, yes: c, no: d, on: e, off: f, null: g, 2026-11-22: h, "*": i, "#": j}').value
    assert choices == {
        "choices": {"1": "a", "012": "b", "yes": "c", "no": "d", "on": "e", "off": "f", "null": "g", "2026-11-22": "h", "*": "i", "#": "j"}
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("5", 5),
        ("-5", -5),
        ("0.25", 0.25),
        ("012", "012"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("+18005550100", "+18005550100"),
        ("2026-11-22", "2026-11-22"),
        ("18:00", "18:00"),
        ('"5"', "5"),
        ("'true'", "true"),
        ("Hello, and welcome", "Hello, and welcome"),
    ],
)
def test_values_are_what_people_mean(written: str, meant: object) -> None:
    value = read_yaml(f"value: {written}\n").value
    assert value == {"value": meant}
    assert isinstance(value, dict)
    assert type(value["value"]) is type(meant)


def test_every_key_has_its_line() -> None:
    written = read_yaml("flow: main\n\nnodes:\n  ask:\n    choices:\n      1: a\n    prompt:\n      - hello\n      - bye\n")
    assert [written.line(key) for key in ("flow", "nodes.ask", "nodes.ask.choices.1", "nodes.ask.prompt[1]")] == [1, 4, 6, 9]
    assert written.line("nodes.ask.not_there") == 4
    assert written.line("nowhere") == 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: &x [1]\n", 1, "anchor"),
        ("a: 1\nb: *x\n", 2, "alias"),
        ("a: 1\nb: 2\na: 3\n", 3, "is there twice; the first is in line 1"),
        ("a: 1\nchoices:\n  *: op\n", 3, "written in quotes"),
        ("choices:\n  1: a\n  #: op\n", 3, 'the key # is written in quotes: "#"'),
        ("choices: {1: a, #: b}\n", 2, 'the key # is written in quotes: "#"'),
        ("a:\n\tb: 1\n", 2, "not with tabs"),
        ("a: !!python/object/apply:os.system ['true']\n", 1, "the tag tag:yaml.org,2002:python/object/apply:os.system is not possible"),
        ("a: !secret x\n", 1, "the tag !secret is not possible"),
        ("prompts:\n  hello: Good day: you\n", 2, "a text with a colon in it is written in quotes"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("? [a]\n: b\n", 1, "a key is one word"),
        ("a:\n  <<: {b: 1}\n", 2, "merging with << is not possible"),
        ("a: \x00\n", 1, "U+0000"),
        ("a: 1\nb: \x1b[31m\n", 2, "U+001B"),
        ('a: "never closed\n', 2, "is not YAML"),
        ("", 1, "is empty"),
        ("# nothing but a comment\n", 1, "is empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    error = refused(text)
    assert (error.line, said in error.sentence) == (line, True), error.sentence


def test_a_billion_laughs_are_not_laughed() -> None:
    laughs = "a0: &a0 [lol, lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    assert "anchor" in refused(laughs).sentence


def test_a_document_is_neither_huge_nor_deep() -> None:
    assert "larger than" in refused("a: " + "x" * MOST_BYTES).sentence
    assert "nested deeper" in refused("[" * 100_000).sentence
    assert "nested deeper" in refused("- " * 2000 + "a").sentence
    assert f"more than {MOST_VALUES} values" in refused("[" + "1," * (MOST_VALUES + 1) + "1]").sentence
