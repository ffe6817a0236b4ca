"""Tests that the JSON Schema of reports is up to date and that reports conform to it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.unit.evaluation.people import people
from understudy.evaluation.comparison import ComparisonTables
from understudy.evaluation.report import evaluate
from understudy.evaluation.report_schema import FILE, report_schema
from understudy.tables.inference import infer_table

ROOT = Path(__file__).parents[3]


def test_the_published_schema_is_up_to_date() -> None:
    assert json.loads((ROOT / FILE).read_text(encoding="utf-8")) == report_schema()


@pytest.mark.parametrize("n_rows", [3, 200])
def test_a_report_conforms_to_the_schema(n_rows: int) -> None:
    real = people(n_rows, seed=1)
    report = evaluate(
        ComparisonTables(real, people(n_rows, seed=2), holdout=people(n_rows, seed=3)), infer_table(real)
    )
    jsonschema.Draft202012Validator(report_schema()).validate(json.loads(report.model_dump_json()))
