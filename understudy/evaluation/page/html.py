"""The report as one page that needs nothing else: no script, no network, no second file."""

from __future__ import annotations

from pathlib import Path

from understudy.evaluation.page import chapters, charts, formatting
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report, SummaryRow

STYLE = Path(__file__).with_name("page.css")

MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><rect class="f-real" x="2" y="7" width="18" height="18" '
    'rx="5"/>'
    '<rect class="f-synthetic" x="12" y="7" width="18" height="18" rx="5" opacity=".86"/></svg>'
)
CHAPTERS = {
    "summary": "Summary",
    "columns": "Columns",
    "pairs": "Pairs",
    "two-sample": "Two-sample test",
    "usefulness": "Usefulness",
    "privacy": "Privacy",
    "method": "Method",
}
# Two standard errors of these scores are easily a tenth of this.
GAPS_SHOWN_MIN = {"two_sample": 0.1, "nearest_record": 0.1}
SHORT_EXPLANATIONS = {
    "column_shapes": "Each column by itself, averaged. Independent columns do well here, so this is only a "
    "beginning.",
    "column_pairs": "Every two columns together, averaged: whether what belongs together still does.",
    "two_sample": "A strong classifier's chance of telling synthetic from real. 0.5 is guessing, 1 is "
    "always.",
    "train_synthetic_test_real": "A model trained on these rows alone, tested on real ones.",
    "nearest_record": "Share of rows nearer to a training row than to a held-out one. 0.5 is what new rows "
    "show.",
    "exact_copies": "Share of rows that equal a training row in every column.",
}


def render_html(report: Report) -> str:
    """Return the report as a self-contained HTML page."""
    body = "".join(
        (
            _summary(report),
            chapters.columns(report),
            chapters.pairs(report),
            chapters.two_sample(report),
            chapters.usefulness(report),
            chapters.privacy(report),
            chapters.method(report),
        )
    )
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in CHAPTERS.items())
    version = escape(report.versions["understudy"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>Synthetic against real: Understudy '
        "report</title>"
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body>"
        f'<div class="wrap"><div class="brand">{MARK}<span>Understudy</span></div>{_hero(report)}</div>'
        f'<nav aria-label="Chapters"><div class="wrap"><ul>{links}</ul></div></nav>'
        f'<main class="wrap">{body}</main>'
        f'<div class="wrap"><footer class="page">Made by Understudy {version}. This page is self-contained: '
        "it loads nothing and tells nobody that it was opened.</footer></div></body></html>\n"
    )


def _hero(report: Report) -> str:
    facts = [
        (title, formatting.count(report.tables[role].n_rows))
        for role, title in (
            ("real", "training rows"),
            ("synthetic", "synthetic rows"),
            ("holdout", "held-out rows"),
        )
        if role in report.tables
    ]
    facts.append(("columns", formatting.count(len(report.columns))))
    items = "".join(f"<div><dt>{title}</dt><dd>{number}</dd></div>" for title, number in facts)
    return (
        '<header class="hero"><h1>How close is the synthetic table to the real one?</h1>'
        "<p>Every score stands beside two others: that of <em>independent columns</em>, which any tool "
        "reaches without learning a single relation, and that of <em>other real rows</em>, which is as good "
        f'as data get. Read each score between the two.</p><dl class="facts">{items}</dl></header>'
    )


def _summary(report: Report) -> str:
    rows = "".join(_summary_row(row) for row in report.summary())
    table = (
        '<table class="summary"><caption class="visually-hidden">Scores of the synthetic table and of its '
        'references</caption><thead><tr><th scope="col">Score</th><th scope="col">Synthetic</th>'
        '<th scope="col">Worse&ensp;→&ensp;best possible</th><th scope="col" class="right">Independent</th>'
        f'<th scope="col" class="right">Real rows</th></tr></thead><tbody>{rows}</tbody></table>'
    )
    legend = "".join(
        f'<li><svg width="{width}" height="16" aria-hidden="true">{mark}</svg>{label}</li>'
        for label, width, mark in (
            ("synthetic", 14, '<circle class="f-synthetic" cx="7" cy="8" r="6"/>'),
            ("independent columns", 16, charts.diamond(8, 8)),
            ("real rows", 6, '<path class="s-real" stroke-width="3" d="M3 0V16"/>'),
        )
    )
    lead = (
        "The nearer the dot is to the right end, the better; at the bar, the synthetic rows are as good as "
        "real ones. There is no single grade: which of these matter depends on what the data are for."
    )
    return chapters.section(
        "summary", "At a glance", lead, f'<ul class="legend">{legend}</ul><div class="card">{table}</div>'
    )


def _half(interval: tuple[float, float]) -> str:
    half = (interval[1] - interval[0]) / 2
    return f"± {half:.3f}" if half >= 0.0005 else "± &lt; 0.001"


def _summary_row(row: SummaryRow) -> str:
    head = (
        f'<th scope="row">{escape(row.label)}<span>'
        f"{escape(SHORT_EXPLANATIONS.get(row.name, row.explanation))}</span></th>"
    )
    if row.value is None:
        return (
            f'<tr>{head}<td colspan="4" class="reason muted">Not scored: {escape(row.reason or "")}</td></tr>'
        )
    value, independent, real = (
        formatting.score(score, row.name) for score in (row.value, row.independent, row.real)
    )
    label = f"{escape(row.label)}: synthetic {value}, independent columns {independent}, real rows {real}"
    drawn = charts.strip(
        {"synthetic": row.value, "independent": row.independent, "real": row.real},
        best=row.best,
        gap_shown_min=GAPS_SHOWN_MIN.get(row.name, 0.02),
        label=label,
    )
    half = ""
    if row.interval is not None:
        half = f'<div class="small muted">{_half(row.interval)}</div>'
    return (
        f'<tr>{head}<td data-label="Synthetic"><div class="value number">{value}</div>{half}</td>'
        f'<td class="strip">{drawn}</td>'
        f'<td class="right number" data-label="Independent">{independent}</td>'
        f'<td class="right number" data-label="Real rows">{real}</td></tr>'
    )
