"""Tests of the fresh-rows benchmark: loss checks pass for fresh rows and fail for copies."""

from __future__ import annotations

import pytest

from benchmarks.fresh_rows import SIZES, TABLES, loss_policy, run

# Almost every combination of values occurs in these tables, so copies look the same as new rows.
COMPLETE = ("switches", "single")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_fresh_rows_pass_and_copies_fail_unless_the_table_contains_nearly_every_combination(
    table: str, sizes: tuple[int, int, int]
) -> None:
    figures = list(run(table, seed=100, sizes=sizes, policy=loss_policy()))
    fresh = {one["metric"]: one["outcome"] for one in figures if one["rows"] == "fresh"}
    assert "fail" not in fresh.values()
    assert fresh["exact_copies"] in ("pass", "inconclusive")
    (copies,) = (one["outcome"] for one in figures if one["rows"] == "copies")
    assert copies == "pass" if table in COMPLETE else copies in ("fail", "inconclusive")


def test_check_fails_for_copies_of_rows_that_rarely_repeat() -> None:
    for sizes in SIZES:
        figures = run("items", seed=101, sizes=sizes, policy=loss_policy())
        assert [one["outcome"] for one in figures if one["rows"] == "copies"] == ["fail"]
