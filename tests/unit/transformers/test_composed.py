"""Tests that identifiers composed of other columns contain the synthetic values of these columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import understudy
from understudy.engine.model import Model
from understudy.errors import InvalidInput
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.array_reader import ArrayReader
from understudy.transformers.base import NumberedRows, consecutive_rows
from understudy.transformers.generated.composed import Composed
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import TableTransformer
from understudy.transformers.table_fitting import Execution, fit_table

N = 400
_TYPES = {ColumnKind.date: "date32[day]", ColumnKind.integer: "int64"}

Rows = list[dict[str, Any]]


def fitted(columns: dict[str, list[Any]], **kinds: ColumnKind) -> TableTransformer:
    table = pa.table(columns)
    schema = TableSchema(
        columns=tuple(
            Column(
                name=field.name,
                kind=kinds.get(field.name, ColumnKind.category),
                arrow_type=_TYPES.get(kinds.get(field.name, ColumnKind.category), str(field.type)),
                nullable=True,
            )
            for field in table.schema
        )
    )
    return fit_table(table.cast(schema.to_arrow()), schema, Execution("en"))[0]


def rows_of(table: TableTransformer, n: int = N, seed: int = 1, first: int = 0) -> Rows:
    rng = np.random.default_rng(first)
    codes = {
        j: rng.integers(0, column.n_codes, n).astype(np.uint16) for j, column in enumerate(table.columns)
    }
    return table.decode(codes, seed, NumberedRows(consecutive_rows(first, n))).to_pylist()


def composed(table: TableTransformer, name: str) -> Composed:
    transformer = table.columns[table.schema.names.index(name)]
    assert isinstance(transformer, GeneratedTransformer)
    assert isinstance(transformer.generator, Composed)
    return transformer.generator


def trial() -> dict[str, list[Any]]:
    sites = [("03", "07", "11", "25")[i % 7 % 4] for i in range(N)]
    subjects = [f"S{site}-{i:04d}" for i, site in enumerate(sites)]
    return {
        "subject_id": subjects,
        "site": sites,
        "scan": [f"/data/{subject}/scan_{i % 37:02d}.nii" for i, subject in enumerate(subjects)],
    }


def dates() -> list[Any]:
    days: list[Any] = (np.datetime64("2023-01-01") + np.random.default_rng(0).integers(0, 700, N)).tolist()
    return days


def check_new_and_unique(rows: Rows, name: str, columns: dict[str, list[Any]]) -> None:
    values = [row[name] for row in rows]
    assert not set(values) & set(columns[name])
    assert len(set(values)) == len(values)


def test_subject_id_contains_the_site_and_a_file_name_contains_the_subject() -> None:
    columns = trial()
    table = fitted(columns, subject_id=ColumnKind.identifier, scan=ColumnKind.identifier)
    for seed in range(10):
        rows = rows_of(table, seed=seed)
        assert all(row["subject_id"].startswith(f"S{row['site']}-") for row in rows)
        assert all(row["scan"].startswith(f"/data/{row['subject_id']}/scan_") for row in rows)
        check_new_and_unique(rows, "subject_id", columns)
        check_new_and_unique(rows, "scan", columns)


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [("%Y", "INV-{}-"), ("%m%d", "{}/"), ("%y%m", "A{}."), ("%Y%m%d", "{}"), ("%d%b%Y", "no {} ")],
)
def test_parts_of_a_date_in_an_identifier_agree_with_the_date(pattern: str, prefix: str) -> None:
    days = dates()
    texts = [day.strftime(pattern) for day in days]
    numbers = np.random.default_rng(1).choice(900_000, N, replace=False) + 100_000
    columns: dict[str, list[Any]] = {
        "invoice": [prefix.format(text) + str(k) for text, k in zip(texts, numbers, strict=True)],
        "day": days,
    }
    table = fitted(columns, invoice=ColumnKind.identifier, day=ColumnKind.date)
    rows = rows_of(table)
    assert all(row["invoice"].startswith(prefix.format(row["day"].strftime(pattern))) for row in rows)
    check_new_and_unique(rows, "invoice", columns)


def test_parts_of_a_date_agree_with_a_date_stored_as_a_number() -> None:
    days = [(10142018, 10062018, 10182018)[i % 5 % 3] for i in range(N)]
    columns: dict[str, list[Any]] = {
        "key": [f"{day // 10_000}-{i:05d}" for i, day in enumerate(days)],
        "day": days,
    }
    rows = rows_of(fitted(columns, key=ColumnKind.identifier, day=ColumnKind.integer))
    assert all(row["key"].startswith(f"{row['day'] // 10_000}-") for row in rows)
    check_new_and_unique(rows, "key", columns)


@pytest.mark.parametrize("case", [str.upper, str.lower])
@pytest.mark.parametrize("n_letters", [2, 3, 20])
def test_first_letters_of_an_identifier_agree_with_the_category(case: Any, n_letters: int) -> None:
    kinds = [("Furniture", "Office", "Technology")[i % 5 % 3] for i in range(N)]
    columns: dict[str, list[Any]] = {
        "code": [f"{case(kind)[:n_letters]}/{i:05d}" for i, kind in enumerate(kinds)],
        "kind": kinds,
    }
    rows = rows_of(fitted(columns, code=ColumnKind.identifier))
    assert all(row["code"].startswith(case(row["kind"])[:n_letters] + "/") for row in rows)
    check_new_and_unique(rows, "code", columns)


@pytest.mark.parametrize("width", [1, 4, 6])
def test_numbers_in_an_identifier_are_padded_as_in_the_table(width: int) -> None:
    branches = [(7, 12, 203, 880)[i % 5 % 4] for i in range(N)]
    numbers = np.random.default_rng(2).choice(90_000_000, N, replace=False) + 10_000_000
    columns: dict[str, list[Any]] = {
        "account": [f"{branch:0{width}d}-{k}" for branch, k in zip(branches, numbers, strict=True)],
        "branch": branches,
    }
    rows = rows_of(fitted(columns, account=ColumnKind.identifier, branch=ColumnKind.integer))
    assert all(row["account"].startswith(f"{row['branch']:0{width}d}-") for row in rows)
    check_new_and_unique(rows, "account", columns)


def test_integer_identifiers_contain_the_numbers_of_other_columns() -> None:
    branches = [(203, 417, 880)[i % 5 % 3] for i in range(N)]
    numbers = np.random.default_rng(2).choice(10_000_000, N, replace=False)
    columns: dict[str, list[Any]] = {
        "account": [branch * 10_000_000 + int(k) for branch, k in zip(branches, numbers, strict=True)],
        "branch": branches,
    }
    rows = rows_of(fitted(columns, account=ColumnKind.identifier, branch=ColumnKind.integer))
    assert all(row["account"] // 10_000_000 == row["branch"] for row in rows)
    check_new_and_unique(rows, "account", columns)


def test_url_and_composite_key_contain_a_generated_identifier() -> None:
    ids = [f"p{k}" for k in np.random.default_rng(3).choice(900_000, N, replace=False) + 100_000]
    lines = [i % 6 + 1 for i in range(N)]
    columns: dict[str, list[Any]] = {
        "id": ids,
        "line": lines,
        "key": [f"{own}_{line}" for own, line in zip(ids, lines, strict=True)],
        "url": [f"https://shop.acme.com/items/{own}?ref=mail" for own in ids],
    }
    identifiers = dict.fromkeys(("id", "key"), ColumnKind.identifier)
    table = fitted(columns, **identifiers, url=ColumnKind.url, line=ColumnKind.integer)
    rows = rows_of(table)
    assert all(row["key"] == f"{row['id']}_{row['line']}" for row in rows)
    # The host of a URL is always reserved for examples.
    assert all(row["url"] == f"https://example.com/items/{row['id']}?ref=mail" for row in rows)
    check_new_and_unique(rows, "key", columns)


def test_identifier_that_consists_only_of_learned_columns_contains_a_new_number() -> None:
    rng = np.random.default_rng(4)
    areas, shifts = rng.choice(["37F", "12A", "05C"], N).tolist(), rng.choice(["AM", "PM"], N).tolist()
    numbers = [i // 6 + 1 for i in range(N)]
    columns: dict[str, list[Any]] = {
        "key": [f"{a}-{s}-{k:02d}" for a, s, k in zip(areas, shifts, numbers, strict=True)],
        "area": areas,
        "shift": shifts,
        "number": numbers,
    }
    rows = rows_of(fitted(columns, key=ColumnKind.identifier, number=ColumnKind.integer))
    assert all(row["key"].startswith(f"{row['area']}-{row['shift']}-") for row in rows)
    check_new_and_unique(rows, "key", columns)


def test_columns_that_agree_only_by_chance_are_not_inserted() -> None:
    rng = np.random.default_rng(5)
    columns: dict[str, list[Any]] = {
        "id": [f"A{k:05d}" for k in rng.permutation(99_999)[:N]],
        "digit": [str(d) for d in rng.integers(0, 10, N)],
        "constant": ["A"] * N,
        # Nearly all rows have the same value, so they agree with the identifier by chance.
        "mostly": ["A"] * (N - 1) + ["B"],
    }
    table = fitted(columns, id=ColumnKind.identifier)
    transformer = table.columns[0]
    assert isinstance(transformer, GeneratedTransformer)
    assert not isinstance(transformer.generator, Composed)


def test_zeros_replace_missing_values_of_the_other_column_in_the_identifier() -> None:
    columns = trial()
    columns["site"] = [None if i % 10 == 0 else site for i, site in enumerate(columns["site"])]
    rows = rows_of(fitted(columns, subject_id=ColumnKind.identifier, scan=ColumnKind.identifier))
    assert any(row["site"] is None for row in rows)
    assert all(row["subject_id"].startswith(f"S{row['site'] or '00'}-") for row in rows)


def test_a_few_contradictory_rows_are_never_copied() -> None:
    columns = trial()
    columns["subject_id"][7] = "S99-0007"
    table = fitted(columns, subject_id=ColumnKind.identifier, scan=ColumnKind.identifier)
    assert composed(table, "subject_id").sources == ("site",)
    check_new_and_unique(rows_of(table, 2_000), "subject_id", columns)


def test_rows_do_not_depend_on_the_block_and_saved_models_produce_the_same_rows() -> None:
    table = fitted(trial(), subject_id=ColumnKind.identifier, scan=ColumnKind.identifier)
    manifests, arrays = table.to_arrays()
    loaded = TableTransformer.from_arrays(table.schema, ArrayReader({"columns": manifests}, arrays))
    codes = [np.zeros(100, np.uint16) for _ in table.columns]
    whole = loaded.decode(dict(enumerate(codes)), 5, NumberedRows(consecutive_rows(0, 100)))
    part = table.decode({j: c[:10] for j, c in enumerate(codes)}, 5, NumberedRows(consecutive_rows(90, 10)))
    assert whole.slice(90).to_pylist() == part.to_pylist()


@pytest.mark.parametrize(
    "change",
    [
        {"references": []},
        {"references": [{"column": "nothing"}]},
        {"references": "site"},
        {"rest": None},
        {"rest": {"form": "composed"}},
    ],
)
def test_damaged_references_are_refused(change: dict[str, Any]) -> None:
    table = fitted(trial(), subject_id=ColumnKind.identifier, scan=ColumnKind.identifier)
    manifests, arrays = table.to_arrays()
    damaged = [manifests[0] | change, *manifests[1:]]
    with pytest.raises(InvalidInput, match="not a valid model file"):
        TableTransformer.from_arrays(table.schema, ArrayReader({"columns": damaged}, arrays))


def test_an_identifier_that_contains_itself_is_refused() -> None:
    table = fitted(trial(), subject_id=ColumnKind.identifier, scan=ColumnKind.identifier)
    manifests, arrays = table.to_arrays()
    reference = manifests[0]["references"][0] | {"column": "scan"}
    damaged = [manifests[0] | {"references": [reference]}, *manifests[1:]]
    with pytest.raises(InvalidInput, match="contains itself"):
        TableTransformer.from_arrays(table.schema, ArrayReader({"columns": damaged}, arrays))


@pytest.fixture(scope="module")
def model() -> Model:
    return understudy.fit(pa.table(trial() | {"age": [20 + i % 50 for i in range(N)]}), seed=1)


def test_identifiers_agree_with_other_columns_under_conditions_and_after_imputation(model: Model) -> None:
    condition = {"where": {"site": {"equals": "11"}}, "n_rows": 50}
    sampled = model.sample(constraints={"conditions": [condition]}, seed=1).to_pylist()
    assert all(row["site"] == "11" and row["subject_id"].startswith("S11-") for row in sampled)
    gaps = pa.table({**trial(), "age": [30] * N}).slice(0, 40)
    gaps = gaps.set_column(0, "subject_id", pa.array([None] * 40, pa.string()))
    completed = model.impute(gaps, seed=1).to_pylist()
    assert all(row["subject_id"].startswith(f"S{row['site']}-") for row in completed)


def test_card_lists_the_columns_that_an_identifier_contains(model: Model) -> None:
    described = {column["name"]: column for column in model.card()["columns"]}
    assert described["subject_id"]["contains"] == ["site"]
    assert any("'subject_id'" in warning and "'site'" in warning for warning in model.card()["warnings"])
