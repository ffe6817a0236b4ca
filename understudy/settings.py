"""Settings, read once at each entry point from environment variables that begin with ``UNDERSTUDY_``."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30


def default_data_dir() -> Path:
    """Return the default data folder of the embedded stack.

    For root, the default is a system folder, because the private Postgres runs as another user and needs
    access.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/understudy")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "understudy"


def split_list(value: object) -> object:
    """Split a comma-separated text. An empty text has no parts. Return other values unchanged."""
    if not isinstance(value, str):
        return value
    return value.split(",") if value else ()


def check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    """Check that all texts are networks in CIDR notation, without host bits."""
    for text in networks:
        ip_network(text)
    return networks


class Settings(BaseSettings):
    """The settings of a process.

    The environment variable for a field consists of the prefix and the field's name in capital letters.
    """

    model_config = SettingsConfigDict(env_prefix="UNDERSTUDY_", extra="ignore", frozen=True)

    database_url: Annotated[
        SecretStr | None,
        Field(description="URL of the PostgreSQL database, such as postgresql://user:password@host/name."),
    ] = None
    redis_url: Annotated[
        SecretStr | None,
        Field(
            description="URL of the broker: redis://host:6379/0 or redis+socket:///path. With `none`, there "
            "is no broker, and the database notifies the workers."
        ),
    ] = None
    secret_key: Annotated[
        SecretStr | None,
        Field(
            description="Secret of at least 32 characters, used as the key of the HMAC of API keys and to "
            "derive the keys that sign evidence packs."
        ),
    ] = None
    data_dir: Annotated[Path, Field(description="Data folder of the embedded stack and of local files.")] = (
        Field(default_factory=default_data_dir)
    )
    storage_url: Annotated[
        str | None,
        Field(
            description="URL of the blob store: file:///folder, s3://bucket/prefix or memory://. Default: "
            "the folder `blobs` in the data folder."
        ),
    ] = None
    s3_endpoint_url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://",
            description="Address of the object store of an s3:// URL. Default: Amazon S3. The credentials "
            "come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from the role of the machine.",
        ),
    ] = None
    s3_region: Annotated[
        str | None, Field(description="Region of the bucket. Default: AWS_REGION, or us-east-1.")
    ] = None
    s3_path_style: Annotated[
        bool,
        Field(
            description="Whether requests contain the bucket's name in the path, as most stores other than "
            "Amazon S3 require."
        ),
    ] = False
    presigned_download_seconds: Annotated[
        int,
        Field(
            ge=0,
            le=7 * 86400,
            description="Seconds for which presigned URLs for Parquet downloads are valid. "
            "With 0, the API sends all downloads itself and compares their checksums.",
        ),
    ] = 0
    scratch_dir: Annotated[
        Path | None,
        Field(
            description="Folder for the files of running jobs, ideally on the file system of the blob store."
        ),
    ] = None

    host: Annotated[str, Field(description="Address that `understudy serve` listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port that `understudy serve` listens on.")] = 8000
    threads: Annotated[
        int,
        Field(
            ge=1,
            le=200,
            description="Maximum number of concurrent requests per API process. Each process opens up to "
            "twice as many database connections.",
        ),
    ] = 20
    share_port: Annotated[
        bool,
        Field(
            description="Whether other API processes of the same user may listen on the same port. A new "
            "process can then start before the old one stops."
        ),
    ] = False
    api_pause_seconds: Annotated[
        float,
        Field(
            ge=0,
            description="Seconds after SIGTERM during which the API still accepts connections. `/readyz` "
            "already returns 503, so that a load balancer selects another process.",
        ),
    ] = 3
    api_grace_seconds: Annotated[
        float,
        Field(
            ge=0,
            description="Seconds that a stopping API process waits for uploads, downloads and other requests "
            "before it interrupts them.",
        ),
    ] = 30
    metrics_host: Annotated[str, Field(description="Address on which metrics are served.")] = "127.0.0.1"
    api_metrics_port: Annotated[
        int | None,
        Field(
            ge=1,
            le=65520,
            description="Port of the API's Prometheus metrics, or the next free port if it is in use. "
            "Default: no metrics.",
        ),
    ] = None
    worker_metrics_port: Annotated[
        int | None,
        Field(
            ge=1,
            le=65520,
            description="Port of a worker's Prometheus metrics, or the next free port. Default: no metrics.",
        ),
    ] = None
    otlp_endpoint: Annotated[
        str | None,
        Field(
            description="URL that receives OpenTelemetry traces over OTLP/HTTP, such as "
            "http://collector:4318/v1/traces. Requires the extra `otel`. Default: no traces."
        ),
    ] = None
    worker_concurrency: Annotated[
        int, Field(ge=1, description="Number of jobs that a worker runs at once.")
    ] = Field(default_factory=lambda: os.cpu_count() or 1)
    worker_queues: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")], ...],
        NoDecode,
        BeforeValidator(split_list),
        Field(min_length=1, description="Comma-separated names of the queues that a worker serves."),
    ] = ("default",)
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="Minimum level of logged events.")
    ] = "info"
    log_format: Annotated[
        Literal["json", "console"],
        Field(description="Format of the logs: one JSON object per line, or readable text."),
    ] = "json"

    log_bytes_max: Annotated[
        int,
        Field(
            ge=64 << 10,
            description="Size in bytes at which a log file of `understudy serve` replaces the older log file "
            "of the same process.",
        ),
    ] = 10 * MEBIBYTE

    lease_seconds: Annotated[
        float, Field(gt=0, description="Seconds without a heartbeat after which a worker loses its job.")
    ] = 30
    heartbeat_seconds: Annotated[
        float, Field(gt=0, description="Seconds between renewals of a worker's lease.")
    ] = 10
    rescue_seconds: Annotated[
        float, Field(gt=0, description="Seconds between searches for jobs whose lease has expired.")
    ] = 5
    ring_seconds: Annotated[
        float, Field(gt=0, description="Seconds between repeated notifications to workers about queued jobs.")
    ] = 15
    drain_seconds: Annotated[
        float,
        Field(
            ge=0,
            description="Seconds that a stopping worker waits for its running jobs before it requeues them.",
        ),
    ] = 10
    job_ttl_seconds: Annotated[
        float, Field(gt=0, description="Seconds that a job may wait in the queue before it expires.")
    ] = 7 * 86400
    retry_backoff_seconds: Annotated[
        float,
        Field(
            ge=0, description="Seconds before the first retry of a job; the pause doubles with each retry."
        ),
    ] = 5

    sandbox: Annotated[
        Literal["auto", "strict"],
        Field(
            description="Behavior on a kernel that lacks a sandbox mechanism. With `auto`, workers start "
            "and the API provides live rows, with a warning. With `strict`, they do not."
        ),
    ] = "auto"
    job_memory_bytes_max: Annotated[
        int, Field(ge=256 * MEBIBYTE, description="Maximum address space of a job, in bytes.")
    ] = 16 * GIBIBYTE
    large_job_bytes: Annotated[
        int | None,
        Field(
            ge=1,
            description="Minimum estimated memory, in bytes, of jobs that go to the `large` queue. "
            "A job that runs out of memory is also retried there, once. By default, the queue is not used.",
        ),
    ] = None
    job_cpu_seconds_max: Annotated[int, Field(ge=1, description="Maximum CPU time of a job, in seconds.")] = (
        4 * 3600
    )
    job_seconds_max: Annotated[
        float,
        Field(
            gt=0,
            description="Maximum duration of an attempt at a job, in seconds. This limit also ends "
            "processes that hang or are stopped, which use no CPU time.",
        ),
    ] = 6 * 3600
    job_kind_seconds_max: Annotated[
        dict[str, Annotated[float, Field(gt=0)]],
        Field(
            description='Lower limits in seconds for job kinds, as a JSON object such as {"ingest": 3600}.'
        ),
    ] = {"probe": 600, "profile": 3600, "ingest": 2 * 3600}
    job_file_bytes_max: Annotated[
        int, Field(ge=MEBIBYTE, description="Maximum size of a file that a job writes, in bytes.")
    ] = 64 * GIBIBYTE
    job_folder_bytes_max: Annotated[
        int, Field(ge=MEBIBYTE, description="Maximum total size of a running job's files, in bytes.")
    ] = 128 * GIBIBYTE

    retention_datasets_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            description="Seconds after which an uploaded dataset is deleted, with everything that was "
            "derived from it. Default: never.",
        ),
    ] = None
    retention_results_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            description="Seconds after which a model, a sample or an imputation is deleted, with everything "
            "that was derived from it. Default: never.",
        ),
    ] = None
    retention_jobs_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            description="Seconds between the end of a job and its deletion, including its events. A job "
            "whose results exist is kept. Default: never.",
        ),
    ] = None
    retention_idempotency_seconds: Annotated[
        float,
        Field(ge=86400, description="Seconds to keep the stored response for an idempotency key."),
    ] = 72 * 3600
    retention_uploads_seconds: Annotated[
        float,
        Field(gt=0, description="Seconds to keep the file of a failed `ingest` job for a retry."),
    ] = 72 * 3600

    retention_events_seconds: Annotated[
        float,
        Field(
            ge=7 * 86400,
            description="Seconds after which an event and its webhook deliveries are deleted.",
        ),
    ] = 30 * 86400

    webhook_http: Annotated[
        bool, Field(description="Whether the URL of a webhook may begin with http://, without encryption.")
    ] = False
    webhook_ports: Annotated[
        tuple[Annotated[int, Field(ge=1, le=65535)], ...],
        NoDecode,
        BeforeValidator(split_list),
        Field(description="Comma-separated ports that the URL of a webhook may have. Empty: any port."),
    ] = (443, 8443)
    webhook_networks: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(split_list),
        AfterValidator(check_networks),
        Field(
            description="Comma-separated private networks that webhooks may reach, such as 10.20.0.0/16. "
            "Default: only public addresses."
        ),
    ] = ()
    webhook_timeout_seconds: Annotated[
        float, Field(gt=0, le=60, description="Maximum duration of a request to a webhook, in seconds.")
    ] = 10
    webhooks_max: Annotated[int, Field(ge=1, description="Maximum number of webhooks in a project.")] = 20

    upload_bytes_max: Annotated[int, Field(ge=1, description="Maximum size of an upload, in bytes.")] = (
        4 * GIBIBYTE
    )
    upload_part_bytes: Annotated[
        int,
        Field(
            ge=64 << 10,
            le=512 * MEBIBYTE,
            description="Default size of an upload part, in bytes, if the client does not request one.",
        ),
    ] = 16 * MEBIBYTE
    upload_ttl_seconds: Annotated[
        float,
        Field(gt=0, description="Seconds without a new part after which an unfinished upload is deleted."),
    ] = 24 * 3600
    open_uploads_max: Annotated[
        int, Field(ge=1, description="Maximum number of unfinished uploads in a project.")
    ] = 20
    dataset_rows_max: Annotated[
        int, Field(ge=1, description="Maximum number of rows in an uploaded table.")
    ] = 50_000_000
    dataset_columns_max: Annotated[
        int, Field(ge=1, description="Maximum number of columns in an uploaded table.")
    ] = 2_000
    sample_rows_max: Annotated[int, Field(ge=1, description="Maximum number of rows in a sample.")] = (
        100_000_000
    )
    sample_shard_rows: Annotated[
        int,
        Field(
            ge=1_000,
            description="Maximum number of rows of a sample that one job process samples. Larger samples are "
            "split into shards of this size, which several workers can sample at the same time.",
        ),
    ] = 1_000_000
    live_rows_max: Annotated[
        int, Field(ge=1, description="Maximum number of live rows that one response can contain.")
    ] = 10_000_000
    live_rows_memory_bytes_max: Annotated[
        int,
        Field(
            ge=256 * MEBIBYTE,
            description="Maximum address space of a process that samples live rows, in bytes.",
        ),
    ] = 4 * GIBIBYTE
    live_rows_seconds_max: Annotated[
        float,
        Field(gt=0, description="Maximum duration of a response with live rows, in seconds."),
    ] = 600
    queued_jobs_max: Annotated[
        int, Field(ge=1, description="Maximum number of queued jobs in a project.")
    ] = 1_000
    requests_per_minute_max: Annotated[
        int,
        Field(
            ge=1,
            description="Maximum number of requests per minute from a project. Each API process counts its "
            "own requests.",
        ),
    ] = 60_000
    running_jobs_max: Annotated[
        int | None,
        Field(
            ge=1,
            description="Maximum number of running jobs of a project that has no limit of its own. A split "
            "job counts as one. Default: no limit.",
        ),
    ] = None
