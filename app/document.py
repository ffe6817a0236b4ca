"""The OpenAPI document of the API. `python -m app.openapi` writes it to `openapi.json`.

FastAPI derives the document from the routes. This module adds what FastAPI cannot derive: the
descriptions of tags, security, headers and error responses. `app.document_schemas` rewrites the schemas for
client generators.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.document_examples import add_examples
from app.document_parts import (
    NOT_MODIFIED,
    NOT_MODIFIED_REFERENCE,
    PARAMETERS,
    describe_ids,
    share_parameters,
    share_repeated_parameters,
)
from app.document_schemas import drop_unused, rewrite_schemas, without_null
from app.document_webhooks import WEBHOOKS
from understudy.documentation import DOCS_URL

Json = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_CONTENT: Json = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
METHODS = ("get", "post", "patch", "put", "delete")

TITLE = "Understudy"
SUMMARY = "Upload tables, train generative models, sample synthetic rows and evaluate them"
DESCRIPTION = (
    "Understudy creates synthetic versions of tables. Long-running work is done by jobs: `POST /v1/jobs`"
    " returns 202 immediately, and `GET /v1/jobs/{job_id}` with the header `Prefer: wait=30` waits until the"
    " job has finished. Every error response is `application/problem+json` (RFC 9457) with a stable `code`."
    " Every POST can be repeated safely with the header `Idempotency-Key`. New job kinds, phases, event"
    " types and error codes may be added, so clients must accept values that they do not recognize."
)
CONTACT = {"name": "Understudy", "url": DOCS_URL}
SERVERS = [{"url": "/", "description": "The server from which this document was downloaded."}]
TAGS = [
    {"name": "datasets", "description": "Stored tables, either uploaded or synthetic."},
    {
        "name": "uploads",
        "description": "Uploads of large files in parts. Each part can be sent again on its own.",
    },
    {"name": "jobs", "description": "Asynchronous work: ingest, train, sample, impute and evaluate."},
    {"name": "models", "description": "Fitted synthesizers that generate rows."},
    {"name": "reports", "description": "Evaluations of a synthetic dataset against a real dataset."},
    {
        "name": "project",
        "description": "The policy and the signing key of a project. The policy covers privacy and quality.",
    },
    {"name": "api-keys", "description": "The API keys of a project."},
    {
        "name": "projects",
        "description": "All projects of the installation. Only its operator can manage them.",
    },
    {"name": "webhooks", "description": "The events of a project, and the URLs to which they are sent."},
    {"name": "catalogues", "description": "Lists of the available synthesizers, metrics and policies."},
    {"name": "health", "description": "Health checks for load balancers and monitoring."},
]
HEADERS: dict[str, Json] = {
    "Location": {"description": "URL of the created resource.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before the next attempt.", "schema": {"type": "integer"}},
    "ETag": {"description": "Version of the returned representation.", "schema": {"type": "string"}},
}
# For each error status, the description of the response that all operations share. The status is the name of
# its component, because short names save 10 kB.
PROBLEMS: dict[int, str] = {
    400: "The request body is malformed or incomplete.",
    401: "The API key is missing or invalid.",
    403: "The API key does not have the required scope.",
    404: "The resource does not exist in this project.",
    406: "None of the media types in `Accept` is available.",
    409: "The request conflicts with the current state of the resource.",
    412: "The resource has changed since it was read.",
    413: "The request body is larger than this operation accepts.",
    415: "The media type of the request body is not supported.",
    416: "The requested range is outside the file.",
    422: "A parameter or the request body is invalid.",
    429: "The request exceeds a quota or a rate limit.",
    500: "An unexpected error occurred.",
    503: "A required service is not responding.",
    507: "No storage space is left.",
}
PROBLEM_HEADERS = {429: "Retry-After", 503: "Retry-After"}
SUCCESSES = {
    "200": "The request succeeded.",
    "201": "The resource was created.",
    "202": "The request was accepted, and a job was created or queued.",
    "204": "The resource was deleted.",
}
# FastAPI's description for a response if the route does not declare one.
UNDESCRIBED = "Successful Response"


def problems(*statuses: int) -> dict[int | str, Json]:
    """Return the declaration of error responses, which `rewrite_document` replaces with shared components."""
    return {status: {"description": PROBLEMS[status], "content": PROBLEM_CONTENT} for status in statuses}


def merge_patch_body(name: str) -> Json:
    """Return the declaration of a body that is a merge patch (RFC 7396) with the given schema."""
    content = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    return {"requestBody": {"required": True, "content": {"application/json": content, MERGE_PATCH: content}}}


def operation_id(route: APIRoute) -> str:
    """Return the name of the route's function. Generated clients give their own functions this name."""
    return route.name


