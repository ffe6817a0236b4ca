"""Fit the conditional distribution of every column, and sample rows from the distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from understudy.errors import TooLarge
from understudy.kernels import drawing, forests, hierarchy, split_search
from understudy.kernels.drawing import Conditional
from understudy.kernels.forests import NO_FOREST, ColumnCodes, Forest, RowSampling, rename_features
from understudy.kernels.hashing import stream_key
from understudy.kernels.hierarchy import RADIX
from understudy.kernels.predictors import Predictor, exists
from understudy.kernels.trees import N_FEATURES_MAX, N_NODES_MAX, Features
from understudy.synthesizers.contexts import LearnRun
from understudy.synthesizers.tree_chain import additive
from understudy.synthesizers.tree_chain.boosted import BoostedColumn, boost, halve_rows
from understudy.synthesizers.tree_chain.predecessors import choose_predecessors, group_codes
from understudy.synthesizers.tree_chain.presets import Preset
from understudy.transformers.base import Codes, CodesByColumn, Mask, NumberedRows, Transformer
from understudy.transformers.coarse_codes import fit_coarse
from understudy.transformers.level_sources import LevelSource


@dataclass(frozen=True, eq=False, repr=False)
class Link:
    """Conditional distribution of a column, or a lookup of its codes by another column.

    Parameters
    ----------
    column : int
        Index of the column in the table.
    child : array of shape (n_choices, RADIX)
        Hierarchy of choices, empty if the column has only one code.
    coarse : array of shape (n_codes,)
        Coarse code of every code.
    forest : Forest
        Decision trees for each choice in the hierarchy.
    predictor : Predictor
        Predictor of an ordinal column. Its bins are a feature of the trees.
    source : int
        Index of the source column if this column is looked up, or -1 if this column is drawn.
    lookup : array of shape (n_codes of the source,) or (n_levels of the source + 1,)
        Code of this column for every code, or for every level, of the source column. Empty if this column is
        drawn.
    levels : LevelSource, optional
        Source column with levels that determine this column.
    """

    column: int
    child: npt.NDArray[np.int32]
    coarse: npt.NDArray[np.uint8]
    forest: Forest
    predictor: Predictor
    source: int = -1
    lookup: Codes = field(default_factory=lambda: np.zeros(0, np.uint16))
    levels: LevelSource | None = None

    def look_up(self, codes: CodesByColumn, seed: int, numbers: NumberedRows) -> Codes:
        """Return the codes of a looked-up column, given the codes of earlier columns and a decoding seed."""
        if self.levels is None:
            return self.lookup[codes[self.source]]
        return self.lookup[self.levels.draw(codes, seed, numbers)]

    def find_sources(self, fits: Mask) -> Mask:
        """Return a mask of the source codes that allow this column to have one of the given codes."""
        if self.levels is None:
            return fits[self.lookup]
        code = self.levels.transformer
        may = np.zeros(code.n_codes, np.bool_)
        of_level = fits[self.lookup[:-1]]
        np.logical_or.at(may, code.codes_of_levels(), of_level)
        if code.n_codes > code.has_missing + len(code.first_level):
            may[-1] = of_level.any()
        if code.has_missing:
            may[0] = fits[self.lookup[-1]]
        return may

    @property
    def conditional(self) -> Conditional:
        """Distribution in the form that the kernels require."""
        return Conditional(self.child, self.forest, self.predictor, self.coarse)


# No separate training rows for any column: all columns are fitted on the same rows.
NO_OTHERS: Mapping[int, Encoded] = {}


def look_up(
    column: int, by: tuple[int, Codes], coarse: npt.NDArray[np.uint8], levels: LevelSource | None = None
) -> Link:
    """Return the link of a looked-up column, given its source and the table of its codes."""
    nothing = np.zeros((0, RADIX), np.int32)
    return Link(column, nothing, coarse, NO_FOREST, additive.NO_PREDICTOR, *by, levels)


@dataclass(frozen=True, eq=False, repr=False)
class Arranged:
    """Order of the columns, with the lookups and the possible dependencies of each column.

    Parameters
    ----------
    order : list of int
        Columns, in sampling order.
    lookups : mapping of int to (int, array)
        For each looked-up column, its source and its table of codes.
    visible : mapping of int to set of int
        Possible dependencies of a column. Columns that are not listed may depend on all earlier columns.
    level_sources : mapping of int to LevelSource
        Sources of the columns that are looked up by a level.
    """

    order: list[int]
    lookups: Mapping[int, tuple[int, Codes]]
    visible: Mapping[int, Set[int]] = field(default_factory=dict)
    level_sources: Mapping[int, LevelSource] = field(default_factory=dict)

    def may_use(self, position: int) -> Mask:
        """Return a mask of the earlier columns, by position, that the column at a position may depend on."""
        earlier = self.order[:position]
        allowed = self.visible.get(self.order[position])
        return np.array([allowed is None or j in allowed for j in earlier], np.bool_)


@dataclass(frozen=True, eq=False, repr=False)
class Encoded:
    """Codes and coarse codes of the training rows for all columns, in table order.

    Parameters
    ----------
    codes : list of arrays of shape (n_rows,)
        Codes of each column.
    n_codes : list of int
        Number of codes of each column.
    is_ordinal : list of bool
        Whether the codes of each column have an order.
    coarse_of : list of arrays of shape (n_codes,)
        Coarse code of every code of each column.
    coarse : array of shape (n_columns, n_rows)
        Coarse codes of the rows.
    """

    codes: list[Codes]
    n_codes: list[int]
    is_ordinal: list[bool]
    coarse_of: list[npt.NDArray[np.uint8]]
    coarse: npt.NDArray[np.uint8]

    def take(self, rows: npt.NDArray[np.int64]) -> Encoded:
        """Return the given rows, with the same mapping from codes to coarse codes."""
        return replace(self, codes=[c[rows] for c in self.codes], coarse=self.coarse[:, rows])

    def select(self, columns: list[int]) -> Encoded:
        """Return only the given columns."""
        return Encoded(
            [self.codes[j] for j in columns],
            [self.n_codes[j] for j in columns],
            [self.is_ordinal[j] for j in columns],
            [self.coarse_of[j] for j in columns],
            self.coarse[columns],
        )


def encode(codes: list[Codes], transformers: Sequence[Transformer]) -> Encoded:
    """Return the codes and coarse codes of the columns.

    Raises
    ------
    TooLarge
        If the table has more than `N_FEATURES_MAX` columns.
    """
    if len(codes) > N_FEATURES_MAX:
        raise TooLarge(
            f"The table has {len(codes)} columns, but a tree chain supports at most {N_FEATURES_MAX}. "
            "Leave out some columns.",
            code="too_many_columns",
        )
    n_codes = [t.n_codes for t in transformers]
    coarse_of = [fit_coarse(np.bincount(c, minlength=n)) for c, n in zip(codes, n_codes, strict=True)]
    coarse = np.array([dependent[c] for dependent, c in zip(coarse_of, codes, strict=True)])
    return Encoded(codes, n_codes, [t.is_ordinal for t in transformers], coarse_of, coarse)


@dataclass(frozen=True, eq=False, repr=False)
class _Training:
    """Encoded rows in chain order, with the statistics for fitting predictors."""

    encoded: Encoded
    features: npt.NDArray[np.uint8]
    is_ordinal: list[bool]
    groups: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.int64]
    some: npt.NDArray[np.uint8]
    moments: additive.Moments
    half: npt.NDArray[np.uint8]


def _prepare(encoded: Encoded, order: list[int], seed: int) -> _Training:
    features = encoded.coarse[order]
    is_ordinal = [encoded.is_ordinal[j] for j in order]
    rows = additive.choose_rows(features.shape[1], len(order), seed)
    some = np.ascontiguousarray(features[:, rows])
    moments = additive.fit_moments(some, is_ordinal)
    half = halve_rows(features.shape[1], seed)
    return _Training(encoded, features, is_ordinal, group_codes(features), rows, some, moments, half)


def fit_chain(
    encoded: Encoded,
    arranged: Arranged,
    preset: Preset,
    run: LearnRun,
    others: Mapping[int, Encoded] = NO_OTHERS,
) -> list[Link]:
    """Fit the conditional distribution of every column, given the preceding columns in the order.

    Parameters
    ----------
    encoded : Encoded
        Rows of the table.
    arranged : Arranged
        Order of the columns.
    preset : Preset
        Rules for growing trees.
    run : LearnRun
        Seed, threads and context of the fit.
    others : mapping of int to Encoded
        Training rows for single columns, such as one row per entity.

    Raises
    ------
    TooLarge
        If a column needs more than `N_NODES_MAX` tree nodes.
    """
    order, lookups, seed = arranged.order, arranged.lookups, run.seed
    distinct = {id(own): own for own in (encoded, *others.values())}
    prepared = {key: _prepare(own, order, seed) for key, own in distinct.items()}

    def fit(position: int) -> Link:
        column = order[position]
        if column in lookups:
            levels = arranged.level_sources.get(column)
            return look_up(column, lookups[column], encoded.coarse_of[column], levels)
        training = prepared[id(others.get(column, encoded))]
        features, moments, some = training.features, training.moments, training.some
        is_ordinal, half = training.is_ordinal, training.half
        predecessors = choose_predecessors(training.groups, position, arranged.may_use(position))
        key = np.uint64(stream_key(np.uint64(seed), np.uint64(column)))
        predictor = additive.fit_predictor(moments, position, predecessors, some)
        target = int(moments.target[position])
        if preset.boosts and target >= 0:
            boosted = BoostedColumn(position, moments.values[target], some, half[training.rows])
            predictor = boost(predictor, boosted, predecessors, key)
        seen = [features[predecessors]]
        is_category = [not is_ordinal[p] for p in predecessors]
        if exists(predictor):
            seen.append(additive.predict(predictor, features, half)[None])
            is_category.append(False)
        tree_features = _features(np.concatenate(seen), is_category)
        codes = training.encoded.codes[column]
        counts = np.bincount(codes, minlength=encoded.n_codes[column])
        forest, child = _fit_forest(tree_features, codes, counts, preset, key)
        places = np.append(predecessors, position)
        return Link(column, child, encoded.coarse_of[column], rename_features(forest, places), predictor)

    return _fit_all(fit, len(order), run)


def _fit_all(fit: Callable[[int], Link], n: int, run: LearnRun) -> list[Link]:
    run.context.report("fitting", 0.0)
    n_done, n_looks = 0, n * (n + 1) // 2
    with ThreadPoolExecutor(run.n_threads) as pool:
        # Later columns take longer, so they start first. Otherwise, one thread might finish long after the
        # other threads.
        tasks = {pool.submit(fit, position): position for position in reversed(range(n))}
        for task in as_completed(tasks):
            task.result()
            # A column is predicted from all earlier columns.
            n_done += tasks[task] + 1
            run.context.report("fitting", n_done / n_looks)
    return [task.result() for task in tasks][::-1]


def _features(codes: npt.NDArray[np.uint8], is_category: list[bool]) -> Features:
    n_codes = codes.max(axis=1, initial=0).astype(np.int64) + 1
    return Features(codes, n_codes, np.array(is_category, dtype=np.bool_))


def _fit_forest(
    features: Features, codes: Codes, counts: npt.NDArray[np.int64], preset: Preset, key: np.uint64
) -> tuple[Forest, npt.NDArray[np.int32]]:
    cuts, n_groups, child = hierarchy.build_hierarchy(counts)
    starts = np.concatenate(([0], np.cumsum(counts)))
    table = split_search.log_gamma_tables()
    column = ColumnCodes(codes, starts, cuts, n_groups)
    sampling = RowSampling(preset.n_trees, preset.fraction, key)
    forest = forests.grow_forest(features, column, preset.rules, sampling, table)
    if len(forest.node) > N_NODES_MAX:
        raise TooLarge(
            f"A column needs more than {N_NODES_MAX:,} tree nodes. Fit on fewer rows.", code="too_many_rows"
        )
    return forest, child


def log_likelihood(links: Sequence[Link], encoded: Encoded) -> float:
    """Return the mean log probability per row, in nats."""
    rows = np.ascontiguousarray(encoded.coarse[[link.column for link in links]].T)
    total = np.zeros(len(rows))
    for position, link in enumerate(links):
        if len(link.child):
            paths = hierarchy.find_paths(link.child, encoded.n_codes[link.column])
            codes = encoded.codes[link.column]
            drawing.add_log_probability(rows, position, link.conditional, paths, codes, total)
    return float(total.mean())
