"""What a kind of job is: parameters, what it reads, the work itself, and the rows that its success adds.

`resolve` and `plan` run where the database is; the work, which is named only, runs in the sandbox with files;
`publish` runs in the very transaction that ends the job, so that a result is visible exactly when its job has
succeeded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from understudy.parameters.base import JobParameters, Json
from understudy.parameters.needs import NOTHING_SPECIAL, Needs

P = TypeVar("P", bound=JobParameters)


@dataclass(frozen=True)
class Limits:
    """The limits that parameters are checked against, from the settings."""

    upload_bytes_max: int
    dataset_rows_max: int
    dataset_columns_max: int
    sample_rows_max: int


@dataclass(frozen=True)
class StoredFile:
    """A blob that the work reads, or one that it left behind and that is now stored."""

    storage_key: str
    sha256: bytes
    size_bytes: int


@dataclass(frozen=True)
class Plan:
    """What the work is given: blobs by role, and facts as JSON."""

    inputs: Mapping[str, StoredFile] = field(default_factory=dict)
    context: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """What a job is likely to take, to its order of magnitude, and what its caller should know beforehand."""

    cpu_seconds: float
    peak_memory_bytes: int
    size_bytes: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobContext:
    """What `plan` and `publish` may know of the job they serve."""

    id: UUID
    project_id: UUID
    labels: Mapping[str, str]


def needs_nothing_special(session: Session, project_id: UUID, parameters: JobParameters) -> Needs:
    """Return that any worker can do the work, within the limits of the installation."""
    return NOTHING_SPECIAL


@dataclass(frozen=True)
class JobKind(Generic[P]):
    """One member of the family.

    Parameters
    ----------
    name : str
        As in ``kind`` of the parameters.
    summary : str
        One sentence for the documentation.
    parameters : type
        The pydantic model of the request.
    resolve : callable (session, project_id, parameters, limits) -> parameters
        Check the parameters against the database and the limits when the job is submitted, and fill in what
        the caller left open (such as the seed). Raises `NotFound`, `Conflict`, `InvalidInput`, `TooLarge`.
    plan : callable (session, job, parameters, limits) -> Plan
        Say what the work reads; raises as `resolve` if that has gone meanwhile.
    work : str
        ``module:function`` in `understudy.work`, which only the sandbox loads: (workspace, parameters) ->
        WorkResult.
    publish : callable (session, job, parameters, files, facts) -> Json
        Add the rows that show the result; what it returns becomes ``job.result``.
    abandon : callable (session, job, parameters, error_code, error_detail) -> None, optional
        Settle rows that were waiting for this job when it has failed or was cancelled.
    needs : callable (session, project_id, parameters) -> Needs
        Say which class of workers, and which limits, the work of resolved parameters needs.
    estimate : callable (session, project_id, parameters) -> Estimate, optional
        Say what resolved parameters will take. None for a kind that nobody asks for by itself.
    """

    name: str
    summary: str
    parameters: type[P]
    resolve: Callable[[Session, UUID, P, Limits], P]
    plan: Callable[[Session, JobContext, P, Limits], Plan]
    work: str
    publish: Callable[[Session, JobContext, P, Mapping[str, StoredFile], Json], Json]
    abandon: Callable[[Session, JobContext, P, str, str], None] | None = None
    needs: Callable[[Session, UUID, P], Needs] = needs_nothing_special
    estimate: Callable[[Session, UUID, P], Estimate] | None = None

    def payload(self, parameters: Json, inputs: Mapping[str, str], context: Json) -> Json:
        """Return what the sandbox is given: `understudy.work.run.run_work` explains the fields."""
        return {
            "work": self.work,
            "parameters_type": f"{self.parameters.__module__}:{self.parameters.__qualname__}",
            "parameters": parameters,
            "inputs": dict(inputs),
            "context": context,
        }
