"""Lines recorded from Asterisk 22.10.1, and what they mean."""

import json
from datetime import UTC, datetime

import pytest

from callcenter.adapters.ari.parse import Ignored, MalformedEvent, Parser, Replaced
from callcenter.domain.events import (
    Cause,
    DigitPressed,
    Door,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegHeld,
    LegRang,
    LegReferred,
    LegResumed,
    PlaybackEnded,
)

CALLER, AGENT = "n1-1795327262.0", "n1-0f8fad5b-d9cb-869f-a165-70867728950e"


def channel(leg: str = CALLER, state: str = "Up", app_data: str = "callcenter,trunk,+18005550100,", **caller: str) -> dict[str, object]:
    return {
        "id": leg,
        "name": "PJSIP/carrier-00000000" if leg == CALLER else "PJSIP/phone-56076d7e0d30-0000002a",
        "state": state,
        "protocol_id": "1-9683@127.0.0.1",
        "caller": {"name": "Ann", "number": "+12025550123", **caller},
        "connected": {"name": "", "number": ""},
        "accountcode": "",
        "dialplan": {"context": "inbound", "exten": "18005550100", "priority": 2, "app_name": "Stasis", "app_data": app_data},
        "creationtime": "2026-11-22T06:01:02.378+0000",
        "language": "en",
    }


def said(kind: str, **fields: object) -> dict[str, object]:
    return {
        "type": kind,
        "timestamp": "2026-11-22T06:01:02.378+0000",
        "asterisk_id": "02:fc:00:00:00:01",
        "application": "callcenter",
        **fields,
    }


def start(leg: str = CALLER, args: tuple[str, ...] = ("trunk", "+18005550100", ""), **caller: str) -> dict[str, object]:
    return said("StasisStart", args=list(args), channel=channel(leg, **caller))


def transfer(destination: str, *, attended: bool = False, into: str = "", **fields: object) -> dict[str, object]:
    wanted = {"destination": destination, **({"protocol_id": "23fb31ae-5eb0-4438-b5fc-08d283359043"} if attended else {})}
    refer_to = {"requested_destination": wanted, **({"destination_channel": channel(into)} if into else {})}
    return said("ChannelTransfer", refer_to=refer_to, referred_by={"source_channel": channel(AGENT)}, **fields)


@pytest.fixture
def parser() -> Parser:
    return Parser("n1", "callcenter")


def test_a_recorded_line(parser: Parser) -> None:
    line = (
        '{"type": "StasisStart", "timestamp": "2026-11-22T06:01:02.378+0000", "args": ["trunk", "18005550100", ""], "channel": {"id": '
        '"n1-1795327262.0", "name": "PJSIP/trunk-00000000", "state": "Ring", "protocol_id": "1-9683@127.0.0.1", "caller": {"name": "sipp",'
        ' "number": "sipp"}, "connected": {"name": "", "number": ""}, "accountcode": "", "dialplan": {"context": "inbound", "exten": '
        '"18005550100", "priority": 2, "app_name": "Stasis", "app_data": "callcenter,trunk,18005550100,"}, "creationtime": '
        '"2026-11-22T06:01:02.378+0000", "language": "en"}, "asterisk_id": "02:fc:00:00:00:01", "application": "callcenter"}'
    )
    assert parser.parse(json.loads(line)) == LegArrived(
        "n1", CALLER, Door.TRUNK, "18005550100", "", "sipp", trunk="trunk", endpoint="trunk", linkedid=CALLER
    )


def test_a_caller_arrives(parser: Parser) -> None:
    assert parser.parse(start()) == LegArrived(
        "n1", CALLER, Door.TRUNK, "+18005550100", "+12025550123", "Ann", trunk="carrier", endpoint="carrier", linkedid=CALLER, up=True
    )


def test_a_caller_who_waited_in_the_fallback_says_since_when(parser: Parser) -> None:
    arrived = parser.parse(start(args=("trunk", "+18005550100", "1795327175")))
    assert isinstance(arrived, LegArrived)
    assert arrived.waiting_since == datetime.fromtimestamp(1795327175, UTC)


@pytest.mark.parametrize("since", ["", "0", "soon", "-5", "1e9", "٣", "99999999999999999999"])
def test_a_caller_is_served_whatever_the_dialplan_says_of_the_wait(parser: Parser, since: str) -> None:
    arrived = parser.parse(start(args=("trunk", "+18005550100", since)))
    assert isinstance(arrived, LegArrived)
    assert arrived.waiting_since is None


