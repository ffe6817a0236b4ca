"""Tests that rule discovery finds planted rules and finds no rules in independent columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.evaluation.people import comparison
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.metrics.fidelity import rules_kept
from understudy.evaluation.metrics.fidelity.rules_kept import RulesKeptResult

N_ROWS = 2_000


def shop(*, seed: int, broken: float = 0.0) -> pa.Table:
    """Return rows with a rule of every kind. A share `broken` of the rows breaks all rules."""
    rng = np.random.default_rng(seed)
    net = rng.integers(100, 9_000, N_ROWS) / 100
    tax = rng.integers(1, 2_000, N_ROWS) / 100
    town = rng.integers(0, 12, N_ROWS)
    ordered = rng.integers(0, 400, N_ROWS)
    is_bad = rng.random(N_ROWS) < broken
    is_gift = rng.random(N_ROWS) < 0.2
    paid = np.where(is_gift, np.nan, rng.normal(size=N_ROWS))
    card = np.where(is_gift ^ is_bad, None, rng.choice(["v", "m"], N_ROWS))
    return pa.table(
        {
            "net": net,
            "tax": tax,
            "gross": net + tax + 5 * is_bad,
            "town": [f"t{k}" for k in town],
            "state": [f"s{k}" for k in (town + is_bad) % 4],
            "ordered": pa.array(ordered.astype("datetime64[D]")),
            "sent": pa.array(
                (ordered + np.where(is_bad, -3, rng.integers(0, 90, N_ROWS))).astype("datetime64[D]")
            ),
            "paid": pa.array(paid, from_pandas=True),
            "card": pa.array(card),
        }
    )


def discovered(real: pa.Table, synthetic: pa.Table) -> RulesKeptResult:
    result = rules_kept.score(comparison(real, synthetic))
    assert isinstance(result, RulesKeptResult)
    return result


def test_planted_rules_are_found_and_satisfied() -> None:
    result = discovered(shop(seed=1), shop(seed=2))
    sentences = {rule.sentence for rule in result.rules}
    assert {
        "net and tax add up to gross",
        "town determines state",
        "ordered is at most sent",
        "paid and card are missing together",
    } <= sentences
    # The sum implies two more rules, because no positive summand exceeds the sum.
    assert sentences - {"net is at most gross", "tax is at most gross"} == {
        "net and tax add up to gross",
        "town determines state",
        "ordered is at most sent",
        "paid and card are missing together",
    }
    assert (result.score, result.unbroken) == (1.0, 1.0)


def test_rows_that_break_rules_are_counted() -> None:
    result = discovered(shop(seed=1), shop(seed=2, broken=0.3))
    # Bad rows break every rule. The tolerance is four standard errors of a share of 0.3 among 2,000 rows.
    assert result.unbroken == pytest.approx(0.7, abs=4 * np.sqrt(0.21 / N_ROWS))
    kept = {rule.sentence: rule.kept_synthetic for rule in result.rules}
    assert kept["ordered is at most sent"] == pytest.approx(result.unbroken, abs=1e-9)


def test_few_contradicting_rows_do_not_prevent_a_rule() -> None:
    result = discovered(shop(seed=1, broken=0.002), shop(seed=2))
    assert "net and tax add up to gross" in {rule.sentence for rule in result.rules}
    assert result.unbroken_real > 0.99


def test_many_contradicting_rows_prevent_a_rule() -> None:
    table = shop(seed=1, broken=0.1)
    assert rules_kept.score(comparison(table, table)) == UnscoredResult(
        reason="finds no rules in the real table"
    ) or {rule.sentence for rule in discovered(table, table).rules} <= {
        "net is at most gross",
        "tax is at most gross",
    }


@pytest.mark.parametrize("seed", range(5))
def test_independent_columns_have_no_rules(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 400
    table = pa.table(
        {
            "rare": rng.choice(["a", "b"], n, p=[0.99, 0.01]),
            "mostly": np.where(rng.random(n) < 0.97, 0, rng.integers(1, 5, n)),
            "small": rng.integers(0, 4, n),
            # These values exceed the values of `small` only because the value ranges do not overlap.
            "large": rng.integers(10, 20, n),
            "gappy": pa.array(np.where(rng.random(n) < 0.02, np.nan, rng.random(n)), from_pandas=True),
            "more gappy": pa.array(np.where(rng.random(n) < 0.7, np.nan, rng.random(n)), from_pandas=True),
        }
    )
    assert rules_kept.score(comparison(table, table)) == UnscoredResult(
        reason="finds no rules in the real table"
    )


def test_too_few_rows_are_reported_as_the_reason() -> None:
    table = pa.table({"x": np.arange(100.0)})
    assert rules_kept.score(comparison(table, table)) == UnscoredResult(
        reason="needs at least 200 real rows to find rules in"
    )
