"""Tests for the public Python API."""

import subprocess
import sys
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import understudy
from understudy.cli.application import run
from understudy.errors import InvalidInput, UnderstudyError

PEOPLE = pd.DataFrame(
    {
        "age": [20 + row * 7 % 50 for row in range(200)],
        "city": [("Oslo", "Rome", "Lima")[row * row % 3] for row in range(200)],
        "income": [None if row % 13 == 0 else 1000.0 + row * 37 % 900 for row in range(200)],
    }
)


def test_loaded_model_produces_the_same_sample(tmp_path: Path, small_table: pa.Table):
    model = understudy.fit(small_table, seed=1, synthesizer="independent")
    rows = understudy.sample(model, 30, seed=2)
    understudy.save(model, tmp_path / "model")
    assert rows.schema.equals(small_table.schema)
    assert understudy.sample(understudy.load(tmp_path / "model"), 30, seed=2).equals(rows)


def test_table_can_be_given_as_a_path(tmp_path: Path, small_table: pa.Table):
    path = tmp_path / "table.parquet"
    pq.write_table(small_table, path)
    report = understudy.evaluate(path, small_table, seed=1)
    assert report.scores("column_shapes").synthetic.score == pytest.approx(1)


@pytest.fixture(scope="module")
def chain(small_table: pa.Table) -> understudy.Model:
    """Fit a model that supports constraints."""
    return understudy.fit(small_table, seed=1)


def test_sampled_rows_satisfy_the_conditions(chain: understudy.Model):
    oslo = understudy.SampleCondition(where={"city": understudy.ColumnConstraint(equals="Oslo")}, n_rows=20)
    constraints = understudy.SamplingConstraints(conditions=(oslo,))
    rows = understudy.sample(chain, seed=2, constraints=constraints)
    assert rows.column("city").to_pylist() == ["Oslo"] * 20
    assert understudy.sample(chain, seed=2, offset=15, constraints=constraints).equals(rows.slice(15))


def test_rebalanced_column_has_the_requested_shares(chain: understudy.Model):
    shares = (understudy.TargetShare(value="Rome", share=1),)
    constraints = understudy.SamplingConstraints(
        rebalance=understudy.ColumnRebalance(column="city", shares=shares)
    )
    rows = understudy.sample(chain, 20, seed=2, constraints=constraints)
    assert rows.column("city").to_pylist() == ["Rome"] * 20


def test_n_rows_is_required_without_conditions(chain: understudy.Model):
    with pytest.raises(InvalidInput, match="n_rows is missing"):
        understudy.sample(chain, seed=2)


def test_missing_values_are_imputed(chain: understudy.Model, small_table: pa.Table):
    rows = understudy.impute(chain, small_table, seed=3, n_draws=2)
    assert rows.num_rows == 2 * small_table.num_rows
    assert sum(column.null_count for column in rows.columns) == 0


def test_imputed_tables_have_the_format_of_the_given_table():
    model = understudy.fit(PEOPLE, seed=1)
    completed = model.impute(pl.from_pandas(PEOPLE), seed=2)
    assert isinstance(completed, pl.DataFrame)
    assert completed["income"].null_count() == 0
    assert_frame_equal(model.impute({"table": PEOPLE}, seed=2)["table"], completed.to_pandas())


def test_random_seed_is_stored_in_the_model(tmp_path: Path):
    model = understudy.fit(PEOPLE, synthesizer="independent")
    model.save(tmp_path / "model")
    again = understudy.fit(PEOPLE, synthesizer="independent", seed=model.seed)
    assert understudy.load(tmp_path / "model").seed == model.seed
    assert_frame_equal(again.sample(20, seed=1), model.sample(20, seed=1))
    assert not model.sample(20).equals(model.sample(20))


def test_model_fitted_on_a_mapping_samples_a_mapping():
    model = understudy.fit({"people": PEOPLE}, synthesizer="independent", seed=1)
    assert list(model.schema.tables) == ["people"]
    assert list(model.sample(5, seed=1)) == ["people"]


