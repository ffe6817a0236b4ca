"""Tests for key, subject and target candidates and for relationships between tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from understudy.tables.formats import write_table
from understudy.tables.inference import infer_schema, infer_stored, infer_table
from understudy.tables.source import ArrowSource, ParquetSource, TableSource

rng = np.random.default_rng(0)
CUSTOMERS = pa.table({"id": range(1, 101), "country": rng.choice(["AT", "DE", "FR"], 100)})
VISITS = pa.table(
    {
        "visit_no": rng.permutation(500) + 1000,
        "customer_id": rng.integers(1, 101, 500),
        "minutes": rng.integers(1, 50, 500),
        "churn": rng.choice(["yes", "no"], 500),
    }
)


def test_the_best_key_comes_first_with_its_evidence():
    (key,) = infer_table(VISITS).findings.primary_keys
    assert key.columns == ("visit_no",)
    assert key.evidence.startswith("no value is missing; all 500 values differ")


def test_columns_with_missing_or_repeated_values_are_not_candidates_for_keys():
    table = pa.table({"a_id": [*range(49), None], "b_id": [*range(49), 0]})
    assert infer_table(table).findings.primary_keys == ()


def test_a_clear_subject_is_declared_with_its_evidence():
    schema, findings = infer_table(VISITS)
    assert findings.subject is not None
    assert findings.subject.columns == schema.subject == ("customer_id",)
    assert "500 sampled rows have" in findings.subject.evidence
    assert infer_table(CUSTOMERS).findings.subject is None


def test_the_target_has_an_indicative_name_or_is_the_last_column_and_has_few_levels():
    named, last = infer_table(VISITS).findings.target, infer_table(CUSTOMERS).findings.target
    assert named is not None
    assert last is not None
    assert (named.columns, last.columns) == (("churn",), ("country",))
    assert named.confidence > last.confidence


@pytest.mark.parametrize("stored", [False, True])
def test_references_between_tables_are_candidates_for_relationships(stored: bool, tmp_path: Path):
    data: dict[str, TableSource] = {}
    for name, table in (("customers", CUSTOMERS), ("visits", VISITS)):
        path = tmp_path / f"{name}.parquet"
        write_table(path, table.to_batches(), table.schema)
        data[name] = ParquetSource(path) if stored else ArrowSource(table)
    (candidate,) = infer_schema(data).findings.relationships
    assert (candidate.child, candidate.child_columns) == ("visits", ("customer_id",))
    assert (candidate.parent, candidate.parent_columns) == ("customers", ("id",))


def test_a_long_file_produces_the_same_findings_as_the_table_in_memory(tmp_path: Path):
    n = 400_000
    users = rng.integers(0, 150_000, n)
    table = pa.table(
        {"key": rng.permutation(n), "user": [f"u{u:06}" for u in users], "x": rng.normal(size=n)}
    )
    path = tmp_path / "table.parquet"
    write_table(path, table.to_batches(max_chunksize=50_000), table.schema)
    inferred = infer_table(table), infer_stored(path, table.schema, n_missing=[0, 0, 0])
    kinds = [[column.kind.value for column in schema.columns] for schema, _ in inferred]
    # Most users have one row in the sample used for inference, but 2.7 rows on average in the whole table.
    assert kinds == [["identifier", "identifier", "float"]] * 2
    assert [[key.columns for key in findings.primary_keys] for _, findings in inferred] == [[("key",)]] * 2
