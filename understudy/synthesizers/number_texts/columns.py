"""Split strings with numbers and units into columns, and build strings from sampled columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import InvalidInput
from understudy.synthesizers.number_texts.forms import Form
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.quantities import Parts, split_text, value_of
from understudy.tables.schema import Column
from understudy.transformers.base import ArrowArray, ArrowColumn

FORM = "form"


class NumberColumn(BaseModel):
    """A text column with numbers and units, and the columns that replace it in the learned table.

    Parameters
    ----------
    column : Column
        The column that contains the strings.
    form_column : Column
        Column that contains the form of each text.
    number_columns : tuple of Column
        Columns that contain the numbers, in the order of the form's slots.
    forms : tuple of Form
        Forms of the strings, most frequent first.
    n_invalid : int
        Number of strings that match none of the forms.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    manifest_key: ClassVar[str] = "number_texts"

    column: Column
    form_column: Column
    number_columns: tuple[Column, ...]
    forms: tuple[Form, ...] = Field(min_length=1)
    mark: Literal[".", ","]
    keeps_fractions: bool = False
    n_invalid: int = Field(ge=0)

    @property
    def form_names(self) -> tuple[str, ...]:
        """The name of the column that contains the forms."""
        return (self.form_column.name,)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that replace the column."""
        return (self.form_column, *self.number_columns)

    @property
    def is_whole(self) -> bool:
        """Whether the columns match the forms. Model files are not trusted."""
        n_slots = max(form.n_slots for form in self.forms)
        types = [column.arrow_type for column in self.number_columns]
        return (
            len(types) == n_slots
            and set(types) <= {"int64", "double"}
            and self.form_column.arrow_type == "string"
            and all(form.text.count("#") == form.n_slots for form in self.forms)
            and len({form.text for form in self.forms}) == len(self.forms)
        )

    def split(self, values: ArrowColumn) -> Iterator[tuple[str, ArrowArray]]:
        """Yield the form column and the number columns. Their values are missing for other strings."""
        encoded: Any = values.combine_chunks().cast(pa.string()).dictionary_encode()
        forms: list[str | None] = []
        numbers: list[list[float | None]] = [[] for _ in self.number_columns]
        known = {form.text for form in self.forms}
        for untrimmed in encoded.dictionary.to_pylist():
            text = untrimmed.strip()
            parts = Parts(text, ()) if text in known else self._parts(text)
            is_known = parts is not None and parts.form in known
            forms.append(parts.form if parts is not None and is_known else None)
            found = [value_of(n, self.mark) for n in parts.numbers] if parts is not None and is_known else []
            for place, column in enumerate(numbers):
                column.append(found[place] if place < len(found) else None)
        yield self.form_column.name, pa.array(forms, pa.string()).take(encoded.indices)
        for own, column in zip(self.number_columns, numbers, strict=True):
            # Any: the stubs do not accept a type that is given at run time.
            distinct: Any = pa.array(column, pa.float64())
            yield own.name, distinct.take(encoded.indices).cast(parse_arrow_type(own.arrow_type), safe=False)

    def _parts(self, text: str) -> Parts | None:
        return split_text(text, self.mark, keeps_fractions=self.keeps_fractions)

    def read(self, text: str) -> tuple[str, list[float]]:
        """Return the form and the numbers of a string.

        Raises
        ------
        InvalidInput
            If the string matches none of the forms.
        """
        known = {form.text for form in self.forms}
        parts = Parts(text.strip(), ()) if text.strip() in known else self._parts(text.strip())
        if parts is None or parts.form not in known:
            forms = ", ".join(repr(form.text) for form in self.forms[:10])
            raise InvalidInput(
                f"The value for column {self.column.name!r} does not match any of the learned forms. Use one "
                f"of {forms}, with a number for each `#`.",
                code="impossible_condition",
            )
        return parts.form, [value_of(number, self.mark) for number in parts.numbers]

    def texts(self, columns: Mapping[str, ArrowArray], n_rows: int) -> ArrowArray:
        """Return the strings that the columns describe.

        If a row has fewer numbers than its form has slots, a form for the available numbers replaces it.
        """
        numbers = [
            np.asarray(columns[own.name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
            for own in self.number_columns
        ]
        index = {form.text: place for place, form in enumerate(self.forms)}
        drawn = np.array(
            [index.get(text or "", -1) for text in columns[self.form_column.name].to_pylist()], np.int64
        )
        chosen = self._consistent(drawn, numbers)
        if not self.column.nullable:
            chosen = self._consistent(np.where(chosen < 0, np.argmax(self._n_slots()), chosen), numbers)
        texts = np.full(n_rows, None, dtype=object)
        for place, form in enumerate(self.forms):
            rows = np.flatnonzero(chosen == place)
            if len(rows) and form.n_slots:
                texts[rows] = form.write([of_slot[rows] for of_slot in numbers[: form.n_slots]], self.mark)
            else:
                texts[rows] = form.text
        array: ArrowArray = pa.array(texts, pa.string()).cast(parse_arrow_type(self.column.arrow_type))
        return array

    def _n_slots(self) -> Any:  # Any: a NumPy array
        return np.array([form.n_slots for form in self.forms], np.int64)

    def _consistent(self, drawn: Any, numbers: list[Any]) -> Any:  # Any: NumPy arrays
        """For each row, return the index of a form with no missing numbers, or -1."""
        present = np.array([~np.isnan(of_slot) for of_slot in numbers], np.int64).reshape(-1, len(drawn))
        n_present = np.cumprod(present, axis=0).sum(axis=0)
        n_needed = np.append(self._n_slots(), 0)[drawn]
        best = [
            next((place for place, form in enumerate(self.forms) if form.n_slots == n), -1)
            for n in range(len(numbers) + 1)
        ]
        for n in range(1, len(best)):
            best[n] = best[n] if best[n] >= 0 else best[n - 1]
        return np.where((drawn >= 0) & (n_needed > n_present), np.array(best)[n_present], drawn)

    def message(self) -> str:
        """Return a sentence for the model card."""
        n_forms = len(self.forms)
        forms = "1 form" if n_forms == 1 else f"{n_forms} forms"
        message = (
            f"Column {self.column.name!r} contains numbers with units or separators, in {forms}. Its parts "
            f"are learned as {len(self.columns)} columns."
        )
        if self.n_invalid == 1:
            message += " 1 text has a rare or unknown form and is counted as missing."
        elif self.n_invalid:
            message += f" {self.n_invalid:,} texts have rare or unknown forms and are counted as missing."
        return message
