"""Tests that the search for value-level rules checks all rows, although it starts with a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.synthesizers.rules.tables import rules_of

N_ROWS = 12_000
# These few rows are adjacent, so a sample of the table contains only some of them.
RARE = slice(5_000, 5_040)


def _columns() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    plan, area = rng.choice(["a", "b", "open"], N_ROWS), rng.choice(["n", "s", "e", "w"], N_ROWS)
    plan[RARE], area[RARE] = "shut", "n"
    return {"plan": plan, "area": area, "size": rng.integers(0, 50, N_ROWS)}


def test_rule_about_a_rare_value_is_found() -> None:
    (rule,) = rules_of(_columns()).value_rules.implications
    assert (rule.condition.column, rule.consequence.column) == ("plan", "area")
    assert not rule.consequence.is_negated


@pytest.mark.parametrize("row", [RARE.start, RARE.stop - 1])
def test_rule_that_one_row_breaks_is_not_found(row: int) -> None:
    columns = _columns()
    columns["area"][row] = "w"
    assert not rules_of(columns).value_rules.implications


def test_values_that_occur_together_once_do_not_exclude_each_other() -> None:
    rng = np.random.default_rng(4)
    first = rng.choice(["a", "b", "c", "d"], N_ROWS)
    second = np.where(first == "a", rng.choice(["x", "y"], N_ROWS), rng.choice(["x", "y", "z"], N_ROWS))
    (rule,) = rules_of({"first": first, "second": second}).value_rules.implications
    assert rule.consequence.is_negated
    second[np.flatnonzero(first == "a")[7]] = "z"
    assert not rules_of({"first": first, "second": second}).value_rules.implications
