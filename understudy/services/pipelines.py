"""Pipelines: jobs that train a model, sample from it and evaluate the sample, created with one request.

Each job but the first refers to a result that does not exist yet. The ID of this result is planned: the job
that creates the result is stored with this ID, and the later jobs wait for it (`waiting_jobs`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import planned_results
from understudy.db.session import transaction_failpoint
from understudy.errors import UnderstudyError
from understudy.job_kinds.sample import check_rows
from understudy.parameters.base import JobParameters
from understudy.parameters.evaluate import EvaluateParameters, EvaluateStage
from understudy.parameters.sample import SampleParameters, SampleStage
from understudy.parameters.train import TrainParameters, TrainStage
from understudy.resources import Resources
from understudy.services.job_records import limits_of
from understudy.services.jobs import add_job, check_quota, find_earlier, remember, resolve
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
        if earlier is not None:
            return _later_stages(session, earlier)
        stages = _stages(new)
        _check_sample(resources, new)
        check_quota(resources, session, project_id, len(stages))
        added = []
        for stage in stages:
            with _located(stage.parameters.kind):
                job = add_job(resources, session, project_id, stage.parameters, planned_id=stage.planned_id)
            added.append(job)
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


def _later_stages(session: Session, train: Job) -> list[Job]:
    """Return a `train` job and the later stages of its pipeline."""
    stages = [train]
    while texts := planned_results.text_ids_of([stages[-1].planned_id]):
        following = planned_results.first_referring(session, train.project_id, texts)
        if following is None:
            break
        stages.append(following)
    return stages
