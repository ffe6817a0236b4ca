"""Fit the conditional distribution of every column, and draw rows from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.errors import TooLarge
from understudy.kernels import drawing, evidence, forests, hierarchy
from understudy.kernels.forests import Forest, rename_features
from understudy.kernels.predictors import Predictor
from understudy.kernels.trees import N_FEATURES_MAX, N_NODES_MAX, Features, GrowthRules
from understudy.progress import Progress, no_progress
from understudy.synthesizers.tree_chain import additive
from understudy.synthesizers.tree_chain.predecessors import choose_predecessors, group_codes
from understudy.transformers.base import Codes, RowNumbers, Transformer
from understudy.transformers.coarse import fit_coarse


@dataclass(frozen=True)
class Link:
    """One column's conditional distribution.

    Parameters
    ----------
    column : int
        Its place in the table.
    child : array of shape (n_choices, RADIX)
        The hierarchy of choices; empty if the column has one code only.
    coarse : array of shape (n_codes,)
        The coarse code of every code.
    """

    column: int
    child: npt.NDArray[np.int32]
    coarse: npt.NDArray[np.uint8]
    forest: Forest
    predictor: Predictor


def fit_chain(
    codes: list[Codes],
    transformers: Sequence[Transformer],
    rules: GrowthRules,
    *,
    seed: int,
    n_threads: int,
    progress: Progress = no_progress,
) -> list[Link]:
    """Fit every column given those before it, in ascending order of their number of codes.

    Raises
    ------
    TooLarge
        If the table has more columns or needs more tree nodes than a node's word can name.
    """
    if len(codes) > N_FEATURES_MAX:
        raise TooLarge(
            f"The table has {len(codes)} columns; at most {N_FEATURES_MAX} can be chained.",
            code="too_many_columns",
        )
    order = sorted(range(len(codes)), key=lambda j: (transformers[j].n_codes, j))
    counts = [np.bincount(codes[j], minlength=transformers[j].n_codes) for j in order]
    coarse = [fit_coarse(c) for c in counts]
    features = np.array([coarse[p][codes[j]] for p, j in enumerate(order)])
    is_ordinal = [transformers[j].is_ordinal for j in order]
    groups = group_codes(features)
    rows = additive.choose_rows(features.shape[1], len(order), seed)
    some = np.ascontiguousarray(features[:, rows])
    moments = additive.fit_moments(some, is_ordinal)

    def fit(position: int) -> Link:
        predecessors = choose_predecessors(groups, position)
        predictor = additive.fit_predictor(moments, position, predecessors, some)
        seen = [features[predecessors]]
        is_category = [not is_ordinal[p] for p in predecessors]
        if len(predictor.feature):
            seen.append(additive.predict(predictor, features)[None])
            is_category.append(False)
        looked_at = _features(np.concatenate(seen), is_category)
        forest, child = _fit_forest(looked_at, codes[order[position]], counts[position], rules)
        places = np.append(predecessors, position)
        return Link(order[position], child, coarse[position], rename_features(forest, places), predictor)

    return _fit_all(fit, len(order), n_threads, progress)


def _fit_all(fit: Callable[[int], Link], n: int, n_threads: int, progress: Progress) -> list[Link]:
    links: list[Link] = []
    progress("fitting", 0.0)
    with ThreadPoolExecutor(n_threads) as pool:
        # The last columns are the dearest: they start first, so that no thread is left with one at the end.
        tasks = [pool.submit(fit, position) for position in reversed(range(n))]
        for task in tasks:
            links.append(task.result())
            progress("fitting", len(links) / n)
    return links[::-1]


def _features(codes: npt.NDArray[np.uint8], is_category: list[bool]) -> Features:
    n_codes = codes.max(axis=1, initial=0).astype(np.int64) + 1
    return Features(codes, n_codes, np.array(is_category, dtype=np.bool_))


def _fit_forest(
    features: Features, codes: Codes, counts: npt.NDArray[np.int64], rules: GrowthRules
) -> tuple[Forest, npt.NDArray[np.int32]]:
    cuts, n_groups, child = hierarchy.build_hierarchy(counts)
    starts = np.concatenate(([0], np.cumsum(counts)))
    table = evidence.log_gamma_tables()
    forest = forests.grow_forest(features, codes, starts, cuts, n_groups, rules, table)
    if len(forest.node) > N_NODES_MAX:
        raise TooLarge(
            f"A column needs more than {N_NODES_MAX} tree nodes; fit on fewer rows.", code="too_many_rows"
        )
    return forest, child


def draw_codes(links: Sequence[Link], seed: int, numbers: RowNumbers) -> list[Codes]:
    """Return the codes of the rows of these numbers, by column of the table."""
    n = len(numbers)
    codes = [np.zeros(n, np.uint16) for _ in links]
    rows = np.zeros((n, len(links)), np.uint8)
    for position, link in enumerate(links):
        if len(link.child):
            drawing.draw_column(
                rows,
                position,
                np.uint64(seed),
                np.uint64(link.column),
                numbers,
                link.child,
                link.forest,
                link.predictor,
                link.coarse,
                codes[link.column],
            )
    return codes
