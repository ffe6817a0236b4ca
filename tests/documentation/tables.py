"""Small tables with the names that the pages use."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from understudy.tables.formats import write_table

N_ROWS = 400
CITIES = ("Oslo", "Rome", "Lima")


def write_tables(folder: Path) -> None:
    """Write the tables into a folder."""
    tables = {
        "people.csv": people(seed=1),
        "people.parquet": people(seed=1),
        "real.csv": people(seed=1),
        "synthetic.csv": people(seed=2),
        "unseen.csv": people(seed=3),
        "gaps.csv": people(seed=4),
        "visits.csv": visits(seed=5),
        "customers.csv": customers(seed=6),
        "orders.csv": orders(seed=7),
        "flights.csv": flights(seed=8),
        "flights.xlsx": flights(seed=8),
    }
    for name, table in tables.items():
        write_table(folder / name, table.to_batches(), table.schema)


def people(seed: int) -> pa.Table:
    """Return a table of people with dependent columns. Some salaries and phone numbers are missing."""
    rng = random.Random(seed)  # noqa: S311 - a table for a test
    ages = [rng.randint(18, 80) for _ in range(N_ROWS)]
    cities = [rng.choice(CITIES) for _ in range(N_ROWS)]
    salaries = [900 + 25 * age + rng.randint(-300, 300) for age in ages]
    return pa.table(
        {
            "age": ages,
            "sex": [rng.choice(("female", "male")) for _ in range(N_ROWS)],
            "city": cities,
            "salary": [None if rng.random() < 0.08 else salary for salary in salaries],
            "income": [">50K" if salary > 2_200 else "<=50K" for salary in salaries],
            "churn": ["yes" if rng.random() < age / 200 else "no" for age in ages],
            "fraud": ["yes" if rng.random() < 0.1 else "no" for _ in range(N_ROWS)],
            "phone": [None if rng.random() < 0.3 else _phone(rng) for _ in range(N_ROWS)],
        }
    )


def visits(seed: int) -> pa.Table:
    """Return four visits for each of a hundred patients."""
    rng = random.Random(seed)  # noqa: S311 - a table for a test
    patients = [f"P-{1_000 + row // 4}" for row in range(N_ROWS)]
    return pa.table(
        {
            "patient": patients,
            "age": [18 + int(patient[2:]) * 7 % 60 for patient in patients],
            "ward": [rng.choice("ABC") for _ in range(N_ROWS)],
        }
    )


def customers(seed: int) -> pa.Table:
    """Return customer rows, with dates of birth as text."""
    rng = random.Random(seed)  # noqa: S311 - a table for a test
    ids = [f"C-{100 + row // 4}" for row in range(N_ROWS)]
    births = {id_: date(1950, 1, 1) + timedelta(days=rng.randint(0, 18_000)) for id_ in ids}
    return pa.table(
        {
            "customer_id": ids,
            "zip": [10_000 + 10 * rng.randint(0, 9) for _ in ids],
            "born": [births[id_].isoformat() for id_ in ids],
            "city": [rng.choice(CITIES) for _ in ids],
        }
    )


def orders(seed: int) -> pa.Table:
    """Return orders with an amount that depends on the product."""
    rng = random.Random(seed)  # noqa: S311 - a table for a test
    products = [rng.choice(("tea", "coffee", "cocoa")) for _ in range(N_ROWS)]
    amounts = [len(product) + rng.randint(1, 9) for product in products]
    return pa.table({"product": products, "amount": amounts})


def flights(seed: int) -> pa.Table:
    """Return flights with delays that depend on the carrier."""
    rng = random.Random(seed)  # noqa: S311 - a table for a test
    carriers = [rng.choice(("AA", "DL", "UA")) for _ in range(N_ROWS)]
    delays = [rng.randint(-10, 30) + (20 if carrier == "UA" else 0) for carrier in carriers]
    distances = [100 * rng.randint(2, 25) for _ in carriers]
    return pa.table({"carrier": carriers, "delay": delays, "distance": distances})


def _phone(rng: random.Random) -> str:
    return f"+47 22 {rng.randint(10, 99)} {rng.randint(10, 99)} {rng.randint(10, 99)}"
