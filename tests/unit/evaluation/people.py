"""A small table with dependent columns: numbers, counts, categories, booleans and dates."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.evaluation.comparison import Comparison, ComparisonTables, compare
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.tables.inference import infer_table

# Name of the identifier column. Its values are not scored.
UNSCORED = "customer"


def people(n_rows: int, *, seed: int) -> pa.Table:
    """Return rows sampled from one population. Tables with different seeds differ only by chance."""
    rng = np.random.default_rng(seed)
    height = rng.normal(size=n_rows)
    visits = rng.poisson(4, n_rows)
    town = np.where(height + 0.3 * rng.normal(size=n_rows) > 0, "north", "south")
    is_member = height + 0.5 * visits + 0.5 * rng.normal(size=n_rows) > 2
    days = [
        datetime.date(2020, 1, 1) + datetime.timedelta(days=int(day)) for day in rng.integers(0, 900, n_rows)
    ]
    return pa.table(
        {
            "height": pa.array(np.where(rng.random(n_rows) < 0.05, np.nan, height), from_pandas=True),
            "visits": pa.array(visits),
            "town": pa.array(town),
            "is_member": pa.array(is_member),
            "joined": pa.array(days),
        }
    )


def related(table: pa.Table, *, seed: int) -> pa.Table:
    """Add derived columns to a table of people, for tests of rules, correlations and tails."""
    rng = np.random.default_rng([seed, 1])
    height = table.column("height").to_numpy()
    visits = table.column("visits").to_numpy()
    # A missing height makes the weight missing too.
    weight = 0.8 * height + 0.6 * rng.normal(size=table.num_rows)
    bookings = visits + rng.poisson(2, table.num_rows)
    zone = np.where(np.array(table.column("town")) == "north", "zone 1", "zone 2")
    return (
        table.append_column("weight", pa.array(weight, from_pandas=True))
        .append_column("bookings", pa.array(bookings))
        .append_column("zone", pa.array(zone))
        .append_column("spending", pa.array(np.exp(np.minimum(bookings, 12) / 2)))
    )


def detailed(table: pa.Table, *, seed: int) -> pa.Table:
    """Add columns to a result of `related`, for tests of entities, value-level rules and notations."""
    rng = np.random.default_rng([seed, 2])
    n_rows = table.num_rows
    is_south = np.array(table.column("town")) == "south"
    customer = rng.integers(0, max(1, n_rows // 4), n_rows)
    segments = rng.choice(["basic", "plus", "pro"], n_rows)
    return (
        table.append_column("fee", pa.array(np.round(rng.gamma(2, 10, n_rows), 2)))
        .append_column("discount", pa.array(np.where(is_south, 0, rng.integers(1, 10, n_rows))))
        .append_column("segment", pa.array(segments[customer]))
        .append_column(UNSCORED, pa.array([f"K-{seed:03}{number:06}" for number in customer]))
    )


def destroyed(table: pa.Table) -> pa.Table:
    """Return the table with columns reversed, shifted, shuffled and clipped until no dependency is left."""
    rng = np.random.default_rng(99)
    height = np.array(table.column("height").to_numpy()) * -3 + 2
    turned = pa.array(rng.permutation(height), from_pandas=True)
    result = table.set_column(0, "height", turned).set_column(
        3, "is_member", pa.array(rng.random(table.num_rows) < 0.5)
    )
    if "bookings" in table.column_names:
        order = pa.array(rng.permutation(table.num_rows))
        result = result.set_column(6, "bookings", table.column("bookings").take(order))
        early = [min(day, datetime.date(2020, 9, 1)) for day in table.column("joined").to_pylist()]
        result = result.set_column(4, "joined", pa.array(early))
        result = result.set_column(7, "zone", pa.array(["zone 1"] * table.num_rows))
        spending = np.minimum(table.column("spending").to_numpy(), 30.0)
        result = result.set_column(8, "spending", pa.array(spending))
    if UNSCORED in table.column_names:
        for name in ("discount", "segment"):
            values = table.column(name).take(pa.array(rng.permutation(table.num_rows)))
            result = result.set_column(table.column_names.index(name), name, values)
        result = result.set_column(9, "fee", pa.array(table.column("fee").to_numpy() * 1.0123))
    return result


def biased(table: pa.Table) -> pa.Table:
    """Return the table with changed memberships: few members in the north, and many in the south."""
    rng = np.random.default_rng(98)
    is_member, is_south = (
        np.array(table.column("is_member").to_pylist()),
        np.array(table.column("town").to_pylist()) == "south",
    )
    is_changed = rng.random(table.num_rows) < 0.7
    is_member = np.where(is_changed, is_south, is_member)
    return table.set_column(3, "is_member", pa.array(is_member))


def comparison(
    real: pa.Table,
    synthetic: pa.Table,
    *,
    holdout: pa.Table | None = None,
    canaries: pa.Table | None = None,
    target: str | None = None,
    seed: int = 0,
    **options: Any,
) -> Comparison:
    """Return a row-level comparison that uses the schema of the real table."""
    asked = EvaluationOptions(target=target, **options)
    schema = infer_table(real).schema.model_copy(update={"subject": ()})
    unscored = [UNSCORED] if UNSCORED in real.column_names else []
    if canaries is not None:
        canaries = canaries.drop_columns(unscored)
    return compare(
        ComparisonTables(real, synthetic, holdout=holdout, canaries=canaries),
        schema,
        unscored=unscored,
        options=asked,
        seed=seed,
    )
