"""Enforcement of the rules of a table: lookups, computed sums, and rejection of rows that break other rules.

A lookup maps codes to codes, so trees of later columns can use the looked-up column. Each code of the source
column must represent a single value, so rows with a pooled level or a range of numbers in that column are
rejected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.entities.positions import Allows
from understudy.synthesizers.rules import Rules
from understudy.synthesizers.rules.differences import Difference
from understudy.synthesizers.tree_chain.chain import Arranged
from understudy.synthesizers.tree_chain.coded_rules import CodedRules, encode_rules
from understudy.tables.predicates import as_mask
from understudy.tables.schema import TableSchema
from understudy.transformers.base import (
    MIN_SUPPORT,
    ArrowArray,
    Codes,
    CodesByColumn,
    Mask,
    NumberedRows,
    Subjects,
)
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.support import count_sharers
from understudy.transformers.table import Drawn, TableTransformer

# Number of trial proposals after a fit, and minimum share of them that must pass.
N_ROWS_TRIED = 2000
KEPT_SHARE_MIN = 0.05

# A looked-up column, and its source column.
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False, repr=False)
class RuleEnforcer:
    """Rules of a fitted chain, and the lookups that enforce functional dependencies.

    Parameters
    ----------
    rules : Rules
        Rules of the learned columns.
    tables : mapping of (dependent, determinant) to array of shape (n_codes,)
        Code of `dependent` for every code of `determinant`. Columns are given as indices in the table.
    levels : mapping of (dependent, determinant) to array of shape (n_levels + 1,)
        Code of `dependent` for every level of `determinant`, and for missing values, if a code of
        `determinant` can represent several levels.
    is_enforced : bool
        Whether rows that break a rule are rejected. False if nearly all rows would be rejected.
    hidden : tuple of str
        Names of further columns, in addition to the differences, that are drawn but are not part of sampled
        rows.
    coded : CodedRules
        Value-level rules of drawn columns, on their codes.
    """

    rules: Rules
    tables: Mapping[Pair, Codes]
    is_enforced: bool = True
    hidden: tuple[str, ...] = ()
    coded: CodedRules = field(default_factory=CodedRules)
    levels: Mapping[Pair, Codes] = field(default_factory=dict)

    @property
    def lookups(self) -> dict[Pair, Codes]:
        """All lookups, by code or by level."""
        return {**self.tables, **self.levels}

    def arrange(self, order: Sequence[int], schema: TableSchema) -> Arranged:
        """Return the order without derived columns, with looked-up columns directly after their sources.

        A source takes the position of the first column that it determines, so that later columns can use
        both.
        """
        derived = {schema.names.index(name) for name in self.rules.derived}
        lookups = self.lookups
        arranged: list[int] = []
        sources: dict[int, int] = {}

        def place(column: int) -> None:
            arranged.append(column)
            for dependent, determinant in sorted(lookups):
                if determinant == column and dependent not in arranged:
                    sources[dependent] = column
                    place(dependent)

        for column in order:
            if column not in derived and column not in arranged:
                place(self._origin(column, set(arranged)))
        return Arranged(
            arranged,
            {
                dependent: (determinant, lookups[dependent, determinant])
                for dependent, determinant in sources.items()
            },
        )

    def _origin(self, column: int, placed: set[int]) -> int:
        """Follow the path of determinants, each with the most dependents, and return its last column."""
        seen, lookups = placed | {column}, self.lookups
        while determinants := [
            determinant
            for dependent, determinant in lookups
            if dependent == column and determinant not in seen
        ]:
            column = max(
                determinants,
                key=lambda determinant: (
                    sum(other == determinant for _, other in self.lookups),
                    -determinant,
                ),
            )
            seen.add(column)
        return column

    def holds(self, table: TableTransformer, codes: CodesByColumn, seed: int, numbers: NumberedRows) -> Mask:
        """Return a mask of rows that satisfy the rules, given their codes."""
        kept = np.ones(len(numbers), np.bool_)
        for (dependent, determinant), lookup in self.tables.items():
            kept &= table.columns[determinant].is_exact[codes[determinant]] & (
                lookup[codes[determinant]] == codes[dependent]
            )
        kept &= self.coded.holds(codes, len(numbers))
        for (dependent, determinant), lookup in self.levels.items():
            source = table.numbered_by.get(dependent)
            if source is None or source.column != determinant:
                level = table.level_source(determinant).draw(codes, seed, numbers)
                kept &= lookup[level] == codes[dependent]
        if self.checked:
            names = table.schema.names
            needed = [j for j, name in enumerate(names) if name in self.checked]
            columns = table.decode_columns(needed, codes, seed, numbers)
            columns = self.rules.derive(columns)
            kept &= self._rules_on_values.holds(columns) & self._is_supported(table, columns)
        return kept

    def allowing(self, given: CodesByColumn) -> Allows | None:
        """Return the function that checks codes of positions against the codes of the rows' entities."""
        if not (self.is_enforced and self.coded.pairs and given):
            return None
        return lambda columns, combinations, rows: self.coded.allows(
            columns, combinations, {j: own[rows] for j, own in given.items()}
        )

    def _is_supported(self, table: TableTransformer, columns: Mapping[str, ArrowArray]) -> Mask:
        """Return a mask of rows with derived values within the ranges of the column transformers."""
        kept = np.ones(len(next(iter(columns.values()))), np.bool_)
        own = [measured.target for measured in self.rules.measured]
        for target in dict.fromkeys((*own, *self.rules.value_rules.targets)):
            transformer = table.columns[table.schema.names.index(target)]
            if not isinstance(transformer, NumericTransformer):
                continue
            low, high = transformer.spans()
            values = columns[target]
            if len(low):
                is_missing = as_mask(values.is_null(nan_is_null=True))
                within: Any = pc.and_(pc.greater_equal(values, low[0]), pc.less_equal(values, high[-1]))
                kept &= as_mask(pc.fill_null(within, False)) | is_missing
        return kept

    def complete(
        self, columns: dict[str, ArrowArray], table: TableTransformer, drawn: Drawn
    ) -> pa.RecordBatch:
        """Return rows of the table: the drawn columns, and the columns that are derived from them.

        Parameters
        ----------
        columns : mapping of column name to pyarrow.Array
            Drawn columns. Identifiers that contain the values of other columns may be absent.
        table : TableTransformer
            Transformers of the chain's columns, including difference columns.
        drawn : Drawn
            Codes of the rows, and the parameters for decoding them. The identifiers are generated from these
            codes.
        """
        columns = self.rules.derive(columns)
        if table.composed:
            columns = columns | table.compose(columns, drawn)
        output = self.visible_schema(table.schema).to_arrow()
        return pa.RecordBatch.from_arrays([columns[name] for name in output.names], schema=output)

    def reach_of(self, difference: Difference, table: TableTransformer) -> tuple[ArrowArray, ArrowArray]:
        """Return the lowest and highest sum of base and difference for each code of the base.

        The result has no entry for missing values.
        """
        base, own = (table.columns[table.schema.names.index(n)] for n in (difference.base, difference.name))
        assert isinstance(base, NumericTransformer)
        assert isinstance(own, NumericTransformer)
        n = len(base.spans()[0])
        bounds = zip(base.spans(), (own.spans()[0][0], own.spans()[1][-1]), strict=True)
        low, high = (self.rules.add(difference, numbers, pa.repeat(most, n)) for numbers, most in bounds)
        return low, high

    def visible_schema(self, schema: TableSchema) -> TableSchema:
        """Return the schema of sampled rows: the schema of the chain without hidden columns."""
        hidden = {*self.hidden, *(measured.name for measured in self.rules.measured)}
        columns = tuple(column for column in schema.columns if column.name not in hidden)
        return schema.model_copy(update={"columns": columns})

    @property
    def checked(self) -> set[str]:
        """Names of the drawn columns that are needed to check a row."""
        rules = self.rules
        names = {n for order in rules.inequalities for n in (order.low, order.high)}
        names |= {n for missing in rules.missingness for n in (missing.first, missing.second)}
        names |= {n for pair in rules.fixed_combinations for n in pair.columns}
        names |= {n for formula in rules.formulas for n in formula.terms}
        names |= self._rules_on_values.value_rules.columns
        return names - set(rules.derived)

    @property
    def replaced(self) -> set[str]:
        """Names of the columns whose drawn values may be replaced in the sampled rows."""
        return {*self.rules.derived, *self.rules.value_rules.targets}

    def without_replaced(self, codes: CodesByColumn, table: TableTransformer) -> CodesByColumn:
        """Return the codes of the columns whose drawn values are never replaced in the sampled rows."""
        if not self.rules.value_rules.targets:
            return codes
        return {j: own for j, own in codes.items() if table.schema.names[j] not in self.replaced}

    @property
    def refuses(self) -> bool:
        """Whether a drawn row can break any rule."""
        return bool(self.lookups) or bool(self.coded.pairs) or bool(self.checked)

    @cached_property
    def _rules_on_values(self) -> Rules:
        """The rules that are checked on values, without the implications that are checked on codes."""
        own = replace(self.rules.value_rules, implications=self.coded.left)
        return replace(self.rules, value_rules=own)

    def describe(self) -> list[str]:
        """Return every rule as a sentence."""
        return self.rules.describe()

    def describe_differences(self) -> list[str]:
        """Return a sentence for each column that is derived by a difference or a ratio."""
        return [measured.describe() for measured in self.rules.measured]


