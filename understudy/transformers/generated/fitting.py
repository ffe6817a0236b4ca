"""Fit generated columns: choose a generator, and learn the patterns and proportions that it uses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.inference.numbers import DENSE, highest_of
from understudy.tables.inference.wordlists import surnames_of
from understudy.tables.notations.scripts import PLAIN, Script, find_digits
from understudy.tables.placeholders import find_placeholders
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import MIN_SUPPORT, ArrowArray, ArrowColumn, Codes, Subjects
from understudy.transformers.generated.coded import FORMATS_OF_KIND, fit_coded, fit_codes, is_storable
from understudy.transformers.generated.countries import (
    UNKNOWN,
    CountryColumn,
    calling_codes,
    find_country_columns,
)
from understudy.transformers.generated.filler import fit_filler
from understudy.transformers.generated.identifiers import (
    PatternTexts,
    Sequence,
    fit_patterns,
    fit_sequence,
    fit_texts,
)
from understudy.transformers.generated.json_texts import fit_json
from understudy.transformers.generated.messages import fit_messages
from understudy.transformers.generated.patterns import (
    Pattern,
    by_length,
    learn_patterns,
    shared_texts,
)
from understudy.transformers.generated.people import FAMILY_FIRST
from understudy.transformers.generated.personal import Personal, fit_phones
from understudy.transformers.generated.persons import (
    PersonalColumn,
    choose_country_columns,
    choose_sex_columns,
    find_taken_names,
    number_people,
)
from understudy.transformers.generated.points import fit_points
from understudy.transformers.generated.recognition import Recognition
from understudy.transformers.generated.scripts import has_script_of, locale_of_names
from understudy.transformers.generated.sexes import find_sex_columns
from understudy.transformers.generated.texts import distinct_values, pc
from understudy.transformers.generated.transformer import GeneratedTransformer, ValueGenerator
from understudy.transformers.integer_units import integers_of

_KINDS_WITH_NAMES = frozenset({ColumnKind.name, ColumnKind.email})
# Number of names from which the script is determined.
_N_NAMES_READ = 1_000
# Minimum share of names without a blank that must be listed last names in a column of last names.
_LAST_NAMES_MIN = 0.7
# Kinds of generated columns that can be stored as integers.
_KINDS_OF_NUMBERS = frozenset(
    {
        *(ColumnKind.identifier, ColumnKind.card, ColumnKind.national_id),
        *(ColumnKind.phone, ColumnKind.postal_code),
    }
)


def fit_generated(
    column: Column,
    values: ArrowColumn,
    recognition: Recognition,
    locale: str,
    subjects: Subjects | None = None,
) -> tuple[GeneratedTransformer, Codes]:
    """Fit a generated column and return its transformer and its codes.

    Parameters
    ----------
    subjects : array of shape (n_rows,), optional
        Subject of each row. If given, at least k subjects instead of k rows must share the form of an
        identifier. The same applies to the parts of a message or JSON text.

    Raises
    ------
    InvalidInput
        If the column's type cannot store values of this kind, or cannot store enough new values.
    """
    type_ = values.type
    is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
    if not (is_text or (pa.types.is_integer(type_) and recognition.kind in _KINDS_OF_NUMBERS)):
        raise InvalidInput(
            f"Column {column.name!r} is stored as {type_}, which is not compatible with the kind "
            f"{recognition.kind.value}. Change its kind.",
            code="unsupported_column",
        )
    placeholders = _find_shared_placeholders(values)
    is_own = np.asarray(values.is_valid())
    if len(placeholders):
        is_own = is_own & ~np.asarray(pc.is_in(values, value_set=placeholders))
    present: ArrowColumn = values.filter(pa.array(is_own))
    script = _script_of(present, recognition.kind)
    if script != PLAIN:
        present = pa.chunked_array([script.convert(chunk) for chunk in present.chunks], pa.string())
    generator = _fit_generator(
        column, present, recognition, locale, None if subjects is None else subjects[is_own]
    )
    has_missing, has_values = values.null_count > 0, len(present) > 0
    transformer = GeneratedTransformer(
        column.name,
        type_,
        recognition.kind.value,
        has_missing,
        has_values,
        generator,
        tuple(str(placeholder) for placeholder in placeholders.to_pylist()),
        script.digits,
    )
    if generator.n_rows_max < len(distinct_values(present)):
        raise InvalidInput(
            f"Column {column.name!r} is stored as {type_}, which can store fewer new identifiers than the "
            "table contains. Store the column in a wider type.",
            code="unsupported_column",
        )
    return transformer, transformer.encode(values)


def _script_of(present: ArrowColumn, kind: ColumnKind) -> Script:
    """Return the script of a column's digits, or the default script for integers and prose."""
    if pa.types.is_integer(present.type) or kind is ColumnKind.text:
        return PLAIN
    return find_digits(distinct_values(present).cast(pa.string()))


