"""Parameters of `sample_shard` jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from understudy.parameters.base import JobParameters
from understudy.parameters.sample import SampleParameters


class SampleShardParameters(JobParameters):
    """Parameters of a job that generates some of the rows in a sample. Only Understudy creates these jobs."""

    kind: Literal["sample_shard"]
    model_id: Annotated[str, Field(description="ID of the model to sample from.")]
    sample: Annotated[SampleParameters, Field(description="Resolved parameters of the whole sample.")]
    start: Annotated[int, Field(ge=0, description="Number of the sample's rows that precede this shard.")]
    n_rows: Annotated[int, Field(ge=1, description="Number of rows in this shard.")]
