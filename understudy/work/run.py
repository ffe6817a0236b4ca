"""The target of the sandbox: finds the work that a payload names, and does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name

from understudy.errors import NotFound
from understudy.parameters.base import JobParameters, Json
from understudy.progress import Progress
from understudy.work.base import WorkResult, Workspace


def run_work(payload: Json, folder: Path, progress: Progress) -> Json:
    """Do the work of a job.

    Parameters
    ----------
    payload : dict
        `work` and `parameters_type` (``module:name``), `parameters`, `inputs` (role: path) and `context`.
    folder : Path
        Where the work writes.

    Returns
    -------
    result : dict
        `files` (role: name in the folder) and `facts`.

    Raises
    ------
    NotFound
        If an input is not there.
    """
    inputs = {role: Path(path) for role, path in payload["inputs"].items()}
    for role, path in inputs.items():
        if not path.is_file():
            raise NotFound(f"The stored file {role!r} that the job reads is not there any more.")
    parameters_type: type[JobParameters] = resolve_name(payload["parameters_type"])
    work: Callable[[Workspace, JobParameters], WorkResult] = resolve_name(payload["work"])
    parameters = parameters_type.model_validate(payload["parameters"])
    result = work(Workspace(inputs, folder, payload["context"], progress), parameters)
    return {"files": dict(result.files), "facts": result.facts}
