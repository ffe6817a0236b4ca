"""How results look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from understudy.cli.terminal import notices, output

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

MEGABYTE = 1_000_000
# Any: JSON, as the API and `SummaryRow` give it.
Row = Mapping[str, Any]


def show_model(result: Row) -> None:
    """Print what was fitted, and what its owner should know."""
    card = result["card"]
    output().print(
        f"Model {result['model']}   {result['size_bytes'] / MEGABYTE:.1f} MB, {result['seconds']:.1f} s\n"
        f"  {card['synthesizer']}, seed {result['seed']}, "
        f"fitted on {card['n_rows']:,} rows of {card['n_columns']} columns",
        soft_wrap=True,
        markup=False,
    )
    for warning in card["warnings"]:
        notices().print(f"[yellow]warning:[/] {escape(warning)}", soft_wrap=True)


def show_report(report: Report, path: Path | None) -> None:
    """Print the headline scores, and where the whole report lies."""
    console = output()
    console.print(score_table(report_rows(report.model_dump(mode="json"))))
    if path is not None:
        console.print(f"Report: {path}", soft_wrap=True, markup=False)


def report_rows(report: Row) -> list[Row]:
    """Return the headline scores of a report in JSON, one row a metric."""
    return [
        {
            "title": metric["title"],
            "best": metric["best"],
            "reason": metric["synthetic"].get("reason"),
            **{role: (metric.get(role) or {}).get("score") for role in ("synthetic", "baseline", "real")},
        }
        for metric in report["metrics"]
    ]


def score_table(rows: Iterable[Row]) -> Table:
    """Return the headline scores, each beside what is reached without any model and by real rows."""
    table = Table(box=box.ROUNDED, border_style="dim", header_style="bold", expand=False)
    table.add_column("Score")
    table.add_column("Synthetic", justify="right", style="bold")
    table.add_column("Independent\nbaseline", justify="right")
    table.add_column("Real\nrows", justify="right")
    table.add_column("Best", justify="right", style="dim")
    for row in rows:
        is_scored = row["synthetic"] is not None
        value = _number(row["synthetic"]) if is_scored else Text(row["reason"] or "", style="dim")
        numbers = (_number(row[name]) for name in ("baseline", "real", "best"))
        table.add_row(row["title"], value, *numbers)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def rows_table(columns: list[str], rows: Iterable[list[str]], *, width: int) -> Table:
    """Return rows with as many of their columns as fit, and a note on how many did not."""
    listed = list(rows)
    widths = [max(len(cells) for cells in (name, *column)) for name, *column in _columns(columns, listed)]
    n_shown = _count_fitting(widths, width)
    n_hidden = len(columns) - n_shown
    caption = f"and {n_hidden} more columns" if n_hidden else None
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", caption=caption, pad_edge=False)
    table.caption_justify = "left"
    for name in columns[:n_shown]:
        table.add_column(Text(name), no_wrap=True)
    for row in listed:
        table.add_row(*(Text(cell) for cell in row[:n_shown]))
    return table


def _columns(columns: list[str], rows: list[list[str]]) -> list[list[str]]:
    return [[name, *(row[i] for row in rows)] for i, name in enumerate(columns)]


def _count_fitting(widths: list[int], width: int) -> int:
    """Return how many columns, with two spaces between them, fit into a width; at least one."""
    used, n = 0, 0
    for column_width in widths:
        used += column_width + 2
        if used > width and n:
            break
        n += 1
    return n
