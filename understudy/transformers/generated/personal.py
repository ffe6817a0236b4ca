"""Names, e-mail addresses, phone numbers and addresses of made-up people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from understudy.tables.schema import LOCALES, ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Arrays, ArrowArray, Json, RowStream
from understudy.transformers.generated import people
from understudy.transformers.generated.people import N_PEOPLE_MAX, Person
from understudy.transformers.generated.transformer import N_ROWS_ANY

FORMS: dict[ColumnKind, dict[str, Callable[[Person, str], ArrowArray]]] = {
    ColumnKind.name: {
        "full": people.full_names,
        "first": people.first_names,
        "last": people.last_names,
        "last_comma_first": people.last_comma_first,
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
    """One field of the made-up person of each row.

    Parameters
    ----------
    form : str
        One of the kind's forms.
    person : int
        Which of the row's people: the second column of the same kind and form is the second person's.
    """

    kind: ColumnKind
    form: str
    locale: str
    person: int = 0

    @property
    def n_rows_max(self) -> int:
        """Every row has its people."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return the field of the people of rows."""
        return FORMS[self.kind][self.form](Person(stream, self.person), self.locale)

    def describe(self) -> Json:
        """Return form, locale and which person."""
        return {"form": self.form, "locale": self.locale, "person": self.person}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return form, locale and which person."""
        return self.describe(), {}

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Return the maker that `to_arrays` took apart."""
        form = reader.text("form")
        require(kind in FORMS and form in FORMS[kind], "new values have an unknown form")
        return cls(kind, form, reader.choice("locale", LOCALES), reader.whole("person", 0, N_PEOPLE_MAX))
