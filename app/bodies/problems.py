"""Bodies of answers that are not a success (RFC 9457)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.bodies.base import Body


class ProblemItem(Body):
    """One thing that is wrong with the request."""

    pointer: Annotated[
        str | None, Field(description="JSON Pointer (RFC 6901) into the body.", examples=["/n_rows"])
    ] = None
    parameter: Annotated[
        str | None, Field(description="Name of the query parameter or header.", examples=["limit"])
    ] = None
    code: Annotated[str, Field(examples=["greater_than_equal"])]
    detail: Annotated[str, Field(examples=["Input should be greater than or equal to 1"])]


class Problem(Body):
    """What went wrong: `code` is for programs, `detail` for people."""

    type: Annotated[str, Field(examples=["urn:understudy:error:not_found"])]
    title: Annotated[str, Field(examples=["There is no such thing in this project"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[
        str, Field(description="What, where, and what to do.", examples=["There is no such dataset."])
    ]
    instance: Annotated[str, Field(description="Path of the request.", examples=["/v1/datasets/ds_…"])]
    code: Annotated[
        str,
        Field(
            description="Stable; `docs/reference/errors.md` lists all, and may grow.", examples=["not_found"]
        ),
    ]
    request_id: Annotated[str, Field(description="As in the header X-Request-ID.", examples=["req_4f1c"])]
    errors: Annotated[
        list[ProblemItem] | None, Field(description="Each part of the request that is wrong.")
    ] = None
