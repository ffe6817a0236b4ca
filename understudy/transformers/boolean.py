"""Truth values: both are known to everyone, so neither is ever rare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.schema import Column
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Arrays, ArrowArray, Codes, Json, Mask, RowStream


@dataclass(frozen=True)
class BooleanTransformer:
    """A fitted column of truth values; code 0 is missing if any value was.

    Parameters
    ----------
    truths : array of shape (n_truths,), bool
        The values that occur, in the order of their codes: none, one or both.
    """

    truths: npt.NDArray[np.bool_]
    has_missing: bool

    @property
    def n_codes(self) -> int:
        """How many codes there are."""
        return len(self.truths) + self.has_missing

    @property
    def is_ordinal(self) -> bool:
        """Never."""
        return False

    @property
    def is_exact(self) -> Mask:
        """Which codes stand for one value of the table each."""
        return np.ones(self.n_codes, np.bool_)

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return the truth value of each code."""
        table = np.concatenate((np.zeros(int(self.has_missing), np.bool_), self.truths))
        missing = codes == 0 if self.has_missing else None
        values: ArrowArray = pa.array(table[codes], pa.bool_(), mask=missing)
        return values

    def describe(self) -> Json:
        """Return nothing: there is no choice."""
        return {}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return which values occur."""
        return {"transformer": "boolean", "has_missing": self.has_missing, "truths": self.truths.tolist()}, {}

    @classmethod
    def from_arrays(cls, column: Column, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Return the transformer that `to_arrays` took apart."""
        require(pa.types.is_boolean(type_), "truth values are stored as something else")
        truths = reader.manifest.get("truths")
        require(truths in ([], [False], [True], [False, True]), "truth values are not valid")
        return cls(np.array(truths, np.bool_), reader.truth("has_missing"))


def fit_boolean(values: ArrowArray) -> tuple[BooleanTransformer, Codes]:
    """Learn a column of truth values; return its transformer and its codes."""
    missing = values.is_null().to_numpy(zero_copy_only=False)
    truth = values.fill_null(False).to_numpy(zero_copy_only=False)
    truths, index = np.unique(truth[~missing], return_inverse=True)
    transformer = BooleanTransformer(truths.astype(np.bool_), bool(missing.any()))
    codes = np.zeros(len(truth), np.uint16)
    codes[~missing] = index.astype(np.uint16) + np.uint16(transformer.has_missing)
    return transformer, codes
