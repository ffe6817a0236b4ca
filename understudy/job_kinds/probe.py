"""Job kind `probe`, which only waits. It checks that all parts of the service work together."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from understudy.job_kinds import cost_model
from understudy.job_kinds.base import Estimate, JobContext, JobKind, Limits, Plan, StoredFile
from understudy.parameters.base import Json
from understudy.parameters.needs import Needs
from understudy.parameters.probe import ProbeParameters

# Each of up to 2,400 checks of the clock takes a few milliseconds, or longer on a slow machine.
CPU_SECONDS_MAX = 60


def resolve(
    session: Session, project_id: UUID, parameters: ProbeParameters, limits: Limits
) -> ProbeParameters:
    """Return the unchanged parameters."""
    return parameters


def estimate(session: Session, project_id: UUID, parameters: ProbeParameters) -> Estimate:
    """Return the memory of the engine as the only cost because every job is forked from the engine."""
    return Estimate(cpu_seconds=0.0, peak_memory_bytes=cost_model.ENGINE_BYTES, size_bytes=0)


def needs(session: Session, project_id: UUID, parameters: ProbeParameters) -> Needs:
    """Return a low limit on CPU time."""
    return Needs(cpu_seconds_max=CPU_SECONDS_MAX)


def plan(session: Session, job: JobContext, parameters: ProbeParameters, limits: Limits) -> Plan:
    """Return an empty plan."""
    return Plan()


def publish(
    session: Session,
    job: JobContext,
    parameters: ProbeParameters,
    files: Mapping[str, StoredFile],
    facts: Json,
) -> Json:
    """Return an empty result."""
    return {}


PROBE = JobKind(
    name="probe",
    summary="Wait for a given time, to check that the API, database, broker and worker work together.",
    parameters=ProbeParameters,
    resolve=resolve,
    plan=plan,
    work="understudy.work.probe:work",
    publish=publish,
    needs=needs,
    estimate=estimate,
)
