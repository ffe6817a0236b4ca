"""What the parameters of all kinds of job have in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

# JSON as it goes into a `jsonb` column.
Json = dict[str, Any]

NAME_LENGTH_MAX = 255
# PostgreSQL keeps no NUL, and nobody wants a line break in a name.
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX, pattern=NO_CONTROL_CHARACTERS)]
LabelKey = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_CONTROL_CHARACTERS)]
LabelValue = Annotated[str, Field(max_length=255, pattern=NO_CONTROL_CHARACTERS)]
Labels = Annotated[
    dict[LabelKey, LabelValue],
    Field(max_length=16, description="Free pairs, up to 16; lists can be filtered by them."),
]
# Stored in a signed 64-bit column.
Seed = Annotated[
    int, Field(ge=0, lt=2**63, description="Same seed, same result; chosen for you if left out.")
]
TableName = Annotated[
    Name | None,
    Field(description="Name of the table; needed unless the dataset has only one.", examples=["orders"]),
]


class JobParameters(BaseModel):
    """Base of the parameters of every kind; each declares ``kind: Literal["…"]`` without a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    labels: Labels = {}
