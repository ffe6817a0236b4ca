"""What every transformer is, and the few numbers that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from understudy.kernels.hashing import StreamRows

# A value or level is kept only if at least so many rows share it; a quantile is the mean of so many rows.
MIN_SUPPORT = 5
N_CODES_MAX = 8192

Codes = npt.NDArray[np.uint16]
# Whose each row is, 0 … n_subjects - 1.
Subjects = npt.NDArray[np.int64]
RowNumbers = npt.NDArray[np.uint64]
# Codes of some columns, by their place in the table.
CodesByColumn = Mapping[int, Codes]
Mask = npt.NDArray[np.bool_]
Json = dict[str, Any]
Arrays = Mapping[str, npt.NDArray[Any]]
# Any: a column's type is known when it is read. Texts: at run time Arrow's classes take no arguments.
ArrowArray: TypeAlias = "pa.Array[Any]"
ArrowColumn: TypeAlias = "pa.ChunkedArray[Any]"


@dataclass(frozen=True)
class RowStream:
    """Where the randomness of a block of rows comes from: a seed, one of its streams, the rows' numbers.

    Parameters
    ----------
    rows : array of shape (n,)
        The number of each row in the endless table of the seed.
    """

    seed: int
    stream: int
    rows: RowNumbers

    def key(self) -> StreamRows:
        """Return the three as kernels take them."""
        # Loaded here: it loads Numba, and the API lists metrics, which import this module, without it.
        from understudy.kernels.hashing import StreamRows

        return StreamRows(np.uint64(self.seed), np.uint64(self.stream), self.rows)


def consecutive_rows(first: int, n: int) -> RowNumbers:
    """Return the numbers ``first … first + n - 1``."""
    return np.arange(first, first + n, dtype=np.uint64)


class Transformer(Protocol):
    """One fitted column."""

    @property
    def n_codes(self) -> int:
        """How many codes there are; codes are 0 … n_codes - 1."""
        ...

    @property
    def is_ordinal(self) -> bool:
        """Whether neighbouring codes stand for similar values."""
        ...

    @property
    def is_exact(self) -> Mask:
        """Which codes stand for one value of the table each; of shape (n_codes,)."""
        ...

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return values for codes, in the column's exact type."""
        ...

    def describe(self) -> Json:
        """Return what a model card may tell: counts and choices, no values."""
        ...

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return what was learnt as JSON and plain arrays."""
        ...
