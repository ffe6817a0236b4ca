"""Tests that the enforcement of rules between columns does not change the distribution of earlier columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from tests.one_table import fit
from tests.one_table import sample as draw
from understudy.parameters.constraints import SamplingConstraints
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.tree_chain.synthesizer import TreeChain
from understudy.tables.inference import infer_table

N_ROWS = 4000
N_DRAWN = 20_000

Floats = npt.NDArray[np.float64]


def as_days(values: Floats) -> Any:
    return pa.array(np.rint(values).astype(np.int32), pa.int32()).cast(pa.date32())


def as_stamps(values: Floats) -> Any:
    return pa.array(np.rint(values * 60).astype(np.int64), pa.int64()).cast(pa.timestamp("s"))


FORMS: dict[str, Callable[[Floats], Any]] = {
    "float": lambda values: pa.array(values.round(1)),
    "whole": lambda values: pa.array(np.rint(values).astype(np.int64)),
    "days": as_days,
    "stamps": as_stamps,
}


def orders(form: str, seed: int = 0) -> pa.Table:
    """Return rows with a <= b where both are present. More values of b are missing in group x."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["x", "y", "z"], N_ROWS)
    a = rng.normal(500, 120, N_ROWS)
    b = np.maximum(a, rng.normal(600, 200, N_ROWS))
    lacks_a, lacks_b = rng.random(N_ROWS) < 0.1, rng.random(N_ROWS) < np.where(group == "x", 0.3, 0.05)
    low, high = (FORMS[form](values) for values in (a, b))
    # Without a column with many distinct values, many proposals would equal a unique row and be rejected.
    other = pa.array(rng.random(N_ROWS))
    columns = {
        "group": pa.array(group),
        "other": other,
        "a": _without(low, lacks_a),
        "b": _without(high, lacks_b),
    }
    return pa.table(columns)


def _without(values: Any, lacks: npt.NDArray[np.bool_]) -> Any:
    return pa.array(
        [None if gap else value for value, gap in zip(values.to_pylist(), lacks, strict=True)], values.type
    )


def fitted(table: pa.Table, preset: str = "fast") -> TreeChain:
    chain = fit(
        TreeChain(TreeChainParameters(name="tree_chain", preset=preset)), table, infer_table(table).schema
    )
    assert any(rule.startswith("a <= b") for rule in chain.card()["rules"])
    return chain


def share_missing(table: pa.Table, name: str) -> float:
    return table[name].null_count / len(table)


# Six standard deviations of the difference between the shares in samples of 4000 and 20,000 rows.
def tolerance(share: float) -> float:
    return float(6 * np.sqrt(share * (1 - share) * (1 / N_ROWS + 1 / N_DRAWN)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_inequalities_do_not_change_shares_of_missing_values(form: str, seed: int) -> None:
    table = orders(form, seed)
    sample = draw(fitted(table), N_DRAWN, seed=2)
    for name in ("a", "b"):
        expected = share_missing(table, name)
        # Before redrawing, a seventh of the rows break the inequality. Rejecting these rows would raise the
        # share by 15%.
        assert abs(share_missing(sample, name) - expected) < min(tolerance(expected), 0.1 * expected)
    for low, high in zip(sample["a"].to_pylist(), sample["b"].to_pylist(), strict=True):
        assert low is None or high is None or low <= high


@pytest.mark.parametrize("preset", ["fast", "best"])
def test_inequalities_do_not_change_other_columns(preset: str) -> None:
    table = orders("float")
    sample = draw(fitted(table, preset), N_DRAWN, seed=2)
    shares = [np.mean(np.array(t["group"].to_pylist()) == "x") for t in (table, sample)]
    assert abs(shares[0] - shares[1]) < tolerance(float(shares[0]))


def test_rows_do_not_depend_on_the_requested_slice() -> None:
    chain = fitted(orders("float"))
    assert draw(chain, 2000, seed=5).slice(1500).equals(draw(chain, 500, seed=5, offset=1500))


def test_constraints_preserve_shares_of_missing_values() -> None:
    table = orders("float")
    wanted = SamplingConstraints.model_validate(
        {"conditions": [{"where": {"group": {"equals": "x"}}, "n_rows": 5000}]}
    )
    rows = draw(fitted(table), 5000, seed=1, constraints=wanted)
    # About 1330 of the real rows are in group x, so the standard deviation of the share is 0.0125.
    assert abs(share_missing(rows, "b") - 0.3) < 0.06
