"""Search for ratios to learn, based on the entropy of a column within ranges of other columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
import pyarrow as pa

from understudy.synthesizers.rules.columns import Columns
from understudy.synthesizers.rules.products import PRECISION, Factor, Product, find_ties, round_product
from understudy.synthesizers.rules.ratio_widths import N_ROWS_MIN, Logs, Quantity, Signs, find_narrow
from understudy.synthesizers.rules.ratios import Ratio, measure_ratio, rule_of
from understudy.synthesizers.rules.values import Floats, Int64s, Values

# Maximum number of numeric columns to search for ratios of two columns, and for ratios of three columns.
N_COLUMNS_MAX = 24
N_COLUMNS_CUBED = 10
# Minimum share of rows with nonzero values in all columns.
SHARE_MIN = 0.5
# Minimum amount, in nats, by which the entropy of a ratio is below the entropy of its target: for ratios to
# one column, and to the product of two columns. Both entropies are measured within ranges of the other
# columns. For a product, these ranges are coarser than the leaves of a chain's trees.
GAINS_MIN = (0.2, 0.7)
# Maximum number of rows for measuring the entropy.
N_ROWS_MEASURED = 2048
# Number of rows per range, maximum number of ranges, and distance between the order statistics for estimating
# the entropy within a range.
N_ROWS_RANGE = 64
N_RANGES_MAX = 32
SPACING = 3
# Minimum interquartile range of a target, in steps of its grid.
N_STEPS_MIN = 16
# Minimum width of SPACING neighboring logarithms, which bounds the entropy of equal numbers.
SPACING_MIN = 1e-9
# Maximum share of products that fall into gaps between the values of the derived column.
SHARE_MISSED_MAX = 0.02
# Maximum share of products in gaps for ratios with a large gain, and the minimum of a large gain, in nats. On
# a coarse grid, most products are new values.
SHARE_MISSED_LARGE = 0.15
GAIN_LARGE = 1.0
# Maximum number of rows for measuring the share of products in gaps.
N_ROWS_COMPARED = 50_000
NAME_LENGTH_MAX = 200


@dataclass(frozen=True)
class RatioDerivation:
    """A ratio, the rule that computes the target, and the decimal places of the ratio's columns."""

    ratio: Ratio
    rule: Product
    decimals: dict[str, int]


@dataclass(frozen=True, eq=False, repr=False)
class _Candidate:
    """A target, its bases with their exponents, and the gain of the ratio in nats."""

    target: Quantity
    bases: tuple[Quantity, ...]
    exponents: tuple[int, ...]
    gain: float

    @property
    def names(self) -> frozenset[str]:
        """Names of all columns of the ratio."""
        return frozenset(own.name for own in (self.target, *self.bases))


def find_ratios(
    columns: Columns, fixed: set[str], excluded: set[str], pairs: set[frozenset[str]]
) -> Iterator[RatioDerivation]:
    """Yield the ratios of numeric columns that a chain would not preserve, the largest gain first.

    Parameters
    ----------
    fixed : set of str
        Names of columns that must not be derived. Other columns may be derived from these columns.
    excluded : set of str
        Names of columns that must not be part of a ratio.
    pairs : set of frozenset of str
        Pairs of columns with a learned difference, unless the ratio has a lower entropy.
    """
    quantities = list(_quantities(columns, excluded))
    targets = [i for i, own in enumerate(quantities) if own.name not in fixed and _is_fine(own)]
    forms = {i: _forms(len(quantities), i) for i in targets}
    narrow = find_narrow(quantities, {form for own in forms.values() for _, form in own})
    candidates: list[_Candidate] = []
    for i, own in forms.items():
        candidates += _candidates(quantities, i, [form for form, signs in own if signs in narrow], pairs)
    for candidate in _sorted(candidates, columns.names):
        derivation = _derivation(columns, candidate)
        if derivation is not None:
            yield derivation


