"""The report as one self-contained HTML page without scripts, network requests or other files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.page.chapters import CHAPTERS, verdict
from understudy.evaluation.page.environment import render
from understudy.evaluation.page.outcomes import WORDS

if TYPE_CHECKING:
    from understudy.evaluation.report import Report


@dataclass(frozen=True)
class ShownChapter:
    """A chapter of this report, with the view model for its template."""

    name: str
    link: str
    view: object


def render_html(report: Report) -> str:
    """Return the report as a self-contained HTML page."""
    views = [(chapter, chapter.view(report)) for chapter in CHAPTERS]
    return render(
        "page.html",
        outcome=WORDS[report.verdict.outcome],
        version=report.versions["understudy"],
        verdict=verdict.view(report),
        chapters=[
            ShownChapter(chapter.name, chapter.link, view) for chapter, view in views if view is not None
        ],
    )
