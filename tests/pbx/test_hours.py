"""Opening hours on a real Asterisk: callers take the way the calendar says, and the emergency switch is dialed from phones."""

import asyncio
import tomllib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from callcenter.domain import facts as f
from callcenter.runtime import toml_text
from callcenter.runtime.pins import Pins
from callcenter.sim.sip.call import Call
from callcenter.sim.sip.policy import RingForever
from callcenter.sim.sip.tones import TonePair, tone_pair
from tests.support.asterisk import DID, MUSIC_TONES, raw_settings
from tests.support.center import RunningCenter, running_center

pytestmark = pytest.mark.pbx

SWITCH = "+18005550190"
PIN = "8024739155"
SAID: dict[str, TonePair] = {
    "we-are-closed": tone_pair(7),
    "enter-pin": tone_pair(12),
    "wrong-pin": tone_pair(18),
    "hours-are-open": tone_pair(22),
    "hours-are-closed": tone_pair(27),
    "hours-switch": tone_pair(33),
    "hours-switch-until": tone_pair(38),
    "hours-switched": tone_pair(43),
    "hours-switched-back": tone_pair(49),
}
FLOW = {
    "start": "when",
    "node": {
        "when": {"type": "condition", "when": "hours.main is open", "next": "in", "otherwise": "closed"},
        "closed": {"type": "prompt", "prompt": "we-are-closed", "next": "end"},
        "in": {"type": "queue", "queue": "support"},
        "end": {"type": "hang_up"},
    },
}


def tables() -> dict[str, object]:
    prompts = [{"id": prompt, "source": f"tone:{pair[0]:.0f}+{pair[1]:.0f}:0.7"} for prompt, pair in SAID.items()]
    known = raw_settings(Path("unused"))["prompt"]
    return {
        "prompt": [*known, *prompts],
        "calendar": {"main": {"time_zone": "UTC", "weekly": ["mon-sun 00:00-24:00"]}},
        "number": [{"did": DID, "flow": "main"}, {"did": SWITCH, "switch": "main"}],
        "flow": {"main": FLOW},
    }


async def walk(call: Call, steps: Sequence[tuple[str, str]]) -> None:
    """Hear each prompt, then press what answers it."""
    for prompt, keys in steps:
        await call.hears(SAID[prompt], for_s=0.3)
        if keys:
            await call.send_digits(keys)


CLOSE = (("hours-switch", "1"), ("hours-switch-until", "1"), ("hours-switched", ""))


async def test_the_emergency_switch_by_phone_sends_callers_the_other_way() -> None:
    async with running_center(**tables()) as center:
        Pins(center.pbx.settings.data).set("calendar:main", PIN)
        served = await center.call()
        await served.hears(MUSIC_TONES)

        outside = await center.call("+12025550190", SWITCH)
        await walk(outside, [("enter-pin", "1357#"), ("wrong-pin", ""), ("enter-pin", f"{PIN}#"), ("hours-are-open", ""), *CLOSE])
        await outside.ended()
        switched = await center.fact(f.HoursSwitched)
        assert (switched.is_open, switched.by) == (False, "+12025550190")
        turned_away = await center.call("+12025550177")
        await turned_away.hears(SAID["we-are-closed"])
        await turned_away.ended()
        await served.hears(MUSIC_TONES, for_s=0.5)  # whose queue has no hours

        await center.kill_engine()
        await center.start_engine()
        state = await center.ask("calendar_list")
        assert state["calendars"][0]["open"] is False, "it survives a restart"  # type: ignore[index, call-overload]

        phone = await center.phone("alice", RingForever())
        desk = await (await phone.invite("*19")).answered()
        await walk(desk, [("enter-pin", f"{PIN}#"), ("hours-are-closed", ""), ("hours-switch", "2"), ("hours-switched-back", "")])
        await desk.ended()
        again = await center.call("+12025550178")
        await again.hears(MUSIC_TONES)

        kept = center.read()
        assert {fact.digit for fact in kept if isinstance(fact, f.FlowDigitTaken)} == {""}
        assert {fact.digit for fact in kept if isinstance(fact, f.FlowKeyPressed)} == {"", "1", "2"}
        assert PIN not in repr(kept)
        assert PIN not in center.log_file.read_text()
        for call in (served, again):
            await call.hang_up()


def around_today(reason: str) -> dict[str, object]:
    """Closed from yesterday to tomorrow: whatever the time of the test is."""
    today = datetime.now(UTC).date()
    return {"date": (today - timedelta(days=1)).isoformat(), "until": (today + timedelta(days=1)).isoformat(), "reason": reason}


