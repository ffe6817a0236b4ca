"""The definition of a kind of job: its parameters, inputs, work, and the rows that it adds on success.

`resolve` and `plan` run with access to the database. The work itself runs in the sandbox, with files, and
only its name is stored here. `publish` runs in the transaction that ends the job, so that a result is visible
if and only if its job has succeeded.
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
    """The limits from the settings that parameters are checked against."""

    upload_bytes_max: int
    dataset_rows_max: int
    dataset_columns_max: int
    sample_rows_max: int


@dataclass(frozen=True)
class StoredFile:
    """A blob that is an input or a stored result of the work."""

    storage_key: str
    sha256: bytes
    size_bytes: int


@dataclass(frozen=True)
class Plan:
    """The inputs of the work: blobs by role, and facts as JSON."""

    inputs: Mapping[str, StoredFile] = field(default_factory=dict)
    context: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """The estimated cost of a job, to an order of magnitude, and warnings for the caller."""

    cpu_seconds: float
    peak_memory_bytes: int
    size_bytes: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Phase:
    """A phase of the work, and its usual duration relative to the other phases.

    Parameters
    ----------
    is_steady : bool
        Whether the phase processes rows at a constant speed. The remaining time of the job is then estimated
        from this speed, which excludes the start of the work.
    """

    name: str
    weight: float
    is_steady: bool = False


@dataclass(frozen=True)
class JobContext:
    """The properties of a job that `plan` and `publish` receive."""

    id: UUID
    project_id: UUID
    labels: Mapping[str, str]
    planned_id: UUID | None = None


def needs_nothing_special(session: Session, project_id: UUID, parameters: JobParameters) -> Needs:
    """Return requirements that every worker meets, with the limits of the installation."""
    return NOTHING_SPECIAL


def no_phases(parameters: JobParameters) -> tuple[Phase, ...]:
    """Return no phases. The progress of the job is then the fraction that its work reports."""
    return ()


@dataclass(frozen=True)
class JobKind(Generic[P]):
    """One kind of job.

    Parameters
    ----------
    name : str
        The name, equal to the ``kind`` of the parameters.
    summary : str
        One sentence for the documentation.
    parameters : type
        The pydantic class of the parameters.
    resolve : callable (session, project_id, parameters, limits) -> parameters
        Checks the parameters against the database and the limits when the job is submitted, and fills in
        omitted values such as the seed. Raises `NotFound`, `Conflict`, `InvalidInput` or `TooLarge`.
    plan : callable (session, job, parameters, limits) -> Plan
        Returns the inputs of the work. Raises the same errors as `resolve` if an input was deleted in the
        meantime.
    work : str
        The function of the work as ``module:function`` in `understudy.work`, which only the sandbox loads. It
        has the signature (workspace, parameters) -> WorkResult.
    publish : callable (session, job, parameters, files, facts) -> Json
        Inserts the database rows that describe the result, and returns ``job.result``.
    abandon : callable (session, job, parameters, error_code, error_detail) -> None, optional
        Updates rows that wait for this job when it has failed or was cancelled.
    split : callable (parameters, n_rows) -> list of parameters, optional
        Returns the parameters for a job's shards, each with at most `n_rows` rows. If there are several
        shards, workers run them as separate jobs. The files of these jobs become the parts of the result.
    needs : callable (session, project_id, parameters) -> Needs
        Returns the limits of a job with resolved parameters, and its requirements for the worker.
    estimate : callable (session, project_id, parameters) -> Estimate, optional
        Returns the estimated cost of resolved parameters. None for a kind that callers cannot request.
    phases : callable (parameters) -> tuple of Phase
        Returns the phases that the work reports, in order. Phases of unknown duration are left out.
    """

    name: str
    summary: str
    parameters: type[P]
    resolve: Callable[[Session, UUID, P, Limits], P]
    plan: Callable[[Session, JobContext, P, Limits], Plan]
    work: str
    publish: Callable[[Session, JobContext, P, Mapping[str, StoredFile], Json], Json]
    abandon: Callable[[Session, JobContext, P, str, str], None] | None = None
    split: Callable[[P, int], list[JobParameters]] | None = None
    needs: Callable[[Session, UUID, P], Needs] = needs_nothing_special
    estimate: Callable[[Session, UUID, P], Estimate] | None = None
    phases: Callable[[P], tuple[Phase, ...]] = no_phases

    def payload(
        self,
        parameters: Json,
        inputs: Mapping[str, str],
        context: Json,
        sha256s: Mapping[str, str] | None = None,
    ) -> Json:
        """Return the input of the sandbox. `understudy.work.run.run_work` explains the fields."""
        return {
            "work": self.work,
            "parameters_type": f"{self.parameters.__module__}:{self.parameters.__qualname__}",
            "parameters": parameters,
            "inputs": dict(inputs),
            "sha256s": dict(sha256s or {}),
            "context": context,
        }
