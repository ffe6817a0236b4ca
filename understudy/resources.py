"""The open resources of a process: database, blob store, doorbell and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Protocol

from pydantic import SecretStr
from sqlalchemy.orm import Session, sessionmaker

from understudy import failpoints
from understudy.db.doorbell import NotifyQueue
from understudy.db.session import PATIENCE_SECONDS, close_sessions, make_sessions, without_transactions
from understudy.errors import UnderstudyError
from understudy.job_queue import NO_BROKER, CeleryQueue, JobQueue
from understudy.logs import get_logger
from understudy.process_folders import ProcessFolder, remove_abandoned
from understudy.storage import Store, StoreOptions, open_store

CODE_VERSION = version("understudy")
SECRET_KEY_LENGTH_MIN = 32

logger = get_logger(__name__)


class ResourceLimits(Protocol):
    """The settings that limit requests."""

    @property
    def upload_bytes_max(self) -> int: ...
    @property
    def open_uploads_max(self) -> int: ...
    @property
    def dataset_rows_max(self) -> int: ...
    @property
    def dataset_columns_max(self) -> int: ...
    @property
    def sample_rows_max(self) -> int: ...
    @property
    def live_rows_max(self) -> int: ...
    @property
    def queued_jobs_max(self) -> int: ...
    @property
    def running_jobs_max(self) -> int | None: ...
    @property
    def requests_per_minute_max(self) -> int: ...
    @property
    def webhooks_max(self) -> int: ...


class ResourceSettings(ResourceLimits, Protocol):
    """The settings that resources need. Only the entry points may import the class `Settings`."""

    @property
    def database_url(self) -> SecretStr | None: ...
    @property
    def redis_url(self) -> SecretStr | None: ...
    @property
    def secret_key(self) -> SecretStr | None: ...
    @property
    def data_dir(self) -> Path: ...
    @property
    def storage_url(self) -> str | None: ...
    @property
    def s3_endpoint_url(self) -> str | None: ...
    @property
    def s3_region(self) -> str | None: ...
    @property
    def s3_path_style(self) -> bool: ...
    @property
    def presigned_download_seconds(self) -> int: ...
    @property
    def scratch_dir(self) -> Path | None: ...
    @property
    def threads(self) -> int: ...
    @property
    def lease_seconds(self) -> float: ...
    @property
    def heartbeat_seconds(self) -> float: ...
    @property
    def sample_shard_rows(self) -> int: ...
    @property
    def job_ttl_seconds(self) -> float: ...
    @property
    def upload_part_bytes(self) -> int: ...
    @property
    def upload_ttl_seconds(self) -> float: ...
    @property
    def retention_datasets_seconds(self) -> float | None: ...
    @property
    def retention_results_seconds(self) -> float | None: ...
    @property
    def retention_jobs_seconds(self) -> float | None: ...
    @property
    def retention_idempotency_seconds(self) -> float: ...
    @property
    def retention_uploads_seconds(self) -> float: ...
    @property
    def retention_events_seconds(self) -> float: ...
    @property
    def webhook_http(self) -> bool: ...
    @property
    def webhook_ports(self) -> Sequence[int]: ...
    @property
    def webhook_networks(self) -> Sequence[str]: ...
    @property
    def webhook_timeout_seconds(self) -> float: ...
    @property
    def retry_backoff_seconds(self) -> float: ...
    @property
    def sandbox(self) -> Literal["auto", "strict"]: ...
    @property
    def live_rows_memory_bytes_max(self) -> int: ...
    @property
    def live_rows_seconds_max(self) -> float: ...
    @property
    def job_memory_bytes_max(self) -> int: ...
    @property
    def large_job_bytes(self) -> int | None: ...
    @property
    def job_cpu_seconds_max(self) -> int: ...
    @property
    def job_seconds_max(self) -> float: ...
    @property
    def job_kind_seconds_max(self) -> Mapping[str, float]: ...
    @property
    def job_file_bytes_max(self) -> int: ...
    @property
    def job_folder_bytes_max(self) -> int: ...


@dataclass(frozen=True)
class Resources:
    """The open resources of a process. Its threads share them, but forked processes must open their own.

    Parameters
    ----------
    sessions : sessionmaker
        Factory for database sessions. Each use case opens its own transaction: ``with
        resources.sessions.begin() as session``.
    read_sessions : sessionmaker
        Factory of sessions without transactions, for frequent queries that only read.
    store : Store
        Blob store.
    queue : JobQueue
        Doorbell, which notifies workers of queued jobs.
    settings : ResourceSettings
        Settings such as lease times and limits.
    secret_key : bytes
        Secret for the HMAC digests of API keys.
    scratch_folder : Path
        Folder that contains a folder for each running attempt, and the staging folders.
    staging : ProcessFolder
        Folder of this process for uploads that are being received and for temporary files of requests.
    """

    sessions: sessionmaker[Session]
    read_sessions: sessionmaker[Session]
    store: Store
    queue: JobQueue
    settings: ResourceSettings
    secret_key: bytes = field(repr=False)
    scratch_folder: Path
    staging: ProcessFolder

    @property
    def limits(self) -> ResourceLimits:
        """The settings that limit requests."""
        return self.settings

    @property
    def staging_folder(self) -> Path:
        """Folder of this process for uploads that have not been moved into the store yet."""
        return self.staging.path

    def close(self) -> None:
        """Close the connections, and remove the staged files of this process."""
        close_sessions(self.sessions)
        self.queue.close()
        self.staging.close()


def open_resources(
    settings: ResourceSettings,
    *,
    queue: JobQueue | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Resources:
    """Open the configured resources. A process that forks must call this function after the fork.

    Parameters
    ----------
    patience_seconds : float
        Time without any response of the database server after which a call raises `Unavailable`.

    Raises
    ------
    UnderstudyError
        If a setting is missing or invalid, or the staging folder cannot be created. The code is
        `configuration`.
    """
    secret_key = _required(settings.secret_key, "UNDERSTUDY_SECRET_KEY").encode()
    if len(secret_key) < SECRET_KEY_LENGTH_MIN:
        raise UnderstudyError(
            f"UNDERSTUDY_SECRET_KEY must have at least {SECRET_KEY_LENGTH_MIN} characters. Generate one with "
            "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`.",
            code="configuration",
        )
    if failpoints.ARE_ACTIVE:
        logger.warning("failpoints_active")
    scratch_folder = settings.scratch_dir or settings.data_dir / "scratch"
    sessions = make_sessions(
        _required(settings.database_url, "UNDERSTUDY_DATABASE_URL"),
        settings.threads,
        patience_seconds=patience_seconds,
    )
    read_sessions = without_transactions(sessions)
    resources = Resources(
        sessions=sessions,
        read_sessions=read_sessions,
        store=_open_store(settings),
        queue=queue or _open_queue(settings, read_sessions),
        settings=settings,
        secret_key=secret_key,
        scratch_folder=scratch_folder,
        staging=ProcessFolder(scratch_folder / "staging"),
    )
    try:
        resources.staging.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Remove files that a killed process left behind. This machine may have no worker that removes them
        # later.
        remove_abandoned(resources.staging.root)
    except OSError as error:
        raise UnderstudyError(
            f"The folder {resources.staging.root} cannot be created ({error.strerror}). "
            "Set UNDERSTUDY_SCRATCH_DIR to another folder.",
            code="configuration",
        ) from error
    return resources


def uses_broker(settings: ResourceSettings) -> bool:
    """Return whether the settings require a broker, even if its URL is missing."""
    return settings.redis_url is None or settings.redis_url.get_secret_value() != NO_BROKER


def _open_queue(settings: ResourceSettings, read_sessions: sessionmaker[Session]) -> JobQueue:
    if not uses_broker(settings):
        return NotifyQueue(read_sessions)
    return CeleryQueue(_required(settings.redis_url, "UNDERSTUDY_REDIS_URL"))


def _open_store(settings: ResourceSettings) -> Store:
    url = settings.storage_url or (settings.data_dir / "blobs").absolute().as_uri()
    options = StoreOptions(settings.s3_endpoint_url, settings.s3_region, settings.s3_path_style)
    return open_store(url, options)


def _required(setting: SecretStr | None, variable: str) -> str:
    if setting is None or not setting.get_secret_value():
        raise UnderstudyError(f"{variable} is not set. Set it in the environment.", code="configuration")
    return setting.get_secret_value()
