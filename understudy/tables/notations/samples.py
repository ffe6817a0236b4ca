"""Sample text columns to propose notations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.notations.clues import N_ODD_MAX, PLACES_MAX, Tally, Texts
from understudy.tables.notations.words import means_missing

_N_SAMPLED = 1_000
# Maximum length of a value with a notation, in bytes.
_LENGTH_MAX = 64


class SampledTexts(NamedTuple):
    """Distinct values from the first rows of a column, and the number of occurrences of each value."""

    values: list[str]
    counts: list[int]

    @property
    def n(self) -> int:
        """The number of sampled values."""
        return sum(self.counts)


def sample_texts(texts: Texts) -> SampledTexts:
    """Return the first distinct non-missing values, without known words for missing values."""
    parts, n = [], 0
    for batch in texts():
        present: Any = batch.drop_null()
        parts.append(present[: _N_SAMPLED - n])
        n += len(parts[-1])
        if n >= _N_SAMPLED:
            break
    if n == 0:
        return SampledTexts([], [])
    counted: Any = pc.value_counts(pa.chunked_array(parts))
    pairs = [
        (value, count)
        for value, count in zip(
            counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True
        )
        if len(value) <= _LENGTH_MAX and not means_missing(value, is_date=True)
    ]
    return SampledTexts([value for value, _ in pairs], [count for _, count in pairs])


def has_digits(sample: SampledTexts) -> bool:
    """Return whether most sampled values contain a digit."""
    n = sum(
        count
        for value, count in zip(sample.values, sample.counts, strict=True)
        if any(map(str.isdigit, value))
    )
    return 2 * n > sample.n


def tally(texts: Iterable[pa.Array[Any]], fits: Any, *, is_date: bool) -> Tally:
    """Count the values that follow a notation.

    Parameters
    ----------
    fits : callable (array) -> array of booleans
        Function that returns whether each value follows the notation, or null for a missing value.
    """
    result = Tally()
    for batch in texts:
        values: Any = batch
        flags = pc.fill_null(fits(values), False).to_numpy(zero_copy_only=False)
        result.n_fitting += int(np.count_nonzero(flags))
        result.n_null += values.null_count
        odd = np.flatnonzero(~flags & values.is_valid().to_numpy(zero_copy_only=False))
        if len(odd):
            _count_odd(result, values.take(pa.array(odd)), odd + result.n_rows, is_date=is_date)
        result.n_rows += len(values)
    return result


def _count_odd(result: Tally, values: Any, rows: Any, *, is_date: bool) -> None:
    counted = pc.value_counts(values)
    words = {
        word: count
        for word, count in zip(
            counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True
        )
        if means_missing(word, is_date=is_date)
    }
    result.missing.update(words)
    result.n_odd += len(values) - sum(words.values())
    if len(result.odd) < N_ODD_MAX:
        others = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
        result.odd.update({value: count for value, count in others if value not in words})
    if len(result.odd_rows) < PLACES_MAX:
        is_odd = ~pc.is_in(values, value_set=pa.array(list(words), pa.string())).to_numpy(
            zero_copy_only=False
        )
        result.odd_rows += [int(row) for row in rows[is_odd][: PLACES_MAX - len(result.odd_rows)]]
