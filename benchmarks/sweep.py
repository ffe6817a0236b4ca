"""Run every step of the product on public tables: ``python -m benchmarks.sweep [--packages FOLDER]``.

Each table is read, profiled, fitted (preset fast, at most 2,000 rows), sampled, written back in its format,
read again and evaluated. The benchmark counts crashes, internal errors and refusals, and the share of written
values that parse in the notation of their column.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any  # `Any` is a value of an outcome that is stored as a dictionary.

from benchmarks.engine.report import RESULTS, machine
from benchmarks.sweep_packages import fetch, table_files, unpack
from benchmarks.sweep_table import examine
from understudy.tables.formats import format_for_path

SHARE_PARSED_MIN = 0.995
_SECONDS_MAX = 600


def main() -> None:
    """Print the outcomes by format, the refusals, and the columns with values that do not parse."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--packages", type=Path, help="folder for the downloaded packages, to use them again")
    parser.add_argument("--tables", type=int, default=240, help="number of tables, chosen by a hash")
    parser.add_argument("--outcomes", type=Path, help="file of outcomes, to continue an interrupted run")
    parser.add_argument("--only", help="examine only tables whose names contain this text")
    parser.add_argument("--write-results", action="store_true", help="write a dated file into results/")
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = options.packages or Path(scratch)
        fetch(folder / "archives")
        unpack(folder / "archives", folder / "tables")
        chosen = _chosen(folder / "tables", options.tables, options.only)
        outcomes = _resumed(folder / "tables", chosen, options.outcomes)
    report = "\n".join(_report(outcomes))
    print(report)
    if options.write_results:
        figures = {"machine": machine(), "outcomes": outcomes}
        day = time.strftime("%Y-%m-%d")
        (RESULTS / f"{day}-sweep.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (RESULTS / f"{day}-sweep.md").write_text(report + "\n", encoding="utf-8")
    sys.exit(1 if _is_missed(outcomes) else 0)


def _chosen(folder: Path, n_max: int, only: str | None) -> list[Path]:
    """Return up to n_max files. At most half of them are in formats other than CSV."""
    paths = [path for path in table_files(folder) if only is None or only in str(path.relative_to(folder))]
    others = [path for path in paths if format_for_path(path).name != "csv" or ".tsv" in path.suffixes]
    other_names = set(others[: n_max // 2])
    rest = [path for path in paths if path not in set(others)]
    return sorted([*other_names, *rest[: max(n_max - len(other_names), 0)]])


def _resumed(folder: Path, chosen: Sequence[Path], stored: Path | None) -> list[dict[str, Any]]:
    """Examine the tables without a stored outcome, and store each outcome."""
    if stored is None:
        return list(_outcomes(folder, chosen))
    lines = stored.read_text(encoding="utf-8").splitlines() if stored.exists() else []
    done = {outcome["table"]: outcome for outcome in map(json.loads, lines)}
    rest = [path for path in chosen if str(path.relative_to(folder)) not in done]
    with stored.open("a", encoding="utf-8") as file:
        for outcome in _outcomes(folder, rest):
            done[outcome["table"]] = outcome
            print(json.dumps(outcome), file=file, flush=True)
    return [done[str(path.relative_to(folder))] for path in chosen]


def _outcomes(folder: Path, paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield the outcomes of files. If a process dies or exceeds the time limit, a new process replaces it."""
    worker = _Worker()
    for number, path in enumerate(paths, start=1):
        name = str(path.relative_to(folder))
        outcome = worker.examine(name, path)
        if outcome is None:
            outcome = {"table": name, "format": format_for_path(path).name, "result": "crash"}
            outcome |= {"message": f"The process died or needed more than {_SECONDS_MAX} s."}
            worker = _Worker()
        if outcome["result"] != "done":
            _show_failure(number, len(paths), outcome)
        yield outcome
    worker.stop()


class _Worker:
    """A process that examines one table after another."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def examine(self, name: str, path: Path) -> dict[str, Any] | None:
        """Return the outcome for a file, or None if the process died or exceeded the time limit."""
        try:
            self._ours.send((name, path))
            if self._ours.poll(_SECONDS_MAX):
                outcome: dict[str, Any] = self._ours.recv()
                return outcome
        except (EOFError, OSError):
            pass
        self.stop()
        return None

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def _serve(connection: Connection) -> None:
    while True:
        connection.send(examine(*connection.recv()))


def _show_failure(number: int, n: int, outcome: dict[str, Any]) -> None:
    where = f"{outcome['table']} ({outcome.get('stage', '')})"
    print(f"{number} of {n}: {outcome['result']}: {where}: {outcome['message']}", file=sys.stderr, flush=True)


def _report(outcomes: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "| format | tables | done | refused | internal errors | crashes | median s | values parsed |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in (*sorted({outcome["format"] for outcome in outcomes}), "all"):
        yield _line(name, [outcome for outcome in outcomes if name in ("all", outcome["format"])])
    yield "\nRefusals by code:\n"
    refused = [outcome for outcome in outcomes if outcome["result"] == "refused"]
    for code, n in Counter(outcome["code"] for outcome in refused).most_common():
        yield f"- {code}: {n}"
    for outcome in refused:
        remedy = "" if outcome["has_remedy"] else " **no remedy**"
        yield f"  - {outcome['table']} ({outcome['stage']}): {outcome['message']}{remedy}"
    yield "\nInternal errors and crashes:\n"
    for outcome in outcomes:
        if outcome["result"] in ("internal error", "crash"):
            yield f"- {outcome['table']} ({outcome.get('stage', '')}): {outcome['message']}"
    yield "\nColumns with values that do not parse in their notation:\n"
    for outcome in outcomes:
        yield from (f"- {outcome['table']}: {column}" for column in outcome.get("unparsed", ()))
    yield "\nColumns that have a different type when they are read again:\n"
    for outcome in outcomes:
        if outcome.get("changed"):
            yield f"- {outcome['table']}: {', '.join(outcome['changed'][:8])}"
    yield "\nWarnings of libraries:\n"
    warned = Counter(text for outcome in outcomes for text in outcome.get("warnings", ()))
    yield from (f"- {n}: {text}" for text, n in warned.most_common())


def _line(name: str, outcomes: Sequence[dict[str, Any]]) -> str:
    results = Counter(outcome["result"] for outcome in outcomes)
    seconds = sorted(sum(outcome.get("seconds", {}).values()) for outcome in outcomes)
    counts = [results[each] for each in ("done", "refused", "internal error", "crash")]
    share = _share_parsed(outcomes)
    cells = [name, len(outcomes), *counts, f"{seconds[len(seconds) // 2]:.1f}", f"{share:.3%}"]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _share_parsed(outcomes: Sequence[dict[str, Any]]) -> float:
    n_written = sum(outcome.get("n_written", 0) for outcome in outcomes)
    n_parsed = sum(outcome.get("n_parsed", 0) for outcome in outcomes)
    return float(n_parsed / max(n_written, 1))


def _is_missed(outcomes: Sequence[dict[str, Any]]) -> bool:
    is_failed = any(outcome["result"] in ("internal error", "crash") for outcome in outcomes)
    has_no_remedy = any(not outcome.get("has_remedy", True) for outcome in outcomes)
    return is_failed or has_no_remedy or _share_parsed(outcomes) < SHARE_PARSED_MIN


if __name__ == "__main__":
    main()
