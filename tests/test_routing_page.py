"""Every example of docs/routing.md does what the page says."""

from pathlib import Path

import pytest

from tests.support.routing_stories import Example, Story, examples, settings_of

PAGE = Path(__file__).parents[1] / "docs" / "routing.md"
EXAMPLES = list(examples(PAGE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{number}-{example.title}" for number, example in enumerate(EXAMPLES)])
def test_an_example_does_what_the_page_says(example: Example) -> None:
    Story(settings_of(example.toml)).play(example.story)


def test_there_is_an_example_for_every_strategy() -> None:
    told = "".join(example.toml for example in EXAMPLES)
    for strategy in ("longest_idle", "round_robin", "least_occupied", "fewest_contacts", "least_talk", "list_order", "ring_all"):
        assert f'strategy = "{strategy}"' in told


def test_an_example_that_is_wrong_is_found() -> None:
    example = EXAMPLES[0]
    with pytest.raises(AssertionError):
        Story(settings_of(example.toml)).play(example.story.replace("-> ", "-> Nobody: nobody-else, "))