def _sorted(candidates: list[_Candidate], names: list[str]) -> list[_Candidate]:
    """Return the candidates in descending order of gain.

    Candidates with the same columns are sorted by the highest gain among them, and then by their target, from
    last to first in the table. The gain of a ratio with two bases includes the larger gain among the ratios
    to one of the bases.
    """
    singles = {(own.target.name, own.bases[0].name): own.gain for own in candidates if len(own.bases) == 1}
    gains: dict[frozenset[str], float] = {}
    for own in candidates:
        parts = [singles.get((own.target.name, base.name), 0.0) for base in own.bases]
        gain = own.gain + (max(parts) if len(own.bases) > 1 else 0.0)
        gains[own.names] = max(gain, gains.get(own.names, 0.0))
    return sorted(candidates, key=lambda own: (-gains[own.names], -names.index(own.target.name)))


def _quantities(columns: Columns, excluded: set[str]) -> Iterator[Quantity]:
    """Yield the sampled numbers of columns that vary and are mostly not zero."""
    names = [n for n in columns.names if n not in excluded and columns.is_quantity(n)]
    numeric = [n for n in names if not pa.types.is_temporal(columns.table.schema.field(n).type)]
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, columns.n_sample)
    for name in numeric[:N_COLUMNS_MAX]:
        values, unit = columns.sample(name), columns.sample_unit(name)
        present = ~values.mask
        scale = 1.0 if unit is None else float(unit)
        numbers = np.abs(values.numbers.astype(np.float64)) * scale
        if not present.any() or not np.isfinite(numbers[present]).all():
            continue
        step = 0.0 if unit is None else scale * _step(values.numbers[present].astype(np.int64))
        with np.errstate(divide="ignore"):
            logs = np.where(present & (numbers > 0), np.log(numbers), np.nan)
            blurred = np.where(np.isnan(logs), np.nan, np.log(np.maximum(numbers + noise * step, step / 2)))
        if np.nanmin(logs, initial=np.inf) < np.nanmax(logs, initial=-np.inf):
            yield Quantity(name, np.where(present, numbers, np.nan), logs, blurred, step)


def _step(numbers: Int64s) -> int:
    """Return the greatest common divisor of all numbers, which is the rounding unit of the product."""
    return max(int(np.gcd.reduce(numbers)), 1)


def _is_fine(target: Quantity) -> bool:
    """Return whether the grid of a target is fine enough for the target to be derived from a ratio."""
    low, high = np.nanquantile(target.numbers, (0.25, 0.75))
    return bool(high - low >= N_STEPS_MIN * target.step)


# Indices of the bases, and their exponents.
Form = tuple[tuple[int, ...], tuple[int, ...]]


@lru_cache(maxsize=2 * N_COLUMNS_MAX)
def _forms(n_columns: int, target: int) -> tuple[tuple[Form, Signs], ...]:
    """Return the ratios of a target to one or two other columns, each with its `Signs`."""
    others = [i for i in range(n_columns) if i != target]
    forms: list[Form] = [((base,), (exponent,)) for base in others for exponent in (1, -1)]
    if len(others) < N_COLUMNS_CUBED:
        forms += [(pair, own) for pair in combinations(others, 2) for own in ((1, 1), (1, -1), (-1, 1))]
    return tuple((form, _signs(form, target)) for form in forms)


def _signs(form: Form, target: int) -> Signs:
    bases, exponents = form
    signs = sorted([(target, 1), *((i, -e) for i, e in zip(bases, exponents, strict=True))])
    return tuple((i, sign * signs[0][1]) for i, sign in signs)


