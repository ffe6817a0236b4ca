"""Helpers for synthesizers on one Arrow table: fit, sample, impute, and inspect the parts of a model file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import pyarrow as pa

from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers.base import Json, SupportsImputation, Synthesizer
from understudy.synthesizers.contexts import FitContext, SampleContext, plan_rows, root_tables
from understudy.synthesizers.datasets import sample_table
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.source import ArrowSource

S = TypeVar("S", bound=Synthesizer)


def fit(
    synthesizer: S, table: pa.Table, schema: TableSchema, *, seed: int = 0, context: FitContext | None = None
) -> S:
    """Fit a synthesizer to a dataset with one table."""
    dataset_schema = DatasetSchema(tables={DEFAULT_NAME: schema})
    data = {DEFAULT_NAME: ArrowSource(table)}
    return synthesizer.fit(data, dataset_schema, context=context or FitContext(seed=seed))


def batches_of(
    synthesizer: Synthesizer,
    n_rows: int,
    *,
    seed: int = 0,
    offset: int = 0,
    constraints: SamplingConstraints | None = None,
) -> Iterator[pa.RecordBatch]:
    """Sample rows of the table as record batches."""
    plan = plan_rows(synthesizer.schema_, n_rows, offset=offset, constraints=constraints)
    return sample_table(synthesizer, plan, context=SampleContext(seed=seed))


def sample(synthesizer: Synthesizer, n_rows: int, **how: Any) -> pa.Table:
    """Return a sample as one table. `how` is passed on to `batches_of`. Empty samples have no columns."""
    batches = list(batches_of(synthesizer, n_rows, **how))
    return pa.Table.from_batches(batches) if batches else pa.table({})


def impute(synthesizer: Synthesizer, table: pa.Table, *, seed: int = 1, n_draws: int = 1) -> pa.Table:
    """Return the imputed tables of all draws, concatenated into one table."""
    assert isinstance(synthesizer, SupportsImputation)
    (name,) = root_tables(synthesizer.schema_)
    completed = synthesizer.impute(
        {name: ArrowSource(table)}, n_draws=n_draws, context=SampleContext(seed=seed)
    )
    return pa.Table.from_batches(batch for _, batch in completed)


class Parts:
    """A model file in memory, which `save` writes and `load` reads."""

    def __init__(self, name: str, schema: DatasetSchema, model: Json, arrays: Mapping[str, Any]) -> None:
        self.name, self.schema, self.model, self.arrays = name, schema, model, dict(arrays)

    @classmethod
    def of(cls, synthesizer: Synthesizer) -> Parts:
        """Return the parts of a fitted synthesizer."""
        parts = cls(synthesizer.name, synthesizer.schema_, {}, {})
        synthesizer.save(parts)  # type: ignore[arg-type]  # its `json` writes and reads
        return parts

    def array(self, name: str, array: Any) -> None:
        """Store an array."""
        self.arrays[name] = array

    def json(self, name: str, *values: Any) -> Any:
        """Store a JSON value, or return the stored value."""
        assert name == "model"
        if values:
            (self.model,) = values
        return self.model

    def changed(self, model: Json | None = None, arrays: Mapping[str, Any] | None = None) -> Parts:
        """Return the parts with the JSON or the arrays replaced."""
        return Parts(
            self.name,
            self.schema,
            self.model if model is None else model,
            self.arrays if arrays is None else arrays,
        )
