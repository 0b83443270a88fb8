"""SIP text: what is written is read back, and rubbish is refused, never misread."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.sim.sip.message import (
    MalformedMessage,
    NameAddr,
    Request,
    Response,
    Uri,
    escape_user,
    parameters,
    parse,
    quote,
    response_to,
    split_commas,
    split_host,
)

token = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~", min_size=1, max_size=20)
names = token.filter(lambda name: len(name) > 1 and name.lower() != "content-length")
values = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])).map(lambda text: text.strip(" \t"))
headers = st.lists(st.tuples(names, values))
uris = st.text(st.characters(exclude_characters="\r\n ", exclude_categories=["Cs"]), min_size=1)
requests = st.builds(Request, token, uris, headers=headers, body=st.binary())
reasons = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))
responses = st.builds(Response, st.integers(100, 699), reasons, headers=headers, body=st.binary())


@given(requests | responses)
def test_what_is_written_is_read_back(message: Request | Response) -> None:
    assert parse(message.encode()) == message


@given(
    st.binary()
    | st.builds(lambda head, rest: head + rest, st.sampled_from([b"INVITE sip:a SIP/2.0\r\n", b"SIP/2.0 200 OK\r\n"]), st.binary())
)
def test_any_bytes_are_a_message_or_malformed(datagram: bytes) -> None:
    try:
        message = parse(datagram)
    except MalformedMessage:
        return
    assert parse(message.encode()) == message


@given(st.binary(min_size=1).filter(lambda raw: not set(raw) & set(b"\r\n") and raw == raw.strip(b" \t")))
def test_bytes_that_are_no_utf8_survive(raw: bytes) -> None:
    datagram = b"OPTIONS sip:a SIP/2.0\r\nX-Raw: " + raw + b"\r\nContent-Length: 0\r\n\r\n"

    assert parse(datagram).encode() == datagram


@given(st.text(st.characters(exclude_characters="\0")))
def test_a_quoted_display_name_is_read_back(name: str) -> None:
    assert NameAddr.parse(f"{quote(name)} <sip:a@b>;tag=1") == NameAddr(name, "sip:a@b", {"tag": "1"})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_escaped_user_cannot_leave_its_place(user: str) -> None:
    escaped = escape_user(user)

    assert not set(escaped) & set('\r\n <>"@\\ ')
    assert escaped.isascii()


def test_compact_names_and_folded_lines() -> None:
    message = parse(b"OPTIONS sip:a SIP/2.0\r\nf: <sip:x@y>\r\n ;tag=7\r\nI : 1\r\nv: a,\r\n\tb\r\n\r\n")

    assert message.tag("from") == "7"
    assert message.call_id == "1"
    assert message.all("VIA") == ["a", "b"]


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"INVITE sip:a SIP/2.0\r\n",
        b"INVITE sip:a SIP/1.0\r\n\r\n",
        b"INVITE  sip:a SIP/2.0\r\n\r\n",
        b"IN(VITE sip:a SIP/2.0\r\n\r\n",
        b"SIP/2.0 99 no\r\n\r\n",
        b"SIP/2.0 two no\r\n\r\n",
        b"SIP/2.0 \xd9\xa2\xd9\xa0\xd9\xa0 no\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\n folded\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nno colon\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nl: 5\r\n\r\nabc",
        b"INVITE sip:a SIP/2.0\r\nl: -1\r\n\r\nabc",
        b"INVITE sip:a SIP/2.0\r\nl: 99999999999999999999\r\n\r\nabc",
    ],
)
def test_rubbish_is_malformed(datagram: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse(datagram)


def test_what_follows_the_body_is_cut_off() -> None:
    assert parse(b"MESSAGE sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nabcd").body == b"ab"


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a", ["a"]), ("a, b", ["a", "b"]), ('"x,\\",y" <sip:a,b>, c', ['"x,\\",y" <sip:a,b>', "c"]), ("", [""])],
)
def test_commas(text: str, parts: list[str]) -> None:
    assert split_commas(text) == parts


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:h", Uri("", "h", 5060, {})),
        ("sip:u@h:5071;lr;transport=udp?x=y", Uri("u", "h", 5071, {"lr": "", "transport": "udp"})),
        ("SIPS:u:secret@[2001:db8::1]:7", Uri("u", "2001:db8::1", 7, {})),
        ("sip:+1;isub=2@h", Uri("+1;isub=2", "h", 5060, {})),
    ],
)
def test_uris(text: str, uri: Uri) -> None:
    assert Uri.parse(text) == uri


@pytest.mark.parametrize("text", ["tel:1", "h", "sip:", "sip:u@", "sip:u@h:x", "sip:u@h:65536", "sip:u@[::1"])
def test_uris_that_are_none(text: str) -> None:
    with pytest.raises(MalformedMessage):
        Uri.parse(text)


@pytest.mark.parametrize("text", ['"a <sip:x>', "<sip:x"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(MalformedMessage):
        NameAddr.parse(text)


def test_addresses_without_brackets_keep_their_parameters_outside() -> None:
    assert NameAddr.parse("sip:u@h;tag=1") == NameAddr("", "sip:u@h", {"tag": "1"})


def test_parameters_and_hosts() -> None:
    assert parameters(';a="1";B;a=2;') == {"a": "1", "b": ""}
    assert split_host("h:1") == ("h", 1)
    assert split_host("[::1]") == ("::1", None)


def test_a_response_copies_what_it_must() -> None:
    head = b"INVITE sip:a SIP/2.0\r\nVia: v1\r\nVia: v2\r\nFrom: <sip:x>;tag=1\r\nTo: <sip:a>\r\n"
    request = parse(head + b"Call-ID: 1\r\nCSeq: 1 INVITE\r\nRecord-Route: <sip:p>\r\n\r\n")
    assert isinstance(request, Request)

    response = response_to(request, 486, tag="t")

    assert response.reason == "Busy Here"
    assert response.all("Via") == ["v1", "v2"]
    assert response.tag("To") == "t"
    assert response.all("Record-Route") == ["<sip:p>"]
    assert response_to(request, 100, tag="t").tag("To") is None
