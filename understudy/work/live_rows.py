"""Work for live rows: sample rows from a model, and write them to a pipe in the requested format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

import pyarrow as pa

from understudy.parameters.live_rows import LIVE_PIPE
from understudy.parameters.sample import SampleParameters
from understudy.synthesizers import synthesizer_entry
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.contexts import SampleContext, plan_rows
from understudy.synthesizers.datasets import sample_table
from understudy.synthesizers.files import load_model
from understudy.tables.formats.arrow.writing import arrow_stream_chunks
from understudy.tables.formats.csv.writing import csv_chunks
from understudy.tables.formats.jsonl.writing import jsonl_chunks
from understudy.tables.schema import DatasetSchema
from understudy.work.base import WorkResult, Workspace

# The first rows are sampled as a small block, so that the caller receives them soon. A synthesizer samples
# later rows in blocks of 65,536 rows.
FIRST_ROWS = 1_024

CHUNKS: Mapping[str, Callable[[Iterable[pa.RecordBatch], pa.Schema], Iterator[bytes]]] = {
    "jsonl": jsonl_chunks,
    "csv": csv_chunks,
    "arrow": arrow_stream_chunks,
}


def work(workspace: Workspace, parameters: SampleParameters) -> WorkResult:
    """Write the rows that a `sample` job with the same parameters would store. No file is written."""
    synthesizer, _ = load_model(workspace.inputs["model"])
    ((table, schema),) = DatasetSchema.model_validate(workspace.context["schema"]).tables.items()
    chunks = CHUNKS[workspace.context["format"]]
    n_rows = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal n_rows
        for batch in _batches(synthesizer, parameters):
            n_rows += batch.num_rows
            yield batch

    batches = counted()
    # An error in the first batch or the last row becomes the response because nothing has been written yet.
    first = next(batches)
    _check_last_row(synthesizer, parameters)
    with os.fdopen(os.open(workspace.folder / LIVE_PIPE, os.O_WRONLY), "wb") as pipe:
        for chunk in chunks(chain([first], batches), schema.to_arrow()):
            pipe.write(chunk)
            pipe.flush()
    return WorkResult(facts={"n_rows": {table: n_rows}})


def _check_last_row(synthesizer: Synthesizer, parameters: SampleParameters) -> None:
    """Sample the last row, so that a lack of new identifiers is noticed before the first row is sent."""
    assert parameters.n_rows is not None
    if parameters.n_rows > FIRST_ROWS and _is_addressable(synthesizer):
        plan = plan_rows(synthesizer.schema_, 1, offset=parameters.offset + parameters.n_rows - 1)
        for _ in sample_table(synthesizer, plan, context=SampleContext(seed=parameters.seed)):
            pass


def _is_addressable(synthesizer: Synthesizer) -> bool:
    return synthesizer_entry(synthesizer.name).capabilities.addressable_rows


def _batches(synthesizer: Synthesizer, parameters: SampleParameters) -> Iterator[pa.RecordBatch]:
    """Yield the rows in order, with a small first batch if the synthesizer can start at any row."""
    assert parameters.n_rows is not None
    n_first = min(FIRST_ROWS, parameters.n_rows) if _is_addressable(synthesizer) else parameters.n_rows
    context = SampleContext(seed=parameters.seed)
    for start, n_rows in ((0, n_first), (n_first, parameters.n_rows - n_first)):
        if n_rows:
            plan = plan_rows(synthesizer.schema_, n_rows, offset=parameters.offset + start)
            yield from sample_table(synthesizer, plan, context=context)