def test_an_agent_dials_a_star_code(parser: Parser) -> None:
    arrived = parser.parse(start(AGENT, ("desk_phone", "*11")))
    assert isinstance(arrived, LegArrived)
    assert (arrived.door, arrived.dialed, arrived.endpoint, arrived.trunk) == (Door.DESK_PHONE, "*11", "phone-56076d7e0d30", "")


def test_texts_of_the_caller_are_cleaned(parser: Parser) -> None:
    arrived = parser.parse(start(name="x\u202e\r\n<b>", number="4\r\n5&Local/x"))
    assert isinstance(arrived, LegArrived)
    assert (arrived.caller, arrived.caller_name) == ("45", "x <b>")


def test_an_agent_answers(parser: Parser) -> None:
    assert parser.parse(start(AGENT, ("agent",))) == LegAnswered(AGENT)


@pytest.mark.parametrize("args", [("trunk", "+18005550100", ""), ("agent",)])
def test_the_same_leg_starting_twice_is_told_once(parser: Parser, args: tuple[str, ...]) -> None:
    parser.parse(start(args=args))
    assert parser.parse(start(args=args)) == Ignored("StasisStart, again")


def test_a_leg_that_left_may_come_again(parser: Parser) -> None:
    parser.parse(start())
    parser.parse(said("StasisEnd", channel=channel()))
    assert isinstance(parser.parse(start()), LegArrived)


def test_a_phone_rings(parser: Parser) -> None:
    assert parser.parse(said("ChannelStateChange", channel=channel(AGENT, "Ringing"))) == LegRang(AGENT)
    assert parser.parse(said("ChannelStateChange", channel=channel(AGENT, "Up"))) == Ignored("ChannelStateChange")


def test_keys_and_hold(parser: Parser) -> None:
    assert parser.parse(said("ChannelDtmfReceived", digit="#", duration_ms=120, channel=channel())) == DigitPressed(CALLER, "#")
    assert parser.parse(said("ChannelHold", musicclass="default", channel=channel(AGENT))) == LegHeld(AGENT)
    assert parser.parse(said("ChannelUnhold", channel=channel(AGENT))) == LegResumed(AGENT)


@pytest.mark.parametrize("state", ["done", "failed"])
def test_a_prompt_ends(parser: Parser, state: str) -> None:
    playback = {"id": "p1", "media_uri": "sound:x", "target_uri": f"channel:{CALLER}", "language": "en", "state": state}
    assert parser.parse(said("PlaybackFinished", playback=playback)) == PlaybackEnded(CALLER, "p1")


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (0, Cause.NORMAL),
        (1, Cause.INVALID_NUMBER),
        (3, Cause.UNREACHABLE),
        (16, Cause.NORMAL),
        (17, Cause.BUSY),
        (19, Cause.NO_ANSWER),
        (20, Cause.UNREACHABLE),
        (21, Cause.REJECTED),
        (34, Cause.CONGESTION),
        (44, Cause.LOST),
        (127, Cause.CONGESTION),
        (999, Cause.CONGESTION),
    ],
)
def test_a_leg_of_ours_ends(parser: Parser, number: int, cause: Cause) -> None:
    ended = said("ChannelDestroyed", cause=number, cause_txt="", channel=channel(AGENT, "Ringing", "(Outgoing Line)"))
    assert parser.parse(ended) == LegEnded(AGENT, cause)


def test_a_talk_that_ends_for_an_unheard_of_reason(parser: Parser) -> None:
    ended = said("ChannelDestroyed", cause=127, cause_txt="Interworking", channel=channel(AGENT, "Up", "(Outgoing Line)"))
    assert parser.parse(ended) == LegEnded(AGENT, Cause.UNKNOWN)


def test_a_phone_that_did_not_even_ring_is_unreachable(parser: Parser) -> None:
    ended = said("ChannelDestroyed", cause=19, cause_txt="User alerting, no answer", tech_cause=480, channel=channel(AGENT, "Down"))
    assert parser.parse(ended) == LegEnded(AGENT, Cause.UNREACHABLE)


def test_leaving_the_application_is_not_the_end_of_a_leg_of_ours(parser: Parser) -> None:
    left = said("StasisEnd", channel=channel(AGENT, app_data="callcenter,agent"))
    assert parser.parse(left) == Ignored("StasisEnd of a leg of ours")


