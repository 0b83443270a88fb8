"""``bench calls --scenario mixed``: its center, and how it looks into the books."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner

from callcenter.apps.bench.mixed import AGENTS, RATES, STRATEGIES, Mixed, folded, imbalances, tables
from callcenter.apps.bench.offers import Delays
from callcenter.apps.cli import app
from callcenter.domain.kpi import Sums
from callcenter.runtime.settings import parse
from tests.support.day import BEGIN, abandoned_call, answered_call

GOOD = Sums(offered=3, answered=3, handled=3, wait=timedelta(seconds=9))
CALLS = dict.fromkeys(RATES, 3)


def test_its_center_is_forty_agents_and_four_queues_of_different_strategies(tmp_path: Path) -> None:
    settings = parse({**tables(), "paths": {"data": str(tmp_path)}}, tmp_path / "callcenter.toml")
    assert len(settings.agents) == AGENTS == 40
    assert len({STRATEGIES[queue.name] for queue in settings.queues}) == 4
    assert sum(RATES.values()) == 10


def test_books_that_balance_and_books_that_do_not() -> None:
    queues = dict.fromkeys(RATES, GOOD)
    assert imbalances(queues, queues, CALLS) == []
    for wrong, words in (
        (replace(GOOD, answered=2, handled=2), "3 offered, but 2 answered"),
        (replace(GOOD, offered=2, answered=2, handled=2), "3 callers came, but 2 contacts"),
        (replace(GOOD, handled=2), "3 answered, but 2 wrapped up"),
        (replace(GOOD, wait=timedelta(seconds=8)), "PostgreSQL has"),
    ):
        found = imbalances({**queues, "sales": wrong}, queues, CALLS)
        assert any(sentence.startswith("sales: ") and words in sentence for sentence in found), found


def test_the_journal_alone_gives_the_same_sums() -> None:
    calls = [*answered_call("c1", BEGIN, "alice", queue="sales"), *abandoned_call("c2", BEGIN, queue="sales", wait=9)]
    sales = folded([fact for facts in calls for fact in facts])["sales"]
    assert (sales.offered, sales.answered, sales.abandoned, sales.wait) == (2, 1, 1, timedelta(seconds=12.5))


def test_whoever_is_not_answered_or_not_in_the_books_is_lost() -> None:
    queues = dict.fromkeys(RATES, GOOD)
    good = Mixed(calls=12, cdr=12, queues=queues, offers=Delays(12, 1, 5, 6))
    assert good.lost == 0
    assert good.passed
    for bad in (replace(good, cdr=11), replace(good, failed=1), replace(good, queues={**queues, "team": replace(GOOD, answered=2)})):
        assert bad.lost == 1
        assert not bad.passed
    assert not replace(good, offers=Delays(12, 1, 101, 200)).passed
    assert not replace(good, facts_lost=1).passed


def test_an_unknown_scenario_is_refused() -> None:
    result = CliRunner().invoke(app, ["bench", "calls", "--scenario", "odd"])
    assert (result.exit_code, result.stderr) == (2, "callcenter: there is no scenario 'odd'; scenarios: cost, mixed\n")
