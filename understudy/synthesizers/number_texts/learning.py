"""Find columns of texts that consist of numbers and units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.synthesizers.number_texts.columns import FORM, NumberColumn
from understudy.synthesizers.number_texts.forms import N_SLOTS_MAX, Form, style_of, value_of
from understudy.synthesizers.number_texts.grammar import (
    Parts,
    allows_zeros,
    decimal_mark,
    has_mixed_fractions,
    is_dashed,
    is_quantity,
    is_slashed,
    is_word,
    split_text,
)
from understudy.tables.inference import has_key_header
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import MIN_SUPPORT, ArrowColumn, Subjects

# Number of distinct texts that are examined before all texts are split.
_N_EXAMINED = 100
# Minimum share of the rows whose texts have a form, and of those whose texts contain numbers.
_VALID_MIN, _NUMBERS_MIN = 0.95, 0.5
_N_FORMS_MAX = 40
# Maximum number of distinct texts of a form that keep their numbers.
_N_CONSTANTS_MAX = 5
# Minimum share of the ranges whose first number is not larger than the second one.
_ORDERED_MIN = 0.98
_SCORE_WORDS = frozenset(
    {"score", "result", "ergebnis", "resultat", "goals", "ft", "ht", "set", "sets", "final", "marcador"}
)
_YEARS = (1900, 2100)


def learn_number_column(
    column: Column, values: ArrowColumn, new_name: Callable[[str], str], subjects: Subjects | None
) -> NumberColumn | None:
    """Return the forms of a column of texts with numbers and units, or None for other columns.

    Parameters
    ----------
    new_name : callable (str) -> str
        Function that returns an unused column name.
    subjects : array of shape (n_rows,), optional
        Subject of each row. If given, the support of a form counts subjects instead of rows.
    """
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    encoded: Any = values.combine_chunks().cast(pa.string()).dictionary_encode()
    texts: list[str] = [text.strip() for text in encoded.dictionary.to_pylist()]
    if not texts or not _seem_numeric(texts[:_N_EXAMINED]) or has_key_header(column.name):
        return None
    mark, keeps_fractions = decimal_mark(texts), has_mixed_fractions(texts)
    parts = [split_text(text, mark, keeps_fractions=keeps_fractions) for text in texts]
    rows = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    forms = _supported_forms(texts, parts, rows, subjects, mark)
    counts = np.bincount(rows[rows >= 0], minlength=len(texts))
    valid = np.array(
        [
            text in forms or (part is not None and part.form in forms)
            for text, part in zip(texts, parts, strict=True)
        ]
    )
    n_valid, n = int(counts[valid].sum()), int(counts.sum())
    n_numeric = sum(form.count for form in forms.values() if form.n_slots)
    if not n or n_valid < _VALID_MIN * n or n_numeric < _NUMBERS_MIN * n or set(forms) == {"#"}:
        return None
    if any(_is_code(form, column, parts) for form in forms):
        return None
    name = column.name
    n_slots = max(form.n_slots for form in forms.values())
    is_whole = [
        all(form.n_slots <= place or form.slots[place].decimals == 0 for form in forms.values())
        for place in range(n_slots)
    ]
    names = [f"{name}.value"] if n_slots == 1 else [f"{name}.{place + 1}" for place in range(n_slots)]
    return NumberColumn(
        column=column,
        form_column=Column(
            name=new_name(f"{name}.{FORM}"), kind=ColumnKind.category, arrow_type="string", nullable=True
        ),
        number_columns=tuple(
            Column(
                name=new_name(own),
                kind=ColumnKind.integer if whole else ColumnKind.float,
                arrow_type="int64" if whole else "double",
                nullable=True,
            )
            for own, whole in zip(names, is_whole, strict=True)
        ),
        forms=tuple(sorted(forms.values(), key=lambda form: (-form.count, form.text))),
        mark="," if mark == "," else ".",
        keeps_fractions=keeps_fractions,
        n_invalid=n - n_valid,
    )


def _seem_numeric(texts: list[str]) -> bool:
    """Return whether nearly all texts have the form of a quantity or are words, and most contain a digit."""
    if sum(any(map(str.isdigit, text)) for text in texts) < _NUMBERS_MIN * len(texts):
        return False
    mark, keeps_fractions = decimal_mark(texts), has_mixed_fractions(texts)
    parts = [split_text(text, mark, keeps_fractions=keeps_fractions) for text in texts]
    return sum(_is_valid(part) for part in parts) >= (_VALID_MIN - 0.05) * len(parts)


def _is_valid(parts: Parts | None) -> bool:
    if parts is None:
        return False
    if not parts.numbers:
        return is_word(parts.form) or is_quantity(parts.form)
    if len(parts.numbers) > N_SLOTS_MAX or any(len(number) > 15 for number in parts.numbers):
        return False
    has_zeros = any(
        number.startswith("0") and number[1:2].isdigit() and not allows_zeros(parts.form, place)
        for place, number in enumerate(parts.numbers)
    )
    return is_quantity(parts.form) and not has_zeros


def _supported_forms(
    texts: list[str], parts: list[Parts | None], rows: Any, subjects: Subjects | None, mark: str
) -> dict[str, Form]:
    """Return the forms that enough rows or subjects have."""
    by_form: dict[str, list[int]] = defaultdict(list)
    for place, part in enumerate(parts):
        if part is not None and _is_valid(part):
            by_form[part.form].append(place)
    if len(by_form) > _N_FORMS_MAX * 5:
        return {}
    index = {form: number for number, form in enumerate(by_form)}
    number_of = np.full(len(parts) + 1, -1, np.int64)
    for form, places in by_form.items():
        number_of[places] = index[form]
    form_of_row = number_of[rows]
    forms = {}
    for form, places in by_form.items():
        own = np.flatnonzero(form_of_row == index[form])
        if _support(own, subjects) < MIN_SUPPORT:
            continue
        if "#" in form and len(by_form) > 1 and len(places) <= _N_CONSTANTS_MAX:
            of_text = {texts[i]: np.flatnonzero(rows == i) for i in places}
            if all(_support(of_one, subjects) >= MIN_SUPPORT for of_one in of_text.values()):
                # A few frequent texts, such as the limits of a measurement, keep their numbers.
                forms |= {text: Form(text=text, slots=(), count=len(own)) for text, own in of_text.items()}
                continue
        numbers = zip(*(part.numbers for i in places if (part := parts[i]) is not None), strict=True)
        slots = tuple(style_of(of_slot, mark) for of_slot in numbers)
        forms[form] = Form(text=form, slots=slots, count=len(own))
    return forms if len(forms) <= _N_FORMS_MAX else {}


def _support(rows: Any, subjects: Subjects | None) -> int:
    return len(rows) if subjects is None else len(np.unique(subjects[rows]))


def _is_code(form: str, column: Column, parts: list[Parts | None]) -> bool:
    """Return whether the texts of a form are rather codes, such as the numbers of articles or cases."""
    if not (is_dashed(form) or is_slashed(form)):
        return False
    pairs = [
        [value_of(number, ".") for number in part.numbers]
        for part in parts
        if part is not None and part.form == form
    ]
    if column.kind is ColumnKind.identifier and any(
        all(_YEARS[0] <= pair[place] <= _YEARS[1] for pair in pairs) for place in range(len(pairs[0]))
    ):
        return True
    if is_slashed(form):
        return any(number > 9_999 for pair in pairs for number in pair)
    is_ordered = sum(first <= second for first, second in pairs) >= _ORDERED_MIN * len(pairs)
    if max(number for pair in pairs for number in pair) < 100 and _names_score(column.name):
        return False
    return not is_ordered or column.kind is ColumnKind.identifier


def _names_score(name: str) -> bool:
    return bool(_SCORE_WORDS & set(name.lower().replace("_", " ").replace(".", " ").split()))
