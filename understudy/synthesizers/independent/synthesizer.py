"""A synthesizer that preserves column distributions, but no dependencies between columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import decoding
from understudy.kernels.hashing import StreamRows
from understudy.synthesizers.base import Json, ModelWriter
from understudy.synthesizers.blocks import draw_blocks
from understudy.synthesizers.contexts import LearnRun
from understudy.synthesizers.entities.fitting import fit_columns
from understudy.synthesizers.entities.position_search import FittedRows, find_positions
from understudy.synthesizers.entities.sampling import draw_entities
from understudy.synthesizers.independent.parameters import IndependentParameters
from understudy.synthesizers.single_table import RowRequest, SingleTableSynthesizer
from understudy.tables.schema import TableSchema
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.base import Codes, CodesByColumn, NumberedRows, RowNumbers
from understudy.transformers.categorical import cumulate
from understudy.transformers.table import TableTransformer


class Independent(SingleTableSynthesizer):
    """Synthesizer that samples the codes of every column independently, according to their frequencies."""

    name: ClassVar[str] = "independent"
    parameters_type = IndependentParameters

    def _learn(self, rows: pa.Table, schema: TableSchema, run: LearnRun) -> TableTransformer:
        fitted = fit_columns(rows, schema, run)
        table = FittedRows(rows, fitted.transformer, fitted.codes)
        positions = find_positions(table, fitted.entities, fitted.found, set())
        self.entities_ = replace(fitted.entities, positions=positions)
        run.context.report("fitting", 0.0)
        self.counts_ = [
            np.bincount(column_codes, minlength=column.n_codes)
            for column, column_codes in zip(fitted.transformer.columns, fitted.codes, strict=True)
        ]
        run.context.report("fitting", 1.0)
        return fitted.transformer

    def _draw(self, request: RowRequest) -> Iterator[pa.RecordBatch]:
        table, seed = self._fitted(), request.seed
        cumulative = [cumulate(counts) for counts in self.counts_]

        def draw_codes(rows: NumberedRows, given: CodesByColumn, *_: object) -> dict[int, Codes]:
            return _draw(cumulative, seed, rows) | dict(given)

        def draw(numbers: RowNumbers) -> pa.RecordBatch:
            places = self.entities_.places(numbers, seed)
            rows, given = draw_entities(self.entities_, draw_codes, numbers, places)
            given |= self.entities_.codes_of_positions(places, seed)
            codes = draw_codes(rows, given)
            if table.id_start is not None and self.entities_.groups:
                rows = self.entities_.with_numbers(numbers, self.entities_.first_rows(places, seed))
            drawn = table.decode(codes, seed, rows)
            for name, values in self.entities_.numbers_of_counters(places, table.schema).items():
                drawn = drawn.set_column(drawn.schema.get_field_index(name), drawn.schema.field(name), values)
            return drawn

        return draw_blocks(
            draw,
            request.n_rows,
            request.offset,
            context=request.context,
        )

    def _save(self, writer: ModelWriter) -> Json:
        for j, counts in enumerate(self.counts_):
            writer.array(f"counts_{j}", counts)
        return {}

    def _load(self, reader: ArrayReader, table: TableTransformer) -> None:
        self.counts_ = [
            reader.counts(f"counts_{j}", column.n_codes) for j, column in enumerate(table.columns)
        ]


def _draw(cumulative: list[npt.NDArray[np.uint64]], seed: int, rows: NumberedRows) -> dict[int, Codes]:
    columns = {}
    for j, bounds in enumerate(cumulative):
        codes = np.empty(len(rows), np.uint16)
        decoding.draw_from_marginal(bounds, StreamRows(np.uint64(seed), np.uint64(j), rows.of(j)), codes)
        columns[j] = codes
    return columns
