"""Value-level rules on codes, so that proposals are checked without decoding their values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.rules import Rules
from understudy.synthesizers.rules.fixed_combinations import UNKNOWN, Levels
from understudy.synthesizers.rules.value_rules import ConditionalEquality, Implication, Literal
from understudy.synthesizers.rules.values import read_values
from understudy.tables.predicates import as_mask
from understudy.transformers.base import CodesByColumn, Mask, RowStream, Transformer, consecutive_rows
from understudy.transformers.numeric import NumericTransformer

Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False, repr=False)
class CodedPair:
    """Values of two columns that may occur together.

    Parameters
    ----------
    first, second : int
        Indices of the columns in the table.
    first_level, second_level : array of shape (n_codes,)
        Index of every code in `allowed`. Codes without a level in a rule share the last index.
    allowed : array of shape (n_first_levels, n_second_levels)
        Whether two levels may occur together.
    """

    first: int
    second: int
    first_level: Int32s
    second_level: Int32s
    allowed: npt.NDArray[np.bool_]

    def holds(self, codes: CodesByColumn) -> Mask:
        """Return a mask of rows that satisfy the rules between the two columns."""
        first, second = self.first_level[codes[self.first]], self.second_level[codes[self.second]]
        kept: Mask = self.allowed[first, second]
        return kept


@dataclass(frozen=True, eq=False, repr=False)
class ForcedCode:
    """A code of one column that is implied by codes of another column.

    Parameters
    ----------
    source, column : int
        Indices of the implying and the implied column in the table.
    applies : array of shape (n_codes,)
        For each code of the source, whether it implies `code`.
    code : int
        Implied code.
    """

    source: int
    column: int
    applies: Mask
    code: int


@dataclass(frozen=True)
class CodedRules:
    """Implications on codes, and implications that are checked on values instead.

    Parameters
    ----------
    pairs : tuple of CodedPair
        Pairs of columns with implications.
    forced : tuple of ForcedCode
        Implications of single codes.
    equalities : tuple of (ConditionalEquality, column, array of shape (n_codes,))
        Equalities, with the column of the condition and the codes that satisfy the condition.
    left : tuple of Implication
        Implications that must be checked on values. Either a column's codes do not represent the values in
        its literals, or a column's drawn values may be replaced.
    """

    pairs: tuple[CodedPair, ...] = ()
    forced: tuple[ForcedCode, ...] = ()
    equalities: tuple[tuple[ConditionalEquality, int, Mask], ...] = ()
    left: tuple[Implication, ...] = ()

    def holds(self, codes: CodesByColumn, n_rows: int) -> Mask:
        """Return a mask of rows that satisfy the implications on codes."""
        kept = np.ones(n_rows, np.bool_)
        for pair in self.pairs:
            kept &= pair.holds(codes)
        return kept

    def allows(
        self, columns: tuple[int, ...], combinations: npt.NDArray[np.uint16], given: CodesByColumn
    ) -> Mask:
        """Return a mask of combinations of codes that satisfy the implications together with given codes.

        Parameters
        ----------
        columns : tuple of int
            Columns of the combinations.
        combinations : array of shape (n_combinations, n_columns)
            Codes of these columns.
        given : mapping of int to array of shape (n_rows,)
            Codes of other columns.

        Returns
        -------
        array of shape (n_rows, n_combinations)
        """
        allowed = np.ones((len(next(iter(given.values()))), len(combinations)), np.bool_)
        for pair in self.pairs:
            for own, other, table in (
                ((pair.first, pair.first_level), (pair.second, pair.second_level), pair.allowed),
                ((pair.second, pair.second_level), (pair.first, pair.first_level), pair.allowed.T),
            ):
                if own[0] in columns and other[0] in given:
                    levels = own[1][combinations[:, columns.index(own[0])]]
                    allowed &= table[levels][:, other[1][given[other[0]]]].T
        return allowed


def encode_rules(rules: Rules, names: Sequence[str], transformers: Sequence[Transformer]) -> CodedRules:
    """Return a table's implications, converted to column codes."""
    own = rules.value_rules
    place = {name: j for j, name in enumerate(names)}
    drawn = sorted(set(own.levels) - set(rules.derived))
    levels = {
        name: _levels_of_codes(name, transformers[place[name]], own.levels[name], rules) for name in drawn
    }
    coded = {name: level for name, level in levels.items() if level is not None}
    by_pair: dict[tuple[str, str], list[Implication]] = {}
    left: list[Implication] = []
    forced: list[ForcedCode] = []
    for rule in own.implications:
        first, second = rule.condition.column, rule.consequence.column
        if first in coded and second in coded:
            pair = (first, second) if place[first] < place[second] else (second, first)
            by_pair.setdefault(pair, []).append(rule)
            forced += _forced(rule, (place[first], place[second]), (coded[first], coded[second]))
        # An equality may replace a drawn value whose code was already checked.
        if not {first, second} <= coded.keys() - set(own.targets):
            left.append(rule)
    pairs = []
    for (first, second), implications in by_pair.items():
        sizes = [len(own.levels[name].keys) + 2 for name in (first, second)]
        allowed = _allowed(first, sizes, implications)
        pairs.append(CodedPair(place[first], place[second], coded[first], coded[second], allowed))
    equalities = tuple(
        (rule, place[rule.condition.column], rule.condition.holds(coded[rule.condition.column]))
        for rule in own.equalities
        if rule.condition.column in coded
    )
    return CodedRules(tuple(pairs), tuple(forced), equalities, tuple(left))