def _find_shared_placeholders(values: ArrowColumn) -> ArrowArray:
    """Return the placeholders that at least k rows share, ordered by frequency."""
    if pa.types.is_integer(values.type):
        return pa.array([], values.type)
    counted = pc.value_counts(values.drop_null())
    texts, counts = counted.field("values"), counted.field("counts").to_numpy()
    kept = np.flatnonzero(find_placeholders(texts) & (counts >= MIN_SUPPORT))
    kept = kept[np.argsort(-counts[kept], kind="stable")]
    placeholders: ArrowArray = texts.take(pa.array(kept, pa.int64()))
    return placeholders


def _fit_generator(
    column: Column, present: ArrowColumn, recognition: Recognition, locale: str, subjects: Subjects | None
) -> ValueGenerator:
    kind = recognition.kind
    if pa.types.is_integer(present.type):
        return _fit_number_generator(column, present, kind, subjects)
    texts = pa.concat_arrays(present.cast(pa.large_string()).chunks or [pa.array([], pa.large_string())])
    if kind in (ColumnKind.identifier, ColumnKind.text) and (
        json_generator := fit_json(texts, locale, subjects)
    ):
        return json_generator
    if kind in (ColumnKind.identifier, ColumnKind.postal_code) or kind in FORMATS_OF_KIND:
        return _fit_text_generator(texts, kind, subjects)
    if kind is ColumnKind.coordinates:
        return fit_points(texts)
    if kind is ColumnKind.text:
        return fit_messages(texts, locale, subjects) or fit_filler(texts, locale)
    if kind is ColumnKind.phone:
        return fit_phones(distinct_values(texts), _shared(texts, subjects), locale)
    if kind is ColumnKind.name:
        return _fit_names(texts, recognition.form, locale)
    return Personal(kind, recognition.form, locale)


def _fit_names(texts: ArrowArray, form: str, locale: str) -> Personal:
    """Return a generator of names in the script of a column, with the separator between its names."""
    names = [str(text) for text in distinct_values(texts).slice(0, _N_NAMES_READ).to_pylist()]
    own = locale_of_names(names, locale) if names else locale
    if form == "full" and own in FAMILY_FIRST and own != "hu":
        counts = {
            "full": sum(" " in name for name in names),
            "full_wide": sum("\u3000" in name for name in names),
        }
        counts["full_joined"] = len(names) - sum(counts.values())
        form = max(counts, key=lambda each: counts[each])
        n_last = sum(name in surnames_of(own) for name in names)
        form = "last" if form == "full_joined" and n_last >= _LAST_NAMES_MIN * len(names) else form
    return Personal(ColumnKind.name, form, own)


def _fit_text_generator(texts: ArrowArray, kind: ColumnKind, subjects: Subjects | None) -> ValueGenerator:
    distinct = distinct_values(texts)
    if kind is not ColumnKind.postal_code and kind in FORMATS_OF_KIND:
        coded = fit_coded(kind, distinct, len(texts))
        if coded is not None:
            return coded
    shared = _shared(texts, subjects)
    # Texts without a known format are generated from the patterns of the table's texts.
    return fit_codes(shared) if kind is ColumnKind.postal_code else fit_texts(distinct, shared)


def _shared(values: ArrowColumn | ArrowArray, subjects: Subjects | None) -> ArrowArray:
    """Return the distinct texts that have a form shared by enough rows or subjects."""
    texts = values.cast(pa.large_string())
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    return shared_texts(texts, [] if subjects is None else [subjects])


def _fit_number_generator(
    column: Column, present: ArrowColumn, kind: ColumnKind, subjects: Subjects | None
) -> ValueGenerator:
    if kind is ColumnKind.identifier:
        return _fit_whole_numbers(column, present, subjects)
    length_max = len(str(highest_of(present.type))) - 1
    distinct = distinct_values(present).cast(pa.large_string())
    coded = fit_coded(kind, distinct, len(present)) if kind in FORMATS_OF_KIND else None
    if coded and all(is_storable(space.pattern.identifier_format, length_max) for space in coded.spaces):
        return coded
    return fit_codes(_shared(present, subjects), length_max=length_max, is_number=True)


def _fit_whole_numbers(
    column: Column, present: ArrowColumn, subjects: Subjects | None
) -> Sequence | PatternTexts:
    limit = highest_of(present.type)
    if not len(present):
        return Sequence(0, 1, limit)
    numbers = integers_of(column.name, distinct_values(present))
    steps = np.diff(np.sort(numbers))
    span = int(numbers.max()) - int(numbers.min())
    is_dense = span <= DENSE * len(numbers) or bool((steps == steps[0]).all())
    sequence = fit_sequence(numbers, limit)
    has_room = sequence.start + sequence.step * len(numbers) <= limit
    if has_room and (is_dense or int(numbers.min()) < 0):
        return sequence
    return _fit_digits(present, limit, subjects)


