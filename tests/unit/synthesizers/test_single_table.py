"""Tests that synthesizers of a single data table validate data, schemas and contexts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.one_table import Parts, fit, sample
from understudy.errors import Conflict, InvalidInput, TooLarge
from understudy.synthesizers import SYNTHESIZERS, make_synthesizer
from understudy.synthesizers.base import Synthesizer
from understudy.synthesizers.contexts import FitContext, SampleContext, SamplePlan, plan_rows
from understudy.synthesizers.datasets import collect_tables
from understudy.synthesizers.files import load_model, save_model
from understudy.tables.inference import infer_table
from understudy.tables.schema import (
    Column,
    ColumnDomain,
    ColumnKind,
    DatasetSchema,
    Relationship,
    TableSchema,
)
from understudy.tables.source import ArrowSource, TableSource

PEOPLE = pa.table(
    {
        "id": [f"P-{i:05}" for i in range(300)],
        "country": [("AT", "DE", "FR")[i % 3] for i in range(300)],
        "age": [20 + i % 50 for i in range(300)],
    }
)
COUNTRIES = pa.table({"code": ["AT", "DE", "FR", "VA"], "since": pa.array([1, 2, 3, 4], pa.duration("s"))})


@pytest.fixture(params=list(SYNTHESIZERS))
def unfitted(request: pytest.FixtureRequest) -> Synthesizer:
    """Return an unfitted synthesizer of each registered type."""
    return make_synthesizer(SYNTHESIZERS[request.param].parameters(name=request.param))


def schema_of(**changes: Any) -> DatasetSchema:
    people = infer_table(PEOPLE).schema.model_copy(update=changes)
    countries = infer_table(COUNTRIES).schema.model_copy(update={"role": "reference"})
    return DatasetSchema(tables={"people": people, "countries": countries})


def data() -> dict[str, TableSource]:
    return {"people": ArrowSource(PEOPLE), "countries": ArrowSource(COUNTRIES)}


def refused(unfitted: Synthesizer, schema: DatasetSchema) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        unfitted.fit(data(), schema, context=FitContext(seed=0))
    return caught.value


def test_reference_tables_are_sampled_unchanged(unfitted: Synthesizer, tmp_path: Path) -> None:
    unfitted.fit(data(), schema_of(), context=FitContext(seed=0))
    save_model(unfitted, tmp_path / "model")
    for model in (unfitted, load_model(tmp_path / "model").synthesizer):
        rows = model.sample(plan_rows(model.schema_, 40), context=SampleContext(seed=1))
        tables = collect_tables(rows, model.schema_)
        assert tables["countries"].equals(COUNTRIES)
        assert tables["people"].num_rows == 40


def test_damaged_reference_tables_are_refused(unfitted: Synthesizer) -> None:
    unfitted.fit(data(), schema_of(), context=FitContext(seed=0))
    parts = Parts.of(unfitted)
    whole = parts.arrays["reference/countries"]
    for wrong in (whole[:-20], whole[::-1].copy(), np.zeros(0, np.uint8), whole.astype(np.int64)):
        with pytest.raises(InvalidInput) as caught:
            type(unfitted).load(parts.changed(arrays=parts.arrays | {"reference/countries": wrong}))
        assert caught.value.code == "invalid_model_file"


def test_schema_with_several_data_tables_is_refused(unfitted: Synthesizer) -> None:
    schema = schema_of()
    tables = {name: table.model_copy(update={"role": "data"}) for name, table in schema.tables.items()}
    error = refused(unfitted, schema.model_copy(update={"tables": tables}))
    assert (error.code, "the schema has 2 ('people', 'countries')" in error.detail) == (
        "unsupported_schema",
        True,
    )


def test_schema_with_relationships_is_refused(unfitted: Synthesizer) -> None:
    keys = Relationship(
        child="people", child_columns=("country",), parent="countries", parent_columns=("code",)
    )
    error = refused(unfitted, schema_of().model_copy(update={"relationships": (keys,)}))
    assert error.code == "unsupported_schema"


def test_schema_with_order_by_is_refused(unfitted: Synthesizer) -> None:
    error = refused(unfitted, schema_of(order_by=("age",)))
    assert (error.code, "order_by" in error.detail) == ("unsupported_schema", True)


def test_primary_key_without_unique_column_is_refused(unfitted: Synthesizer) -> None:
    assert "primary key" in refused(unfitted, schema_of(primary_key=("country", "age"))).detail
    unfitted.fit(data(), schema_of(primary_key=("id",)), context=FitContext(seed=0))


def test_missing_table_is_refused(unfitted: Synthesizer) -> None:
    with pytest.raises(InvalidInput, match="'people', 'countries'") as caught:
        unfitted.fit({"people": ArrowSource(PEOPLE)}, schema_of(), context=FitContext(seed=0))
    assert caught.value.code == "schema_mismatch"


def test_plan_with_unknown_table_is_refused(unfitted: Synthesizer) -> None:
    fit(unfitted, PEOPLE, infer_table(PEOPLE).schema)
    with pytest.raises(InvalidInput) as caught:
        unfitted.sample(SamplePlan({"other": 5}), context=SampleContext(seed=0))
    assert caught.value.code == "unknown_table"


def test_cancelled_fit_raises_conflict(unfitted: Synthesizer) -> None:
    calls: list[str] = []
    context = FitContext(
        seed=0, progress=lambda phase, _, **__: calls.append(phase), is_cancelled=lambda: len(calls) > 1
    )
    with pytest.raises(Conflict) as caught:
        fit(unfitted, PEOPLE, infer_table(PEOPLE).schema, context=context)
    assert (caught.value.code, len(calls)) == ("cancelled", 2)


def test_fit_that_exceeds_its_time_budget_raises_too_large(unfitted: Synthesizer) -> None:
    with pytest.raises(TooLarge) as caught:
        fit(unfitted, PEOPLE, infer_table(PEOPLE).schema, context=FitContext(seed=0, budget_seconds=0.0))
    assert caught.value.code == "time_limit"


def test_cancelled_sample_raises_conflict(unfitted: Synthesizer) -> None:
    fit(unfitted, PEOPLE, infer_table(PEOPLE).schema)
    context = SampleContext(seed=0, is_cancelled=lambda: True)
    with pytest.raises(Conflict):
        list(unfitted.sample(plan_rows(unfitted.schema_, 10), context=context))


def test_models_and_samples_differ_without_a_seed(unfitted: Synthesizer) -> None:
    schema = infer_table(PEOPLE).schema
    seeds = {Parts.of(fit(unfitted, PEOPLE, schema, context=FitContext())).model["seed"] for _ in range(2)}
    assert len(seeds) == 2
    plan = plan_rows(unfitted.schema_, 50)
    one, other = (list(unfitted.sample(plan, context=SampleContext())) for _ in range(2))
    assert one != other


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_out_of_range_are_refused(unfitted: Synthesizer, seed: int) -> None:
    with pytest.raises(InvalidInput, match="seed is out of range"):
        fit(unfitted, PEOPLE, infer_table(PEOPLE).schema, seed=seed)


def one_column(
    values: pa.Array, kind: ColumnKind, domain: ColumnDomain | None
) -> tuple[pa.Table, TableSchema]:
    column = Column(name="x", kind=kind, arrow_type=str(values.type), nullable=False, domain=domain)
    schema = TableSchema(columns=(column,))
    return pa.Table.from_arrays([values], schema=schema.to_arrow()), schema


def test_declared_levels_are_sampled_even_if_rare(unfitted: Synthesizer) -> None:
    values = pa.array(["common"] * 500 + ["rare"] * 3)
    domain = ColumnDomain(levels=("common", "rare", "never"))
    declared = sample(fit(unfitted, *one_column(values, ColumnKind.category, domain)), 5000)
    assert set(declared["x"].to_pylist()) == {"common", "rare"}
    plain = sample(fit(unfitted, *one_column(values, ColumnKind.category, None)), 5000)
    assert set(plain["x"].to_pylist()) == {"common"}


@pytest.mark.parametrize("type_", [pa.int32(), pa.float64(), pa.decimal128(8, 2)])
def test_placeholders_are_within_the_bounds_of_the_domain(unfitted: Synthesizer, type_: pa.DataType) -> None:
    kind = {"int32": "integer", "double": "float"}.get(str(type_), "decimal")
    table, schema = one_column(
        pa.array([Decimal(55), Decimal(60)]).cast(type_),
        ColumnKind(kind),
        ColumnDomain(minimum=50, maximum=90),
    )
    assert set(sample(fit(unfitted, table, schema), 20)["x"].cast(pa.float64()).to_pylist()) == {50.0}


def test_samples_respect_bounds_and_step(unfitted: Synthesizer) -> None:
    rng = np.random.default_rng(0)
    values = pa.array(rng.integers(0, 4001, 3000) / 8_000_000)
    domain = ColumnDomain(minimum=0.0, maximum=0.0005, step=1 / 8_000_000)
    drawn = sample(fit(unfitted, *one_column(values, ColumnKind.float, domain)), 5000)["x"].to_numpy()
    assert (drawn.min() >= 0, drawn.max() <= 0.0005) == (True, True)
    steps = drawn * 8_000_000
    assert np.abs(steps - np.rint(steps)).max() < 1e-6


def test_sums_stay_within_the_domain_of_their_column(unfitted: Synthesizer) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 50, (2, 4000))
    keep = a + b <= 60
    table = pa.table({"a": a[keep], "b": b[keep], "total": (a + b)[keep]})
    columns = tuple(
        column.model_copy(update={"domain": ColumnDomain(maximum=60)}) if column.name == "total" else column
        for column in infer_table(table).schema.columns
    )
    fitted = fit(unfitted, table, TableSchema(columns=columns))
    assert max(sample(fitted, 5000)["total"].to_pylist()) <= 60


def test_values_outside_the_domain_are_refused(unfitted: Synthesizer) -> None:
    table, schema = one_column(pa.array([1, 2, 130]), ColumnKind.integer, ColumnDomain(maximum=120))
    with pytest.raises(InvalidInput, match=r"Column 'x' has 1 value outside its domain \(row 3\)"):
        fit(unfitted, table, schema)
