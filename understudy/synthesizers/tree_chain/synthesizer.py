"""The synthesizer over tree chains: presets, fit, sample, card, files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

import pyarrow as pa

from understudy.errors import Conflict
from understudy.progress import Progress, no_progress
from understudy.synthesizers.base import Arrays, Manifest
from understudy.synthesizers.blocks import check_request, count_threads, draw_blocks
from understudy.synthesizers.cards import make_card
from understudy.synthesizers.parameters import TreeChainParameters
from understudy.synthesizers.tree_chain.chain import draw_codes, encode, fit_chain
from understudy.synthesizers.tree_chain.files import (
    links_from_arrays,
    links_to_arrays,
    refinement_from_arrays,
    refinement_to_arrays,
)
from understudy.synthesizers.tree_chain.order import ascending_order, choose_order
from understudy.synthesizers.tree_chain.presets import PRESETS
from understudy.synthesizers.tree_chain.proposals import draw_accepted
from understudy.synthesizers.tree_chain.refinement import fit_refinement
from understudy.tables.schema import Schema
from understudy.transformers.loading import ArrayReader, load_table
from understudy.transformers.table import TableTransformer, fit_table


class TreeChain:
    """Columns one after another, each drawn by trees over the columns before it."""

    name: ClassVar[str] = "tree_chain"

    def __init__(self, parameters: TreeChainParameters, *, seed: int) -> None:
        self.parameters = parameters
        self.seed = seed
        self.table_: TableTransformer | None = None

    def fit(self, table: pa.Table, schema: Schema, *, progress: Progress = no_progress) -> Self:
        """Learn the encodings of the columns, then their chain."""
        n_threads = count_threads()
        fitted, codes = fit_table(table, schema, n_threads=n_threads, progress=progress)
        preset = PRESETS[self.parameters.preset]
        encoded = encode(codes, fitted.columns)
        order = ascending_order(encoded)
        if preset.chooses_order:
            order = choose_order(encoded, lambda o: o, seed=self.seed, n_threads=n_threads)
        self.links_ = fit_chain(
            encoded, order, preset, seed=self.seed, n_threads=n_threads, progress=progress
        )
        self.refinement_ = None
        if preset.n_refinements:
            self.refinement_ = fit_refinement(
                encoded.coarse[order].T,
                lambda rows: draw_codes(self.links_, self.seed ^ 0x5EED, rows)[1],
                preset.n_refinements,
                seed=self.seed,
                n_threads=n_threads,
            )
        self.n_rows_ = table.num_rows
        self.table_ = fitted
        return self

    def sample(self, n_rows: int, *, seed: int, offset: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield rows ``offset … offset + n_rows - 1`` of the table that the seed stands for."""
        check_request(n_rows, seed, offset)
        table, links = self._fitted(), self.links_
        return draw_blocks(
            lambda rows: table.decode(draw_accepted(links, self.refinement_, None, seed, rows), seed, rows),
            n_rows,
            offset,
            n_threads=count_threads(),
        )

    def card(self) -> Manifest:
        """Return what may be told about the fitted model."""
        card = make_card(self.name, self._fitted(), self.n_rows_, preset=self.parameters.preset)
        return card | {"tree_nodes": sum(len(link.forest.node) for link in self.links_)}

    def to_arrays(self) -> tuple[Manifest, Arrays]:
        """Return what was learnt as JSON and plain arrays."""
        table = self._fitted()
        columns, arrays = table.to_arrays()
        manifest = {
            "parameters": self.parameters.model_dump(),
            "seed": self.seed,
            "n_rows": self.n_rows_,
            "schema": table.schema.model_dump(mode="json"),
            "columns": columns,
            "order": [link.column for link in self.links_],
        }
        refinement, trees = refinement_to_arrays(self.refinement_)
        return manifest | refinement, arrays | links_to_arrays(self.links_) | trees

    @classmethod
    def from_arrays(cls, manifest: Manifest, arrays: Arrays) -> Self:
        """Return the fitted synthesizer that `to_arrays` took apart."""
        reader = ArrayReader(manifest, arrays)
        loaded = cls(reader.parameters(TreeChainParameters), seed=reader.whole("seed"))
        table = load_table(reader)
        loaded.n_rows_ = reader.whole("n_rows")
        loaded.links_ = links_from_arrays(reader, [column.n_codes for column in table.columns])
        loaded.refinement_ = refinement_from_arrays(reader, len(table.columns))
        loaded.table_ = table
        return loaded

    def _fitted(self) -> TableTransformer:
        if self.table_ is None:
            raise Conflict("The synthesizer is not fitted; call fit first.", code="not_ready")
        return self.table_
