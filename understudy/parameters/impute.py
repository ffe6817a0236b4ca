"""Parameters of `impute` jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from understudy.parameters.base import JobParameters, Name, Seed, TableName

N_DRAWS_MAX = 20


class ImputeParameters(JobParameters):
    """Parameters of a job that imputes the missing values of a table and keeps all other values."""

    kind: Literal["impute"]
    model_id: Annotated[
        str, Field(description="ID of the model to impute with.", examples=["mdl_01kaz7m2q5…"])
    ]
    dataset_id: Annotated[
        str,
        Field(
            description="ID of the dataset with missing values. Its table must have the columns of the model."
        ),
    ]
    table: TableName = None
    n_draws: Annotated[
        int,
        Field(
            ge=1,
            le=N_DRAWS_MAX,
            description="Number of imputations of each row (multiple imputation). For a table of n rows, "
            "row i of draw d becomes row d * n + i of the result. Rows and draws are numbered from 0.",
        ),
    ] = 1
    seed: Seed | None = None
    name: Annotated[
        Name | None,
        Field(description="Name of the imputed dataset. Derived from the source dataset's name if omitted."),
    ] = None
