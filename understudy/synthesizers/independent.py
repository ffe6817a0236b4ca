"""Every column by itself: the shapes of the columns, none of their relations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import Conflict
from understudy.kernels import decoding
from understudy.kernels.hashing import StreamRows
from understudy.parameters.constraints import SamplingConstraints
from understudy.parameters.synthesizers import IndependentParameters
from understudy.progress import Progress, no_progress
from understudy.synthesizers.base import Arrays, Manifest, unsupported_by_synthesizer
from understudy.synthesizers.blocks import check_request, count_threads, draw_blocks
from understudy.synthesizers.cards import make_card
from understudy.tables.findings import Findings
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.stored_schemas import write_stored
from understudy.transformers.array_reader import ArrayReader, load_table
from understudy.transformers.base import Codes, RowNumbers
from understudy.transformers.categorical import cumulate
from understudy.transformers.table import TableTransformer, fit_table


class Independent:
    """Draws the code of every column by its frequency."""

    name: ClassVar[str] = "independent"

    def __init__(self, parameters: IndependentParameters, *, seed: int) -> None:
        self.parameters = parameters
        self.seed = seed
        self.table_: TableTransformer | None = None

    def fit(
        self, table: pa.Table, schema: TableSchema, *, locale: str = "en", progress: Progress = no_progress
    ) -> Self:
        """Learn the frequencies of every column's codes."""
        fitted, codes = fit_table(table, schema, locale=locale, n_threads=count_threads(), progress=progress)
        progress("fitting", 0.0)
        self.counts_ = [
            np.bincount(column_codes, minlength=column.n_codes)
            for column, column_codes in zip(fitted.columns, codes, strict=True)
        ]
        self.n_rows_ = table.num_rows
        self.table_ = fitted
        progress("fitting", 1.0)
        return self

    def sample(
        self, n_rows: int, *, seed: int, offset: int = 0, constraints: SamplingConstraints | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows ``offset … offset + n_rows - 1`` of the table that the seed stands for."""
        check_request(n_rows, seed, offset)
        if constraints is not None:
            raise unsupported_by_synthesizer(self.name)
        table = self._fitted()
        cumulative = [cumulate(counts) for counts in self.counts_]
        return draw_blocks(
            lambda rows: table.decode(_draw(cumulative, seed, rows), seed, rows),
            n_rows,
            offset,
            n_threads=count_threads(),
        )

    def effective_shares(self, constraints: SamplingConstraints) -> list[float]:
        """Refuse: columns that know nothing of each other have nothing to follow from."""
        raise unsupported_by_synthesizer(self.name)

    def impute(self, table: pa.Table, *, seed: int, n_draws: int = 1) -> Iterator[pa.RecordBatch]:
        """Refuse, likewise."""
        raise unsupported_by_synthesizer(self.name)

    def card(self) -> Manifest:
        """Return what may be told about the fitted model."""
        return make_card(self.name, self._fitted(), self.n_rows_)

    def to_arrays(self) -> tuple[Manifest, Arrays]:
        """Return what was learnt as JSON and plain arrays."""
        table = self._fitted()
        columns, arrays = table.to_arrays()
        manifest = {
            "parameters": self.parameters.model_dump(),
            "seed": self.seed,
            "n_rows": self.n_rows_,
            "schema": write_stored(DatasetSchema(tables={DEFAULT_NAME: table.schema}), Findings()),
            "columns": columns,
        }
        return manifest, arrays | {f"counts_{j}": counts for j, counts in enumerate(self.counts_)}

    @classmethod
    def from_arrays(cls, manifest: Manifest, arrays: Arrays) -> Self:
        """Return the fitted synthesizer that `to_arrays` took apart."""
        reader = ArrayReader(manifest, arrays)
        loaded = cls(reader.parameters(IndependentParameters), seed=reader.whole("seed"))
        table = load_table(reader)
        loaded.n_rows_ = reader.whole("n_rows")
        loaded.counts_ = [
            reader.counts(f"counts_{j}", column.n_codes) for j, column in enumerate(table.columns)
        ]
        loaded.table_ = table
        return loaded

    def _fitted(self) -> TableTransformer:
        if self.table_ is None:
            raise Conflict("The synthesizer is not fitted; call fit first.", code="not_ready")
        return self.table_


def _draw(cumulative: list[npt.NDArray[np.uint64]], seed: int, rows: RowNumbers) -> dict[int, Codes]:
    columns = {}
    for j, bounds in enumerate(cumulative):
        codes = np.empty(len(rows), np.uint16)
        decoding.draw_from_marginal(bounds, StreamRows(np.uint64(seed), np.uint64(j), rows), codes)
        columns[j] = codes
    return columns
