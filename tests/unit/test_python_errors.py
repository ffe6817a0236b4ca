"""Tests for the arguments that public functions accept and the errors for invalid arguments."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import understudy
from understudy.errors import InvalidInput, NotFound, StorageFull, UnderstudyError
from understudy.parameters.calls import checked

PEOPLE = pd.DataFrame(
    {
        "age": [20 + row * 7 % 50 for row in range(200)],
        "city": ["Oslo", "Rome"] * 100,
        "income": [None if row % 13 == 0 else float(row) for row in range(200)],
    }
)
CITIES = PEOPLE[["city"]]


@pytest.fixture(scope="module")
def model() -> understudy.Model:
    return understudy.fit(PEOPLE, seed=1)


def changed(model: understudy.Model, **fields: Any) -> understudy.DatasetSchema:
    """Return the model's schema with changed, unvalidated fields in column `age`."""
    table = model.schema.tables["table"]
    first, *others = table.columns
    columns = (first.model_copy(update=fields), *others)
    return model.schema.model_copy(
        update={"tables": {"table": table.model_copy(update={"columns": columns})}}
    )


def where(**constraint: Any) -> dict[str, Any]:
    return {"conditions": [{"where": {"age": constraint}, "n_rows": 3}]}


def test_schema_can_be_given_as_a_model_a_table_schema_or_a_dict(model: understudy.Model):
    table = model.schema.tables["table"]
    for schema in (
        model,
        model.schema,
        table,
        model.schema.model_dump(),
        model.schema.model_dump(mode="json"),
    ):
        assert understudy.fit(PEOPLE, schema=schema, synthesizer="independent").schema == model.schema
    assert list(understudy.fit({"people": PEOPLE}, schema=table).schema.tables) == ["people"]


def test_table_schema_describes_the_table_named_after_the_file(model: understudy.Model, tmp_path: Path):
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    fitted = understudy.fit(tmp_path / "people.csv", schema=model.schema.tables["table"])
    assert list(fitted.schema.tables) == ["people"]


def test_string_instead_of_an_enum_member_is_converted(model: understudy.Model):
    schema = changed(model, kind="category", domain={"levels": list(range(20, 70))})
    column = understudy.fit(PEOPLE, schema=schema).schema.tables["table"].column("age")
    assert column.kind is understudy.ColumnKind.category
    assert isinstance(column.domain, understudy.ColumnDomain)


def test_constraints_and_options_are_accepted_as_dicts(model: understudy.Model):
    rows = model.sample(seed=1, constraints=where(minimum=50))
    assert (rows["age"] >= 50).all()
    assert model.effective_shares(where(minimum=20)) == [1.0]
    report = understudy.evaluate(PEOPLE, PEOPLE, options={"target": "city"})
    assert report.options.target == "city"


@pytest.mark.parametrize("integer", [np.int32, np.uint8, np.int64])
def test_numpy_integers_are_accepted(model: understudy.Model, integer: type[np.integer]):
    assert model.sample(integer(5), seed=integer(3)).equals(model.sample(5, seed=3))
    assert understudy.fit(PEOPLE, seed=integer(7), synthesizer="independent").seed == 7


SEEDS = ["a", 1.5, -1, 2**63, 10**30, True, float("nan"), np.float64(1), np.array([1, 2]), b"1"]


@pytest.mark.parametrize("seed", SEEDS, ids=repr)
def test_invalid_seeds_are_refused(model: understudy.Model, seed: Any):
    calls: list[Callable[[], object]] = [
        lambda: understudy.fit(PEOPLE, seed=seed),
        lambda: model.sample(5, seed=seed),
        lambda: understudy.sample(model, 5, seed=seed),
        lambda: model.impute(PEOPLE, seed=seed),
        lambda: understudy.split(PEOPLE, seed=seed),
        lambda: understudy.evaluate(PEOPLE, PEOPLE, seed=seed),
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match=r"^seed is .*Pass an integer"):
            call()


