"""Tests that the metrics of entities, rules, codes and notation detect faults and accept fresh rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from understudy.evaluation.comparison import ComparisonTables, compare
from understudy.evaluation.metrics import METRICS
from understudy.evaluation.metrics.fidelity import EntityStructureResult
from understudy.evaluation.page.html import render_html
from understudy.evaluation.report import evaluate
from understudy.evaluation.scores import MetricScores, score_all
from understudy.evaluation.statistics.entities import RowsByEntity
from understudy.evaluation.verdict import Outcome, judge
from understudy.parameters.policy import STANDARD
from understudy.progress import no_progress
from understudy.tables.inference import InferredTable, infer_table
from understudy.tables.notation import DateNotation, NumberNotation, field_metadata
from understudy.tables.schema import ColumnKind, TableSchema

N = 1_500
NAMES = ("entity_structure", "value_rules", "code_labels", "notation")
IDENTIFIERS = ("customer_id", "order_id")
FEES = NumberNotation(decimal=",", thousands=".", decimals=2, suffix=" €")
DAYS = DateNotation(pattern="%d.%m.%Y")


def orders(*, seed: int, n_rows: int = N) -> pa.Table:
    """Return order lines with their customers. Different seeds produce different customers and orders."""
    rng = np.random.default_rng(seed)
    n_customers = n_rows // 8
    weights = rng.gamma(2, 1, n_customers)
    order = rng.integers(0, n_rows // 2, n_rows)
    customer = rng.choice(n_customers, n_rows, p=weights / weights.sum())[order]
    line = np.array([np.sum(order[:row] == order[row]) for row in range(n_rows)])
    segment = rng.choice(["basic", "plus", "pro"], n_customers)
    smokes = rng.random(n_rows) < 0.3
    code = np.minimum(rng.zipf(1.5, n_rows), 40)
    service = rng.choice(["none", "fiber", "cable"], n_rows, p=[0.3, 0.3, 0.4])
    monthly = np.round(rng.gamma(4, 10, n_rows), 2)
    tenure = rng.integers(1, 9, n_rows)
    return pa.table(
        {
            "customer_id": [f"K-{seed:02}{number:05}" for number in customer],
            "order_id": [f"{seed:02}/{number:06}" for number in order],
            "line": line,
            "segment": segment[customer],
            "smokes": smokes,
            "cigarettes": pa.array(rng.integers(1, 40, n_rows), mask=~smokes),
            "code": [f"D{number:02}" for number in code],
            "label": [f"disease {number}" for number in code],
            "service": service,
            "backup": np.where(service == "none", "no service", rng.choice(["yes", "no"], n_rows)),
            "tenure": tenure,
            "monthly": monthly,
            "total": np.round(np.where(tenure == 1, monthly, monthly * tenure * 1.013), 2),
            "ordered": pa.array(rng.integers(19_000, 19_400, n_rows).astype(np.int32)).cast(pa.date32()),
        }
    )


def declared(real: pa.Table) -> InferredTable:
    """Return the schema of the orders, with their identifiers and notations."""
    inferred = infer_table(real)
    changes: dict[str, dict[str, Any]] = {
        **{name: {"kind": ColumnKind.identifier} for name in IDENTIFIERS if name in real.column_names},
        "monthly": {"notation": FEES},
        "ordered": {"notation": DAYS},
    }
    columns = [column.model_copy(update=changes.get(column.name, {})) for column in inferred.schema.columns]
    return InferredTable(TableSchema(columns=tuple(columns)), inferred.findings)


def scores_of(synthetic: pa.Table) -> list[MetricScores]:
    real = orders(seed=1)
    comparison = compare(
        ComparisonTables(real, synthetic), declared(real).schema, unscored=IDENTIFIERS, seed=3
    )
    return score_all(comparison, {}, no_progress, [METRICS[name] for name in NAMES])


def outcomes(scores: list[MetricScores]) -> dict[str, Outcome]:
    """Return the outcomes of the policy checks for the tested metrics."""
    thresholds = tuple(one for one in STANDARD.thresholds if one.metric in NAMES)
    return judge(STANDARD.model_copy(update={"thresholds": thresholds}), scores).outcomes()


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def shuffled(name: str, share: float = 1.0) -> Callable[[pa.Table], pa.Table]:
    """Return a function that shuffles a share of a column's values."""

    def change(table: pa.Table) -> pa.Table:
        rng = np.random.default_rng(7)
        rows = np.arange(table.num_rows)
        moved = np.flatnonzero(rng.random(table.num_rows) < share)
        rows[moved] = rng.permutation(moved)
        return table.set_column(table.column_names.index(name), name, table.column(name).take(pa.array(rows)))

    return change


