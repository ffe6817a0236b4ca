"""Command lines and environment variables for the stack's own programs: migration, API and worker."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from understudy.embedded.data_folder import DataFolder
from understudy.embedded.processes import LOG_BYTES_MAX, Child, Program

# This time suffices for a short job. A longer job is requeued and runs again after the next start.
DRAIN_SECONDS = 2
API_DRAIN_SECONDS = 2


@dataclass(frozen=True)
class StackOptions:
    """The options of a stack. A server with a URL is external and is not started."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str | None = None
    redis_url: str | None = None
    secret_key: str | None = None
    log_bytes_max: int = LOG_BYTES_MAX


def stack_environment(
    options: StackOptions, folder: DataFolder, *, database_url: str, redis_url: str
) -> dict[str, str]:
    """Return the environment of this process with the settings that the API and the worker need."""
    defaults = {
        "UNDERSTUDY_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "UNDERSTUDY_API_PAUSE_SECONDS": "0",
        "UNDERSTUDY_API_GRACE_SECONDS": str(API_DRAIN_SECONDS),
        "PYTHONUNBUFFERED": "1",
    }
    settings = {
        "UNDERSTUDY_DATABASE_URL": database_url,
        "UNDERSTUDY_REDIS_URL": redis_url,
        "UNDERSTUDY_SECRET_KEY": options.secret_key or folder.secret_key(),
        "UNDERSTUDY_DATA_DIR": str(folder.path),
        "UNDERSTUDY_HOST": options.host,
        "UNDERSTUDY_PORT": str(options.port),
    }
    return defaults | dict(os.environ) | settings


def migration(folder: DataFolder, environment: Mapping[str, str]) -> Child:
    """Return the program that migrates the database and ensures that a first key exists."""
    arguments = ["understudy.cli", "migrate", "--key-file", str(folder.api_key_file)]
    return _module(arguments, folder, environment, "migrate", signal.SIGTERM)


def api(folder: DataFolder, environment: Mapping[str, str]) -> Child:
    """Return the program that runs the API."""
    return _module(["app"], folder, environment, "api", signal.SIGKILL)


def worker(folder: DataFolder, environment: Mapping[str, str]) -> Child:
    """Return the program that runs the worker."""
    return _module(["workers"], folder, environment, "worker", signal.SIGKILL)


def _module(
    arguments: list[str],
    folder: DataFolder,
    environment: Mapping[str, str],
    name: str,
    death_signal: signal.Signals,
) -> Child:
    # -P: do not import modules from the data folder, which is the working directory.
    program = Program(
        [sys.executable, "-P", "-m", *arguments],
        folder=folder.path,
        log=folder.logs / f"{name}.log",
        death_signal=death_signal,
        environment=environment,
    )
    return Child(program)
