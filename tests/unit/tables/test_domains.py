"""Tests for declared domains: validation, and checks of tables and samples against the domains."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from understudy.errors import InvalidInput
from understudy.tables.domain_checks import check_domains, keep_to_domain, placeholder_value
from understudy.tables.schema import Column, ColumnDomain, ColumnKind, TableSchema


def column_of(values: pa.Array, kind: ColumnKind, **domain: Any) -> Column:
    return Column(
        name="x", kind=kind, arrow_type=str(values.type), nullable=True, domain=ColumnDomain(**domain)
    )


def check(values: pa.Array, kind: ColumnKind, **domain: Any) -> None:
    check_domains(pa.table({"x": values}), TableSchema(columns=(column_of(values, kind, **domain),)))


@pytest.mark.parametrize(
    "domain",
    [
        {},
        {"levels": ["a"], "minimum": 1},
        {"levels": ["a", "a"]},
        {"step": 0},
        {"step": -1.5},
        {"minimum": float("nan")},
    ],
)
def test_contradictory_domains_are_refused(domain: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ColumnDomain.model_validate(domain)


CASES: list[tuple[pa.Array, ColumnKind, dict[str, Any], str]] = [
    (pa.array([5, 121, None, -3]), ColumnKind.integer, {"minimum": 0, "maximum": 120}, "rows 2, 4"),
    (pa.array([0.0, 0.25, 0.3]), ColumnKind.float, {"step": 0.25}, "row 3"),
    (pa.array([1, 4, 8]), ColumnKind.integer, {"minimum": 1, "step": 3}, "row 3"),
    (pa.array(["a", None, "b"]), ColumnKind.category, {"levels": ["a"]}, "row 3"),
    (pa.array([Decimal("1.50"), Decimal("1.60")]), ColumnKind.decimal, {"maximum": 1.55}, "row 2"),
    (pa.array([date(2024, 1, 1), date(2025, 1, 1)]), ColumnKind.date, {"maximum": "2024-12-31"}, "row 2"),
    (pa.array([True, False]), ColumnKind.boolean, {"levels": [True]}, "row 2"),
]


@pytest.mark.parametrize(("values", "kind", "domain", "rows"), CASES)
def test_error_contains_the_number_and_the_rows_of_values_outside_the_domain(
    values: pa.Array, kind: ColumnKind, domain: dict[str, Any], rows: str
) -> None:
    with pytest.raises(
        InvalidInput, match=rf"Column 'x' has \d values? outside its domain \({rows}\)"
    ) as caught:
        check(values, kind, **domain)
    assert caught.value.code == "schema_mismatch"


def test_values_inside_the_domain_and_rounded_multiples_of_the_step_are_accepted() -> None:
    check(pa.array([0.1 + 0.2, 0.7, None]), ColumnKind.float, minimum=0.1, step=0.1)
    check(pa.array(["a", "b", None]), ColumnKind.category, levels=["a", "b", "c"])


@pytest.mark.parametrize(
    ("values", "kind", "domain"),
    [
        (pa.array(["a"]), ColumnKind.email, {"levels": ["a"]}),
        (pa.array(["a"]), ColumnKind.category, {"minimum": "a"}),
        (pa.array([1]), ColumnKind.integer, {"levels": [1]}),
        (pa.array([date(2024, 1, 1)]), ColumnKind.date, {"step": 1}),
        (pa.array([1]), ColumnKind.integer, {"minimum": "x"}),
        (pa.array([date(2024, 1, 1)]), ColumnKind.date, {"minimum": "yesterday"}),
    ],
)
def test_domains_that_do_not_suit_the_kind_of_the_column_are_refused(
    values: pa.Array, kind: ColumnKind, domain: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match="olumn 'x'") as caught:
        check(values, kind, **domain)
    assert caught.value.code == "unsupported_schema"


def test_numbers_are_clipped_to_the_bounds_and_rounded_to_the_step() -> None:
    column = column_of(pa.array([0.0]), ColumnKind.float, minimum=1, maximum=3, step=0.5)
    kept = keep_to_domain(pa.array([0.2, 1.3, None, 9.0, float("nan")]), column)
    assert kept.to_pylist()[:4] == [1.0, 1.5, None, 3.0]
    assert kept[4].as_py() != kept[4].as_py()


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ({"minimum": 10}, 10),
        ({"maximum": -2}, -2),
        ({"minimum": -1, "maximum": 1}, None),
        ({"step": 2}, None),
    ],
)
def test_the_placeholder_is_the_bound_nearest_to_zero(domain: dict[str, Any], expected: int | None) -> None:
    value = placeholder_value(column_of(pa.array([1]), ColumnKind.integer, **domain))
    assert (None if value is None else value.as_py()) == expected
