"""The OpenAPI document, made fit for generated clients; `app.openapi` writes it to `openapi.json`.

Each rewriting mends something that openapi-python-client, openapi-generator or openapi-ts stumbled over.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from app.bodies.base import Body
from app.bodies.problems import Problem
from app.bodies.uploads import UploadDatasetForm

Json = dict[str, Any]

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_CONTENT: Json = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
METHODS = ("get", "post", "patch", "put", "delete")

TITLE = "Understudy"
SUMMARY = "Upload a table, train a generative model, sample synthetic rows, read how far to trust them"
DESCRIPTION = (
    "Every answer that is not a success is `application/problem+json` (RFC 9457) with a stable `code`. Work"
    " is done by jobs: a POST answers 202 at once, and `GET /v1/jobs/{job_id}` with `Prefer: wait=30` waits"
    " for the end. Every POST may be repeated safely under an `Idempotency-Key`. Where a description says"
    " that more may be added (kinds, phases, types, codes), clients must not fail on a new one."
)
TAGS = [
    {"name": "datasets", "description": "Stored tables, uploaded or synthetic."},
    {"name": "uploads", "description": "Large files, sent in parts that are checked and can be repeated."},
    {"name": "jobs", "description": "Asynchronous runs: ingest, train, sample, impute, evaluate."},
    {"name": "models", "description": "Fitted synthesizers."},
    {"name": "reports", "description": "Scores of synthetic against real data."},
    {"name": "project", "description": "What samples are judged by, and what signs the evidence."},
    {"name": "catalogues", "description": "What can be trained, and what is scored."},
    {"name": "health", "description": "For load balancers and people who are woken at night."},
]
# Names of the unions, by the field that tells their members apart; unnamed, each client invents one.
UNION_NAMES = {"kind": "JobRequest", "name": "SynthesizerParameters", "metric": "MetricResult"}
HEADERS: dict[str, Json] = {
    "Location": {"description": "Where to look at what was made.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before a repetition.", "schema": {"type": "integer"}},
    "ETag": {"description": "The version that was sent.", "schema": {"type": "string"}},
}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 255 visible ASCII characters. The same key with the same request gets the first"
    " answer again, with `Idempotent-Replayed: true`; kept 72 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}


# Pythons before 3.13 have the names of an older RFC; the document is the same whichever writes it.
RFC_9110_PHRASES = {
    413: "Content Too Large",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def problems(*statuses: int) -> dict[int | str, Json]:
    """Return the declaration of answers that are problems."""
    return {
        status: {
            "description": RFC_9110_PHRASES.get(status, HTTPStatus(status).phrase),
            "content": PROBLEM_CONTENT,
        }
        for status in statuses
    }


def operation_id(route: APIRoute) -> str:
    """Return the name of the function, which generated clients then bear."""
    return route.name


def describe(app: FastAPI) -> None:
    """Make the application tell the mended document."""
    original = app.openapi

    def openapi() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = mended(original())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it


def mended(document: Json) -> Json:
    """Return a document that generators understand; the argument is changed."""
    schemas = document["components"]["schemas"]
    schemas.update(_schemas_by_hand())
    document["components"]["securitySchemes"] = {
        "api_key": {"type": "http", "scheme": "bearer", "description": "An API key, `sk_…`."}
    }
    for path, method, operation in _operations(document):
        _mend_operation(path, method, operation)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for body in _subclasses(Body):
        _leave_out_nulls(schemas.get(body.__name__, {}))
    _strip_titles(document)
    _close_maps(document)
    _name_unions(document, schemas)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _schemas_by_hand() -> Json:
    """Return the schemas of what FastAPI does not see: problems, and the form that is read as it streams."""
    _, definitions = models_json_schema(
        [(Problem, "serialization"), (UploadDatasetForm, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    schemas: Json = definitions["$defs"]
    return schemas


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _mend_operation(path: str, method: str, operation: Json) -> None:
    responses = operation["responses"]
    # FastAPI's own 422 speaks of HTTPValidationError, which is never sent.
    if PROBLEM_MEDIA_TYPE not in responses.get("422", {}).get("content", {PROBLEM_MEDIA_TYPE: None}):
        del responses["422"]
    if not path.startswith("/v1/"):
        operation["security"] = []
        return
    operation["security"] = [{"api_key": []}]
    statuses = {401, 403, 500, 503}
    if "requestBody" in operation:
        statuses |= {400, 413, 422}
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        statuses.add(422)
    if method == "post":
        statuses |= {409, 422}
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    for status in statuses:
        responses.setdefault(str(status), problems(status)[status])
    if "304" in responses:
        responses["200"]["headers"] = {"ETag": HEADERS["ETag"]}
    for code, name in (
        ("201", "Location"),
        ("202", "Location"),
        ("429", "Retry-After"),
        ("503", "Retry-After"),
    ):
        if code in responses:
            responses[code]["headers"] = {name: HEADERS[name]}
    operation["responses"] = dict(sorted(responses.items()))


def _subclasses(cls: type[Body]) -> Iterator[type[Body]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _leave_out_nulls(schema: Json) -> None:
    """Say of an answer's fields that they may be missing, instead of null, which is never sent."""
    for name, field in schema.get("properties", {}).items():
        if name in schema.get("required", []) or {"type": "null"} not in field.get("anyOf", []):
            continue
        field.pop("default", None)
        kinds = [kind for kind in field.pop("anyOf") if kind != {"type": "null"}]
        field.update(kinds[0])


def _name_unions(node: Any, schemas: Json) -> None:
    """Move every union with a discriminator among the named schemas, and leave a reference."""
    for item in list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ():
        _name_unions(item, schemas)
    if isinstance(node, dict) and "discriminator" in node and "oneOf" in node:
        union = {key: node.pop(key) for key in ("discriminator", "oneOf")}
        name = UNION_NAMES[union["discriminator"]["propertyName"]]
        schemas[name] = union
        node["$ref"] = f"#/components/schemas/{name}"


def _close_maps(node: Any) -> None:
    """Say of maps with restricted keys what their values are: pydantic leaves all other keys open."""
    for item in list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else ():
        _close_maps(item)
    if isinstance(node, dict) and len(node.get("patternProperties", {})) == 1:
        ((pattern, value),) = node.pop("patternProperties").items()
        node["propertyNames"] = {**node.get("propertyNames", {}), "pattern": pattern}
        node["additionalProperties"] = value


def _strip_titles(node: Any) -> None:
    """Remove pydantic's titles, which only repeat names, but no property that is called title."""
    if isinstance(node, list):
        for item in node:
            _strip_titles(item)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("title"), str) and "version" not in node:
        del node["title"]
    for key, value in node.items():
        if key == "properties":
            for member in value.values():
                _strip_titles(member)
        elif key not in ("example", "examples", "default"):
            _strip_titles(value)
