"""Tests for the complete report and its page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import people, related
from understudy.documentation import DOCS_URL
from understudy.errors import InvalidInput
from understudy.evaluation.comparison import ComparisonTables
from understudy.evaluation.metrics import METRICS
from understudy.evaluation.metrics.fidelity import ColumnShapesResult
from understudy.evaluation.page.html import render_html
from understudy.evaluation.report import Report, evaluate
from understudy.parameters.evaluation_options import AggregateQuery, EvaluationOptions
from understudy.parameters.policy import Policy, PolicyThreshold
from understudy.tables.inference import infer_table

HOSTILE = '<script>alert("1")</script> & "quoted" {{ 7 * 191 }} {% raw %} \u202e\x07'


class Page(HTMLParser):
    """A parser that collects the elements of a page."""

    VOID = frozenset({"meta", "path", "rect", "circle", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open_tags: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag


@pytest.fixture(scope="module")
def report() -> Report:
    real, synthetic, holdout = (
        related(people(n_rows, seed=seed), seed=seed) for seed, n_rows in enumerate((800, 500, 400), start=1)
    )
    return evaluate(
        ComparisonTables(real, synthetic, holdout=holdout),
        infer_table(real),
        options=EvaluationOptions(
            target="town",
            protected=("visits",),
            queries=(AggregateQuery(aggregate="mean", column="height", group_by=("town",)),),
        ),
        seed=5,
    )


def test_every_scored_metric_has_the_baselines_that_it_declares(report: Report) -> None:
    assert [row.name for row in report.summary()] == list(METRICS)
    reasons = {row.name: row.reason for row in report.summary() if row.reason}
    assert set(reasons) == {"canaries", "membership_outliers", "value_rules", "entity_structure"}
    for row in report.summary():
        if row.name in reasons:
            continue
        assert row.reason is None
        assert row.value is not None
        assert row.independent is not None
        assert (row.real is None) == (METRICS[row.name].real_baseline is None)


def test_independent_columns_keep_the_distributions_and_lose_the_dependencies(report: Report) -> None:
    rows = {row.name: row for row in report.summary()}
    assert rows["column_pairs"].independent < rows["column_pairs"].value - 0.03  # type: ignore[operator]
    # The Kolmogorov-Smirnov distance between samples of 500 and 800 rows has a mean of about 0.87 *
    # sqrt(1/500 + 1/800).
    assert rows["column_shapes"].independent > 0.92  # type: ignore[operator]


def test_report_contains_sizes_seed_and_versions(report: Report) -> None:
    assert {role: size.n_rows for role, size in report.tables.items()} == {
        "real": 800,
        "synthetic": 500,
        "holdout": 400,
    }
    assert report.seed == 5
    assert {"understudy", "numpy", "scikit-learn"} <= set(report.versions)


def test_same_tables_and_seed_produce_the_same_report() -> None:
    tables = people(200, seed=1), people(150, seed=2)
    reports = [
        evaluate(ComparisonTables(*tables), infer_table(tables[0]), seed=5).model_dump_json()
        for _ in range(2)
    ]
    assert reports[0] == reports[1]


def test_report_survives_a_round_trip_through_json(report: Report) -> None:
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_metrics_that_need_neither_a_holdout_nor_a_target_are_scored_without_them() -> None:
    real = people(200, seed=1)
    report = evaluate(ComparisonTables(real, people(100, seed=2)), infer_table(real))
    reasons = {row.name: row.reason for row in report.summary() if row.value is None}
    unmet = {name for name, metric in METRICS.items() if metric.needs}
    findings = {"rules_kept", "paired_differences", "tails", "value_rules", "code_labels", "entity_structure"}
    assert unmet <= reasons.keys() <= unmet | findings
    assert reasons["train_synthetic_test_real"] == "needs a target column"
    assert reasons["nearest_record"] == "needs a holdout"
    assert "Not scored: needs a holdout" in render_html(report)


def test_target_is_detected_from_its_header() -> None:
    real, synthetic = (
        people(200, seed=seed).rename_columns(["height", "visits", "town", "target", "joined"])
        for seed in (1, 2)
    )
    inferred = infer_table(real)
    report = evaluate(ComparisonTables(real, synthetic), inferred)
    assert (report.target, report.is_target_chosen) == ("target", True)
    options = EvaluationOptions(target="town")
    named = evaluate(ComparisonTables(real, synthetic), inferred, options=options)
    assert (named.target, named.is_target_chosen) == ("town", False)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"x": [1.5]}),
        pa.table({"x": pa.nulls(60, pa.float64()), "c": pa.nulls(60, pa.string())}),
        pa.table({"x": [1] * 60, "c": ["a"] * 60}),
        pa.table({"c": [f"unique {i}" for i in range(60)]}),
    ],
    ids=["one cell", "all missing", "constant", "unique texts"],
)
def test_unusual_tables_have_a_report_and_a_page(table: pa.Table) -> None:
    report = evaluate(
        ComparisonTables(table, table, holdout=table),
        infer_table(table),
        options=EvaluationOptions(target=table.column_names[0]),
    )
    assert len(report.summary()) == len(METRICS)
    assert Page(render_html(report)).open_tags == []


def test_progress_increases_from_zero_to_one() -> None:
    told: list[tuple[str, float]] = []

    def progress(phase: str, fraction: float, **_: int | None) -> None:
        told.append((phase, fraction))

    real = people(60, seed=1)
    evaluate(ComparisonTables(real, real), infer_table(real), progress=progress)
    assert {phase for phase, _ in told} == {"scoring"}
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


def test_tables_that_do_not_conform_are_rejected() -> None:
    real = people(60, seed=1)
    with pytest.raises(InvalidInput) as caught:
        evaluate(ComparisonTables(real, real.drop_columns(["town"])), infer_table(real))
    assert caught.value.code == "schema_mismatch"


def test_page_is_self_contained(report: Report) -> None:
    text = render_html(report)
    page = Page(text)
    assert page.open_tags == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    # Links to the documentation load nothing until a reader opens them.
    assert "http" not in text.replace(f'<a href="{DOCS_URL}/', "")
    assert "url(" not in text
    assert not [name for name, _ in page.attributes if name.startswith("on")]


def test_page_is_accessible_to_screen_readers(report: Report) -> None:
    text = render_html(report)
    drawings = re.findall(r"<svg [^>]*>", text)
    assert all("aria-label=" in drawing or "aria-hidden=" in drawing for drawing in drawings)
    assert text.count("<h1") == 1
    assert len(re.findall(r'<th scope="', text)) == len(re.findall(r"<th[ >]", text))


def test_page_does_not_promise_privacy(report: Report) -> None:
    text = render_html(report).lower()
    assert "anonym" not in text
    assert "not a formal guarantee" in text


def test_hostile_names_and_values_are_rendered_as_text() -> None:
    rng = np.random.default_rng(0)

    def rows(n: int) -> pa.Table:
        codes = rng.integers(2, size=n)
        return pa.table(
            {
                HOSTILE: [HOSTILE if code else "b" for code in codes],
                f"{HOSTILE} again": [f"<odd{code}>" for code in codes],
                "x": rng.normal(size=n) + codes,
            }
        )

    real = rows(240)
    text = render_html(
        evaluate(
            ComparisonTables(real, rows(240), holdout=rows(240)),
            infer_table(real),
            options=EvaluationOptions(
                target=HOSTILE,
                protected=(f"{HOSTILE} again",),
                queries=(AggregateQuery(name=HOSTILE, aggregate="mean", column="x", group_by=(HOSTILE,)),),
                policy=Policy(
                    name="own",
                    version=HOSTILE[:32],
                    description=HOSTILE,
                    thresholds=(PolicyThreshold(metric="column_shapes"),),
                ),
            ),
        )
    )
    page = Page(text)
    assert not {"script", "odd0", "odd1"} & set(page.tags)
    assert page.open_tags == []
    assert "&lt;script&gt;" in text
    assert "{{ 7 * 191 }} {% raw %}" in text
    assert "1337" not in text
    assert "\u202e" not in text
    assert "\x07" not in text


def test_page_for_fifty_columns_is_smaller_than_two_megabytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {f"number {i}": rng.normal(size=300) for i in range(25)}
    columns |= {f"text {i}": rng.choice([f"value {j}" * 5 for j in range(20)], 300) for i in range(25)}
    table = pa.table(columns)
    path = tmp_path / "report.html"
    path.write_text(
        render_html(evaluate(ComparisonTables(table, table), infer_table(table))), encoding="utf-8"
    )
    assert path.stat().st_size < 2_000_000


def test_column_shapes_score_is_the_mean_over_columns(report: Report) -> None:
    shapes = report.scores("column_shapes").synthetic
    assert isinstance(shapes, ColumnShapesResult)
    assert shapes.score == pytest.approx(np.mean([shape.score for shape in shapes.columns]))
