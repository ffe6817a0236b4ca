"""Truth values: both are always known, so none is ever rare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from understudy.transformers.base import Arrays, ArrowArray, Codes, Json, RowStream


@dataclass(frozen=True)
class BooleanTransformer:
    """A fitted column of truth values; code 0 is missing if any value was."""

    has_missing: bool

    @property
    def n_codes(self) -> int:
        """Two, and one for missing."""
        return 2 + self.has_missing

    @property
    def is_ordinal(self) -> bool:
        """Never."""
        return False

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return the truth value of each code."""
        missing = codes == 0 if self.has_missing else None
        truth: ArrowArray = pa.array(codes == 1 + self.has_missing, mask=missing)
        return truth

    def describe(self) -> Json:
        """Return nothing: there is no choice."""
        return {}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return whether any value was missing."""
        return {"transformer": "boolean", "has_missing": self.has_missing}, {}


def fit_boolean(values: ArrowArray) -> tuple[BooleanTransformer, Codes]:
    """Learn a column of truth values; return its transformer and its codes."""
    transformer = BooleanTransformer(has_missing=values.null_count > 0)
    truth = values.fill_null(False).to_numpy(zero_copy_only=False)
    codes = truth.astype(np.uint16) + np.uint16(transformer.has_missing)
    codes[values.is_null().to_numpy(zero_copy_only=False)] = 0
    return transformer, codes
