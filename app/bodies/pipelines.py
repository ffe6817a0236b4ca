"""Bodies of pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Json, without_nulls
from understudy import ids
from understudy.parameters.base import STORED_APART, JobParameters, Labels, Priority
from understudy.parameters.evaluate import EvaluateStage
from understudy.parameters.sample import SampleStage
from understudy.parameters.train import TrainStage
from understudy.services.pipelines import NewPipeline

if TYPE_CHECKING:
    from understudy.db import orm


class CreatePipeline(BaseModel):
    """Request for a pipeline: train a model, sample from it, and evaluate the sample."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"dataset_id": "ds_01kaz7m2q5e1h9v3x8r6t4n0bc", "sample": {"n_rows": 1000}, "evaluate": {}}
            ]
        },
    )

    dataset_id: Annotated[str, Field(description="ID of the dataset. It may still be pending.")]
    train: Annotated[TrainStage, Field(default_factory=TrainStage, description="Parameters of the training.")]
    sample: Annotated[SampleStage, Field(description="Parameters of the sample.")]
    evaluate: Annotated[
        EvaluateStage | None,
        Field(description="Parameters of the evaluation. If omitted, there is no report."),
    ] = None
    labels: Labels = {}
    priority: Priority = 0

    def pipeline(self) -> NewPipeline:
        """Return the pipeline."""
        return NewPipeline(**{name: getattr(self, name) for name in type(self).model_fields})


class PipelineStage(Body):
    """A job that is a stage of a pipeline."""

    kind: Annotated[str, Field(description="Kind of the job.", examples=["train"])]
    job_id: Annotated[
        str | None, Field(description="ID of the job. Absent if the pipeline was only validated.")
    ] = None
    parameters: Annotated[
        Json, Field(description="Parameters of the job, which are resolved once its inputs exist.")
    ]


class Pipeline(Body):
    """The stages of a pipeline, in order."""

    stages: list[PipelineStage]

    @classmethod
    def of(cls, rows: list[orm.Job]) -> Self:
        """Return the response body for the jobs of a pipeline."""
        return cls(
            stages=[
                PipelineStage(
                    kind=row.kind,
                    job_id=ids.to_text("job", row.id),
                    parameters=without_nulls(row.parameters),
                )
                for row in rows
            ]
        )

    @classmethod
    def of_validated(cls, stages: list[JobParameters]) -> Self:
        """Return the response body for a pipeline that was validated but not created."""
        return cls(
            stages=[
                PipelineStage(
                    kind=parameters.kind,
                    parameters=parameters.model_dump(mode="json", exclude=STORED_APART, exclude_none=True),
                )
                for parameters in stages
            ]
        )
