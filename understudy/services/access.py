"""Access of API callers to datasets, tables and files. `understudy.access` contains the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from understudy import access
from understudy.access import Purpose, TableReference
from understudy.db import artifacts, dataset_tables
from understudy.errors import NotFound
from understudy.resources import Resources
from understudy.services.api_keys import Caller

if TYPE_CHECKING:
    from understudy.db.dataset_tables import Table
    from understudy.db.orm import Artifact, Dataset


@dataclass(frozen=True)
class OpenDataset:
    """A dataset and its tables in order."""

    dataset: Dataset
    tables: list[Table]


@dataclass(frozen=True)
class OpenFile:
    """A table and its stored Parquet file, or the parts of this file in order."""

    table: Table
    parts: list[Artifact]


def open_dataset(resources: Resources, caller: Caller, dataset_id: UUID, purpose: Purpose) -> OpenDataset:
    """Return a dataset with its tables. Raise the same errors as `access.open_dataset`."""
    with resources.sessions() as session:
        dataset = access.open_dataset(session, caller, dataset_id, purpose)
        return OpenDataset(dataset, dataset_tables.all_of(session, dataset))


def open_table(resources: Resources, caller: Caller, reference: TableReference, purpose: Purpose) -> Table:
    """Return a table. Raise the same errors as `access.open_table`."""
    with resources.sessions() as session:
        return access.open_table(session, caller, reference, purpose)


def open_file(resources: Resources, caller: Caller, reference: TableReference, purpose: Purpose) -> OpenFile:
    """Return a table and its Parquet file. Raise the same errors as `access.open_table`."""
    with resources.sessions() as session:
        table = access.open_table(session, caller, reference, purpose)
        dataset = table.dataset
        return OpenFile(table, artifacts.of_file(session, dataset.project_id, dataset.job_id, table.role))


def open_rejects(
    resources: Resources, caller: Caller, reference: TableReference
) -> tuple[Table, Artifact | None]:
    """Return an uploaded table and the file of its skipped rows, or None if no rows were skipped.

    Raises
    ------
    NotFound
        If the dataset was not uploaded, or under the same conditions as `access.open_table`.
    Forbidden, Conflict, InvalidInput
        Under the same conditions as `access.open_table`.
    """
    with resources.sessions() as session:
        table = access.open_table(session, caller, reference, "see")
        dataset = table.dataset
        if dataset.origin != "upload":
            raise NotFound(
                "Only uploaded datasets have skipped rows, but this dataset was sampled or imputed. "
                "Use the ID of an uploaded dataset."
            )
        role = dataset_tables.role_of("rejects", table.position)
        return table, artifacts.find(session, dataset.project_id, dataset.job_id, role)
