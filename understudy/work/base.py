"""Input and result of the work of a job. Work runs in the sandbox and accesses only files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from understudy.parameters.base import Json
from understudy.progress import Progress


@dataclass(frozen=True)
class Workspace:
    """Inputs for a job's work.

    Parameters
    ----------
    inputs : mapping of role to Path
        Input files.
    folder : Path
        Folder for the output files.
    context : dict
        JSON that the worker passes to the work, such as schemas and limits.
    progress : Progress
        Function that reports progress.
    """

    inputs: Mapping[str, Path]
    folder: Path
    context: Json
    progress: Progress


@dataclass(frozen=True)
class WorkResult:
    """Result of a job's work.

    Parameters
    ----------
    files : mapping of role to str
        Names of the output files in the workspace folder.
    facts : dict
        JSON that the worker stores in the database.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)
