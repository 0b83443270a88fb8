"""Documents over the API: read, planned, changed, and brought back, by whom it is allowed to."""

from collections.abc import Iterator
from typing import Any

import pytest

from callcenter.runtime.settings import load
from tests.support import postgres
from tests.support.api_center import ApiCenter, Told, api_center


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory, postgres_server: Any) -> Iterator[ApiCenter]:
    with postgres.database(postgres_server) as url, api_center(tmp_path_factory.mktemp("api"), url) as center:
        yield center


def body_of(center: ApiCenter, key: str) -> tuple[int, dict[str, Any]]:
    told = center.get(f"/document?key={key}")
    assert told.status == 200, told.raw
    assert told.headers["ETag"] == f'"{told.json["changed_in"]}"'
    return told.json["changed_in"], told.json["body"]


def change(center: ApiCenter, changes: dict[str, Any], who: str = "admin", **more: Any) -> Told:
    return center.post("/documents/apply", {"changes": changes, "reason": "a test", **more}, who)


def test_a_document_is_read_planned_changed_and_brought_back(center: ApiCenter) -> None:
    keys = [row["key"] for row in center.get("/documents?kind=queue").json["items"]]
    assert keys == ["queue/support", "queue/sales"]
    seen, sales = body_of(center, "queue/sales")
    wanted = {"queue/sales": {**sales, "wrap_up_s": 7}}
    plan = center.post("/documents/plan", {"changes": wanted}, "admin").json
    assert [(each["key"], each["did"]) for each in plan["changes"]] == [("queue/sales", "change")]
    assert plan["changes"][0]["fields"] == [{"path": "wrap_up_s", "before": None, "after": 7}]
    assert load(center.file).queues[1].wrap_up.seconds == 10
    done = change(center, wanted, expected={"queue/sales": seen}).json
    assert done["taken_up"]
    assert load(center.file).queues[1].wrap_up.seconds == 7
    late = change(center, {"queue/sales": {**sales, "wrap_up_s": 9}}, expected={"queue/sales": seen})
    assert (late.status, late.json["type"]) == (412, "urn:callcenter:problem:changed_meanwhile")
    (newest, *_) = center.get("/documents/history?key=queue/sales").json["items"]
    assert (newest["version"], newest["author"], newest["reason"], newest["source"]) == (done["version"], "admin", "a test", "api")
    back = center.post("/documents/rollback", {"version": done["version"], "key": "queue/sales"}, "admin")
    assert (back.status, back.json["version"]) == (200, done["version"])  # it says that already
    change(center, {"queue/sales": {**sales, "wrap_up_s": 8}})
    assert center.post("/documents/rollback", {"version": done["version"], "key": "queue/sales"}, "admin").status == 200
    assert load(center.file).queues[1].wrap_up.seconds == 7
    assert center.post("/documents/rollback", {"version": 9999}, "admin").status == 404
    trail = [entry for entry in center.with_database(_trail) if entry.deed.what == "config_changed"]
    assert trail[0].by.person == "admin"
    assert trail[0].by.via.startswith("token ")


async def _trail(engine: Any) -> Any:
    from callcenter.adapters.db.audit import entries

    async with engine.connect() as connection:
        return await entries(connection)


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"queue/sales": None}, "/changes/agent~1alice/queues[1]", "names queue 'sales', which does not exist"),
        ({"skill/x": {"name": "y"}}, "/changes/skill~1x", "says that it is skill/y"),
        ({"node/x": {"name": "x"}}, "/changes/node~1x", "is no document"),
        (
            {"queue/support": {"name": "support", "ring_timeout_s": "soon"}},
            "/changes/queue~1support/ring_timeout_s",
            "must be a number of seconds",
        ),
        ({"center": {}}, "/changes/center/time_zone", "is missing"),
    ],
)
def test_what_would_not_work_is_refused_with_its_place(center: ApiCenter, changes: dict[str, Any], where: str, what: str) -> None:
    told = change(center, changes)
    assert told.status == 422, told.raw
    assert any(fault["where"] == where and what in fault["what"] for fault in told.json["faults"]), told.json


def test_only_who_may_and_only_within_her_scope(center: ApiCenter) -> None:
    assert center.get("/documents", "sue").status == 200
    assert center.get("/documents", "alice").status == 403
    for who in ("sue", "ops", "alice"):
        assert change(center, {"skill/x": {"name": "x"}}, who).status == 403
    assert center.get("/document?key=queue/nowhere").status == 404
    assert center.get("/document?key=").status == 422
