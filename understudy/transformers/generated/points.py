"""A generator of coordinate texts. Both numbers are sampled from quantiles of the table's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from understudy.kernels import hashing
from understudy.tables.schema import ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import MIN_SUPPORT, Arrays, ArrowArray, Json, RowStream
from understudy.transformers.generated.transformer import N_ROWS_ANY

# Number of quantiles stored for each coordinate.
N_QUANTILES = 33
# Maximum number of decimals in new coordinates.
N_DECIMALS_MAX = 8
_NUMBER = r"-?\d+\.\d+"
_POINT = rf"^(?P<before>\D*?)(?P<first>{_NUMBER})(?P<between>[^\d]*?)(?P<second>{_NUMBER})(?P<after>\D*)$"
# Maximum length of the text before, between and after the numbers.
MARKS_MAX = 16
# Offsets of the random streams for the first and the second number.
_FIRST, _SECOND = 1 << 50, 1 << 51

# `Any` is needed because the stubs of these functions do not support types that are only known at run time.
pc: Any = pyarrow.compute
Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """A generator of texts that contain two numbers.

    Parameters
    ----------
    quantiles : array of shape (2, N_QUANTILES)
        Quantiles of the first and the second number. Each quantile is the mean of k neighboring rows.
    n_decimals : int
        Number of decimals in each number.
    marks : tuple of three str
        Text before, between and after the numbers.
    """

    quantiles: Float64s
    n_decimals: int
    marks: tuple[str, str, str]

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return coordinates for each row."""
        first, second = (
            self._draw(stream, number, offset) for number, offset in enumerate((_FIRST, _SECOND))
        )
        before, between, after = self.marks
        texts = [
            f"{before}{a:.{self.n_decimals}f}{between}{b:.{self.n_decimals}f}{after}"
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
        ]
        return pa.array(texts, pa.large_string())

    def _draw(self, stream: RowStream, number: int, offset: int) -> Float64s:
        words = np.empty(len(stream.rows), np.uint64)
        hashing.hash_rows(*RowStream(stream.seed, stream.stream + offset, stream.rows).key(), words)
        fraction = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
        drawn: Float64s = np.interp(
            fraction * (N_QUANTILES - 1), np.arange(N_QUANTILES), self.quantiles[number]
        )
        return drawn

    def describe(self) -> Json:
        """Return the form and the number of decimals."""
        return {"form": "points", "decimals": self.n_decimals}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the quantiles, the number of decimals and the text around the numbers."""
        manifest: Json = {"form": "points", "decimals": self.n_decimals, "marks": list(self.marks)}
        return manifest, {"quantiles": self.quantiles}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        quantiles = reader.array("quantiles", np.float64, (2, N_QUANTILES))
        require(bool((np.abs(quantiles) <= 180).all()), "coordinates are out of range")
        before, between, after = (str(mark) for mark in reader.parts("marks", 3))
        require(
            max(map(len, (before, between, after))) <= MARKS_MAX, "the text around coordinates is too long"
        )
        return cls(quantiles, reader.whole("decimals", 0, N_DECIMALS_MAX), (before, between, after))


def fit_points(texts: ArrowArray) -> Points:
    """Return a generator of similar coordinates. Nothing is learned from fewer than k texts."""
    points = pc.extract_regex(texts.cast(pa.string()), pattern=_POINT).drop_null()
    if len(points) < MIN_SUPPORT:
        return Points(np.tile(np.linspace(-60, 60, N_QUANTILES), (2, 1)), 4, ("", ", ", ""))
    numbers = [points.field(name).cast(pa.float64()).to_numpy() for name in ("first", "second")]
    quantiles = np.array([_quantiles(column) for column in numbers])
    return Points(quantiles, _decimals(points), _marks(points))


def _quantiles(numbers: Float64s) -> Float64s:
    ordered = np.sort(numbers)
    first = np.rint(np.linspace(0, len(ordered) - MIN_SUPPORT, N_QUANTILES)).astype(np.int64)
    return np.array([ordered[i : i + MIN_SUPPORT].mean() for i in first])


def _decimals(points: Any) -> int:
    lengths = pc.utf8_length(pc.replace_substring_regex(points.field("first"), r"^-?\d+\.", "")).to_numpy()
    return int(min(np.median(lengths), N_DECIMALS_MAX))


def _marks(points: Any) -> tuple[str, str, str]:
    """Return the most frequent text around the numbers if enough rows share it, and otherwise a default."""
    names = ("before", "between", "after")
    joined = pc.binary_join_element_wise(*(points.field(name) for name in names), "\x00")
    counted = pc.value_counts(joined)
    counts = counted.field("counts").to_numpy()
    commonest = str(counted.field("values")[int(counts.argmax())])
    before, between, after = commonest.split("\x00")
    is_shared = counts.max() >= MIN_SUPPORT and max(map(len, (before, between, after))) <= MARKS_MAX
    return (before, between, after) if is_shared else ("", ", ", "")
