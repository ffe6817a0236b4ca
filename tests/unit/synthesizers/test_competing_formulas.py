"""Tests that a column that is both a sum and a product of other columns satisfies both formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import understudy

N_ROWS = 1_000
Rng = np.random.Generator


def loans(rng: Rng) -> pd.DataFrame:
    principal, months = rng.integers(10, 400, N_ROWS) * 100, rng.choice([12, 24, 36, 48, 60], N_ROWS)
    rate = rng.choice([0.03, 0.045, 0.06, 0.079], N_ROWS) / 12
    payment = np.round(principal * rate / (1 - (1 + rate) ** -months), 2)
    table = pd.DataFrame({"principal": principal, "a": months, "b": payment, "total": payment * months})
    return table.assign(one=table["principal"], other=table["total"] - table["principal"])


def payslips(rng: Rng) -> pd.DataFrame:
    hours, wage = rng.integers(20, 180, N_ROWS), rng.integers(1250, 4800, N_ROWS) / 100
    tax = np.round(hours * wage * rng.uniform(0.1, 0.4, N_ROWS), 2)
    table = pd.DataFrame({"a": hours, "b": wage, "total": hours * wage, "one": tax})
    return table.assign(other=table["total"] - tax)


def invoices(rng: Rng) -> pd.DataFrame:
    quantity, price = rng.integers(1, 40, N_ROWS), rng.integers(99, 99_900, N_ROWS) / 100
    paid = np.round(quantity * price * rng.beta(2, 1, N_ROWS), 2)
    return pd.DataFrame({"one": paid, "other": quantity * price - paid, "a": quantity, "b": price}).assign(
        total=quantity * price
    )


def shipments(rng: Rng) -> pd.DataFrame:
    """Return shipments: boxes, pieces per box, and the numbers of intact and broken pieces."""
    boxes, pieces = rng.integers(3, 90, N_ROWS), rng.choice([6, 12, 24, 40], N_ROWS)
    broken = rng.binomial(boxes * pieces, 0.05)
    table = pd.DataFrame({"total": boxes * pieces, "one": boxes * pieces - broken, "other": broken})
    return table.assign(a=boxes, b=pieces)


def power_bills(rng: Rng) -> pd.DataFrame:
    consumed, price = rng.integers(100, 9_000, N_ROWS), rng.choice([0.25, 0.28, 0.31, 0.35, 0.42], N_ROWS)
    advance = rng.integers(5, 2_500, N_ROWS)
    total = consumed * price
    return pd.DataFrame({"a": consumed, "b": price, "one": advance, "other": total - advance, "total": total})


@pytest.mark.parametrize("make", [loans, payslips, invoices, shipments, power_bills])
def test_sum_and_product_both_hold_in_every_row(make: Callable[[Rng], pd.DataFrame]) -> None:
    table = make(np.random.default_rng(3)).round(2)
    sampled = understudy.fit(table, seed=1).sample(2 * N_ROWS, seed=2)
    for rows in (table, sampled):
        assert (rows["a"] * rows["b"] - rows["total"]).abs().max() < 0.006
        assert (rows["one"] + rows["other"] - rows["total"]).abs().max() < 0.006
    for name in ("total", "one", "other"):
        assert sampled[name].median() == pytest.approx(table[name].median(), rel=0.25)
