"""Tests for exact profiles and protected profiles (no values with fewer than five rows or subjects)."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from app.bodies.profiles import DatasetProfile
from understudy.tables.formats import write_table
from understudy.tables.inference import infer_table
from understudy.tables.notation import BooleanNotation, DateNotation, NumberNotation
from understudy.tables.profile import profile_table
from understudy.tables.schema import ColumnKind, TableSchema


def profile(
    folder: Path, table: pa.Table, *, is_protected: bool = True, schema: TableSchema | None = None
) -> dict[str, Any]:
    write_table(folder / "table.parquet", table.to_batches(), table.schema)
    profiled = profile_table(
        folder / "table.parquet", schema or infer_table(table).schema, is_protected=is_protected
    )
    return {column["name"]: column for column in profiled["columns"]} | {"all": profiled}


def test_an_exact_profile_contains_the_statistics_of_the_values(tmp_path: Path) -> None:
    values = [3.0, 1.0, 4.0, 1.0, 5.0, None]
    x = profile(tmp_path, pa.table({"x": values}), is_protected=False)["x"]
    assert (x["minimum"], x["maximum"], x["mean"]) == (1.0, 5.0, 2.8)
    assert (x["n_missing"], x["n_distinct"]) == (1, 4)
    assert x["standard_deviation"] == pytest.approx(np.std(values[:5]))
    assert x["quantiles"][2] == {"fraction": 0.5, "value": 3.0}
    assert sum(x["histogram"]["n_rows"]) == 5


def test_protected_bounds_lie_between_the_fifth_values_from_both_ends(tmp_path: Path) -> None:
    values = np.random.default_rng(0).lognormal(3, 2, 10_000)
    x = profile(tmp_path, pa.table({"x": values}))["x"]
    ordered = np.sort(values)
    assert ordered[4] <= x["minimum"] < x["maximum"] <= ordered[-5]
    shown = {x["minimum"], x["maximum"], *x["histogram"]["edges"], *(q["value"] for q in x["quantiles"])}
    assert not shown & set(values.tolist())


def test_protected_bars_have_at_least_five_rows(tmp_path: Path) -> None:
    values = np.concatenate(
        (np.random.default_rng(0).normal(0, 1, 1000), [50.0, 51.0, 60.0, 70.0, 80.0, 90.0])
    )
    bars = profile(tmp_path, pa.table({"x": values}))["x"]["histogram"]
    assert min(bars["n_rows"]) >= 5
    assert sum(bars["n_rows"]) == len(values)
    assert len(bars["edges"]) == len(bars["n_rows"]) + 1


def test_rare_levels_appear_only_in_exact_profiles(tmp_path: Path) -> None:
    table = pa.table({"city": ["Oslo"] * 5 + ["Rome"] * 4 + [None]})
    assert profile(tmp_path, table)["city"]["top_values"] == [{"value": "Oslo", "n_rows": 5}]
    exact = profile(tmp_path, table, is_protected=False)["city"]["top_values"]
    assert exact == [{"value": "Oslo", "n_rows": 5}, {"value": "Rome", "n_rows": 4}]


def test_declared_subjects_are_counted_instead_of_rows(tmp_path: Path) -> None:
    # Rome has nine rows but only four subjects.
    table = pa.table(
        {
            "who": [f"p{n % 4}" for n in range(9)] + [f"q{n}" for n in range(9)],
            "city": ["Rome"] * 9 + ["Oslo"] * 9,
        }
    )
    schema = infer_table(table).schema.model_copy(update={"subject": ("who",)})
    profiles = profile(tmp_path, table, schema=schema)
    assert [top["value"] for top in profiles["city"]["top_values"]] == ["Oslo"]
    assert profiles["all"]["protection"] == {"unit": "subject", "k": 5}


def test_protected_bounds_are_based_on_subjects(tmp_path: Path) -> None:
    # One subject has the fifty largest values.
    values = np.concatenate((np.arange(1000.0), np.full(50, 1e6) + np.arange(50)))
    owners = np.concatenate((np.arange(1000), np.full(50, 5000)))
    table = pa.table({"who": owners, "x": values})
    schema = infer_table(table).schema.model_copy(update={"subject": ("who",)})
    assert profile(tmp_path, table, schema=schema)["x"]["maximum"] < 1000


def test_protected_profiles_contain_no_values_of_generated_columns(tmp_path: Path) -> None:
    table = pa.table({"name": ["Ann"] * 50})
    schema = infer_table(table).schema
    named = schema.columns[0].model_copy(update={"kind": ColumnKind.name})
    column = profile(tmp_path, table, schema=schema.model_copy(update={"columns": (named,)}))["name"]
    assert column == {"name": "name", "kind": "name", "n_missing": 0, "n_distinct": 1}


def test_dates_appear_as_text(tmp_path: Path) -> None:
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(100)]
    exact = profile(tmp_path, pa.table({"d": days}), is_protected=False)["d"]
    assert (exact["minimum"], exact["maximum"]) == ("2024-01-01", "2024-04-09")
    protected = profile(tmp_path, pa.table({"d": days}))["d"]
    assert "2024-01-05" <= protected["minimum"] < protected["maximum"] <= "2024-04-05"


@pytest.mark.parametrize(
    "values", [pa.nulls(9, pa.float64()), pa.array([1.5]), pa.array([7] * 9), pa.nulls(3, pa.string())]
)
@pytest.mark.parametrize("is_protected", [True, False])
def test_degenerate_columns_have_a_profile(tmp_path: Path, values: Any, is_protected: bool) -> None:
    column = profile(tmp_path, pa.table({"x": values}), is_protected=is_protected)["x"]
    assert column["n_missing"] == values.null_count


def test_long_tables_are_sampled_evenly(tmp_path: Path) -> None:
    n = 2_000_000
    profiles = profile(tmp_path, pa.table({"x": pa.array(np.arange(n, dtype=np.float64))}))
    assert profiles["all"]["n_rows"] == n
    assert profiles["all"]["n_rows_read"] <= 200_000
    # The median of eight evenly spread blocks differs from the median of the table by about one block.
    assert profiles["x"]["quantiles"][2]["value"] == pytest.approx(n / 2, rel=0.15)


def test_statistics_are_also_written_in_the_notation_of_the_column(tmp_path: Path) -> None:
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(31)]
    table = pa.table({"day": days, "fee": [1000.5] * 16 + [2000.25] * 15, "paid": [True] * 31})
    notations = {
        "day": DateNotation(pattern="%d.%m.%Y"),
        "fee": NumberNotation(decimal=",", thousands=".", decimals=2, suffix=" €"),
        "paid": BooleanNotation(true="ja", false="nein"),
    }
    columns = tuple(
        column.model_copy(update={"notation": notations[column.name]})
        for column in infer_table(table).schema.columns
    )
    profiled = profile(tmp_path, table, is_protected=False, schema=TableSchema(columns=columns))
    assert profiled["day"]["written"]["maximum"] == "31.01.2024"
    assert profiled["fee"]["written"]["minimum"] == "1.000,50 €"
    assert profiled["fee"]["written"]["quantiles"][-1] == "2.000,25 €"
    assert profiled["paid"]["written"]["top_values"] == ["ja"]
    written = profiled["fee"]["written"]["edges"]
    assert len(written) == len(profiled["fee"]["histogram"]["edges"])
    assert DatasetProfile.model_validate(profiled["all"]).columns[1].written is not None
