"""Conversion of errors to `application/problem+json` (RFC 9457), with the HTTP status of each error class."""

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
from app.body_fields import BodyFields
from app.nearest import suggestion
from understudy import errors
from understudy.documentation import error_link

MEDIA_TYPE = "application/problem+json"

# The HTTP status of each error class. A class that is not listed has the status of its nearest base class.
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

# Error codes with a more specific HTTP status than their class.
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

# Codes and details for the errors that Starlette and FastAPI raise themselves.
HTTP_ERRORS = {
    400: (
        "malformed_body",
        "The body cannot be parsed. Send a complete body in the format that the Content-Type header "
        "specifies.",
    ),
    404: ("not_found", "There is no resource at this path. Use one of the paths in /openapi.json."),
    405: (
        "method_not_allowed",
        "This path does not support the method. Use one of the methods in the Allow header.",
    ),
    413: ("body_too_large", "The body is larger than this operation accepts. Send a smaller body."),
}

# Error codes for unknown values of the fields that distinguish the members of a union.
TAG_CODES = {"'kind'": "unknown_kind", "'name'": "unknown_synthesizer"}

# JSON names for the Python types in pydantic's messages.
JSON_TYPES = {
    **dict.fromkeys(("a valid tuple", "a valid list", "a valid set", "a valid frozenset"), "a valid array"),
    **dict.fromkeys(("a valid dictionary", "a valid dict", "a valid mapping"), "a valid object"),
    **dict.fromkeys(("Tuple", "List", "Set", "Frozenset"), "Array"),
    "Dictionary": "Object",
    "None": "null",
}
# Names of Python classes in pydantic's messages. Callers of the API do not need them.
_INSTANCE = re.compile(r" or instance of \w+")
# Characters that PostgreSQL or UTF-8 cannot represent.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PYTHON_TYPES = re.compile("|".join(rf"\b{word}\b" for word in JSON_TYPES))

RETRY_AFTER_SECONDS = 5
# Limits on the size of an error response, regardless of the number of errors and the length of names.
ITEMS_MAX = 20
TEXT_LENGTH_MAX = 1_000
NAME_LENGTH_MAX = 255

Loc = Sequence[int | str]


