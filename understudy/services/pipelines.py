"""Pipelines: jobs that train a model, sample from it and evaluate the sample, created with one request.

The jobs have the ID of the pipeline, which has no row of its own. Each job but the first refers to a result
that does not exist yet. Its ID is planned: the job that creates the result is stored with this ID, and the
later jobs wait for it (`waiting_jobs`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from understudy import ids
from understudy.db import jobs, pipelines
from understudy.db.session import transaction_failpoint
from understudy.errors import Conflict, UnderstudyError
from understudy.job_kinds.sample import check_rows
from understudy.parameters.base import JobParameters
from understudy.parameters.evaluate import EvaluateParameters, EvaluateStage
from understudy.parameters.sample import SampleParameters, SampleStage
from understudy.parameters.train import TrainParameters, TrainStage
from understudy.resources import Resources
from understudy.services.job_records import abandon_job, limits_of
from understudy.services.jobs import (
    PipelinePlace,
    add_job,
    check_quota,
    find_earlier,
    remember,
    resolve,
)
from understudy.synthesizers import synthesizer_entry
from understudy.synthesizers.base import unsupported_by_synthesizer

if TYPE_CHECKING:
    from understudy.db.orm import Job


@dataclass(frozen=True)
class NewPipeline:
    """A pipeline on a dataset. Without `evaluate`, it ends with the sample.

    Parameters
    ----------
    labels, priority : mapping, int
        Labels and priority of all jobs.
    """

    dataset_id: str
    train: TrainStage
    sample: SampleStage
    evaluate: EvaluateStage | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0


@dataclass(frozen=True)
class _Stage:
    parameters: JobParameters
    planned_id: UUID | None


def create_pipeline(
    resources: Resources, project_id: UUID, new: NewPipeline, *, idempotency_key: str | None = None
) -> list[Job]:
    """Add the jobs of a pipeline in one transaction, and return them in order.

    Parameters
    ----------
    idempotency_key : str, optional
        A key that `idempotency.begin` has marked. If an interrupted request with the same key has added the
        jobs, those jobs are returned.

    Raises
    ------
    NotFound, Conflict, InvalidInput, TooLarge
        If the parameters of a stage are invalid. The dataset may still be pending.
    TooManyRequests
        If the jobs would exceed the project's limit of queued jobs.
    """
    with resources.sessions.begin() as session:
        earlier = find_earlier(session, project_id, idempotency_key)
        if earlier is not None and earlier.pipeline_id is not None:
            return pipelines.get(session, project_id, earlier.pipeline_id)
        stages = _stages(new)
        _check_sample(resources, new)
        check_quota(resources, session, project_id, len(stages))
        added, pipeline_id = [], ids.new_id()
        for stage in stages:
            place = PipelinePlace(pipeline_id, stage.planned_id)
            with _located(stage.parameters.kind):
                added.append(add_job(resources, session, project_id, stage.parameters, place=place))
        remember(session, added[0], idempotency_key)
        transaction_failpoint(session, "submit.before_commit")
    resources.queue.ring(queue=added[0].queue)
    return added


def validate_pipeline(resources: Resources, project_id: UUID, new: NewPipeline) -> list[JobParameters]:
    """Return the parameters of the stages. Raise the same errors as `create_pipeline`, but change nothing.

    Only the parameters of the training are resolved because the other stages need its model.

    Raises
    ------
    Conflict
        If the dataset is still pending.
    """
    train, *others = (stage.parameters for stage in _stages(new))
    _check_sample(resources, new)
    with resources.sessions() as session, _located("train"):
        return [resolve(resources, session, project_id, train), *others]


def cancel_pipeline(resources: Resources, project_id: UUID, pipeline_id: UUID) -> list[Job]:
    """Cancel the queued jobs of a pipeline immediately, and request that a running job stop.

    Repeated calls have no effect.

    Raises
    ------
    NotFound
        If the project has no such pipeline.
    Conflict
        If the pipeline has succeeded or failed.
    """
    with resources.sessions.begin() as session:
        stages = pipelines.lock(session, project_id, pipeline_id)
        active = [job for job in stages if job.state in jobs.ACTIVE_STATES]
        if not active and state_of(stages) != "cancelled":
            raise Conflict(
                f"Pipeline {ids.to_text('pipeline', pipeline_id)} has already {state_of(stages)}, so it "
                "cannot be cancelled. No action is needed.",
                code="already_finished",
            )
        # The last job is the first to be cancelled, so that no job ends because of an earlier one.
        for job in reversed(active):
            abandon_job(session, jobs.request_cancel(session, project_id, job.id))
        transaction_failpoint(session, "cancel.before_commit")
        return pipelines.get(session, project_id, pipeline_id)


def state_of(stages: Sequence[Job]) -> str:
    """Return the state of a pipeline, which is the state that a job with the same work would have."""
    states = {job.state for job in stages}
    if states & set(jobs.ACTIVE_STATES):
        return "queued" if states == {"queued"} else "running"
    return next(state for state in ("failed", "cancelled", "succeeded") if state in states)


def _stages(new: NewPipeline) -> list[_Stage]:
    model_id, sample_id = ids.new_id(), ids.new_id()
    common = {"labels": dict(new.labels), "priority": new.priority}
    train = TrainParameters(kind="train", dataset_id=new.dataset_id, **_given(new.train), **common)
    sample = SampleParameters(
        kind="sample", model_id=ids.to_text("model", model_id), **_given(new.sample), **common
    )
    if new.evaluate is None:
        return [_Stage(train, model_id), _Stage(sample, None)]
    evaluate = EvaluateParameters(
        kind="evaluate",
        dataset_id=new.dataset_id,
        synthetic_dataset_id=ids.to_text("dataset", sample_id),
        table=new.train.table,
        **_given(new.evaluate),
        **common,
    )
    return [_Stage(train, model_id), _Stage(sample, sample_id), _Stage(evaluate, None)]


# `Any` is the value of a parameter.
def _given(stage: TrainStage | SampleStage | EvaluateStage) -> dict[str, Any]:
    return {name: getattr(stage, name) for name in stage.model_fields_set}


def _check_sample(resources: Resources, new: NewPipeline) -> None:
    """Check the parameters of the sample as far as possible without its model."""
    name = new.train.synthesizer.name
    if new.sample.constraints is not None and not synthesizer_entry(name).capabilities.constraints:
        raise unsupported_by_synthesizer(name)
    with _located("sample"):
        check_rows(new.sample, limits_of(resources.limits))


@contextmanager
def _located(stage: str) -> Iterator[None]:
    """Add the name of a stage to the pointer of an error, except for the dataset, which all stages share."""
    try:
        yield
    except UnderstudyError as error:
        if error.pointer is not None and error.pointer != "/dataset_id":
            error.pointer = f"/{stage}{error.pointer}"
        raise
