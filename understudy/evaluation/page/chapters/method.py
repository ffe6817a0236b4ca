"""What was computed from what, so that it can be done again."""

from __future__ import annotations

from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN

LEAD = (
    "The same tables and the same seed give the same report. Large tables are not scored whole: rows are "
    "drawn by the seed, as many as are stated here."
)


def draw(report: Report) -> str:
    """Return sizes, rows used, references, protection of drawings, and versions."""
    sizes = elements.table(
        "Rows of each table",
        [Head("Table"), Head("Rows", is_number=True), Head("Drawn", is_number=True)],
        [
            [role.capitalize(), formatting.count(size.n_rows), formatting.count(size.n_rows_used)]
            for role, size in report.tables.items()
        ],
    )
    used = elements.table(
        "Rows that each score used",
        [Head("Score"), Head("Name"), Head("Rows")],
        [
            [escape(scores.title), f"<code>{scores.name}</code>", _rows_used(scores)]
            for scores in report.metrics
        ],
        is_hidden=True,
    )
    body = (
        elements.card(sizes)
        + elements.card(elements.details("Rows that each score used", used), kind="gap")
        + _notes(report)
    )
    return elements.section("method", "How it was computed", LEAD, body)


def _notes(report: Report) -> str:
    versions = ", ".join(f"{escape(name)} {escape(number)}" for name, number in report.versions.items())
    return (
        '<div class="note gap small"><p>Drawings show no bar, edge or label that stands for fewer than '
        f"{N_ROWS_SHOWN_MIN} real rows, and no smallest or largest value: rarer categories are pooled, bin "
        "edges are round numbers, and the outermost bins hold what lies beyond.</p>"
        "<p><strong>Fresh real rows</strong> take the synthetic rows' place: held-out rows, or rows drawn "
        "again from all real ones; where a model is trained, it is trained on the training rows. The band is "
        "so wide that in 95 of 100 reports on real rows, all scores lie in their bands. <strong>Independent "
        "columns</strong> are drawn by the <code>independent</code> synthesizer from the same training rows. "
        "The <strong>noisy copy</strong> repeats training rows, each value changed a little.</p>"
        f"<p>Seed {report.seed}. {versions}. Report format {report.schema_version}.</p></div>"
    )


def _rows_used(scores: MetricScores) -> str:
    if isinstance(scores.synthetic, UnscoredResult):
        return f'<span class="muted">not scored: {escape(scores.synthetic.reason)}</span>'
    return ", ".join(
        f"{formatting.count(n)} {escape(role.replace('_', ' '))}"
        for role, n in scores.synthetic.n_rows.items()
    )


CHAPTER = Chapter("method", "Method", draw)
