"""Tests that the coverage figure counts the lines and branches of each package."""

from __future__ import annotations

from typing import Any

from benchmarks.coverage import summarize


def file(covered_lines: int, n_statements: int, covered_branches: int, n_branches: int) -> dict[str, Any]:
    summary = {
        "covered_lines": covered_lines,
        "num_statements": n_statements,
        "covered_branches": covered_branches,
        "num_branches": n_branches,
    }
    return {"summary": summary}


def test_coverage_is_summarized_by_package() -> None:
    report = {
        "files": {
            "understudy/db/jobs.py": file(8, 10, 1, 2),
            "understudy/errors.py": file(4, 4, 0, 0),
            "app/routes/jobs.py": file(0, 4, 0, 0),
        }
    }
    percents = {name: coverage.percent for name, coverage in summarize(report).items()}
    assert percents == {"understudy/db": 75.0, "understudy": 100.0, "app": 0.0, "total": 65.0}
