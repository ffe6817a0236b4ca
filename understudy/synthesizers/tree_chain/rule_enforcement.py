"""Keep the rules of a table: look up what other columns say, derive sums, refuse rows that break the rest.

A lookup is a table from codes to codes, so that later trees see what was looked up. It needs codes that stand
for one value each: rows with a pooled level or a range of numbers where they are looked up by are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules import Rules, find_rules
from understudy.synthesizers.tree_chain.chain import Arranged
from understudy.tables.schema import TableSchema
from understudy.transformers.base import ArrowArray, Codes, CodesByColumn, Mask, RowNumbers, Transformer
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import TableTransformer

# Proposals that are looked at after a fit, and the share of them that must pass.
N_ROWS_TRIED = 2000
KEPT_SHARE_MIN = 0.05

# A column that is looked up, and the one that it is looked up by.
Pair = tuple[int, int]


@dataclass(frozen=True)
class RuleEnforcer:
    """The rules of a fitted chain.

    Parameters
    ----------
    rules : Rules
        Of the columns that are learnt.
    tables : mapping of (dependent, determinant) to array of shape (n_codes,)
        The code of `dependent` for every code of `determinant`; columns by their position in the table.
    is_enforced : bool
        Whether rows that break a rule are refused; not if nearly all would be.
    """

    rules: Rules
    tables: Mapping[Pair, Codes]
    is_enforced: bool = True

    def arrange(self, order: Sequence[int], schema: TableSchema) -> Arranged:
        """Return the order less derived columns, with what can be looked up behind what says it.

        A column that others determine makes room for the first of them: what follows then knows all of it.
        """
        derived = {schema.names.index(name) for name in self.rules.derived}
        arranged: list[int] = []
        sources: dict[int, int] = {}

        def place(column: int) -> None:
            arranged.append(column)
            for dependent, determinant in sorted(self.tables):
                if determinant == column and dependent not in arranged:
                    sources[dependent] = column
                    place(dependent)

        for column in order:
            if column not in derived and column not in arranged:
                place(self._origin(column, set(arranged)))
        return Arranged(
            arranged,
            {
                dependent: (determinant, self.tables[dependent, determinant])
                for dependent, determinant in sources.items()
            },
        )

    def _origin(self, column: int, placed: set[int]) -> int:
        """Return what says a column, and what says that, and so on; of several, what says most columns."""
        seen = placed | {column}
        while says := [
            determinant
            for dependent, determinant in self.tables
            if dependent == column and determinant not in seen
        ]:
            column = max(
                says,
                key=lambda determinant: (sum(other == determinant for _, other in self.tables), -determinant),
            )
            seen.add(column)
        return column

    def holds(self, table: TableTransformer, codes: CodesByColumn, seed: int, numbers: RowNumbers) -> Mask:
        """Return which rows keep the rules, by their codes."""
        kept = np.ones(len(numbers), np.bool_)
        for (dependent, determinant), lookup in self.tables.items():
            kept &= table.columns[determinant].is_exact[codes[determinant]] & (
                lookup[codes[determinant]] == codes[dependent]
            )
        if self.checked:
            names = table.schema.names
            needed = [j for j, name in enumerate(names) if name in self.checked]
            columns = table.decode_columns(needed, codes, seed, numbers)
            kept &= self.rules.holds(self.rules.derive(columns) if self.rules.linear else columns)
        return kept

    def complete(self, columns: dict[str, ArrowArray], schema: TableSchema) -> pa.RecordBatch:
        """Return drawn columns and those derived of them as rows of the table."""
        if self.rules.linear:
            columns = self.rules.derive(columns)
        return pa.RecordBatch.from_arrays([columns[n] for n in schema.names], schema=schema.to_arrow())

    @property
    def checked(self) -> set[str]:
        """The columns whose values must be known to check a row, and to derive what else is needed."""
        rules = self.rules
        names = {n for order in rules.inequalities for n in (order.low, order.high)}
        names |= {n for missing in rules.missingness for n in (missing.first, missing.second)}
        names |= {n for pair in rules.fixed_combinations for n in pair.columns}
        names |= {n for linear in rules.linear for n in linear.terms}
        return names - set(rules.derived)

    @property
    def refuses(self) -> bool:
        """Whether there is anything that a drawn row can break."""
        return bool(self.tables) or bool(self.checked)

    def describe(self) -> list[str]:
        """Return every rule as a sentence."""
        return self.rules.describe()


def is_often(passes: Mask) -> bool:
    """Return whether enough trial rows pass for the others to be refused."""
    return bool(passes.mean() >= KEPT_SHARE_MIN)


def learnt_columns(table: TableTransformer) -> TableSchema | None:
    """Return the schema of the columns that are learnt, if any; those generated have no rules."""
    pairs = zip(table.schema.columns, table.columns, strict=True)
    learnt = tuple(column for column, t in pairs if not isinstance(t, GeneratedTransformer))
    return TableSchema(columns=learnt) if learnt else None


def find_rules_of_learnt(rows: pa.Table, table: TableTransformer) -> Rules:
    """Return the rules of the columns that are learnt."""
    schema = learnt_columns(table)
    return find_rules(rows.select(schema.names), schema) if schema else Rules(table.schema)


def fit_enforcer(
    rules: Rules, schema: TableSchema, transformers: Sequence[Transformer], codes: list[Codes]
) -> RuleEnforcer:
    """Return what keeps the rules of a table with these codes.

    Lookups are left out where a column has no code of one value for what they say.
    """
    place = {name: j for j, name in enumerate(schema.names)}
    pairs = [(place[rule.dependent], place[rule.determinant]) for rule in rules.functional_dependencies]
    tables = {
        (dependent, determinant): _tabulate(
            codes[dependent], codes[determinant], transformers[determinant].n_codes
        )
        for dependent, determinant in pairs
    }
    usable = {
        (dependent, determinant): table
        for (dependent, determinant), table in tables.items()
        if transformers[dependent].is_exact[table[transformers[determinant].is_exact]].all()
    }
    return RuleEnforcer(rules, usable)


def _tabulate(dependent: Codes, determinant: Codes, n_determinant: int) -> Codes:
    """Return the commonest code of one column for each code of the other."""
    cells, counts = np.unique(determinant.astype(np.int64) << 16 | dependent, return_counts=True)
    order = np.lexsort((-counts, cells >> 16))
    first, at = np.unique(cells[order] >> 16, return_index=True)
    table = np.full(n_determinant, np.bincount(dependent).argmax(), np.uint16)
    table[first] = (cells[order][at] & 0xFFFF).astype(np.uint16)
    return table
