"""Location of the repository with the service. The wheel contains only the package `understudy`."""

from __future__ import annotations

from pathlib import Path

from understudy.errors import Unavailable

# All of these folders must exist because a folder of installed packages may contain an unrelated `app`.
MARKERS = ("pyproject.toml", "app/main.py", "workers/celery_app.py", "migrations/env.py")


def find_repository(folder: Path | None = None) -> Path:
    """Return the folder that contains `understudy`, `app`, `workers` and `migrations`.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Folder to check. The default is the folder that contains this package.

    Raises
    ------
    Unavailable
        If the folder does not contain the service.
    """
    folder = folder or Path(__file__).parents[1]
    if all((folder / marker).is_file() for marker in MARKERS):
        return folder
    raise Unavailable(
        "This installation of understudy contains the engine and the command line, but not the service. "
        "Run the service from the container image, or from a clone of the repository: "
        "pip install --editable '.[service,embedded]' (docs/how-to/deployment.md).",
        code="configuration",
    )
