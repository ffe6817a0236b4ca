"""Find text columns with values that consist of numbers and units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.synthesizers.number_texts.columns import FORM, NumberColumn
from understudy.synthesizers.number_texts.forms import Form, style_of
from understudy.synthesizers.number_texts.screening import may_be_numbers
from understudy.tables.inference import words_of
from understudy.tables.quantities import (
    NUMBERS_MIN,
    VALID_MIN,
    Parts,
    decimal_mark,
    has_mixed_fractions,
    have_codes,
    is_valid,
    split_text,
)
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import MIN_SUPPORT, ArrowColumn, Subjects

_N_FORMS_MAX = 40
# Maximum number of distinct strings in a form that is split into forms with constant numbers.
_N_CONSTANTS_MAX = 5


def learn_number_column(
    column: Column, values: ArrowColumn, new_name: Callable[[str], str], subjects: Subjects | None
) -> NumberColumn | None:
    """Return the forms of a text column with numbers and units, or None for other columns.

    Parameters
    ----------
    new_name : callable (str) -> str
        Function that returns an unused column name.
    subjects : array of shape (n_rows,), optional
        Subject of each row. If given, the support of a form counts subjects instead of rows.
    """
    if not may_be_numbers(column, values):
        return None
    encoded: Any = values.combine_chunks().cast(pa.string()).dictionary_encode()
    texts: list[str] = [text.strip() for text in encoded.dictionary.to_pylist()]
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
    n_numeric = sum(form.count for form in forms.values() if form.n_slots or any(map(str.isdigit, form.text)))
    if not any(form.n_slots for form in forms.values()):
        return None
    if not n or n_valid < VALID_MIN * n or n_numeric < NUMBERS_MIN * n or set(forms) == {"#"}:
        return None
    if have_codes(texts, words_of(column.name), is_rare=column.kind is ColumnKind.text):
        return None
    return NumberColumn(
        column=column,
        **_inner_columns(column.name, list(forms.values()), new_name),
        forms=tuple(sorted(forms.values(), key=lambda form: (-form.count, form.text))),
        mark="," if mark == "," else ".",
        keeps_fractions=keeps_fractions,
        n_invalid=n - n_valid,
    )


def _inner_columns(name: str, forms: list[Form], new_name: Callable[[str], str]) -> dict[str, Any]:
    """Return the form column and the number columns, as arguments for `NumberColumn`."""
    n_slots = max(form.n_slots for form in forms)
    are_whole = [
        all(form.n_slots <= place or form.slots[place].decimals == 0 for form in forms)
        for place in range(n_slots)
    ]
    names = [f"{name}.value"] if n_slots == 1 else [f"{name}.{place + 1}" for place in range(n_slots)]
    form_name = new_name(f"{name}.{FORM}")
    return {
        "form_column": Column(name=form_name, kind=ColumnKind.category, arrow_type="string", nullable=True),
        "number_columns": tuple(
            Column(
                name=new_name(own),
                kind=ColumnKind.integer if is_whole else ColumnKind.float,
                arrow_type="int64" if is_whole else "double",
                nullable=True,
            )
            for own, is_whole in zip(names, are_whole, strict=True)
        ),
    }


def _supported_forms(
    texts: list[str], parts: list[Parts | None], rows: Any, subjects: Subjects | None, mark: str
) -> dict[str, Form]:
    """Return the forms that enough rows or subjects have."""
    by_form: dict[str, list[int]] = defaultdict(list)
    for place, part in enumerate(parts):
        if part is not None and is_valid(part):
            by_form[part.form].append(place)
    if len(by_form) > _N_FORMS_MAX * 5:
        return {}
    index = {form: number for number, form in enumerate(by_form)}
    number_of = np.full(len(parts) + 1, -1, np.int64)
    for form, places in by_form.items():
        number_of[places] = index[form]
    form_of_row = number_of[rows]
    forms: dict[str, Form] = {}
    for form, places in by_form.items():
        own = np.flatnonzero(form_of_row == index[form])
        if _support(own, subjects) < MIN_SUPPORT:
            continue
        if "#" in form and len(by_form) > 1 and len(places) <= _N_CONSTANTS_MAX:
            of_text = {texts[i]: np.flatnonzero(rows == i) for i in places}
            if all(_support(of_one, subjects) >= MIN_SUPPORT for of_one in of_text.values()):
                # A few frequent strings, such as the limits of a measurement, become forms with constant
                # numbers.
                forms |= {text: Form(text=text, slots=(), count=len(own)) for text, own in of_text.items()}
                continue
        numbers = zip(*(part.numbers for i in places if (part := parts[i]) is not None), strict=True)
        slots = tuple(style_of(of_slot, mark) for of_slot in numbers)
        forms[form] = Form(text=form, slots=slots, count=len(own))
    return forms if len(forms) <= _N_FORMS_MAX else {}


def _support(rows: Any, subjects: Subjects | None) -> int:
    return len(rows) if subjects is None else len(np.unique(subjects[rows]))
