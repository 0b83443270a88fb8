"""The OpenAPI 3.1 document, made from the endpoints."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from callcenter.adapters.web.api import problems
from callcenter.adapters.web.api.endpoint import PARAMETERS, Endpoint
from callcenter.adapters.web.api.problems import ProblemDetails

VERSION = "1.0.0"
BASE = "/api/v1"
_SCHEMA = "#/components/schemas/{model}"
_DESCRIBED: Mapping[int, str] = {
    400: "It cannot be read: no JSON, too deep, an address or a header of more than 8 KiB, or broken otherwise.",
    401: "Nobody is signed in: the token or the session is missing, wrong or over.",
    403: "The right for this is missing, or the thing lies outside of its scope.",
    404: "There is no such thing.",
    408: "The body came too slowly.",
    409: "It cannot be done as things are, and the sentence says why; or the first request with this Idempotency-Key is still going on.",
    412: "It was changed since the ETag of If-Match.",
    413: "The body is too large.",
    415: "The body is not `application/json`, or it is packed (`Content-Encoding`).",
    416: "The file has no such part.",
    422: "A value does not fit; `faults` says which. Or the Idempotency-Key was used for another request.",
    428: "Say with If-Match which state is to be changed.",
    429: "Too many requests; `Retry-After` says when to come again.",
    500: "A fault of ours.",
    503: "The engine or the database is out of reach; calls go on. `Retry-After` says when to try again.",
}


def document(endpoints: Sequence[Endpoint], tags: Mapping[str, str]) -> dict[str, Any]:
    """The whole document; ``tags`` with what each is about."""
    schemas, defined = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas, defined)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "info": {
            "title": "callcenter",
            "version": VERSION,
            "description": "Everything that people and other programs do in the center. Examples: docs/api.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": BASE}],
        "security": [{"token": []}, {"session": []}],
        "tags": [{"name": name, "description": about} for name, about in tags.items()],
        "paths": paths,
        "components": {
            "schemas": defined,
            "responses": {str(status): _problem(text, plain=status == 400) for status, text in _DESCRIBED.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of `callcenter person token add`."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-callcenter",
                    "description": "Who is signed in in a browser; without TLS it is `callcenter`.",
                },
            },
        },
    }


def text(endpoints: Sequence[Endpoint], tags: Mapping[str, str]) -> str:
    """As ``docs/openapi.json`` holds it."""
    return json.dumps(document(endpoints, tags), indent=1, ensure_ascii=False) + "\n"


def _schemas(endpoints: Iterable[Endpoint]) -> tuple[dict[Any, Any], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemDetails, "serialization"): None}
    for endpoint in endpoints:
        wanted[endpoint.query, "validation"] = None
        if endpoint.body is not None:
            wanted[endpoint.body, "validation"] = None
        if endpoint.answers is not None:
            wanted[endpoint.answers, "serialization"] = None
    made, around = models_json_schema(list(wanted), ref_template=_SCHEMA)
    defined = around.get("$defs", {})
    of_queries = {endpoint.query.__name__ for endpoint in endpoints}
    return dict(made), {name: schema for name, schema in defined.items() if name not in of_queries}


def _operation(endpoint: Endpoint, schemas: Mapping[Any, Any], defined: Mapping[str, Any]) -> dict[str, Any]:
    about = " ".join((endpoint.do.__doc__ or "").split())
    told: dict[str, Any] = {
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "x-rights": sorted(endpoint.rights),
        "parameters": [*_path(endpoint), *_query(endpoint), *_headers(endpoint)],
        "responses": _responses(endpoint, schemas),
    }
    if about:
        told["description"] = about
    if endpoint.body is not None:
        schema = schemas[endpoint.body, "validation"]
        told["requestBody"] = {"required": not endpoint.optional_body, "content": {"application/json": {"schema": schema}}}
    return told


def _path(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PARAMETERS[name].description,
            "schema": {"type": "string", "pattern": f"^{PARAMETERS[name].pattern}$"},
        }
        for name in endpoint.parameters
    ]


def _query(endpoint: Endpoint) -> list[dict[str, Any]]:
    whole = endpoint.query.model_json_schema(ref_template=_SCHEMA)
    told = []
    for name, schema in whole.get("properties", {}).items():
        about = schema.pop("description", "")
        schema.pop("title", None)
        inlined = _inlined(schema, whole.get("$defs", {}))
        told.append({"name": name, "in": "query", "required": name in whole.get("required", ()), "description": about, "schema": inlined})
    return told


def _inlined(schema: Any, defined: Mapping[str, Any]) -> Any:
    """Parameters stand for themselves: what they refer to is put in place."""
    if isinstance(schema, list):
        return [_inlined(part, defined) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        named = defined[schema["$ref"].rpartition("/")[2]]
        return _inlined({**named, **{name: part for name, part in schema.items() if name != "$ref"}}, defined)
    return {name: _inlined(part, defined) for name, part in schema.items()}


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    told = []
    if endpoint.method in ("POST", "PATCH"):
        about = "A text of your own; repeated with it, the request is done once and answered alike (24 hours)."
        told.append(_header("Idempotency-Key", about, {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}))
    if endpoint.etag and endpoint.changes:
        told.append(_header("If-Match", "The ETag of what is to be changed; without it, whatever is there.", {"type": "string"}))
    if endpoint.audio:
        told.append(_header("Range", "A part of the file (RFC 9110).", {"type": "string"}))
    return told


def _header(name: str, about: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": about, "schema": schema}


def _responses(endpoint: Endpoint, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    headers = {"ETag": {"schema": {"type": "string"}}} if endpoint.etag else {}
    if endpoint.audio:
        sound = {"audio/wav": {"schema": {"type": "string", "contentEncoding": "binary"}}}
        told["200"] = {"description": "The sound file.", "content": sound}
        told["206"] = {"description": "The part that was asked for.", "content": sound}
    elif endpoint.table:
        told["200"] = {"description": "The table, its first row the names.", "content": {"text/csv": {"schema": {"type": "string"}}}}
    elif endpoint.answers is None:
        told[str(endpoint.status)] = {"description": "Done."}
    else:
        content = {"application/json": {"schema": schemas[endpoint.answers, "serialization"]}}
        told[str(endpoint.status)] = {"description": "Done.", "content": content, **({"headers": headers} if headers else {})}
    for status in sorted(statuses(endpoint)):
        told[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return told


def statuses(endpoint: Endpoint) -> set[int]:
    """Of the problems it may answer with."""
    found = {400, 401, 403, 422, 429, 500, 503, *endpoint.problems}
    found |= {404} if endpoint.parameters else set()
    found |= {408, 409, 413, 415} if endpoint.changes else set()
    found |= {412} if endpoint.etag and endpoint.changes else set()
    found |= {416} if endpoint.audio else set()
    return found


def _problem(about: str, *, plain: bool = False) -> dict[str, Any]:
    """``plain``: what cannot even be read as HTTP is answered by a line of text."""
    content: dict[str, Any] = {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    if plain:
        content["text/plain"] = {"schema": {"type": "string"}}
    return {"description": about, "content": content}