def _candidates(
    quantities: Sequence[Quantity], i: int, forms: Sequence[Form], pairs: set[frozenset[str]]
) -> Iterator[_Candidate]:
    """Yield the given narrow ratios of a target that a chain would not preserve."""
    target = quantities[i]
    samples: dict[tuple[int, ...], _Sample | None] = {}
    for places, exponents in forms:
        bases = tuple(quantities[place] for place in places)
        if places not in samples:
            samples[places] = _sample(target, bases)
        is_paired = frozenset((target.name, bases[0].name)) in pairs
        least = GAINS_MIN[len(bases) - 1]
        gain = _gain(samples[places], exponents, least, is_paired=is_paired)
        if gain >= least:
            yield _Candidate(target, bases, exponents, gain)


@dataclass(frozen=True, eq=False, repr=False)
class _Sample:
    """Rows with values in a target and in its bases. The entropy of ratios is measured on these rows.

    Parameters
    ----------
    target : array of shape (n_rows,)
        Blurred logarithms of the target.
    bases : list of array of shape (n_rows,)
        Logarithms of the bases.
    ranges : array of shape (n_ranges, n_rows_of_range)
        Rows of each range of the bases.
    entropy : float
        Entropy of the target within the ranges.
    """

    target: Logs
    bases: list[Logs]
    ranges: Int64s
    entropy: float


