"""Bodies about the service itself: problems, catalogues, health."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

Timestamp = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class Body(BaseModel):
    """Base of what is sent back; a field without a value is left out."""


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
        str, Field(description="Stable; `docs/errors.md` lists all, and may grow.", examples=["not_found"])
    ]
    request_id: Annotated[str, Field(description="As in the header X-Request-ID.", examples=["req_4f1c"])]
    errors: Annotated[
        list[ProblemItem] | None, Field(description="Each part of the request that is wrong.")
    ] = None


class SynthesizerDescription(Body):
    """An algorithm that can be trained."""

    name: Annotated[str, Field(examples=["tree_chain"])]
    summary: str
    parameters: Annotated[dict[str, Any], Field(description="JSON Schema of its parameters.")]
    is_controllable: Annotated[
        bool, Field(description="Whether its models take conditions and shares, and impute.")
    ]


class MetricDescription(Body):
    """A score that reports may hold."""

    name: Annotated[str, Field(examples=["column_shapes"])]
    title: Annotated[str, Field(examples=["Column shapes"])]
    summary: str
    topic: Annotated[str, Field(description="`fidelity`, `usefulness`, `bias` or `privacy`.")]
    direction: Annotated[str, Field(description="Which way is better.", examples=["higher"])]
    range: Annotated[list[float | None], Field(description="Least and greatest score; null is unbounded.")]
    best: Annotated[float, Field(description="The score of data that cannot be told from real data.")]
    needs: Annotated[
        list[str], Field(description="What an evaluation has to be given for it.", examples=[["holdout"]])
    ]


class SynthesizerCatalogue(Body):
    """All synthesizers."""

    data: list[SynthesizerDescription]


class MetricCatalogue(Body):
    """All metrics."""

    data: list[MetricDescription]


class ServiceHealth(Body):
    """Whether the process lives."""

    status: Annotated[str, Field(examples=["ok"])]


class ServiceReadiness(Body):
    """Whether everything that jobs need answers."""

    status: Annotated[str, Field(description="`ready` or `not_ready`.", examples=["ready"])]
    checks: Annotated[
        dict[str, str],
        Field(examples=[{"database": "ok", "broker": "ok", "storage": "ok", "workers": "ok"}]),
    ]
