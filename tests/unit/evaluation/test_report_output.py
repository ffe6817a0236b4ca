"""Tests for report output as a DataFrame, a file, a notebook table and text."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.evaluation.people import people
from tests.unit.evaluation.test_report import HOSTILE, Page
from understudy.errors import InvalidInput, NotFound
from understudy.evaluation.comparison import ComparisonTables
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.page.html import render_html
from understudy.evaluation.report import Report, evaluate
from understudy.tables.inference import infer_table

NUMBERS = ["value", "interval_low", "interval_high", "real", "independent", "noisy_copy", "best"]


@pytest.fixture(scope="module")
def report() -> Report:
    real = people(120, seed=1)
    return evaluate(ComparisonTables(real, people(100, seed=2)), infer_table(real))


def test_data_frame_has_one_row_per_metric_with_its_numbers(report: Report) -> None:
    frame = report.to_frame()
    assert frame["name"].tolist() == [scores.name for scores in report.metrics]
    assert all(frame[column].dtype == "float64" for column in NUMBERS)
    row = frame.set_index("name").loc["column_shapes"]
    scores = report.scores("column_shapes")
    assert scores.floor is not None
    assert (row["topic"], row["title"], row["direction"]) == ("fidelity", scores.title, "higher")
    assert (row["value"], row["real"], row["best"]) == (scores.synthetic.score, scores.floor.score, 1.0)


def test_data_frame_contains_reasons_and_outcomes(report: Report) -> None:
    frame = report.to_frame().set_index("name")
    assert frame.loc["nearest_record", "reason"] == "needs a holdout"
    assert pd.isna(frame.loc["nearest_record", "value"])
    assert pd.isna(frame.loc["column_shapes", "reason"])
    assert frame["outcome"].dropna().to_dict() == report.verdict.outcomes()


def test_worst_outcome_of_several_checks_is_reported(report: Report) -> None:
    check = report.verdict.checks[0]
    outcomes = ["pass", "fail", "unscored", "warn"]
    checks = [check.model_copy(update={"outcome": outcome}) for outcome in outcomes]
    assert report.verdict.model_copy(update={"checks": checks}).outcomes() == {check.metric: "fail"}


@pytest.mark.parametrize("as_path", [str, Path])
def test_report_is_saved_in_the_format_of_its_suffix(
    report: Report, tmp_path: Path, as_path: Callable[[str], Path | str]
) -> None:
    report.save(as_path(f"{tmp_path}/report.HTML"))
    report.save(as_path(f"{tmp_path}/report.json"))
    assert (tmp_path / "report.HTML").read_text(encoding="utf-8") == render_html(report)
    assert Report.model_validate_json((tmp_path / "report.json").read_text(encoding="utf-8")) == report


@pytest.mark.parametrize("name", ["report", "report.pdf", "report.html.gz", ".html"])
def test_error_for_an_unsupported_suffix_contains_a_remedy(report: Report, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(repr(name)) + ".* Use .html .* or .json") as caught:
        report.save(tmp_path / name)
    assert caught.value.code == "unknown_format"
    assert list(tmp_path.iterdir()) == []


def test_failed_save_leaves_nothing_behind(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(InvalidInput, match="cannot be written"):
        report.save(tmp_path / "report.json")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_error_for_a_missing_folder_contains_its_path(report: Report, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="absent"):
        report.save(tmp_path / "absent" / "report.html")


def test_notebook_output_shows_verdict_and_scores_without_colors(report: Report) -> None:
    text = report._repr_html_()
    page = Page(text)
    assert page.open_tags == []
    assert not {"script", "link", "img", "style", "svg"} & set(page.tags)
    assert not re.search("colou?r|background|http|url", text)
    assert report.verdict.sentence in text
    assert text.count('<th scope="row"') == len(report.metrics)
    assert "Not scored: needs a holdout" in text


def test_notebook_output_escapes_titles_and_reasons(report: Report) -> None:
    hostile = report.metrics[0].model_copy(
        update={"title": HOSTILE, "synthetic": UnscoredResult(reason=HOSTILE)}
    )
    text = report.model_copy(update={"metrics": [hostile]})._repr_html_()
    assert "script" not in Page(text).tags
    assert text.count("&lt;script&gt;") == 2
    assert "\u202e" not in text


def test_text_of_a_report_has_at_most_six_lines(report: Report) -> None:
    text = str(report)
    assert repr(report) == text
    assert text.count("\n") <= 5
    assert text.startswith(
        "Report: WARN under the policy standard\n  120 real rows, 100 synthetic rows, 5 columns;"
    )
    titles = [check.title for check in report.verdict.checks if check.outcome == "warn"]
    assert ("warn: " + ", ".join(titles) in text) is bool(titles)


def test_loading_reports_does_not_load_jinja() -> None:
    code = "import sys, understudy.evaluation.report; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
