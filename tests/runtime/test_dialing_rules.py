"""Which numbers we may dial, and what ``[calling]`` refuses."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from callcenter.domain.numbers import NumberRefusal, any_e164
from callcenter.runtime.dialing_rules import DialingRules
from callcenter.runtime.settings import Settings, SettingsError, parse
from tests.support.asterisk import raw_settings

RULES = DialingRules("US", ("US", "GB"), ours=["+18005550100"], emergency=["911", "112"], do_not_call=["+12025550199"])


@pytest.mark.parametrize("text", ["+12025550123", "2025550123", "(202) 555-0123", "1-202-555-0123", " 202.555.0123 "])
def test_one_number_in_five_forms_is_one_number(text: str) -> None:
    assert RULES(text).number == "+12025550123"
    assert RULES(text).may_be_dialed


def numbers_of_the_world() -> Iterator[str]:
    """As carriers may write them: in E.164, with the digits before it that dial a trunk within the country, and what is no number."""
    drawn = Random(1)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None:
                code, national = str(example.country_code), phonenumbers.national_significant_number(example)
                yield from (f"+{code}{national}", f"+{code}0{national}", f"+{code}{code}{national}", f"+{code}{national[:-3]}", national)
    for _ in range(2_000):
        yield "+" + "".join(drawn.choice("0123456789") for _ in range(drawn.randrange(1, 18)))


def test_a_caller_is_written_as_the_rules_read_the_number_and_as_it_came_when_it_is_none() -> None:
    for text in numbers_of_the_world():
        assert RULES.e164(text) == (RULES(text).number or text), text


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", NumberRefusal.WITHHELD),
        ("911", NumberRefusal.EMERGENCY),
        ("9-1-1", NumberRefusal.EMERGENCY),
        ("112", NumberRefusal.EMERGENCY),
        ("999", NumberRefusal.EMERGENCY),
        ("+19005550123", NumberRefusal.PREMIUM),
        ("+449098790000", NumberRefusal.PREMIUM),
        ("+18005550100", NumberRefusal.OURS),
        ("800 555 0100", NumberRefusal.OURS),
        ("+18765550123", NumberRefusal.COUNTRY),
        ("+4930901820", NumberRefusal.COUNTRY),
        ("202 555 0199", NumberRefusal.DO_NOT_CALL),
        *(
            (text, NumberRefusal.INVALID)
            for text in (
                *("+", "++1", "0", "00", "12", "555", "+1202555012345678", "1e10", "-1", "NaN", "*67", "#31#", ";isub=", ",,,123", "123p4"),
                *(
                    "500&Local/x@y",
                    "100@other",
                    "${EXTEN}",
                    "100^200",
                    "202555012\n3",
                    "٢٠٢٥٥٥٠١٢٣",
                    "anonymous",
                    "2025550123x5",
                    "2" * 600,
                ),
            )
        ),
    ],
)
def test_what_is_no_number_to_dial_is_refused_with_the_reason(text: str, refusal: NumberRefusal) -> None:
    checked = RULES(text)
    assert checked.refusal is refusal, checked
    assert checked.sentence


def test_a_number_abroad_that_begins_like_a_call_for_help_is_none() -> None:
    india = DialingRules("US", ("IN",))
    assert india("+911123456789").refusal is not NumberRefusal.EMERGENCY


def test_without_tables_only_the_form_counts() -> None:
    assert any_e164("+12025550123").may_be_dialed
    assert [any_e164(text).refusal for text in ("", "911", "+0123", "2025550123")] == [
        NumberRefusal.WITHHELD,
        *[NumberRefusal.INVALID] * 3,
    ]


# --- the settings -------------------------------------------------------------------------------


def settings(folder: Path, calling: dict[str, Any], host: str | None = "127.0.0.1") -> Settings:
    trunk = {"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"], **({"host": host} if host else {})}
    return parse(raw_settings(folder, trunk=[trunk], calling=calling), folder / "callcenter.toml")


def test_what_the_core_reads(tmp_path: Path) -> None:
    (tmp_path / "dnc.txt").write_text("# asked us not to\n202 555 0111\n+1 202 555 0112  # by letter\n")
    calling = (
        settings(
            tmp_path,
            {
                "trunk": "carrier",
                "do_not_call": ["+12025550110"],
                "do_not_call_file": "dnc.txt",
                "hours": {
                    "weekly": ["mon-fri 09:00-20:00", "sat 10:00-24:00"],
                    "closed": ["2026-12-25"],
                    "dated": ["2026-12-24 09:00-12:00"],
                },
            },
        )
        .center_config({"alice": "a", "bob": "b"})
        .calling
    )
    assert calling.trunk == "carrier"
    assert [calling.rules(f"+1202555011{n}").may_be_dialed for n in range(4)] == [False, False, False, True]
    assert sorted(calling.hours.weekly) == [0, 1, 2, 3, 4, 5]
    assert calling.hours.zone == "America/New_York"
    assert {day.isoformat(): len(windows) for day, windows in calling.hours.dated.items()} == {"2026-12-24": 1, "2026-12-25": 0}


@pytest.mark.parametrize(
    ("calling", "said"),
    [
        ({"trunk": "nobody"}, "calling.trunk: names trunk 'nobody', which does not exist"),
        ({"countries": ["USA"]}, "calling.countries[0]: must be a country in two capital letters"),
        ({"do_not_call": ["hello"]}, "calling.do_not_call[0]: 'hello' is not a valid telephone number"),
        ({"do_not_call_file": "missing.txt"}, "calling.do_not_call_file: names 'missing.txt', which cannot be read"),
        ({"hours": {"weekly": ["weekdays 9-5"]}}, "calling.hours.weekly[0]: must be weekdays and times"),
        ({"hours": {"weekly": ["mon 20:00-09:00"]}}, "calling.hours.weekly[0]: must be weekdays and times"),
        ({"hours": {"closed": ["2026-02-30"]}}, "calling.hours.closed[0]: must be a date"),
        ({"hours": {"dated": ["2026-12-24"]}}, "calling.hours.dated[0]: must be a date and times"),
        (
            {"hours": {"closed": ["2026-12-24"], "dated": ["2026-12-24 09:00-12:00"]}},
            "calling.hours.closed[0]: 2026-12-24 is in calling.hours.dated as well",
        ),
        ({"trnk": "carrier"}, "calling.trnk"),
        ({"calendar": "main"}, "calling.calendar: names calendar 'main', which does not exist; calendars: none"),
        ({"local_hours": ["8-21"]}, "calling.local_hours[0]: must be from and to, such as '09:00-12:00'"),
        ({"local_hours": ["22:00-06:00"]}, "calling.local_hours: ends on the next day"),
    ],
)
def test_what_cannot_be_is_refused_at_save_with_reason_and_place(tmp_path: Path, calling: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, calling)
    assert said in str(refused.value)


def test_a_trunk_that_leads_nowhere_cannot_be_called_through(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="which has no host"):
        settings(tmp_path, {"trunk": "carrier"}, host=None)


def test_a_wrong_line_of_the_list_is_named(tmp_path: Path) -> None:
    (tmp_path / "dnc.txt").write_text("+12025550111\n12\n")
    with pytest.raises(SettingsError, match=r"dnc\.txt:2: '12' is not a valid telephone number"):
        settings(tmp_path, {"do_not_call_file": "dnc.txt"})


# --- callbacks of a queue -----------------------------------------------------------------------


def with_callback(folder: Path, callback: dict[str, Any], calling: dict[str, Any] | None = None, **tables: Any) -> Settings:
    trunk = {"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"], "host": "127.0.0.1"}
    raw = raw_settings(folder, trunk=[trunk], calling={"trunk": "carrier"} if calling is None else calling)
    raw["queue"][0]["callback"] = callback
    return parse({**raw, **tables}, folder / "callcenter.toml")


def test_what_the_core_reads_of_callbacks(tmp_path: Path) -> None:
    config = with_callback(tmp_path, {"first": "caller", "attempts": 2, "number_shown": "800 555 0100"}).center_config(
        {"alice": "a", "bob": "b"}
    )
    callback = config.queues["support"].callback
    assert callback is not None
    assert (callback.agent_first, callback.attempts, callback.number_shown) == (False, 2, "+18005550100")
    assert settings(tmp_path, {}).center_config({"alice": "a", "bob": "b"}).queues["support"].callback is None


@pytest.mark.parametrize(
    ("callback", "calling", "said"),
    [
        ({}, {}, "queue[0].callback: needs calling.trunk"),
        ({"flow": "nothing"}, None, "queue[0].callback.flow: names flow 'nothing', which does not exist"),
        ({"number_shown": "+12025550123"}, None, "queue[0].callback.number_shown: '+12025550123' is none of our numbers"),
        ({"key": "12"}, None, "queue[0].callback.key"),
        ({"attempts": 0}, None, "queue[0].callback.attempts"),
        ({"first": "both"}, None, "queue[0].callback.first"),
        ({"greeting_flow": "hello"}, None, "queue[0].callback.greeting_flow: names flow 'hello', which never enters queue 'support'"),
    ],
)
def test_callbacks_that_cannot_be_are_refused_at_save(
    tmp_path: Path, callback: dict[str, Any], calling: dict[str, Any] | None, said: str
) -> None:
    hello = {"hello": {"start": "end", "node": {"end": {"type": "hang_up"}}}}
    with pytest.raises(SettingsError) as refused:
        with_callback(tmp_path, callback, calling, flow={**raw_settings(tmp_path)["flow"], **hello})
    assert said in str(refused.value)


def test_a_callback_node_needs_a_queue_and_a_number(tmp_path: Path) -> None:
    node = {"type": "callback", "queue": "nowhere", "next": "end", "otherwise": "end", "attribute": "nothing"}
    flows = {"main": {"start": "a", "node": {"a": node, "end": {"type": "hang_up"}}}}
    with pytest.raises(SettingsError) as refused:
        with_callback(tmp_path, {}, flow=flows)
    assert "flow.main.node.a.queue: names queue 'nowhere', which does not exist" in str(refused.value)
    assert "flow.main.node.a.attribute: reads attribute 'nothing', which nothing sets" in str(refused.value)


def test_a_callback_node_of_a_queue_that_calls_nobody_back_is_refused(tmp_path: Path) -> None:
    node = {"type": "callback", "queue": "support", "next": "end", "otherwise": "end"}
    raw = raw_settings(tmp_path, flow={"main": {"start": "a", "node": {"a": node, "end": {"type": "hang_up"}}}})
    with pytest.raises(SettingsError) as refused:
        parse(raw)
    sentence = "names queue with callbacks 'support', which does not exist; queues with callbacks: none"
    assert f"flow.main.node.a.queue: {sentence}" in str(refused.value)


def test_the_configuration_of_the_manual_is_accepted(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "callbacks.md").read_text()
    blocks = [block.partition("```")[0] for block in page.split("```toml\n")[1:]]
    (tmp_path / "do-not-call.txt").write_text("+12025550199\n")
    raw = raw_settings(tmp_path)
    trunk = {"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"], "host": "127.0.0.1"}
    own = [{"id": name, "text": name} for name in ("your-number-is", "press-1-if-right", "enter-your-number")]
    said = tomllib.loads("\n".join(blocks))
    read = parse(
        {**raw, **said, "flow": {**raw["flow"], **said["flow"]}, "trunk": [trunk], "prompt": raw["prompt"] + own},
        tmp_path / "callcenter.toml",
    )
    config = read.center_config({"alice": "a", "bob": "b"})
    assert config.queues["support"].callback is not None
    assert config.calling.rules("2025550199").refusal is NumberRefusal.DO_NOT_CALL


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+12025550101", {"America/New_York"}),
        ("+14155550101", {"America/Los_Angeles"}),
        ("+442071838750", {"Europe/London"}),
        ("+88213000000", set()),  # a satellite phone
    ],
)
def test_what_a_number_tells_of_the_clock_where_it_is(number: str, zones: set[str]) -> None:
    found = DialingRules("US", ("US", "GB", "001"))(number).zones
    assert set(found) == zones


def test_a_toll_free_number_may_be_anywhere_in_its_country() -> None:
    assert {"America/New_York", "America/Los_Angeles", "America/Chicago"} < set(DialingRules("US")("+18005550100").zones)
