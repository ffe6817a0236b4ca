"""Bodies of pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Self, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Json, Page, Timestamp, known_values
from app.bodies.jobs import Job, JobState
from understudy import ids
from understudy.db.jobs import TERMINAL_STATES
from understudy.parameters.base import STORED_APART, JobParameters, Labels, Priority
from understudy.parameters.evaluate import EvaluateStage
from understudy.parameters.sample import SampleStage
from understudy.parameters.train import TrainStage
from understudy.services.pipelines import NewPipeline, state_of

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
    """A stage of a pipeline that was validated but not created."""

    kind: Annotated[str, Field(description="Kind of the job.", examples=["train"])]
    parameters: Annotated[
        Json, Field(description="Parameters of the job, which are resolved once its inputs exist.")
    ]


class ValidatedPipeline(Body):
    """The stages of a pipeline that was validated but not created."""

    stages: list[PipelineStage]

    @classmethod
    def of(cls, stages: list[JobParameters]) -> Self:
        """Return the response body for the parameters of the stages."""
        return cls(
            stages=[
                PipelineStage(
                    kind=parameters.kind,
                    parameters=parameters.model_dump(mode="json", exclude=STORED_APART, exclude_none=True),
                )
                for parameters in stages
            ]
        )


class Pipeline(Body):
    """Jobs that train a model, sample from it and evaluate the sample."""

    id: Annotated[str, Field(examples=["pip_01kaz7m2q6f4w8y2z0a5c7e9gh"])]
    state: Annotated[
        str,
        known_values(*get_args(JobState)),
        Field(description="State of the pipeline. `succeeded`, `failed` and `cancelled` are final."),
    ]
    labels: Annotated[dict[str, str], Field(description="Labels of the first stage.")]
    stages: Annotated[list[Job], Field(description="Jobs of the pipeline, in order, without attempts.")]
    created_at: Timestamp
    finished_at: Annotated[Timestamp | None, Field(description="Time at which the last job finished.")] = None

    @classmethod
    def of(cls, rows: Sequence[orm.Job]) -> Self:
        """Return the response body for the jobs of a pipeline."""
        first, state = rows[0], state_of(rows)
        assert first.pipeline_id is not None
        ends = [row.finished_at for row in rows if row.finished_at is not None]
        return cls(
            id=ids.to_text("pipeline", first.pipeline_id),
            state=state,
            labels=first.labels,
            stages=[Job.of(row) for row in rows],
            created_at=first.created_at,
            finished_at=max(ends) if state in TERMINAL_STATES else None,
        )


class PipelinePage(Page):
    """A page of pipelines, newest first."""

    data: list[Pipeline]
