"""``callcenter report surveys`` for people."""

from io import StringIO

from rich.console import Console

from callcenter.apps.reports import Json
from callcenter.apps.survey_report import show

CSAT: dict[str, Json] = {"question": "satisfied", "kind": "csat", "answers": 4, "csat": 0.75, "nps": None, "mean_score": 4.25}
NPS: dict[str, Json] = {"question": "recommend", "kind": "nps", "answers": 3, "csat": None, "nps": -33.3, "mean_score": 6.0}
REPORT: dict[str, Json] = {
    **{"from_at": "2026-03-07T00:00:00.000-05:00", "to_at": "2026-03-08T00:00:00.000-05:00", "time_zone": "America/New_York"},
    **{"asked": 5, "responded": 4, "response_rate": 0.8, "questions": [CSAT, NPS], "queues": [{"queue": "support", **CSAT}]},
    **{"agents": [{"agent": "alice", **CSAT}], "days": [{"day": "2026-03-07", **NPS}]},
}


def test_it_is_shown_as_tables() -> None:
    written = StringIO()
    show(REPORT, Console(file=written, width=160))
    text = written.getvalue()
    assert "4 of 5 callers answered" in text
    for line in (
        ("satisfied", "csat", "4", "75%", "4.25"),
        ("support", "satisfied"),
        ("alice", "satisfied"),
        ("2026-03-07", "recommend", "-33"),
    ):
        assert any(all(word in row for word in line) for row in text.splitlines()), line
