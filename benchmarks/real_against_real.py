"""Score one half of a real table against the other: ``python -m benchmarks.real_against_real --data FOLDER``.

One half replaces the synthetic table. For every fidelity score, a report contains a floor, which is the score
of real rows. This benchmark counts how often the other half scores below its floor. In 95 of 100
reports, no score should be below its floor.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.engine.report import RESULTS, machine
from benchmarks.engine.tables import draw, halves, read_source
from understudy.evaluation.comparison import ComparisonTables, compare
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.metrics.fidelity import FIDELITY
from understudy.evaluation.scores import MetricScores, score_all
from understudy.progress import no_progress

TABLES = ("adult", "housing", "diamonds")
Figures = dict[str, Any]


def is_kept(scores: MetricScores) -> bool | None:
    """Return whether a score is no worse than the worse end of its floor, or None if there is no floor."""
    result, floor = scores.synthetic, scores.floor
    if isinstance(result, UnscoredResult) or floor is None or floor.interval is None:
        return None
    worst = max(_badness(scores, end) for end in floor.interval)
    # The interval of the floor can be narrower than rounding errors.
    return _badness(scores, result.score) <= worst + 1e-9


def _badness(scores: MetricScores, score: float) -> float:
    if scores.direction == "nearer":
        return abs(score - scores.best)
    return scores.best - score if scores.direction == "higher" else score - scores.best


def run(table: str, folder: Path, n_rows_max: int | None, *, seed: int) -> Iterator[Figures]:
    """Yield the figures of each fidelity metric for two halves of a table."""
    rows, schema = read_source(table, folder)
    if n_rows_max is not None and n_rows_max < len(rows):
        rows = draw(rows, n_rows_max, seed=seed)
    real, other = halves(rows, seed=seed)
    for scores in score_all(
        compare(ComparisonTables(real, other), schema, seed=seed), {}, no_progress, FIDELITY
    ):
        floor = scores.floor
        yield {
            "table": table,
            "seed": seed,
            "metric": scores.name,
            "score": scores.synthetic.score,
            "floor": None if floor is None else floor.score,
            "interval": None if floor is None else floor.interval,
            "is_kept": is_kept(scores),
        }


def summary(figures: list[Figures]) -> Iterator[str]:
    """Yield a line for each table and metric: score range, mean floor, and how often the score reached it."""
    for table, metric in dict.fromkeys((run["table"], run["metric"]) for run in figures):
        runs = [run for run in figures if (run["table"], run["metric"]) == (table, metric)]
        scores = [run["score"] for run in runs if run["score"] is not None]
        judged = [run["is_kept"] for run in runs if run["is_kept"] is not None]
        if not scores:
            yield f"{table:9} {metric:20} not scored"
            continue
        floors = [run["floor"] for run in runs if run["floor"] is not None]
        yield (
            f"{table:9} {metric:20} {min(scores):.4f} … {max(scores):.4f}"
            f"  floor {sum(floors) / len(floors):.4f}  kept {sum(judged)} of {len(judged)}"
        )


def main() -> None:
    """Score halves of the tables, and print the metrics below their floors."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_against_real", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with adult.csv, housing.csv, …")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=["adult"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, help="number of rows of the table, before it is halved")
    parser.add_argument("--write-results", action="store_true")
    options = parser.parse_args()
    figures: list[Figures] = []
    for table in options.tables:
        for seed in range(options.seeds):
            runs = list(run(table, options.data, options.rows, seed=seed))
            figures += runs
            below = [one["metric"] for one in runs if one["is_kept"] is False]
            print(f"{table} {seed}: {', '.join(below) or 'all floors held'}", flush=True)
    print("\n".join(summary(figures)))
    if options.write_results:
        path = RESULTS / f"{time.strftime('%Y-%m-%d')}-real_against_real.json"
        rows = "" if options.rows is None else f" --rows {options.rows}"
        command = f"python -m benchmarks.real_against_real --data FOLDER --seeds {options.seeds}{rows}"
        path.write_text(
            json.dumps({"command": command, "machine": machine(), "runs": figures}, indent=1) + "\n"
        )
        print(path.name)


if __name__ == "__main__":
    main()
