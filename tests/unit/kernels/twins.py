"""The kernels once more, in plain Python: slow, obvious, and nothing shared with the fast ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import lgamma, log
from typing import Any

import numpy as np

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


def evidence(counts: list[int]) -> float:
    """Return the Dirichlet-multinomial log evidence over all given classes."""
    n, k = sum(counts), len(counts)
    return lgamma(k * ALPHA) - lgamma(n + k * ALPHA) + sum(lgamma(c + ALPHA) - lgamma(ALPHA) for c in counts)


def hierarchy(counts: list[int]) -> list[tuple[int, ...]]:
    """Return the cuts of every choice, breadth first."""
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
            # Sums in another order differ in their last bits; a tie goes to the first.
            if two - whole - price > best[0] + 1e-9:
                best = (two - whole - price, f, goes_left)
    return (best[1], best[2]) if best[1] >= 0 else None


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
    """Return the level in which a random row among those of the own levels lies."""
    row = int((word >> 11) / 2**53 * sum(counts[x] for x in own))
    for x in own[:-1]:
        if row < counts[x]:
            return x
        row -= counts[x]
    return own[-1]
