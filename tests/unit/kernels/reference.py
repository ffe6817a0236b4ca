"""Reference implementations of the kernels in plain Python, which are slow and share no code with them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import exp, lgamma, log
from typing import Any

import numpy as np

from understudy.kernels.boosting import BoostingRules

MASK_64 = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
ALPHA = 0.5


def mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK_64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK_64
    return z ^ (z >> 31)


def word(seed: int, stream: int, row: int) -> int:
    key = mix((mix((seed + GOLDEN) & MASK_64) + (stream + 1) * GOLDEN) & MASK_64)
    return mix((mix(key ^ (row * GOLDEN & MASK_64)) + GOLDEN) & MASK_64)


def permuted(number: int, n: int, key: int) -> int:
    """Return the permuted position of a number among n. Feistel rounds repeat until the result is below n."""
    bits = 1
    while 4**bits < n:
        bits += 1
    while True:
        left, right = divmod(number, 2**bits)
        for i in range(6):
            left, right = right, left ^ (mix(right ^ ((key + i * GOLDEN) & MASK_64)) % 2**bits)
        number = left * 2**bits + right
        if number < n:
            return number


def evidence(counts: list[int]) -> float:
    """Return the Dirichlet-multinomial log evidence over all given classes."""
    n, k = sum(counts), len(counts)
    return lgamma(k * ALPHA) - lgamma(n + k * ALPHA) + sum(lgamma(c + ALPHA) - lgamma(ALPHA) for c in counts)


def hierarchy(counts: list[int]) -> list[tuple[int, ...]]:
    """Return the cuts of every choice in breadth-first order."""
    out: list[tuple[int, ...]] = []
    waiting = [(0, len(counts))] if len(counts) > 1 else []
    while waiting:
        low, high = waiting.pop(0)
        cuts = [low]
        for groups_left in (4, 3, 2):
            if high - cuts[-1] <= 1:
                break
            wanted = sum(counts[cuts[-1] : high]) / groups_left
            places = range(cuts[-1] + 1, high)
            cuts.append(min(places, key=lambda c: (abs(sum(counts[cuts[-1] : c]) - wanted), -c)))
        cuts.append(high)
        out.append(tuple(cuts))
        waiting += [(a, b) for a, b in pairwise(cuts) if b - a > 1]
    return out


@dataclass
class Node:
    probability: list[float]
    n_rows: int
    feature: int = -1
    goes_left: frozenset[int] = frozenset()
    children: tuple[Node, Node] | None = None


def grow(
    codes: list[list[int]],
    is_category: list[bool],
    rows: list[int],
    label: dict[int, int],
    n_classes: int,
    rules: Any,
    parent: Node | None = None,
    depth: int = 0,
) -> Node:
    counts = [sum(label[r] == g for r in rows) for g in range(n_classes)]
    if parent is None:
        probability = [(c + 0.5 / n_classes) / (len(rows) + 0.5) for c in counts]
    else:
        s = rules.smoothing
        probability = [(c + s * p) / (len(rows) + s) for c, p in zip(counts, parent.probability, strict=True)]
    node = Node(probability, len(rows))
    split = best_split(codes, is_category, rows, label, n_classes, rules) if depth < rules.depth_max else None
    if split is None:
        return node
    node.feature, node.goes_left = split
    left = [r for r in rows if codes[node.feature][r] in node.goes_left]
    right = [r for r in rows if codes[node.feature][r] not in node.goes_left]
    sides = [
        grow(codes, is_category, side, label, n_classes, rules, node, depth + 1) for side in (left, right)
    ]
    node.children = (sides[0], sides[1])
    return node


def best_split(
    codes: list[list[int]],
    is_category: list[bool],
    rows: list[int],
    label: dict[int, int],
    n_classes: int,
    rules: Any,
) -> tuple[int, frozenset[int]] | None:
    present = [g for g in range(n_classes) if any(label[r] == g for r in rows)]
    if len(rows) < 2 * rules.min_leaf or len(present) < 2:
        return None
    whole = evidence([sum(label[r] == g for r in rows) for g in present])
    best: tuple[float, int, frozenset[int]] = (0.0, -1, frozenset())
    for f, column in enumerate(codes):
        values = sorted({column[r] for r in rows})
        price = rules.penalty + log(len(values))
        if is_category[f]:
            means = {v: np.mean([label[r] for r in rows if column[r] == v]) for v in values}
            values.sort(key=lambda v: (means[v], v))
            price = rules.penalty + rules.category_penalty * (len(values) - 1)
        for length in range(1, len(values)):
            goes_left = frozenset(values[:length])
            left = [r for r in rows if column[r] in goes_left]
            right = [r for r in rows if column[r] not in goes_left]
            if min(len(left), len(right)) < rules.min_leaf:
                continue
            two = sum(evidence([sum(label[r] == g for r in side) for g in present]) for side in (left, right))
            # Sums in a different order differ in their last bits, so the code resolves ties with a tolerance.
            if two - whole - price > best[0] + 1e-9:
                best = (two - whole - price, f, goes_left)
    return (best[1], best[2]) if best[1] >= 0 else None


def boosted_scores(
    codes: list[list[int]],
    target: list[float],
    weight: list[float],
    start: list[float],
    rules: BoostingRules,
) -> list[float]:
    """Return the sum of boosted trees for every row. Every tree is grown on all rows."""
    n = len(target)
    margin = list(start)
    for _ in range(rules.n_trees):
        p = [1 / (1 + exp(-m)) for m in margin]
        if rules.is_class:
            slope = [weight[i] * (p[i] - target[i]) for i in range(n)]
            hessian = [weight[i] * p[i] * (1 - p[i]) for i in range(n)]
        else:
            slope = [weight[i] * (margin[i] - target[i]) for i in range(n)]
            hessian = list(weight)
        for rows in _boosted_leaves(codes, slope, hessian, list(range(n)), rules, rules.depth):
            value = sum(slope[i] for i in rows) / (sum(hessian[i] for i in rows) + rules.ridge)
            for i in rows:
                margin[i] -= rules.rate * value
    return [m - s for m, s in zip(margin, start, strict=True)]


def _boosted_leaves(
    codes: list[list[int]],
    slope: list[float],
    hessian: list[float],
    rows: list[int],
    rules: BoostingRules,
    depth: int,
) -> list[list[int]]:
    if depth == 0:
        return [rows]

    def value(part: list[int]) -> float:
        return sum(slope[i] for i in part) ** 2 / (sum(hessian[i] for i in part) + rules.ridge)

    # Ties within the error of single precision are resolved in favor of the first split.
    best = 1e-5
    sides: tuple[list[int], list[int]] = (rows, [])
    for column in codes:
        for cut in sorted({column[i] for i in rows}):
            left = [i for i in rows if column[i] <= cut]
            right = [i for i in rows if column[i] > cut]
            if min(sum(hessian[i] for i in part) for part in (left, right)) < rules.hessian_min:
                continue
            gain = value(left) + value(right) - value(rows)
            if gain > best + 1e-5:
                best, sides = gain, (left, right)
    return [leaf for side in sides for leaf in _boosted_leaves(codes, slope, hessian, side, rules, depth - 1)]


def blocks(subjects: list[int], values: list[int], runs: list[int], k: int) -> list[int]:
    """Return the first row of every block."""
    begin: list[int] = []
    for run in sorted(set(runs)):
        waiting: list[int] = []
        own_begin: list[int] = []
        for value in sorted({v for v, r in zip(values, runs, strict=True) if r == run}):
            waiting += [i for i, v in enumerate(values) if v == value]
            if len({subjects[i] for i in waiting}) >= k:
                own_begin.append(waiting[0])
                waiting = []
        begin += own_begin or [runs.index(run)]
    return begin


def level(own: list[int], counts: list[int], word: int) -> int:
    """Sample a row from the rows with the given levels, and return its level."""
    row = int((word >> 11) / 2**53 * sum(counts[x] for x in own))
    for x in own[:-1]:
        if row < counts[x]:
            return x
        row -= counts[x]
    return own[-1]
