"""Tests that canaries combine values of a table into new rows, and that the metric detects them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.unit.evaluation.people import comparison, people
from understudy.errors import InvalidInput
from understudy.evaluation.attacks.canaries import N_SHARED_MIN, make_canaries, plant
from understudy.evaluation.comparison import IS_PLANTED
from understudy.evaluation.metrics.privacy import canaries as metric
from understudy.tables.inference import infer_table
from understudy.tables.schema import Column, ColumnKind, TableSchema

N = 40


@pytest.fixture(scope="module")
def real() -> pa.Table:
    return people(600, seed=1)


@pytest.fixture(scope="module")
def canaries(real: pa.Table) -> pa.Table:
    return make_canaries(real, infer_table(real).schema, n=N, seed=0)


def rows_of(table: pa.Table) -> set[tuple[object, ...]]:
    return {tuple(row.values()) for row in table.to_pylist()}


def test_half_of_the_canaries_are_planted(canaries: pa.Table) -> None:
    assert canaries.num_rows == 2 * N
    assert pc.sum(canaries[IS_PLANTED]).as_py() == N


def test_canary_differs_from_every_row_and_every_other_canary(real: pa.Table, canaries: pa.Table) -> None:
    made = rows_of(canaries.drop_columns([IS_PLANTED]))
    assert len(made) == 2 * N
    assert not made & rows_of(real)


def test_values_of_canaries_are_shared_by_enough_rows(real: pa.Table, canaries: pa.Table) -> None:
    heights = sorted(value for value in real["height"].to_pylist() if value is not None)
    low, high = heights[N_SHARED_MIN], heights[-N_SHARED_MIN - 1]
    assert all(low <= value <= high for value in canaries["height"].to_pylist())
    assert set(canaries["town"].to_pylist()) == {"north", "south"}


def test_same_seed_produces_the_same_canaries(real: pa.Table, canaries: pa.Table) -> None:
    schema = infer_table(real).schema
    assert make_canaries(real, schema, n=N, seed=0).equals(canaries)
    assert not make_canaries(real, schema, n=N, seed=1).equals(canaries)


def test_planted_rows_are_appended_the_requested_number_of_times(real: pa.Table, canaries: pa.Table) -> None:
    planted = plant(real, canaries, repeats=3)
    assert planted.schema == real.schema
    assert planted.num_rows == 600 + 3 * N
    assert rows_of(planted.slice(600)) < rows_of(canaries.drop_columns([IS_PLANTED]))


@pytest.mark.parametrize("nullable", [True, False])
def test_generated_columns_of_canaries_are_missing_or_copied_from_other_rows(
    real: pa.Table, nullable: bool
) -> None:
    table = real.append_column("code", pa.array([f"k{i}" for i in range(600)]))
    code = Column(name="code", kind=ColumnKind.identifier, arrow_type="string", nullable=nullable)
    schema = TableSchema(columns=(*infer_table(real).schema.columns, code))
    codes = make_canaries(table, schema, n=N, seed=0)["code"].to_pylist()
    assert set(codes) <= ({None} if nullable else set(table["code"].to_pylist()))


def test_table_with_few_combinations_of_values_is_rejected() -> None:
    table = pa.table({"x": ["a", "b"] * 100})
    with pytest.raises(InvalidInput, match="Request fewer"):
        make_canaries(table, infer_table(table).schema, n=N, seed=0)


def test_small_table_is_rejected() -> None:
    table = people(50, seed=1)
    with pytest.raises(InvalidInput, match="at least 100"):
        make_canaries(table, infer_table(table).schema, n=N, seed=0)


def test_planted_canaries_are_detected_in_a_copy(real: pa.Table, canaries: pa.Table) -> None:
    training = plant(real, canaries)
    result = metric.score(comparison(training, training, canaries=canaries))
    assert isinstance(result, metric.CanariesResult)
    # Planted canaries have a distance of 0. A left-out canary would need a synthetic row with all of its
    # values.
    assert result.score > 0.97
    assert (result.n_planted, result.n_found) == (N, N)
    assert result.exposure == pytest.approx(result.exposure_most, abs=0.3)


def test_canaries_are_not_detected_in_fresh_rows(real: pa.Table, canaries: pa.Table) -> None:
    result = metric.score(comparison(real, people(600, seed=3), canaries=canaries))
    assert isinstance(result, metric.CanariesResult)
    assert result.interval is not None
    assert result.interval[0] <= 0.5 <= result.interval[1]
    assert result.n_found == 0
    # The exposure of a random rank has a standard deviation of about log2(e) bits.
    assert result.exposure == pytest.approx(result.exposure_by_chance, abs=3 * 1.44 / N**0.5 * 1.5)


SUBJECTS: dict[str, pa.Array[Any]] = {
    "integers": pa.array(range(600), pa.int64()),
    "small integers": pa.array([100 + i % 28 for i in range(600)], pa.int8()),
    "strings": pa.array([f"canary{i}" for i in range(600)]),
    "dates": pa.array(range(600), pa.int32()).cast(pa.date32()),
    "timestamps": pa.array(range(600), pa.int64()).cast(pa.timestamp("ms", tz="UTC")),
    "floats": pa.array([i + 0.5 for i in range(600)]),
    "decimals": pa.array([Decimal(i) / 2 for i in range(600)], pa.decimal128(9, 1)),
    "all missing": pa.nulls(600, pa.int64()),
}


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_canary_is_a_new_subject(real: pa.Table, kind: str) -> None:
    table = real.append_column("who", SUBJECTS[kind])
    schema = infer_table(table).schema.model_copy(update={"subject": ("who",)})
    made = make_canaries(table, schema, n=N, seed=0)["who"]
    assert made.type == SUBJECTS[kind].type
    assert len(set(made.to_pylist())) == 2 * N
    assert not set(made.to_pylist()) & set(SUBJECTS[kind].to_pylist())


def test_composite_subject_of_a_canary_has_a_new_value_in_one_column(real: pa.Table) -> None:
    table = real.append_column("clinic", pa.array([True, False] * 300)).append_column(
        "who", pa.array(range(600))
    )
    schema = infer_table(table).schema.model_copy(update={"subject": ("clinic", "who")})
    made = make_canaries(table, schema, n=N, seed=0)
    assert set(made["clinic"].to_pylist()) <= {True, False}
    assert min(made["who"].to_pylist()) >= 600


def test_subject_column_without_unused_values_is_rejected(real: pa.Table) -> None:
    table = real.append_column("who", pa.array([True, False] * 300))
    schema = infer_table(table).schema.model_copy(update={"subject": ("who",)})
    with pytest.raises(InvalidInput, match="choose other columns"):
        make_canaries(table, schema, n=N, seed=0)


def test_canary_differs_from_real_rows_in_more_than_its_subject() -> None:
    table = pa.table({"x": ["a", "b"] * 100, "who": range(200)})
    schema = infer_table(table).schema.model_copy(update={"subject": ("who",)})
    with pytest.raises(InvalidInput, match="Request fewer"):
        make_canaries(table, schema, n=N, seed=0)