def _forced(
    rule: Implication, places: tuple[int, int], levels: tuple[Int32s, Int32s]
) -> Iterator[ForcedCode]:
    """Yield the code that an implication forces, if it forces a single code."""
    codes = np.flatnonzero(rule.consequence.holds(levels[1]))
    if len(codes) == 1:
        yield ForcedCode(*places, rule.condition.holds(levels[0]), int(codes[0]))


def _allowed(first: str, sizes: list[int], implications: Iterable[Implication]) -> npt.NDArray[np.bool_]:
    allowed = np.ones(sizes, np.bool_)
    for rule in implications:
        has = [
            _satisfying(one, sizes[int(one.column != first)]) for one in (rule.condition, rule.consequence)
        ]
        broken = np.outer(has[0], ~has[1])
        allowed &= ~(broken if rule.condition.column == first else broken.T)
    return allowed


def _satisfying(literal: Literal, n_levels: int) -> Mask:
    return literal.holds(np.arange(n_levels, dtype=np.int32))


def _levels_of_codes(name: str, transformer: Transformer, levels: Levels, rules: Rules) -> Int32s | None:
    """Return the level of every code, or None if a code without a single value may represent a level.

    Codes that represent no level get the number after the last level.
    """
    n, exact = transformer.n_codes, transformer.is_exact
    codes = np.flatnonzero(exact).astype(np.uint16)
    stream = RowStream(0, 0, consecutive_rows(0, len(codes)))
    decoded = transformer.decode(codes, stream)
    found = levels.find(read_values(name, decoded, rules.decimals.get(name)))
    level_of_code = np.full(n, UNKNOWN, np.int32)
    level_of_code[codes] = found
    is_complete = np.isin(np.arange(len(levels.keys)) + 1, found).all()
    if not is_complete or not _is_apart(name, transformer, levels, rules):
        return None
    return np.where(level_of_code == UNKNOWN, np.int32(len(levels.keys) + 1), level_of_code)


def _is_apart(name: str, transformer: Transformer, levels: Levels, rules: Rules) -> bool:
    """Return whether no range of numbers contains a level."""
    if not isinstance(transformer, NumericTransformer):
        return True
    first = int(transformer.has_missing)
    ranges = pa.array(~transformer.is_exact[first:])
    low, high = (
        read_values(name, ends.filter(ranges), rules.decimals.get(name)).keys for ends in transformer.spans()
    )
    for key in levels.keys:
        within = pc.and_(pc.less_equal(low, key), pc.greater_equal(high, key))
        if as_mask(within).any():
            return False
    return True
