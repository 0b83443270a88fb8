"""Values in questions: each stays in its place."""

import json
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.dips.template import (
    TemplateError,
    ValueRefused,
    body_names,
    check_body,
    check_header,
    fill_body,
    parse_statement,
    parse_url,
)

HOSTILE = [
    "../../admin",
    "a/b",
    "a?b=c",
    "a#b",
    "a&pin=1",
    "a%2fb",
    "\r\nHost: evil",
    "@evil.example",
    "ä ö",
    "💣",
    "1' or '1'='1",
    "{caller}",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_in_its_segment_and_in_its_place_in_the_query(value: str) -> None:
    url = parse_url("https://crm.example.com:8443/v1/accounts/{account}/balance?number={caller}&full=1")
    parts = urlsplit(url.render({"account": value, "caller": value}))
    assert (parts.scheme, parts.hostname, parts.port) == ("https", "crm.example.com", 8443)
    segments = parts.path.split("/")
    assert segments[:3] == ["", "v1", "accounts"]
    assert (unquote(segments[3]), segments[4:]) == (value, ["balance"])
    assert parse_qs(parts.query, strict_parsing=True) == {"number": [value], "full": ["1"]}
    assert not parts.fragment


@given(st.text(min_size=1, max_size=60))
def test_whatever_the_value_the_host_is_as_written(value: str) -> None:
    url = parse_url("http://crm.example.com/{a}?b={b}")
    try:
        parts = urlsplit(url.render({"a": value, "b": value}))
    except (ValueRefused, UnicodeEncodeError):
        return
    assert parts.netloc == "crm.example.com"
    assert parts.path.count("/") == 1


@pytest.mark.parametrize("value", ["..", ".", ""])
def test_a_value_that_would_climb_or_is_missing_is_not_asked_with(value: str) -> None:
    with pytest.raises(ValueRefused):
        parse_url("https://crm.example.com/accounts/{account}/").render({"account": value})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://{host}.example.com/", "a value in its host"),
        ("https://crm.example.com:{port}/", "a value in its host"),
        ("ftp://crm.example.com/", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("{scheme}://crm.example.com/", "must begin with https://"),
        ("https://user:word@crm.example.com/", "a user or password"),
        ("https:///path", "names no host"),
        ("https://crm.example.com/a b", "without spaces"),
        ("https://crm.example.com/\r\n", "without spaces"),
        ("https://crm.example.com/#x", "fragment"),
        ("https://crm.example.com/{Account}", "a brace that belongs to no value"),
        ("https://crm.example.com/{account", "a brace that belongs to no value"),
        ("https://crm.example.com:99999/", "is no URL"),
    ],
)
def test_urls_that_cannot_be(url: str, says: str) -> None:
    with pytest.raises(TemplateError, match=says.replace("{", "\\{")):
        parse_url(url)


def test_a_json_body_quotes_by_being_json() -> None:
    body = {"account": "{account}", "deep": [{"text": "number {caller}!"}], "fixed": 5}
    check_body(body)  # type: ignore[arg-type]
    assert body_names(body) == ("account", "caller")  # type: ignore[arg-type]
    filled = fill_body(body, {"account": '","admin":true,"x":"', "caller": "1\n2"})  # type: ignore[arg-type]
    assert json.loads(json.dumps(filled)) == {"account": '","admin":true,"x":"', "deep": [{"text": "number 1\n2!"}], "fixed": 5}


def test_headers_take_secrets_only() -> None:
    check_header("Bearer {secret:key}")
    with pytest.raises(TemplateError, match="may not stand in a header"):
        check_header("{caller}")


def test_a_statement_binds_its_values() -> None:
    statement = parse_statement("select tier from customers where number = {number} and name like 'a%' or tier = {number};")
    assert statement.text == "select tier from customers where number = %(number)s and name like 'a%%' or tier = %(number)s"
    assert statement.bind({"number": "1' or '1'='1", "other": "x"}) == {"number": "1' or '1'='1"}
    with pytest.raises(ValueRefused):
        statement.bind({"number": "a\x00b"})
    with pytest.raises(ValueRefused):
        statement.bind({})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("delete from customers", "must be one SELECT"),
        ("", "is empty"),
        ("select 1; drop table customers", "more than one statement"),
        ("select * from c where n = '{number}'", "within quotes"),
        ("select 1 -- {number}", "within quotes or a comment"),
        ("select {secret:key}", "takes values only"),
        ("select {Number}", "a brace that belongs to no value"),
    ],
)
def test_statements_that_cannot_be(text: str, says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        parse_statement(text)


def test_a_semicolon_in_a_text_is_a_text() -> None:
    assert parse_statement("select 'a;b', $x$;$x$").text == "select 'a;b', $x$;$x$"