def with_even_customers(table: pa.Table) -> pa.Table:
    """Return the table with a different customer for each order."""
    return replaced(table, "customer_id", [f"K-09{one.as_py()[3:8]}" for one in table["order_id"]])


def with_repeated_lines(table: pa.Table) -> pa.Table:
    return replaced(table, "line", np.zeros(table.num_rows, dtype=np.int64))


def with_long_fees(table: pa.Table) -> pa.Table:
    return replaced(table, "monthly", table["monthly"].to_numpy() * 1.00123)


def with_other_identifiers(table: pa.Table) -> pa.Table:
    return replaced(table, "order_id", [one.as_py().replace("/", "-") for one in table["order_id"]])


def with_iso_dates(table: pa.Table) -> pa.Table:
    """Return the table as if it had been read from a file that uses another date notation."""
    at = table.column_names.index("ordered")
    notation = field_metadata(DateNotation(pattern="%Y/%m/%d"))
    return table.cast(table.schema.set(at, table.schema.field(at).with_metadata(notation)))


FAULTS: dict[str, tuple[str, Callable[[pa.Table], pa.Table]]] = {
    "a segment that varies": ("entity_structure", shuffled("segment", 0.3)),
    "orders of several customers": ("entity_structure", shuffled("order_id", 0.3)),
    "too many customers": ("entity_structure", with_even_customers),
    "repeated lines": ("entity_structure", with_repeated_lines),
    "a service without a service": ("value_rules", shuffled("backup", 0.3)),
    "cigarettes of others": ("value_rules", shuffled("cigarettes", 0.5)),
    "wrong totals": ("value_rules", shuffled("total", 0.3)),
    "wrong labels": ("code_labels", shuffled("label", 0.15)),
    "long numbers": ("notation", with_long_fees),
    "other identifiers": ("notation", with_other_identifiers),
    "other dates": ("notation", with_iso_dates),
}


@pytest.mark.parametrize("n_rows", [300, 1_000, N])
def test_fresh_rows_pass_all_checks(n_rows: int) -> None:
    assert outcomes(scores_of(orders(seed=2, n_rows=n_rows))) == dict.fromkeys(NAMES, "pass")


@pytest.mark.parametrize("fault", FAULTS)
def test_each_injected_fault_is_detected(fault: str) -> None:
    metric, change = FAULTS[fault]
    assert outcomes(scores_of(change(orders(seed=2))))[metric] == "warn"


def test_report_uses_the_identifiers_and_shows_values_in_their_notation() -> None:
    real = orders(seed=1)
    report = evaluate(ComparisonTables(real, orders(seed=2)), declared(real))
    result = report.scores("entity_structure").synthetic
    assert isinstance(result, EntityStructureResult)
    assert {entity.column for entity in result.entities} == set(IDENTIFIERS)
    page = render_html(report)
    assert "backup = no service where service = none" in page
    shown = {column.column: column.texts for column in report.columns}
    assert all(re.fullmatch(r"\d\d\.\d\d\.20\d\d", text) for text in shown["ordered"])
    assert all(re.fullmatch(r"\d+,\d\d €", text) for text in shown["monthly"])
    assert {shown["ordered"][0], shown["monthly"][0]} <= set(re.findall(r">([^<>]+)</text>", page))


@pytest.mark.parametrize("sizes", [[30], [30, 5], [4, 30, 5], [4, 4, 4]])
def test_rows_are_reduced_to_whole_entities(sizes: list[int]) -> None:
    codes = np.repeat(np.arange(len(sizes)), sizes)
    rows = RowsByEntity.of(codes, 10, np.random.default_rng(0))
    found, counts = np.unique(rows.codes, return_counts=True)
    assert counts.tolist() == [sizes[code] for code in found]
    assert len(rows.codes) <= 10 or len(found) == 1