@pytest.mark.parametrize("number", [1.5, "5", -1, 2**62, [5], True], ids=repr)
def test_invalid_numbers_of_rows_are_refused(model: understudy.Model, number: Any):
    with pytest.raises(InvalidInput, match=r"^n_rows is"):
        model.sample(number)
    with pytest.raises(InvalidInput, match=r"^offset is"):
        model.sample(5, offset=number)
    if number != 2**62:
        with pytest.raises(InvalidInput, match=r"^n_draws is"):
            model.impute(PEOPLE, n_draws=number)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schema": 5}, "schema is of type int. Pass a DatasetSchema"),
        ({"schema": "people.model"}, "schema is of type str"),
        ({"schema": {}}, "schema.tables: Field required"),
        ({"subject": 3}, "subject is of type int. Pass a column name"),
        ({"subject": ("age", 3)}, "subject is of type tuple"),
        ({"synthesizer": 3}, "synthesizer is of type int"),
        ({"synthesizer": ["best"]}, "synthesizer is of type list"),
    ],
)
def test_fit_errors_name_the_invalid_argument(arguments: dict[str, Any], message: str):
    with pytest.raises(InvalidInput, match=message) as caught:
        understudy.fit(PEOPLE, **arguments)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"kind": "nonsense"}, r"columns\.0\.kind"),
        ({"kind": ["category"]}, r"columns\.0\.kind"),
        ({"domain": object()}, r"columns\.0\.domain"),
        ({"domain": {"minimum": 5, "maximum": 1}}, "minimum must not be above maximum"),
        ({"domain": {"levels": []}}, "set either levels, or at least one of minimum, maximum and step"),
        ({"domain": {"step": 0}}, r"domain\.step.*greater than 0"),
        ({"arrow_type": "foo"}, "'foo' is not an Arrow type"),
    ],
)
def test_copied_schema_with_invalid_fields_is_refused(
    model: understudy.Model, fields: dict[str, Any], place: str
):
    schema = changed(model, **fields)
    for call in (understudy.fit, understudy.split):
        with pytest.raises(InvalidInput, match=place):
            call(PEOPLE, schema=schema)
    with pytest.raises(InvalidInput, match=place):
        understudy.evaluate(PEOPLE, PEOPLE, schema=schema)


def test_schema_of_one_table_is_refused_for_several_tables(model: understudy.Model):
    with pytest.raises(InvalidInput, match=r"the data has several tables. Pass a DatasetSchema"):
        understudy.fit({"a": PEOPLE, "b": PEOPLE}, schema=model.schema.tables["table"])


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        ([1], "constraints is of type list"),
        ({"x": 1}, "constraints.x: Extra inputs"),
        ({}, "set either conditions or rebalance"),
        (where(), "set exactly one of equals"),
        ({"rebalance": {"column": "city", "shares": [{"value": "Rome", "share": 0.5}]}}, "add up to 1"),
        (where(minimum=90, maximum=80), "The range of column 'age' is reversed"),
        (where(is_missing=True), "Column 'age' has no missing values in the model"),
        (where(equals=1000), "No learned value of column 'age' satisfies the condition"),
    ],
)
def test_errors_describe_invalid_constraints(model: understudy.Model, constraints: Any, message: str):
    with pytest.raises(InvalidInput, match=message):
        model.sample(5 if "rebalance" in constraints else None, constraints=constraints)


def test_invalid_options_are_refused():
    with pytest.raises(InvalidInput, match="options is of type str"):
        understudy.evaluate(PEOPLE, PEOPLE, options="city")
    with pytest.raises(InvalidInput, match=r"options\.protected: Input should be a valid tuple"):
        understudy.evaluate(PEOPLE, PEOPLE, options={"protected": "city"})


