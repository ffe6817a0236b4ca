"""The view model of classifier two-sample tests: scores, and columns and rows that reveal synthetic data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.fidelity import TwoSampleLinearResult, TwoSampleResult
from understudy.evaluation.metrics.fidelity.classifier_tests import ClassifierTestResult
from understudy.evaluation.page import elements, formatting, receiver
from understudy.evaluation.page.charts.bars import Bar, track
from understudy.evaluation.page.charts.curves import Figures
from understudy.evaluation.page.elements import Chapter, Measured, Reason
from understudy.evaluation.scores import MetricScores

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

METRICS = ("two_sample", "two_sample_linear")
N_GIVEAWAYS_LISTED = 8
AXES = ("False positive rate (real rows)", "True positive rate (synthetic rows)")


@dataclass(frozen=True)
class ClassifierCards:
    """The score of a classifier, and the columns and rows that reveal synthetic data to it.

    Parameters
    ----------
    n_right : str
        The expected number of correct answers for 100 pairs of a real and a synthetic row.
    rows : sequence of (position, score)
        The synthetic rows that are easiest to identify.
    """

    card: Measured
    classifier: str
    n_right: str
    figures: Figures
    bars: Sequence[Bar]
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class DetectionView:
    """The classifiers that were scored."""

    reasons: Sequence[Reason]
    classifiers: Sequence[ClassifierCards]


def view(report: Report) -> DetectionView:
    """Return the cards of the classifiers that were scored."""
    kinds: tuple[type[ClassifierTestResult], ...] = (TwoSampleResult, TwoSampleLinearResult)
    scored = [pair for kind in kinds if (pair := elements.scored_result(report, kind)) is not None]
    return DetectionView(elements.reasons(report, METRICS), [_classifier(*pair) for pair in scored])


def _classifier(scores: MetricScores, result: ClassifierTestResult) -> ClassifierCards:
    by_role = {
        role: test.curve
        for role, test in (
            ("independent", scores.independent),
            ("leak", scores.leak),
            ("real", scores.real),
            ("synthetic", result),
        )
        if isinstance(test, ClassifierTestResult)
    }
    return ClassifierCards(
        card=elements.measured(scores),
        classifier=result.classifier,
        n_right=f"{100 * result.score:.3g}",
        figures=receiver.figures(by_role, AXES),
        bars=_giveaways(result),
        rows=[(formatting.count(row.row), formatting.decimal(row.score)) for row in result.rows],
    )


def _giveaways(result: ClassifierTestResult) -> list[Bar]:
    shown = [giveaway for giveaway in result.giveaways[:N_GIVEAWAYS_LISTED] if giveaway.auc_lost > 0]
    longest = shown[0].auc_lost if shown else 1.0
    return [
        Bar(giveaway.column, [track("synthetic", giveaway.auc_lost / longest)], f"{giveaway.auc_lost:.3f}")
        for giveaway in shown
    ]


CHAPTER = Chapter("detection", "Detection", view)
