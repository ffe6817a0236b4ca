"""Checks that each request matches its operation: query parameters, headers and body format.

Without this check, a misspelled parameter would be ignored, and the operation would not do what the caller
wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from app.content_types import check_body_form
from app.nearest import suggestion
from understudy.errors import InvalidInput

NAME_LENGTH_SHOWN = 64
ETAGS = r'\*|(?:W/)?"[!#-~]*"(?:[ \t]*,[ \t]*(?:W/)?"[!#-~]*")*'


@dataclass(frozen=True)
class HeaderForm:
    """The valid values of a request header, as a pattern and in words."""

    pattern: re.Pattern[str]
    words: str


ETAG_FORM = HeaderForm(
    re.compile(ETAGS), 'must contain `*` or ETags in quotation marks, such as `"3f2a"`, separated by commas'
)
# Headers with invalid values that would otherwise be ignored. Preferences other than `wait` are accepted
# because RFC 7240 requires that servers ignore unknown preferences.
HEADERS = {
    "Idempotency-Key": HeaderForm(
        re.compile(r"[!-~]{1,255}"), "must consist of 1 to 255 visible ASCII characters"
    ),
    "Prefer": HeaderForm(
        re.compile(r"(?!.*\bwait\b(?![ \t]*=[ \t]*\d{1,6}[ \t]*(?:[,;]|$))).*", re.IGNORECASE),
        "must contain `wait` with a number of seconds, such as `wait=30`",
    ),
    "If-Match": ETAG_FORM,
    "If-None-Match": ETAG_FORM,
    "Last-Event-ID": HeaderForm(re.compile(r"\d{1,18}"), "must be the `id` of an event of this job"),
}
_QUERY_NAMES: dict[Callable[..., object], frozenset[str]] = {}


async def check_request(request: Request) -> None:
    """Raise `InvalidInput` unless the request has the form that its operation declares.

    The error has the code `unsupported_media_type` if the body has the wrong form.
    """
    route: APIRoute = request.scope["route"]
    _check_query(request, _query_names(route))
    for name, form in HEADERS.items():
        for value in request.headers.getlist(name):
            if not form.pattern.fullmatch(value):
                raise invalid_parameter(name, f"The header {name} {form.words}.")
    check_body_form(request, route)


def invalid_parameter(name: str, detail: str) -> InvalidInput:
    """Return the error for an invalid query parameter or header."""
    return InvalidInput(detail, code="invalid_parameters", parameter=name)


def _query_names(route: APIRoute) -> frozenset[str]:
    """Return the query parameters of an operation, from a cache."""
    if route.endpoint not in _QUERY_NAMES:
        fields = get_flat_params(route.dependant)
        # The fields in a class of query parameters are not instances of `Query`.
        others = (params.Path, params.Header, params.Cookie)
        names = (field.alias for field in fields if not isinstance(field.field_info, others))
        _QUERY_NAMES[route.endpoint] = frozenset(names)
    return _QUERY_NAMES[route.endpoint]


def _check_query(request: Request, names: frozenset[str]) -> None:
    for name in request.query_params:
        if name not in names:
            listed = ", ".join(sorted(names))
            raise invalid_parameter(
                name[:NAME_LENGTH_SHOWN],
                f"The query parameter {name[:NAME_LENGTH_SHOWN]!r} does not exist."
                f"{suggestion(name, names)} This operation has "
                f"{f'these query parameters: {listed}' if names else 'no query parameters'}.",
            )
