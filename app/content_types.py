"""A check that the operation accepts the media type of the body."""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute

from app.multipart import media_type_of
from understudy.errors import InvalidInput

JSON = "application/json"
BINARY = "application/octet-stream"
TYPE_LENGTH_SHOWN = 100


def check_body_form(request: Request, route: APIRoute) -> None:
    """Raise `InvalidInput` if the body is compressed, or its Content-Type is missing or wrong.

    A binary body needs no Content-Type. The upload route checks the media type in its own code because a
    parameter can also set the format.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise InvalidInput(
            "The request has a Content-Encoding header, which is not supported. Remove the header, and send "
            "the body uncompressed. Uploaded files may be compressed, because gzip and zstd are recognized "
            "by their first bytes.",
            code="unsupported_media_type",
        )
    accepted = accepted_types(route)
    if not accepted or any(media_type.startswith("multipart/") for media_type in accepted):
        return
    given = media_type_of(request.headers.get("content-type", ""))
    # A body without a media type may be treated as binary (RFC 9110, section 8.3).
    if given in accepted or (given is None and (_is_empty(request) or BINARY in accepted)):
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
    """Return the media types of an operation's body, or an empty tuple if the operation has no body."""
    declared = (route.openapi_extra or {}).get("requestBody", {}).get("content")
    if declared:
        return tuple(declared)
    return (JSON,) if route.body_field is not None else ()


def _is_empty(request: Request) -> bool:
    """Return whether the request has no body. If it has none, the operation reports the missing body."""
    headers = request.headers
    return "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"
