"""Parameters of kind `train`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.parameters.base import JobParameters, Name, Seed, TableName
from understudy.parameters.synthesizers import AnySynthesizer, default_synthesizer, show_default


class CanaryParameters(BaseModel):
    """Made-up rows to plant among those that are learnt from, so that a report can look for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_canaries: Annotated[int, Field(ge=10, le=10_000, examples=[50])]
    n_repeats: Annotated[
        int, Field(ge=1, le=100, description="How often each is planted: what is repeated is learnt sooner.")
    ] = 1


class TrainParameters(JobParameters):
    """Fit a synthesizer to a dataset."""

    kind: Literal["train"]
    dataset_id: Annotated[str, Field(description="What to learn from.", examples=["ds_01kaz7m2q5…"])]
    table: TableName = None
    synthesizer: Annotated[
        AnySynthesizer,
        Field(
            description="The algorithm and its settings.",
            default_factory=default_synthesizer,
            json_schema_extra=show_default,
        ),
    ]
    seed: Seed | None = None
    holdout_fraction: Annotated[
        float, Field(ge=0, le=0.5, description="Share of the rows set aside, to measure privacy against.")
    ] = 0.2
    canaries: Annotated[
        CanaryParameters | None,
        Field(
            description="Made-up rows to learn as well: `evaluate` then tells how well an attacker finds"
            " those that were planted among those that were not. They cost a little fidelity."
        ),
    ] = None
    name: Annotated[Name | None, Field(description="Of the model; the dataset's if left out.")] = None
