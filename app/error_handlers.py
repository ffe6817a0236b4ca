"""Errors as `application/problem+json` (RFC 9457), with the one table from class of error to HTTP status."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app.bodies.problems import Problem, ProblemItem
from understudy import errors

MEDIA_TYPE = "application/problem+json"

# The one table: the first class, going up from the error's own, that stands here decides.
STATUSES: dict[type[errors.UnderstudyError], int] = {
    errors.InvalidInput: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    errors.UnderstudyError: 500,
}

# Codes for which HTTP has a word of its own, whatever their class.
CODE_STATUSES = {
    "incomplete_body": 400,
    "malformed_body": 400,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "body_too_large": 413,
    "upload_too_large": 413,
    "unsupported_media_type": 415,
    "range_not_satisfiable": 416,
    "idempotency_mismatch": 422,
}

# What Starlette and FastAPI raise by themselves, in our codes.
HTTP_ERRORS = {
    400: ("malformed_body", "The body cannot be read: send it whole, in the form that Content-Type names."),
    404: ("not_found", "There is nothing at this address; the operations are listed in /openapi.json."),
    405: (
        "method_not_allowed",
        "This address does not know that method; the header Allow names those it knows.",
    ),
    413: ("body_too_large", "The body is larger than this operation takes; only uploads may be large."),
}

# For the fields that tell the members of a union apart.
TAG_CODES = {"'kind'": "unknown_kind", "'name'": "unknown_synthesizer"}

# How JSON names what pydantic names in Python's words.
JSON_TYPES = {
    **dict.fromkeys(("a valid tuple", "a valid list", "a valid set", "a valid frozenset"), "a valid array"),
    **dict.fromkeys(("a valid dictionary", "a valid dict", "a valid mapping"), "a valid object"),
    **dict.fromkeys(("Tuple", "List", "Set", "Frozenset"), "Array"),
    "Dictionary": "Object",
    "None": "null",
}
# The name of a class, which is nothing to a caller of the API.
_INSTANCE = re.compile(r" or instance of \w+")
_PYTHON_TYPES = re.compile("|".join(rf"\b{word}\b" for word in JSON_TYPES))

RETRY_AFTER_SECONDS = 5

Loc = Sequence[int | str]


def status_of(error: errors.UnderstudyError) -> int:
    """Return the HTTP status of an error."""
    if error.code in CODE_STATUSES:
        return CODE_STATUSES[error.code]
    return next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)


def problem_response(
    scope: Scope,
    error: errors.UnderstudyError,
    *,
    items: list[ProblemItem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the answer that tells an error."""
    status = status_of(error)
    if items is None and error.pointer is not None:
        items = [ProblemItem(pointer=error.pointer, code=error.code, detail=error.detail)]
    problem = Problem(
        type=f"urn:understudy:error:{error.code}",
        title=errors.CODES[error.code],
        status=status,
        detail=error.detail,
        instance=scope["path"],
        code=error.code,
        request_id=scope.get("state", {}).get("request_id", ""),
        errors=items,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=status,
        headers={**_headers(error, status), **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def internal_error(scope: Scope) -> JSONResponse:
    """Return the answer to a bug: nothing but where to look for it."""
    detail = (
        "Something unexpected happened; it was logged under the request id. Repeating it is safe for reads."
    )
    return problem_response(scope, errors.UnderstudyError(detail))


def add_error_handlers(app: FastAPI) -> None:
    """Make the application tell every error as a problem."""
    app.add_exception_handler(errors.UnderstudyError, _on_understudy_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


def _headers(error: errors.UnderstudyError, status: int) -> dict[str, str]:
    if isinstance(error, errors.TooManyRequests):
        return {"Retry-After": str(error.retry_after_seconds)}
    if status == 503 or error.code == "idempotency_in_progress":
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="understudy"'}
    return {}


def _on_understudy_error(request: Request, error: Exception) -> JSONResponse:
    return problem_response(request.scope, cast(errors.UnderstudyError, error))


def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    exception = cast(HTTPException, error)
    code, detail = HTTP_ERRORS.get(exception.status_code, ("internal_error", str(exception.detail)))
    headers = {"Allow": _allowed(request)} if exception.status_code == 405 else exception.headers
    return problem_response(request.scope, _with_code(code, detail), headers=headers)


def _allowed(request: Request) -> str:
    """Return the methods of an address; Starlette only tells those of the first route that it finds there."""
    routes: list[APIRoute] = request.app.state.api_routes
    path = request.scope["path"]
    return ", ".join(
        sorted({m for route in routes if route.path_regex.match(path) for m in route.methods or ()})
    )


def _with_code(code: str, detail: str) -> errors.UnderstudyError:
    cls = {"not_found": errors.NotFound, "internal_error": errors.UnderstudyError}.get(
        code, errors.InvalidInput
    )
    return cls(detail, code=code)


def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    validation = cast(RequestValidationError, error)
    items = [_item(found, validation.body) for found in validation.errors()]
    first = items[0]
    where = first.pointer or first.parameter
    more = f" There are {len(items) - 1} more; see `errors`." if len(items) > 1 else ""
    detail = f"{where}: {first.detail}{more}" if where else f"{first.detail}{more}"
    code = first.code if first.code in errors.CODES else "invalid_parameters"
    return problem_response(request.scope, errors.InvalidInput(detail, code=code), items=items)


def _item(found: Mapping[str, Any], body: Any) -> ProblemItem:
    """Return one validation error, without pydantic's `input`, which is what the caller sent."""
    place, *path = found["loc"]
    code, detail = _code_and_detail(found)
    if place == "body":
        return ProblemItem(pointer=_pointer(path, body, found["type"]), code=code, detail=detail)
    return ProblemItem(parameter=str(path[0]) if path else place, code=code, detail=detail)


def in_json(message: str) -> str:
    """Return a message of pydantic with JSON's words for Python's types."""
    message = _INSTANCE.sub("", message)
    return _PYTHON_TYPES.sub(lambda match: JSON_TYPES[match[0]], message)


def _code_and_detail(found: Mapping[str, Any]) -> tuple[str, str]:
    code, detail, context = found["type"], f"{in_json(found['msg'])}.", found.get("ctx", {})
    if code == "json_invalid":
        place = found["loc"][-1]
        return "malformed_body", f"The body is not JSON: {context['error']} at character {place}."
    if code == "union_tag_invalid":
        tag = str(context["tag"])[:100]
        code = TAG_CODES.get(context["discriminator"], "invalid_parameters")
        detail = f"{tag!r} is not known here; there are {context['expected_tags']}."
    elif code == "union_tag_not_found":
        code = "missing"
        detail = f"The field {context['discriminator']} is required: it says which form this has."
    elif code == "value_error":
        # Ours, without the words that pydantic puts before it.
        detail = f"{context['error']}."
    elif code == "extra_forbidden":
        detail = "There is no such field here; remove or rename it."
    return code, detail


def _pointer(path: Loc, body: Any, error_type: str) -> str:
    """Return the JSON Pointer of a place in the body.

    Pydantic's path also holds the tags of the unions it went through, which are no places of the body: what
    cannot be found there is left out, but for the name of a field that is missing.
    """
    if error_type == "json_invalid":
        return ""
    pointer = ""
    for position, part in enumerate(path):
        is_missing_field = error_type == "missing" and position == len(path) - 1
        if not is_missing_field and not _holds(body, part):
            continue
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
        body = None if is_missing_field else body[part]
    return pointer


def _holds(body: Any, part: int | str) -> bool:
    if isinstance(body, dict):
        return part in body
    return isinstance(body, list) and isinstance(part, int) and part < len(body)
