"""Lookups by level, for category columns in which one code represents several levels.

One code represents all levels that too few rows share. A column that the level determines, such as the label
or the family of a product, is looked up by the level that is chosen for a row. For made-up levels, the values
of the looked-up column are drawn once, during the fit, from their distribution in the rows with rare levels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from understudy.synthesizers.codes import determined_columns
from understudy.synthesizers.contexts import FitContext, LearnRun
from understudy.synthesizers.rules.functional_dependencies import FunctionalDependency
from understudy.synthesizers.tree_chain.chain import Arranged, Encoded, Link, fit_chain
from understudy.synthesizers.tree_chain.difference_columns import DrawnTable
from understudy.synthesizers.tree_chain.presets import PRESETS
from understudy.synthesizers.tree_chain.rule_enforcement import Pair, RuleEnforcer
from understudy.synthesizers.tree_chain.sampling import Drawing, draw_codes
from understudy.transformers.base import (
    MIN_SUPPORT,
    Codes,
    Mask,
    NumberedRows,
    Subjects,
    Transformer,
    consecutive_rows,
)
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.labels import LabelTransformer
from understudy.transformers.level_sources import LevelSource
from understudy.transformers.support import count_sharers

# Approximate number of rows, with any level, on which the values for made-up levels are learned if there are
# fewer than k made-up levels.
N_ROWS_ANY_LEVEL = 4096


def find_codes(drawn: DrawnTable) -> DrawnTable:
    """Return the table with further rules: functional dependencies of other columns on code columns."""
    table, rules = drawn.transformer, drawn.rules
    place = {name: j for j, name in enumerate(table.schema.names)}
    names = [name for name in place if not isinstance(table.columns[place[name]], GeneratedTransformer)]
    left_out = {*rules.derived, *drawn.sizes}
    names = [name for name in names if name not in left_out]
    known = set(rules.functional_dependencies)
    added = []
    for code in names:
        if not has_levels(table.columns[place[code]]):
            continue
        for name in determined_columns(code, drawn.rows, names):
            rule = FunctionalDependency(code, name)
            if rule not in known and drawn.entities.sees(place[name], place[code]):
                added.append(rule)
    if not added:
        return drawn
    dependencies = (*rules.functional_dependencies, *added)
    return replace(drawn, rules=replace(rules, functional_dependencies=dependencies))


def has_levels(transformer: Transformer) -> bool:
    """Return whether a column is a category with a code that represents several levels."""
    is_category = isinstance(transformer, CategoricalTransformer) and not transformer.is_placeholder
    return is_category and not transformer.is_exact.all()


def add_level_lookups(
    enforcer: RuleEnforcer, drawn: DrawnTable, encoded: Encoded, run: LearnRun
) -> RuleEnforcer:
    """Return the enforcer with lookups by level for columns with a code that represents several levels."""
    columns = drawn.transformer.columns
    pairs = _without_implied(_pairs(drawn), set(enforcer.tables))
    own: dict[Pair, Codes] = {}
    for code in sorted({determinant for _, determinant in pairs}):
        dependents = [dependent for dependent, determinant in pairs if determinant == code]
        own |= {(j, code): c for j, c in _tabulate(code, dependents, drawn, encoded, run).items()}
    # A label column has the same codes as its code column, so lookups by the code column are sufficient.
    is_label = [isinstance(column, LabelTransformer) for column in columns]
    tables = {
        (dependent, determinant): table
        for (dependent, determinant), table in enforcer.tables.items()
        if not (is_label[dependent] or is_label[determinant] or has_levels(columns[determinant]))
    }
    return replace(enforcer, tables=tables, levels=own)


def _pairs(drawn: DrawnTable) -> set[Pair]:
    """Return the columns that are looked up by level, each with its code column."""
    columns = drawn.transformer.columns
    place = {name: j for j, name in enumerate(drawn.transformer.schema.names)}
    pairs = set()
    for rule in drawn.rules.functional_dependencies:
        dependent, determinant = place[rule.dependent], place[rule.determinant]
        if has_levels(columns[determinant]) and not isinstance(columns[dependent], LabelTransformer):
            pairs.add((dependent, determinant))
    labels = ((j, c.column_of_code) for j, c in enumerate(columns) if isinstance(c, LabelTransformer))
    return pairs | set(labels)


def _without_implied(pairs: set[Pair], tables: set[Pair]) -> set[Pair]:
    """Return the pairs that do not follow from other pairs through a third column."""
    known = pairs | tables

    def follows(dependent: int, determinant: int) -> bool:
        return any(
            middle not in (dependent, determinant)
            and (middle, determinant) in pairs
            and (determinant, middle) not in known
            for end, middle in known
            if end == dependent
        )

    return {pair for pair in pairs if not follows(*pair)}


def _tabulate(
    code: int, dependents: list[int], drawn: DrawnTable, encoded: Encoded, run: LearnRun
) -> dict[int, Codes]:
    """Return the code of each dependent column, for each level of a code column and for missing values."""
    transformer = drawn.transformer.columns[code]
    assert isinstance(transformer, CategoricalTransformer)
    n_levels = len(transformer.levels)
    values = drawn.rows.column(drawn.transformer.schema.names[code])
    kept = transformer.levels.slice(0, transformer.n_kept)
    found = pc.index_in(values.combine_chunks(), value_set=kept)
    level = np.asarray(found.fill_null(-1)).astype(np.int64)
    is_missing = np.asarray(values.is_null())
    level[is_missing] = n_levels
    rest = _draw_rare(dependents, np.flatnonzero(level < 0), transformer.n_made_up, encoded, run)
    subjects = drawn.counted_by.get(drawn.transformer.schema.names[code])
    is_known = (level >= 0) & (~is_missing | _are_shared(is_missing, subjects))
    tables = {}
    for j in dependents:
        table = np.full(n_levels + 1, np.bincount(encoded.codes[j]).argmax(), np.uint16)
        if isinstance(drawn.transformer.columns[j], LabelTransformer):
            table[:n_levels] = transformer.codes_of_levels()
            table[n_levels] = 0
        else:
            table[level[is_known]] = encoded.codes[j][is_known]
            if transformer.n_made_up:
                table[transformer.n_kept : n_levels] = rest[j]
        tables[j] = table
    return tables


def _are_shared(rows: Mask, subjects: Subjects | None) -> bool:
    """Return whether the mask selects enough rows, or enough subjects if they are given."""
    return bool(count_sharers(rows, 2, subjects)[1] >= MIN_SUPPORT)


def _draw_rare(
    dependents: list[int], rows: npt.NDArray[np.int64], n_levels: int, encoded: Encoded, run: LearnRun
) -> dict[int, Codes]:
    """Draw the codes of the dependent columns for made-up levels.

    The codes are drawn from a chain that is fitted on the rows with rare levels. If there are fewer than k
    rare levels, the chain is fitted on rows with any level. Otherwise, the chain would reproduce the values
    of one level.
    """
    if not n_levels or not len(rows):
        return {}
    if n_levels < MIN_SUPPORT:
        n_rows = encoded.coarse.shape[1]
        rows = np.arange(0, n_rows, max(n_rows // N_ROWS_ANY_LEVEL, 1))
    some = encoded.take(rows).select(dependents)
    quiet = replace(run, context=FitContext(n_threads=1))
    order = sorted(range(len(dependents)), key=lambda i: some.n_codes[i])
    links = fit_chain(some, Arranged(order, {}), PRESETS["fast"], quiet)
    drawn = draw_codes(links, Drawing(run.seed, NumberedRows(consecutive_rows(0, n_levels))))[0]
    return {j: drawn[i] for i, j in enumerate(dependents)}


def with_level_sources(
    arranged: Arranged, enforcer: RuleEnforcer, columns: Sequence[Transformer]
) -> Arranged:
    """Return the arrangement with the source of each column that is looked up by level."""
    sources = {j: source for j, (source, _) in arranged.lookups.items() if (j, source) in enforcer.levels}
    return replace(arranged, level_sources=level_sources(sources, columns))


def level_sources(sources: Mapping[int, int], columns: Sequence[Transformer]) -> dict[int, LevelSource]:
    """Return the `LevelSource` of each column that is looked up by level.

    `sources` maps the index of each of these columns to the index of its source column.
    """

    def source_of(column: int) -> LevelSource:
        transformer = columns[column]
        assert isinstance(transformer, CategoricalTransformer)
        parent = source_of(sources[column]) if column in sources else None
        return LevelSource(column, transformer, parent)

    return {j: source_of(source) for j, source in sources.items()}


def numbering_of(links: Sequence[Link]) -> dict[int, LevelSource]:
    """Return the source of each column of a chain that is looked up by a level."""
    return {link.column: link.levels for link in links if link.levels is not None}
