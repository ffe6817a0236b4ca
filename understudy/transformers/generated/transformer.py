"""The transformer of generated columns, which learns only whether a value is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.notations.scripts import PLAIN, Script
from understudy.transformers.base import Arrays, ArrowArray, ArrowColumn, Codes, Json, Mask, RowStream
from understudy.transformers.generated.texts import choose, pc
from understudy.transformers.nulls import array_of_nulls

# Value of `n_rows_max` for generators that support any number of rows. All row numbers are below this value.
N_ROWS_ANY = 2**63


class ValueGenerator(Protocol):
    """A generator of values that depend only on the seed and the row numbers."""

    @property
    def n_rows_max(self) -> int:
        """The number of rows that the generator can generate values for."""
        ...

    def make(self, stream: RowStream) -> ArrowArray:
        """Return a value for each row, as text or integers."""
        ...

    def describe(self) -> Json:
        """Return the form and counts for the model card, without any values from the table."""
        ...

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the learned state as JSON and plain arrays."""
        ...


@dataclass(frozen=True)
class GeneratedTransformer:
    """The transformer of a generated column.

    Code 0 represents missing values if there are any. The next codes represent one placeholder each, such as
    `unknown`, and the last code represents all other values.

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
    generator : ValueGenerator
        Generator of the values.
    placeholders : tuple of str
        Placeholders that enough rows share.
    digits : str
        Script of the digits.
    """

    name: str
    arrow_type: pa.DataType
    generated: str
    has_missing: bool
    has_values: bool
    generator: ValueGenerator
    placeholders: tuple[str, ...] = ()
    digits: str = PLAIN.digits

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        return self.has_missing + len(self.placeholders) + self.has_values

    @property
    def is_ordinal(self) -> bool:
        """Always false because the codes have no order."""
        return False

    @property
    def is_exact(self) -> Mask:
        """A mask of the placeholder codes. Each of these codes represents exactly one value in the table."""
        first = int(self.has_missing)
        codes = np.arange(self.n_codes)
        return (codes >= first) & (codes < first + len(self.placeholders))

    def decode(self, codes: Codes, stream: RowStream) -> ArrowArray:
        """Return a new value for each row that is not missing."""
        if not self.n_codes - self.has_missing:
            return array_of_nulls(len(codes), self.arrow_type)
        values = self._make(stream)
        for i, placeholder in enumerate(self.placeholders, start=int(self.has_missing)):
            values = choose(codes == i, pa.scalar(placeholder, self.arrow_type), values)
        if not self.has_missing:
            return values
        return choose(codes == 0, pa.scalar(None, self.arrow_type), values)

    def _make(self, stream: RowStream) -> ArrowArray:
        if not self.has_values:
            return array_of_nulls(len(stream.rows), self.arrow_type)
        if int(stream.rows.max(initial=0)) + (stream.id_start or 0) >= self.generator.n_rows_max:
            raise InvalidInput(
                f"Column {self.name!r} can store only {self.generator.n_rows_max:,} new identifiers. "
                "Request fewer rows, lower id_start, or store the column in a wider type.",
                code="too_many_rows",
            )
        values: ArrowArray = self.generator.make(stream)
        if self.digits != PLAIN.digits:
            values = Script(self.digits).restore(values, values)
        return values.cast(self.arrow_type)

    def encode(self, values: ArrowColumn | ArrowArray) -> Codes:
        """Return the code of each value."""
        last = max(self.n_codes - 1, 0) if self.has_values else 0
        codes = np.full(len(values), last, np.uint16)
        if self.placeholders:
            texts = values.cast(pa.large_string())
            place = pc.index_in(texts, value_set=pa.array(self.placeholders, pa.large_string()))
            index = np.asarray(place.fill_null(-1))
            codes[index >= 0] = index[index >= 0] + self.has_missing
        codes[np.asarray(values.is_null(), dtype=np.bool_)] = 0
        return codes

    def describe(self) -> Json:
        """Return the kind and the form of the values."""
        own: Json = {"generated": self.generated} | self.generator.describe()
        return own | {"placeholders": len(self.placeholders)} if self.placeholders else own

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the learned state as JSON and plain arrays."""
        manifest, arrays = self.generator.to_arrays()
        own: Json = {
            "transformer": "generated",
            "generated": self.generated,
            "has_missing": self.has_missing,
            "has_values": self.has_values,
        }
        if self.placeholders:
            own["placeholders"] = list(self.placeholders)
        if self.digits != PLAIN.digits:
            own["digits"] = self.digits
        return own | manifest, arrays
