"""Database rows that describe the tables in datasets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, defer

from understudy import ids
from understudy.db.orm import Dataset, DatasetTable
from understudy.errors import InvalidInput

Json = dict[str, Any]

NAMES_LISTED_MAX = 20


@dataclass(frozen=True)
class NewTable:
    """A new table before its file is ingested."""

    name: str
    format: str


@dataclass(frozen=True)
class TableFacts:
    """The sizes of a table, its `TableSchema` and its `TableFindings`."""

    n_rows: int
    n_columns: int
    size_bytes: int
    table_schema: Json
    findings: Json


@dataclass(frozen=True)
class Table:
    """A table of a dataset that is ready."""

    dataset: Dataset
    name: str
    position: int
    facts: TableFacts

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return self.facts.n_rows

    @property
    def n_columns(self) -> int:
        """The number of columns."""
        return self.facts.n_columns

    @property
    def size_bytes(self) -> int:
        """The size of the stored Parquet file in bytes."""
        return self.facts.size_bytes

    @property
    def role(self) -> str:
        """The role of the artifact that contains the rows."""
        return role_of("table", self.position)

    @property
    def dataset_schema(self) -> Json:
        """The `DatasetSchema` of only this table."""
        return dataset_schema([self])

    @property
    def dataset_findings(self) -> Json:
        """The `Findings` about this table, including the relationships where it is the child table."""
        return dataset_findings([self])


def role_of(kind: str, position: int) -> str:
    """Return the artifact role for a table's file, such as ``upload_1``."""
    return f"{kind}_{position}"


def dataset_schema(tables: Sequence[Table]) -> Json:
    """Return the `DatasetSchema` of the given tables of a dataset, with the relationships between them."""
    dataset = tables[0].dataset
    names = {table.name for table in tables}
    return {
        "tables": {table.name: table.facts.table_schema for table in tables},
        "relationships": [
            relationship
            for relationship in dataset.relationships
            if {relationship["child"], relationship["parent"]} <= names
        ],
        "locale": dataset.locale,
    }


def dataset_findings(tables: Sequence[Table]) -> Json:
    """Return the `Findings` about the given tables of a dataset."""
    names = {table.name for table in tables}
    candidates = tables[0].dataset.relationship_candidates
    return {
        "tables": {table.name: table.facts.findings for table in tables},
        "relationships": [candidate for candidate in candidates if candidate["child"] in names],
    }


def add(session: Session, dataset: Dataset, tables: Iterable[NewTable]) -> None:
    """Add the tables of a dataset before their files are ingested."""
    for position, table in enumerate(tables, 1):
        session.add(_new_row(dataset, position, table))
    session.flush()


def add_ready(session: Session, dataset: Dataset, position: int, table: NewTable, facts: TableFacts) -> None:
    """Add a table of a dataset that a job has just created."""
    row = _new_row(dataset, position, table)
    for name, value in vars(facts).items():
        setattr(row, name, value)
    session.add(row)
    session.flush()


def _new_row(dataset: Dataset, position: int, table: NewTable) -> DatasetTable:
    return DatasetTable(
        dataset_id=dataset.id,
        position=position,
        project_id=dataset.project_id,
        name=table.name,
        format=table.format,
    )


def of_datasets(
    session: Session, project_id: UUID, rows: Iterable[Dataset]
) -> dict[UUID, list[DatasetTable]]:
    """Return the tables in datasets, ordered by position, without their schemas and findings."""
    tables: dict[UUID, list[DatasetTable]] = {row.id: [] for row in rows}
    statement = (
        select(DatasetTable)
        .where(DatasetTable.project_id == project_id, DatasetTable.dataset_id.in_(list(tables)))
        .order_by(DatasetTable.dataset_id, DatasetTable.position)
        .options(
            defer(DatasetTable.table_schema, raiseload=True), defer(DatasetTable.findings, raiseload=True)
        )
    )
    for table in session.scalars(statement):
        tables[table.dataset_id].append(table)
    return tables


def set_ready(session: Session, dataset: Dataset, position: int, facts: TableFacts) -> None:
    """Store the facts that `ingest` determined about a table."""
    _change(session, dataset, position, **vars(facts))


def set_schema(session: Session, dataset: Dataset, position: int, *, schema: Json, findings: Json) -> None:
    """Replace the schema of a table and the findings about it."""
    _change(session, dataset, position, table_schema=schema, findings=findings)


def all_of(session: Session, dataset: Dataset) -> list[Table]:
    """Return all tables in a ready dataset, ordered by position."""
    statement = select(DatasetTable).where(
        DatasetTable.dataset_id == dataset.id, DatasetTable.project_id == dataset.project_id
    )
    return [_table(dataset, row) for row in session.scalars(statement.order_by(DatasetTable.position))]


def choose(session: Session, dataset: Dataset, name: str | None, *, pointer: str | None = None) -> Table:
    """Return a table of a ready dataset by name, or its only table if no name is given.

    Parameters
    ----------
    pointer : str, optional
        JSON pointer to the name in the request, for the error.

    Raises
    ------
    InvalidInput
        If no table can be chosen, with the code `table_required` or `unknown_table`.
    """
    rows = _first_two(session, dataset, name)
    if len(rows) != 1:
        tables = of_datasets(session, dataset.project_id, [dataset])[dataset.id]
        raise _not_chosen(dataset, name, [row.name for row in tables], pointer)
    return _table(dataset, rows[0])


def choose_matching(
    session: Session, dataset: Dataset, name: str | None, *, pointer: str | None = None
) -> Table:
    """Return a table by name, or the only table if none has that name. `choose` lists the exceptions."""
    named = [] if name is None else _first_two(session, dataset, name)
    return _table(dataset, named[0]) if named else choose(session, dataset, None, pointer=pointer)


def _first_two(session: Session, dataset: Dataset, name: str | None) -> list[DatasetTable]:
    """Return the first two tables, which suffice to detect ambiguity. A given name restricts the search."""
    statement = select(DatasetTable).where(
        DatasetTable.dataset_id == dataset.id, DatasetTable.project_id == dataset.project_id
    )
    if name is not None:
        statement = statement.where(DatasetTable.name == name)
    return list(session.scalars(statement.order_by(DatasetTable.position).limit(2)))


def _table(dataset: Dataset, row: DatasetTable) -> Table:
    assert row.n_rows is not None
    assert row.n_columns is not None
    assert row.size_bytes is not None
    assert row.table_schema is not None
    assert row.findings is not None
    facts = TableFacts(row.n_rows, row.n_columns, row.size_bytes, row.table_schema, row.findings)
    return Table(dataset, row.name, row.position, facts)


def _change(session: Session, dataset: Dataset, position: int, **values: Any) -> None:
    statement = update(DatasetTable).where(
        DatasetTable.dataset_id == dataset.id,
        DatasetTable.project_id == dataset.project_id,
        DatasetTable.position == position,
    )
    session.execute(statement.values(**values))


def _not_chosen(
    dataset: Dataset, name: str | None, names: Sequence[str], pointer: str | None
) -> InvalidInput:
    text_id = ids.to_text("dataset", dataset.id)
    more = ", …" if len(names) > NAMES_LISTED_MAX else ""
    listed = ", ".join(repr(known) for known in names[:NAMES_LISTED_MAX]) + more
    if name is None:
        return InvalidInput(
            f"Dataset {text_id} has {len(names)} tables. Set `table` to one of them: {listed}.",
            code="table_required",
            pointer=pointer,
        )
    return InvalidInput(
        f"Dataset {text_id} has no table {name!r}. Its tables are: {listed}.",
        code="unknown_table",
        pointer=pointer,
    )