def customise_document(app: FastAPI) -> None:
    """Make an application serve the rewritten document."""
    original = app.openapi

    def openapi() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = rewrite_document(original())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it


def rewrite_document(document: Json) -> Json:
    """Add security, headers and shared parts to the document, and return the changed document."""
    for _, _, operation in _operations(document):
        _rewrite_parameters(operation)
    rewrite_schemas(document)
    describe_ids(document, [operation for _, _, operation in _operations(document)])
    components = document["components"]
    components["parameters"] = dict(PARAMETERS)
    components["headers"] = HEADERS
    components["responses"] = {
        "304": NOT_MODIFIED,
        **{str(status): _problem(status) for status in PROBLEMS},
    }
    components["securitySchemes"] = {
        "api_key": {"type": "http", "scheme": "bearer", "description": "An API key that begins with `sk_`."}
    }
    # All operations require a key, except for those that declare otherwise.
    document["security"] = [{"api_key": []}]
    for path, method, operation in _operations(document):
        _rewrite_operation(path, method, operation)
    share_repeated_parameters(document, [operation for _, _, operation in _operations(document)])
    document["webhooks"] = WEBHOOKS
    drop_unused(document)
    add_examples(document)
    return document


def _problem(status: int) -> Json:
    response = problems(status)[status]
    if status in PROBLEM_HEADERS:
        name = PROBLEM_HEADERS[status]
        response["headers"] = {name: _header(name)}
    return response


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _rewrite_operation(path: str, method: str, operation: Json) -> None:
    responses = operation["responses"]
    # FastAPI declares its own 422 with HTTPValidationError, which is never sent.
    if PROBLEM_MEDIA_TYPE not in responses.get("422", {}).get("content", {PROBLEM_MEDIA_TYPE: None}):
        del responses["422"]
    has_condition = _has_condition(path, method, responses)
    share_parameters(method, operation, has_condition=has_condition)
    if has_condition:
        responses.setdefault("304", NOT_MODIFIED_REFERENCE)
    _describe_successes(method, responses)
    is_secured = path.startswith("/v1/")
    if not is_secured:
        operation["security"] = []
    declared = {int(status) for status, response in responses.items() if _is_problem(response)}
    for status in declared | (_implied_statuses(method, operation) if is_secured else {422, 500}):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    operation["responses"] = dict(sorted(responses.items()))


def _has_condition(path: str, method: str, responses: Json) -> bool:
    """Return whether an operation returns 304 for `If-None-Match`: every read except event streams does."""
    is_stream = "text/event-stream" in responses.get("200", {}).get("content", {})
    return method == "get" and path.startswith("/v1/") and not is_stream


def _rewrite_parameters(operation: Json) -> None:
    """Remove null, which a query or a header cannot contain, and describe path parameters."""
    for parameter in operation.get("parameters", []):
        parameter["schema"] = without_null(parameter["schema"])
        if not parameter.get("required"):
            # This is the default.
            parameter.pop("required", None)
        if parameter["schema"].get("description") == parameter.get("description"):
            parameter["schema"].pop("description", None)
        if parameter["name"].endswith("_id") and "description" not in parameter:
            parameter["description"] = f"ID of the {_noun(parameter['name'])}."


def _noun(parameter: str) -> str:
    return parameter.removesuffix("_id").replace("_", " ").replace("api key", "API key")


def _describe_successes(method: str, responses: Json) -> None:
    for status, text in SUCCESSES.items():
        if status in responses and responses[status]["description"] == UNDESCRIBED:
            responses[status]["description"] = text
    if "304" in responses or (method == "patch" and "200" in responses):
        responses["200"].setdefault("headers", {})["ETag"] = _header("ETag")
    for status in ("201", "202"):
        if status in responses:
            responses[status]["headers"] = {"Location": _header("Location")}


def _header(name: str) -> Json:
    return {"$ref": f"#/components/headers/{name}"}


def _is_problem(response: Json) -> bool:
    return PROBLEM_MEDIA_TYPE in response.get("content", {})


def _implied_statuses(method: str, operation: Json) -> set[int]:
    """Return the error statuses of an operation that follow from its method, body and parameters."""
    statuses = {401, 403, 422, 429, 500, 503}
    if "requestBody" in operation:
        statuses |= {400, 413, 415}
    if method == "post":
        statuses |= {409, 415}
    return statuses
