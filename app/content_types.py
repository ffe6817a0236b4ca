"""The media types that an operation accepts for its body, and the refusal of all others."""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute

from app.multipart import media_type_of
from understudy.errors import InvalidInput

JSON = "application/json"
TYPE_LENGTH_SHOWN = 100


def check_body_form(request: Request, route: APIRoute) -> None:
    """Raise `InvalidInput` if the body is compressed, or its Content-Type is missing or wrong.

    The route of uploads compares the media type itself, because the format may also be a parameter.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise InvalidInput(
            "The request has a Content-Encoding header, which is not supported. Send the body without it. "
            "Uploaded files may be compressed, because gzip and zstd are recognized by their first bytes.",
            code="unsupported_media_type",
        )
    accepted = accepted_types(route)
    if not accepted or any(media_type.startswith("multipart/") for media_type in accepted):
        return
    given = media_type_of(request.headers.get("content-type", ""))
    if given in accepted or (given is None and _is_empty(request)):
        return
    fault = (
        "The request has no Content-Type."
        if given is None
        else f"The content type {given[:TYPE_LENGTH_SHOWN]!r} is not supported."
    )
    raise InvalidInput(
        f"{fault} Send the header `Content-Type: {accepted[0]}`.", code="unsupported_media_type"
    )


def accepted_types(route: APIRoute) -> tuple[str, ...]:
    """Return the media types of the body of an operation, without any if it has no body."""
    declared = (route.openapi_extra or {}).get("requestBody", {}).get("content")
    if declared:
        return tuple(declared)
    return (JSON,) if route.body_field is not None else ()


def _is_empty(request: Request) -> bool:
    """Return whether the request has no body, which the operation reports as missing."""
    headers = request.headers
    return "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"
