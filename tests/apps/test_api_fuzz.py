"""Whatever the OpenAPI document allows, and much that it does not, is answered without a server error, and as the document says."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from callcenter.adapters.web.api.all import ENDPOINTS, TAGS
from callcenter.adapters.web.api.openapi import document
from tests.support.api_center import ApiCenter, api_center
from tests.support.day import day

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 2
"""Of each operation, in each mode (data that fits, and data that does not); the long test draws many more."""
KNOWN = {
    "agent": "alice",
    "queue": "support",
    "calendar": "office",
    "flow": "main",
    "contact": "call-1-0-contact",
    "call": "call-1-0",
    "recording": "call-1-0-recording",
    "list": "vip",
    "number": "+12025550123",
}
schema = schemathesis.openapi.from_dict(document(ENDPOINTS, TAGS))


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory, postgres_server: object) -> Iterator[ApiCenter]:
    from tests.support import postgres

    with postgres.database(postgres_server) as url:  # type: ignore[arg-type]
        folder: Path = tmp_path_factory.mktemp("api")
        with api_center(folder, url) as center:
            center.happened(day(20), "day")
            yield center


def fuzz(case: schemathesis.Case, center: ApiCenter) -> None:
    """Every other case is about something that there is."""
    if case.path_parameters and len(str(case.query)) % 2 == 0:
        case.path_parameters = {name: KNOWN.get(name, value) for name, value in case.path_parameters.items()}
    headers = {"Authorization": f"Bearer {center.tokens['root']}"}
    case.call_and_validate(base_url=f"http://127.0.0.1:{center.port}/api/v1", headers=headers, checks=CHECKS, timeout=30)


few = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
many = settings(max_examples=int(os.environ.get("API_EXAMPLES", "40")), deadline=None, suppress_health_check=list(HealthCheck))


@few
@schema.parametrize()
def test_nothing_breaks_it(case: schemathesis.Case, center: ApiCenter) -> None:
    fuzz(case, center)


@pytest.mark.long
@many
@schema.parametrize()
def test_nothing_breaks_it_for_long(case: schemathesis.Case, center: ApiCenter) -> None:
    fuzz(case, center)
