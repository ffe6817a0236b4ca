"""The commands of an installation's owner on API keys: create-key, revoke-key."""

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
        help="Folder of the running stack, where no database is given; default: UNDERSTUDY_DATA_DIR, or one "
        "of your own."
    ),
]

# As in `services.api_keys`, which is loaded only when a command runs.
SCOPES = ["read", "read_real", "write"]


def create_key(
    project: Annotated[str, typer.Option(help="Name of the project; made if there is none of that name.")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    scope: Annotated[
        list[str],
        typer.Option(help="What it allows: read, read_real (real values, too), write, admin; several times."),
    ] = SCOPES,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")] = False,
) -> None:
    """Make an API key and print it, once: only a digest is kept."""
    with _resources(data_dir) as resources:
        # Loaded here: the services need packages that a bare install does not have.
        from understudy.services import api_keys, projects

        owner = projects.find_or_create_project(resources, project)
        row, text = api_keys.create_api_key(resources, owner.id, name, scope)
    key_id = ids.to_text("api_key", row.id)
    if as_json:
        write_json({"project_id": ids.to_text("project", owner.id), "key_id": key_id, "key": text})
        return
    notices().print(
        f"Key {key_id} of project {project!r}; it is not shown again:", soft_wrap=True, markup=False
    )
    # By itself on stdout, so that `> file` and `$(…)` take the key alone.
    sys.stdout.write(f"{text}\n")


def revoke_key(
    key_id: Annotated[str, typer.Argument(help="key_…, or sk_… with or without the secret part.")],
    project: Annotated[str, typer.Option(help="Name of the key's project.")],
    data_dir: DataDir = None,
) -> None:
    """Let an API key be valid no longer, from the next request on."""
    # The letters of the id are the second part of the key too; a key that leaked is often all one has.
    letters = key_id.split("_")[1] if "_" in key_id else key_id
    with _resources(data_dir) as resources:
        # Loaded here: the services need packages that a bare install does not have.
        from understudy.services import api_keys, projects

        owner = projects.find_project(resources, project)
        api_keys.revoke_api_key(resources, owner.id, ids.from_text("api_key", f"key_{letters}"))
    output().print(f"Revoked key_{letters}.", soft_wrap=True, markup=False)


@contextmanager
def _resources(data_dir: Path | None) -> Iterator[Resources]:
    settings = _settings(data_dir)
    # Loaded here: it needs packages that a bare install does not have, which `load_settings` says.
    from understudy.resources import open_resources

    resources = open_resources(settings)
    try:
        yield resources
    finally:
        resources.close()


def _settings(data_dir: Path | None) -> Settings:
    """Return the settings, completed by the stack that runs in the data folder.

    As with `serve`, a server that is given is used. Without --data-dir a stack is looked for only where no
    database is given, so that a database never gets keys that are digested with another one's secret.
    """
    settings = load_settings()
    is_complete = settings.database_url is not None and (
        data_dir is None or (settings.redis_url is not None and settings.secret_key is not None)
    )
    if is_complete:
        return settings
    # Loaded here: it needs packages that a bare install does not have, which `load_settings` says.
    from understudy.embedded.running import settings_of_stack

    folder = data_dir or settings.data_dir
    missing = {
        name: value for name, value in settings_of_stack(folder).items() if getattr(settings, name) is None
    }
    return settings.model_copy(update={"data_dir": folder, **missing})
