"""Job kind `sample_shard`, which samples some of the rows of a sample as one Parquet file."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import models
from understudy.job_kinds import inputs
from understudy.job_kinds.base import JobContext, JobKind, Limits, Plan, StoredFile
from understudy.parameters.base import Json
from understudy.parameters.needs import Needs
from understudy.parameters.sample_shard import SampleShardParameters


def resolve(
    session: Session, project_id: UUID, parameters: SampleShardParameters, limits: Limits
) -> SampleShardParameters:
    """Return the parameters, which the job `sample` has already resolved."""
    return parameters


def needs(session: Session, project_id: UUID, parameters: SampleShardParameters) -> Needs:
    """Return the requirements of the model's synthesizer."""
    return inputs.needs_of_model(session, project_id, parameters.model_id)


def plan(session: Session, job: JobContext, parameters: SampleShardParameters, limits: Limits) -> Plan:
    """Return the model's file as input."""
    model = models.get(session, job.project_id, ids.from_text("model", parameters.model_id))
    stored = inputs.stored_file(session, job.project_id, model.job_id, "model")
    context = {"schema": model.dataset_schema, "roles": inputs.table_roles(model)}
    return Plan(inputs={"model": stored}, context=context)


def publish(
    session: Session,
    job: JobContext,
    parameters: SampleShardParameters,
    files: Mapping[str, StoredFile],
    facts: Json,
) -> Json:
    """Return the facts. The job `sample` adds the dataset when all shards have succeeded."""
    return facts


SAMPLE_SHARD = JobKind(
    name="sample_shard",
    summary="Sample some of the rows of a large sample.",
    parameters=SampleShardParameters,
    resolve=resolve,
    plan=plan,
    work="understudy.work.sample:work_shard",
    publish=publish,
    needs=needs,
)