@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        ({}, Cause.NORMAL),  # BYE
        ({"soft": True, "cause": 32}, Cause.NORMAL),  # we asked for it
        ({"soft": True, "cause": 1}, Cause.LOST),  # RTP timeout
        ({"cause": 16}, Cause.NORMAL),
        ({"cause": 38}, Cause.CONGESTION),
    ],
)
def test_leaving_is_the_end_of_a_leg_that_arrived(parser: Parser, request_: dict[str, object], cause: Cause) -> None:
    """Nothing else will ever be told of it; the reason was told before, and the second request for it changes nothing."""
    parser.parse(start())
    assert isinstance(parser.parse(said("ChannelHangupRequest", channel=channel(), **request_)), Ignored)
    assert isinstance(parser.parse(said("ChannelHangupRequest", channel=channel(), cause=17)), Ignored)
    assert parser.parse(said("StasisEnd", channel=channel())) == LegEnded(CALLER, cause)


def test_a_leg_that_left_without_hanging_up_is_out_of_our_hands(parser: Parser) -> None:
    parser.parse(start())
    assert parser.parse(said("StasisEnd", channel=channel())) == LegEnded(CALLER, Cause.UNKNOWN)


def test_an_end_before_the_beginning_is_harmless(parser: Parser) -> None:
    assert parser.parse(said("StasisEnd", channel=channel())) == LegEnded(CALLER, Cause.UNKNOWN)
    assert isinstance(parser.parse(start()), LegArrived)


@pytest.mark.parametrize("kind", ["ChannelVarset", "Dial", "BridgeCreated", "NoSuchKind", "", None, 7, ["x"]])
def test_other_kinds_are_ignored(parser: Parser, kind: object) -> None:
    assert isinstance(parser.parse({"type": kind, "application": "callcenter"}), Ignored)


def test_events_of_another_application_are_ignored(parser: Parser) -> None:
    assert isinstance(parser.parse({**start(), "application": "other"}), Ignored)


@pytest.mark.parametrize(
    "broken",
    [
        said("StasisStart"),
        said("StasisStart", args=["trunk", "1"], channel=None),
        said("StasisStart", args=None, channel=channel()),
        said("StasisStart", args=["trunk", 5], channel=channel()),
        said("StasisStart", args=["trunk", "1"], channel={**channel(), "id": "../x"}),
        said("StasisStart", args=["trunk", "1"], channel={**channel(), "id": None}),
        said("StasisStart", args=["trunk", "1"], channel={**channel(), "caller": "Ann"}),
        said("StasisStart", args=["nonsense"], channel=channel()),
        said("StasisStart", args=["trunk"], channel=channel()),
        said("StasisStart", args=[], channel=channel()),
        said("StasisEnd", channel={"id": CALLER}),
        said("ChannelDestroyed", channel=channel()),
        said("ChannelDestroyed", channel=channel(), cause=["x"]),
        said("ChannelHangupRequest", channel=channel(), cause={}),
        said("ChannelStateChange", channel=[]),
        said("ChannelDtmfReceived", digit="12", channel=channel()),
        said("ChannelDtmfReceived", digit=None, channel=channel()),
        said("PlaybackFinished", playback={}),
        said("PlaybackFinished", playback={"id": "a/b", "target_uri": f"channel:{CALLER}"}),
    ],
)
def test_a_kind_that_does_not_fit_is_malformed(parser: Parser, broken: dict[str, object]) -> None:
    assert isinstance(parser.parse(broken), MalformedEvent)


def test_what_arrives_by_mistake_is_named_so_that_it_can_be_ended(parser: Parser) -> None:
    malformed = parser.parse(start(args=("nonsense",)))
    assert isinstance(malformed, MalformedEvent)
    assert malformed.leg == CALLER


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        (transfer("2002"), LegReferred(AGENT, "2002")),
        (transfer("+12025550123"), LegReferred(AGENT, "+12025550123")),
        (transfer("sales;2002"), LegReferred(AGENT, "")),
        (transfer("2002\r\nX: y"), LegReferred(AGENT, "")),
        (transfer("9" * 40), LegReferred(AGENT, "")),
        (transfer("2002", attended=True, into=CALLER), LegReferred(AGENT, "2002", CALLER)),
        (transfer("2002", attended=True), LegReferred(AGENT, "2002", "")),
        (transfer("2002", state="channel_answered"), Ignored("ChannelTransfer, answered")),
    ],
)
def test_a_refer(parser: Parser, line: dict[str, object], meaning: object) -> None:
    assert parser.parse(line) == meaning


def test_a_leg_that_takes_the_place_of_another(parser: Parser) -> None:
    line = {**start("n1-1795327262.7", ()), "replace_channel": channel(AGENT)}
    assert parser.parse(line) == Replaced(AGENT, "n1-1795327262.7")
    assert isinstance(parser.parse({**line, "replace_channel": {"id": "../x"}}), MalformedEvent)
