"""The transformer of generated columns, which learns only whether a value is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.transformers.base import Arrays, ArrowArray, ArrowColumn, Codes, Json, Mask, RowStream
from understudy.transformers.generated.texts import choose
from understudy.transformers.nulls import array_of_nulls

# Value of `n_rows_max` for makers that support any number of rows. All row numbers are below it.
N_ROWS_ANY = 2**63


class Maker(Protocol):
    """A generator of values that depend only on the seed and the row numbers."""

    @property
    def n_rows_max(self) -> int:
        """The number of rows for which values exist."""
        ...

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a value for each row, as text or integers."""
        ...

    def describe(self) -> Json:
        """Return the form and counts for the model card, without values of the table."""
        ...

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the learned state as JSON and plain arrays."""
        ...


@dataclass(frozen=True)
class GeneratedTransformer:
    """The transformer of a generated column.

    Code 0 represents missing values if there are any, and the next code represents all other values.

    Parameters
    ----------
    name : str
        Name of the column.
    arrow_type : pyarrow.DataType
        Type of the stored values.
    generated : str
        Kind of the values, such as `identifier` or `name`.
    has_missing : bool
        Whether any value is missing.
    has_values : bool
        Whether any value is not missing.
    maker : Maker
        Generator of the values.
    """

    name: str
    arrow_type: pa.DataType
    generated: str
    has_missing: bool
    has_values: bool
    maker: Maker

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        return self.has_missing + self.has_values

    @property
    def is_ordinal(self) -> bool:
        """Always false, because the codes have no order."""
        return False

    @property
    def is_exact(self) -> Mask:
        """A mask that is false for every code, because none represents a single value of the table."""
        return np.zeros(self.n_codes, np.bool_)

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return a new value for each row that is not missing."""
        if not self.has_values:
            return array_of_nulls(len(codes), self.arrow_type)
        if int(stream.rows.max(initial=0)) >= self.maker.n_rows_max:
            raise InvalidInput(
                f"Column {self.name!r} can hold only {self.maker.n_rows_max:,} new identifiers. "
                "Request fewer rows, or store the column in a wider type.",
                code="too_many_rows",
            )
        values: ArrowArray = self.maker.make(stream).cast(self.arrow_type)
        if not self.has_missing:
            return values
        return choose(codes == 0, pa.scalar(None, self.arrow_type), values)

    def describe(self) -> Json:
        """Return the kind and the form of the values."""
        return {"generated": self.generated} | self.maker.describe()

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the learned state as JSON and plain arrays."""
        manifest, arrays = self.maker.to_arrays()
        own: Json = {
            "transformer": "generated",
            "generated": self.generated,
            "has_missing": self.has_missing,
            "has_values": self.has_values,
        }
        return own | manifest, arrays


def encode_presence(values: ArrowColumn) -> tuple[bool, bool, Codes]:
    """Return whether any value is missing, whether any is not missing, and the code of each row."""
    missing = np.asarray(values.is_null().to_numpy(), dtype=np.bool_)
    has_missing, has_values = bool(missing.any()), not bool(missing.all())
    return has_missing, has_values, (~missing & has_missing).astype(np.uint16)
