"""Report files: an HTML page, or all scores as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from understudy.complete_files import complete_or_absent
from understudy.errors import InvalidInput
from understudy.evaluation.page.html import render_html

if TYPE_CHECKING:
    from understudy.evaluation.report import Report


def check_report_path(path: Path) -> None:
    """Raise `InvalidInput` if the suffix of a path is neither .html nor .json."""
    if path.suffix.lower() not in (".html", ".json"):
        raise InvalidInput(
            f"{path.name!r} does not have a report suffix. Use .html for a page or .json for all scores.",
            code="unknown_format",
        )


def write_report(report: Report, path: Path) -> None:
    """Write a report in the format of the path's suffix. A failed write leaves no partial file."""
    check_report_path(path)
    is_html = path.suffix.lower() == ".html"
    text = render_html(report) if is_html else report.model_dump_json(indent=2) + "\n"
    with complete_or_absent(path) as partial:
        partial.write_text(text, encoding="utf-8")
