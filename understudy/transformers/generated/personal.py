"""A maker of names, e-mail addresses, phone numbers and addresses of made-up people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pyarrow as pa

from understudy.tables.schema import LOCALES, ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Arrays, ArrowArray, CodesByColumn, Json, RowStream
from understudy.transformers.generated import people
from understudy.transformers.generated.people import N_PEOPLE_MAX, Person
from understudy.transformers.generated.sexes import MALE, SexColumn, Sexes
from understudy.transformers.generated.transformer import N_ROWS_ANY

FORMS: dict[ColumnKind, dict[str, Callable[[Person, str], ArrowArray]]] = {
    ColumnKind.name: {
        "full": people.full_names,
        "first": people.first_names,
        "last": people.last_names,
        "last_comma_first": people.last_comma_first,
        "login": people.logins,
    },
    ColumnKind.email: {"email": people.emails},
    ColumnKind.phone: {"phone": people.phones},
    ColumnKind.address: {
        "full": people.full_addresses,
        "street": people.streets,
        "city": people.cities,
        "postal_code": people.postal_codes,
        "state": people.states,
        "country": people.countries,
    },
}


@dataclass(frozen=True)
class Personal:
    """A maker of one field of the made-up person in each row.

    Parameters
    ----------
    kind : ColumnKind
        Kind of the column.
    form : str
        One of the forms of the kind, such as `first` for names.
    locale : str
        Locale of the people.
    person : int
        Number of the person in the row, counted from 0. The second column of the same kind and form belongs
        to the second person.
    sex_column : SexColumn, optional
        Column with the sex of the person.
    sexes : array of shape (n,), optional
        Sex of the person in each row of the block that is generated.
    """

    kind: ColumnKind
    form: str
    locale: str
    person: int = 0
    sex_column: SexColumn | None = None
    sexes: Sexes | None = None

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return the person's field for each row."""
        return FORMS[self.kind][self.form](Person(stream, self.person, self.sexes), self.locale)

    def given(self, codes: CodesByColumn) -> Self:
        """Return a maker for rows with the given codes in the table's columns."""
        if self.sex_column is None or self.sex_column.place not in codes:
            return self
        return replace(self, sexes=self.sex_column.of(codes[self.sex_column.place]))

    def describe(self) -> Json:
        """Return the form, the locale and the number of the person."""
        return {"form": self.form, "locale": self.locale, "person": self.person}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the form, the locale, the number of the person and the column with the sex."""
        if self.sex_column is None:
            return self.describe(), {}
        return self.describe() | {"sex_column": self.sex_column.place}, {"sexes": self.sex_column.sexes}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a maker from the output of `to_arrays`."""
        form = reader.text("form")
        require(kind in FORMS and form in FORMS[kind], "the form of a generated column is unknown")
        sex_column = None
        if "sex_column" in reader.manifest:
            sexes = reader.array("sexes", np.int8, (None,))
            require(len(sexes) > 0 and bool(((sexes >= 0) & (sexes <= MALE)).all()), "a sex is unknown")
            sex_column = SexColumn(reader.whole("sex_column"), sexes)
        person = reader.whole("person", 0, N_PEOPLE_MAX)
        return cls(kind, form, reader.choice("locale", LOCALES), person, sex_column)