def _sample(target: Quantity, bases: Sequence[Quantity]) -> _Sample | None:
    """Return the rows for measuring the entropy, or None if too many values are missing."""
    every = -(-len(target.logs) // N_ROWS_MEASURED)
    parts = np.array([target.blurred[::every], *(base.logs[::every] for base in bases)])
    is_complete = ~np.isnan(parts).any(axis=0)
    if is_complete.sum() < max(N_ROWS_MIN, SHARE_MIN * np.count_nonzero(~np.isnan(target.numbers[::every]))):
        return None
    own, *others = parts[:, is_complete]
    ranges = _in_ranges(others)
    return _Sample(own, others, ranges, _entropy(own, ranges))


def _gain(sample: _Sample | None, exponents: tuple[int, ...], least: float, *, is_paired: bool) -> float:
    """Return by how much the entropy within ranges of the bases decreases if the ratio replaces the target.

    The ranges approximate the leaves of a chain's trees. A ratio to two bases is also compared with the ratio
    to each single base. If the difference to the first base is learned, the ratio is also compared with this
    difference. The result is the smallest of these decreases. If it is less than `least`, an upper bound that
    is also less than `least` may be returned instead.
    """
    if sample is None:
        return -np.inf
    own, bases, order = sample.target, sample.bases, sample.ranges
    powers = [base * exponent for base, exponent in zip(bases, exponents, strict=True)]
    entropy = _entropy(own - np.sum(powers, axis=0), order)
    gain = sample.entropy - entropy
    for power in powers if len(powers) > 1 else []:
        if gain < least:
            return gain
        gain = min(gain, _entropy(own - power, order) - entropy)
    if is_paired and gain >= least:
        # The other entropies are entropies of logarithms, so the difference is divided by the scale of the
        # target.
        difference = _entropy(np.exp(own) - np.exp(bases[0]), order) - float(own[order].mean())
        gain = min(gain, difference - entropy)
    return gain


def _in_ranges(bases: list[Logs]) -> Int64s:
    """Return the rows of each range of the bases, as an array of shape (n_ranges, n_rows_of_range)."""
    n_ranges = int(np.clip(len(bases[0]) // N_ROWS_RANGE, 2, N_RANGES_MAX))
    if len(bases) == 1:
        return _split(np.argsort(bases[0], kind="stable"), n_ranges)
    n_each = max(round(n_ranges**0.5), 2)
    outer = _split(np.argsort(bases[0], kind="stable"), n_each)
    rows = [_split(own[np.argsort(bases[1][own], kind="stable")], n_each) for own in outer]
    return np.concatenate(rows)


def _split(rows: Int64s, n_parts: int) -> Int64s:
    """Split rows into parts of equal length. Up to ``n_parts - 1`` rows at the end are omitted."""
    n = len(rows) // n_parts
    return rows[: n * n_parts].reshape(n_parts, n)


def _entropy(logs: Logs, ranges: Int64s) -> float:
    """Return the mean differential entropy within ranges, up to a constant (Vasicek 1976)."""
    ordered = np.sort(logs[ranges], axis=1)
    spacings = ordered[:, SPACING:] - ordered[:, :-SPACING]
    return float(np.log(np.maximum(spacings, SPACING_MIN)).mean())


def _derivation(columns: Columns, candidate: _Candidate) -> RatioDerivation | None:
    """Return the derivation of a column if it reproduces all rows, otherwise None."""
    target, bases = candidate.target.name, tuple(base.name for base in candidate.bases)
    units = {name: float(columns.unit(name) or 1) for name in (target, *bases)}
    factors = tuple(
        Factor(name, exponent, "value", units[name])
        for name, exponent in zip(bases, candidate.exponents, strict=True)
    )
    own, values = columns.all(target), [columns.all(name) for name in bases]
    has_grid = columns.unit(target) is not None
    step = _step(own.numbers[~own.mask].astype(np.int64)) if has_grid else 0
    rule = rule_of(_name(columns, target, bases), target, factors, units[target], step)
    ratios, missing = measure_ratio(rule, own, values)
    if (missing & ~own.mask).any() or not _reproduces(rule, own, values, ratios, candidate.gain):
        return None
    if step:
        steps = rule.compute([*values, Values(pa.array(ratios), None)])[~own.mask] / step
        rule = replace(rule, ties=find_ties(steps, own.numbers[~own.mask] / step))
    decimals = {n: d for n in (target, *bases) if (d := columns.decimals(n)) is not None}
    return RatioDerivation(Ratio(rule.terms[-1], target, bases), rule, decimals)


def _reproduces(rule: Product, target: Values, bases: list[Values], ratios: Floats, gain: float) -> bool:
    """Return whether products equal the target, and products with other rows' ratios fit its grid."""
    present = ~target.mask
    numbers, own = target.numbers[present].astype(np.float64), ratios[present]
    base = rule.compute([*bases, Values(pa.array(np.ones(len(ratios))), None)])[present]
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(base * own - numbers)
    if not (error <= rule.step / 2 + PRECISION * np.abs(numbers)).all():
        return False
    share_missed = SHARE_MISSED_LARGE if gain >= GAIN_LARGE else SHARE_MISSED_MAX
    return rule.step == 0 or _products_occur(numbers, base, own, rule.step, share_missed)


def _products_occur(target: Floats, base: Floats, ratios: Floats, step: int, share_missed: float) -> bool:
    """Return whether products with ratios of similar rows occur among the targets as often as actual targets.

    Prices such as 19.99 and round amounts have gaps between possible values. Some of the products fall into
    these gaps.
    """
    order = np.argsort(base, kind="stable")
    mixed = np.empty_like(ratios)
    mixed[order] = np.roll(ratios[order], max(len(order) // N_ROWS_RANGE, 1))
    products = round_product(base * mixed / step, "float") * step
    rows = np.random.default_rng(0).permutation(len(target))[:N_ROWS_COMPARED]
    own, known = rows[::2], np.unique(target[rows[1::2]])
    share = float(np.isin(target[own], known).mean())
    share_of_products = float(np.isin(products[own], known).mean())
    # The tolerance is three standard deviations of the difference between two shares.
    noise = 3 * (2 * share * (1 - share) / len(own)) ** 0.5
    return bool(share_of_products >= share * (1 - share_missed) - noise)


def _name(columns: Columns, target: str, bases: tuple[str, ...]) -> str:
    """Return a name for a ratio that neither a column of the table nor another ratio has."""
    name = f"{columns.schema.names.index(target)}: {target} / {' / '.join(bases)}"[:NAME_LENGTH_MAX]
    while name in columns.schema.names:
        name += "'"
    return name
