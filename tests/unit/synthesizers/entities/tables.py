"""Tables whose rows belong to entities, such as customers, orders, users and IP addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

import understudy
from understudy.tables.schema import ColumnKind

IDENTIFIER, NAME = ColumnKind.identifier, ColumnKind.name


def orders(n_customers: int = 120, n_orders: int = 500, *, seed: int = 0) -> pd.DataFrame:
    """Return order lines. Each order has one customer and date. Each customer has one segment and country."""
    rng = np.random.default_rng(seed)
    weights = rng.pareto(2, n_customers) + 0.3
    customer = rng.choice(n_customers, n_orders, p=weights / weights.sum())
    order = np.repeat(np.arange(n_orders), 1 + rng.poisson(2, n_orders))
    owner = customer[order]
    numbers = rng.permutation(9000)[:n_customers] + 1000
    segments = rng.choice(["consumer", "business", "public"], n_customers, p=[0.6, 0.3, 0.1])
    days = np.sort(rng.integers(0, 365, n_orders))
    return pd.DataFrame(
        {
            "order_no": 70_000 + order,
            "customer_no": [f"C{numbers[i]}" for i in owner],
            "segment": segments[owner],
            "country": rng.choice(["DE", "AT", "CH"], n_customers)[owner],
            "order_date": (pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D"))[order],
            "quantity": 1 + rng.poisson(np.where(segments[owner] == "public", 20, 2)),
        }
    )


def logins(n_users: int = 60, n: int = 1500, *, seed: int = 0) -> pd.DataFrame:
    """Return logins. A user has up to four IP addresses, and some logins have no user."""
    rng = np.random.default_rng(seed)
    user, address = rng.integers(0, n_users, n), rng.integers(0, 4, n)
    place = (user * 7 + address * address) % (2 * n_users)
    hosts = rng.permutation(250)[: 2 * n_users] + 1
    roles = rng.choice(["admin", "guest", "staff"], n_users)
    return pd.DataFrame(
        {
            "user": np.where(rng.random(n) < 0.1, None, np.array([f"usr-{i:04d}" for i in user])),
            "email": [f"person{i}@company.com" for i in user],
            "role": roles[user],
            "ip": [f"93.184.{i % 7}.{hosts[i]}" for i in place],
            "minutes": rng.gamma(2, 10, n).round(1),
        }
    )


def panel(n_subjects: int = 60, *, seed: int = 0) -> pd.DataFrame:
    """Return three rows for each subject, with the samples A, B and C."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(n_subjects), 3)
    ages = rng.integers(18, 80, n_subjects)
    return pd.DataFrame(
        {
            "subject": [f"ID-{i:03d}" for i in subject],
            "age": ages[subject],
            "sample": np.tile(["A", "B", "C"], n_subjects),
            "sweet": rng.integers(1, 10, len(subject)),
        }
    )


def fitted(
    table: pd.DataFrame, kinds: Mapping[str, ColumnKind], *, subject: tuple[str, ...] = (), **options: Any
) -> understudy.Model:
    """Return a model fitted on a table, with the given kinds for some columns."""
    schema = understudy.infer_schema(table)
    ((name, described),) = schema.tables.items()
    columns = tuple(
        column.model_copy(update={"kind": kinds[column.name]}) if column.name in kinds else column
        for column in described.columns
    )
    described = described.model_copy(update={"columns": columns, "subject": subject})
    tables = schema.model_copy(update={"tables": {name: described}})
    return understudy.fit(table, schema=tables, seed=1, **options)
