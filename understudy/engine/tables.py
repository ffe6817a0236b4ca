"""Match a caller's tables by name to the tables in a schema."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.frames.categories import retain_categories
from understudy.frames.datasets import FrameDataset
from understudy.frames.frame_format import DatasetFormat
from understudy.frames.texts import with_texts
from understudy.tables.schema import DatasetSchema
from understudy.tables.validation import Origin, conform


def only_name(schema: DatasetSchema | None) -> str | None:
    """Return the name of the schema's only table, or None if the schema has several tables."""
    return next(iter(schema.tables)) if schema is not None and len(schema.tables) == 1 else None


def conform_dataset(
    tables: Mapping[str, pa.Table], schema: DatasetSchema, origin: Origin
) -> dict[str, pa.Table]:
    """Return the tables in the order of a schema, with its columns and types.

    Raises
    ------
    InvalidInput
        If a table is missing or unknown, or does not conform to the schema; see `conform`.
    """
    if set(tables) != set(schema.tables):
        given, expected = (", ".join(map(repr, sorted(names))) for names in (tables, schema.tables))
        raise InvalidInput(
            f"The data has the tables {given}, but the schema has {expected}. Use the same names in both.",
            code="schema_mismatch",
        )
    several = len(tables) > 1
    return {
        name: conform(
            tables[name], table, Origin(f"{origin.name} {name!r}", origin.remedy) if several else origin
        )
        for name, table in schema.tables.items()
    }


def text_format(dataset: FrameDataset, schema: DatasetSchema) -> DatasetFormat:
    """Return the format of a dataset with the names of text columns that are converted to other types."""
    forms = {
        name: with_texts(form, dataset.tables[name].schema, schema.tables[name])
        for name, form in dataset.form.tables.items()
    }
    return dataset.form.model_copy(update={"tables": forms})


def retain_dataset(
    dataset: FrameDataset, tables: Mapping[str, pa.Table], schema: DatasetSchema
) -> DatasetFormat:
    """Return the format of a dataset without the categories that a model must not store."""
    retained = {
        name: retain_categories(form, dataset.tables[name].schema, tables[name], schema.tables[name])
        for name, form in text_format(dataset, schema).tables.items()
    }
    return dataset.form.model_copy(update={"tables": retained})
