"""Tests that forms of texts ignore the lengths of words, but not those of codes and numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from understudy.evaluation.forms import Forms, shares_in_form
from understudy.evaluation.key_columns import KeyColumn
from understudy.tables.schema import Column, ColumnKind


@pytest.mark.parametrize(
    ("real", "synthetic", "share"),
    [
        (["Per Berg", "Liv Moen", "Siri Hansen"], ["Deadra Guerrero", "Tristan Hill"], 1.0),
        (["+47 22 33 44 55", "+47 912 34 567"], ["+47 1885 0853"], 0.0),
        (["AB-123", "CD-456"], ["ABC-123"], 0.0),
        (["Room 12", "Hall 07", "Cabinet 31"], ["Office 123"], 0.0),
    ],
)
def test_lengths_of_words_are_ignored_unless_they_are_constant(
    real: list[str], synthetic: list[str], share: float
) -> None:
    forms = Forms.of(pa.array([*real, *synthetic], pa.large_string()))
    codes = np.repeat(np.arange(len(real)), 50), np.repeat(len(real) + np.arange(len(synthetic)), 50)
    assert shares_in_form(forms, *codes) == (1.0, share)


@pytest.mark.parametrize(
    ("kind", "type_", "share"),
    [
        (ColumnKind.identifier, "int64", 1.0),
        (ColumnKind.identifier, "string", 0.0),
        (ColumnKind.phone, "int64", 0.0),
    ],
)
def test_number_of_digits_of_sequential_identifiers_is_ignored(
    kind: ColumnKind, type_: str, share: float
) -> None:
    column = Column(name="id", kind=kind, arrow_type=type_, nullable=False)
    key = KeyColumn(
        column, pa.array([str(i) for i in (*range(1000, 1100), *range(41_000, 41_100))], pa.large_string())
    )
    assert shares_in_form(key.forms, np.arange(100), np.arange(100, 200)) == (1.0, share)
