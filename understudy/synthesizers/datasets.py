"""Functions that fit and sample single-table datasets, and collect samples as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.synthesizers import make_synthesizer
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.contexts import FitContext, SampleContext, SamplePlan
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.source import ArrowSource


def fit_table(
    parameters: SynthesizerParameters, rows: pa.Table, schema: TableSchema, *, context: FitContext
) -> Synthesizer:
    """Return a synthesizer fitted on a single-table dataset."""
    data = {DEFAULT_NAME: ArrowSource(rows)}
    whole = DatasetSchema(tables={DEFAULT_NAME: schema})
    return make_synthesizer(parameters).fit(data, whole, context=context)


def sample_table(
    synthesizer: Synthesizer, plan: SamplePlan, *, context: SampleContext
) -> Iterator[pa.RecordBatch]:
    """Return the sampled rows of the only table in a plan, without reference tables."""
    (wanted,) = plan.n_rows
    sampled = synthesizer.sample(plan, context=context)
    return (batch for name, batch in sampled if name == wanted)


def collect_tables(
    sampled: Iterable[tuple[str, pa.RecordBatch]], schema: DatasetSchema
) -> dict[str, pa.Table]:
    """Return all tables of a sample in memory, in the order of the schema, including tables without rows."""
    batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in schema.tables}
    for name, batch in sampled:
        batches[name].append(batch)
    return {
        name: pa.Table.from_batches(parts, schema=schema.tables[name].to_arrow())
        for name, parts in batches.items()
    }
