"""Presentation of results in a terminal."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from understudy.cli.terminal import notices, output

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

MEGABYTE = 1_000_000
# Minimum width of a terminal, in characters, to show a sentence next to each score.
WIDE = 110
# Smaller absolute values would be rounded to 0.000.
SMALL = 0.0005
STYLES = {"pass": "green", "warn": "yellow", "fail": "red", "inconclusive": "yellow"}
# `Any` is a JSON value, from the API or from a report's `model_dump`.
Row = Mapping[str, Any]


def _rows(n: int) -> str:
    return f"{n:,} row{'' if n == 1 else 's'}"


def show_model(result: Row) -> None:
    """Print a summary of a fitted model and its warnings."""
    card = result["card"]
    output().print(
        f"Model {result['model']}   {_size(result['size_bytes'])}, {result['seconds']:.1f} s\n"
        f"  {card['synthesizer']}, seed {result['seed']}, "
        f"fitted on {_rows(card['n_rows'])} of {card['n_columns']} "
        f"column{'s' if card['n_columns'] != 1 else ''}",
        soft_wrap=True,
        markup=False,
    )
    output().print(f"  {_protection(card['protection'])}", soft_wrap=True, markup=False)
    if "holdout" in result:
        held_out = result["holdout"]
        output().print(
            f"  {_rows(held_out['n_rows'])} held out, split by {held_out['by']}",
            soft_wrap=True,
            markup=False,
        )
    if "canaries" in result:
        output().print(
            f"  canaries planted and written to {result['canaries']}", soft_wrap=True, markup=False
        )
    _show_warnings(card["warnings"])


def show_rows(result: Row) -> None:
    """Print the path of the output file, the number of rows, and the effective sample size of each group."""
    if "offset" in result:
        part = f"offset {result['offset']:,}"
    else:
        part = f"{result['n_draws']:,} draw{'' if result['n_draws'] == 1 else 's'}"
    output().print(
        f"Wrote {_rows(result['n_rows'])} to {result['rows']}   seed {result['seed']}, {part}",
        soft_wrap=True,
        markup=False,
    )
    if "identifiers" in result:
        _show_identifiers(result["identifiers"], result["seed"])
    for number, group in enumerate(result.get("groups", ()), start=1):
        output().print(
            f"  group {number}: {_rows(group['n_rows'])},"
            f" effective sample size {group['effective_sample_size']:,}"
        )
    _show_warnings(result.get("warnings", ()))


def _show_identifiers(identifiers: Row, seed: int) -> None:
    """Print the options that make the next sample continue the identifiers."""
    columns = ", ".join(identifiers["columns"])
    if identifiers["next_id_start"] is not None:
        advice = f"Continue with --id-start {identifiers['next_id_start']} and any seed."
    else:
        advice = "Samples with other seeds can repeat these identifiers. To avoid repeats, use --id-start"
        if identifiers["next_offset"] is not None:
            advice += f", or continue with --seed {seed} --offset {identifiers['next_offset']}"
        advice += "."
    output().print(f"  identifiers in {columns}. {advice}", soft_wrap=True, markup=False)


def _show_warnings(warnings: Iterable[str]) -> None:
    for warning in warnings:
        notices().print(f"[yellow]warning:[/] {escape(warning)}", soft_wrap=True)


def _protection(counts: Row) -> str:
    """Return one line that lists how many cells each kind of protection changed."""
    return (
        f"values in fewer than {counts['k']} {counts['unit']}s: "
        f"{counts['levels_pooled']:,} categories pooled ({counts['rows_pooled']:,} cells), "
        f"{counts['rows_merged']:,} numbers merged, "
        f"{counts['rows_drawn_in']:,} extreme values clipped"
    )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / MEGABYTE:.1f} MB" if n_bytes >= MEGABYTE / 10 else f"{n_bytes / 1000:.1f} kB"


def show_report(report: Report, path: Path | None) -> None:
    """Print the verdict, the scores, and the path of the full report."""
    console = output()
    show_scores(console, report.model_dump(mode="json"))
    if path is not None:
        console.print(f"Report: {path}", soft_wrap=True, markup=False)


def show_verification(result: Row) -> None:
    """Print the result of verifying an evidence pack."""
    console = output()
    key_id = result["key_id"]
    if result["is_expected_key"]:
        signature = f"The signature is valid and was made with the expected key, {key_id}."
    else:
        signature = f"The signature is valid. Compare its key, {key_id}, with the signer's key."
    console.print(signature, soft_wrap=True, markup=False)
    console.print(
        f"Verdict: {result['verdict']}, under the policy {result['policy']}.", soft_wrap=True, markup=False
    )
    recomputed = result["recomputed"]
    if recomputed is None:
        console.print(
            "Scores were not recomputed. To recompute them, pass the data (--real, --synthetic, …)."
        )
    elif recomputed["missing_tables"]:
        options = " and --".join(recomputed["missing_tables"])
        console.print(
            f"Scores were not recomputed. The evaluation also used --{options}; pass the same tables."
        )
    elif recomputed["other_tables"]:
        listed = ", ".join(recomputed["other_tables"])
        console.print(
            f"Scores were not recomputed because these tables are not the evaluated ones: {listed}."
        )
    elif recomputed["differences"]:
        listed = ", ".join(recomputed["differences"])
        console.print(f"Recomputed scores DIFFER: {listed}", soft_wrap=True)
    else:
        console.print("All scores were recomputed from the data and equal those in the report.")
    if not result["is_same_software"]:
        console.print(
            "The report was created by different software or a different version of Understudy.", style="dim"
        )


def show_scores(console: Console, report: Row) -> None:
    """Print the verdict of a JSON report, the checks that caused it, and the headline scores."""
    for line in verdict_lines(report["verdict"]):
        console.print(line)
    console.print()
    console.print(score_table(report_rows(report), width=console.width))


def verdict_lines(verdict: Row) -> list[RenderableType]:
    """Return lines for the outcome and then for the checks that did not pass, worst first."""
    outcome = verdict["outcome"]
    head = Text.assemble((outcome.upper(), f"bold {STYLES[outcome]}"), f"  {verdict['sentence']}")
    checks = [
        check
        for outcome in ("fail", "inconclusive", "warn")
        for check in verdict["checks"]
        if check["outcome"] == outcome
    ]
    return [head, *(Padding(_check_line(check), (0, 0, 0, 2)) for check in checks)]


def _check_line(check: Row) -> Text:
    return Text.assemble((check["outcome"], STYLES[check["outcome"]]), f"  {check['sentence']}")


def report_rows(report: Row) -> list[Row]:
    """Return the headline scores of a JSON report, one row for each metric."""
    return [
        {
            "title": metric["title"],
            "topic": metric["topic"],
            "summary": metric["summary"],
            "best": metric["best"],
            "reason": metric["synthetic"].get("reason"),
            **{role: (metric.get(role) or {}).get("score") for role in ("synthetic", "independent", "leak")},
            "real": (metric.get("floor") or {}).get("score"),
        }
        for metric in report["metrics"]
    ]


def score_table(rows: Iterable[Row], *, width: int) -> Table:
    """Return a table of the scores by topic, next to the baseline scores and the best possible score."""
    is_wide = width >= WIDE
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    table.add_column("Score", min_width=20)
    table.add_column("Synthetic", justify="right", style="bold")
    for name in ("Real\nrows", "Indepen-\ndent", "Noisy\ncopy"):
        table.add_column(name, justify="right")
    table.add_column("Best", justify="right", style="dim")
    if is_wide:
        table.add_column("Meaning", style="dim")
    listed = list(rows)
    for topic, group in itertools.groupby(
        [row for row in listed if _is_scored(row)], lambda row: row["topic"]
    ):
        table.add_section()
        table.add_row(Text(topic.capitalize(), style="bold underline"))
        for row in group:
            table.add_row(*_cells(row), *([_first_sentence(row["summary"])] if is_wide else []))
    missing = "\n".join(f"{row['title']}: {row['reason']}" for row in listed if not _is_scored(row))
    if missing:
        table.caption = Text(f"Not scored\n{missing}", style="dim not italic")
        table.caption_justify = "left"
    return table


def _first_sentence(text: str) -> Text:
    sentence, dot, _ = text.partition(". ")
    return Text(sentence + dot.rstrip())


def _is_scored(row: Row) -> bool:
    return row["synthetic"] is not None


def _cells(row: Row) -> list[RenderableType]:
    numbers = (_number(row[name]) for name in ("synthetic", "real", "independent", "leak", "best"))
    return [Padding(Text(row["title"]), (0, 0, 0, 2)), *map(Text, numbers)]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    # A small share, such as a few exact copies among many rows, must not be shown as 0.000.
    return f"{value:.1g}" if 0 < abs(value) < SMALL else f"{value:.3f}"


def rows_table(columns: list[str], rows: Iterable[list[str]], *, width: int) -> Table:
    """Return a table of CSV rows with the columns that fit, and a caption that counts the hidden columns."""
    listed = list(rows)
    widths = [max(map(len, (name, *(row[i] for row in listed)))) for i, name in enumerate(columns)]
    n_shown = _count_fitting(widths, width)
    n_hidden = len(columns) - n_shown
    caption = f"and {n_hidden} more columns" if n_hidden else None
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", caption=caption, padding=(0, 1), pad_edge=False)
    table.caption_justify = "left"
    for i, name in enumerate(columns[:n_shown]):
        is_number = all(_is_number(row[i]) for row in listed)
        table.add_column(Text(name), no_wrap=True, justify="right" if is_number else "left")
    for row in listed:
        table.add_row(*(Text(cell) for cell in row[:n_shown]))
    return table


def _is_number(cell: str) -> bool:
    return not cell or cell.lstrip("-").replace(".", "", 1).isdecimal()


def _count_fitting(widths: list[int], width: int) -> int:
    """Return the number of columns that fit into a width, at least one."""
    # Adjacent columns are three spaces apart. The table has a margin of one space on each side.
    used, n = -1, 0
    for column_width in widths:
        used += column_width + 3
        if used > width and n:
            break
        n += 1
    return n
