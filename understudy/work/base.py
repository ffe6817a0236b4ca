"""What the work of every kind is given, and what it leaves; it runs in the sandbox, with files only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from understudy.parameters.base import Json
from understudy.progress import Progress


@dataclass(frozen=True)
class Workspace:
    """What the work sees in the sandbox: its inputs as files, a folder to write in, facts, progress."""

    inputs: Mapping[str, Path]
    folder: Path
    context: Json
    progress: Progress


@dataclass(frozen=True)
class WorkResult:
    """What the work leaves: files by role (names within its folder), and facts as JSON."""

    files: Mapping[str, str] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)
