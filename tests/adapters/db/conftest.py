"""One server for all tests here, a database of its own for each."""

from collections.abc import Iterator

import pytest

from callcenter.runtime.postgres import EmbeddedPostgres
from tests.support import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    with postgres.server(**postgres.FAST) as running:
        postgres.prepare_template(running)
        yield running


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    with postgres.database(postgres_server) as url:
        yield url
