"""/api/v1 as programs use it: the web process itself, a real PostgreSQL, the production engine."""

import csv
import io
import json
import re
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from callcenter.adapters.web.api.all import ENDPOINTS, TAGS, schema
from callcenter.adapters.web.api.dispatch import _response
from callcenter.adapters.web.api.endpoint import PARAMETERS, Endpoint
from callcenter.adapters.web.api.openapi import document
from callcenter.adapters.web.api.resources import exports
from callcenter.apps.api import configured
from callcenter.domain import facts as f
from callcenter.domain.rights import RIGHTS, Right, Role
from callcenter.runtime.settings import load
from tests.support import postgres
from tests.support.api_center import PEOPLE, ApiCenter, api_center
from tests.support.day import BEGIN, abandoned_call, answered_call

ROOT = Path(__file__).parent.parent.parent
SOON, LATER = ((datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (10, 20))
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory, postgres_server: Any) -> Iterator[ApiCenter]:
    with postgres.database(postgres_server) as url, api_center(tmp_path_factory.mktemp("api"), url) as center:
        records = [
            record
            for n in range(7)
            for record in answered_call(
                f"c{n}", BEGIN + timedelta(minutes=n), "alice", caller="+12025550123" if n < 3 else f"+1202555{n:04}"
            )
        ]
        records += [*abandoned_call("s1", BEGIN, queue="sales"), *abandoned_call("s2", BEGIN, queue="sales")]
        kept_until = datetime.now(UTC) + timedelta(days=30)
        for name, mailbox in (("m1", "queue:support"), ("m2", "queue:sales"), ("m3", "agent:alice")):
            left = f.MessageLeft(BEGIN, "c0", "node1", mailbox, name, "c0-contact", "+1202", "Ann", timedelta(seconds=7), kept_until)
            records.append([left])
        center.happened(records, "day")
        yield center


def problem(told: Any, status: int, kind: str) -> dict[str, Any]:
    assert (told.status, told.headers["Content-Type"]) == (status, PROBLEM), told.raw
    said: dict[str, Any] = told.json
    assert (said["status"], said["type"]) == (status, f"urn:callcenter:problem:{kind}")
    assert said["title"]
    assert "Traceback" not in said["detail"]
    return said


# --- the document -------------------------------------------------------------------------------------


def test_the_document_in_docs_is_current(center: ApiCenter) -> None:
    written = (ROOT / "docs" / "openapi.json").read_text()
    assert written == schema(), "run: callcenter api schema > docs/openapi.json"
    assert center.get("/openapi.json", who="").json == json.loads(written)


