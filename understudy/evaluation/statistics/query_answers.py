"""Answers to aggregate queries on encoded tables, by group, with standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from understudy.errors import InvalidInput
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import ColumnEncoder, EncodedTable, Values, is_missing
from understudy.evaluation.statistics.distributions import MISSING_LABEL, TEMPORAL_KINDS, shortened
from understudy.evaluation.statistics.groups import format_value
from understudy.evaluation.statistics.influence import Z_95
from understudy.evaluation.statistics.written_values import written
from understudy.parameters.constraints import ColumnConstraint, Value
from understudy.parameters.evaluation_options import AggregateQuery
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.casting import cast
from understudy.tables.predicates import Predicate
from understudy.tables.schema import ColumnKind

# Maximum number of distinct values in a column of numbers or times that a query groups by.
N_VALUES_GROUPED_MAX = 50

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Unanswerable(Exception):
    """The reason why a query has no answer, as a phrase that follows the name of the query."""


@dataclass(frozen=True)
class Answers:
    """The answers to a query, one for each group.

    Parameters
    ----------
    value : float array of shape (n_groups,)
        The answers, with NaN if there is no answer, for example for the mean of zero rows.
    standard_error : float array of shape (n_groups,)
        The standard errors, with NaN if they are unknown.
    n : int array of shape (n_groups,)
        The number of rows that contribute to each answer.
    n_others : int array of shape (n_groups,)
        For shares, the number of rows in the denominator that are not in the numerator. For other answers, 0.
    """

    value: Floats
    standard_error: Floats
    n: Ints
    n_others: Ints


@dataclass(frozen=True)
class Grouping:
    """The groups of a query: combinations of the grouping columns' values that occur in the real table.

    Parameters
    ----------
    labels : list of tuple of str
        The labels of the groups.
    real, synthetic : int array of shape (n_rows,)
        The index of each row's group. If a row's combination does not occur in the real table, the index is
        the number of groups.
    n_only_synthetic : int
        The number of combinations that occur only in the synthetic table.
    """

    labels: list[tuple[str, ...]]
    real: Ints
    synthetic: Ints
    n_only_synthetic: int


def described(query: AggregateQuery) -> str:
    """Return a description of a query."""
    what = {
        "count": "number of rows",
        "share": "share of rows",
        "distinct": f"number of distinct values of {query.column}",
        "quantile": "median" if query.quantile == 0.5 else f"{query.quantile}-quantile",
    }.get(query.aggregate, query.aggregate)
    of = f" of {query.column}" if query.aggregate in ("sum", "mean", "quantile") else ""
    by = f" by {' and '.join(query.group_by)}" if query.group_by else ""
    conditions = [f"{column} {_asked(allowed)}" for column, allowed in query.where.items()]
    return what + of + by + (f" where {' and '.join(conditions)}" if conditions else "")


def _asked(allowed: ColumnConstraint) -> str:
    if allowed.is_missing is not None:
        return "is missing" if allowed.is_missing else "is not missing"
    if allowed.one_of:
        first = ", ".join(str(value) for value in allowed.one_of[:3])
        return f"is one of {first}" + (" …" if len(allowed.one_of) > 3 else "")
    if allowed.equals is not None:
        return f"is {allowed.equals}"
    bounds = (("at least", allowed.minimum), ("at most", allowed.maximum))
    return "is " + " and ".join(f"{word} {value}" for word, value in bounds if value is not None)


def meets(comparison: Comparison, query: AggregateQuery, table: EncodedTable) -> Bools:
    """Return a mask of the rows that meet all conditions of a query."""
    fits = np.ones(table.n_rows, dtype=np.bool_)
    for name, allowed in query.where.items():
        i = comparison.encoder_index(name)
        fits &= _meets(comparison.encoder.columns[i], allowed, table.columns[i])
    return fits


def _meets(encoder: ColumnEncoder, allowed: ColumnConstraint, values: Values) -> Bools:
    if allowed.is_missing is not None:
        return np.equal(is_missing(values), allowed.is_missing)
    if encoder.categories is not None:
        # MISSING is -1, which indexes the last position. A missing value does not meet any condition.
        return np.append(_categories_that_meet(encoder, encoder.categories, allowed), False)[values]
    if allowed.one_of:
        return np.isin(values, [_as_number(encoder, value) for value in allowed.one_of])
    low, high = (
        (allowed.equals, allowed.equals) if allowed.equals is not None else (allowed.minimum, allowed.maximum)
    )
    fits = ~is_missing(values)
    if low is not None:
        fits &= values >= _as_number(encoder, low)
    if high is not None:
        fits &= values <= _as_number(encoder, high)
    return fits


def _categories_that_meet(
    encoder: ColumnEncoder, categories: tuple[str, ...], allowed: ColumnConstraint
) -> Bools:
    """Return a mask of the categories that satisfy a constraint, by the rules of conditional sampling."""
    type_ = parse_arrow_type(encoder.column.arrow_type)
    try:
        return Predicate(encoder.column, allowed).holds(cast(pa.array(categories, pa.string()), type_))
    except InvalidInput:
        raise _unfit(encoder) from None


def _as_number(encoder: ColumnEncoder, value: Value) -> float:
    """Convert the value of a condition to the scale of the encoded column."""
    column = encoder.column
    is_plain = column.kind not in TEMPORAL_KINDS or column.kind is ColumnKind.duration
    if isinstance(value, bool):
        raise _unfit(encoder)
    try:
        if is_plain:
            # Conditions contain decimals as strings and durations as numbers of seconds.
            return float(value)
        if not isinstance(value, str):
            raise _unfit(encoder)
        typed = cast(pa.array([value]), parse_arrow_type(column.arrow_type))
    except (ValueError, pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError):
        raise _unfit(encoder) from None
    return float(encoder.encode(pa.chunked_array([typed]))[0])


def _unfit(encoder: ColumnEncoder) -> Unanswerable:
    column = encoder.column
    return Unanswerable(
        f"has a condition whose value does not match the kind of column {column.name!r}, {column.kind}"
    )


def grouping(comparison: Comparison, query: AggregateQuery) -> Grouping:
    """Return the groups of a query. A query without grouping has one group without a label."""
    n_rows = (comparison.real.n_rows, comparison.synthetic.n_rows)
    keys = [np.zeros(n, dtype=np.int64) for n in n_rows]
    labels: list[list[str]] = []
    for name in query.group_by:
        i = comparison.encoder_index(name)
        names, codes = _key(
            comparison.encoder.columns[i], comparison.real.columns[i], comparison.synthetic.columns[i]
        )
        labels.append(names)
        keys = [key * len(names) + code for key, code in zip(keys, codes, strict=True)]
    present, real = np.unique(keys[0], return_inverse=True)
    place = np.minimum(np.searchsorted(present, keys[1]), len(present) - 1)
    is_known = present[place] == keys[1]
    return Grouping(
        [_labels(int(key), labels) for key in present],
        real,
        np.where(is_known, place, len(present)),
        len(np.unique(keys[1][~is_known])),
    )


def _key(encoder: ColumnEncoder, real: Values, synthetic: Values) -> tuple[list[str], list[Ints]]:
    """Return labels for the values, with the missing value last, and the position of each row's label."""
    if encoder.categories is not None:
        n = len(encoder.categories)
        codes = [np.where(is_missing(values), n, values).astype(np.int64) for values in (real, synthetic)]
        return [*map(shortened, encoder.labels), MISSING_LABEL], codes
    if len(np.unique(real[~is_missing(real)])) > N_VALUES_GROUPED_MAX:
        raise Unanswerable(
            f"groups by column {encoder.column.name!r}, which has more than {N_VALUES_GROUPED_MAX} values"
        )
    distinct = np.unique(np.concatenate([values[~is_missing(values)] for values in (real, synthetic)]))
    codes = [
        np.where(is_missing(values), len(distinct), np.searchsorted(distinct, values)).astype(np.int64)
        for values in (real, synthetic)
    ]
    column = encoder.column
    texts = written(column.notation, column.kind, distinct.tolist())
    texts = texts or [format_value(float(value), column.kind) for value in distinct]
    return [*texts, MISSING_LABEL], codes


