"""Scripts, what dispositions mean, and screen-pop addresses: what is taken from callcenter.toml, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from callcenter.runtime.settings_console import disposition_flags, pop_address, script_of
from tests.runtime.test_settings import accepted, problems

Change = Callable[[dict[str, Any]], object]
PAGE = {"text": "Hello {caller}.", "field": [{"name": "plan", "label": "Plan"}]}
SALE = {"title": "Sale", "start": "hello", "page": {"hello": PAGE}}


def with_console(**script: Any) -> Change:
    def change(raw: dict[str, Any]) -> None:
        raw["script"] = {"sale": {**SALE, **script}}
        raw["queue"][0] |= {"script": "sale", "screen_pop": "https://crm.example.org/{caller}?q={queue}", "dispositions": ["sale", "stop"]}
        raw["disposition"] = {"sale": {"success": True}, "stop": {"do_not_call": True, "never_again": True}}

    return change


def changed(*changes: Change) -> Change:
    def change(raw: dict[str, Any]) -> None:
        for each in changes:
            each(raw)

    return change


def test_what_the_console_shows_is_read() -> None:
    settings = accepted(with_console())
    script = script_of("sale", settings.scripts["sale"])
    assert script.pages["hello"].fields[0].name == "plan"
    assert disposition_flags(settings) == {"sale": ("success",), "stop": ("do_not_call", "never_again")}
    agents = {agent.name: agent.name for agent in settings.agents}
    assert settings.center_config(agents).disposition_flags["stop"] == ("do_not_call", "never_again")


def test_values_in_an_address_change_nothing_but_their_own_place() -> None:
    hostile = {"caller": "../../evil?x=1#y", "queue": "a&b=c\r\nHost: evil"}
    address = pop_address("https://crm.example.org/{caller}?q={queue}&n={unknown}", hostile)
    assert address == "https://crm.example.org/..%2F..%2Fevil%3Fx%3D1%23y?q=a%26b%3Dc%0D%0AHost%3A%20evil&n="


def pop(address: str) -> Change:
    return changed(with_console(), lambda raw: raw["queue"][0].update(screen_pop=address))


FAULTS: list[tuple[Change, str]] = [
    (pop("javascript:alert(1)"), "queue[0].screen_pop: must be an address that begins with https://"),
    (pop("//crm.example.org"), "queue[0].screen_pop: must be an address"),
    (pop("https://{caller}.example.org/"), "queue[0].screen_pop: must name its host without variables"),
    (pop("https://a:b@example.org/"), "queue[0].screen_pop: must name its host without variables and without a password"),
    (
        changed(with_console(), lambda raw: raw["queue"][0].update(script="gone")),
        "queue[0].script: names script 'gone', which is not there",
    ),
    (with_console(start="gone"), "script.sale.start: names page 'gone'"),
    (with_console(page={"hello": {"text": "", "go": [{"when": "1 + 1", "to": "hello"}]}}), "script.sale.page.hello.go[0].when"),
    (with_console(page={}), "script.sale.page"),
    (changed(with_console(), lambda raw: raw["disposition"].update(other={})), "disposition.other: is a disposition of no queue"),
    (
        changed(with_console(), lambda raw: raw["disposition"]["stop"].update(retry=True)),
        "disposition.stop.retry: contradicts never_again and do_not_call",
    ),
    (changed(with_console(), lambda raw: raw["disposition"]["stop"].update(colour="red")), "disposition.stop.colour: is not a key"),
]


@pytest.mark.parametrize(("change", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_fault_is_one_sentence_with_its_place(change: Change, sentence: str) -> None:
    found = problems(change)
    assert found[0].startswith(sentence)
