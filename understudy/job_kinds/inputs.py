"""Functions that several job kinds use to open and check their inputs."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from understudy import access, ids
from understudy.access import JobPrincipal, Purpose, TableReference
from understudy.db import artifacts, dataset_tables, models
from understudy.db.dataset_tables import NewTable, Table, TableFacts, role_of
from understudy.errors import InvalidInput
from understudy.job_kinds.base import StoredFile
from understudy.parameters.base import NAME_LENGTH_MAX
from understudy.parameters.needs import Needs
from understudy.synthesizers import synthesizer_entry
from understudy.synthesizers.base import unsupported_by_synthesizer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db.orm import Dataset, Model


def open_table(
    session: Session, project_id: UUID, dataset_id: str, name: str | None, purpose: Purpose
) -> Table:
    """Return a table that the parameters name. Raise the same errors as `access.open_table`."""
    reference = TableReference(ids.from_text("dataset", dataset_id), name, pointer="/table")
    return access.open_table(session, JobPrincipal(project_id), reference, purpose)


def open_tables(
    session: Session, project_id: UUID, dataset_ids: Iterable[str], name: str | None
) -> list[Table]:
    """Return one table of each dataset. Raise the same errors as `access.open_dataset` and `match_tables`."""
    principal = JobPrincipal(project_id)
    datasets = [
        access.open_dataset(session, principal, ids.from_text("dataset", text), "evaluate")
        for text in dataset_ids
    ]
    return match_tables(session, datasets, name)


def match_tables(session: Session, datasets: Sequence[Dataset], name: str | None) -> list[Table]:
    """Return, for each dataset, the table with the given name, or the only table regardless of its name.

    The default is the name of the only table of the first dataset.

    Raises
    ------
    InvalidInput
        With the code `table_required` or `unknown_table`, also if no dataset has a table with the name.
    """
    first = dataset_tables.choose_matching(session, datasets[0], name, pointer="/table")
    wanted = name or first.name
    tables = [
        dataset_tables.choose_matching(session, dataset, wanted, pointer="/table") for dataset in datasets
    ]
    if all(table.name != wanted for table in tables):
        return [dataset_tables.choose(session, datasets[0], wanted, pointer="/table")]
    return tables


def table_roles(model: Model) -> dict[str, str]:
    """Return the role of the file of each table in a sample, by table name."""
    return {name: role_of("table", position) for position, name in enumerate(model.tables, 1)}


def add_made_tables(
    session: Session,
    dataset: Dataset,
    model: Model,
    files: Mapping[str, StoredFile],
    n_rows: Mapping[str, int],
) -> None:
    """Add the tables of a dataset that was generated with a model.

    Parameters
    ----------
    n_rows : mapping of str to int
        The number of rows of each table, by table name.
    """
    for position, (name, role) in enumerate(table_roles(model).items(), 1):
        schema = model.dataset_schema["tables"][name]
        facts = TableFacts(
            n_rows=n_rows[name],
            n_columns=len(schema["columns"]),
            size_bytes=files[role].size_bytes,
            table_schema=schema,
            findings=model.findings["tables"][name],
        )
        dataset_tables.add_ready(session, dataset, position, NewTable(name, "parquet"), facts)


def table_files(session: Session, table: Table, role: str) -> dict[str, StoredFile]:
    """Return the stored Parquet file of a table as an input with the role, or its parts in order.

    The roles of parts are ``<role>.1``, ``<role>.2`` and so on. `understudy.work.tables` reads them.
    """
    dataset = table.dataset
    parts = [
        StoredFile(part.storage_key, part.sha256, part.size_bytes)
        for part in artifacts.of_file(session, dataset.project_id, dataset.job_id, table.role)
    ]
    if len(parts) == 1:
        return {role: parts[0]}
    return {f"{role}.{number}": part for number, part in enumerate(parts, 1)}


def stored_file(session: Session, project_id: UUID, job_id: UUID, role: str) -> StoredFile:
    """Return a file that a job stored, or raise `NotFound`."""
    artifact = artifacts.get(session, project_id, job_id, role)
    return StoredFile(artifact.storage_key, artifact.sha256, artifact.size_bytes)


def column_names(row: Table | Model) -> list[str]:
    """Return the column names of a table, or of the table that a model learned."""
    if isinstance(row, Table):
        schema = row.facts.table_schema
    else:
        (name,) = row.tables
        schema = row.dataset_schema["tables"][name]
    return [column["name"] for column in schema["columns"]]


def check_same_columns(table: Table, other: Table | Model) -> None:
    """Check that two tables have the same column names. The work compares the types.

    Raises
    ------
    InvalidInput
        With the code `schema_mismatch` and the names of columns that only one of the tables has.
    """
    names, other_names = set(column_names(table)), set(column_names(other))
    if names != other_names:
        listed = ", ".join(repr(name) for name in sorted(names ^ other_names)[:5])
        raise InvalidInput(
            f"{_text_id(table)} and {_text_id(other)} have different columns: only one of them has {listed}."
            " Use tables with the same columns.",
            code="schema_mismatch",
        )


def check_supports_constraints(model: Model) -> None:
    """Check that the synthesizer of a model supports constraints. Imputation also requires this capability.

    Raises
    ------
    InvalidInput
        With the code `unsupported_by_synthesizer`.
    """
    name = model.synthesizer["name"]
    if not synthesizer_entry(name).capabilities.constraints:
        raise unsupported_by_synthesizer(name)


def needs_of_model(session: Session, project_id: UUID, model_id: str) -> Needs:
    """Return the requirements that a model's synthesizer places on the worker."""
    model = models.get(session, project_id, ids.from_text("model", model_id))
    return synthesizer_entry(model.synthesizer["name"]).needs


def _text_id(row: Table | Model) -> str:
    if isinstance(row, Table):
        return f"Dataset {ids.to_text('dataset', row.dataset.id)}"
    return f"Model {ids.to_text('model', row.id)}"


def name_with_suffix(name: str, suffix: str) -> str:
    """Return a name with a suffix, shortened to the maximum length of names."""
    return name[: NAME_LENGTH_MAX - len(suffix)] + suffix


def new_seed() -> int:
    """Return a random seed of 53 bits, which JavaScript can represent exactly in JSON."""
    return secrets.randbits(53)
