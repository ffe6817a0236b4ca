"""Tests that a metric added by the documented steps appears in reports, their schema and the catalog."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from tests.how_to.pages import ROOT, build, copy_project, run

PAGE = ROOT / "docs" / "how-to" / "add-a-metric.md"

SHOW = """
import asyncio, json
from app.routes.catalogues import list_metrics
from tests.unit.evaluation.people import people
from understudy.evaluation.comparison import ComparisonTables
from understudy.evaluation.report import Report, evaluate
from understudy.evaluation.report_schema import report_schema
from understudy.tables.inference import infer_table

real = people(200, seed=1)
report = evaluate(ComparisonTables(real, people(200, seed=2)), infer_table(real))
read = Report.model_validate_json(report.model_dump_json())
(added,) = (scores.synthetic for scores in read.metrics if scores.name == "median_shift")
catalogue = {metric.name: metric for metric in asyncio.run(list_metrics(None)).data}
print(json.dumps({
    "title": catalogue["median_shift"].title,
    "result": [type(added).__name__, sorted(added.shifts)],
    "in_schema": "in interquartile ranges of the real table." in json.dumps(report_schema()),
}))
"""


def test_a_new_metric_appears_in_the_catalog_and_in_reports_and_in_their_schema(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    build(PAGE, project)
    assert json.loads(run(f"python -c {shlex.quote(SHOW)}", project)) == {
        "title": "Median shift",
        "result": ["MedianShiftResult", ["height", "joined", "visits"]],
        "in_schema": True,
    }
