"""The transformer of a column that is generated: what is learnt is whether a value is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.transformers.base import Arrays, ArrowArray, ArrowColumn, Codes, Json, Mask, RowStream
from understudy.transformers.generated.texts import choose
from understudy.transformers.nulls import array_of_nulls

# Rows are numbered below this.
N_ROWS_ANY = 2**63


class Maker(Protocol):
    """Writes values from nothing but the seed and the numbers of rows."""

    @property
    def n_rows_max(self) -> int:
        """The row of this number and all later ones have no value."""
        ...

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a value for each row, as text or whole numbers."""
        ...

    def describe(self) -> Json:
        """Return what a model card may tell: form and counts, no values."""
        ...

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return what was learnt as JSON and plain arrays."""
        ...


@dataclass(frozen=True)
class GeneratedTransformer:
    """A column generated; code 0 is missing if any value was, the next code stands for every value.

    Parameters
    ----------
    name : str
        The column's.
    generated : str
        What the values are: identifier, text, name, email, phone or address.
    """

    name: str
    arrow_type: pa.DataType
    generated: str
    has_missing: bool
    has_values: bool
    maker: Maker

    @property
    def n_codes(self) -> int:
        """How many codes there are."""
        return self.has_missing + self.has_values

    @property
    def is_ordinal(self) -> bool:
        """Never."""
        return False

    @property
    def is_exact(self) -> Mask:
        """Which codes stand for one value of the table each."""
        return np.zeros(self.n_codes, np.bool_)

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return a new value for each row that has one."""
        if not self.has_values:
            return array_of_nulls(len(codes), self.arrow_type)
        if int(stream.rows.max(initial=0)) >= self.maker.n_rows_max:
            raise InvalidInput(
                f"Column {self.name!r} has no new identifiers beyond row {self.maker.n_rows_max:,}; ask for "
                "fewer rows, or store the column in a wider type.",
                code="too_many_rows",
            )
        values: ArrowArray = self.maker.make(stream).cast(self.arrow_type)
        if not self.has_missing:
            return values
        return choose(codes == 0, pa.scalar(None, self.arrow_type), values)

    def describe(self) -> Json:
        """Return what the values are, and their form."""
        return {"generated": self.generated} | self.maker.describe()

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return what was learnt as JSON and plain arrays."""
        manifest, arrays = self.maker.to_arrays()
        own: Json = {
            "transformer": "generated",
            "generated": self.generated,
            "has_missing": self.has_missing,
            "has_values": self.has_values,
        }
        return own | manifest, arrays


def encode_presence(values: ArrowColumn) -> tuple[bool, bool, Codes]:
    """Return whether any value is missing, whether any is present, and the code of each row."""
    missing = np.asarray(values.is_null().to_numpy(), dtype=np.bool_)
    has_missing, has_values = bool(missing.any()), not bool(missing.all())
    return has_missing, has_values, (~missing & has_missing).astype(np.uint16)
