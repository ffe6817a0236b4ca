"""Encoding of booleans. Both values are public knowledge, so neither is suppressed as rare."""

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
    """A fitted column of booleans. Code 0 represents missing values if there are any.

    Parameters
    ----------
    truths : array of shape (n_truths,), bool
        The values that occur, in the order of their codes: none, one or both.
    has_missing : bool
        Whether any value is missing.
    """

    truths: npt.NDArray[np.bool_]
    has_missing: bool

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        return len(self.truths) + self.has_missing

    @property
    def is_ordinal(self) -> bool:
        """Always false because codes of booleans have no order."""
        return False

    @property
    def is_exact(self) -> Mask:
        """A mask that is true for every code, because each code represents one value."""
        return np.ones(self.n_codes, np.bool_)

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return the boolean of each code."""
        table = np.concatenate((np.zeros(int(self.has_missing), np.bool_), self.truths))
        missing = codes == 0 if self.has_missing else None
        values: ArrowArray = pa.array(table[codes], pa.bool_(), mask=missing)
        return values

    def describe(self) -> Json:
        """Return an empty description because there is nothing to report in the model card."""
        return {}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the occurring values as JSON, without any arrays."""
        return {"transformer": "boolean", "has_missing": self.has_missing, "truths": self.truths.tolist()}, {}

    @classmethod
    def from_arrays(cls, column: Column, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a transformer from the output of `to_arrays`."""
        require(pa.types.is_boolean(type_), "the type of a boolean column is not bool")
        truths = reader.manifest.get("truths")
        require(truths in ([], [False], [True], [False, True]), "the values of a boolean column are invalid")
        return cls(np.array(truths, np.bool_), reader.truth("has_missing"))


def fit_boolean(values: ArrowArray) -> tuple[BooleanTransformer, Codes]:
    """Fit a column of booleans and return its transformer and its codes."""
    missing = values.is_null().to_numpy(zero_copy_only=False)
    truth = values.fill_null(False).to_numpy(zero_copy_only=False)
    truths, index = np.unique(truth[~missing], return_inverse=True)
    transformer = BooleanTransformer(truths.astype(np.bool_), bool(missing.any()))
    codes = np.zeros(len(truth), np.uint16)
    codes[~missing] = index.astype(np.uint16) + np.uint16(transformer.has_missing)
    return transformer, codes