def _shortened(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Return a text that can be sent: without lone surrogates and NUL characters, and not too long."""
    text = UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= length_max else text[: length_max - 1] + "…"


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
    """Return the problem+json response for an error."""
    status = status_of(error)
    if items is None:
        items = _own_item(error)
    problem = Problem(
        type=error_link(error.code),
        title=errors.CODES[error.code],
        status=status,
        detail=_shortened(error.detail),
        instance=_shortened(scope["path"]),
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


def _own_item(error: errors.UnderstudyError) -> list[ProblemItem] | None:
    """Return the location of an error as the only entry of `errors`, or None if it has no location."""
    if error.pointer is None and error.parameter is None:
        return None
    pointer = None if error.pointer is None else _shortened(error.pointer)
    parameter = None if error.parameter is None else _shortened(error.parameter, NAME_LENGTH_MAX)
    detail = _shortened(error.detail)
    return [ProblemItem(pointer=pointer, parameter=parameter, code=error.code, detail=detail)]


def internal_error(scope: Scope) -> JSONResponse:
    """Return the response to an unexpected error, without any details of the error."""
    detail = (
        "An unexpected error occurred and was logged under the request ID. Repeat the request if it only "
        "reads, or ask your administrator to check the logs."
    )
    return problem_response(scope, errors.UnderstudyError(detail))


def add_error_handlers(app: FastAPI) -> None:
    """Make an application return every error as problem+json."""
    app.add_exception_handler(errors.UnderstudyError, _on_understudy_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


def _headers(error: errors.UnderstudyError, status: int) -> dict[str, str]:
    if isinstance(error, errors.TooManyRequests | errors.Conflict) and error.retry_after_seconds:
        return {"Retry-After": str(error.retry_after_seconds)}
    if status == 503:
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
    """Return the methods of all routes at a path because Starlette lists only the first route's methods."""
    routes: list[APIRoute] = request.app.state.api_routes
    path = request.scope["path"]
    methods = {m for route in routes if route.path_regex.match(path) for m in route.methods or ()}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _with_code(code: str, detail: str) -> errors.UnderstudyError:
    cls = {"not_found": errors.NotFound, "internal_error": errors.UnderstudyError}.get(
        code, errors.InvalidInput
    )
    return cls(detail, code=code)


def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    validation = cast(RequestValidationError, error)
    found = validation.errors()
    fields = BodyFields(request.scope.get("route"))
    items = [_item(item, validation.body, fields) for item in found[:ITEMS_MAX]]
    first = items[0]
    place = first.pointer or first.parameter
    n_more = len(items) - 1
    more = f" `errors` lists {n_more} more error{'s' * (n_more > 1)}." if n_more else ""
    if len(found) > ITEMS_MAX:
        more = f" `errors` lists the first {ITEMS_MAX} of {len(found)} errors."
    detail = f"{place}: {first.detail}{more}" if place else f"{first.detail}{more}"
    code = first.code if first.code in errors.CODES else "invalid_parameters"
    return problem_response(request.scope, errors.InvalidInput(detail, code=code), items=items)


def _item(error: Mapping[str, Any], body: Any, fields: BodyFields) -> ProblemItem:
    """Return one validation error, without pydantic's `input`, which contains the caller's data."""
    place, *path = error["loc"]
    code, detail = _code_and_detail(error)
    if place == "body":
        if code == "extra_forbidden":
            detail += fields.suggest(path, body)
        pointer = _shortened(_pointer(path, body, error["type"]))
        return ProblemItem(pointer=pointer, code=code, detail=_shortened(detail))
    name = _shortened(str(path[0]) if path else place, NAME_LENGTH_MAX)
    return ProblemItem(parameter=name, code=code, detail=_shortened(detail))


def in_json(message: str) -> str:
    """Return pydantic's message with JSON type names instead of Python type names."""
    message = _INSTANCE.sub("", message)
    return _PYTHON_TYPES.sub(lambda match: JSON_TYPES[match[0]], message)


def _code_and_detail(error: Mapping[str, Any]) -> tuple[str, str]:
    code, detail, context = error["type"], f"{in_json(error['msg'])}.", error.get("ctx", {})
    input_ = error.get("input")
    if code == "json_invalid":
        place = error["loc"][-1]
        problem = f"{context['error']} at character {place}"
        return "malformed_body", f"The body is not valid JSON: {problem}. Correct the syntax at this point."
    if code == "union_tag_invalid":
        tag = str(context["tag"])[:100]
        code = TAG_CODES.get(context["discriminator"], "invalid_parameters")
        tags = _quoted(context["expected_tags"])
        detail = f"{tag!r} is unknown.{suggestion(tag, tags)} Use one of {context['expected_tags']}."
    elif code in ("literal_error", "enum") and isinstance(input_, str):
        detail += suggestion(input_, _quoted(context["expected"]))
    elif code == "union_tag_not_found":
        code = "missing"
        detail = f"The field {context['discriminator']} is required, because it determines the other fields."
    elif code == "value_error":
        # This is the message from our own validator, without pydantic's prefix.
        detail = f"{context['error']}."
    elif code == "extra_forbidden":
        detail = "This field does not exist. Remove or rename it."
    return code, detail


def _quoted(listed: str) -> list[str]:
    """Return the values in pydantic's list of valid values, such as `'queued', 'running' or 'failed'`."""
    return re.findall(r"'([^']*)'", listed)


def _pointer(path: Loc, body: Any, error_type: str) -> str:
    """Return the JSON Pointer to a location in the body.

    Pydantic's path also contains union tags, which are not locations in the body. Path parts that the body
    does not contain are therefore omitted, except for the name of a missing field.
    """
    if error_type == "json_invalid":
        return ""
    pointer = ""
    for position, part in enumerate(path):
        is_missing_field = error_type == "missing" and position == len(path) - 1
        if not is_missing_field and not _holds(body, part):
            continue
        pointer += "/" + _shortened(str(part), NAME_LENGTH_MAX).replace("~", "~0").replace("/", "~1")
        body = None if is_missing_field else body[part]
    return pointer


def _holds(body: Any, part: int | str) -> bool:
    if isinstance(body, dict):
        return part in body
    return isinstance(body, list) and isinstance(part, int) and part < len(body)
