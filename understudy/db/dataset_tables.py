"""The tables of a dataset: rows of their own where there are several, the dataset itself if there is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, defer

from understudy import ids
from understudy.db import datasets
from understudy.db.orm import Dataset, DatasetTable
from understudy.errors import InvalidInput

Json = dict[str, Any]

NAMES_LISTED_MAX = 20


@dataclass(frozen=True)
class Table:
    """One table of a dataset that is ready, and the role of the artifact that holds it.

    Parameters
    ----------
    name, position : str, int, optional
        None for the only table of its dataset.
    """

    dataset: Dataset
    name: str | None
    position: int | None
    role: str
    n_rows: int
    n_columns: int
    size_bytes: int
    table_schema: Json


def role_of(kind: str, position: int | None) -> str:
    """Return the role of a file, such as ``table`` or ``upload``, of the only table or of one of several."""
    return kind if position is None else f"{kind}_{position}"


def add(session: Session, dataset: Dataset, tables: Iterable[tuple[str, str]]) -> list[DatasetTable]:
    """Add the tables of a dataset of several, by name and format; nothing is known of their rows yet."""
    rows = [
        DatasetTable(
            dataset_id=dataset.id, position=position, project_id=dataset.project_id, name=name, format=format_
        )
        for position, (name, format_) in enumerate(tables, 1)
    ]
    session.add_all(rows)
    session.flush()
    return rows


def of_datasets(
    session: Session, project_id: UUID, rows: Iterable[Dataset]
) -> dict[UUID, list[DatasetTable]]:
    """Return the tables, without their schemas, of those datasets that have several."""
    found: dict[UUID, list[DatasetTable]] = {row.id: [] for row in rows if row.n_tables > 1}
    if found:
        statement = (
            select(DatasetTable)
            .where(DatasetTable.project_id == project_id, DatasetTable.dataset_id.in_(list(found)))
            .order_by(DatasetTable.dataset_id, DatasetTable.position)
            .options(defer(DatasetTable.table_schema, raiseload=True))
        )
        for table in session.scalars(statement):
            found[table.dataset_id].append(table)
    return found


def set_ready(
    session: Session,
    project_id: UUID,
    dataset_id: UUID,
    position: int,
    *,
    n_rows: int,
    n_columns: int,
    size_bytes: int,
    table_schema: Json,
) -> None:
    """Show what `ingest` found in one of several tables."""
    statement = (
        update(DatasetTable)
        .where(
            DatasetTable.dataset_id == dataset_id,
            DatasetTable.project_id == project_id,
            DatasetTable.position == position,
        )
        .values(n_rows=n_rows, n_columns=n_columns, size_bytes=size_bytes, table_schema=table_schema)
    )
    session.execute(statement)


def set_schema(session: Session, table: Table, table_schema: Json) -> Dataset:
    """Replace the schema of a table of the version that was changed; raises as `datasets.set_schema`."""
    dataset = table.dataset
    row = datasets.set_schema(
        session,
        dataset.project_id,
        dataset.id,
        version=dataset.version,
        table_schema=table_schema if table.position is None else None,
    )
    if table.position is not None:
        statement = update(DatasetTable).where(
            DatasetTable.dataset_id == dataset.id,
            DatasetTable.project_id == dataset.project_id,
            DatasetTable.position == table.position,
        )
        session.execute(statement.values(table_schema=table_schema))
    return row


def all_of(session: Session, dataset: Dataset) -> list[Table]:
    """Return all tables of a dataset that is ready, in their order."""
    if dataset.n_tables == 1:
        return [_only_table(dataset)]
    statement = select(DatasetTable).where(
        DatasetTable.dataset_id == dataset.id, DatasetTable.project_id == dataset.project_id
    )
    rows = session.scalars(statement.order_by(DatasetTable.position))
    return [_table(dataset, row, row.name, row.position) for row in rows]


def choose(session: Session, dataset: Dataset, name: str | None, *, pointer: str | None = None) -> Table:
    """Return the table of that name; without a name, the only table of a dataset that is ready.

    Parameters
    ----------
    pointer : str, optional
        Where the name stands in the request, for the error.

    Raises
    ------
    InvalidInput
        With the code `table_required`, naming the tables, or `unknown_table`.
    """
    if dataset.n_tables == 1:
        if name is not None:
            raise InvalidInput(
                f"Dataset {ids.to_text('dataset', dataset.id)} has one table only, which has no name;"
                " leave `table` out.",
                code="unknown_table",
                pointer=pointer,
            )
        return _only_table(dataset)
    row = None if name is None else _find(session, dataset, name)
    if row is None:
        raise _not_chosen(session, dataset, name, pointer)
    return _table(dataset, row, row.name, row.position)


def _find(session: Session, dataset: Dataset, name: str) -> DatasetTable | None:
    return session.scalar(
        select(DatasetTable).where(
            DatasetTable.dataset_id == dataset.id,
            DatasetTable.project_id == dataset.project_id,
            DatasetTable.name == name,
        )
    )


def _only_table(dataset: Dataset) -> Table:
    return _table(dataset, dataset, None, None)


def _table(dataset: Dataset, row: Dataset | DatasetTable, name: str | None, position: int | None) -> Table:
    assert row.n_rows is not None
    assert row.n_columns is not None
    assert row.size_bytes is not None
    assert row.table_schema is not None
    return Table(
        dataset=dataset,
        name=name,
        position=position,
        role=role_of("table", position),
        n_rows=row.n_rows,
        n_columns=row.n_columns,
        size_bytes=row.size_bytes,
        table_schema=row.table_schema,
    )


def _not_chosen(session: Session, dataset: Dataset, name: str | None, pointer: str | None) -> InvalidInput:
    names = [row.name for row in of_datasets(session, dataset.project_id, [dataset])[dataset.id]]
    text_id = ids.to_text("dataset", dataset.id)
    if name is None:
        return InvalidInput(
            f"Dataset {text_id} has {len(names)} tables; name one as `table`: {_listed(names)}.",
            code="table_required",
            pointer=pointer,
        )
    return InvalidInput(
        f"Dataset {text_id} has no table {name!r}; there are: {_listed(names)}.",
        code="unknown_table",
        pointer=pointer,
    )


def _listed(names: Sequence[str]) -> str:
    more = ", …" if len(names) > NAMES_LISTED_MAX else ""
    return ", ".join(repr(name) for name in names[:NAMES_LISTED_MAX]) + more
