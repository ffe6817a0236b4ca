"""Parameters of kind `impute`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from understudy.parameters.base import JobParameters, Name, Seed, TableName

N_DRAWS_MAX = 20


class ImputeParameters(JobParameters):
    """Complete a dataset: draw its missing values, and leave all others as they are."""

    kind: Literal["impute"]
    model_id: Annotated[str, Field(description="What to draw from.", examples=["mdl_01kaz7m2q5…"])]
    dataset_id: Annotated[
        str, Field(description="What to complete: a table of the columns that the model knows.")
    ]
    table: TableName = None
    n_draws: Annotated[
        int,
        Field(
            ge=1,
            le=N_DRAWS_MAX,
            description="How often: of n rows, row i of draw d (both from 0) is row d * n + i of the result.",
        ),
    ] = 1
    seed: Seed | None = None
    name: Annotated[Name | None, Field(description="Of the result; made from the dataset's if left out.")] = (
        None
    )
