"""The database tables, which only `understudy.db` uses. Most rows belong to a project."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Sequence,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# now() would return the start of the transaction, which is the same for all rows of a transaction.
CLOCK = func.clock_timestamp()

Json = dict[str, Any]
IS_PLANNED = text("planned_id is not null")


class Base(DeclarativeBase):
    """Base of all tables. Constraint names follow a convention, so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        datetime: DateTime(timezone=True),
        # None is stored as SQL NULL, not as JSON null.
        Json: JSONB(none_as_null=True),
        dict[str, str]: JSONB(none_as_null=True),
        list[str]: ARRAY(Text),
        list[Json]: JSONB(none_as_null=True),
        str: Text,
        bytes: LargeBinary,
    }


# Source of fencing tokens for the whole installation. A later claim has a larger token. No token is reused.
FENCE = Sequence("fence", metadata=Base.metadata)


class Project(Base):
    """A project: the tenant that owns most other rows."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("gate in ('off', 'on_fail', 'until_reviewed')", name="gate"),
        CheckConstraint("running_jobs_max >= 0", name="running_jobs_max"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    # Policy for the project's samples. If it is null, the policy `standard` applies.
    policy: Mapped[Json | None]
    gate: Mapped[str] = mapped_column(server_default="on_fail")
    # Maximum number of running jobs. If it is null, the limit of the installation applies.
    running_jobs_max: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class ApiKey(Base):
    """A credential for a project. Only an HMAC of the key is stored."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Job(Base):
    """A unit of asynchronous work. Only `db.jobs` and `db.leases` write its state, which a trigger checks."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"),
        # A lease has a token and an end, and exists only in the state `running`.
        CheckConstraint(
            "(state = 'running') = (lease_token is not null and lease_until is not null)", name="lease"
        ),
        CheckConstraint(
            "(state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)", name="end"
        ),
        # The order is by created_at and not by run_after, so that a retried job keeps its place in the queue.
        Index(
            *("jobs_waiting_idx", "queue", "project_id", text("priority desc"), "created_at", "id"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index("jobs_running_idx", "project_id", postgresql_where=text("state = 'running'")),
        Index("jobs_failed_idx", "finished_at", postgresql_where=text("state = 'failed'")),
        Index("jobs_leased_idx", "lease_until", postgresql_where=text("state = 'running'")),
        Index("jobs_project_id_id_idx", "project_id", "id"),
        Index("jobs_parent_id_shard_idx", "parent_id", "shard", unique=True),
        CheckConstraint("(parent_id is null) = (shard is null)", name="shard"),
        Index("jobs_planned_id_idx", "planned_id", unique=True, postgresql_where=IS_PLANNED),
        Index(
            *("jobs_project_id_pipeline_id_idx", "project_id", "pipeline_id"),
            postgresql_where=text("pipeline_id is not null"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    kind: Mapped[str]
    parameters: Mapped[Json]
    parameters_version: Mapped[int]
    # Name of the queue. Only workers that serve this queue run the job.
    queue: Mapped[str] = mapped_column(server_default="default")
    labels: Mapped[dict[str, str]] = mapped_column(server_default=text("'{}'"))
    state: Mapped[str] = mapped_column(server_default="queued")
    priority: Mapped[int] = mapped_column(server_default=text("0"))
    run_after: Mapped[datetime] = mapped_column(server_default=CLOCK)
    expires_at: Mapped[datetime]
    # A round ends with a terminal state. An operator's retry begins the next round.
    round: Mapped[int] = mapped_column(server_default=text("1"))
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    # Failure counts for this round. Each failure class has its own limit.
    crashes: Mapped[int] = mapped_column(server_default=text("0"))
    transient_failures: Mapped[int] = mapped_column(server_default=text("0"))
    internal_errors: Mapped[int] = mapped_column(server_default=text("0"))
    memory_failures: Mapped[int] = mapped_column(server_default=text("0"))
    lease_token: Mapped[int | None] = mapped_column(BigInteger)
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    progress: Mapped[Json | None]
    result: Mapped[Json | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    # If this job is a shard: its parent job, and the number of the shard, starting at 1.
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    shard: Mapped[int | None]
    # Once this time is set, a trigger removes labels, progress and error detail, and everything except IDs
    # from parameters and result.
    erased_at: Mapped[datetime | None]
    trace_context: Mapped[str | None]
    # ID of the model or dataset that the job will create, if other jobs wait for it.
    planned_id: Mapped[UUID | None]
    # The jobs of a pipeline have the same ID.
    pipeline_id: Mapped[UUID | None]


class JobAttempt(Base):
    """A claim of a job by a worker."""

    __tablename__ = "job_attempts"
    __table_args__ = (
        CheckConstraint(
            "outcome in ('succeeded', 'failed', 'lost', 'crashed', 'out_of_memory', 'time_limit', 'released',"
            " 'cancelled')",
            name="outcome",
        ),
        CheckConstraint("(outcome is null) = (ended_at is null)", name="end"),
        # The largest token of a project belongs to its latest claim.
        Index("job_attempts_project_id_token_idx", "project_id", "token"),
    )

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    token: Mapped[int] = mapped_column(BigInteger, unique=True)
    worker: Mapped[str]
    code_version: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    error_code: Mapped[str | None]
    exit_signal: Mapped[int | None]
    peak_memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    cpu_seconds: Mapped[float | None]


class JobEvent(Base):
    """A job event. An event never contains a data value."""

    __tablename__ = "job_events"
    __table_args__ = (
        Index("job_events_job_id_id_idx", "job_id", "id"),
        # A round ends only once, so it has only one terminal event.
        Index(
            "job_events_terminal_idx",
            "job_id",
            "round",
            unique=True,
            postgresql_where=text("type in ('succeeded', 'failed', 'cancelled')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    type: Mapped[str]
    round: Mapped[int]
    attempt: Mapped[int]
    data: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class Artifact(Base):
    """A stored file of a job. Blobs are found only through these rows."""

    __tablename__ = "artifacts"
    __table_args__ = (UniqueConstraint("job_id", "role"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    role: Mapped[str]
    # Token 0 marks an upload, which is stored with the request, before any claim.
    token: Mapped[int] = mapped_column(BigInteger)
    storage_key: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[bytes]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class Dataset(Base):
    """A collection of tables, uploaded or created by a job. Each table has a row in `dataset_tables`."""

    __tablename__ = "datasets"
    __table_args__ = (
        CheckConstraint("state in ('pending', 'ready', 'failed')", name="state"),
        CheckConstraint("origin in ('upload', 'sample', 'imputation')", name="origin"),
        CheckConstraint("(quarantine is null) = (quarantined_at is null)", name="quarantine"),
        CheckConstraint("num_nulls(release_reason, released_by, released_at) in (0, 3)", name="release"),
        Index("datasets_project_id_id_idx", "project_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), index=True)
    model_id: Mapped[UUID | None] = mapped_column(ForeignKey("models.id"), index=True)
    # For an imputation, the dataset that was imputed.
    source_dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id"), index=True)
    origin: Mapped[str]
    state: Mapped[str]
    name: Mapped[str]
    labels: Mapped[dict[str, str]] = mapped_column(server_default=text("'{}'"))
    # The locale, the relationships and the schemas of the tables form a `DatasetSchema`.
    locale: Mapped[str] = mapped_column(server_default="en")
    relationships: Mapped[list[Json]] = mapped_column(server_default=text("'[]'"))
    # The relationship candidates and the findings of the tables form the `Findings`.
    relationship_candidates: Mapped[list[Json]] = mapped_column(server_default=text("'[]'"))
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    # Reason for the quarantine: the verdict of a report, or the lack of a report.
    quarantine: Mapped[Json | None]
    quarantined_at: Mapped[datetime | None]
    # Reason, API key and time of a release. A released sample does not return to quarantine.
    release_reason: Mapped[str | None]
    released_by: Mapped[UUID | None]
    released_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    updated_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class DatasetTable(Base):
    """A table in a dataset. Its rows are in the Parquet artifact `table_<position>` of the dataset's job."""

    __tablename__ = "dataset_tables"
    __table_args__ = (UniqueConstraint("dataset_id", "name"),)

    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    # Positions start at 1, in the order of the uploaded files.
    position: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    format: Mapped[str]
    n_rows: Mapped[int | None] = mapped_column(BigInteger)
    n_columns: Mapped[int | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    # A `TableSchema` and its `TableFindings`.
    table_schema: Mapped[Json | None]
    findings: Mapped[Json | None]


class Model(Base):
    """A fitted synthesizer, stored as the artifact `model` of its job. Protect it like its dataset."""

    __tablename__ = "models"
    __table_args__ = (Index("models_project_id_id_idx", "project_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), unique=True)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", use_alter=True), index=True)
    name: Mapped[str]
    labels: Mapped[dict[str, str]] = mapped_column(server_default=text("'{}'"))
    synthesizer: Mapped[Json]
    seed: Mapped[int] = mapped_column(BigInteger)
    holdout_fraction: Mapped[float]
    n_rows_trained: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    # The `DatasetSchema`, the `Findings` about it, and the names of the tables that the model was fitted to.
    dataset_schema: Mapped[Json]
    findings: Mapped[Json]
    tables: Mapped[list[str]]
    card: Mapped[Json]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class Report(Base):
    """Scores of a synthetic dataset, stored as the artifacts `report_json` and `report_html` of its job."""

    __tablename__ = "reports"
    __table_args__ = (Index("reports_project_id_id_idx", "project_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), unique=True)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id"), index=True)
    synthetic_dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id"), index=True)
    # The pairs of compared tables: {"real": name, "synthetic": name}.
    tables: Mapped[list[Json]]
    labels: Mapped[dict[str, str]] = mapped_column(server_default=text("'{}'"))
    summary: Mapped[Json]
    # Null for reports that were created before policies existed.
    verdict: Mapped[Json | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class Upload(Base):
    """An upload in parts. `dataset_id` is set when the upload is completed."""

    __tablename__ = "uploads"
    __table_args__ = (Index("uploads_project_id_id_idx", "project_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    labels: Mapped[dict[str, str]] = mapped_column(server_default=text("'{}'"))
    options: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    files: Mapped[list[Json]]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    part_bytes: Mapped[int] = mapped_column(BigInteger)
    n_parts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class UploadPart(Base):
    """A received part of an upload. Its blob is complete and on disk."""

    __tablename__ = "upload_parts"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    storage_key: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[bytes]
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class IdempotencyKey(Base):
    """The stored response to a POST, which is erased when a resource that it mentions is deleted."""

    __tablename__ = "idempotency_keys"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[bytes]
    # The column is set in the transaction that adds the job, so a crash cannot lead to a second job.
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    status: Mapped[int | None]
    headers: Mapped[dict[str, str] | None]
    body: Mapped[Json | None]
    mentions: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK, index=True)