def _labels(key: int, labels: Sequence[list[str]]) -> tuple[str, ...]:
    reversed_labels = []
    for names in reversed(labels):
        key, place = divmod(key, len(names))
        reversed_labels.append(names[place])
    return tuple(reversed(reversed_labels))


def both_answers(comparison: Comparison, query: AggregateQuery, groups: Grouping) -> tuple[Answers, Answers]:
    """Return the answers for the real table and for the synthetic table.

    Raises
    ------
    Unanswerable
        If the kind of the queried column does not support the aggregate, or if the value of a condition does
        not match the kind of the condition's column.
    """
    pairs = ((comparison.real, groups.real), (comparison.synthetic, groups.synthetic))
    n_groups = len(groups.labels)
    if query.aggregate == "distinct":
        known = [_known(comparison, query, *pair, n_groups) for pair in pairs]
        real_parts, synthetic_parts = (_by_group(*part, n_groups) for part in known)
        return _distinct(real_parts, synthetic_parts)
    real, synthetic = (answer(comparison, query, *pair, n_groups) for pair in pairs)
    return real, synthetic


def answer(
    comparison: Comparison, query: AggregateQuery, table: EncodedTable, groups: Ints, n_groups: int
) -> Answers:
    """Return the answer for each group, with counts and sums scaled to the size of the real table.

    `distinct` is not supported, because its answers for the two tables depend on each other.
    """
    n_rows_real = comparison.real.n_rows_total
    if query.column is None:
        is_in_group = groups < n_groups
        fits = meets(comparison, query, table) & is_in_group
        rows = np.bincount(groups[fits], minlength=n_groups).astype(np.float64)
        if query.aggregate == "count":
            return _count(rows, table.n_rows, n_rows_real)
        # Without conditions, the answer for a group is its share of all rows.
        all_rows = (
            np.bincount(groups[is_in_group], minlength=n_groups) if query.where else np.array(table.n_rows)
        )
        return _share(rows, np.broadcast_to(all_rows, rows.shape).astype(np.float64))
    i = comparison.encoder_index(query.column)
    column = comparison.encoder.columns[i]
    groups, known = _known(comparison, query, table, groups, n_groups)
    if column.is_categorical:
        raise Unanswerable(
            f"needs a column of numbers or times, but the kind of {query.column!r} is {column.column.kind}"
        )
    if query.quantile is not None:
        return _quantiles(_by_group(groups, known, n_groups), query.quantile)
    if query.aggregate == "mean":
        return _mean(groups, known, n_groups)
    if column.column.kind in TEMPORAL_KINDS - {ColumnKind.duration}:
        raise Unanswerable(
            f"needs a column of numbers or durations, but the kind of {query.column!r} is "
            f"{column.column.kind}"
        )
    return _sum(groups, known, n_groups, table.n_rows, n_rows_real)


