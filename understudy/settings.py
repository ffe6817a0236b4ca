"""Every environment variable, read once at the entrances; all begin with ``UNDERSTUDY_``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30


def default_data_dir() -> Path:
    """Return where the embedded stack keeps its data when nothing else is said.

    For root a system folder, since the private Postgres runs as another user and must be able to reach it.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/understudy")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "understudy"


class Settings(BaseSettings):
    """The settings of a process; the field's name in capitals, after the prefix, is its variable."""

    model_config = SettingsConfigDict(env_prefix="UNDERSTUDY_", extra="ignore", frozen=True)

    database_url: Annotated[
        SecretStr | None, Field(description="PostgreSQL, such as postgresql://user:password@host/name.")
    ] = None
    redis_url: Annotated[
        SecretStr | None, Field(description="Broker: redis://host:6379/0, or redis+socket:///path.")
    ] = None
    secret_key: Annotated[
        SecretStr | None,
        Field(description="At least 32 characters; keys the HMAC of API keys, and signs evidence."),
    ] = None
    data_dir: Annotated[Path, Field(description="Folder of the embedded stack and of local files.")] = Field(
        default_factory=default_data_dir
    )
    storage_url: Annotated[
        str | None,
        Field(description="Blob store: file:///folder or memory://; default: blobs in the data folder."),
    ] = None
    scratch_dir: Annotated[
        Path | None, Field(description="Where running jobs write; best on the file system of the blob store.")
    ] = None

    host: Annotated[str, Field(description="Address that `understudy serve` listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port that `understudy serve` listens on.")] = 8000
    threads: Annotated[
        int,
        Field(
            ge=1, le=200, description="Requests served at once by a process; also its database connections."
        ),
    ] = 20
    worker_concurrency: Annotated[int, Field(ge=1, description="Jobs that a worker runs at once.")] = Field(
        default_factory=lambda: os.cpu_count() or 1
    )
    worker_queues: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")], ...],
        NoDecode,
        BeforeValidator(lambda text: text.split(",") if isinstance(text, str) else text),
        Field(min_length=1, description="Queues whose jobs a worker takes, with commas between."),
    ] = ("default",)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Annotated[
        Literal["json", "console"], Field(description="One JSON object a line, or lines for people.")
    ] = "json"

    lease_seconds: Annotated[float, Field(gt=0, description="How long a silent worker keeps its job.")] = 30
    heartbeat_seconds: Annotated[float, Field(gt=0, description="How often a worker renews its lease.")] = 10
    rescue_seconds: Annotated[float, Field(gt=0, description="How often lost jobs are looked for.")] = 5
    ring_seconds: Annotated[float, Field(gt=0, description="How often waiting jobs are announced again.")] = (
        15
    )
    drain_seconds: Annotated[
        float,
        Field(ge=0, description="How long a stopping worker lets its jobs go on before it hands them back."),
    ] = 10
    job_ttl_seconds: Annotated[
        float, Field(gt=0, description="How long a job may wait before it expires.")
    ] = 7 * 86400
    retry_backoff_seconds: Annotated[
        float, Field(ge=0, description="First pause before a repeat; doubles.")
    ] = 5

    job_memory_bytes_max: Annotated[int, Field(ge=256 * MEBIBYTE, description="Address space of a job.")] = (
        16 * GIBIBYTE
    )
    job_cpu_seconds_max: Annotated[int, Field(ge=1, description="CPU time of a job.")] = 4 * 3600
    job_file_bytes_max: Annotated[
        int, Field(ge=MEBIBYTE, description="Largest file that a job may write.")
    ] = 64 * GIBIBYTE

    upload_bytes_max: Annotated[int, Field(ge=1, description="Largest upload.")] = 4 * GIBIBYTE
    upload_part_bytes: Annotated[
        int, Field(ge=64 << 10, le=512 * MEBIBYTE, description="Size of a part, if its sender has no wish.")
    ] = 16 * MEBIBYTE
    upload_ttl_seconds: Annotated[
        float, Field(gt=0, description="How long an upload in parts waits for its next part.")
    ] = 24 * 3600
    open_uploads_max: Annotated[int, Field(ge=1, description="Most unfinished uploads of a project.")] = 20
    dataset_rows_max: Annotated[int, Field(ge=1, description="Most rows of an uploaded table.")] = 50_000_000
    dataset_columns_max: Annotated[int, Field(ge=1, description="Most columns of an uploaded table.")] = 2_000
    sample_rows_max: Annotated[int, Field(ge=1, description="Most rows of one sample.")] = 100_000_000
    queued_jobs_max: Annotated[int, Field(ge=1, description="Most waiting jobs of a project.")] = 1_000
