"""Base class of job parameters, and field types that several kinds share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

# A JSON object that is stored in a `jsonb` column.
Json = dict[str, Any]

NAME_LENGTH_MAX = 255
# Survey exports use whole questions as column names.
COLUMN_NAME_LENGTH_MAX = 1_000
# PostgreSQL cannot store NUL characters, and a name must not contain line breaks.
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX, pattern=NO_CONTROL_CHARACTERS)]
LabelKey = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_CONTROL_CHARACTERS)]
LabelValue = Annotated[str, Field(max_length=255, pattern=NO_CONTROL_CHARACTERS)]
Labels = Annotated[
    dict[LabelKey, LabelValue],
    Field(max_length=16, description="Up to 16 labels (key-value pairs) for filtering lists."),
]
# The seed is stored in a signed 64-bit column.
Seed = Annotated[
    int,
    Field(
        ge=0,
        lt=2**63,
        description="Seed of the random number generator. The same seed gives the same result. Chosen by the"
        " service if omitted.",
    ),
]
Priority = Annotated[
    int,
    Field(
        ge=-100,
        le=100,
        description="Priority among the queued jobs of the project. Jobs with a higher priority run first. "
        "Jobs with the same priority run in order of age. The priority does not delay the jobs of other "
        "projects.",
    ),
]
TableName = Annotated[
    Name | None,
    Field(description="Name of the table. Required if the dataset has several tables.", examples=["orders"]),
]


# Parameters that are stored in columns of the job, not among its parameters.
STORED_APART = {"labels", "priority"}


class JobParameters(BaseModel):
    """Base class of job parameters. Each subclass declares ``kind: Literal["…"]`` without a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    labels: Labels = {}
    priority: Priority = 0