def _count(rows: Floats, n_rows: int, n_rows_real: int) -> Answers:
    share = rows / n_rows
    error = np.sqrt(share * (1 - share) / n_rows)
    return Answers(share * n_rows_real, error * n_rows_real, rows.astype(np.int64), _none(rows))


def _share(rows: Floats, all_rows: Floats) -> Answers:
    share = np.divide(rows, all_rows, out=np.full_like(rows, np.nan), where=all_rows > 0)
    error = np.sqrt(share * (1 - share) / np.maximum(all_rows, 1))
    return Answers(share, error, rows.astype(np.int64), (all_rows - rows).astype(np.int64))


def _sum(groups: Ints, known: Floats, n_groups: int, n_rows: int, n_rows_real: int) -> Answers:
    n = np.bincount(groups, minlength=n_groups)
    total, squares = (
        np.bincount(groups, weights, minlength=n_groups) / n_rows for weights in (known, known**2)
    )
    # A row outside the group counts as a row with the value 0.
    error = np.sqrt(np.maximum(squares - total**2, 0.0) / n_rows)
    return Answers(total * n_rows_real, error * n_rows_real, n, _none(total))


def _mean(groups: Ints, known: Floats, n_groups: int) -> Answers:
    n = np.bincount(groups, minlength=n_groups)
    # Values are centered because squares of seconds since 1970 would lose the significant digits.
    centre = float(known.mean()) if len(known) else 0.0
    total, squares = (
        np.bincount(groups, weights, minlength=n_groups)
        for weights in (known - centre, (known - centre) ** 2)
    )
    nothing = np.full(n_groups, np.nan)
    mean = np.divide(total, n, out=nothing.copy(), where=n > 0)
    variance = np.divide(np.maximum(squares - n * mean**2, 0.0), n - 1, out=nothing.copy(), where=n > 1)
    error = np.sqrt(np.divide(variance, n, out=nothing.copy(), where=n > 1))
    return Answers(mean + centre, error, n, _none(mean))