def in_hours(first: int, last: int) -> list[str]:
    """Weekly hours that are open from so many hours after now to so many; whatever the time of the test is."""
    now = datetime.now(UTC)
    begin, end = ((now + timedelta(hours=hours)).strftime("%H:00") for hours in (first, last))
    return [f"mon-sun {begin}-{end}"]


async def test_while_the_engine_is_away_callers_of_a_closed_number_are_told_so() -> None:
    closed_now, please_wait = tone_pair(54), (540.0, 760.0)
    both = tables()
    both["prompt"] = [*both["prompt"], {"id": "closed-now", "source": f"tone:{closed_now[0]:.0f}+{closed_now[1]:.0f}:0.7"}]  # type: ignore[misc]
    both["calendar"] = {
        "main": {"time_zone": "UTC", "weekly": in_hours(2, 4)},
        "other": {"time_zone": "UTC", "weekly": in_hours(-2, 4)},
    }
    both["queue"] = [{"name": "support", "music": "tones", "wrap_up_s": 1, "hours": "main"}]
    open_number = "+18005550107"
    both["number"] = [{"did": DID, "flow": "main"}, {"did": open_number, "flow": "main", "fallback_hours": "other"}]
    async with running_center(**both) as center:
        await center.until(lambda: center.pbx.cli("dialplan show globals").count("CC_HOURS_") == 2)
        await center.kill_engine()
        turned_away = await center.call("+12025550171")
        await turned_away.hears(closed_now, for_s=0.3)
        await turned_away.ended()
        assert not turned_away.heard_tones(please_wait)
        served = await center.call("+12025550172", open_number)
        await served.hears(please_wait, for_s=0.3)
        await served.hang_up()
        await center.start_engine()
        ended = await center.fact(f.FallbackCallEnded, caller="+12025550171")
        assert (ended.closed, ended.queue, ended.answered_at) == (True, "support", None)
        await center.ask("calendar_switch", calendar="main", is_open=True, until=(datetime.now(UTC) + timedelta(minutes=30)).isoformat())
        digits = DID.removeprefix("+")
        await center.until(lambda: f"CC_HOURS_{digits}=1-" in center.pbx.cli("dialplan show globals"))
        await center.kill_engine()
        called = await center.call("+12025550173")
        await called.hears(please_wait, for_s=0.3)
        await called.hang_up()


async def test_an_exception_closes_queue_and_flow_after_a_reload() -> None:
    both = tables()
    both["queue"] = [{"name": "support", "music": "tones", "wrap_up_s": 1, "hours": "main", "closing": {"to": "flow:main", "drain": False}}]
    async with running_center(**both) as center:
        waiting = await center.call()
        await waiting.hears(MUSIC_TONES)
        await reload_with(center, around_today("moving house"))
        await waiting.hears(SAID["we-are-closed"])  # at closing time who waits is sent on, and the flow says why
        await waiting.ended()
        overflowed = await center.fact(f.ContactOverflowed)
        assert overflowed.why == f.OverflowWhy.CLOSED
        late = await center.call("+12025550177")
        await late.hears(SAID["we-are-closed"])
        await late.ended()
        shown = await center.ask("calendar_show", calendar="main")
        assert shown["why"] == "exception: moving house"
        opens = date.fromisoformat(str(around_today("")["until"])) + timedelta(days=1)
        assert str(shown["opens_at"]).startswith(opens.isoformat())


async def reload_with(center: RunningCenter, exception: dict[str, object]) -> None:
    raw = tomllib.loads(center.file.read_text())
    raw["calendar"]["main"]["exception"] = [exception]
    await asyncio.to_thread(toml_text.write, center.file, raw)
    await center.ask("reload")


async def test_an_engine_starts_though_an_imported_file_is_gone_and_goes_by_its_last_good_copy() -> None:
    today = datetime.now(UTC).date()
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "SUMMARY:Outing")
    dates = (f"DTSTART;VALUE=DATE:{today - timedelta(days=1):%Y%m%d}", f"DTEND;VALUE=DATE:{today + timedelta(days=3):%Y%m%d}")
    calendar = "\r\n".join((*lines, *dates, "END:VEVENT", "END:VCALENDAR", "")).encode()
    both = tables()
    both["calendar"] = {"main": {"time_zone": "UTC", "weekly": ["mon-sun 00:00-24:00"], "ics": [{"file": "days.ics"}]}}
    async with running_center(beside={"days.ics": calendar}, **both) as center:
        await center.kill_engine()
        (center.file.parent / "days.ics").unlink()
        await center.start_engine()
        caller = await center.call()
        await caller.hears(SAID["we-are-closed"])
        await caller.ended()
        shown = await center.ask("calendar_show", calendar="main")
        assert shown["why"] == "imported: Outing"
        assert "the last good copy" in str(shown["warnings"])
        assert "hours_not_as_imported" in center.log_file.read_text()
