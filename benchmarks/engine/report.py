"""Medians over the seeds as Markdown tables, and dated result files."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"
Figures = Mapping[str, Any]

# Key, heading and format of each figure, in the order of the table.
COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("fit_cpu_s", "fit CPU s", ".2f"),
    ("fit_wall_s", "fit s", ".2f"),
    ("rows_per_cpu_s", "rows/CPU s", ",.0f"),
    ("rows_per_wall_s", "rows/s", ",.0f"),
    ("peak_mb", "peak MB", ",.0f"),
    ("model_mb", "model MB", ".2f"),
    ("shape_distance", "shape", ".4f"),
    ("pair_distance", "pair", ".4f"),
    ("c2st_linear", "AUC linear", ".3f"),
    ("c2st_xgb", "AUC xgb", ".3f"),
    ("c2st_xgb_all", "AUC xgb all", ".3f"),
    ("alpha_precision", "alpha-precision", ".3f"),
    ("beta_recall", "beta-recall", ".3f"),
    ("tstr", "TSTR", ".3f"),
    ("trtr", "TRTR", ".3f"),
    ("dcr_share", "DCR share", ".3f"),
    ("copies", "copies", ".4f"),
    ("copies_holdout", "of holdout", ".4f"),
    ("broken_dependencies", "FD broken", ".4f"),
    ("broken_equations", "sums broken", ".4f"),
    ("broken_orders", "orders broken", ".4f"),
    ("broken_rules", "any broken", ".4f"),
)


def summarise(runs: Sequence[Figures]) -> list[dict[str, Any]]:
    """Return the median, lowest and highest values over the seeds for each table and contestant."""
    groups: dict[tuple[str, str], list[Figures]] = {}
    for run in runs:
        groups.setdefault((run["table"], run["contestant"]), []).append(run)
    return [
        {"table": table, "contestant": contestant, "seeds": len(members)} | _spread(members)
        for (table, contestant), members in groups.items()
    ]


def _spread(runs: Sequence[Figures]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for key, _, _ in COLUMNS:
        values = [run[key] for run in runs if run.get(key) is not None]
        if values:
            figures[key] = {"median": statistics.median(values), "low": min(values), "high": max(values)}
    return figures | {"note": next((run["note"] for run in runs if run.get("note")), None)}


def markdown(summary: Sequence[Figures]) -> str:
    """Return a Markdown table for each source table. For several seeds, medians include ± half the range."""
    lines: list[str] = []
    shown = [column for column in COLUMNS if any(column[0] in entry for entry in summary)]
    for table in dict.fromkeys(entry["table"] for entry in summary):
        lines += ["", f"| {table} | {' | '.join(title for _, title, _ in shown)} |"]
        lines += ["|---|" + "---|" * len(shown)]
        lines += [_line(entry, shown) for entry in summary if entry["table"] == table]
    notes = [
        f"{entry['table']}, {entry['contestant']}: {entry['note']}" for entry in summary if entry["note"]
    ]
    return "\n".join([*lines, "", *notes])


def _line(entry: Figures, shown: Sequence[tuple[str, str, str]]) -> str:
    cells = [_cell(entry[key], form) if key in entry else "-" for key, _, form in shown]
    return f"| {entry['contestant']} | {' | '.join(cells)} |"


def _cell(figure: Mapping[str, float], form: str) -> str:
    median, half = format(figure["median"], form), format((figure["high"] - figure["low"]) / 2, form)
    return median if figure["high"] == figure["low"] else f"{median} ± {half}"


def one_line(run: Figures) -> str:
    """Return the figures of a run in one line."""
    cells = [f"{run['table']} {run['contestant']} seed {run['seed']}:"]
    cells += [f"{title} {format(run[key], form)}" for key, title, form in COLUMNS if run.get(key) is not None]
    return "  ".join([*cells, *([run["note"]] if run.get("note") else [])])


def write_results(name: str, runs: Sequence[Figures], *, command: str, notes: Sequence[str] = ()) -> Path:
    """Write dated JSON and Markdown files into the results folder."""
    date = time.strftime("%Y-%m-%d")
    path = RESULTS / f"{date}-{name}"
    summary = summarise(runs)
    document = {"date": date, "command": command, "machine": machine(), "notes": notes}
    document |= {"summary": summary, "runs": runs}
    path.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    heading = "\n\n".join([f"# {date} · {name}: `{command}`", describe_machine(), *notes]) + "\n"
    path.with_suffix(".md").write_text(f"{heading}{markdown(summary)}\n")
    return path.with_suffix(".md")


def machine() -> dict[str, Any]:
    """Return the processor, the Python version and the package versions. The figures depend on them."""
    packages = ("numpy", "pyarrow", "numba", "scikit-learn", "xgboost", "xgboost-cpu")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: number for name in packages if (number := _version(name))},
    }


def describe_machine() -> str:
    """Return a sentence that describes the machine."""
    facts = machine()
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items())
    return f"{facts['processor']}, {facts['cores']} cores; Python {facts['python']}, {packages}."


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