def test_table_is_named_after_its_file(tmp_path: Path):
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    model = understudy.fit(tmp_path / "people.csv", synthesizer="independent", seed=1)
    assert list(model.schema.tables) == ["people"]
    assert model.sample(5, seed=1).dtypes.equals(PEOPLE.dtypes)


def test_single_table_synthesizer_refuses_several_tables():
    with pytest.raises(InvalidInput, match="'tree_chain' supports one data table, but the schema has 2"):
        understudy.fit({"a": PEOPLE, "b": PEOPLE}, seed=1)


def test_declared_subject_becomes_the_unit_of_protection():
    visits = pd.DataFrame({"patient": [row // 5 for row in range(200)], **PEOPLE})
    model = understudy.fit(visits, subject="patient", synthesizer="independent", seed=1)
    assert model.schema.tables["table"].subject == ("patient",)
    assert model.card()["protection"]["unit"] == "subject"
    with pytest.raises(InvalidInput, match="no column 'nobody'"):
        understudy.fit(visits, subject="nobody", seed=1)


def test_corrected_schema_is_used_for_fitting_and_evaluation():
    codes = pd.DataFrame({"code": [row % 4 for row in range(200)], "size": range(200)})
    schema, findings = understudy.infer_schema(codes, with_findings=True)
    assert set(findings.tables["table"].columns) == {"code", "size"}
    table = schema.tables["table"]
    columns = [column.model_copy(update={"kind": understudy.ColumnKind.category}) for column in table.columns]
    corrected = understudy.DatasetSchema(
        tables={"table": table.model_copy(update={"columns": tuple(columns)})}
    )
    model = understudy.fit(codes, schema=corrected, seed=1)
    assert model.schema == corrected
    report = understudy.evaluate(codes, model.sample(200, seed=2), schema=model, seed=1)
    assert {str(column.kind) for column in report.columns} == {"category"}


@pytest.mark.parametrize("preset", understudy.PRESETS)
def test_name_of_a_preset_is_accepted_as_a_synthesizer(preset: str):
    assert understudy.fit(PEOPLE, synthesizer=preset, seed=1).card()["preset"] == preset


def test_unknown_synthesizer_is_refused():
    with pytest.raises(UnderstudyError, match="Choose one of tree_chain, independent, fast"):
        understudy.fit(PEOPLE, synthesizer="wonder")


def test_numeric_categories_are_sampled_as_categories():
    frame = pd.DataFrame({"grade": pd.Categorical([10, 20, 40] * 40, ordered=True), "size": range(120)})
    model = understudy.fit(frame, synthesizer="independent", seed=1)
    assert model.sample(200, seed=2)["grade"].isna().sum() == 0
    assert model.sample(200, seed=2)["grade"].dtype == frame["grade"].dtype


def test_rare_categories_are_removed_from_the_dtype():
    words = ["common"] * 100 + ["rare"]
    dtype = pd.CategoricalDtype(["rare", "common", "unused"])
    frame = pd.DataFrame({"word": pd.Series(words, dtype=dtype), "size": range(101)})
    sample = understudy.fit(frame, synthesizer="independent", seed=1).sample(20, seed=2)
    assert sample["word"].cat.categories.tolist() == ["common", "unused"]


def test_categories_with_few_subjects_are_removed_from_the_dtype():
    frame = pd.DataFrame(
        {"word": pd.Categorical(["a", "b"] * 50), "who": [row % 2 + row // 90 for row in range(100)]}
    )
    frame["who"] = [0 if word == "a" else row for row, word in enumerate(frame["word"])]
    sample = understudy.fit(frame, subject="who", synthesizer="independent", seed=1).sample(20, seed=2)
    assert sample["word"].cat.categories.tolist() == ["b"]


def test_ordered_categories_are_kept():
    dtype = pd.CategoricalDtype(["none", "some", "all"], ordered=True)
    frame = pd.DataFrame({"much": pd.Series(["some"] * 100 + ["all"], dtype=dtype), "size": range(101)})
    sample = understudy.fit(frame, synthesizer="independent", seed=1).sample(20, seed=2)
    assert sample["much"].dtype == dtype


def test_categories_of_generated_columns_are_new():
    mails = pd.Categorical([f"ada.{row}@example.org" for row in range(120)])
    frame = pd.DataFrame({"email": mails, "size": range(120)})
    sample = understudy.fit(frame, synthesizer="independent", seed=1).sample(20, seed=2)
    assert set(sample["email"].cat.categories) == set(sample["email"])
    assert not set(sample["email"]) & set(mails)


def test_column_whose_type_is_changed_by_the_schema_gets_the_default_dtype():
    schema = understudy.infer_schema(PEOPLE)
    table = schema.tables["table"]
    columns = [
        column.model_copy(update={"kind": understudy.ColumnKind.category, "arrow_type": "string"})
        if column.name == "age"
        else column
        for column in table.columns
    ]
    text_table = table.model_copy(update={"columns": tuple(columns)})
    text_schema = understudy.DatasetSchema(tables={"table": text_table})
    sample = understudy.fit(PEOPLE, schema=text_schema, synthesizer="independent", seed=1).sample(5, seed=1)
    assert {type(age) for age in sample["age"]} == {str}


@pytest.mark.parametrize(
    ("library", "class_"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("arrow", pa.Table)]
)
def test_samples_can_be_returned_in_the_format_of_every_library(
    library: Any, class_: type, chain: understudy.Model
):
    assert isinstance(chain.with_format(library).sample(5, seed=1), class_)
    assert isinstance(chain.sample(5, seed=1), pa.Table)


def test_tables_with_unknown_names_are_refused(chain: understudy.Model, small_table: pa.Table):
    with pytest.raises(InvalidInput, match="the tables 'other', but the schema has 'table'"):
        chain.impute({"other": small_table}, seed=1)
    with pytest.raises(InvalidInput, match="no table 'table'"):
        understudy.evaluate({"other": small_table}, small_table, schema=chain)


@pytest.mark.parametrize("data", [{}, {1: PEOPLE}, {"": PEOPLE}])
def test_mapping_without_named_tables_is_refused(data: dict[Any, Any]):
    with pytest.raises(InvalidInput, match=r"Add a table|Use a non-empty string"):
        understudy.fit(data)


def test_models_are_fitted_to_files_and_arrow_tables_without_pandas(tmp_path: Path, small_table: pa.Table):
    pq.write_table(small_table, tmp_path / "table.parquet")
    code = """
import sys, pyarrow.parquet as pq, understudy
from understudy.pandas_import import without_pandas
with without_pandas():
    from_file = understudy.fit("table.parquet", synthesizer="independent", seed=1)
    model = understudy.fit(pq.read_table("table.parquet"), synthesizer="independent", seed=1)
    assert model.sample(5, seed=2).equals(from_file.with_format("arrow").sample(5, seed=2))
assert not {"pandas", "polars"} & set(sys.modules)
assert type(from_file.sample(5, seed=2)).__name__ == "DataFrame"
assert "polars" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_has_a_docstring():
    assert all(getattr(understudy, name).__doc__ for name in understudy.__all__)


def test_import_of_the_package_loads_neither_numpy_nor_arrow():
    code = "import sys, understudy; sys.exit('numpy' in sys.modules or 'pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = understudy.no_such_name


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.float32(0.5), 0.5),
        (pd.Timestamp("2020-01-01", tz="UTC"), "2020-01-01T00:00:00+00:00"),
        (np.datetime64("2020-01-01"), "2020-01-01"),
        (time(3), "03:00:00"),
        (Decimal("1.10"), "1.10"),
    ],
)
def test_constraints_accept_numpy_and_pandas_values(given: Any, stored: Any):
    assert understudy.ColumnConstraint(equals=given).equals == stored


def test_schema_of_several_tables_is_inferred():
    stays = pd.DataFrame({"stay": range(100), "patient": [row // 4 for row in range(100)]})
    patients = pl.DataFrame({"patient": range(25), "city": ["Oslo", "Rome", "Lima", "Oslo", "Rome"] * 5})
    schema, findings = understudy.infer_schema({"stays": stays, "patients": patients}, with_findings=True)
    assert list(schema.tables) == ["stays", "patients"]
    (candidate,) = findings.relationships
    assert (candidate.child, candidate.parent) == ("stays", "patients")


def test_split_keeps_subjects_whole_and_preserves_the_format() -> None:
    visits = pd.DataFrame({"patient": np.repeat(np.arange(200), 3), "weight": np.arange(600.0)})
    training, holdout = understudy.split(visits, subject="patient", holdout_fraction=0.3, seed=1)
    assert training.dtypes.equals(visits.dtypes)
    assert len(training) + len(holdout) == len(visits)
    assert set(training["patient"]).isdisjoint(holdout["patient"])
    assert 0 < len(holdout) < len(visits)


def test_split_keeps_children_with_their_parents() -> None:
    data = {
        "patient": pa.table({"id": range(100)}),
        "visit": pa.table({"patient": [i % 100 for i in range(500)]}),
    }
    relationship = understudy.Relationship(
        child="visit", child_columns=("patient",), parent="patient", parent_columns=("id",)
    )
    schema = understudy.infer_schema(data).model_copy(update={"relationships": (relationship,)})
    training, holdout = understudy.split(data, schema=schema, seed=1)
    for part in (training, holdout):
        assert set(part["visit"]["patient"].to_pylist()) == set(part["patient"]["id"].to_pylist())


@pytest.mark.parametrize("wrong", [{"subject": "nobody"}, {"holdout_fraction": 1.5}])
def test_split_refuses_invalid_arguments(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        understudy.split(pa.table({"x": [1, 2]}), **wrong)


def test_model_fitted_on_the_command_line_samples_pandas_frames(tmp_path: Path):
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    path = tmp_path / "people.model"
    assert run(["fit", str(tmp_path / "people.csv"), "-o", str(path), "--synthesizer", "independent"]) == 0
    model = understudy.load(path)
    assert model.sample(5, seed=1).dtypes.equals(PEOPLE.dtypes)
    assert list(model.schema.tables) == ["people"]


@pytest.mark.parametrize("name", ["format_2.model", "format_3.model"])
def test_models_of_older_formats_sample_pandas_frames(name: str):
    model = understudy.load(Path(__file__).parent / "synthesizers" / "stored_models" / name)
    (table,) = model.schema.tables.values()
    assert list(model.sample(5, seed=1).columns) == table.names


def test_identifiers_in_samples_with_different_id_ranges_do_not_overlap() -> None:
    emails = [f"ann.{i}@firm.com" for i in range(200)]
    frame = pd.DataFrame({"id": range(200), "email": emails, "age": [i % 50 for i in range(200)]})
    model = understudy.fit(frame, seed=1)
    first, second = model.sample(300, seed=1, id_start=0), model.sample(300, seed=2, id_start=300)
    both = pd.concat([first, second])
    assert both["id"].is_unique
    assert both["email"].is_unique
    assert not first["age"].equals(second["age"])
    # The rows have the same identifiers whether they are sampled at once or in parts.
    rest = model.sample(200, seed=1, offset=100, id_start=0)
    assert rest.equals(first.iloc[100:].reset_index(drop=True))
    condition = understudy.SampleCondition(where={"age": {"minimum": 30}}, n_rows=50)
    older = model.sample(seed=3, id_start=600, constraints={"conditions": [condition]})
    assert pd.concat([both, older])["id"].is_unique
