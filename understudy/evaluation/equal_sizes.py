"""Tables of equal size for loss checks, which compare synthetic rows with real rows.

Many scores depend on the number of rows. A loss is meaningful only if the evaluated table and the real
baseline have the same number of rows and are compared with the same reference rows.
"""

from __future__ import annotations

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.models.prediction import rows_of_real
from understudy.parameters.policy import resolve_policy


def metrics_with_loss(comparison: Comparison) -> frozenset[str]:
    """Return the names of the metrics that have a loss check in the policy."""
    policy = resolve_policy(comparison.options.policy)
    return frozenset(threshold.metric for threshold in policy.thresholds if threshold.of == "loss")


def training_baseline(comparison: Comparison) -> Comparison:
    """Return the comparison with real training rows in place of the synthetic rows.

    If there is a target, the baseline has at most as many rows as the synthetic table.
    """
    if comparison.target is None:
        return comparison.with_tables(synthetic=comparison.real)
    rows = rows_of_real(comparison).table
    n_rows = comparison.synthetic.n_rows
    if rows.n_rows <= n_rows:
        return comparison.with_tables(synthetic=comparison.real)
    return comparison.with_tables(synthetic=rows.draw_units(n_rows, comparison.rng("training rows")))


def cut_to_baseline(comparison: Comparison, baseline: Comparison) -> Comparison | None:
    """Return the comparison cut to the sizes of the baseline, or None if it already has these sizes."""
    n_rows = baseline.synthetic.n_rows
    if baseline.synthetic is comparison.real and comparison.target is not None:
        n_rows = rows_of_real(comparison).table.n_rows
    is_cut = n_rows < comparison.synthetic.n_rows
    if baseline.real is comparison.real and not is_cut:
        return None
    rng = comparison.rng("rows of the baseline's size")
    return comparison.with_tables(
        real=baseline.real,
        holdout=baseline.holdout,
        synthetic=comparison.synthetic.draw_units(n_rows, rng),
    )
