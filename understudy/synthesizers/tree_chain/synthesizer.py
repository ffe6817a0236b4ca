"""The tree chain synthesizer: fit, sampling, constrained sampling, imputation, model card and files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers.base import Json, ModelCard, ModelWriter
from understudy.synthesizers.blocks import draw_blocks
from understudy.synthesizers.contexts import LearnRun, SampleContext
from understudy.synthesizers.entities.fitting import fit_columns
from understudy.synthesizers.single_table import RowRequest, SingleTableSynthesizer
from understudy.synthesizers.tree_chain import after_fit, completion, entity_steps
from understudy.synthesizers.tree_chain.budget import choose_preset
from understudy.synthesizers.tree_chain.chain import Arranged, Encoded, encode, fit_chain
from understudy.synthesizers.tree_chain.code_parts import insert_parts
from understudy.synthesizers.tree_chain.difference_columns import (
    DrawnTable,
    add_difference_columns,
    differences_from_arrays,
    differences_to_arrays,
    learned_columns,
)
from understudy.synthesizers.tree_chain.entity_columns import arrange_columns, rows_of_entities
from understudy.synthesizers.tree_chain.level_lookups import add_level_lookups, find_codes, numbering_of
from understudy.synthesizers.tree_chain.order import ascending_order, choose_order
from understudy.synthesizers.tree_chain.parameters import TreeChainParameters
from understudy.synthesizers.tree_chain.presets import ATTACK, ATTACKED, PRESETS
from understudy.synthesizers.tree_chain.proposals import Acceptance
from understudy.synthesizers.tree_chain.redrawing import Redrawing, make_redrawing
from understudy.synthesizers.tree_chain.refinement import fit_refinement
from understudy.synthesizers.tree_chain.rule_enforcement import (
    N_ROWS_TRIED,
    RuleEnforcer,
    fit_enforcer,
    is_often,
)
from understudy.synthesizers.tree_chain.sampling import Drawing, draw_codes
from understudy.synthesizers.tree_chain.unique_entities import (
    UniqueEntities,
    find_unique_entities,
    keep_if_often,
    unique_entities_from_arrays,
    unique_entities_to_arrays,
)
from understudy.synthesizers.tree_chain.unique_rows import UniqueRows, choose_columns, find_unique_rows
from understudy.synthesizers.tree_chain.unique_rows_use import is_samplable
from understudy.tables.schema import TableSchema
from understudy.tables.source import Dataset, read_source
from understudy.tables.validation import conform
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.base import (
    Codes,
    CodesByColumn,
    Mask,
    NumberedRows,
    consecutive_rows,
)
from understudy.transformers.table import TableTransformer

if TYPE_CHECKING:
    from understudy.synthesizers.entities.detection import FoundGroup
    from understudy.synthesizers.entities.order_search import Order

# Mask that derives the seed for draws during a fit from the seed of the fit.
_PRACTICE = 0x5EED


def _add_entity_columns(
    drawn: DrawnTable, found: list[FoundGroup], seed: int
) -> tuple[DrawnTable, Order | None]:
    """Return a table with the additional columns for entities, and the order of rows within entities."""
    drawn = entity_steps.add_size_columns(entity_steps.add_positions(drawn, found), found)
    order = entity_steps.find_row_order(drawn, found)
    drawn = entity_steps.add_sequence_columns(drawn, found, order, seed)
    return entity_steps.add_profile_columns(drawn, found, seed), order


class TreeChain(SingleTableSynthesizer):
    """Synthesizer that draws the columns one after another, each with trees over the preceding columns."""

    name: ClassVar[str] = "tree_chain"
    parameters_type = TreeChainParameters
    parameters: TreeChainParameters

    def _learn(self, rows: pa.Table, schema: TableSchema, run: LearnRun) -> TableTransformer:
        """Learn the encodings of the columns, then their rules, and then the chain."""
        began = time.monotonic()
        fitted = fit_columns(rows, schema, run)
        run.context.report("finding rules", 0.0)
        drawn = add_difference_columns(rows, fitted)
        run.context.report("finding rules", 0.85)
        found, row_order = fitted.found, None
        if found:
            drawn, row_order = _add_entity_columns(drawn, found, run.seed)
        drawn = find_codes(drawn)
        self.drawn_, self.entities_ = drawn.transformer, drawn.entities
        enforcer = fit_enforcer(drawn.rules, self.drawn_, drawn.codes, drawn.counted_by)
        enforcer = replace(enforcer, hidden=drawn.sizes)
        if row_order is not None:
            drawn = entity_steps.add_sorted_columns(drawn, row_order, enforcer)
        self.entities_ = drawn.entities
        encoded = encode(drawn.codes, self.drawn_.columns)
        enforcer = add_level_lookups(enforcer, drawn, encoded, run)
        self.drawn_ = insert_parts(drawn, enforcer.levels)

        def arrange(order: Sequence[int]) -> Arranged:
            arranged = arrange_columns(enforcer, self.entities_, self.drawn_, order)
            return entity_steps.hide_profiles(arranged, drawn) if found else arranged

        ascending = arrange(ascending_order(encoded))
        self.preset_, self.is_in_time_ = self._preset(encoded, ascending, began, run)
        preset = PRESETS[self.preset_]
        arranged = choose_order(encoded, arrange, run) if preset.chooses_order else ascending
        others = rows_of_entities(encoded, drawn.entities, found)
        self.links_ = fit_chain(encoded, arranged, preset, run, others)
        self.drawn_ = replace(self.drawn_, numbered_by=numbering_of(self.links_))
        self.refinement_ = None
        practice = run.seed ^ _PRACTICE
        redrawing = self._redrawing(enforcer, practice)
        if preset.n_refinements:
            self.refinement_ = fit_refinement(
                encoded.coarse[arranged.order].T,
                lambda numbers: draw_codes(
                    self.links_, Drawing(practice, NumberedRows(numbers)), redrawing=redrawing
                )[1],
                preset.n_refinements,
                run,
            )
        run.context.report("checking", 0.0)
        unique_rows = self._unique_rows(drawn, enforcer)
        self.enforcer_, self.unique_rows_ = self._usable_checks(enforcer, unique_rows, practice)
        acceptance = Acceptance(None, lambda codes, own: self._passes(codes, practice, own), redrawing)
        self.unique_rows_ = self.unique_rows_ if is_samplable(self.links_, acceptance, practice) else None
        self.unique_entities_ = self._unique_entities(drawn, found, run.seed)
        run.context.check()
        own_columns = self.drawn_.columns[: len(fitted.transformer.columns)]
        return replace(fitted.transformer, columns=own_columns)

    def _preset(self, encoded: Encoded, arranged: Arranged, began: float, run: LearnRun) -> tuple[str, bool]:
        """Return the preset, and whether it is likely to finish within the time budget."""
        if self.parameters.time_budget_seconds is None:
            return self.parameters.preset, True
        seconds = self.parameters.time_budget_seconds - (time.monotonic() - began)
        return choose_preset(encoded, arranged, seconds, run)

    def _unique_rows(self, drawn: DrawnTable, enforcer: RuleEnforcer) -> UniqueRows | None:
        """Return the unique rows to protect, or None for cross-fitted models, which store no fingerprints."""
        if PRESETS[self.preset_].rules.count_min:
            return None
        fitted = drawn.transformer
        learned = learned_columns(fitted)
        if learned is None:
            return None
        left_out = set(fitted.schema.names) - set(learned.names) | enforcer.replaced
        left_out |= set(enforcer.hidden)
        return find_unique_rows(drawn.rows, fitted, choose_columns(drawn.codes, fitted, left_out))

    def _unique_entities(self, drawn: DrawnTable, found: list[FoundGroup], fit_seed: int) -> UniqueEntities:
        """Return the unique entities to protect. For cross-fitted models, the result is empty."""
        if PRESETS[self.preset_].rules.count_min or not found:
            return UniqueEntities()
        rows, seed = NumberedRows(consecutive_rows(0, N_ROWS_TRIED)), fit_seed ^ _PRACTICE
        codes = draw_codes(self.links_, Drawing(seed, rows))[0]
        return keep_if_often(find_unique_entities(drawn, found), self.drawn_, codes, seed, rows)

    def _usable_checks(
        self, enforcer: RuleEnforcer, unique_rows: UniqueRows | None, seed: int
    ) -> tuple[RuleEnforcer, UniqueRows | None]:
        """Return the enforcer and the unique rows. A check that rejects too many trial rows is disabled."""
        table, rows = self.drawn_, NumberedRows(consecutive_rows(0, N_ROWS_TRIED))
        codes = draw_codes(self.links_, Drawing(seed, rows), redrawing=self._redrawing(enforcer, seed))[0]
        kept = enforcer.holds(table, codes, seed, rows)
        if not is_often(kept):
            enforcer, kept = replace(enforcer, is_enforced=False), np.ones_like(kept)
        if unique_rows is not None:
            compared = enforcer.without_replaced(codes, table)
            if not is_often(kept & ~unique_rows.is_copy(table, compared, seed, rows)):
                unique_rows = None
        return enforcer, unique_rows

    def _redrawing(self, enforcer: RuleEnforcer, seed: int) -> Redrawing | None:
        """Return the redrawing of single columns for a seed, or None if no column has rules to check."""
        redrawing = make_redrawing(self.drawn_, enforcer, self.links_)
        return replace(redrawing, seed=seed) if redrawing.checks else None

    def _passes(self, codes: CodesByColumn, seed: int, rows: NumberedRows) -> Mask:
        """Return a mask of proposals that satisfy the rules and do not copy a unique row."""
        table, passes = self.drawn_, np.ones(len(rows), np.bool_)
        if self.enforcer_.is_enforced and self.enforcer_.refuses:
            passes = self.enforcer_.holds(table, codes, seed, rows)
        if self.unique_rows_ is not None:
            compared = self.enforcer_.without_replaced(codes, table)
            passes &= ~self.unique_rows_.is_copy(table, compared, seed, rows)
        return passes

    def _draw(self, request: RowRequest) -> Iterator[pa.RecordBatch]:
        sampler = after_fit.RowSampler(
            self.links_,
            self.drawn_,
            self.entities_,
            self.unique_entities_,
            self.enforcer_,
            self.refinement_,
            self._passes,
            self._redrawing(self.enforcer_, request.seed),
            request.seed,
        )
        return draw_blocks(sampler.draw, request.n_rows, request.offset, context=request.context)

    def _draw_constrained(
        self, request: RowRequest, constraints: SamplingConstraints
    ) -> Iterator[pa.RecordBatch]:
        completion.check_rows(constraints, request.n_rows, request.offset)
        sampler = self._constrained_sampler(constraints)
        return draw_blocks(
            lambda rows: sampler.draw(request.seed, rows),
            request.n_rows,
            request.offset,
            context=request.context,
        )

    def effective_shares(self, constraints: SamplingConstraints) -> list[float]:
        """Return the effective share of each group of rows, from 0 to 1."""
        return [own.effective_share for own in self._constrained_sampler(constraints).conditioners]

    def _constrained_sampler(
        self, constraints: SamplingConstraints
    ) -> completion.ConstrainedSampler | completion.ConstrainedEntitySampler:
        table = self.drawn_
        if self.cells_.columns:
            constraints = completion.translate(constraints, self.cells_.columns)
        conditioners = []
        for condition in completion.conditions_of(constraints):
            group = completion.make_group(condition, table, self.enforcer_, self.links_)
            accept = partial(self._acceptance, group)
            redrawing = partial(self._redrawing, self.enforcer_)
            conditioners.append(completion.make_conditioner(self.links_, group, accept, redrawing))
        plain = completion.ConstrainedSampler(constraints, tuple(conditioners), table, self.enforcer_)
        entities = self.entities_
        if not entities.groups:
            return plain
        return completion.ConstrainedEntitySampler(plain, entities, self.unique_entities_)

    def _acceptance(
        self,
        group: completion.Group,
        codes: dict[int, Codes],
        coarse: npt.NDArray[np.uint8],
        seed: int,
        rows: NumberedRows,
    ) -> npt.NDArray[np.float64]:
        """Return the acceptance probability of each proposal, including the group's filters on values."""
        acceptance = self._passes(codes, seed, rows).astype(np.float64)
        if self.refinement_ is not None:
            acceptance *= self.refinement_.acceptance(coarse)
        if group.filters:
            # Conditions never apply to values of generated columns, so only the learned columns are decoded.
            learned = sorted(codes.keys() - self.drawn_.generated)
            columns = self.drawn_.decode_columns(learned, codes, seed, rows)
            columns = self.enforcer_.rules.derive(columns | group.constants(len(rows)))
            for predicate in group.filters:
                acceptance *= predicate.holds(columns[predicate.column.name])
        return acceptance

    def impute(
        self, data: Dataset, *, n_draws: int = 1, context: SampleContext
    ) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the rows of the data table `n_draws` times, with missing values imputed."""
        (name,) = (name for name, table in self.schema_.tables.items() if table.role == "data")
        if name not in data:
            raise InvalidInput(
                f"The model was fitted on the table {name!r}, but the dataset has no table with this name. "
                "Add the table, or rename the matching table.",
                code="unknown_table",
            )
        given = conform(read_source(data[name]), self.cells_.schema)
        rows = self.cells_.split(given)
        imputer = completion.Imputer(self.links_, self.drawn_, self.enforcer_, self._refined, self.entities_)
        completed = completion.draw_completed(imputer, rows, context.choose_seed(), n_draws, context)
        return ((name, batch) for batch in self.cells_.restore(completed, given))

    def _refined(self, coarse: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        return np.ones(len(coarse)) if self.refinement_ is None else self.refinement_.acceptance(coarse)

    def card(self) -> ModelCard:
        """Return the model card."""
        made = after_fit.make_card(
            self.name, self._fitted(), self.n_rows_, self.entities_, preset=self.preset_
        )
        card = self._with_cells(made)
        if not self.is_in_time_:
            card["warnings"].append(
                "Even the preset `fast` was likely to exceed the time budget. The model was fitted with this "
                "preset anyway."
            )
        card["promised"] += after_fit.promises(self.enforcer_, self.unique_rows_, self.unique_entities_)
        card["not_promised"].append(ATTACK.format(self.preset_, *ATTACKED[self.preset_]))
        return card | {
            "tree_nodes": sum(len(link.forest.node) for link in self.links_),
            "rules": self.enforcer_.describe(),
            "rules_enforced": self.enforcer_.is_enforced,
            "differences": self.enforcer_.describe_differences(),
            "rows_never_copied": 0 if self.unique_rows_ is None else len(self.unique_rows_.values),
            "entities_never_copied": self.unique_entities_.n_entities,
        }

    def _save(self, writer: ModelWriter) -> Json:
        rules, tables = after_fit.enforcer_to_arrays(self.enforcer_)
        refinement, trees = after_fit.refinement_to_arrays(self.refinement_)
        differences, own_arrays = differences_to_arrays(self.enforcer_.rules.differences, self.drawn_)
        ratios, ratio_arrays = after_fit.ratios_to_arrays(self.enforcer_.rules.ratios, self.drawn_)
        sizes, size_arrays = after_fit.sizes_to_arrays(self.enforcer_.hidden, self.drawn_)
        singles, single_arrays = unique_entities_to_arrays(self.unique_entities_)
        links, unique_rows = (
            after_fit.links_to_arrays(self.links_),
            after_fit.unique_rows_to_arrays(self.unique_rows_),
        )
        measured = own_arrays | ratio_arrays
        for part in (links, unique_rows, tables, trees, measured, size_arrays, single_arrays):
            for name, array in part.items():
                writer.array(name, array)
        own = {
            "preset": self.preset_,
            "is_in_time": self.is_in_time_,
            "order": [link.column for link in self.links_],
            "sources": [[link.column, link.source] for link in self.links_ if link.source >= 0],
        }
        return own | rules | refinement | differences | ratios | sizes | singles

    def _numbered(self, id_start: int | None) -> Self:
        numbered = super()._numbered(id_start)
        if id_start is not None:
            numbered.drawn_ = replace(self.drawn_, id_start=id_start)
        return numbered

    def _drawn_table(self, table: TableTransformer) -> TableTransformer:
        return self.drawn_

    def _load(self, reader: ArrayReader, table: TableTransformer) -> None:
        self.preset_ = reader.choice("preset", PRESETS)
        self.is_in_time_ = reader.truth("is_in_time")
        differences, with_differences = differences_from_arrays(reader, table)
        ratios, with_ratios = after_fit.ratios_from_arrays(reader, with_differences)
        enforcer = after_fit.enforcer_from_arrays(reader, with_ratios, differences, ratios)
        sizes, drawn = after_fit.sizes_from_arrays(reader, with_ratios)
        self.enforcer_ = replace(enforcer, hidden=sizes)
        self.links_ = after_fit.links_from_arrays(reader, drawn, self.enforcer_)
        self.drawn_ = replace(drawn, numbered_by=numbering_of(self.links_))
        self.unique_rows_ = after_fit.unique_rows_from_arrays(reader)
        self.unique_entities_ = unique_entities_from_arrays(reader, self.drawn_)
        self.refinement_ = after_fit.refinement_from_arrays(reader, len(self.links_))
