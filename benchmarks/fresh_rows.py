"""Score fresh real rows: ``python -m benchmarks.fresh_rows``.

Rows of tables with few levels repeat by chance, and other tables have entities, codes and value-level rules.
No loss check should fail for these rows, with or without a holdout and for any table size. Copied training
rows must still fail the check of exact copies if an attacker could distinguish them from new rows.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.engine.report import RESULTS, machine
from understudy.evaluation.comparison import ComparisonTables, compare
from understudy.evaluation.equal_sizes import metrics_with_loss
from understudy.evaluation.metrics import METRICS
from understudy.evaluation.scores import score_all
from understudy.evaluation.verdict import PolicyCheck, judge
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.parameters.policy import Policy, resolve_policy
from understudy.progress import no_progress
from understudy.tables.inference import infer_table

Figures = dict[str, Any]
Draw = Callable[[np.random.Generator, int], dict[str, Any]]
# Numbers of real, evaluated and held-out rows. If the last number is 0, there is no holdout.
SIZES = ((400, 400, 0), (400, 400, 400), (600, 250, 0), (300, 1200, 150))


def survey(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return a table of four survey answers with 192 possible combinations."""
    return {
        "q1": rng.choice([1, 2, 3, 4, 5, 6], n, p=[0.1, 0.2, 0.3, 0.2, 0.1, 0.1]),
        "q2": rng.choice([0, 1], n, p=[0.4, 0.6]),
        "grp": rng.choice(list("ABCD"), n, p=[0.4, 0.3, 0.2, 0.1]),
        "region": rng.choice([10, 20, 30, 55], n),
    }


