"""Code-label pairs: pairs of columns with a one-to-one correspondence, such as codes and their labels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.fields import Field, fields_of
from understudy.evaluation.statistics.entities import Codes, Mask

# Maximum numbers of rows per table, columns and pairs.
N_ROWS_MAX = 50_000
N_COLUMNS_MAX = 60
N_PAIRS_MAX = 100
# Minimum number of real rows with both values known, and minimum number of distinct values per column.
N_KNOWN_MIN = 100
N_LEVELS_MIN = 2
# Minimum share of real rows with corresponding values, and maximum share after one column is shuffled.
MATCHED_MIN = 0.98
MATCHED_SHUFFLED_MAX = 0.9
# Minimum share of real rows with a value that occurs in several rows. Unique values always correspond.
REPEATED_MIN = 0.5


class CodeLabelPair(BaseModel):
    """Two columns with a one-to-one correspondence between their values in the real table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: list[str]
    score: Annotated[
        float,
        Described(
            description="Score of the pair: 1 minus the decrease from `matched_real` to `matched_synthetic`."
        ),
    ]
    n_levels: Annotated[int, Described(description="Number of distinct pairs of values in the real table.")]
    matched_real: Annotated[
        float, Described(description="Share of real rows where the two values correspond to each other.")
    ]
    matched_synthetic: Annotated[
        float,
        Described(
            description="Share of synthetic rows with a pair of values that correspond in the real table, or "
            "with two new values that correspond one-to-one."
        ),
    ]


class CodeLabelsResult(MetricResult):
    """Share of rows with a matching code and label. The worst pair determines the score."""

    metric: Literal["code_labels"] = "code_labels"
    pairs: Annotated[list[CodeLabelPair], Described(description="Pairs of columns, worst first.")]


@dataclass(frozen=True)
class Coded:
    """The codes of a column in both tables. Equal values have equal codes, and missing values have -1."""

    name: str
    real: Codes
    synthetic: Codes
    n_levels: int

    @classmethod
    def of(cls, field: Field, real: EncodedTable, synthetic: EncodedTable) -> Coded:
        """Encode a column of both tables."""
        codes = field.codes(real, synthetic)
        return cls(field.name, codes[0], codes[1], len(np.unique(codes[0])))


@dataclass(frozen=True)
class Match:
    """The most frequent partner of each code, in both directions; -1 for codes that do not occur."""

    forward: Codes
    backward: Codes

    @classmethod
    def of(cls, one: Codes, other: Codes, sizes: tuple[int, int]) -> Match:
        """Match the codes of two columns, which must not contain missing values."""
        return cls(_partners(one, other, sizes), _partners(other, one, (sizes[1], sizes[0])))

    def is_kept(self, one: Codes, other: Codes) -> Mask:
        """Return a mask of the rows with two codes that are each other's most frequent partners."""
        return np.asarray((self.forward[one] == other) & (self.backward[other] == one))


def score(comparison: Comparison) -> CodeLabelsResult | UnscoredResult:
    """Return the score of the worst pair of columns."""
    rng = comparison.rng("code_labels")
    real, synthetic = (table.draw(N_ROWS_MAX, rng) for table in (comparison.real, comparison.synthetic))
    coded = [Coded.of(field, real, synthetic) for field in fields_of(comparison)[:N_COLUMNS_MAX]]
    usable = [column for column in coded if _has_levels(column.real)]
    examined = (_compare(pair, rng) for pair in combinations(usable, 2))
    pairs = [pair for pair in examined if pair is not None][:N_PAIRS_MAX]
    if not pairs:
        return UnscoredResult(reason="finds no columns in the real table whose values correspond one-to-one")
    pairs.sort(key=lambda pair: pair.score)
    return CodeLabelsResult(
        score=pairs[0].score,
        pairs=pairs,
        n_rows={"real": real.n_rows, "synthetic": synthetic.n_rows},
    )