def _known(
    comparison: Comparison, query: AggregateQuery, table: EncodedTable, groups: Ints, n_groups: int
) -> tuple[Ints, Floats]:
    """Return the groups and values of the rows that contribute to the answers."""
    assert query.column is not None
    values = table.columns[comparison.encoder_index(query.column)]
    used = meets(comparison, query, table) & (groups < n_groups) & ~is_missing(values)
    return groups[used], values[used].astype(np.float64)


def _by_group(groups: Ints, known: Floats, n_groups: int) -> list[Floats]:
    n = np.bincount(groups, minlength=n_groups)
    return np.split(known[np.argsort(groups, kind="stable")], np.cumsum(n)[:-1])


def _distinct(real: Sequence[Floats], synthetic: Sequence[Floats]) -> tuple[Answers, Answers]:
    """Return distinct-value counts for samples of equal size because larger samples have higher counts."""
    n = [
        min(len(real_part), len(synthetic_part)) or max(len(real_part), len(synthetic_part))
        for real_part, synthetic_part in zip(real, synthetic, strict=True)
    ]
    answers = []
    for parts in (real, synthetic):
        value = np.array([rarefied(part, size) for part, size in zip(parts, n, strict=True)])
        n_rows = np.array([len(part) for part in parts])
        answers.append(Answers(value, np.full(len(parts), np.nan), n_rows, _none(value)))
    return answers[0], answers[1]


def rarefied(values: Floats, n_rows: int) -> float:
    """Return the expected number of distinct values in a random sample of `n_rows` rows (rarefaction).

    Notes
    -----
    Hurlbert (1971): a value that occurs in c of N rows does not occur in C(N - c, n) of the C(N, n) samples.
    """
    # Imported here because SciPy is slow to load, and listing the metrics does not require it.
    from scipy.special import gammaln

    n, counts = len(values), np.unique(values, return_counts=True)[1]
    may_be_left_out = counts[n - counts >= n_rows]
    left = n - may_be_left_out
    chance = np.exp(gammaln(left + 1) - gammaln(left - n_rows + 1) - gammaln(n + 1) + gammaln(n - n_rows + 1))
    return float(len(counts) - chance.sum())


def _quantiles(parts: Sequence[Floats], quantile: float) -> Answers:
    value, error = np.array([_quantile(part, quantile) for part in parts]).T
    return Answers(value, error, np.array([len(part) for part in parts]), _none(value))


def _quantile(known: Floats, quantile: float) -> tuple[float, float]:
    """Return a quantile and the standard error that corresponds to its distribution-free interval.

    Notes
    -----
    The ends of the interval are order statistics (Conover 1999, section 3.2).
    """
    n = len(known)
    if n == 0:
        return np.nan, np.nan
    reach = Z_95 * np.sqrt(quantile * (1 - quantile) / n)
    at = np.clip([quantile, quantile - reach, quantile + reach], 0.0, 1.0)
    value, low, high = np.quantile(known, at)
    return float(value), float(high - low) / (2 * Z_95)


def _none(like: Floats) -> Ints:
    return np.zeros(len(like), dtype=np.int64)