def switches(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return a table of three boolean columns. One column depends on the other two."""
    first, second = rng.random(n) < 0.4, rng.random(n) < 0.1
    return {"a": first, "b": second, "c": (first | second) ^ (rng.random(n) < 0.2)}


def single(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return a table of one column with five levels."""
    return {"grade": rng.choice(["A", "B", "C", "D", "E"], n, p=[0.4, 0.3, 0.2, 0.07, 0.03])}


def codes(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return a table with two code columns that contain many rare codes."""
    left, right = np.minimum(rng.zipf(1.4, (2, n)), 60)
    return {"diagnosis": [f"D{i:02}" for i in left], "ward": [f"W{i:02}" for i in right]}


def items(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return a table of eight correlated answers from 1 to 5. Most rows are unique."""
    mood = rng.normal(size=(n, 1))
    answers = np.clip(np.rint(3 + 0.8 * mood + 0.8 * rng.normal(size=(n, 8))), 1, 5).astype(int)
    return {f"item_{i}": answers[:, i] for i in range(8)}


def loans(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return a table with a target, a protected column, counts and missing values."""
    sex = rng.choice(["f", "m"], n)
    children = rng.poisson(1, n)
    rating = rng.choice(["low", "mid", "high"], n, p=[0.3, 0.5, 0.2])
    odds = -1 + (rating == "high") * 2 - 0.5 * children + 0.3 * (sex == "m")
    return {
        "sex": sex,
        "children": pa.array(children, mask=rng.random(n) < 0.1),
        "rating": rating,
        "is_repaid": rng.random(n) < 1 / (1 + np.exp(-odds)),
    }


def visits(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return a table of numbered visits by new patients, with their attributes, and a code with its label."""
    n_patients = max(1, n // 5)
    weights = rng.gamma(1, 1, n_patients)
    patient = np.sort(rng.choice(n_patients, n, p=weights / weights.sum()))
    number = np.arange(n) - np.searchsorted(patient, patient)
    first = int(rng.integers(10**6))
    code = np.minimum(rng.zipf(1.5, n), 50)
    return {
        "patient_id": [f"P-{first + i:08d}" for i in patient],
        "visit": number,
        "sex": rng.choice(["f", "m"], n_patients)[patient],
        "birth_year": rng.integers(1930, 2010, n_patients)[patient],
        "code": [f"X{i:02}" for i in code],
        "label": [f"finding {i}" for i in code],
        "cost": np.round(rng.gamma(2, 40, n), 2),
    }


def contracts(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return a table of contracts with value-level rules. All samples share their customers and orders."""
    internet = rng.choice(["none", "fiber", "cable"], n, p=[0.2, 0.4, 0.4])
    smokes = rng.random(n) < 0.3
    tenure = np.minimum(rng.geometric(0.15, n), 30)
    monthly = np.round(rng.gamma(4, 10, n), 2)
    order = rng.integers(0, n, n)
    return {
        "customer_id": [f"C{i % 97:05d}" for i in order],
        "order_id": [f"O{i:06d}" for i in order],
        "internet": internet,
        "backup": np.where(internet == "none", "no internet", rng.choice(["yes", "no"], n)),
        "smoker": smokes,
        "cigarettes": pa.array(rng.poisson(9, n), mask=~smokes),
        "tenure": tenure,
        "monthly": monthly,
        "total": np.where(tenure == 1, monthly, np.round(monthly * tenure * 1.02, 2)),
    }


TABLES: dict[str, tuple[Draw, dict[str, Any]]] = {
    "survey": (survey, {"target": "q2"}),
    "switches": (switches, {"target": "c"}),
    "single": (single, {}),
    "codes": (codes, {}),
    "items": (items, {"target": "item_7"}),
    "visits": (visits, {}),
    "contracts": (contracts, {}),
    "loans": (loans, {"target": "is_repaid", "protected": ("sex",)}),
}


def loss_policy() -> Policy:
    """Return the policy `standard`, restricted to its loss checks."""
    policy = resolve_policy("standard")
    thresholds = tuple(threshold for threshold in policy.thresholds if threshold.of == "loss")
    return policy.model_copy(update={"thresholds": thresholds})


def checks(
    tables: ComparisonTables, options: dict[str, Any], policy: Policy, *, seed: int
) -> list[PolicyCheck]:
    """Score the tables, and return the outcomes of the policy's loss checks."""
    schema = infer_table(tables.real).schema
    comparison = compare(
        tables,
        schema,
        unscored=[name for name in schema.names if name.endswith("_id")],
        options=EvaluationOptions(policy=policy, **options),
        seed=seed,
    )
    names = metrics_with_loss(comparison)
    metrics = [metric for metric in METRICS.values() if metric.name in names]
    return judge(policy, score_all(comparison, {}, no_progress, metrics)).checks


def run(table: str, *, seed: int, sizes: tuple[int, int, int], policy: Policy) -> Iterator[Figures]:
    """Yield the outcome of each check on fresh rows, and of the exact-copies check on copied rows."""
    draw, options = TABLES[table]
    real, fresh, holdout = (
        pa.table(draw(np.random.default_rng([seed, part]), max(n, 1))) for part, n in enumerate(sizes)
    )
    held_out = holdout if sizes[2] else None
    copies = real.take(np.random.default_rng([seed, 3]).integers(real.num_rows, size=fresh.num_rows))
    about = {"table": table, "seed": seed, "sizes": list(sizes)}
    for check in checks(ComparisonTables(real, fresh, held_out), options, policy, seed=seed):
        yield about | {"rows": "fresh", "metric": check.metric, "loss": check.value, "outcome": check.outcome}
    only_copies = policy.model_copy(
        update={"thresholds": tuple(one for one in policy.thresholds if one.metric == "exact_copies")}
    )
    for check in checks(ComparisonTables(real, copies, held_out), options, only_copies, seed=seed):
        yield about | {
            "rows": "copies",
            "metric": check.metric,
            "loss": check.value,
            "outcome": check.outcome,
        }


def summary(figures: list[Figures]) -> Iterator[str]:
    """Yield a line for each metric and table, with the number of times that each outcome occurred."""
    for rows in ("fresh", "copies"):
        for table, metric in dict.fromkeys(
            (one["table"], one["metric"]) for one in figures if one["rows"] == rows
        ):
            counts = Counter(
                one["outcome"]
                for one in figures
                if (one["rows"], one["table"], one["metric"]) == (rows, table, metric)
            )
            shown = ", ".join(f"{outcome} {n}" for outcome, n in sorted(counts.items()))
            yield f"{rows:7} {table:9} {metric:26} {shown}"


def main() -> None:
    """Score fresh rows of all tables, and print the outcomes of the checks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fresh_rows", description=__doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--write-results", action="store_true")
    options = parser.parse_args()
    figures: list[Figures] = []
    for table in options.tables:
        for sizes in SIZES:
            for seed in range(options.seeds):
                figures += run(table, seed=seed, sizes=sizes, policy=loss_policy())
        print(f"{table}: done", flush=True)
    print("\n".join(summary(figures)))
    failed = [one for one in figures if one["rows"] == "fresh" and one["outcome"] == "fail"]
    print(f"fresh rows that fail: {len(failed)}")
    if options.write_results:
        path = Path(RESULTS) / f"{time.strftime('%Y-%m-%d')}-fresh_rows.json"
        command = f"python -m benchmarks.fresh_rows --seeds {options.seeds}"
        path.write_text(
            json.dumps({"command": command, "machine": machine(), "runs": figures}, indent=1) + "\n"
        )
        print(path.name)


if __name__ == "__main__":
    main()
