"""Contract tests for all synthesizers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings

from tests.one_table import Parts, batches_of, fit, sample
from tests.tables import tables_of_all_kinds
from understudy import synthesizers
from understudy.errors import Conflict, InvalidInput
from understudy.synthesizers import MODULES, SYNTHESIZERS, make_synthesizer
from understudy.synthesizers.base import Synthesizer, SynthesizerEntry
from understudy.synthesizers.contexts import FitContext, SampleContext, SamplePlan
from understudy.synthesizers.files import load_model, save_model
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import Column, ColumnKind, TableSchema

Make = Callable[[], Synthesizer]

FAMILY = Path(synthesizers.__file__).parent
HEAVY = {"duckdb", "mimesis", "numba", "numpy", "pandas", "pyarrow", "scipy", "sklearn"}
# The code imports a single entry, because importing the package would import all entries.
IMPORT_ENTRY = """
import sys, types
from importlib import import_module
family = types.ModuleType("understudy.synthesizers")
family.__path__ = [sys.argv[1]]
sys.modules[family.__name__] = family
assert import_module(sys.argv[2]).ENTRY
print(*{name.split(".")[0] for name in sys.modules})
"""

KINDS: dict[str, tuple[ColumnKind, pa.DataType]] = {
    "integer": (ColumnKind.integer, pa.int16()),
    "unsigned": (ColumnKind.integer, pa.uint64()),
    "float": (ColumnKind.float, pa.float64()),
    "float32": (ColumnKind.float, pa.float32()),
    "decimal": (ColumnKind.decimal, pa.decimal128(12, 2)),
    "boolean": (ColumnKind.boolean, pa.bool_()),
    "category": (ColumnKind.category, pa.string()),
    "label": (ColumnKind.category, pa.int32()),
    "date": (ColumnKind.date, pa.date32()),
    "time": (ColumnKind.time, pa.time64("us")),
    "timestamp": (ColumnKind.timestamp, pa.timestamp("ns", tz="UTC")),
    "duration": (ColumnKind.duration, pa.duration("ms")),
}


def presets_of(entry: SynthesizerEntry) -> tuple[str | None, ...]:
    """Return the presets of a synthesizer, or None if it has no presets."""
    preset = entry.parameters.model_fields.get("preset")
    return (None,) if preset is None else get_args(preset.annotation)


# The list contains every synthesizer, once for each of its presets.
MEMBERS = [
    {"name": name, **({"preset": preset} if preset else {})}
    for name, entry in SYNTHESIZERS.items()
    for preset in presets_of(entry)
]


@pytest.fixture(params=MEMBERS, ids=lambda member: "-".join(member.values()))
def make(request: pytest.FixtureRequest) -> Make:
    """Return a function that creates an unfitted synthesizer, for each synthesizer and preset."""
    parameters = SYNTHESIZERS[request.param["name"]].parameters(**request.param)
    return lambda: make_synthesizer(parameters)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.rpartition(".")[2])
def test_importing_a_registry_entry_imports_no_heavy_modules(module: str) -> None:
    command = [sys.executable, "-c", IMPORT_ENTRY, str(FAMILY), module]
    loaded = set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert loaded & HEAVY == set(), (
        f"Importing {module} must not import these modules. Import them inside `load`, where the class is "
        "defined (docs/architecture.md, Where to add)."
    )


def value_of(kind: str, i: int) -> Any:
    """Return one of 40 values of a kind. In a few hundred rows, every value is common."""
    i %= 40
    return {
        "integer": i - 20,
        "unsigned": 2**64 - 1 - i,
        "float": i / 7,
        "float32": i / 8,
        "decimal": Decimal(i) / 4,
        "boolean": i % 3 == 0,
        "category": f"level {i % 4}",
        "label": i % 3,
        "date": date(2024, 2, 1) + timedelta(days=i),
        "time": time(8, i),
        "timestamp": datetime(2024, 1, 1, i % 24, tzinfo=UTC),
        "duration": timedelta(seconds=i),
    }[kind]


def all_kinds(n_rows: int = 400, *, with_missing: bool = False) -> tuple[pa.Table, TableSchema]:
    """Return a table with a column of every kind. If `with_missing`, every other column has gaps."""
    rng = np.random.default_rng(0)
    arrays, columns = [], []
    for j, (name, (kind, type_)) in enumerate(KINDS.items()):
        nullable = with_missing and j % 2 == 0
        values = [
            None if nullable and rng.random() < 0.2 else value_of(name, int(i))
            for i in rng.integers(0, 40, n_rows)
        ]
        arrays.append(pa.array(values, type_))
        columns.append(Column(name=name, kind=kind, arrow_type=str(type_), nullable=nullable))
    schema = TableSchema(columns=tuple(columns))
    return pa.Table.from_arrays(arrays, schema=schema.to_arrow()), schema


def one_column(values: pa.Array, kind: ColumnKind, *, nullable: bool = False) -> tuple[pa.Table, TableSchema]:
    """Return a table of one column, ``x``."""
    schema = TableSchema(
        columns=(Column(name="x", kind=kind, arrow_type=str(values.type), nullable=nullable),)
    )
    return pa.Table.from_arrays([values], schema=schema.to_arrow()), schema


def draw(synthesizer: Synthesizer, n_rows: int, *, seed: int = 1, offset: int = 0) -> pa.Table:
    """Return a sample as one table."""
    return sample(synthesizer, n_rows, seed=seed, offset=offset)


def test_fit_returns_self_and_leaves_its_input_unchanged(make: Make) -> None:
    table, schema = all_kinds(with_missing=True)
    before = table.schema, table.to_pylist()
    synthesizer = make()
    assert fit(synthesizer, table, schema) is synthesizer
    assert (table.schema, table.to_pylist()) == before


def test_equal_seeds_produce_equal_rows_and_different_seeds_produce_different_rows(make: Make) -> None:
    synthesizer = fit(make(), *all_kinds())
    assert draw(synthesizer, 100, seed=5).equals(draw(synthesizer, 100, seed=5))
    assert not draw(synthesizer, 100, seed=5).equals(draw(synthesizer, 100, seed=6))


def test_same_table_and_seed_produce_the_same_model(make: Make) -> None:
    table, schema = all_kinds(with_missing=True)
    assert draw(fit(make(), table, schema), 50).equals(draw(fit(make(), table, schema), 50))


@pytest.mark.parametrize("with_missing", [False, True])
def test_column_names_order_types_and_missing_values_are_preserved(make: Make, with_missing: bool) -> None:
    table, schema = all_kinds(with_missing=with_missing)
    sample = draw(fit(make(), table, schema), 500)
    assert sample.schema.equals(table.schema)
    # 20% of the values are missing. The probability that none of 500 sampled values is missing is 0.8**500.
    assert [c.null_count > 0 for c in sample.columns] == [c.null_count > 0 for c in table.columns]
    sample.validate(full=True)


def test_shared_values_are_reproduced_exactly(make: Make) -> None:
    table, schema = all_kinds(4000)
    sample = draw(fit(make(), table, schema), 2000)
    for name in table.column_names:
        assert set(sample[name].to_pylist()) <= set(table[name].to_pylist()), name


@pytest.mark.parametrize("n_rows", [1, 2, 777, 65_536, 65_537])
def test_sample_has_exactly_the_requested_number_of_rows(make: Make, n_rows: int) -> None:
    synthesizer = fit(make(), *one_column(pa.array([1, 2] * 20), ColumnKind.integer))
    assert sum(batch.num_rows for batch in batches_of(synthesizer, n_rows)) == n_rows


def test_zero_rows_produce_no_batches(make: Make) -> None:
    synthesizer = fit(make(), *all_kinds())
    assert list(batches_of(synthesizer, 0)) == []


@pytest.mark.parametrize(("n_rows", "offset"), [(-1, 0), (1, -1), (2**63, 0)])
def test_invalid_ranges_are_refused(make: Make, n_rows: int, offset: int) -> None:
    synthesizer = fit(make(), *all_kinds())
    with pytest.raises(InvalidInput):
        batches_of(synthesizer, n_rows, offset=offset)


def test_rows_do_not_depend_on_how_sampling_is_divided_into_calls(make: Make) -> None:
    synthesizer = fit(make(), *all_kinds(with_missing=True))
    whole = draw(synthesizer, 70_000)
    for offset, n_rows in [(0, 10), (9, 3), (65_530, 20), (69_999, 1)]:
        assert draw(synthesizer, n_rows, offset=offset).equals(whole.slice(offset, n_rows).combine_chunks())


def test_sampling_before_fitting_raises_conflict(make: Make) -> None:
    with pytest.raises(Conflict):
        make().sample(SamplePlan({"table": 1}), context=SampleContext(seed=0))


def test_saved_models_produce_the_same_rows_and_card(make: Make, tmp_path: Path) -> None:
    table, schema = all_kinds(with_missing=True)
    synthesizer = fit(make(), table, schema)
    save_model(synthesizer, tmp_path / "model", extra={"holdout_fraction": 0.2})
    loaded, manifest = load_model(tmp_path / "model")
    assert draw(loaded, 300).equals(draw(synthesizer, 300))
    assert loaded.card() == synthesizer.card()
    assert manifest.extra == {"holdout_fraction": 0.2}
    assert manifest.schema_.tables == {DEFAULT_NAME: schema}


def test_equal_models_have_equal_bytes(make: Make, tmp_path: Path) -> None:
    table, schema = all_kinds()
    for name in ("a", "b"):
        save_model(fit(make(), table, schema), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_constant_columns_stay_constant(make: Make) -> None:
    for value, kind in [(7, ColumnKind.integer), ("a", ColumnKind.category), (True, ColumnKind.boolean)]:
        sample = draw(fit(make(), *one_column(pa.array([value] * 30), kind)), 2000)
        assert sample["x"].to_pylist() == [value] * 2000


@pytest.mark.parametrize("name", list(KINDS))
def test_columns_without_values_stay_empty(make: Make, name: str) -> None:
    kind, type_ = KINDS[name]
    table, schema = one_column(pa.nulls(30, type_), kind, nullable=True)
    sample = draw(fit(make(), table, schema), 20)
    assert sample["x"].null_count == 20


def test_synthesizer_fitted_to_one_row_samples_placeholders(make: Make) -> None:
    table, schema = all_kinds(1)
    synthesizer = fit(make(), table, schema)
    row = draw(synthesizer, 3).to_pylist()[0]
    assert row["category"] == "_OTHER_"
    assert row["integer"] == 0
    assert any("placeholder" in warning for warning in synthesizer.card()["warnings"])


def test_wide_tables_are_fitted(make: Make) -> None:
    rng = np.random.default_rng(0)
    # The table has more columns than rows, and more than the 64 columns that the search for rules covers.
    names = [f"c{j}" for j in range(100)]
    table = pa.table({name: rng.integers(0, 9, 60) for name in names})
    columns = tuple(
        Column(name=name, kind=ColumnKind.integer, arrow_type="int64", nullable=False) for name in names
    )
    schema = TableSchema(columns=columns)
    sample = draw(fit(make(), table.cast(schema.to_arrow()), schema), 20)
    assert sample.column_names == names


def test_rare_levels_are_never_sampled(make: Make) -> None:
    values = ["common"] * 500 + ["shared"] * 5 + [f"rare {i // 4}" for i in range(100)]
    synthesizer = fit(make(), *one_column(pa.array(values), ColumnKind.category))
    drawn = set(draw(synthesizer, 20_000)["x"].to_pylist())
    assert drawn & set(values) == {"common", "shared"}
    # A made-up level replaces each rare level.
    assert len(drawn) == 2 + 25
    facts = synthesizer.card()["columns"][0]
    assert (facts["levels_kept"], facts["levels_pooled"], facts["rows_pooled"]) == (2, 25, 100)


@pytest.mark.parametrize("scale", [1, 1000])
def test_extremes_are_never_sampled(make: Make, scale: int) -> None:
    numbers = np.round(np.random.default_rng(0).normal(0, 1, 2000) * scale, 3)
    numbers[:2] = [-100.0 * scale, 100.0 * scale]
    synthesizer = fit(make(), *one_column(pa.array(numbers), ColumnKind.float))
    sample = draw(synthesizer, 50_000)["x"].to_numpy()
    assert -100 * scale < sample.min()
    assert sample.max() < 100 * scale


def test_placeholder_replaces_levels_that_are_not_shared(make: Make) -> None:
    # The column has only four levels. Five or more rare levels would be replaced with made-up levels.
    values = pa.array([f"person {i}" for i in range(4)])
    synthesizer = fit(make(), *one_column(values, ColumnKind.category))
    assert set(draw(synthesizer, 50)["x"].to_pylist()) == {"_OTHER_"}
    assert any("`_OTHER_`" in warning for warning in synthesizer.card()["warnings"])


def generated(n_rows: int = 300) -> tuple[pa.Table, TableSchema]:
    """Return a table with one column for each of several generated kinds, and two learned columns."""
    values = {
        "identifier": [f"AB-{i:04d}" for i in range(n_rows)],
        "number": list(range(1, n_rows + 1)),
        "text": [f"A note about case {i}, and more." for i in range(n_rows)],
        "name": ["Anna Maier"] * n_rows,
        "email": [f"anna{i}@firm.com" if i % 4 else None for i in range(n_rows)],
        "phone": [f"+49 171 {i:07d}" for i in range(n_rows)],
        "address": [f"Lindenweg {i}, Wien" for i in range(n_rows)],
        "group": [f"group {i % 3}" for i in range(n_rows)],
        "height": [i % 50 for i in range(n_rows)],
    }
    kinds = {"number": "identifier", "group": "category", "height": "integer"}
    arrays = {name: pa.array(column) for name, column in values.items()}
    columns = tuple(
        Column(
            name=name,
            kind=ColumnKind(kinds.get(name, name)),
            arrow_type=str(a.type),
            nullable=a.null_count > 0,
        )
        for name, a in arrays.items()
    )
    schema = TableSchema(columns=columns)
    return pa.Table.from_arrays(list(arrays.values()), schema=schema.to_arrow()), schema


def test_generated_values_are_new_unique_and_missing_as_often_as_real_values(make: Make) -> None:
    table, schema = generated()
    synthesizer = fit(make(), table, schema)
    sample = draw(synthesizer, 5000)
    sample.validate(full=True)
    for name in ("identifier", "number", "text", "email", "phone", "address"):
        assert not set(sample[name].drop_null().to_pylist()) & set(table[name].to_pylist()), name
    for name in ("identifier", "number"):
        assert len(sample[name].unique()) == 5000, name
    assert sample["email"].drop_null().to_pylist() == sample["email"].drop_null().unique().to_pylist()
    # One quarter of the values are missing. Six standard deviations of this share are 0.037 for 5,000
    # samples.
    assert abs(sample["email"].null_count / 5000 - 0.25) < 0.037
    assert set(sample["group"].to_pylist()) == {"group 0", "group 1", "group 2"}


def test_generated_values_are_the_same_in_slices_and_after_loading(make: Make, tmp_path: Path) -> None:
    table, schema = generated()
    synthesizer = fit(make(), table, schema)
    save_model(synthesizer, tmp_path / "model")
    loaded, _ = load_model(tmp_path / "model")
    whole = draw(synthesizer, 2000)
    assert draw(loaded, 500, offset=1234).equals(whole.slice(1234, 500).combine_chunks())
    assert loaded.card() == synthesizer.card()


def test_card_lists_generated_columns_and_model_file_contains_none_of_their_values(make: Make) -> None:
    synthesizer = fit(make(), *generated())
    card = synthesizer.card()
    facts = {column["name"]: column.get("generated") for column in card["columns"]}
    assert facts["number"] == facts["identifier"] == "identifier"
    assert (facts["phone"], facts["group"]) == ("phone", None)
    texts = ("is generated", "identifies entities")
    assert sum(any(text in warning for text in texts) for warning in card["warnings"]) == 7
    for value in ("Maier", "firm.com", "Lindenweg", "case", "+49"):
        assert value not in str(Parts.of(synthesizer).model)


def test_card_contains_no_values(make: Make) -> None:
    table, schema = one_column(pa.array(["secret level"] * 50 + ["other"] * 50), ColumnKind.category)
    card = fit(make(), table, schema).card()
    assert "secret level" not in str(card)
    assert (card["n_rows"], card["n_columns"]) == (100, 1)


def test_few_rows_produce_a_warning_on_the_card(make: Make) -> None:
    assert "fewer than 100 rows" not in str(fit(make(), *all_kinds(400)).card()["warnings"])
    assert "has 20 rows. With fewer than 100 rows" in fit(make(), *all_kinds(20)).card()["warnings"][0]


def test_progress_reports_the_end_of_both_phases(make: Make) -> None:
    calls: list[tuple[str, float]] = []
    context = FitContext(progress=lambda phase, fraction, **_: calls.append((phase, fraction)))
    fit(make(), *all_kinds(), context=context)
    assert ("encoding", 1.0) in calls
    # After the phase `fitting`, only the refinement and the checks of the model follow.
    assert {phase for phase, _ in calls[calls.index(("fitting", 1.0)) + 1 :]} <= {"checking", "refining"}
    assert all(0 <= fraction <= 1 for _, fraction in calls)


def test_tables_without_rows_are_refused(make: Make) -> None:
    table, schema = all_kinds()
    with pytest.raises(InvalidInput, match="no rows"):
        fit(make(), table.slice(0, 0), schema)


def test_tables_with_missing_columns_are_refused(make: Make) -> None:
    table, schema = all_kinds()
    with pytest.raises(InvalidInput) as caught:
        fit(make(), table.drop_columns(["date"]), schema)
    assert caught.value.code == "schema_mismatch"


def test_infinite_values_are_refused_with_the_column_name(make: Make) -> None:
    table, schema = one_column(pa.array([1.0, float("inf")] * 10), ColumnKind.float)
    with pytest.raises(InvalidInput, match="'x' contains infinite values"):
        fit(make(), table, schema)


# The first call can compile kernels, so there is no deadline. A fit takes about 10 milliseconds.
ANY_TABLE = settings(deadline=None, max_examples=60)


@pytest.mark.parametrize("name", list(SYNTHESIZERS))
@ANY_TABLE
@given(tables_of_all_kinds())
def test_any_table_is_fitted_and_sampled(name: str, made: tuple[pa.Table, TableSchema]) -> None:
    table, schema = made
    synthesizer = make_synthesizer(SYNTHESIZERS[name].parameters(name=name))
    sample = draw(fit(synthesizer, table, schema), 70)
    assert sample.schema.equals(table.schema)
    sample.validate(full=True)
    for column, drawn in zip(table.columns, sample.columns, strict=True):
        assert drawn.null_count == 0 or column.null_count > 0 or pc.any(pc.is_nan(column)).as_py()
        assert drawn.null_count == 70 or column.null_count < len(column)


@pytest.mark.parametrize("name", list(SYNTHESIZERS))
@ANY_TABLE
@given(tables_of_all_kinds())
def test_model_of_any_table_survives_save_and_load(
    tmp_path_factory: pytest.TempPathFactory, name: str, made: tuple[pa.Table, TableSchema]
) -> None:
    table, schema = made
    synthesizer = make_synthesizer(SYNTHESIZERS[name].parameters(name=name))
    path = tmp_path_factory.mktemp("models") / "model"
    save_model(fit(synthesizer, table, schema), path)
    loaded, manifest = load_model(path)
    assert identical(draw(loaded, 70), draw(synthesizer, 70))
    assert loaded.card() == synthesizer.card()
    assert manifest.schema_.tables == {DEFAULT_NAME: schema}


def identical(first: pa.Table, second: pa.Table) -> bool:
    """Return whether two tables have the same bytes. NaN therefore equals NaN."""
    return first.to_batches()[0].serialize().equals(second.to_batches()[0].serialize())


def test_card_counts_suppressed_values(make: Make) -> None:
    values = pa.array([1, 2, *[10] * 50, 13, *[20] * 50, 31])
    texts = pa.array(["a"] * 98 + ["b"] * 4 + ["c", "d"])
    columns = (
        Column(name="x", kind=ColumnKind.integer, arrow_type="int64", nullable=False),
        Column(name="t", kind=ColumnKind.category, arrow_type="string", nullable=False),
    )
    schema = TableSchema(columns=columns)
    card = fit(make(), pa.Table.from_arrays([values, texts], schema=schema.to_arrow()), schema).card()
    assert card["protection"] == {
        "unit": "row",
        "k": 5,
        "levels_pooled": 3,
        "rows_pooled": 6,
        "rows_merged": 1,
        "rows_drawn_in": 3,
    }


def test_support_counts_declared_subjects(make: Make) -> None:
    # The table has 30 patients with 10 visits each. Four patients have the rare finding.
    patient = np.repeat(np.arange(30), 10)
    finding = np.where(patient < 4, "rare", np.where(patient < 15, "common", "none"))
    weight = np.random.default_rng(0).gamma(50, size=30)[patient]
    table = pa.table({"patient": patient, "finding": finding, "weight": weight})
    kinds = [ColumnKind.integer, ColumnKind.category, ColumnKind.float]
    columns = tuple(
        Column(name=field.name, kind=kind, arrow_type=str(field.type), nullable=False)
        for field, kind in zip(table.schema, kinds, strict=True)
    )
    schema = TableSchema(columns=columns, subject=("patient",))
    synthesizer = fit(make(), table.cast(schema.to_arrow()), schema)
    sample = draw(synthesizer, 5000)
    assert set(sample["finding"].to_pylist()) == {"common", "none"}
    assert not set(sample["weight"].to_pylist()) & set(weight.tolist())
    card = synthesizer.card()
    assert (card["protection"]["unit"], card["protection"]["rows_pooled"]) == ("subject", 40)
    assert "at least 5 subjects share it" in card["promised"][0]
