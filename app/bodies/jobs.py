"""Bodies of jobs, their attempts and their events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, WithJsonSchema

from app.bodies.base import Body, Json, Page, Timestamp, known_values, without_nulls
from app.bodies.results import JobResult, job_result
from app.nearest import suggestion
from understudy import ids
from understudy.job_kinds import KINDS
from understudy.job_kinds.base import Estimate
from understudy.job_kinds.sample_shard import SAMPLE_SHARD
from understudy.parameters.base import STORED_APART, JobParameters

if TYPE_CHECKING:
    from understudy.db import orm

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
# Callers do not see the shards of a sample.
JOB_KINDS = [name for name in KINDS if name != SAMPLE_SHARD.name]


def _known_kind(text: str) -> str:
    if text not in JOB_KINDS:
        raise ValueError(
            f"Input should be one of {', '.join(JOB_KINDS)}.{suggestion(text, JOB_KINDS)}".rstrip(".?")
        )
    return text


JobKindName = Annotated[
    str, AfterValidator(_known_kind), WithJsonSchema({"type": "string", "enum": JOB_KINDS})
]


class JobFailure(Body):
    """Reason why a job failed, or why the dataset that it should have created is not available."""

    code: Annotated[
        str,
        Field(
            description="Stable error code. The documentation lists all codes, and more may be added.",
            examples=["ragged_rows"],
        ),
    ]
    detail: Annotated[
        str,
        Field(
            description="Human-readable description of the error.",
            examples=["Line 17 has 4 fields, but the header has 5."],
        ),
    ]

    @classmethod
    def of(cls, code: str | None, detail: str | None) -> Self | None:
        """Return the response body for an error, or None if there is no error code."""
        return None if code is None else cls(code=code, detail=detail or "")


class JobProgress(Body):
    """Progress of a job."""

    phase: Annotated[
        str, Field(description="Current phase of the work. More phases may be added.", examples=["fitting"])
    ]
    fraction: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Fraction of the job that is done. It never decreases during an attempt.",
            examples=[0.42],
        ),
    ]
    rows_done: Annotated[int | None, Field(description="Number of rows processed so far.")] = None
    rows_total: Annotated[int | None, Field(description="Total number of rows to process.")] = None
    eta_seconds: Annotated[
        float | None,
        Field(description="Estimated remaining time in seconds. Absent until an estimate is possible."),
    ] = None

    @classmethod
    def of(cls, row: orm.Job) -> Self | None:
        """Return the progress of a running or succeeded job, or None in the other states."""
        if row.state == "running":
            return cls(**row.progress) if row.progress else cls(phase="starting", fraction=0.0)
        if row.state != "succeeded":
            return None
        # The last progress of a running job is out of date after the job has succeeded.
        n_rows = (row.progress or {}).get("rows_total")
        return cls(phase="done", fraction=1.0, rows_done=n_rows, rows_total=n_rows, eta_seconds=0.0)


class JobAttempt(Body):
    """One attempt by a worker to run a job."""

    attempt: Annotated[int, Field(examples=[1])]
    shard: Annotated[
        int | None,
        Field(
            description="Number of the shard, if the job is a large sample that is split into shards.",
            examples=[3],
        ),
    ] = None
    worker: Annotated[str, Field(examples=["worker@host"])]
    started_at: Timestamp
    ended_at: Timestamp | None = None
    outcome: Annotated[
        str | None,
        Field(description="Outcome of the attempt. More outcomes may be added.", examples=["succeeded"]),
    ] = None
    error_code: str | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None

    @classmethod
    def of(cls, row: orm.JobAttempt, shard: int | None = None) -> Self:
        """Return the response body for a database row."""
        fields = {name: getattr(row, name) for name in cls.model_fields if name != "shard"}
        return cls(**fields, shard=shard)


class Job(Body):
    """A job: one unit of asynchronous work."""

    id: Annotated[str, Field(examples=["job_01kaz7m2q6f4w8y2z0a5c7e9gh"])]
    kind: Annotated[
        str, known_values(*JOB_KINDS), Field(description="Kind of the job. More kinds may be added.")
    ]
    state: Annotated[
        str,
        known_values(*get_args(JobState)),
        Field(description="State of the job. `succeeded`, `failed` and `cancelled` are final."),
    ]
    parameters: Annotated[
        Json, Field(description="Resolved parameters, including values chosen by the service.")
    ]
    labels: dict[str, str]
    priority: Annotated[
        int,
        Field(
            description="Priority among the queued jobs of the project. Jobs with a higher priority "
            "run first.",
            examples=[0],
        ),
    ]
    progress: Annotated[JobProgress | None, Field(description="Progress of a running or succeeded job.")] = (
        None
    )
    result: Annotated[
        JobResult | None,
        Field(description="Result of a succeeded job. The kind of the job determines its fields."),
    ] = None
    error: Annotated[
        JobFailure | None, Field(description="Reason why the job is `failed` or `cancelled`.")
    ] = None
    attempts: Annotated[
        list[JobAttempt] | None,
        Field(
            description="Attempts to run the job, oldest first, followed by the attempts to run its shards. "
            "Omitted from lists of jobs."
        ),
    ] = None
    created_at: Timestamp
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    cancel_requested_at: Timestamp | None = None
    erased_at: Annotated[
        Timestamp | None,
        Field(
            description="Time at which data that the job used or created was deleted. Since then, the "
            "parameters and the result of the job contain only IDs, and its error has no detail."
        ),
    ] = None
    expires_at: Annotated[Timestamp, Field(description="Time at which the job fails if it is still queued.")]

    @classmethod
    def of(cls, row: orm.Job, attempts: list[JobAttempt] | None = None) -> Self:
        """Return the response body for a database row."""
        return cls(
            id=ids.to_text("job", row.id),
            kind=row.kind,
            state=row.state,
            parameters=without_nulls(row.parameters),
            labels=row.labels,
            priority=row.priority,
            progress=JobProgress.of(row),
            result=job_result(row.kind, row.result),
            error=JobFailure.of(row.error_code, row.error_detail),
            attempts=attempts,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            cancel_requested_at=row.cancel_requested_at,
            erased_at=row.erased_at,
            expires_at=row.expires_at,
        )


class JobPage(Page):
    """A page of jobs, newest first."""

    data: list[Job]


class JobEstimate(Body):
    """Estimated cost of a job. Treat the values as orders of magnitude. Memory tends to be overestimated."""

    cpu_seconds: Annotated[float, Field(examples=[12.5])]
    peak_memory_bytes: Annotated[int, Field(examples=[800_000_000])]
    size_bytes: Annotated[
        int, Field(description="Size of the files that the job stores, in bytes.", examples=[5_000_000])
    ]


class ValidatedJob(Body):
    """The resolved parameters and the cost estimate of a job that was validated but not created."""

    parameters: Annotated[
        Json, Field(description="Resolved parameters, including values chosen by the service.")
    ]
    estimate: Annotated[JobEstimate, Field(description="Estimated cost of the job.")]
    warnings: Annotated[list[str], Field(description="Warnings about the job. Empty if there are none.")]

    @classmethod
    def of(cls, parameters: JobParameters, estimate: Estimate) -> Self:
        """Return the response body for resolved parameters and their estimate."""
        return cls(
            parameters=parameters.model_dump(mode="json", exclude=STORED_APART, exclude_none=True),
            estimate=JobEstimate(
                cpu_seconds=round(estimate.cpu_seconds, 1),
                peak_memory_bytes=estimate.peak_memory_bytes,
                size_bytes=estimate.size_bytes,
            ),
            warnings=list(estimate.warnings),
        )


class JobEvent(Body):
    """An event of a job, such as a change of its state."""

    id: Annotated[
        str,
        Field(
            description="ID of the event, which is its number within the job. To resume the stream after "
            "this event, send the ID as `Last-Event-ID`.",
            examples=["1"],
            json_schema_extra={"pattern": "^[0-9]{1,18}$"},
        ),
    ]
    type: Annotated[
        str, Field(description="Type of the event. More types may be added.", examples=["running"])
    ]
    attempt: int | None = None
    data: Json
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm.JobEvent, number: int) -> Self:
        """Return the response body for an event's database row and its number within the job."""
        return cls(
            id=str(number),
            type=row.type,
            attempt=row.attempt,
            data=without_nulls(row.data),
            created_at=row.created_at,
        )


class JobEventPage(Page):
    """A page of a job's events, oldest first."""

    data: list[JobEvent]
