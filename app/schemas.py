"""Bodies of answers, and of the requests that are not a job's own parameters.

Ids are text, times RFC 3339 in UTC; what is not known is left out rather than null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.project_schemas import DatasetQuarantine, QuarantineRelease, VerdictSummary
from app.service_schemas import Body, Timestamp
from app.table_schemas import TableSchema
from understudy import ids
from understudy.job_kinds.base import Estimate
from understudy.parameters.base import JobParameters, Labels, Name

if TYPE_CHECKING:
    from understudy.db import orm

Json = dict[str, JsonValue]

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
DatasetState = Literal["pending", "ready", "failed"]


class JobFailure(Body):
    """Why a job, or the dataset that waited for it, failed."""

    code: Annotated[str, Field(description="Stable; see `docs/errors.md`.", examples=["ragged_rows"])]
    detail: Annotated[str, Field(examples=["Line 17 has 4 fields, the header has 5."])]

    @classmethod
    def of(cls, code: str | None, detail: str | None) -> Self | None:
        """Return the failure, if there was one."""
        return None if code is None else cls(code=code, detail=detail or "")


class DatasetTable(Body):
    """One of the several tables of a dataset; sizes are known when the dataset is `ready`."""

    name: Annotated[str, Field(examples=["orders"])]
    format: Annotated[str, Field(description="Format in which it came.", examples=["csv"])]
    n_rows: Annotated[int | None, Field(examples=[336776])] = None
    n_columns: Annotated[int | None, Field(examples=[19])] = None
    size_bytes: Annotated[int | None, Field(description="Size of the stored Parquet.")] = None

    @classmethod
    def of(cls, row: orm.DatasetTable) -> Self:
        """Return the body of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class Dataset(Body):
    """A stored table, or several: uploaded, synthetic, or completed, which holds real rows."""

    id: Annotated[str, Field(examples=["ds_01kaz7m2q5e1h9v3x8r6t4n0bc"])]
    name: Annotated[str, Field(examples=["flights"])]
    state: Annotated[DatasetState, Field(description="Only what is `ready` can be used and downloaded.")]
    origin: Annotated[str, Field(description="`upload`, `sample` or `imputation`.", examples=["upload"])]
    format: Annotated[
        str, Field(description="Format in which it came; `mixed` if its tables differ.", examples=["csv"])
    ]
    labels: dict[str, str]
    n_rows: Annotated[int | None, Field(description="Of its only table.", examples=[336776])] = None
    n_columns: Annotated[int | None, Field(description="Of its only table.", examples=[19])] = None
    size_bytes: Annotated[int | None, Field(description="Size of the stored Parquet, of all tables.")] = None
    tables: Annotated[
        list[DatasetTable] | None, Field(description="Its tables, if it has several, in their order.")
    ] = None
    error: Annotated[JobFailure | None, Field(description="Why it is `failed`.")] = None
    job_id: Annotated[str, Field(description="The job that made it.", examples=["job_01kaz7m2q6…"])]
    model_id: Annotated[str | None, Field(description="The model that it was made with.")] = None
    source_dataset_id: Annotated[
        str | None, Field(description="Of an imputation: the dataset whose rows it completes.")
    ] = None
    quarantine: Annotated[
        DatasetQuarantine | None,
        Field(description="Why a sample can be neither downloaded nor learnt from, only evaluated."),
    ] = None
    release: Annotated[
        QuarantineRelease | None,
        Field(description="Who let it out of quarantine, and why; it does not go back."),
    ] = None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, row: orm.Dataset, tables: Sequence[orm.DatasetTable] | None = None) -> Self:
        """Return the body of a row, and of those of its tables if it has several."""
        return cls(
            id=ids.to_text("dataset", row.id),
            name=row.name,
            state=row.state,
            origin=row.origin,
            format=row.format,
            labels=row.labels,
            n_rows=row.n_rows,
            n_columns=row.n_columns,
            size_bytes=row.size_bytes,
            tables=None if tables is None else [DatasetTable.of(table) for table in tables],
            error=JobFailure.of(row.error_code, row.error_detail),
            job_id=ids.to_text("job", row.job_id),
            model_id=_text("model", row.model_id),
            source_dataset_id=_text("dataset", row.source_dataset_id),
            quarantine=DatasetQuarantine.of(row),
            release=QuarantineRelease.of(row),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class UpdateDataset(BaseModel):
    """What may be changed about a dataset; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "flights 2013"}]})

    name: Name | None = None
    labels: Annotated[Labels | None, Field(description="Replace all labels.")] = None


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


class JobEstimate(Body):
    """What a job is likely to take: orders of magnitude, memory on the high side."""

    cpu_seconds: Annotated[float, Field(examples=[12.5])]
    peak_memory_bytes: Annotated[int, Field(examples=[800_000_000])]
    size_bytes: Annotated[int, Field(description="Of what the job leaves.", examples=[5_000_000])]


class ValidatedJob(Body):
    """What a job would be, had it been asked for in earnest."""

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


class TrainedModel(Body):
    """A fitted synthesizer. It has learnt from personal data wherever its dataset holds some."""

    id: Annotated[str, Field(examples=["mdl_01kaz7n3r7g5x9a3b1d6e8f0hj"])]
    name: Annotated[str, Field(examples=["flights, tree_chain"])]
    labels: dict[str, str]
    synthesizer: Annotated[Json, Field(examples=[{"name": "tree_chain", "preset": "fast"}])]
    dataset_id: Annotated[str, Field(description="What it was trained on.")]
    table: Annotated[
        str | None, Field(description="Of a dataset of several tables: the one that it was trained on.")
    ] = None
    job_id: Annotated[str, Field(description="The job that trained it.")]
    seed: Annotated[int, Field(examples=[7])]
    holdout_fraction: Annotated[float, Field(description="Rows set aside before anything was learnt.")]
    n_rows_trained: int
    size_bytes: int
    table_schema: TableSchema
    card: Annotated[
        Json, Field(description="What the synthesizer tells of itself: sizes, choices, warnings.")
    ]
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm.Model) -> Self:
        """Return the body of a row."""
        return cls(
            id=ids.to_text("model", row.id),
            name=row.name,
            labels=row.labels,
            synthesizer=row.synthesizer,
            dataset_id=ids.to_text("dataset", row.dataset_id),
            table=row.table_name,
            job_id=ids.to_text("job", row.job_id),
            seed=row.seed,
            holdout_fraction=row.holdout_fraction,
            n_rows_trained=row.n_rows_trained,
            size_bytes=row.size_bytes,
            table_schema=TableSchema(**row.table_schema),
            card=row.card,
            created_at=row.created_at,
        )


class ReportSummary(Body):
    """Scores of a synthetic against a real dataset, in short; `GET /v1/reports/{id}` has all."""

    id: Annotated[str, Field(examples=["rpt_01kaz7p4s8h6y0b4c2e7f9g1jk"])]
    dataset_id: Annotated[str, Field(description="The real dataset.")]
    synthetic_dataset_id: str
    job_id: str
    verdict: Annotated[VerdictSummary | None, Field(description="By the policy that was asked for.")] = None
    summary: Annotated[Json, Field(description="The headline scores.")]
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm.Report) -> Self:
        """Return the body of a row."""
        return cls(
            id=ids.to_text("report", row.id),
            dataset_id=ids.to_text("dataset", row.dataset_id),
            synthetic_dataset_id=ids.to_text("dataset", row.synthetic_dataset_id),
            job_id=ids.to_text("job", row.job_id),
            verdict=None if row.verdict is None else VerdictSummary(**row.verdict),
            summary=row.summary,
            created_at=row.created_at,
        )


class _Page(Body):
    has_more: Annotated[bool, Field(description="Whether there is more after this page.")]
    next: Annotated[
        str | None, Field(description="Send it as `after` for the next page; absent on the last.")
    ] = None


class DatasetPage(_Page):
    """A page of datasets, newest first."""

    data: list[Dataset]


class JobPage(_Page):
    """A page of jobs, newest first."""

    data: list[Job]


class JobEventPage(_Page):
    """A page of a job's events, oldest first."""

    data: list[JobEvent]


class TrainedModelPage(_Page):
    """A page of models, newest first."""

    data: list[TrainedModel]


class ReportPage(_Page):
    """A page of reports, newest first."""

    data: list[ReportSummary]


def without_nulls(json: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object without those of its members that are null."""
    return {key: value for key, value in json.items() if value is not None}


def _text(noun: str, value: UUID | None) -> str | None:
    return None if value is None else ids.to_text(noun, value)
