"""Read input tables, which may consist of several files."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.work.base import Workspace


def table_roles(workspace: Workspace) -> list[str]:
    """Return the roles of the inputs. All parts of a table together have one role."""
    return list(dict.fromkeys(name.partition(".")[0] for name in workspace.inputs))


def table_paths(workspace: Workspace, role: str) -> list[Path]:
    """Return the file of a table, or its parts in order, which are named ``<role>.1`` and so on."""
    if role in workspace.inputs:
        return [workspace.inputs[role]]
    names = [name for name in workspace.inputs if name.startswith(f"{role}.")]
    return [workspace.inputs[name] for name in sorted(names, key=lambda name: int(name.rpartition(".")[2]))]


def read_table(workspace: Workspace, role: str) -> pa.Table:
    """Return an input table."""
    paths = table_paths(workspace, role)
    if len(paths) == 1:
        return pq.read_table(paths[0])
    return pa.concat_tables([pq.read_table(path) for path in paths])
