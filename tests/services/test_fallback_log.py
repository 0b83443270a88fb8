"""The queue log of a node, as the dialplan's fallback and app_queue write it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.events import FallbackCallReported
from callcenter.services.fallback_log import FallbackLog

STARTED = "1795330115|NONE|NONE|NONE|QUEUESTART|\n"
SERVED = """\
1795330116|node1-1795330116.0|fallback_support|NONE|CC_ENTERED|+18005550100|+12025550111|1795330116
1795330117|node1-1795330116.0|fallback_support|NONE|ENTERQUEUE||+12025550111|1
1795330118|node1-1795330116.0|fallback_support|phone-b1813c273e94|CONNECT|1|node1-1795330117.1|0
1795330140|node1-1795330116.0|fallback_support|phone-b1813c273e94|COMPLETECALLER|1|22|1
1795330140|node1-1795330116.0|fallback_support|NONE|CC_ENDED|
"""
LEFT = """\
1795330200|node1-1795330200.4|fallback_support|NONE|CC_ENTERED|+18005550100||1795330200
1795330201|node1-1795330200.4|fallback_support|NONE|ENTERQUEUE|||1
1795330211|node1-1795330200.4|fallback_support|NONE|EXITWITHTIMEOUT|1|1|10
1795330212|node1-1795330200.4|fallback_support|NONE|ENTERQUEUE|||1
1795330215|node1-1795330200.4|fallback_support|NONE|ABANDON|1|1|15
1795330215|node1-1795330200.4|fallback_support|NONE|CC_ENDED|
"""
RETURNED = """\
1795330300|node1-1795330300.5|fallback_support|NONE|CC_ENTERED|+18005550100|+12025550112|1795330300
1795330310|node1-1795330300.5|fallback_support|NONE|CC_RETURNED|1795330310
"""
TURNED_AWAY_AGAIN = """\
1795330311|node1-1795330300.5|fallback_support|NONE|CC_ENTERED|+18005550100|+12025550112|1795330300
1795330320|node1-1795330300.5|fallback_support|NONE|CC_ENDED|
"""


CLOSED = """\
1795330400|node1-1795330400.6|fallback_support|NONE|CC_ENTERED|+18005550100|+12025550113|1795330400
1795330400|node1-1795330400.6|fallback_support|NONE|CC_CLOSED|
1795330405|node1-1795330400.6|fallback_support|NONE|CC_ENDED|
"""


def at(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def read(text: str, reported: int = 0) -> list[FallbackCallReported]:
    return list(FallbackLog("node1").read(text.encode(), reported))


def test_a_call_that_an_agent_served() -> None:
    (call,) = read(STARTED + SERVED)
    assert call == FallbackCallReported(
        "node1",
        "node1-1795330116.0",
        "support",
        "+18005550100",
        "+12025550111",
        at(1795330116),
        at(1795330140),
        at(1795330118),
        "phone-b1813c273e94",
        len(STARTED + SERVED),
    )


def test_a_caller_who_was_told_that_it_is_closed() -> None:
    (call,) = read(CLOSED)
    assert (call.closed, call.answered_at, call.ended_at) == (True, None, at(1795330405))
    assert not any(other.closed for other in read(SERVED + LEFT))


def test_a_caller_who_gave_up_after_two_slices() -> None:
    (call,) = read(LEFT)
    assert (call.answered_at, call.endpoint, call.caller) == (None, "", "")
    assert (call.entered_at, call.ended_at) == (at(1795330200), at(1795330215))


def test_who_was_handed_to_the_engine_is_the_engines_matter() -> None:
    assert read(RETURNED) == []


def test_who_came_back_from_the_engine_has_waited_from_the_first_entry_on() -> None:
    (call,) = read(RETURNED + TURNED_AWAY_AGAIN)
    assert (call.entered_at, call.ended_at) == (at(1795330300), at(1795330320))


def test_calls_that_a_crash_cut_off_ended_when_the_log_last_spoke() -> None:
    (call,) = read("".join(SERVED.splitlines(True)[:3]) + STARTED.replace("1795330115", "1795330199"))
    assert (call.answered_at, call.ended_at) == (at(1795330118), at(1795330118))


def test_calls_side_by_side() -> None:
    lines = [line for pair in zip(SERVED.splitlines(True), LEFT.splitlines(True), strict=False) for line in pair]
    calls = read("".join([*lines, *LEFT.splitlines(True)[5:]]))
    assert [call.leg for call in calls] == ["node1-1795330116.0", "node1-1795330200.4"]
    assert [call.answered_at is None for call in calls] == [False, True]


@pytest.mark.parametrize("cut", range(0, len(SERVED), 7))
def test_a_line_that_is_still_being_written_waits_for_its_end(cut: int) -> None:
    log = FallbackLog("node1")
    content = SERVED.encode()
    found = list(log.read(content[:cut], 0))
    found += log.read(content[log.offset :], 0)
    assert found == read(SERVED)
    assert log.offset == len(content)


def test_what_is_reported_already_is_not_reported_again() -> None:
    (first,) = read(SERVED)
    assert read(SERVED, first.log_offset) == []
    (second,) = read(SERVED + LEFT, first.log_offset)
    assert second.leg == "node1-1795330200.4"


@pytest.mark.parametrize(
    "line",
    [
        "1795330116|x|fallback_support|NONE|CC_ENDED|",
        "1795330116|x|fallback_support|NONE|CC_ENTERED|only two|fields",
        "1795330116|x|fallback_support|NONE|CC_ENTERED|a|b|no date",
        "no date|x|fallback_support|NONE|CC_ENTERED|a|b|1",
        "1795330116|x|another_queue|NONE|CC_ENTERED|a|b|1",
        "1795330116|x",
        "",
        "\ufffd|||||||||||",
    ],
)
def test_lines_that_make_no_sense_are_passed_over(line: str) -> None:
    assert len(read(f"{line}\n{SERVED}{line}\n")) == 1


def test_bytes_that_are_no_text_are_passed_over() -> None:
    assert len(list(FallbackLog("node1").read(b"\xff\xfe|\x00\n" + SERVED.encode(), 0))) == 1


def test_a_clock_that_went_back_makes_no_negative_time() -> None:
    (call,) = read(
        SERVED.replace("1795330140|node1-1795330116.0|fallback_support|NONE", "1795330100|node1-1795330116.0|fallback_support|NONE")
    )
    assert call.ended_at >= call.entered_at
    assert call.answered_at is None or call.entered_at <= call.answered_at <= call.ended_at


@given(st.text(alphabet="0123456789|\n CC_ENTEREDsupportfallback", max_size=200))
def test_whatever_is_in_the_log_it_can_be_read(text: str) -> None:
    for call in read(text + "\n" + SERVED):
        assert call.entered_at <= call.ended_at


def test_who_was_told_one_of_several_that_a_crash_ended_is_told_the_others_afterwards() -> None:
    """We may be killed between two reports of the same line."""
    callers = "".join(f"1795330400|node1-{n}|fallback_support|NONE|CC_ENTERED|+18005550100||1795330400\n" for n in range(3))
    first, *others = read(callers + STARTED)
    assert [call.leg for call in read(callers + STARTED, first.log_offset)] == [call.leg for call in others]
    assert read(callers + STARTED, others[-1].log_offset) == []
