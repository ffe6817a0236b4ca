"""Sandbox entry point that runs a job's work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name

from understudy.errors import NotFound, UnderstudyError
from understudy.parameters.base import JobParameters, Json
from understudy.progress import Progress
from understudy.work.base import WorkResult, Workspace


def run_work(payload: Json, folder: Path, progress: Progress) -> Json:
    """Run the work of a job.

    Parameters
    ----------
    payload : dict
        `work` and `parameters_type` (each as ``module:name``), `parameters`, `inputs` (role: path), `sha256s`
        (role: digest of the input in hexadecimal) and `context`.
    folder : Path
        Folder for the output files.
    progress : Progress
        Function that reports progress.

    Returns
    -------
    result : dict
        `files` (role: name in the folder) and `facts`.

    Raises
    ------
    NotFound
        If an input file does not exist.
    UnderstudyError
        With the code `artifact_corrupt`, if an input does not have its digest.
    """
    inputs = {role: Path(path) for role, path in payload["inputs"].items()}
    for role, path in inputs.items():
        if not path.is_file():
            raise NotFound(
                f"The stored input file {role!r} of the job no longer exists. Upload the dataset or "
                "train the model again, and create a new job that uses it."
            )
    for role, sha256 in payload["sha256s"].items():
        _check_digest(role, inputs[role], sha256)
    parameters_type: type[JobParameters] = resolve_name(payload["parameters_type"])
    work: Callable[[Workspace, JobParameters], WorkResult] = resolve_name(payload["work"])
    parameters = parameters_type.model_validate(payload["parameters"])
    result = work(Workspace(inputs, folder, payload["context"], progress), parameters)
    return {"files": dict(result.files), "facts": result.facts}


def _check_digest(role: str, path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        is_unchanged = hashlib.file_digest(file, "sha256").hexdigest() == sha256
    if not is_unchanged:
        raise UnderstudyError(
            f"The stored file {role!r}, which the job reads, does not match its checksum. Ask your "
            "administrator to restore it from a backup, then create the job again.",
            code="artifact_corrupt",
        )
