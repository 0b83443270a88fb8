"""What the settings say about the API and webhooks, and what they may not."""

from typing import Any

import pytest

from callcenter.runtime.settings import Settings, SettingsError, parse

BASE: dict[str, Any] = {
    "center": {"time_zone": "UTC"},
    "queue": [{"name": "support"}],
    "agent": [{"name": "alice", "queues": ["support"]}],
}


def read(**tables: Any) -> Settings:
    return parse({**BASE, **tables})


def test_without_a_word_webhooks_stay_outside_and_the_rate_is_moderate() -> None:
    settings = read()
    assert settings.webhooks.allow_private is False
    assert settings.web.api_requests_per_second == 50
    assert settings.queues[0].lookup is None


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"webhooks": {"allow_private": "yes please"}}, "webhooks.allow_private"),
        ({"webhooks": {"allow_all": True}}, "webhooks.allow_all"),
        ({"web": {"api_requests_per_second": 0}}, "web.api_requests_per_second"),
        ({"web": {"api_requests_per_second": 1_000_000}}, "web.api_requests_per_second"),
        ({"queue": [{"name": "support", "lookup": "crm"}]}, "queue[0].lookup: names dip 'crm', which does not exist; dips: none"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(tables: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**tables)
    assert sentence in str(refused.value)
