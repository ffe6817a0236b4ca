"""Tests for the report page: order, content, accessibility and escaping."""

from __future__ import annotations

import ast
import re
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from jinja2 import UndefinedError

from tests.unit.evaluation.people import people
from understudy.evaluation.attacks.canaries import make_canaries, plant
from understudy.evaluation.comparison import ComparisonTables
from understudy.evaluation.metrics import METRICS
from understudy.evaluation.metrics.base import MetricResult, UnscoredResult
from understudy.evaluation.page import html, receiver
from understudy.evaluation.page.chapters import CHAPTERS, summary
from understudy.evaluation.page.charts import heat_map
from understudy.evaluation.page.charts.curves import Axes
from understudy.evaluation.page.charts.scale import Scale, draw_scale
from understudy.evaluation.page.charts.whiskers import Estimate, Track, reach, whiskers
from understudy.evaluation.page.environment import environment, render
from understudy.evaluation.page.outcomes import WORDS
from understudy.evaluation.report import Report, evaluate
from understudy.evaluation.scores import BaselineScore, MetricScores
from understudy.evaluation.verdict import Overall
from understudy.parameters.evaluation_options import AggregateQuery, EvaluationOptions
from understudy.tables.inference import infer_table

# WCAG 2.2 covers text in success criterion 1.4.3 and charts in success criterion 1.4.11.
CONTRAST_OF_TEXT = 4.5
CONTRAST_OF_DRAWINGS = 3.0
TEXT = ("ink", "muted", "synthetic", "independent", "leak", "pass", "warn", "fail", "real-ink")
DRAWN = ("real", "heat", "less")
AROUND_ESCAPING = r"\bMarkup\b|\|\s*safe\b|autoescape (false|off)|\bhtml\.escape\b"


class LaterResult(MetricResult):
    """The result of a metric without a chapter."""

    metric: Literal["later"] = "later"


@pytest.fixture(scope="module")
def report() -> Report:
    real = people(300, seed=1)
    canaries = make_canaries(real, infer_table(real).schema, n=20, seed=0)
    return evaluate(
        ComparisonTables(
            plant(real, canaries), people(200, seed=2), holdout=people(300, seed=3), canaries=canaries
        ),
        infer_table(real),
        options=EvaluationOptions(
            target="is_member",
            protected=("town",),
            queries=(AggregateQuery(aggregate="mean", column="visits", group_by=("town",)),),
        ),
    )


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return html.render_html(report)


