"""Parameters of `train` jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.parameters.base import JobParameters, Name, Seed, TableName
from understudy.parameters.synthesizers import AnySynthesizer, default_synthesizer, show_default


class CanaryParameters(BaseModel):
    """Parameters of canaries: fictional training rows that test whether a sample reveals training rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_canaries: Annotated[
        int, Field(ge=10, le=10_000, description="Number of canaries to add.", examples=[50])
    ]
    n_repeats: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Number of times that each canary is added. Repeated rows are memorized more easily.",
        ),
    ] = 1


class TrainStage(BaseModel):
    """Parameters of the training in a pipeline."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: TableName = None
    synthesizer: Annotated[
        AnySynthesizer,
        Field(
            description="Synthesizer and its parameters.",
            default_factory=default_synthesizer,
            json_schema_extra=show_default,
        ),
    ]
    seed: Seed | None = None
    holdout_fraction: Annotated[
        float,
        Field(
            ge=0,
            le=0.5,
            description=(
                "Fraction of the rows to hold out from training. Privacy metrics compare the held-out rows "
                "with the training rows."
            ),
        ),
    ] = 0.2
    canaries: Annotated[
        CanaryParameters | None,
        Field(
            description="Fictional rows (canaries) to add to the training rows. `evaluate` then measures "
            "how well an attacker distinguishes the added canaries from canaries that were not "
            "added. Canaries slightly reduce"
            " fidelity."
        ),
    ] = None
    name: Annotated[
        Name | None, Field(description="Name of the model. Defaults to the name of the table or dataset.")
    ] = None


class TrainParameters(JobParameters, TrainStage):
    """Parameters of a job that trains a synthesizer on a dataset."""

    kind: Literal["train"]
    dataset_id: Annotated[
        str, Field(description="ID of the dataset to train on.", examples=["ds_01kaz7m2q5…"])
    ]
