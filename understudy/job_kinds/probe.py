"""Kind `probe`: a job that does nothing, to see that API, database, broker and worker work together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import Field

from understudy.job_kinds import estimates
from understudy.job_kinds.base import (
    Estimate,
    Job,
    JobKind,
    JobParameters,
    Json,
    Limits,
    Plan,
    StoredFile,
    WorkResult,
    Workspace,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

STEP_SECONDS = 0.25


class ProbeParameters(JobParameters):
    """Do nothing, for some time."""

    kind: Literal["probe"]
    seconds: Annotated[float, Field(ge=0, le=600, description="How long to do nothing.")] = 0.0


def resolve(
    session: Session, project_id: UUID, parameters: ProbeParameters, limits: Limits
) -> ProbeParameters:
    """Return the parameters: there is nothing to check."""
    return parameters


def estimate(session: Session, project_id: UUID, parameters: ProbeParameters) -> Estimate:
    """Return nothing but the memory of the engine, which every job is forked from."""
    return Estimate(cpu_seconds=0.0, peak_memory_bytes=estimates.ENGINE_BYTES, size_bytes=0)


def plan(session: Session, job: Job, parameters: ProbeParameters, limits: Limits) -> Plan:
    """Return an empty plan."""
    return Plan()


def work(workspace: Workspace, parameters: ProbeParameters) -> WorkResult:
    """Wait."""
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < parameters.seconds:
        workspace.progress("waiting", elapsed / parameters.seconds)
        time.sleep(min(STEP_SECONDS, parameters.seconds - elapsed))
    return WorkResult()


def publish(
    session: Session, job: Job, parameters: ProbeParameters, files: Mapping[str, StoredFile], facts: Json
) -> Json:
    """Return an empty result."""
    return {}


PROBE = JobKind(
    name="probe",
    summary="Do nothing, to see that API, database, broker and worker work together.",
    parameters=ProbeParameters,
    resolve=resolve,
    plan=plan,
    work=work,
    publish=publish,
    estimate=estimate,
)