def scored(score: float, **changed: object) -> MetricScores:
    """Return metric scores for tests that depend only on the numbers."""
    fields = {
        "name": "later",
        "title": "A later one",
        "summary": "What it says.",
        "topic": "fidelity",
        "direction": "higher",
        "range": (0.0, 1.0),
        "best": 1.0,
        "synthetic": LaterResult(score=score, n_rows={"real": 1}),
        "floor": None,
    }
    # The report is built without validation, because the union of results does not contain `LaterResult`.
    return MetricScores.model_construct(**(fields | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("outcome", ["pass", "warn", "fail"])
def test_verdict_comes_first_and_is_shown_as_a_word_and_a_shape(report: Report, outcome: Overall) -> None:
    verdict = report.verdict.model_copy(update={"outcome": outcome, "sentence": "Use <care>."})
    text = html.render_html(report.model_copy(update={"verdict": verdict}))
    main = text[text.index("<main") :]
    assert main.index('id="verdict"') < main.index('id="summary"')
    assert shape(outcome) in main
    assert f"</span>{WORDS[outcome]}</h2>" in main
    assert "Use &lt;care&gt;." in main


def macro(template: str, name: str, *values: object) -> str:
    """Return the output of a template macro."""
    return str(getattr(environment().get_template(template).module, name)(*values))


def shape(outcome: str) -> str:
    return macro("charts/marks.html", "shape", outcome)


def test_each_outcome_has_a_different_shape() -> None:
    shapes = {re.sub('class="shape [a-z]+"', "", shape(outcome)) for outcome in WORDS}
    assert len(shapes) == len(WORDS)


def test_each_check_that_did_not_pass_has_an_explanation(report: Report, page: str) -> None:
    for check in report.verdict.checks:
        assert check.title in page
        explanation = check.sentence.removeprefix(f"{check.title}: ")
        assert check.outcome == "pass" or explanation[1:] in page


def test_explanation_of_a_check_does_not_repeat_its_title(report: Report, page: str) -> None:
    assert any(check.sentence.startswith(f"{check.title}: ") for check in report.verdict.checks)
    assert all(
        f"{check.title}: " not in page[: page.index('id="summary"')] for check in report.verdict.checks
    )


def test_summary_lists_every_metric_under_its_topic(report: Report) -> None:
    text = render("chapters/summary.html", view=summary.view(report))
    assert text.count('<th scope="row">') == len(report.metrics)
    for scores in report.metrics:
        assert scores.title in text
    for topic in {scores.topic for scores in report.metrics}:
        assert summary.TOPICS[topic][0] in text


def test_summary_and_cards_link_to_the_documentation_of_their_metric(report: Report, page: str) -> None:
    for scores in report.metrics:
        link = f'<a href="{METRICS[scores.name].documentation}" rel="noreferrer">'
        is_scored = not isinstance(scores.synthetic, UnscoredResult)
        # Column shapes have no card. The other scores have a card in addition to their row in the summary.
        has_card = is_scored and scores.name != "column_shapes"
        assert page.count(link) == 1 + has_card, scores.name


def test_metric_without_a_chapter_is_in_the_summary(report: Report) -> None:
    later = [scored(0.5), scored(0.5, title="Another", synthetic=UnscoredResult(reason="needs <more>"))]
    text = html.render_html(report.model_copy(update={"metrics": [*report.metrics, *later]}))
    assert "A later one" in text
    assert "Not scored: needs &lt;more&gt;" in text


@pytest.mark.parametrize(
    "text",
    ["Exposure (bits)", "Answers to ", "Outcomes by ", "Predicted ", "Success rate on training rows", "NNDR"],
)
def test_chapters_show_the_details_of_scores(page: str, text: str) -> None:
    assert text in page


def test_links_on_the_page_lead_to_its_chapters(page: str) -> None:
    links = re.findall(r'<a href="#([\w-]+)"', page)
    ids = re.findall(r' id="([\w-]+)"', page)
    assert set(links) <= set(ids)
    assert len(ids) == len(set(ids))
    assert {chapter.name for chapter in CHAPTERS} <= set(links)
    assert '<a class="skip" href="#content">' in page


def test_headings_do_not_skip_levels(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_scopes(page: str) -> None:
    tables = re.findall(r"<table.*?</table>", page, re.S)
    assert tables
    assert all("<caption" in table for table in tables)
    assert not re.findall(r"<th(?! scope=)[ >]", page)


def test_charts_have_a_text_alternative_with_numbers(page: str) -> None:
    labels = re.findall(r'role="img" aria-label="([^"]*)"', page)
    assert len(labels) > len(CHAPTERS)
    assert all(len(label) > 10 and any(letter.isdigit() for letter in label) for label in labels)


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", css))


def luminance(colour: str) -> float:
    """Return the relative luminance, as WCAG defines it."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def schemes() -> dict[str, dict[str, str]]:
    css = render("page.css")
    blocks = re.findall(r":root \{(.*?)\}", css, re.S)
    return dict(zip(("light", "dark", "print"), map(colours, blocks), strict=True))


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize("ground", ["paper", "card", "soft"])
def test_contrast_of_text_and_charts_is_sufficient(scheme: str, ground: str) -> None:
    palette = schemes()[scheme]
    for names, least in ((TEXT, CONTRAST_OF_TEXT), (DRAWN, CONTRAST_OF_DRAWINGS)):
        for name in names:
            if name in DRAWN and ground == "soft":
                continue
            assert contrast(palette[name], palette[ground]) >= least, name


def test_style_sheet_supports_print_and_reduced_motion_and_both_color_schemes() -> None:
    css = render("page.css")
    for query in ("@media print", "prefers-reduced-motion", "prefers-color-scheme: dark", ":focus-visible"):
        assert query in css


def test_best_score_is_at_the_right_end_of_the_scale() -> None:
    assert draw_scale(scored(1.0)).dot == Scale.right
    assert draw_scale(scored(0.9)).dot < Scale.right


def test_attack_that_is_worse_than_chance_counts_as_best() -> None:
    lower = {"direction": "lower", "best": 0.5}
    assert draw_scale(scored(0.45, **lower)).dot == Scale.right
    assert draw_scale(scored(0.9, **lower)).dot < Scale.right


def test_interval_around_the_best_score_ends_at_the_best_score() -> None:
    result = LaterResult(score=0.48, interval=(0.4, 0.56), n_rows={"real": 1})
    drawn = draw_scale(scored(0.48, direction="nearer", best=0.5, synthetic=result))
    assert drawn.interval is not None
    assert drawn.interval[1] == Scale.right


def test_floor_is_drawn_as_a_band() -> None:
    drawn = draw_scale(scored(0.5, floor=BaselineScore(score=0.8, interval=(0.7, 0.9), n_draws=8)))
    assert drawn.band is not None
    left, width = drawn.band
    assert drawn.dot < left < left + width < Scale.right
    assert f'<rect class="f-real" opacity=".5" x="{left}"' in macro("charts/scale.html", "draw", drawn)


def test_scale_shows_differences_between_scores_far_from_the_best() -> None:
    drawn = draw_scale(scored(0.01, range=(-1.0, 1.0), floor=BaselineScore(score=-0.01, n_draws=1)))
    # The scale covers 0.1, a twentieth of the range between the best and worst scores. A difference of 0.02
    # is a fifth of the scale.
    assert drawn.post is not None
    assert drawn.dot - drawn.post == pytest.approx((Scale.right - Scale.left) / 5, abs=0.2)
    assert drawn.better.startswith("better")


def test_decades_have_the_same_length_on_a_logarithmic_axis() -> None:
    axes = Axes("x", "y", low=1e-3)
    lefts = [axes.at(x, 0)[0] for x in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)]
    assert lefts[0] == lefts[1]
    steps = [after - before for before, after in pairwise(lefts[1:])]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.2)


def test_true_positive_rate_is_interpolated() -> None:
    assert receiver.found_at([(0.0, 0.0), (0.02, 0.5), (1.0, 1.0)], 0.01) == pytest.approx(0.25)
    assert receiver.found_at([], 0.01) == 0


def test_axis_covers_all_estimates_and_intervals() -> None:
    rows = [[Estimate("real", 2.0)], [Estimate("synthetic", 4.0, (1.0, 5.0))]]
    low, high = reach(rows, 0.0)
    assert low < 0.0
    assert high > 5.0
    drawn = whiskers(rows[1], (0.0, 5.0))
    assert drawn.tracks == (Track("synthetic", left=20.0, width=80.0, dot=80.0),)
    text = macro("charts/whiskers.html", "draw", drawn)
    assert "left:20.0%;width:80.0%" in text
    assert '<b style="left:80.0%">' in text


def test_negative_differences_have_a_different_color() -> None:
    drawn = heat_map.draw_heat_map(
        ["a", "b"], [[None, 0.5], [-0.5, None]], "label", limits=heat_map.DIFFERENCES, has_names=False
    )
    text = macro("charts/heat_map.html", "draw", drawn)
    assert text.count('class="heat less"') == 1
    assert text.count('class="heat"') == 1


def test_page_of_a_report_without_options_lists_the_inputs_that_scores_need() -> None:
    real = people(120, seed=1)
    text = html.render_html(evaluate(ComparisonTables(real, people(100, seed=2)), infer_table(real)))
    assert "needs protected columns" in text
    assert "needs canaries" in text
    assert 'id="queries"' not in text


def test_templates_escape_values_and_reject_undefined_names() -> None:
    assert environment().autoescape is True
    with pytest.raises(UndefinedError):
        environment().from_string("{{ absent }}").render()
    text = environment().from_string('<i title="{{ x }}">{{ x }}</i>').render(x="<b> \"'&\u202e\x07\u00a0")
    assert text == '<i title="{0}">{0}</i>'.format("&lt;b&gt; &#34;&#39;&amp;\ufffd\ufffd\u00a0")


def test_every_chapter_template_belongs_to_a_chapter() -> None:
    names = set(environment().list_templates())
    chapters = {f"chapters/{chapter.name}.html" for chapter in CHAPTERS}
    assert chapters == {name for name in names if name.startswith("chapters/")}


def test_nothing_on_the_page_bypasses_escaping() -> None:
    folder = files("understudy.evaluation") / "page"
    sources = [path for path in Path(str(folder)).rglob("*.*") if path.suffix in (".py", ".html")]
    assert len(sources) > 40
    offending = [
        path.name for path in sources if re.search(AROUND_ESCAPING, path.read_text(encoding="utf-8"))
    ]
    assert offending == []


def test_no_module_contains_html() -> None:
    # The modules for workbooks are exempt, because workbooks consist of XML.
    root = Path(str(files("understudy"))).parent
    paths = [path for package in ("understudy", "app", "workers") for path in (root / package).rglob("*.py")]
    paths = [path for path in paths if "xlsx" not in path.parts]
    assert is_html('<p class="lead">')
    offending = [str(path) for path in paths if any(map(is_html, strings(path.read_text(encoding="utf-8"))))]
    assert offending == []


def strings(source: str) -> list[str]:
    """Return the strings of a module, including parts of f-strings but not docstrings."""
    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in said)
    return [node.value for node in constants if isinstance(node.value, str)]


def is_html(text: str) -> bool:
    return re.search(r"</[a-z]+[1-6]?>|<[a-z]+ [a-z-]+=\"|<(br|path|rect)\b", text) is not None
