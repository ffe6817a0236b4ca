"""Requests as values, independent of the library that sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import ValidationError

from understudy_client.base import Model
from understudy_client.errors import UnexpectedResponse

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Call(Generic[T_co]):
    """A request and the type of its response.

    Parameters
    ----------
    response_type : type or None
        Model of a JSON response, `bytes`, or None if the response is ignored.
    query : mapping
        Query parameters. A list repeats the parameter, and None omits it.
    body : object, optional
        JSON body.
    content : bytes, optional
        Body that is not JSON.
    timeout_seconds : float, optional
        Additional time to wait for the response, in seconds.
    """

    method: str
    path: str
    response_type: type[Model] | type[bytes] | None
    query: Mapping[str, Any] = field(default_factory=dict)
    body: object = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    content: bytes | None = None
    timeout_seconds: float = 0.0

    def with_headers(self, **headers: str | None) -> Call[T_co]:
        """Return a copy with additional headers. An underscore in a name becomes a hyphen."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})

    def waiting(self, seconds: float) -> Call[T_co]:
        """Return a copy whose response the service can delay until a job has ended."""
        whole = max(0, min(60, int(seconds)))
        return replace(self.with_headers(Prefer=f"wait={whole}"), timeout_seconds=whole)

    @property
    def is_safe_to_repeat(self) -> bool:
        """Whether the request can be sent again if its response was lost.

        A conditional change cannot be sent again: if the first request has changed the resource, the second
        one fails.
        """
        return self.method != "PATCH" or not self.headers.get("If-Match")


def path_of(segment: str | int) -> str:
    """Return a segment of a path with special characters escaped."""
    return quote(str(segment), safe="")


def query_pairs(call: Call[Any]) -> list[tuple[str, str]]:
    """Return the query parameters of a request as text."""
    return [
        (name, _text(value))
        for name, values in call.query.items()
        for value in (values if isinstance(values, list | tuple) else [values])
        if value is not None
    ]


def request_headers(call: Call[Any]) -> dict[str, str]:
    """Return the headers of a request. Each POST gets an idempotency key, which all tries share."""
    headers = {name: value for name, value in call.headers.items() if value is not None}
    if call.method == "POST":
        headers.setdefault("Idempotency-Key", str(uuid4()))
    if call.body is not None:
        headers.setdefault("Content-Type", JSON_TYPE)
    return headers


def request_content(call: Call[Any]) -> bytes | None:
    """Return the body of a request."""
    if call.body is None:
        return call.content
    return json.dumps(call.body, default=_json_value).encode()


def read_response(call: Call[T], content: bytes, etag: str | None) -> T:
    """Return the content of a successful response.

    Raises
    ------
    UnexpectedResponse
        If the response is not JSON, or does not match the model.
    """
    response: Any = None  # one of the types in `Call.response_type`
    if call.response_type is bytes:
        response = content
    elif call.response_type is not None:
        assert issubclass(call.response_type, Model)
        try:
            response = call.response_type.model_validate_json(content)
        except ValidationError as error:
            raise _unexpected(call, error) from None
        response._etag = etag
    typed: T = response
    return typed


def _unexpected(call: Call[Any], error: ValidationError) -> UnexpectedResponse:
    """Return an error that names the first invalid field without its value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(name) for name in first["loc"])
    reason = f"`{place}`: {first['type']}" if place else first["type"]
    return UnexpectedResponse(
        f"The response to {call.method} {call.path} is not the expected JSON ({reason}). Check the URL and "
        "any proxy in between, and whether the versions of the client and the service match."
    )


class Page(Protocol[T_co]):
    """A page of a list."""

    @property
    def data(self) -> Sequence[T_co]:
        """The items."""

    @property
    def next(self) -> str | None:
        """Cursor of the next page, or None on the last page."""


def next_page(call: Call[T], page: Page[Any]) -> Call[T] | None:
    """Return the request for the page that follows a page."""
    return None if page.next is None else replace(call, query={**call.query, "after": page.next})


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Model):
        return value.model_dump(mode="json", exclude_none=True)
    raise TypeError(f"A value of type {type(value).__name__} cannot be sent as JSON. Convert it first.")
