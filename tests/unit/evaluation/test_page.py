"""The page: what comes first, what stands where, and that everybody can read it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest

from tests.unit.evaluation.people import people
from understudy.evaluation.attacks.canaries import make_canaries, plant
from understudy.evaluation.metrics.base import MetricResult, UnscoredResult
from understudy.evaluation.page import html, receiver
from understudy.evaluation.page.chapters import CHAPTERS, summary
from understudy.evaluation.page.charts import bars, heat_map, marks, scale
from understudy.evaluation.page.charts.bars import Estimate
from understudy.evaluation.page.charts.curves import Axes
from understudy.evaluation.report import Report, evaluate
from understudy.evaluation.scores import BaselineScore, MetricScores
from understudy.evaluation.verdict import Overall
from understudy.parameters.evaluation_options import AggregateQuery, EvaluationOptions
from understudy.tables.inference import infer_table

# WCAG 2.2, success criterion 1.4.3, for text, and 1.4.11, for what is drawn.
CONTRAST_OF_TEXT = 4.5
CONTRAST_OF_DRAWINGS = 3.0
TEXT = ("ink", "muted", "synthetic", "independent", "leak", "pass", "warn", "fail", "real-ink")
DRAWN = ("real", "heat", "less")


class LaterResult(MetricResult):
    """What a metric gives that nobody has drawn a chapter for."""

    metric: Literal["later"] = "later"


@pytest.fixture(scope="module")
def report() -> Report:
    real = people(300, seed=1)
    canaries = make_canaries(real, infer_table(real).schema, n=20, seed=0)
    return evaluate(
        plant(real, canaries),
        people(200, seed=2),
        infer_table(real).schema,
        holdout=people(300, seed=3),
        canaries=canaries,
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
    """Return the scores of a metric of which only its numbers matter."""
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
    # Not validated: the union of results does not know the later one.
    return MetricScores.model_construct(**(fields | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("outcome", ["pass", "warn", "fail"])
def test_verdict_comes_first_as_word_and_shape(report: Report, outcome: Overall) -> None:
    verdict = report.verdict.model_copy(update={"outcome": outcome, "sentence": "Said <so>."})
    text = html.render_html(report.model_copy(update={"verdict": verdict}))
    main = text[text.index("<main") :]
    assert main.index('id="verdict"') < main.index('id="summary"')
    assert marks.shape(outcome) in main
    assert f"</span>{marks.WORDS[outcome]}</h2>" in main
    assert "Said &lt;so&gt;." in main


def test_shapes_of_outcomes_differ() -> None:
    shapes = {re.sub('class="shape [a-z]+"', "", marks.shape(outcome)) for outcome in marks.WORDS}
    assert len(shapes) == len(marks.WORDS)


def test_each_check_has_its_sentence_or_has_passed(report: Report, page: str) -> None:
    for check in report.verdict.checks:
        assert check.title in page
        assert check.outcome == "pass" or check.sentence in page


def test_summary_has_every_metric_under_its_topic(report: Report) -> None:
    text = summary.draw(report)
    assert text.count('<th scope="row">') == len(report.metrics)
    for scores in report.metrics:
        assert scores.title in text
    for topic in {scores.topic for scores in report.metrics}:
        assert summary.TOPICS[topic][0] in text


def test_metric_without_a_drawing_is_in_the_summary(report: Report) -> None:
    later = [scored(0.5), scored(0.5, title="Another", synthetic=UnscoredResult(reason="needs <more>"))]
    text = html.render_html(report.model_copy(update={"metrics": [*report.metrics, *later]}))
    assert "A later one" in text
    assert "Not scored: needs &lt;more&gt;" in text


@pytest.mark.parametrize(
    "said",
    ["Exposure in bits", "Answers: ", "Outcomes by ", "Predicted ", "Success on rows learnt from", "NNDR"],
)
def test_chapters_show_what_scores_are_made_of(page: str, said: str) -> None:
    assert said in page


def test_links_lead_to_chapters(page: str) -> None:
    links = re.findall(r'<a href="#([\w-]+)"', page)
    ids = re.findall(r' id="([\w-]+)"', page)
    assert set(links) <= set(ids)
    assert len(ids) == len(set(ids))
    assert {chapter.name for chapter in CHAPTERS} <= set(links)
    assert '<a class="skip" href="#content">' in page


def test_headings_skip_no_level(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_scopes(page: str) -> None:
    tables = re.findall(r"<table.*?</table>", page, re.S)
    assert tables
    assert all("<caption" in table for table in tables)
    assert not re.findall(r"<th(?! scope=)[ >]", page)


def test_drawings_say_what_they_show(page: str) -> None:
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
    css = html.STYLE.read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.S)
    return dict(zip(("light", "dark", "print"), map(colours, blocks), strict=True))


def test_contrast_is_that_of_black_on_white() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize("ground", ["paper", "card", "soft"])
def test_text_and_drawings_stand_out(scheme: str, ground: str) -> None:
    found = schemes()[scheme]
    for names, least in ((TEXT, CONTRAST_OF_TEXT), (DRAWN, CONTRAST_OF_DRAWINGS)):
        for name in names:
            if name in DRAWN and ground == "soft":
                continue
            assert contrast(found[name], found[ground]) >= least, name


def test_style_serves_print_motion_and_both_schemes() -> None:
    css = html.STYLE.read_text(encoding="utf-8")
    for query in ("@media print", "prefers-reduced-motion", "prefers-color-scheme: dark", ":focus-visible"):
        assert query in css


def x_of(drawn: str, mark: str) -> float:
    found = re.search(mark, drawn)
    assert found is not None
    return float(found.group(1))


DOT = r'<circle class="f-synthetic" cx="([\d.]+)"'
BEST = scale.WIDTH - scale.RIGHT


def test_best_score_lies_at_the_right_end() -> None:
    assert x_of(scale.draw(scored(1.0)), DOT) == BEST
    assert x_of(scale.draw(scored(0.9)), DOT) < BEST


def test_attack_that_is_worse_than_chance_counts_as_best() -> None:
    lower = {"direction": "lower", "best": 0.5}
    assert x_of(scale.draw(scored(0.45, **lower)), DOT) == BEST
    assert x_of(scale.draw(scored(0.9, **lower)), DOT) < BEST


def test_interval_around_the_best_score_reaches_it() -> None:
    found = LaterResult(score=0.48, interval=(0.4, 0.56), n_rows={"real": 1})
    drawn = scale.draw(scored(0.48, direction="nearer", best=0.5, synthetic=found))
    assert x_of(drawn, rf'd="M[\d.]+ {scale.LANE}H([\d.]+)"/><circle') == BEST


def test_floor_is_a_band() -> None:
    drawn = scale.draw(scored(0.5, floor=BaselineScore(score=0.8, interval=(0.7, 0.9), n_draws=8)))
    left, width = map(
        float, re.findall(r'<rect class="f-real"[^>]* x="([\d.]+)"[^>]* width="([\d.]+)"', drawn)[0]
    )
    assert x_of(drawn, DOT) < left < left + width < BEST


def test_gains_far_from_the_best_score_still_differ() -> None:
    drawn = scale.draw(scored(0.01, range=(-1.0, 1.0), floor=BaselineScore(score=-0.01, n_draws=1)))
    post = x_of(drawn, r'class="s-real"[^>]*d="M([\d.]+)')
    # A twentieth of the way from the best to the worst score, 0.1, is shown; 0.02 is a fifth of it.
    assert x_of(drawn, DOT) - post == pytest.approx((BEST - scale.LEFT) / 5, abs=0.2)
    assert "better" in drawn


def test_logarithmic_axis_gives_each_decade_its_part() -> None:
    axes = Axes("x", "y", low=1e-3)
    lefts = [float(axes.at(x, 0).split()[0]) for x in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)]
    assert lefts[0] == lefts[1]
    steps = [after - before for before, after in pairwise(lefts[1:])]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.2)


def test_found_at_a_rate_is_read_off_the_line() -> None:
    assert receiver.found_at([(0.0, 0.0), (0.02, 0.5), (1.0, 1.0)], 0.01) == pytest.approx(0.25)
    assert receiver.found_at([], 0.01) == 0


def test_all_estimates_have_their_place_on_the_axis() -> None:
    rows = [[Estimate("real", 2.0)], [Estimate("synthetic", 4.0, (1.0, 5.0))]]
    low, high = bars.reach(rows, 0.0)
    assert low < 0.0
    assert high > 5.0
    drawn = bars.whiskers(rows[1], (0.0, 5.0))
    assert "left:20.0%;width:80.0%" in drawn
    assert '<b style="left:80.0%">' in drawn


def test_negative_differences_have_their_own_colour() -> None:
    drawn = heat_map.draw(
        ["a", "b"], [[None, 0.5], [-0.5, None]], "label", limits=heat_map.DIFFERENCES, has_names=False
    )
    assert drawn.count('class="heat less"') == 1
    assert drawn.count('class="heat"') == 1


def test_page_of_a_report_without_options_says_what_they_would_bring() -> None:
    real = people(120, seed=1)
    text = html.render_html(evaluate(real, people(100, seed=2), infer_table(real).schema))
    assert "needs protected columns" in text
    assert "needs canaries" in text
    assert 'id="queries"' not in text


def test_style_sheet_is_beside_the_code() -> None:
    assert Path(html.__file__).with_name("page.css") == html.STYLE
