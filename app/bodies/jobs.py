"""Bodies of jobs, their attempts and their events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import ConfigDict, Field

from app.bodies.base import Body, Json, Page, Timestamp, without_nulls
from understudy import ids
from understudy.job_kinds.base import Estimate
from understudy.parameters.base import JobParameters

if TYPE_CHECKING:
    from understudy.db import orm

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class JobFailure(Body):
    """Why a job, or the dataset that waited for it, failed."""

    code: Annotated[
        str, Field(description="Stable; see `docs/reference/errors.md`.", examples=["ragged_rows"])
    ]
    detail: Annotated[str, Field(examples=["Line 17 has 4 fields, the header has 5."])]

    @classmethod
    def of(cls, code: str | None, detail: str | None) -> Self | None:
        """Return the failure, if there was one."""
        return None if code is None else cls(code=code, detail=detail or "")


class JobProgress(Body):
    """How far a running job is."""

    phase: Annotated[str, Field(description="A word of the domain; more may be added.", examples=["fitting"])]
    fraction: Annotated[float, Field(ge=0, le=1, examples=[0.42])]
    rows_done: int | None = None
    rows_total: int | None = None
    eta_seconds: float | None = None


class JobAttempt(Body):
    """One claim of a job by a worker."""

    attempt: Annotated[int, Field(examples=[1])]
    worker: Annotated[str, Field(examples=["worker@host"])]
    started_at: Timestamp
    ended_at: Timestamp | None = None
    outcome: Annotated[
        str | None, Field(description="How it ended; outcomes may be added.", examples=["succeeded"])
    ] = None
    error_code: str | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None

    @classmethod
    def of(cls, row: orm.JobAttempt) -> Self:
        """Return the body of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class SampleGroup(Body):
    """The rows of a condition, or of a value of a rebalanced column."""

    n_rows: Annotated[int, Field(description="How many were asked for.", examples=[5000])]
    effective_sample_size: Annotated[
        int,
        Field(
            description="How many independent rows they are worth: few, if the model knows few such rows.",
            examples=[1800],
        ),
    ]


class JobResult(Body):
    """What a job that has succeeded left behind; which of these depends on its kind."""

    model_config = ConfigDict(extra="allow")

    dataset_id: Annotated[str | None, Field(description="Of `ingest`, `sample` and `impute`.")] = None
    model_id: Annotated[str | None, Field(description="Of `train`.")] = None
    report_id: Annotated[str | None, Field(description="Of `evaluate`.")] = None
    verdict: Annotated[
        str | None, Field(description="Of `evaluate`: `pass`, `warn` or `fail`.", examples=["pass"])
    ] = None
    groups: Annotated[
        list[SampleGroup] | None,
        Field(description="Of a `sample` with conditions or other shares: its groups, in their order."),
    ] = None
    warnings: Annotated[
        list[str] | None, Field(description="What to know of the result, in words; not of every kind.")
    ] = None


class Job(Body):
    """One asynchronous run."""

    id: Annotated[str, Field(examples=["job_01kaz7m2q6f4w8y2z0a5c7e9gh"])]
    kind: Annotated[str, Field(description="Kinds may be added.", examples=["train"])]
    state: Annotated[JobState, Field(description="The last three are final.")]
    parameters: Annotated[Json, Field(description="As resolved: with what was left open filled in.")]
    labels: dict[str, str]
    progress: JobProgress | None = None
    result: JobResult | None = None
    error: Annotated[JobFailure | None, Field(description="Why it is `failed` or `cancelled`.")] = None
    attempts: Annotated[
        list[JobAttempt] | None, Field(description="Claims by workers, in order; not in lists.")
    ] = None
    created_at: Timestamp
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    cancel_requested_at: Timestamp | None = None
    expires_at: Annotated[Timestamp, Field(description="When it fails if it still waits then.")]

    @classmethod
    def of(cls, row: orm.Job, attempts: list[orm.JobAttempt] | None = None) -> Self:
        """Return the body of a row."""
        return cls(
            id=ids.to_text("job", row.id),
            kind=row.kind,
            state=row.state,
            parameters=without_nulls(row.parameters),
            labels=row.labels,
            progress=None if row.progress is None else JobProgress(**row.progress),
            result=None if row.result is None else JobResult(**row.result),
            error=JobFailure.of(row.error_code, row.error_detail),
            attempts=None if attempts is None else [JobAttempt.of(attempt) for attempt in attempts],
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            cancel_requested_at=row.cancel_requested_at,
            expires_at=row.expires_at,
        )


class JobPage(Page):
    """A page of jobs, newest first."""

    data: list[Job]


class JobEstimate(Body):
    """What a job is likely to take: orders of magnitude, memory on the high side."""

    cpu_seconds: Annotated[float, Field(examples=[12.5])]
    peak_memory_bytes: Annotated[int, Field(examples=[800_000_000])]
    size_bytes: Annotated[int, Field(description="Of what the job leaves.", examples=[5_000_000])]


class ValidatedJob(Body):
    """The resolved parameters and the cost estimate of a job that was validated but not created."""

    parameters: Annotated[Json, Field(description="As resolved: with what was left open filled in.")]
    estimate: Annotated[JobEstimate, Field(description="What the job is likely to take.")]
    warnings: Annotated[list[str], Field(description="What to know beforehand; empty if there is nothing.")]

    @classmethod
    def of(cls, parameters: JobParameters, estimate: Estimate) -> Self:
        """Return the body of resolved parameters."""
        return cls(
            parameters=parameters.model_dump(mode="json", exclude={"labels"}, exclude_none=True),
            estimate=JobEstimate(
                cpu_seconds=round(estimate.cpu_seconds, 1),
                peak_memory_bytes=estimate.peak_memory_bytes,
                size_bytes=estimate.size_bytes,
            ),
            warnings=list(estimate.warnings),
        )


class JobEvent(Body):
    """Something that happened to a job."""

    id: Annotated[str, Field(description="Grows with time; to go on after it, send it as Last-Event-ID.")]
    type: Annotated[str, Field(description="Types may be added.", examples=["running"])]
    attempt: int | None = None
    data: Json
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm.JobEvent) -> Self:
        """Return the body of a row."""
        return cls(
            id=str(row.id),
            type=row.type,
            attempt=row.attempt,
            data=without_nulls(row.data),
            created_at=row.created_at,
        )


class JobEventPage(Page):
    """A page of a job's events, oldest first."""

    data: list[JobEvent]
