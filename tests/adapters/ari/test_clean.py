"""Nothing a caller sends breaks a line, a dial string or a file name."""

import pytest

from callcenter.adapters.ari import clean

HOSTILE = [
    "",
    "anonymous",
    "4\r\n5",
    "../../etc/passwd",
    "500&Local/x@y",
    "${SHELL(id)}",
    "<script>alert(1)</script>",
    '"; DROP TABLE',
    "x\u202egnp.exe",
    "a\u200bb\u2028c\u2029d",
    "\x00\x1b[31m",
    "\ud800",
    "١٢٣４５",
    "9" * 600,
    "é" * 5000,
    "=HYPERLINK(1)",
]


@pytest.mark.parametrize("raw", HOSTILE)
def test_a_number_holds_only_what_can_be_dialed(raw: str) -> None:
    cleaned = clean.number(raw)
    assert set(cleaned) <= set("0123456789+*#")
    assert len(cleaned) <= 32


@pytest.mark.parametrize("raw", HOSTILE)
def test_a_name_is_one_visible_line(raw: str) -> None:
    cleaned = clean.name(raw)
    assert cleaned.isprintable()
    assert len(cleaned) <= 80


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [("Ann Müller", "Ann Müller"), ("  Ann \t B\r\nC ", "Ann B C"), ("李雷 🙂", "李雷 🙂"), ("x\u202egnp", "xgnp"), ("a\u2028b", "a b")],
)
def test_honest_names_stay_what_they_are(raw: str, cleaned: str) -> None:
    assert clean.name(raw) == cleaned


def test_a_number_keeps_its_digits() -> None:
    assert clean.number("+1 (202) 555-0123") == "+12025550123"
    assert clean.number("*11#") == "*11#"


@pytest.mark.parametrize("raw", HOSTILE)
def test_a_caller_id_has_no_quotes_of_its_own(raw: str) -> None:
    shown = clean.caller_id(raw, raw)
    name, _, number = shown.removeprefix('"').partition('" <')
    assert shown == f'"{name}" <{number}'
    assert not set(name) & set('"\\<>')
    assert number.endswith(">")


@pytest.mark.parametrize("bad", ["", "a/b", "..", ".hidden", "a b", "a&b", "a?b", "a\n", "é", "x" * 200])
def test_ids_that_mean_something_else_in_a_path_are_not_safe(bad: str) -> None:
    assert not clean.is_safe_id(bad)


@pytest.mark.parametrize("good", ["node1-1795327262.12", "node1-0f8fad5b-d9cb-869f-a165-70867728950e", "phone-56076d7e0d30", "please-wait"])
def test_ids_of_ours_are_safe(good: str) -> None:
    assert clean.is_safe_id(good)