def _has_levels(codes: Codes) -> bool:
    counts = np.bincount(codes[codes >= 0])
    counts = counts[counts > 0]
    if len(counts) < N_LEVELS_MIN or counts.sum() < N_KNOWN_MIN:
        return False
    return bool(counts[counts > 1].sum() >= REPEATED_MIN * counts.sum())


def _compare(pair: tuple[Coded, Coded], rng: np.random.Generator) -> CodeLabelPair | None:
    """Return the shares of rows with corresponding values, or None if the columns are not a pair."""
    one, other = pair
    a, b = _known(one.real, other.real)
    # Exceptions are rare, so corresponding columns have similar numbers of levels.
    if len(a) < N_KNOWN_MIN or abs(one.n_levels - other.n_levels) > 1 + 0.1 * min(
        one.n_levels, other.n_levels
    ):
        return None
    c, d = _known(one.synthetic, other.synthetic)
    n_levels = len(np.unique(a)), len(np.unique(b))
    sizes = (_size(a, c), _size(b, d))
    match = Match.of(a, b, sizes)
    matched = float(match.is_kept(a, b).mean())
    if matched < MATCHED_MIN or min(n_levels) < N_LEVELS_MIN:
        return None
    if float(match.is_kept(a, rng.permutation(b)).mean()) > MATCHED_SHUFFLED_MAX:
        return None
    matched_synthetic = _matched(match, c, d, _new_share_max(a, b, n_levels))
    return CodeLabelPair(
        columns=[column.name for column in pair],
        score=round(1 - max(0.0, matched - matched_synthetic), 6),
        n_levels=min(n_levels),
        matched_real=matched,
        matched_synthetic=matched_synthetic,
    )


def _new_share_max(one: Codes, other: Codes, n_levels: tuple[int, int]) -> float:
    """Return the maximum share of rows that may combine a new value with a value of the real table.

    Two columns with many values can correspond in the real table although different values of the first
    column can have the same value in the second column, for example two customers with the same birth date.
    If no such case occurs among n values, a new value has a known partner with a probability of at most 6/n,
    with 95% confidence.
    """
    n_pairs = len(np.unique(one * _size(other) + other))
    return min(1.0, 6 / n_pairs) if n_pairs == n_levels[0] == n_levels[1] else 1.0


def _matched(match: Match, one: Codes, other: Codes, new_share_max: float) -> float:
    if len(one) == 0:
        return 0.0
    is_known, has_known = match.forward[one] >= 0, match.backward[other] >= 0
    is_kept = match.is_kept(one, other)
    are_new = ~is_known & ~has_known
    if are_new.any():
        new = Match.of(one[are_new], other[are_new], (len(match.forward), len(match.backward)))
        is_kept[are_new] = new.is_kept(one[are_new], other[are_new])
    half_new = float(np.mean(is_known != has_known))
    return float(is_kept.mean()) + min(half_new, new_share_max)


def _known(one: Codes, other: Codes) -> tuple[Codes, Codes]:
    both = (one >= 0) & (other >= 0)
    return one[both], other[both]


def _size(*parts: Codes) -> int:
    return 1 + max(int(part.max(initial=0)) for part in parts)


def _partners(one: Codes, other: Codes, sizes: tuple[int, int]) -> Codes:
    """Return, for each code of the first column, the most frequent code of the second column, or -1."""
    pairs, counts = np.unique(one * sizes[1] + other, return_counts=True)
    # The pairs are sorted by frequency, so the most frequent pair of each code is written last.
    order = np.argsort(counts, kind="stable")
    partners = np.full(sizes[0], -1, dtype=np.int64)
    partners[pairs[order] // sizes[1]] = pairs[order] % sizes[1]
    return partners


CODE_LABELS = Metric(
    name="code_labels",
    title="Code and label pairs",
    summary="Share of synthetic rows in which columns with corresponding values, such as a code and its "
    "label, agree. The worst pair determines the score.",
    concern="codes occur with labels that belong to other codes",
    source="Compare Metanome: unique and functional dependencies in both directions",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=CodeLabelsResult,
    score=score,
    real_baseline=RealBaseline.split,
)
