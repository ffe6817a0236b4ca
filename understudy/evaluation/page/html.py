"""The report as one page that needs nothing else: no script, no network, no second file."""

from __future__ import annotations

from pathlib import Path

from understudy.evaluation.page.chapters import CHAPTERS, verdict
from understudy.evaluation.page.charts import marks
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report

STYLE = Path(__file__).with_name("page.css")

MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><rect class="f-real" x="2" y="7" width="18" height="18" '
    'rx="5"/>'
    '<rect class="f-synthetic" x="12" y="7" width="18" height="18" rx="5" opacity=".86"/></svg>'
)


def render_html(report: Report) -> str:
    """Return the report as a self-contained HTML page."""
    drawn = [(chapter, chapter.draw(report)) for chapter in CHAPTERS]
    shown = [(chapter, body) for chapter, body in drawn if body]
    links = "".join(
        f'<li><a href="#{name}">{link}</a></li>'
        for name, link in (("verdict", "Verdict"), *((chapter.name, chapter.link) for chapter, _ in shown))
    )
    body = "".join(body for _, body in shown)
    version = escape(report.versions["understudy"])
    return (
        f'<!doctype html>\n<html lang="en">{_head(report)}<body>'
        '<a class="skip" href="#content">Skip to the verdict</a>'
        f'<div class="wrap brand">{MARK}<span>Understudy</span></div>'
        f'<nav aria-label="Chapters"><div class="wrap"><ul>{links}</ul></div></nav>'
        f'<main class="wrap" id="content">{verdict.draw(report)}{body}</main>'
        f'<footer class="wrap page"><p>Made by Understudy {version}. This page is self-contained: '
        "it loads nothing and tells nobody that it was opened.</p></footer></body></html>\n"
    )


def _head(report: Report) -> str:
    word = marks.WORDS[report.verdict.outcome]
    return (
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{word}: report on synthetic data</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head>"
    )
