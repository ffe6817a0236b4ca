"""Redrawing of a single column if its value breaks a rule with a preceding column.

Rejecting the whole row would change the distribution of the preceding columns. For example, if `a <= b` holds
where both values are present, rows with a missing value never break the rule. Rejection would make these rows
too frequent. If a value is present and breaks a rule, it is therefore redrawn until the new value is present
and satisfies the rules. Rows that still break a rule are rejected later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from understudy.kernels import drawing, hashing
from understudy.synthesizers.rules import Rules
from understudy.synthesizers.rules.inequalities import DAY, Inequality, comparable, either_missing, has_dates
from understudy.synthesizers.rules.values import read_values, unit_of
from understudy.synthesizers.tree_chain.chain import Link
from understudy.synthesizers.tree_chain.coded_rules import CodedPair
from understudy.synthesizers.tree_chain.rule_enforcement import RuleEnforcer
from understudy.synthesizers.tree_chain.sampling import Drawing
from understudy.tables.arrow_types import parse_arrow_type
from understudy.transformers.base import Codes, CodesByColumn, Mask, NumberedRows
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.table import TableTransformer

# Maximum number of times that a value is redrawn, and first hash stream for the seeds of redraws.
N_REDRAWS_MAX = 64
REDRAWS = 1 << 42

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class CodedOrder:
    """Inequality between two drawn columns.

    Parameters
    ----------
    rule : Inequality
        Rule between the two columns.
    low, high : int
        Column indices of the inequality in the table.
    highest : array of shape (n_codes of low,)
        Highest value that each code of the lower column represents, or minus infinity for missing values.
    lowest : array of shape (n_codes of high,)
        Lowest value that each code of the higher column represents, or infinity for missing values.
    """

    rule: Inequality
    low: int
    high: int
    highest: Floats
    lowest: Floats


@dataclass(frozen=True)
class ColumnChecks:
    """Rules that can be checked as soon as a column is drawn."""

    pairs: tuple[CodedPair, ...] = ()
    orders: tuple[CodedOrder, ...] = ()

    @property
    def columns(self) -> set[int]:
        """Indices of the columns in the rules."""
        of_pairs = {j for pair in self.pairs for j in (pair.first, pair.second)}
        return of_pairs | {j for order in self.orders for j in (order.low, order.high)}


@dataclass(frozen=True, eq=False, repr=False)
class Redrawing:
    """Redrawing of single columns if their values break rules with preceding columns.

    Parameters
    ----------
    table : TableTransformer
        Transformers of the columns.
    rules : Rules
        Rules of the table.
    checks : mapping of column to ColumnChecks
        Rules that can be checked as soon as a column is drawn.
    seed : int
        Seed for decoding codes.
    """

    table: TableTransformer
    rules: Rules
    checks: Mapping[int, ColumnChecks] = field(default_factory=dict)
    seed: int = 0

    def redraw(
        self,
        link: Link,
        rows: npt.NDArray[np.uint8],
        position: int,
        codes: dict[int, Codes],
        draws: Drawing,
    ) -> None:
        """Redraw a column in rows that break a rule. Codes and coarse codes are changed in place."""
        checks = self.checks.get(link.column)
        if checks is None:
            return
        own = codes[link.column]
        pending, is_order = self._broken(checks, codes, draws.numbers)
        at = np.flatnonzero(pending)
        must_be_present = is_order[at]
        for attempt in range(N_REDRAWS_MAX):
            if not len(at):
                return
            seed = int(hashing.stream_key(np.uint64(draws.seed), np.uint64(REDRAWS + attempt)))
            some, drawn = rows[at], np.zeros(len(at), np.uint16)
            numbers = draws.numbers.take(at)
            stream = Drawing(seed, numbers).stream(link.column)
            drawing.draw_column(some, position, stream, link.conditional, drawn)
            trial = {j: codes[j][at] for j in checks.columns} | {link.column: drawn}
            broken, is_order = self._broken(checks, trial, numbers)
            has_missing = bool(getattr(self.table.columns[link.column], "has_missing", False))
            kept = ~broken & ~(must_be_present & has_missing & (drawn == 0))
            own[at[kept]] = drawn[kept]
            rows[at[kept], position] = some[kept, position]
            at, must_be_present = at[~kept], (must_be_present | is_order)[~kept]

    def _broken(self, checks: ColumnChecks, codes: CodesByColumn, numbers: NumberedRows) -> tuple[Mask, Mask]:
        """Return two masks: rows that break any rule, and rows that break an inequality."""
        broken = np.zeros(len(numbers), np.bool_)
        for pair in checks.pairs:
            broken |= ~pair.holds(codes)
        is_order = np.zeros(len(numbers), np.bool_)
        for order in checks.orders:
            open_ = np.flatnonzero(order.highest[codes[order.low]] >= order.lowest[codes[order.high]])
            if len(open_):
                is_order[open_] |= self._breaks(order, codes, numbers, open_)
        return broken | is_order, is_order

    def _breaks(
        self, order: CodedOrder, codes: CodesByColumn, numbers: NumberedRows, at: npt.NDArray[np.int64]
    ) -> Mask:
        places = (order.low, order.high)
        columns = self.table.decode_columns(
            places, {j: codes[j][at] for j in places}, self.seed, numbers.take(at)
        )
        names = (order.rule.low, order.rule.high)
        low, high = (read_values(n, columns[n], self.rules.decimals.get(n)) for n in names)
        units = [_unit(self.table, self.rules, name) for name in names]
        return ~order.rule.holds(*comparable(low, high, *units), either_missing(low, high))


def make_redrawing(table: TableTransformer, enforcer: RuleEnforcer, links: Sequence[Link]) -> Redrawing:
    """Return the rules of a chain that can be checked before all columns are drawn."""
    rules = enforcer.rules
    if not enforcer.is_enforced:
        return Redrawing(table, rules)
    position = {link.column: i for i, link in enumerate(links)}
    by_column: dict[int, ColumnChecks] = {}

    def later(first: int, second: int) -> int | None:
        """Return whichever of two columns is drawn later, or None if that column is looked up."""
        column = max(first, second, key=lambda j: position[j])
        return column if links[position[column]].source < 0 else None

    for pair in enforcer.coded.pairs:
        column = later(pair.first, pair.second)
        if column is not None:
            own = by_column.get(column, ColumnChecks())
            by_column[column] = ColumnChecks((*own.pairs, pair), own.orders)
    for order in _orders(table, rules, enforcer.replaced):
        column = later(order.low, order.high)
        if column is not None:
            own = by_column.get(column, ColumnChecks())
            by_column[column] = ColumnChecks(own.pairs, (*own.orders, order))
    return Redrawing(table, rules, by_column)


def _orders(table: TableTransformer, rules: Rules, replaced: set[str]) -> list[CodedOrder]:
    names = table.schema.names
    orders = []
    for rule in rules.inequalities:
        if rule.low in replaced or rule.high in replaced:
            continue
        low, high = names.index(rule.low), names.index(rule.high)
        highest, lowest = _bounds(table, rules, rule.low)[1], _bounds(table, rules, rule.high)[0]
        if has_dates(_unit(table, rules, rule.low), _unit(table, rules, rule.high)):
            # A later time on the same day does not satisfy a strict inequality between days.
            highest = highest + float(DAY)
        orders.append(CodedOrder(rule, low, high, highest, lowest))
    return orders


def _bounds(table: TableTransformer, rules: Rules, name: str) -> tuple[Floats, Floats]:
    """Return the lowest and the highest value that each code represents.

    For missing values, the lowest value is plus infinity and the highest value is minus infinity, so missing
    values never break an inequality.
    """
    transformer = table.columns[table.schema.names.index(name)]
    if not isinstance(transformer, NumericTransformer):
        unknown = np.full(transformer.n_codes, np.inf)
        return -unknown, unknown
    unit = _unit(table, rules, name)
    ends = [read_values(name, end, rules.decimals.get(name)).numbers for end in transformer.spans()]
    low, high = (numbers.astype(np.float64) * (1.0 if unit is None else float(unit)) for numbers in ends)
    missing = np.full(int(transformer.has_missing), np.inf)
    return np.concatenate((missing, low)), np.concatenate((-missing, high))


def _unit(table: TableTransformer, rules: Rules, name: str) -> Fraction | None:
    type_ = parse_arrow_type(table.schema.column(name).arrow_type)
    return unit_of(type_, rules.decimals.get(name))
