"""Bodies of error responses (RFC 9457)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.bodies.base import Body
from understudy.errors import CODES


class ProblemItem(Body):
    """One invalid part of a request."""

    pointer: Annotated[
        str | None,
        Field(description="JSON Pointer (RFC 6901) into the request body.", examples=["/n_rows"]),
    ] = None
    parameter: Annotated[
        str | None,
        Field(description="Name of the invalid query parameter or header.", examples=["limit"]),
    ] = None
    code: Annotated[str, Field(examples=["greater_than_equal"])]
    detail: Annotated[str, Field(examples=["Input should be greater than or equal to 1"])]


class Problem(Body):
    """An error. `code` is meant for programs, and `detail` for people."""

    type: Annotated[
        str,
        Field(
            description="URL of the documentation of the error code.",
            examples=["https://understudy.readthedocs.io/en/latest/reference/errors/not_found.html"],
            json_schema_extra={"format": "uri"},
        ),
    ]
    title: Annotated[str, Field(examples=["The resource does not exist in this project"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[
        str,
        Field(
            description="Description of the error: what happened, where, and how to correct it.",
            examples=["No dataset has this ID. Check the ID."],
        ),
    ]
    instance: Annotated[str, Field(description="Path of the request.", examples=["/v1/datasets/ds_…"])]
    code: Annotated[
        str,
        Field(
            description="Stable error code. The documentation lists all codes, and more may be added.",
            examples=["not_found"],
            json_schema_extra={"x-extensible-enum": list(CODES)},
        ),
    ]
    request_id: Annotated[
        str,
        Field(
            description="ID of the request, also sent in the header `X-Request-ID`.",
            examples=["req_4f1c"],
        ),
    ]
    errors: Annotated[
        list[ProblemItem] | None,
        Field(description="Invalid parts of the request, if they are known. At most 20 are listed."),
    ] = None
