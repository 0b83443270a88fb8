"""Dips into a real PostgreSQL: one SELECT with bound values, in a transaction that cannot write."""

from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from callcenter.adapters.db.dips import SqlAsker, dip_connection
from callcenter.domain.dips.reading import Garbage, Kind, Wanted
from callcenter.domain.dips.source import DipAnswer, Outcome, Rules, SqlSource
from callcenter.domain.dips.template import ValueRefused, parse_statement
from callcenter.services.dips.runner import SourceFailed


@pytest.fixture
async def crm(database_url: str) -> AsyncIterator[str]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE customers (id int PRIMARY KEY, number text, tier text, balance numeric(10, 2))")
        connection.execute("INSERT INTO customers VALUES (1, '+12025550123', 'gold', 12.50), (2, '1'' or ''1''=''1', '100% %s', 0)")
    return database_url


async def ask(url: str, statement: str, values: dict[str, str], budget: float = 3.0, **wanted: Wanted) -> DipAnswer:
    engine = dip_connection(url, "crm", 30)
    try:
        rules = Rules(attributes=wanted or {"tier": Wanted(("tier",))}, budget=timedelta(seconds=budget))
        return await SqlAsker(SqlSource("crm", "crm", parse_statement(statement), rules), engine).ask(values)
    finally:
        await engine.dispose()


async def test_the_first_row_becomes_attributes(crm: str) -> None:
    wanted = {"tier": Wanted(("tier",)), "balance": Wanted(("balance",), Kind.NUMBER), "id": Wanted(("id",), Kind.WHOLE)}
    answer = await ask(crm, "select * from customers where number = {caller} order by id", {"caller": "+12025550123"}, **wanted)
    assert answer == DipAnswer(Outcome.FOUND, {"tier": "gold", "balance": "12.50", "id": "1"})


async def test_a_value_is_bound_whatever_is_in_it(crm: str) -> None:
    statement = "select tier from customers where number = {caller}"
    assert (await ask(crm, statement, {"caller": "1' or '1'='1"})).attributes == {"tier": "100% %s"}
    assert (await ask(crm, statement, {"caller": "x'; drop table customers; --"})).outcome is Outcome.NOT_FOUND
    assert (await ask(crm, "select tier from customers where tier like '100%' and id = {id}", {"id": "2"})).outcome is Outcome.FOUND
    assert (await ask(crm, "select tier from customers where tier like '100%'", {})).outcome is Outcome.FOUND


async def test_a_value_of_the_wrong_type_speaks_against_the_question_only(crm: str) -> None:
    with pytest.raises(SourceFailed) as failed:
        await ask(crm, "select tier from customers where id = {id}", {"id": "12 or 1=1"})
    assert failed.value.blameless
    with pytest.raises(ValueRefused):
        await ask(crm, "select tier from customers where id = {id}", {"id": ""})


@pytest.mark.parametrize(
    "statement",
    [
        "with gone as (delete from customers returning tier) select tier from gone",
        "select tier from customers for update",
        "select set_config('transaction_read_only', 'off', false) as tier",
        "select tier from nowhere",
        "select tier from customers) as x; drop table customers; select * from (select 1",
    ],
)
async def test_nothing_is_written_whatever_the_statement(crm: str, statement: str) -> None:
    with pytest.raises((SourceFailed, ValueError, Garbage)):
        await ask(crm, statement, {})
    with psycopg.connect(crm) as connection:
        assert connection.execute("SELECT count(*) FROM customers").fetchone() == (2,)


async def test_a_statement_that_takes_too_long_is_stopped_by_the_server(crm: str) -> None:
    with pytest.raises(SourceFailed, match="57014"):
        await ask(crm, "select pg_sleep(20)::text as tier", {}, budget=0.2)


async def test_garbage_rows(crm: str) -> None:
    with pytest.raises(Garbage):
        await ask(crm, "select repeat('x', 100000) as tier", {})
    with pytest.raises(Garbage):
        await ask(crm, "select 5 as tier", {})


async def test_nobody_there() -> None:
    with pytest.raises(SourceFailed, match=r"PostgreSQL says|no connection"):
        await ask("postgresql://a:b@127.0.0.1:9/x", "select 'a' as tier", {})
