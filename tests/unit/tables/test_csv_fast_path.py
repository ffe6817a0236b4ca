"""Tests that the fast path returns the same counts as the patterns, or None."""

from __future__ import annotations

import random
import re
from collections import Counter

import pyarrow as pa
import pytest

from understudy.tables.formats.csv.column_types import NOTATIONS, ColumnProfile
from understudy.tables.formats.csv.fast_path import count_notations

# Each pool contains values of one kind, or values that only look like that kind.
POOLS: dict[str, list[str]] = {
    "integers": ["0", "7", "-12", "1234567890", "-0", "9" * 18],
    "long": ["9" * 19, "9" * 20, "1"],
    "numerals": ["007", "10", "-05", "00"],
    "floats": ["0.5", "-12.25", ".5", "5.", "-.5", "100000.000001", "3"],
    "broken": ["1.2.3", "-", ".", "-.", "1-2", "--1", "01.5", "1e5", "inf", "1,5", " 1", "+1"],
    "dates": ["2024-02-29", "0001-01-01", "9999-12-31"],
    "no dates": ["2023-02-29", "0000-01-01", "2024-13-01", "2024-1-01x", "24-01-2024"],
    "moments": ["2024-02-29 12:30:00", "1700-01-01T00:00:00", "2199-12-31 23:59:59"],
    "no moments": [
        "1699-12-31 23:59:59",
        "2200-01-01 00:00:00",
        "2024-02-29 24:00:00",
        "2024-02-29x12:30:00",
    ],
    "booleans": ["true", "False", "TRUE"],
    "words": ["tRUE", "x", "é", "true ", "f"],
}


# Arrow's regular expressions write non-ASCII characters as `\x{…}`.
PATTERNS = {w.name: re.sub(r"\\x\{(\w+)\}", lambda m: chr(int(m[1], 16)), w.pattern) for w in NOTATIONS}


def _by_pattern(values: list[str]) -> dict[str, int]:
    return Counter(
        next((name for name, pattern in PATTERNS.items() if re.fullmatch(pattern, value)), "text")
        for value in values
    )


@pytest.mark.parametrize("seed", range(60))
def test_fast_path_and_patterns_return_equal_counts(seed: int):
    rng = random.Random(seed)  # noqa: S311
    pools = rng.sample(list(POOLS), rng.choice([1, 1, 1, 2]))
    values = [rng.choice(POOLS[rng.choice(pools)]) for _ in range(rng.choice([1, 3, 50]))]
    counts = count_notations(pa.array(["skipped", *values]).slice(1))
    if counts is not None:
        assert {name: n for name, n in counts.items() if n} == _by_pattern(values)


@pytest.mark.parametrize("pool", ["integers", "numerals", "floats", "dates", "moments", "booleans"])
def test_plain_values_use_the_fast_path(pool: str):
    assert count_notations(pa.array(POOLS[pool] * 100)) is not None


@pytest.mark.parametrize("seed", range(40))
def test_type_does_not_depend_on_the_batch_size(seed: int):
    rng = random.Random(seed)  # noqa: S311
    pools = rng.sample(list(POOLS), rng.choice([1, 1, 2]))
    weights = [0.97, 0.03][: len(pools)]
    values = [rng.choice(POOLS[rng.choices(pools, weights)[0]]) for _ in range(400)]
    types = []
    for size in (1, 7, 400):
        profile = ColumnProfile()
        for start in range(0, len(values), size):
            profile.add(pa.array(values[start : start + size]))
        types.append(profile.decide())
    assert types[0] == types[1] == types[2]
