"""Commands that manage API keys: create-key, revoke-key."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy import ids
from understudy.cli.service import load_settings
from understudy.cli.terminal import notices, output, write_json

if TYPE_CHECKING:
    from understudy.resources import Resources
    from understudy.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Data folder of the running stack, used if UNDERSTUDY_DATABASE_URL is not set. "
        "Default: UNDERSTUDY_DATA_DIR, or ~/.local/share/understudy (for root, /var/lib/understudy)."
    ),
]

# The same scopes as in `services.api_keys`, which is imported only when a command runs.
SCOPES = ["read", "read_real", "write"]


def create_key(
    project: Annotated[str, typer.Option(help="Name of the project, which is created if it does not exist.")],
    name: Annotated[str, typer.Option(help="Name of the key, for example its purpose.")] = "command line",
    scope: Annotated[
        list[str],
        typer.Option(
            help="Scope of the key: read, read_real (also read real values), write, admin (everything within "
            "the project), or operator (manage all projects). Repeatable."
        ),
    ] = SCOPES,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Create an API key and print it once. Only a digest of the key is stored."""
    with open_service(data_dir) as resources:
        # Imported here because the services need packages that the base install lacks.
        from understudy.services import api_keys, projects

        owner = projects.find_or_create_project(resources, project)
        row, text = api_keys.create_api_key(resources, owner.id, name, scope)
    key_id = ids.to_text("api_key", row.id)
    if as_json:
        write_json({"project_id": ids.to_text("project", owner.id), "key_id": key_id, "key": text})
        return
    notices().print(
        f"Created key {key_id} in project {project!r}. Store it now; it is not shown again:",
        soft_wrap=True,
        markup=False,
    )
    # Only the key goes to stdout, so that `> file` and `$(…)` capture just the key.
    sys.stdout.write(f"{text}\n")


def revoke_key(
    key_id: Annotated[
        str,
        typer.Argument(
            help="ID of the key (key_…), or the key itself (sk_…), whose last part may be omitted."
        ),
    ],
    project: Annotated[str, typer.Option(help="Name of the project that the key belongs to.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke an API key. Later requests with this key are refused."""
    # The second part of a key is its ID without the prefix. After a leak, often only the key is known.
    letters = key_id.split("_")[1] if "_" in key_id else key_id
    with open_service(data_dir) as resources:
        # Imported here because the services need packages that the base install lacks.
        from understudy.services import api_keys, projects

        owner = projects.find_project(resources, project)
        api_keys.revoke_api_key(resources, owner.id, ids.from_text("api_key", f"key_{letters}"))
    output().print(f"Revoked key_{letters}.", soft_wrap=True, markup=False)


@contextmanager
def open_service(data_dir: Path | None) -> Iterator[Resources]:
    """Open the resources of the configured service, or of the stack that runs in the data folder."""
    settings = _settings(data_dir)
    # Imported here because this module needs packages that the base install lacks. `load_settings` reports
    # missing packages.
    from understudy.resources import open_resources

    resources = open_resources(settings)
    try:
        yield resources
    finally:
        resources.close()


def _settings(data_dir: Path | None) -> Settings:
    """Return the settings. Missing values are taken from the stack that runs in the data folder.

    As with `serve`, configured servers take precedence. Without --data-dir, the stack is used only if no
    database is configured. Otherwise, keys in the configured database could be created with the secret of the
    stack.
    """
    settings = load_settings()
    is_complete = settings.database_url is not None and (
        data_dir is None or (settings.redis_url is not None and settings.secret_key is not None)
    )
    if is_complete:
        return settings
    # Imported here because this module needs packages that the base install lacks. `load_settings` reports
    # missing packages.
    from understudy.embedded.running import settings_of_stack

    folder = data_dir or settings.data_dir
    missing = {
        name: value for name, value in settings_of_stack(folder).items() if getattr(settings, name) is None
    }
    return settings.model_copy(update={"data_dir": folder, **missing})
