"""A metric needs one file, one line and a section of the documentation to be in reports and the catalogue."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.copied_project import add_line, copy_project, run

TOY = Path(__file__).with_name("toy_metric.txt")
PEOPLE = ("tests/unit/__init__.py", "tests/unit/evaluation/__init__.py", "tests/unit/evaluation/people.py")
DOCUMENTATION = "docs/reference/metrics.md"

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
(toy,) = (scores.synthetic for scores in read.metrics if scores.name == "toy_shapes")
catalogue = {metric.name: metric for metric in asyncio.run(list_metrics(None)).data}
print(json.dumps({
    "title": catalogue["toy_shapes"].title,
    "result": [type(toy).__name__, toy.n_toys],
    "in_schema": "The number of toys." in json.dumps(report_schema()),
}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with an additional metric and its documentation."""
    folder = copy_project(tmp_path_factory.mktemp("project"), *PEOPLE, DOCUMENTATION)
    with (folder / DOCUMENTATION).open("a", encoding="utf-8") as documentation:
        documentation.write("\n### Toy shapes { #toy_shapes }\n")
    topic = folder / "understudy" / "evaluation" / "metrics" / "fidelity"
    shutil.copyfile(TOY, topic / "toy_shapes.py")
    family = "understudy.evaluation.metrics"
    add_line(
        topic / "__init__.py",
        f"from {family}.base import Metric",
        f"from {family}.fidelity.toy_shapes import TOY_SHAPES",
    )
    add_line(topic / "__init__.py", "    COLUMN_SHAPES,", "    TOY_SHAPES,")
    return folder


def test_a_new_metric_is_in_the_catalogue_and_in_reports(project: Path) -> None:
    shown = json.loads(run(project, "-c", SHOW))
    assert shown["title"] == "Toy shapes"
    assert shown["result"][0] == "ToyShapesResult"
    assert shown["result"][1] > 1
    assert shown["in_schema"]


def test_a_new_metric_is_in_the_contract_suite(project: Path) -> None:
    arguments = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contracts/test_metrics.py")
    assert " passed" in run(project, *arguments, "-k", "toy_shapes")
