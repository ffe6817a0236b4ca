"""A generator of names, e-mail addresses, phone numbers and addresses of made-up people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.schema import LOCALES, ColumnKind
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Arrays, ArrowArray, CodesByColumn, Json, RowStream
from understudy.transformers.generated import people
from understudy.transformers.generated.countries import (
    UNKNOWN,
    CountryColumn,
    Int16s,
    calling_codes,
    locale_of_phones,
)
from understudy.transformers.generated.people import N_PEOPLE_MAX, Person
from understudy.transformers.generated.phones import PhoneForms, fit_phone_forms
from understudy.transformers.generated.regions import RegionColumn, Regions
from understudy.transformers.generated.sexes import MALE, SexColumn, Sexes
from understudy.transformers.generated.taken_names import TakenNames
from understudy.transformers.generated.texts import gather
from understudy.transformers.generated.transformer import N_ROWS_ANY

FORMS: dict[ColumnKind, dict[str, Callable[[Person, str], ArrowArray]]] = {
    ColumnKind.name: {
        "full": people.full_names,
        "full_joined": people.full_names_joined,
        "full_wide": people.full_names_wide,
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
    """A generator of one field of the made-up person in each row.

    Parameters
    ----------
    kind : ColumnKind
        Kind of the column.
    form : str
        A form that the kind supports, such as `first` for names.
    locale : str
        Locale of the people.
    person : int
        Number of the person in the row, counted from 0. The second column of the same kind and form belongs
        to the second person.
    sex_column : SexColumn, optional
        Column with the sex of the person.
    country_column : CountryColumn, optional
        Column with the country of the row.
    is_international : bool
        Whether phone numbers begin with the calling code of the country.
    region_column : RegionColumn, optional
        Column with the state of the row.
    taken : TakenNames, optional
        Full names that the person must not have.
    sexes : array of shape (n,), optional
        Sex of the person in each generated row.
    countries : array of shape (n,), optional
        For each generated row, the index of the country's locale, or -1 for the table's locale.
    regions : Regions, optional
        State in each generated row.
    phone_forms : PhoneForms, optional
        Forms of the column's phone numbers.
    phone_groups : array of shape (n,), optional
        For each generated row, the group of the phone number's form.
    """

    kind: ColumnKind
    form: str
    locale: str
    person: int = 0
    sex_column: SexColumn | None = None
    country_column: CountryColumn | None = None
    is_international: bool = False
    region_column: RegionColumn | None = None
    taken: TakenNames | None = None
    sexes: Sexes | None = None
    countries: Int16s | None = None
    regions: Regions | None = None
    phone_forms: PhoneForms | None = None
    phone_groups: npt.NDArray[np.int64] | None = None

    @property
    def n_rows_max(self) -> int:
        """The number of rows is not limited."""
        return N_ROWS_ANY

    def make(self, stream: RowStream) -> ArrowArray:
        """Return the person's field for each row."""
        if self.phone_forms is None:
            return self._make_by_country(stream)
        n = len(stream.rows)
        groups = np.zeros(n, np.int64) if self.phone_groups is None else self.phone_groups
        has_forms = self.phone_forms.covers(groups)
        places = [np.flatnonzero(has_forms), np.flatnonzero(~has_forms)]
        rows = [replace(stream, rows=stream.rows[own]) for own in places]
        countries = None if self.countries is None else self.countries[places[1]]
        others = replace(self, phone_forms=None, countries=countries)
        return gather(
            [self.phone_forms.make(rows[0], groups[places[0]]), others._make_by_country(rows[1])], places
        )

    def _make_by_country(self, stream: RowStream) -> ArrowArray:
        if self.country_column is None or self.countries is None:
            return self._make(stream, np.arange(len(stream.rows)), self.locale)
        parts, places = [], []
        for index in np.unique(self.countries):
            own = np.flatnonzero(self.countries == index)
            locale = self.locale if index == UNKNOWN else self.country_column.locales[index]
            parts.append(self._make(stream, own, locale))
            places.append(own)
        return gather(parts, places)

    def _make(self, stream: RowStream, own: npt.NDArray[np.int64], locale: str) -> ArrowArray:
        """Return the field in a locale, for the rows at the given positions of the stream."""
        sexes = None if self.sexes is None else self.sexes[own]
        rows = replace(stream, rows=stream.rows[own])
        regions = None if self.regions is None else replace(self.regions, codes=self.regions.codes[own])
        person = Person(rows, self.person, sexes, self.is_international, regions, self.taken)
        return FORMS[self.kind][self.form](person, locale)

    def given(self, codes: CodesByColumn) -> Self:
        """Return a generator for rows with the given codes in the table's columns."""
        generator, sex, country = self, self.sex_column, self.country_column
        if sex is not None and sex.place in codes:
            generator = replace(generator, sexes=sex.of(codes[sex.place]))
        if country is not None and country.place in codes:
            own = codes[country.place]
            groups = None if self.phone_forms is None else own.astype(np.int64) + 1
            generator = replace(generator, countries=country.of(own), phone_groups=groups)
        if (region := self.region_column) is not None and region.place in codes:
            generator = replace(generator, regions=Regions(codes[region.place], region.n_codes))
        return generator

    def describe(self) -> Json:
        """Return the form, the locale, the number of the person, and the countries with word lists."""
        own: Json = {"form": self.form, "locale": self.locale, "person": self.person}
        if self.phone_forms is not None:
            own["patterns"] = len(self.phone_forms.spaces)
        if self.country_column is None:
            return own
        country = self.country_column
        return own | {"locales": list(country.locales), "countries_without_lists": country.n_unknown}

    def to_arrays(self) -> tuple[Json, Arrays]:
        """Return the form, the locale, the number of the person, and the columns of sex and country."""
        own: Json = {"form": self.form, "locale": self.locale, "person": self.person}
        arrays: Arrays = {}
        if self.sex_column is not None:
            own |= {"sex_column": self.sex_column.place}
            arrays = {"sexes": self.sex_column.sexes}
        if (country := self.country_column) is not None:
            own |= {"country_column": country.place, "country_locales": list(country.locales)}
            arrays = {**arrays, "locale_of_code": country.locale_of_code}
        if self.country_column is not None or self.is_international:
            own |= {"is_international": self.is_international}
        if self.region_column is not None:
            own |= {"region_column": [self.region_column.place, self.region_column.n_codes]}
        if self.phone_forms is not None:
            manifest, of_forms = self.phone_forms.to_arrays()
            own, arrays = own | manifest, {**arrays, **of_forms}
        if self.taken is not None:
            blocks, mask = self.taken.to_arrays()
            own, arrays = {**own, **blocks}, {**arrays, **mask}
        return own, arrays

    @classmethod
    def from_arrays(cls, kind: ColumnKind, type_: pa.DataType, reader: ArrayReader) -> Self:
        """Load a generator from the output of `to_arrays`."""
        form = reader.text("form")
        require(kind in FORMS and form in FORMS[kind], "the form of a generated column is unknown")
        sex_column, country_column, region_column, is_international = None, None, None, False
        if "sex_column" in reader.manifest:
            sexes = reader.array("sexes", np.int8, (None,))
            require(len(sexes) > 0 and bool(((sexes >= 0) & (sexes <= MALE)).all()), "a sex is unknown")
            sex_column = SexColumn(reader.whole("sex_column"), sexes)
        if "country_column" in reader.manifest:
            country_column = CountryColumn.from_reader(reader)
        if "country_column" in reader.manifest or "is_international" in reader.manifest:
            is_international = reader.truth("is_international")
        if "region_column" in reader.manifest:
            numbers = reader.parts("region_column", 2)
            is_valid = all(type(number) is int and 0 <= number < 2**16 for number in numbers)
            require(is_valid and numbers[1] > 0, "the state column for a town is invalid")
            region_column = RegionColumn(*numbers)
        taken = TakenNames.from_arrays(reader) if "n_blocks_of_names" in reader.manifest else None
        person, locale = reader.whole("person", 0, N_PEOPLE_MAX), reader.choice("locale", LOCALES)
        own = person, sex_column, country_column, is_international, region_column, taken
        generator = cls(kind, form, locale, *own)
        if "phone_patterns" not in reader.manifest:
            return generator
        return replace(generator, phone_forms=_load_phone_forms(kind, country_column, reader))


def fit_phones(distinct: ArrowArray, shared: ArrowArray, locale: str) -> Personal:
    """Return a generator of phone numbers in the forms of a table.

    Parameters
    ----------
    distinct : array of shape (n_distinct,)
        Distinct phone numbers, which are never generated.
    shared : array of shape (n_shared,)
        Distinct phone numbers from which forms are learned.
    locale : str
        Locale of numbers without a calling code.
    """
    own = locale_of_phones(distinct, locale)
    forms = fit_phone_forms(distinct, shared, calling_codes()[own or locale])
    generator = Personal(ColumnKind.phone, "phone", own or locale, phone_forms=forms)
    return replace(generator, is_international=own is not None)


def _load_phone_forms(
    kind: ColumnKind, country_column: CountryColumn | None, reader: ArrayReader
) -> PhoneForms:
    """Load the forms of phone numbers of the table, and of each code of the country column."""
    require(kind is ColumnKind.phone, "a column of another kind has forms of phone numbers")
    forms = PhoneForms.from_reader(reader)
    n_codes = 0 if country_column is None else len(country_column.locale_of_code)
    require(len(forms.counts) == 1 + n_codes, "the forms of phone numbers do not suit the country column")
    return forms
