"""Small tables under the names that the pages use."""

from __future__ import annotations

import csv
import random
from pathlib import Path

N_ROWS = 400
TABLES = ("people.csv", "table.csv")


def write_tables(folder: Path) -> None:
    """Write the tables into a folder."""
    rows = people(N_ROWS, seed=1)
    for name in TABLES:
        write_csv(folder / name, rows)


def people(n_rows: int, seed: int) -> list[dict[str, object]]:
    """Return rows of people whose columns depend on each other, some with missing values."""
    rng = random.Random(seed)  # noqa: S311 - a table for a test
    rows = []
    for _ in range(n_rows):
        age = rng.randint(18, 80)
        city = rng.choice(("Oslo", "Rome", "Lima"))
        salary = 900 + 25 * age + rng.randint(-300, 300) + (400 if city == "Oslo" else 0)
        rows.append(
            {
                "age": age,
                "sex": rng.choice(("female", "male")),
                "city": city,
                "salary": "" if rng.random() < 0.08 else salary,
                "income": ">50K" if salary > 2400 else "<=50K",
                "churn": "yes" if rng.random() < age / 200 else "no",
            }
        )
    return rows


def write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    """Write rows as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
