"""The numbers by which agents and queues are dialed: what is refused at save, with reason and place."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.runtime.test_settings import accepted, problems

Change = Callable[[dict[str, Any]], object]


def queue(extension: object) -> Change:
    return lambda raw: raw["queue"][0].update(extension=extension)


def both(first: str, second: str) -> Change:
    def change(raw: dict[str, Any]) -> None:
        raw["queue"][0]["extension"], raw["agent"][1]["extension"] = first, second

    return change


FAULTS: list[tuple[Change, str]] = [
    (queue("*11"), "queue[0].extension: must be 2 to 8 digits (star codes are the center's own), but is '*11'"),
    (queue("7"), "queue[0].extension: must be 2 to 8 digits"),
    (queue(8001), "queue[0].extension: must be text in quotes, but is 8001"),
    (queue("+18005550100"), "queue[0].extension: must be 2 to 8 digits"),
    (both("8001", "8001"), "agent[1].extension: '8001' is taken by queue[0]; each needs an extension of its own"),
    (queue("911"), "queue[0].extension: '911' must not begin as the emergency number 911 does, nor be its beginning"),
    (queue("9110"), "queue[0].extension: '9110' must not begin as the emergency number 911 does"),
    (queue("11"), "queue[0].extension: '11' must not begin as the emergency number 112 does"),
]


@pytest.mark.parametrize(("change", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_fault_is_one_sentence_with_its_place(change: Change, sentence: str) -> None:
    (problem,) = problems(change)
    assert problem.startswith(sentence)


def test_an_extension_is_none_of_our_numbers() -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["center"]["country"] = "DE"
        raw["number"][0]["did"] = "+49301234"
        raw["agent"][0]["extension"] = "49301234"

    assert problems(change) == ["agent[0].extension: '49301234' is the number of number[0] already"]


def test_extensions_become_what_the_core_reads() -> None:
    config = accepted(both("8011", "2012")).center_config({"alice": "a", "bob": "b", "carol": "c"})
    assert config.queues["sales"].extension == "8011"
    assert (config.agents["alice"].extension, config.agents["bob"].extension) == ("2001", "2012")