def test_every_operation_has_a_name_of_its_own_and_says_which_right_it_needs() -> None:
    made = document(ENDPOINTS, TAGS)
    operations = [operation for path in made["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == len(ENDPOINTS)
    assert all(operation["x-rights"] and operation["summary"] for operation in operations)
    assert {operation["tags"][0] for operation in operations} == set(TAGS)


def test_an_answer_without_a_body_has_the_status_that_the_document_names() -> None:
    paths = document(ENDPOINTS, TAGS)["paths"]
    for endpoint in ENDPOINTS:
        if endpoint.answers is None and not endpoint.audio and not endpoint.table:
            assert str(_response(endpoint, None).status) in paths[endpoint.path][endpoint.method.lower()]["responses"], endpoint.operation


# --- who may what -------------------------------------------------------------------------------------


def address(endpoint: Endpoint) -> str:
    """With names that nobody has."""
    names = dict.fromkeys(PARAMETERS, "nobody") | {"version": "1", "number": "+12025550199"}
    return endpoint.path.format(**names)


@pytest.mark.parametrize("who", ["admin", "ops", "sue", "alice"])
def test_every_endpoint_is_open_to_its_rights_and_to_nobody_else(center: ApiCenter, who: str) -> None:
    (role,) = PEOPLE[who].roles
    for endpoint in ENDPOINTS:
        told = center.ask(endpoint.method, address(endpoint), who=who, raw=b"[]" if endpoint.body else None)
        allowed = bool(endpoint.rights & RIGHTS[role])
        if not allowed:
            assert "'" + ", ".join(sorted(endpoint.rights)) + "'" in problem(told, 403, "forbidden")["detail"]
        elif "{agent}" not in endpoint.path:  # which agents are within reach is asked by their own tests
            assert told.status not in (401, 403), (endpoint, told.raw)
        assert told.status < 500, (endpoint, told.raw)


def test_nobody_comes_in_without_signing_in(center: ApiCenter) -> None:
    for endpoint in ENDPOINTS:
        told = center.ask(endpoint.method, address(endpoint), who="")
        assert "send a token" in problem(told, 401, "signed_out")["detail"]
        assert told.headers["WWW-Authenticate"] == "Bearer"
    assert "token opens nothing" in problem(center.get("/agents", who="ccp_wrong"), 401, "signed_out")["detail"]
    assert "session has ended" in problem(center.get("/agents", who="", Cookie="callcenter=old"), 401, "signed_out")["detail"]


def test_every_right_opens_something_or_belongs_to_other_pages() -> None:
    opened = frozenset().union(*(endpoint.rights for endpoint in ENDPOINTS if endpoint.rights != frozenset(Right)))
    of_other_parts = {
        Right.OWN_ACCOUNT, Right.EDIT_ALERTS, Right.RUN_CAMPAIGNS, Right.RECORD_PROMPTS, Right.SEE_AUDIT, Right.MANAGE_PEOPLE,
    }  # fmt: skip
    assert set(Right) - opened == of_other_parts
    assert set(Role) == set(RIGHTS)


def test_who_is_limited_to_a_queue_sees_nothing_of_the_others(center: ApiCenter) -> None:
    assert {each["queue"] for each in center.get("/contacts", who="sid").json["items"]} == {"sales"}
    assert {each["queue"] for each in center.get("/contacts", who="sue").json["items"]} == {"sales", "support"}
    assert {each["call"] for each in center.get("/calls", who="sid").json["items"]} == {"s1", "s2"}
    assert center.get("/recordings", who="sid").json["items"] == []
    assert [each["name"] for each in center.get("/queues", who="sid").json["items"]] == ["sales"]
    assert [each["queue"] for each in center.get("/reports/kpi?from_at=2026-01-01T00:00:00Z", who="sid").json["queues"]] == ["sales"]
    for path in ("/contacts/c0-contact", "/calls/c0", "/recordings/c0-recording", "/queues/support", "/queues/support/waiting",
                 "/messages/m1", "/messages?mailbox=queue:support", "/reports/kpi?queue=support"):  # fmt: skip
        problem(center.get(path, who="sid"), 403, "forbidden")
    problem(center.post("/callbacks", {"queue": "support", "number": "+12025550123"}, who="sid"), 403, "forbidden")
    problem(center.post("/calendars/office/switch", {"open": False}, who="sid"), 403, "forbidden")
    problem(center.post("/notices", {"text": "to all"}, who="sid"), 403, "forbidden")
    assert {each["mailbox"] for each in center.get("/messages", who="sid").json["items"]} == {"queue:sales"}


def test_no_endpoint_reaches_an_object_of_another_queue(center: ApiCenter) -> None:
    """Generated from the endpoints: whatever names an object of support refuses who is limited to sales."""
    made = center.post("/callbacks", {"queue": "support", "number": "+12025550199", "at": LATER}).json["callback"]
    foreign = {
        **{"queue": "support", "contact": "c0-contact", "call": "c0", "recording": "c0-recording", "message": "m1"},
        "callback": made,
    }
    asked = 0
    for endpoint in ENDPOINTS:
        parts = re.findall(r"{(\w+)}", endpoint.path)
        if not set(parts) & set(foreign) or not set(parts) <= set(foreign):
            continue
        path = re.sub(r"{(\w+)}", lambda part: foreign[part[1]], endpoint.path)
        body = BODIES.get(endpoint.path, {}) if endpoint.body is not None else None
        told = center.ask(endpoint.method, path, body, who="sid", If_Match='"1"')
        wanted = 404 if endpoint.path in BODIES else 403  # whoever asks: this contact waits no longer
        assert told.status == wanted, (endpoint.method, path, told.status, told.raw)
        asked += 1
    assert asked >= 14
    assert center.get(f"/callbacks/{made}").json["state"] == "created"


BODIES: dict[str, dict[str, object]] = {"/contacts/{contact}/move": {"queue": "sales"}, "/contacts/{contact}/priority": {"priority": 1}}
"""What makes sense to those that need a body."""


def test_an_agents_mailbox_is_hers(center: ApiCenter) -> None:
    assert center.get("/messages?mailbox=agent:alice", who="alice").json["items"][0]["message"] == "m3"
    assert "'handle_voicemail'" in problem(center.get("/messages?mailbox=agent:alice", who="bob"), 403, "forbidden")["detail"]
    assert center.get("/messages/m3", who="sue").status == 200


def test_tables_are_for_who_may_export_within_scope_and_each_is_in_the_audit_trail(center: ApiCenter) -> None:
    told = center.get("/exports/contacts?from_at=2026-01-01T00:00:00Z", who="ops")
    assert (told.status, told.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert told.headers["Content-Disposition"] == 'attachment; filename="contacts.csv"'
    rows = list(csv.DictReader(io.StringIO(told.raw.decode())))
    listed = [each["contact"] for each in center.get("/contacts?limit=200&from_at=2026-01-01T00:00:00Z").json["items"]]
    assert [row["contact"] for row in rows] == listed
    assert {row["caller"] for row in rows} > {"+12025550123"}, "a number is a number"
    calls = list(csv.DictReader(io.StringIO(center.get("/exports/calls?queue=sales", who="ops").raw.decode())))
    assert {row["queue"] for row in calls} <= {"sales"}
    problem(center.get("/exports/contacts", who="sue"), 403, "forbidden")
    problem(center.get("/exports/calls", who="admin"), 403, "forbidden")
    with psycopg.connect(center.url) as database:
        told_of = database.execute("SELECT person, of, after FROM audit_entry WHERE what = 'exported' ORDER BY seq").fetchall()[-2:]
    assert [(person, of) for person, of, _ in told_of] == [("ops", "contacts"), ("ops", "calls")]
    assert told_of[0][2]["rows"] == len(rows)


@pytest.mark.parametrize(
    ("text", "cell"),
    [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-2+3", "'-2+3"), ("+1202555|cmd", "'+1202555|cmd"), ("+12025550123", "+12025550123")],
)
def test_no_cell_of_a_table_is_a_formula(text: str, cell: str) -> None:
    assert exports._cell(text) == cell


# --- agents -------------------------------------------------------------------------------------------


def test_an_agent_commands_herself_and_supervisors_command_all_in_their_reach(center: ApiCenter) -> None:
    assert center.post("/agents/alice/login", who="alice").json["state"] == "not_ready"
    assert center.get("/agents/alice", who="alice").json["state"] == "not_ready"
    assert center.post("/agents/alice/not-ready", {"reason": "meeting"}, who="alice").json["reason"] == "meeting"
    problem(center.post("/agents/bob/login", who="alice"), 403, "forbidden")
    problem(center.post("/agents/alice/ready", who="ops"), 403, "forbidden")
    assert "is not a reason" in problem(center.post("/agents/alice/not-ready", {"reason": "x"}, who="alice"), 409, "refused")["detail"]
    neither = problem(center.post("/agents/alice/transfer", {}, "alice"), 422, "invalid")
    assert neither["faults"] == [{"where": "/", "what": "name a queue, a colleague or a number, one of them"}]
    assert "alice is not talking" in problem(center.post("/agents/alice/transfer", {"queue": "sales"}, "alice"), 409, "refused")["detail"]
    forced = center.post("/agents/alice/force", {"state": "not_ready", "reason": "break", "why": "test"}, who="sue")
    assert forced.json == {"agent": "alice", "state": "not_ready", "later": None}
    assert center.post("/agents/alice/logout", who="sue").json["state"] == "logged_out"
    with psycopg.connect(center.url) as connection:
        rows = connection.execute("SELECT person, what, of FROM audit_entry WHERE of = 'agent alice' ORDER BY seq").fetchall()
    assert rows == [("sue", "state_forced", "agent alice"), ("sue", "agent_commanded", "agent alice")]
    problem(center.get("/agents/zoe"), 404, "not_found")


def test_an_agents_own_figures_notices_and_calls(center: ApiCenter) -> None:
    assert center.get("/agents/alice/figures", who="alice").json["contacts"] == 0
    assert center.get("/agents/alice/figures", who="sue").status == 200
    problem(center.get("/agents/bob/figures", who="alice"), 403, "forbidden")
    notice = center.post("/notices", {"text": "The printer is on fire.", "agents": ["alice"]}, who="sue").json["notice"]
    assert center.post(f"/notices/{notice}/acknowledge", who="alice").status == 204
    problem(center.post(f"/notices/{notice}/acknowledge", who="sue"), 409, "refused")
    assert notice not in {each["notice"] for each in center.get("/notices").json["items"]}, "everybody has seen it"
    problem(center.post("/agents/alice/dial", {"number": "911"}, who="alice"), 409, "refused")
    problem(center.post("/agents/alice/dial", {"number": "1", "colleague": "bob"}, who="alice"), 422, "invalid")
    problem(center.post("/agents/alice/note", {"contact": "c0-contact", "note": "not hers now"}, who="alice"), 409, "refused")


def test_a_queue_or_a_colleague_one_of_both(center: ApiCenter) -> None:
    for body in ({}, {"queue": "sales", "colleague": "bob"}, {"queue": None}):
        problem(center.post("/agents/alice/transfer", body), 422, "invalid")


# --- what cannot be read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "status", "sentence"),
    [
        (b"{", 400, "not JSON"),
        (b'{"number": NaN}', 400, "NaN is no JSON"),
        (b'{"number": "1", "number": "2"}', 400, "a name comes twice"),
        (b"\xff\xfe{}", 400, "not UTF-8"),
        (b"[" * 100_00, 400, "nested deeper than 32"),
        (b'{"number": ' + b"[" * 40 + b"]" * 40 + b"}", 400, "nested deeper than 32"),
        (b'{"number": "a\\u0000b"}', 400, "NUL"),
        (b'{"number": "\\ud800"}', 400, "surrogate"),
        (b'{"number": 1e999}', 400, "too large"),
        (b'{"number": ' + b"9" * 5000 + b"}", 400, "not JSON"),
        (b"[]", 422, "valid"),
        (b'"text"', 422, "valid"),
        (b"null", 422, "valid"),
        (b'{"number": 5}', 422, "/number"),
        (b'{"number": ""}', 422, "/number"),
        (b'{"number": "a\\nb"}', 422, "/number"),
        (b'{"number": "' + b"1" * 201 + b'"}', 422, "/number"),
        (b'{"number": "+12025550123", "extra": 1}', 422, "/extra"),
        (b"", 415, "application/json"),
        (b" " * 70_000, 413, "at most 65536 bytes"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_its_place(center: ApiCenter, raw: bytes, status: int, sentence: str) -> None:
    headers = {"Content_Type": "text/plain"} if status == 415 else {}
    told = center.ask("POST", "/do-not-call", raw=raw or b"x", **headers)
    kinds = {400: "malformed", 413: "too_large", 415: "media_type", 422: "invalid"}
    said = problem(told, status, kinds[status])
    assert sentence in json.dumps(said)


@pytest.mark.parametrize(
    "path",
    [
        "/contacts?limit=0", "/contacts?limit=201", "/contacts?limit=x", "/contacts?limit=5&limit=6", "/contacts?colour=red",
        "/contacts?cursor=abc", "/contacts?from_at=yesterday", "/contacts?from_at=2026-11-22T15:00:00", "/contacts?queue=a%00b",
        "/contacts?queue=a%0Ab", "/contacts?queue=" + "x" * 201, "/reports/kpi?from_at=2026-02-30T00:00:00Z",
        "/reports/kpi?from_at=2026-11-22T00:00:00Z&to_at=2026-11-21T00:00:00Z", "/reports/kpi/intervals?interval=second",
        "/messages?state=lost",
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_fit_is_refused(center: ApiCenter, path: str) -> None:
    said = problem(center.get(path), 422, "invalid")
    assert said["faults"][0]["what"]


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "%27%3B%20DROP%20TABLE%20contact%3B--", "a%00b", "%E2%80%AE", "x" * 250, "%0d%0aSet-Cookie:x"]
)
def test_a_hostile_name_is_nobodys(center: ApiCenter, name: str) -> None:
    for path in ("/contacts/", "/agents/", "/recordings/", "/webhooks/", "/flows/", "/calendars/"):
        problem(center.get(path + name), 404, "not_found")


def test_an_unknown_path_and_a_wrong_method_are_problems_too(center: ApiCenter) -> None:
    problem(center.get("/campaigns"), 404, "not_found")
    told = center.ask("PUT", "/agents")
    problem(told, 405, "method_not_allowed")
    assert "GET" in told.headers["Allow"]
    assert center.ask("HEAD", "/agents").status == 200


# --- once and only once -------------------------------------------------------------------------------


def test_a_request_that_is_sent_twice_is_done_once(center: ApiCenter) -> None:
    key, wish = f'"{uuid4()}"', {"queue": "support", "number": "+12025550142", "at": SOON}
    first = center.post("/callbacks", wish, Idempotency_Key=key)
    again = center.post("/callbacks", wish, Idempotency_Key=key)
    assert (first.status, again.status, again.raw) == (201, 201, first.raw)
    assert again.headers["Idempotent-Replay"] == "true"
    other = center.post("/callbacks", wish, Idempotency_Key=str(uuid4()))
    problem(other, 409, "refused")  # it was promised already
    problem(center.post("/callbacks", {**wish, "priority": 3}, Idempotency_Key=key), 422, "key_reused")
    assert center.post("/do-not-call", {"number": "+12025550199"}, who="ops", Idempotency_Key=key).status == 204, "a key is its owner's"
    assert center.ask("DELETE", f"/callbacks/{first.json['callback']}").status == 204


def test_a_refusal_is_kept_under_its_key_and_a_fault_of_ours_is_not(center: ApiCenter) -> None:
    key = str(uuid4())
    for _ in range(2):
        problem(center.post("/agents/bob/ready", Idempotency_Key=key), 409, "refused")
    with psycopg.connect(center.url) as connection:
        connection.execute("ALTER TABLE webhook RENAME TO webhook_away")
    try:
        key = str(uuid4())
        away = center.post("/webhooks", {"url": "http://127.0.0.1:1/"}, Idempotency_Key=key)
        problem(away, 503, "away")
        assert away.headers["Retry-After"]
    finally:
        with psycopg.connect(center.url) as connection:
            connection.execute("ALTER TABLE webhook_away RENAME TO webhook")
    made = center.post("/webhooks", {"url": "http://127.0.0.1:1/"}, Idempotency_Key=key)
    assert made.status == 201
    assert center.ask("DELETE", f"/webhooks/{made.json['webhook']}").status == 204


def test_while_the_first_goes_on_the_second_is_told_so(center: ApiCenter) -> None:
    key = str(uuid4())
    told: list[int] = []
    number = {"number": "+12025550177"}
    threads = [
        threading.Thread(target=lambda: told.append(center.post("/do-not-call", number, Idempotency_Key=key).status)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(told) <= {204, 409}
    assert 204 in told
    assert sum(each["number"] == "+12025550177" for each in center.get("/do-not-call").json["items"]) == 1
    with psycopg.connect(center.url) as connection:
        connection.execute(
            "INSERT INTO idempotency_key (owner, key, said, began_at, content_type, etag) "
            "SELECT owner, 'held', said, now(), '', '' FROM idempotency_key WHERE key = %s",
            (key,),
        )
    problem(center.post("/do-not-call", number, Idempotency_Key="held"), 409, "in_flight")
    assert center.ask("DELETE", "/do-not-call/+12025550177").status == 204


@pytest.mark.parametrize("key", ["", '""', "x" * 201, "a b", "ä"])
def test_a_key_that_is_none_is_refused(center: ApiCenter, key: str) -> None:
    problem(center.post("/do-not-call", {"number": "+12025550166"}, Idempotency_Key=key), 400, "malformed")


# --- lists --------------------------------------------------------------------------------------------


def test_pages_are_stable_while_new_rows_come(center: ApiCenter) -> None:
    first = center.get("/contacts?queue=support&limit=3").json
    center.happened([*abandoned_call("late", BEGIN + timedelta(days=1))], "later")
    second = center.get(f"/contacts?queue=support&limit=3&cursor={first['next']}").json
    third = center.get(f"/contacts?queue=support&limit=3&cursor={second['next']}").json
    ids = [each["contact"] for page in (first, second, third) for each in page["items"]]
    assert ids == [f"c{n}-contact" for n in reversed(range(7))]
    assert third["next"] is None
    assert center.get("/contacts?queue=support&limit=1").json["items"][0]["contact"] == "late-contact"


def test_a_cursor_is_of_one_list_with_its_filters(center: ApiCenter) -> None:
    cursor = center.get("/contacts?queue=support&limit=2").json["next"]
    for path in (f"/contacts?queue=sales&cursor={cursor}", f"/calls?queue=support&cursor={cursor}", f"/contacts?cursor={cursor}",
                 f"/contacts?queue=support&cursor={cursor[:-2]}", f"/contacts?queue=support&cursor={cursor}AA"):  # fmt: skip
        assert problem(center.get(path), 422, "invalid")["faults"][0]["where"] == "cursor"
    assert center.get(f"/contacts?queue=support&limit=50&cursor={cursor}").status == 200


def test_a_contact_comes_with_all_that_belongs_to_it(center: ApiCenter) -> None:
    whole = center.get("/contacts/c2-contact").json
    assert (whole["call"], whole["agent"], whole["talk_s"], whole["hold_s"]) == ("c2", "alice", 50.0, 10.0)
    assert [each["contact"] for each in whole["history"]] == ["c1-contact", "c0-contact"]
    assert [each["recording"] for each in whole["recordings"]] == ["c2-recording"]
    assert whole["way"][0]["flow"]
    assert center.get("/contacts/c2-contact", who="alice").json["recordings"] is None
    assert [each["message"] for each in center.get("/contacts/c0-contact").json["messages"]] == ["m1", "m2", "m3"]
    call = center.get("/calls/c2").json
    assert (call["contacts"], [each["contact"] for each in call["passed"]]) == (1, ["c2-contact"])
    explained = center.get("/contacts/c2-contact/explanation").json
    assert explained["now"] is False
    assert explained["explanation"]["answered_by"] == "alice"


def test_reports(center: ApiCenter) -> None:
    span = "from_at=2026-01-01T00:00:00Z&to_at=2027-01-01T00:00:00Z"
    report = center.get(f"/reports/kpi?{span}").json
    support = next(each for each in report["queues"] if each["queue"] == "support")
    assert (support["answered"], support["asa_s"]) == (7, 12.5)
    slices = center.get(f"/reports/kpi/intervals?{span}&queue=support&interval=15min").json["items"]
    assert sum(each["offered"] for each in slices) == support["offered"]
    assert all(datetime.fromisoformat(each["slice_at"]).minute % 15 == 0 for each in slices)


class Crm(BaseHTTPRequestHandler):
    """Another system, which knows everybody as gold."""

    def do_GET(self) -> None:
        body = json.dumps({"account": {"tier": f"gold {self.path}"}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_what_another_system_knows_of_the_caller(center: ApiCenter) -> None:
    away = center.get("/contacts/c0-contact/lookup", who="alice")
    assert (away.status, away.json["outcome"], away.json["attributes"]["tier"]) == (200, "failed", "unknown")
    problem(center.get("/contacts/s1-contact/lookup"), 409, "refused")
    problem(center.get("/contacts/c0-contact/lookup", who="sid"), 403, "forbidden")
    problem(center.get("/contacts/nobody/lookup"), 404, "not_found")
    listening = ThreadingHTTPServer(("127.0.0.1", center.crm), Crm)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    command = [sys.executable, "-m", "callcenter.apps.cli", "dips", "--config", str(center.file)]
    dips = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while (found := center.get("/contacts/c0-contact/lookup", who="alice").json)["outcome"] != "found":
            assert time.monotonic() < end, found
            time.sleep(0.1)
    finally:
        dips.terminate()
        dips.wait(20)
        listening.shutdown()
        listening.server_close()
    assert found == {"source": "crm", "outcome": "found", "attributes": {"tier": "gold /people/%2B12025550123", "dip_fallback": "none"}}


# --- sound --------------------------------------------------------------------------------------------


def test_a_recording_is_heard_in_parts_and_that_is_written_down(center: ApiCenter) -> None:
    folder = center.data / "nodes" / "node1" / "spool" / "recording"
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / "c1-recording.wav"), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(256)) * 40)
    problem(center.get("/recordings/c1-recording/audio"), 409, "refused")
    with psycopg.connect(center.url) as connection:
        connection.execute(
            "UPDATE recording SET state = 'finished', node = 'node1', file = 'c1-recording.wav' WHERE recording_id = 'c1-recording'"
        )
    whole = center.get("/recordings/c1-recording/audio", who="sue")
    assert (whole.status, whole.headers["Content-Type"], whole.raw[:4]) == (200, "audio/wav", b"RIFF")
    part = center.get("/recordings/c1-recording/audio", who="sue", Range="bytes=100-199")
    assert (part.status, part.raw) == (206, whole.raw[100:200])
    beyond = center.get("/recordings/c1-recording/audio", who="sue", Range="bytes=99999999-")
    assert beyond.status == 416
    for who in ("ops", "admin", "alice"):
        problem(center.get("/recordings/c1-recording/audio", who=who), 403, "forbidden")
    with psycopg.connect(center.url) as connection:
        heard = connection.execute("SELECT person, of FROM audit_entry WHERE what = 'listened'").fetchall()
        connection.execute("UPDATE recording SET file = '../../../secrets.json' WHERE recording_id = 'c1-recording'")
    assert heard == [("sue", "recording c1-recording")]
    problem(center.get("/recordings/c1-recording/audio", who="sue"), 404, "not_found")


# --- documents ----------------------------------------------------------------------------------------

FLOW = "flow: main\nstart: in\nnodes:\n  in: { type: queue, queue: sales }\n"


def test_a_flow_is_published_and_brought_back_as_on_the_command_line(center: ApiCenter) -> None:
    before = center.get("/flows/main")
    assert before.headers["ETag"] == '"0"'
    done = center.post("/flows/main/publish", {"document": FLOW, "note": "to sales"}, If_Match='"0"')
    assert (done.status, done.json["version"], done.headers["ETag"]) == (200, 1, '"1"'), done.raw
    problem(center.post("/flows/main/publish", {"document": FLOW}, If_Match='"0"'), 412, "changed_meanwhile")
    assert center.get("/flows/main/versions/1").json["document"] == FLOW
    assert center.get("/flows/main").json["versions"][0]["author"] == "root"
    back = center.post("/flows/main/rollback", {"note": "no"}, If_Match='"1"')
    assert (back.status, back.json["version"]) == (200, 0)
    problem(center.get("/flows/main/versions/9"), 404, "not_found")
    problem(center.get("/flows/nowhere"), 404, "not_found")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("flow: main\nstart: in\nnodes:\n  in: { type: queue, queue: nowhere }\n", "nowhere"),
        ("flow: other\nstart: in\nnodes:\n  in: { type: queue, queue: sales }\n", "this is the address of 'main'"),
        ("{", "main.yaml:"),
        ("flow: main\n" + "a: [" * 1000, "main.yaml"),
        (FLOW + "prompts:\n  hello:\n    en: { file: /etc/passwd }\n", "names a recording"),
    ],
)
def test_a_document_with_faults_changes_nothing(center: ApiCenter, text: str, sentence: str) -> None:
    version = center.get("/flows/main").json["version"]
    said = problem(center.post("/flows/main/publish", {"document": text}), 422, "invalid")
    assert sentence in json.dumps(said)
    assert center.get("/flows/main").json["version"] == version


def test_webhooks_over_the_api(center: ApiCenter) -> None:
    made = center.post("/webhooks", {"url": "http://127.0.0.1:9/hooks", "events": ["call.ended"]}, who="admin")
    assert (made.status, made.json["secret"][:6]) == (201, "whsec_")
    name = made.json["webhook"]
    shown = center.get(f"/webhooks/{name}", who="admin")
    assert "secret" not in shown.json
    changed = {"url": "http://127.0.0.1:9/other", "enabled": False}
    assert center.ask("PUT", f"/webhooks/{name}", changed, If_Match=shown.headers["ETag"]).json["url"].endswith("/other")
    problem(center.ask("PUT", f"/webhooks/{name}", changed, If_Match=shown.headers["ETag"]), 412, "changed_meanwhile")
    problem(center.post(f"/webhooks/{name}/test"), 409, "refused")
    assert center.ask("PUT", f"/webhooks/{name}", {**changed, "enabled": True}).status == 200
    message = center.post(f"/webhooks/{name}/test").json["message"]
    assert [each["message"] for each in center.get(f"/webhooks/{name}/messages").json["items"]] == [message]
    assert center.post(f"/webhooks/{name}/redeliver").json == {"count": 0}
    assert center.post(f"/webhooks/{name}/rotate").json["secret"] != made.json["secret"]
    for body, where in (({"url": "gopher://x/"}, "/url"), ({"url": "https://x/", "events": ["x"]}, "/events"), ({}, "/url")):
        assert problem(center.post("/webhooks", body), 422, "invalid")["faults"][0]["where"] == where
    assert center.ask("DELETE", f"/webhooks/{name}").status == 204
    problem(center.get(f"/webhooks/{name}"), 404, "not_found")


# --- the rest -----------------------------------------------------------------------------------------


def test_callbacks_from_promise_to_cancel(center: ApiCenter) -> None:
    made = center.post("/callbacks", {"queue": "support", "number": "+12025550155", "at": SOON, "name": "Ann"}, "alice")
    name = made.json["callback"]
    assert (made.status, made.json["shown"]["due_at"]) == (201, SOON)
    assert center.get(f"/callbacks/{name}").json["number"] == "+12025550155"
    changed = center.ask("PATCH", f"/callbacks/{name}", {"at": LATER})
    assert changed.json["shown"]["due_at"] == LATER
    problem(center.ask("PATCH", f"/callbacks/{name}", {}), 409, "refused")
    problem(center.post("/callbacks", {"queue": "support", "number": "911"}), 409, "refused")
    assert center.ask("DELETE", f"/callbacks/{name}").status == 204
    center.ship_engine()
    assert center.get(f"/callbacks/{name}").json["state"] == "broken"
    assert name in {each["callback"] for each in center.get("/callbacks").json["items"]}


def test_the_emergency_switch(center: ApiCenter) -> None:
    assert center.get("/calendars/office").json["open"] is True
    closed = center.post("/calendars/office/switch", {"open": False, "reason": "fire drill"}, who="sue").json
    assert (closed["open"], closed["switched"]["reason"]) == (False, "fire drill")
    assert center.post("/calendars/office/switch", {"open": None}, who="sue").json["open"] is True
    problem(center.post("/calendars/nowhere/switch", {"open": True}), 404, "not_found")


def test_what_is_configured(center: ApiCenter) -> None:
    assert center.get("/skills").json["items"] == [
        {"name": "billing", "agents": {"alice": 20}, "required_by": []},
        {"name": "english", "agents": {"alice": 80}, "required_by": ["support"]},
    ]
    assert center.get("/caller-lists/vip").json["entries"] == [{"number": "+12025550100", "reason": "a friend of the house"}]
    assert set(configured(load(center.file)).agents) == {"alice", "bob"}
    assert center.get("/me", who="sid").json["queues"] == ["sales"]


def test_hostile_texts_come_back_as_they_went_in(center: ApiCenter) -> None:
    text = "<script>alert(1)</script> {{7*7}} ${SHELL(id)} '; DROP TABLE fact;-- \u202e \U0001f600"
    sent = center.post("/notices", {"text": text.replace("\u202e", "")})
    assert sent.status == 201, sent.raw
    shown = center.get("/notices")
    assert shown.headers["Content-Type"] == "application/json"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.json["items"][0]["text"] == text.replace("\u202e", "")


def test_what_agents_wrote_of_a_contact_is_told_to_who_may_see_it(center: ApiCenter) -> None:
    """Note, answers, disposition with what it means, and how it sounded; also of the same person's earlier contacts, however written."""
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    calls = [list(answered_call(f"w{n}", at + timedelta(minutes=n), "alice", caller=caller)) for n, caller in enumerate(FORMS)]
    written = (at + timedelta(minutes=1), "w0", "w0-contact", "support", "alice")
    given = [
        f.ContactNoted(*written, "first"),
        f.ContactNoted(*written, "wants <b>her</b> money back"),
        f.ScriptFilled(*written, "sale", ("plan",), ("gold",), True),
        f.DispositionGiven(*written, "sale/by-phone", f.DisposedBy.AGENT, ("success", "retry")),
        f.TalkMeasured(*written, 500, 3, 2.5, 40.0, 0.1, 9.0, 80.0),
    ]
    center.happened([*(facts for call in calls for facts in call), given], "written")
    whole = center.get("/contacts/w0-contact").json
    assert (whole["note"], whole["disposition"], whole["disposition_flags"]) == (
        "wants <b>her</b> money back",
        "sale/by-phone",
        ["success", "retry"],
    )
    assert whole["scripts"] == [{"script": "sale", "done": True, "answers": [{"field": "plan", "answer": "gold"}]}]
    assert (whole["sound"]["agent"], whole["sound"]["received"], whole["sound"]["worst_rtt_ms"]) == ("alice", 500, 80.0)
    last = center.get("/contacts/w2-contact").json
    assert (last["note"], last["scripts"], last["sound"]) == ("", [], None)
    assert [(each["contact"], each["note"]) for each in last["history"]] == [("w1-contact", ""), ("w0-contact", whole["note"])]
    for caller in ("%2B12025550177", "12025550177", "(202)%20555-0177"):
        found = center.get(f"/contacts?caller={caller}").json["items"]
        assert [each["contact"] for each in found] == ["w2-contact", "w1-contact", "w0-contact"], caller
        assert len(center.get(f"/calls?caller={caller}").json["items"]) == 3
    problem(center.get("/contacts/w0-contact", who="sid"), 403, "forbidden")
    problem(center.get("/contacts/w0-contact", who="bob"), 403, "forbidden")


FORMS = ("2025550177", "12025550177", "+12025550177")
"""One number, as three carriers write it."""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/agents/alice/transfer"),
        ("POST", "/agents/alice/consult"),
        ("POST", "/agents/alice/dial"),
        ("POST", "/contacts/c0-contact/move"),
        ("POST", "/contacts/c0-contact/priority"),
        ("GET", "/reports/kpi?to_at=0200-05-19T14:13:22Z"),
        ("GET", "/reports/kpi/intervals?to_at=9999-12-31T23:59:59Z"),
    ],
)
def test_what_a_long_run_of_made_up_requests_found_is_answered_in_a_sentence(center: ApiCenter, method: str, path: str) -> None:
    """No body where one of several fields is needed; dates of which zones know nothing."""
    problem(center.ask(method, path), 422, "invalid")


def test_an_address_that_is_too_long_is_said_to_be(center: ApiCenter) -> None:
    told = center.get(f"/callbacks?cursor={'%F1' * 5000}")
    assert (told.status, told.headers.get_content_type()) == (400, "text/plain")