def is_often(passes: Mask) -> bool:
    """Return whether the share of trial rows that pass is high enough for rejection sampling."""
    return bool(passes.mean() >= KEPT_SHARE_MIN)


def fit_enforcer(
    rules: Rules, table: TableTransformer, codes: list[Codes], counted_by: Mapping[str, Subjects]
) -> RuleEnforcer:
    """Return the enforcer of a table's rules, with lookups tabulated from the given codes.

    A functional dependency is omitted if the looked-up codes do not represent single values.

    Parameters
    ----------
    counted_by : mapping of str to array of shape (n_rows,)
        Subject of each row, for columns with values counted by subject.
    """
    names, transformers = table.schema.names, table.columns
    place = {name: j for j, name in enumerate(names)}
    pairs = [(place[rule.dependent], place[rule.determinant]) for rule in rules.functional_dependencies]
    shared = {
        j: count_sharers(codes[j], transformers[j].n_codes, counted_by.get(names[j])) >= MIN_SUPPORT
        for j in {determinant for _, determinant in pairs}
    }
    tables = {
        (dependent, determinant): _tabulate(codes[dependent], codes[determinant], shared[determinant])
        for dependent, determinant in pairs
    }
    usable = {
        (dependent, determinant): lookup
        for (dependent, determinant), lookup in tables.items()
        if transformers[dependent].is_exact[lookup[transformers[determinant].is_exact]].all()
    }
    return RuleEnforcer(rules, usable, coded=encode_rules(rules, names, transformers))


def _tabulate(dependent: Codes, determinant: Codes, is_shared: Mask) -> Codes:
    """Return the most frequent code of `dependent` for each code of `determinant`.

    For codes that too few rows or subjects share, such as the code of missing values, the result is the most
    frequent code of all rows. Otherwise, the table would reveal the value of a single row.
    """
    cells, counts = np.unique(determinant.astype(np.int64) << 16 | dependent, return_counts=True)
    order = np.lexsort((-counts, cells >> 16))
    first, at = np.unique(cells[order] >> 16, return_index=True)
    own = (cells[order][at] & 0xFFFF).astype(np.uint16)
    table = np.full(len(is_shared), np.bincount(dependent).argmax(), np.uint16)
    table[first[is_shared[first]]] = own[is_shared[first]]
    return table
