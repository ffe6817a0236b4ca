"""The synthesizer over tree chains: presets, fit, sample, card, files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import Conflict
from understudy.parameters.constraints import SamplingConstraints
from understudy.parameters.synthesizers import TreeChainParameters
from understudy.progress import Progress, no_progress
from understudy.synthesizers.base import Arrays, Manifest
from understudy.synthesizers.blocks import check_request, count_threads, draw_blocks
from understudy.synthesizers.cards import make_card
from understudy.synthesizers.tree_chain.budget import choose_preset
from understudy.synthesizers.tree_chain.chain import Encoded, draw_codes, encode, fit_chain
from understudy.synthesizers.tree_chain.conditional_sampling import Group, make_conditioner, make_group
from understudy.synthesizers.tree_chain.constrained_sampling import (
    ConstrainedSampler,
    check_rows,
    conditions_of,
)
from understudy.synthesizers.tree_chain.files import (
    enforcer_from_arrays,
    enforcer_to_arrays,
    links_from_arrays,
    links_to_arrays,
    refinement_from_arrays,
    refinement_to_arrays,
    unique_rows_from_arrays,
    unique_rows_to_arrays,
)
from understudy.synthesizers.tree_chain.imputation import Imputer, draw_completed
from understudy.synthesizers.tree_chain.order import ascending_order, choose_order
from understudy.synthesizers.tree_chain.presets import ATTACKED, PRESETS
from understudy.synthesizers.tree_chain.proposals import draw_accepted
from understudy.synthesizers.tree_chain.refinement import fit_refinement
from understudy.synthesizers.tree_chain.rule_enforcement import (
    N_ROWS_TRIED,
    Arranged,
    RuleEnforcer,
    find_rules_of_learnt,
    fit_enforcer,
    is_often,
    learnt_columns,
)
from understudy.synthesizers.tree_chain.unique_rows import UniqueRows, choose_columns, find_unique_rows
from understudy.tables.findings import Findings
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.stored_schemas import write_stored
from understudy.tables.validation import conform
from understudy.transformers.array_reader import ArrayReader, load_table
from understudy.transformers.base import Codes, Mask, RowNumbers, consecutive_rows
from understudy.transformers.table import TableTransformer, fit_table

# What tells the seeds of a fit's own draws from its seed.
_PRACTICE = 0x5EED

ATTACK = (
    "Whoever holds the model file can tell rows of the table from other rows, better than by chance: a "
    "likelihood attack on files of the preset `{}` reached a ROC AUC of {:.2f} on one public table and "
    "{:.2f} on another, 0.5 being chance. On your table it may reach more."
)


class TreeChain:
    """Columns one after another, each drawn by trees over the columns before it."""

    name: ClassVar[str] = "tree_chain"

    def __init__(self, parameters: TreeChainParameters, *, seed: int) -> None:
        self.parameters = parameters
        self.seed = seed
        self.table_: TableTransformer | None = None

    def fit(
        self, table: pa.Table, schema: TableSchema, *, locale: str = "en", progress: Progress = no_progress
    ) -> Self:
        """Learn the encodings of the columns and their rules, then their chain."""
        n_threads = count_threads()
        began = time.monotonic()
        fitted, codes = fit_table(table, schema, locale=locale, n_threads=n_threads, progress=progress)
        enforcer = fit_enforcer(find_rules_of_learnt(table, fitted), schema, fitted.columns, codes)
        encoded = encode(codes, fitted.columns)
        self.preset_, self.is_in_time_ = self._preset(encoded, enforcer, schema, began, n_threads)
        preset = PRESETS[self.preset_]
        arranged = self._arranged(encoded, enforcer, schema, n_threads)
        self.links_ = fit_chain(
            encoded,
            arranged.order,
            preset,
            lookups=arranged.lookups,
            seed=self.seed,
            n_threads=n_threads,
            progress=progress,
        )
        self.refinement_ = None
        if preset.n_refinements:
            self.refinement_ = fit_refinement(
                encoded.coarse[arranged.order].T,
                lambda rows: draw_codes(self.links_, self.seed ^ _PRACTICE, rows)[1],
                preset.n_refinements,
                seed=self.seed,
                n_threads=n_threads,
            )
        self.enforcer_, self.unique_rows_ = self._tried(
            enforcer, fitted, self._unique_rows(table, fitted, codes, enforcer)
        )
        self.n_rows_ = table.num_rows
        self.table_ = fitted
        return self

    def _preset(
        self, encoded: Encoded, enforcer: RuleEnforcer, schema: TableSchema, began: float, n_threads: int
    ) -> tuple[str, bool]:
        """Return the preset, and whether it is likely to keep to the time budget."""
        if self.parameters.time_budget_seconds is None:
            return self.parameters.preset, True
        return choose_preset(
            encoded,
            enforcer.arrange(ascending_order(encoded), schema),
            self.parameters.time_budget_seconds - (time.monotonic() - began),
            seed=self.seed,
            n_threads=n_threads,
        )

    def _arranged(
        self, encoded: Encoded, enforcer: RuleEnforcer, schema: TableSchema, n_threads: int
    ) -> Arranged:
        if not PRESETS[self.preset_].chooses_order:
            return enforcer.arrange(ascending_order(encoded), schema)
        return choose_order(
            encoded,
            lambda order: enforcer.arrange(order, schema),
            seed=self.seed,
            n_threads=n_threads,
        )

    def _unique_rows(
        self, table: pa.Table, fitted: TableTransformer, codes: list[Codes], enforcer: RuleEnforcer
    ) -> UniqueRows | None:
        """Return the rows that must not be drawn; cross-fitted models keep no print of anybody."""
        if PRESETS[self.preset_].rules.count_min:
            return None
        learnt = learnt_columns(fitted)
        if learnt is None:
            return None
        left_out = set(fitted.schema.names) - set(learnt.names) | set(enforcer.rules.derived)
        return find_unique_rows(table, fitted, choose_columns(codes, fitted, left_out))

    def _tried(
        self, enforcer: RuleEnforcer, table: TableTransformer, unique_rows: UniqueRows | None
    ) -> tuple[RuleEnforcer, UniqueRows | None]:
        """Return both as they are if enough rows pass them, and such that they refuse nothing if not."""
        rows = consecutive_rows(0, N_ROWS_TRIED)
        seed = self.seed ^ _PRACTICE
        codes = draw_codes(self.links_, seed, rows)[0]
        kept = enforcer.holds(table, codes, seed, rows)
        if not is_often(kept):
            enforcer, kept = replace(enforcer, is_enforced=False), np.ones_like(kept)
        if unique_rows is not None and not is_often(kept & ~unique_rows.is_copy(table, codes, seed, rows)):
            unique_rows = None
        return enforcer, unique_rows

    def _passes(self, codes: dict[int, Codes], seed: int, rows: RowNumbers) -> Mask:
        """Return which proposals keep the rules and copy nobody."""
        table, passes = self._fitted(), np.ones(len(rows), np.bool_)
        if self.enforcer_.is_enforced and self.enforcer_.refuses:
            passes = self.enforcer_.holds(table, codes, seed, rows)
        if self.unique_rows_ is not None:
            passes &= ~self.unique_rows_.is_copy(table, codes, seed, rows)
        return passes

    def sample(
        self, n_rows: int, *, seed: int, offset: int = 0, constraints: SamplingConstraints | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows ``offset … offset + n_rows - 1`` of the table that the seed stands for."""
        check_request(n_rows, seed, offset)
        table, enforcer = self._fitted(), self.enforcer_
        if constraints is not None:
            check_rows(constraints, n_rows, offset)
            sampler = self._constrained_sampler(constraints)
            return draw_blocks(
                lambda rows: sampler.draw(seed, rows), n_rows, offset, n_threads=count_threads()
            )

        def draw(rows: RowNumbers) -> pa.RecordBatch:
            codes = draw_accepted(
                self.links_, self.refinement_, lambda c, n: self._passes(c, seed, n), seed, rows
            )
            columns = table.decode_columns(sorted(codes), codes, seed, rows)
            return enforcer.complete(columns, table.schema)

        return draw_blocks(draw, n_rows, offset, n_threads=count_threads())

    def effective_shares(self, constraints: SamplingConstraints) -> list[float]:
        """Return for each group of a control how many independent rows one drawn row is worth."""
        return [
            conditioner.effective_share for conditioner in self._constrained_sampler(constraints).conditioners
        ]

    def _constrained_sampler(self, constraints: SamplingConstraints) -> ConstrainedSampler:
        table = self._fitted()
        conditioners = []
        for condition in conditions_of(constraints):
            group = make_group(condition, table, self.enforcer_, self.links_)
            accept = partial(self._acceptance, group)
            conditioners.append(make_conditioner(self.links_, group, accept))
        return ConstrainedSampler(constraints, tuple(conditioners), table, self.enforcer_)

    def _acceptance(
        self,
        group: Group,
        codes: dict[int, Codes],
        coarse: npt.NDArray[np.uint8],
        seed: int,
        rows: RowNumbers,
    ) -> npt.NDArray[np.float64]:
        """Return the probability that each proposal is accepted, also by the conditions on its values."""
        acceptance = self._passes(codes, seed, rows).astype(np.float64)
        if self.refinement_ is not None:
            acceptance *= self.refinement_.acceptance(coarse)
        if group.filters:
            columns = self._fitted().decode_columns(sorted(codes), codes, seed, rows)
            if self.enforcer_.rules.linear:
                columns = self.enforcer_.rules.derive(columns)
            for demand in group.filters:
                acceptance *= demand.holds(columns[demand.column.name])
        return acceptance

    def impute(self, table: pa.Table, *, seed: int, n_draws: int = 1) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table with their missing values drawn, the whole table `n_draws` times."""
        check_request(table.num_rows * n_draws, seed, 0)
        fitted = self._fitted()
        rows = conform(table, fitted.schema)
        imputer = Imputer(self.links_, fitted, self.enforcer_, self._refined)
        return draw_completed(imputer, rows, seed, n_draws, n_threads=count_threads())

    def _refined(self, coarse: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        return np.ones(len(coarse)) if self.refinement_ is None else self.refinement_.acceptance(coarse)

    def card(self) -> Manifest:
        """Return what may be told about the fitted model."""
        card = make_card(self.name, self._fitted(), self.n_rows_, preset=self.preset_)
        if not self.is_in_time_:
            card["warnings"].append(
                "Not even the preset `fast` was likely to keep to the time budget; it was fitted anyway."
            )
        card["promised"] += self._promises()
        card["not_promised"].append(ATTACK.format(self.preset_, *ATTACKED[self.preset_]))
        return card | {
            "tree_nodes": sum(len(link.forest.node) for link in self.links_),
            "rules": self.enforcer_.describe(),
            "rules_enforced": self.enforcer_.is_enforced,
            "rows_never_copied": 0 if self.unique_rows_ is None else len(self.unique_rows_.values),
        }

    def _promises(self) -> list[str]:
        promises = []
        if self.enforcer_.describe() and self.enforcer_.is_enforced:
            promises.append("The rules that every row of the table keeps are kept by every drawn row.")
        if self.unique_rows_ is not None:
            promises.append(
                "No row that occurs once in the table is drawn, by all the columns that are learnt."
            )
        return promises

    def to_arrays(self) -> tuple[Manifest, Arrays]:
        """Return what was learnt as JSON and plain arrays."""
        table = self._fitted()
        columns, arrays = table.to_arrays()
        manifest = {
            "parameters": self.parameters.model_dump(),
            "preset": self.preset_,
            "is_in_time": self.is_in_time_,
            "seed": self.seed,
            "n_rows": self.n_rows_,
            "schema": write_stored(DatasetSchema(tables={DEFAULT_NAME: table.schema}), Findings()),
            "columns": columns,
            "order": [link.column for link in self.links_],
            "sources": [[link.column, link.source] for link in self.links_ if link.source >= 0],
        }
        rules, tables = enforcer_to_arrays(self.enforcer_)
        refinement, trees = refinement_to_arrays(self.refinement_)
        own = links_to_arrays(self.links_) | unique_rows_to_arrays(self.unique_rows_)
        return manifest | rules | refinement, arrays | own | tables | trees

    @classmethod
    def from_arrays(cls, manifest: Manifest, arrays: Arrays) -> Self:
        """Return the fitted synthesizer that `to_arrays` took apart."""
        reader = ArrayReader(manifest, arrays)
        loaded = cls(reader.parameters(TreeChainParameters), seed=reader.whole("seed"))
        table = load_table(reader)
        loaded.n_rows_ = reader.whole("n_rows")
        loaded.preset_ = reader.choice("preset", PRESETS)
        loaded.is_in_time_ = reader.truth("is_in_time")
        loaded.enforcer_ = enforcer_from_arrays(reader, table)
        loaded.links_ = links_from_arrays(reader, table, loaded.enforcer_)
        loaded.unique_rows_ = unique_rows_from_arrays(reader)
        loaded.refinement_ = refinement_from_arrays(reader, len(loaded.links_))
        loaded.table_ = table
        return loaded

    def _fitted(self) -> TableTransformer:
        if self.table_ is None:
            raise Conflict("The synthesizer is not fitted; call fit first.", code="not_ready")
        return self.table_