def _fit_digits(present: ArrowColumn, limit: int, subjects: Subjects | None) -> PatternTexts:
    """Return a generator of integers with the patterns of digits in the table, without leading zeros."""
    texts = by_length(distinct_values(present).cast(pa.large_string()))
    fits = len(str(limit)) - 1
    patterns = learn_patterns(by_length(_shared(present, subjects)))
    learned = [(_without_leading_zero(pattern), count) for pattern, count in patterns]
    learned = [(pattern, count) for pattern, count in learned if pattern.has_digits_only(fits)]
    if not learned:
        learned = [(Pattern(("nonzero",) + ("digit",) * (fits - 1)), 1)]
    return fit_patterns(learned, texts, length_max=fits)


def _without_leading_zero(pattern: Pattern) -> Pattern:
    first, *others = pattern.positions
    return Pattern(("nonzero" if first == "digit" else first, *others))


def name_people(
    fitted: list[tuple[Any, Codes]], names: list[str], values: list[ArrowColumn]
) -> list[tuple[Any, Codes]]:
    """Assign each personal column to one of the people in the row.

    Parameters
    ----------
    fitted : list of (transformer, codes)
        Transformers and codes of the columns.
    names : list of str
        Names of the columns.
    values : list of ChunkedArray
        Values of the columns.
    """
    columns = [
        PersonalColumn(place, names[place], transformer.generator, values[place])
        for place, (transformer, _) in enumerate(fitted)
        if isinstance(transformer, GeneratedTransformer) and isinstance(transformer.generator, Personal)
    ]
    columns = _with_scripts(columns)
    numbers = number_people(columns)
    types = [column.type for column in values]
    sexes = find_sex_columns(names, fitted, types)
    of_people = choose_sex_columns(columns, numbers, {c.place: (c, fitted[c.place][1]) for c in sexes}, names)
    countries = find_country_columns(names, fitted, types) if columns else []
    of_columns = choose_country_columns(columns, numbers, countries, names)
    taken = find_taken_names(columns, numbers)
    # E-mail addresses contain the names of their person.
    locales = {
        numbers[column.place]: column.generator.locale
        for column in reversed(columns)
        if column.generator.kind is ColumnKind.name
    }
    named = list(fitted)
    for column in columns:
        transformer, codes = fitted[column.place]
        country = of_columns.get(column.place)
        own = column.generator
        is_email = own.kind is ColumnKind.email
        generator = replace(
            _by_country(column, country, fitted),
            locale=locales.get(numbers[column.place], own.locale) if is_email else own.locale,
            person=numbers[column.place],
            sex_column=of_people.get(numbers[column.place]),
            country_column=country,
            taken=taken if column.generator.kind in _KINDS_WITH_NAMES else None,
            is_international=column.generator.is_international
            or (column.place in of_columns and _has_calling_codes(column)),
        )
        named[column.place] = replace(transformer, generator=generator), codes
    return named


def _with_scripts(columns: list[PersonalColumn]) -> list[PersonalColumn]:
    """Return the columns, with English names for Latin letters if other columns are in the table's script."""
    is_written = {
        column.place: has_script_of(
            map(str, column.values.unique().slice(0, _N_NAMES_READ).to_pylist()), column.generator.locale
        )
        for column in columns
        if column.generator.kind is ColumnKind.name
    }
    if not any(is_written.values()):
        return columns
    return [
        column
        if is_written.get(column.place, True)
        else replace(column, generator=replace(column.generator, locale="en"))
        for column in columns
    ]


def _by_country(
    column: PersonalColumn, country: CountryColumn | None, fitted: list[tuple[Any, Codes]]
) -> Personal:
    """Return the generator of a column, with the forms of phone numbers of each country."""
    generator = column.generator
    if generator.phone_forms is None or country is None:
        return generator
    codes, locales = calling_codes(), country.locales
    calling_code_of = [None if i == UNKNOWN else codes[locales[i]] for i in country.locale_of_code]
    values = column.values.cast(pa.large_string()).combine_chunks()
    forms = generator.phone_forms.by_country(values, fitted[country.place][1], calling_code_of)
    return replace(generator, phone_forms=forms)


def _has_calling_codes(column: PersonalColumn) -> bool:
    """Return whether most phone numbers of a column begin with a calling code."""
    if column.generator.kind is not ColumnKind.phone:
        return False
    share = pc.mean(pc.match_substring_regex(column.values, r"^\s*[(]?(?:[+]|00)\d").cast(pa.float64()))
    return bool((share.as_py() or 0) >= 0.5)
