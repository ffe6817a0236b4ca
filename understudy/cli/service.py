"""Commands that run the service: serve, api, worker, migrate."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from understudy.cli.terminal import output
from understudy.errors import Unavailable
from understudy.repository import find_repository

if TYPE_CHECKING:
    from understudy.embedded.commands import StackOptions
    from understudy.settings import Settings

# The value of UNDERSTUDY_REDIS_URL without a broker. `understudy.job_queue` has the same constant, but needs
# packages that the base install lacks.
NO_BROKER = "none"
# Time in seconds without any response of the database after which `migrate` fails.
KEY_PATIENCE_SECONDS = 15.0

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Data folder of the stack. Default: UNDERSTUDY_DATA_DIR, or ~/.local/share/understudy "
        "(for root, /var/lib/understudy)."
    ),
]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the API. 0 selects any free port.")]


def serve(
    host: Annotated[str | None, typer.Option(help="Address that the API listens on.")] = None,
    port: Port = None,
    data_dir: DataDir = None,
    no_broker: Annotated[
        bool,
        typer.Option("--no-broker", help="Start no Valkey. The database notifies the worker of queued jobs."),
    ] = False,
) -> None:
    """Run the whole service until Ctrl-C: database, broker, API and a worker.

    A private PostgreSQL is started unless UNDERSTUDY_DATABASE_URL is set.
    A private Valkey is started unless UNDERSTUDY_REDIS_URL is set. The value `none` means no broker.
    """
    options = stack_options(host=host, port=port, data_dir=data_dir)
    if no_broker:
        options = replace(options, redis_url=NO_BROKER)
    # Imported here because this module needs packages that the base install lacks. `stack_options` reports
    # missing packages.
    from understudy.embedded.supervisor import Supervisor

    console = output()
    supervisor = Supervisor(
        options, lambda part, text: console.print(f"  {part:<12} {text}", soft_wrap=True, markup=False)
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        supervisor.ask_to_stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    console.print(f"[bold]Understudy[/] in {supervisor.folder.path}", soft_wrap=True)
    try:
        supervisor.start()
        if not supervisor.is_stopping:
            show_first_request(supervisor.url, supervisor.folder.api_key_file)
            supervisor.watch()
    finally:
        supervisor.stop()
    console.print("Stopped.")


def show_first_request(url: str, api_key_file: Path) -> None:
    """Print the address, the API key file and a first request."""
    console = output()
    console.print(f"Ready: [bold]{url}[/]   (press Ctrl-C to stop)", soft_wrap=True)
    console.print(f"  API key      {api_key_file}", soft_wrap=True, markup=False)
    console.print(
        f'  Try          curl -H "Authorization: Bearer $(cat {api_key_file})" {url}/v1/datasets',
        soft_wrap=True,
        markup=False,
    )


def api(
    host: Annotated[str | None, typer.Option(help="Address that the API listens on.")] = None,
    port: Port = None,
    share_port: Annotated[
        bool,
        typer.Option(
            "--share-port",
            help="Let other API processes of the same user listen on the same port, for a restart without a "
            "gap.",
        ),
    ] = False,
) -> None:
    """Run the API with the configured database and broker. Options override the environment.

    SIGTERM stops it gracefully: requests in progress end first. A second signal interrupts them.
    """
    find_repository()
    load_settings()
    given = {"UNDERSTUDY_HOST": host, "UNDERSTUDY_PORT": port, "UNDERSTUDY_SHARE_PORT": share_port or None}
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    command = [sys.executable, "-P", "-m", "app"]
    os.execv(command[0], command)  # noqa: S606 (our own command, no shell)


def worker() -> None:
    """Run a worker that uses the configured database and broker."""
    find_repository()
    load_settings()
    command = [sys.executable, "-P", "-m", "workers"]
    os.execv(command[0], command)  # noqa: S606 (our own command, no shell)


def migrate(
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="File for an API key. If the file contains no valid key, a key is created. If no project "
            "exists, a project is also created."
        ),
    ] = None,
) -> None:
    """Migrate the configured database to the current schema."""
    find_repository()
    settings = load_settings()
    # Imported here because this module needs packages that the base install lacks. `load_settings` reports
    # missing packages.
    from understudy.db.migrate import upgrade

    if settings.database_url is None:
        raise Unavailable(
            "UNDERSTUDY_DATABASE_URL is not set. Set it to the URL of the database to migrate.",
            code="configuration",
        )
    upgrade(settings.database_url.get_secret_value())
    if key_file is not None:
        _ensure_key(settings, key_file)


def stack_options(*, host: str | None, port: int | None, data_dir: Path | None) -> StackOptions:
    """Return the options of a stack: the settings, overridden by the command's options."""
    find_repository()
    settings = load_settings()
    if sys.platform == "win32":
        raise Unavailable(
            "The stack runs only on Linux and macOS. On Windows, use WSL or docker compose.",
            code="configuration",
        )
    # Imported here because this module cannot be imported on Windows.
    from understudy.embedded.commands import StackOptions

    return StackOptions(
        data_dir=data_dir or settings.data_dir,
        host=host or settings.host,
        port=settings.port if port is None else port,
        database_url=settings.database_url.get_secret_value() if settings.database_url else None,
        redis_url=settings.redis_url.get_secret_value() if settings.redis_url else None,
        secret_key=settings.secret_key.get_secret_value() if settings.secret_key else None,
        log_bytes_max=settings.log_bytes_max,
    )


def load_settings() -> Settings:
    """Return the settings from the environment variables.

    Raises
    ------
    Unavailable
        If the service is not installed, or the value of a variable is invalid.
    """
    if find_spec("pydantic_settings") is None or find_spec("celery") is None:
        raise Unavailable(
            "The packages of the service are not installed. In a clone of the repository, run: "
            "pip install --editable '.[service]' ('.[service,embedded]' for a private database and broker).",
            code="configuration",
        )
    # Imported here because this module needs pydantic-settings, which the base install lacks.
    from understudy.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = f"UNDERSTUDY_{first['loc'][0]}".upper()
        raise Unavailable(
            f"The value of {name} is invalid: {first['msg']}. Correct it in the environment.",
            code="configuration",
        ) from error


def _ensure_key(settings: Settings, key_file: Path) -> None:
    # Imported here because the other commands in this module do not need it.
    from understudy.embedded.first_key import ensure_key
    from understudy.resources import open_resources  # Imported here for the same reason.

    # The command runs while the stack starts, so the database may respond slowly.
    resources = open_resources(settings, patience_seconds=KEY_PATIENCE_SECONDS)
    try:
        ensure_key(resources, key_file)
    finally:
        resources.close()