SUFFIXES = ["csv", "csv.gz", "parquet", "jsonl", "arrow", "xlsx"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_error_for_a_missing_file_contains_the_path_as_given(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for data in (f"no.{suffix}", {"a": f"no.{suffix}"}):
        with pytest.raises(NotFound, match=rf"^The file 'no\.{suffix}' does not exist"):
            understudy.fit(data)
    with pytest.raises(NotFound, match=rf"'no\.{suffix}'"):
        understudy.evaluate(PEOPLE, f"no.{suffix}")
    with pytest.raises(NotFound, match=r"folder of the file 'nodir/x\.csv' does not exist"):
        understudy.fit("nodir/x.csv")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_folder_instead_of_a_file_is_refused(suffix: str, tmp_path: Path):
    folder = tmp_path / f"folder.{suffix}"
    folder.mkdir()
    for call in (understudy.fit, understudy.infer_schema, understudy.split, understudy.load):
        with pytest.raises(InvalidInput, match="folder"):
            call(folder)


def test_errors_name_model_files_that_cannot_be_opened(
    model: understudy.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound, match=r"'no\.model'"):
        understudy.load("no.model")
    with pytest.raises(NotFound, match="'nodir/x' does not exist"):
        model.save("nodir/x")
    with pytest.raises(InvalidInput, match="is a folder"):
        model.save(tmp_path)
    for path in (5, b"x", "", "a\0b"):
        with pytest.raises(InvalidInput, match="Pass the path of a file"):
            understudy.save(model, path)  # type: ignore[arg-type]  # invalid on purpose
    with pytest.raises(InvalidInput, match="Pass the path of a file"):
        understudy.fit("a\0b.csv")


def test_objects_other_than_models_are_refused():
    wrong: Any = PEOPLE
    for call in (understudy.sample, understudy.save, understudy.impute):
        with pytest.raises(InvalidInput, match="model is of type DataFrame"):
            call(wrong, wrong)


def test_unknown_library_is_refused(model: understudy.Model):
    for library in ("csv", ["pandas"]):
        with pytest.raises(InvalidInput, match="Choose one of pandas, polars, arrow"):
            model.with_format(library)  # type: ignore[arg-type]  # invalid on purpose


@pytest.mark.parametrize("fraction", ["a", float("nan"), -1, 2, None], ids=repr)
def test_invalid_holdout_fractions_are_refused(fraction: Any):
    with pytest.raises(InvalidInput, match="holdout"):
        understudy.split(PEOPLE, holdout_fraction=fraction)


def test_empty_holdout_is_refused_unless_the_fraction_is_0():
    with pytest.raises(InvalidInput, match=r"No row is held out.*larger fraction"):
        understudy.split(PEOPLE[:2], holdout_fraction=0.01)
    assert len(understudy.split(PEOPLE[:2], holdout_fraction=0)[1]) == 0


def test_errors_name_the_table_that_does_not_conform(model: understudy.Model):
    holdout: dict[str, Any] = {"holdout": CITIES}
    for real, synthetic, others, name in (
        (CITIES, PEOPLE, {}, "The real table"),
        (PEOPLE, CITIES, {}, "The synthetic table"),
        (PEOPLE, PEOPLE, holdout, "The holdout"),
        (PEOPLE, PEOPLE, {"canaries": CITIES.assign(is_planted=True)}, "The table of canaries"),
    ):
        with pytest.raises(InvalidInput, match=f"^{name} lacks columns 'age', 'income'"):
            understudy.evaluate(real, synthetic, schema=model, **others)
    with pytest.raises(InvalidInput, match="Column 'age' of the synthetic table has"):
        understudy.evaluate(PEOPLE, PEOPLE.assign(age="x"), schema=model)
    with pytest.raises(
        InvalidInput, match=r"lacks columns .* Provide exactly the columns that the model was fitted with"
    ):
        model.impute(CITIES)


def test_error_for_unsupported_constraints_suggests_a_synthesizer():
    independent = understudy.fit(PEOPLE, synthesizer="independent")
    with pytest.raises(InvalidInput, match="such as 'tree_chain'"):
        independent.sample(constraints=where(minimum=30))


def test_name_of_a_synthesizer_is_optional_in_its_python_parameters():
    assert understudy.TreeChainParameters().name == "tree_chain"
    assert understudy.IndependentParameters().name == "independent"
    assert "name" in understudy.TreeChainParameters.model_json_schema()["required"]


@pytest.mark.parametrize("fields", [{"minimum": 5, "maximum": 1}, {"step": -1}, {"levels": ()}, {}], ids=repr)
def test_invalid_domains_are_refused(fields: dict[str, Any]):
    with pytest.raises(ValidationError):
        understudy.ColumnDomain(**fields)


def test_model_fitted_on_few_rows_has_a_warning(model: understudy.Model):
    assert "20 rows" in understudy.fit(PEOPLE[:20]).warnings[0]
    assert model.warnings == ()


def test_column_with_mixed_time_zones_is_refused():
    first, second = pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-01-01", tz="Europe/Oslo")
    for other in (second, pd.Timestamp("2020-01-01")):
        frame = pd.DataFrame({"at": pd.Series([first, other] * 50, dtype=object)})
        with pytest.raises(InvalidInput, match=r"several time zones.*utc=True"):
            understudy.fit(frame)


def test_decimal_nan_is_sampled_as_none():
    prices = [Decimal("NaN") if row % 5 == 0 else Decimal(row % 7) for row in range(200)]
    sampled = understudy.fit(pd.DataFrame({"price": prices}), seed=1).sample(200, seed=1)["price"]
    assert set(map(type, sampled)) == {Decimal, type(None)}
    assert all(price is None or price.is_finite() for price in sampled)


@pytest.mark.parametrize(
    ("error", "class_", "message"),
    [
        (PermissionError(13, "Permission denied", "x.csv"), InvalidInput, "permission denied"),
        (OSError(28, "No space left on device"), StorageFull, "no space left"),
        (OSError("an error without a path"), InvalidInput, "cannot be read or written"),
    ],
)
def test_file_system_errors_name_the_path_as_given(
    error: OSError, class_: type[UnderstudyError], message: str
):
    @checked()
    def read(path: str) -> None:
        raise error

    with pytest.raises(class_, match=message) as caught:
        read("x.csv")
    assert "'x.csv'" in str(caught.value)
    assert caught.value.__cause__ is error


def test_os_error_without_a_path_is_not_translated():
    @checked()
    def fail(n_rows: int) -> None:
        raise OSError("not the caller's")

    with pytest.raises(OSError, match="not the caller's"):
        fail(5)
