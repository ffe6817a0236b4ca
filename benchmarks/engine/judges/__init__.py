"""The registry of judges, each of which computes figures from a sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from benchmarks.engine.judges import coverage, distributions, nearest, rules
from benchmarks.engine.judges.case import Case, Figures
from benchmarks.engine.tables import draw

__all__ = ["JUDGES", "Case", "Figures", "judge"]

# Number of rows per table in the two-sample test that is compared with published figures. More rows make a
# stronger judge. With this number of rows, the code from the published experiment reproduces its figures.
N_ROWS_COMPARED = 10_000


def _shapes(case: Case) -> Figures:
    return {"shape_distance": distributions.shape_distance(case.holdout, case.synthetic, case.schema)}


def _pairs(case: Case) -> Figures:
    return {"pair_distance": distributions.pair_distance(case.holdout, case.synthetic, case.schema)}


def _c2st(case: Case) -> Figures:
    from benchmarks.engine.judges import two_sample

    few = [
        draw(rows, min(N_ROWS_COMPARED, len(rows)), seed=case.seed) for rows in (case.holdout, case.synthetic)
    ]
    return {
        "c2st_xgb": two_sample.auc_boosted(*few, seed=case.seed),
        "c2st_xgb_all": two_sample.auc_boosted(case.holdout, case.synthetic, seed=case.seed),
    }


def _c2st_linear(case: Case) -> Figures:
    from benchmarks.engine.judges import two_sample

    return {"c2st_linear": two_sample.auc_linear(case.holdout, case.synthetic, seed=case.seed)}


def _coverage(case: Case) -> Figures:
    precision, recall = coverage.precision_recall(case.holdout, case.synthetic)
    return {"alpha_precision": precision, "beta_recall": recall}


def _tstr(case: Case) -> Figures:
    from benchmarks.engine.judges import usefulness

    return {
        name: usefulness.train_test_score(rows, case.holdout, case.target, seed=case.seed)
        for name, rows in (("tstr", case.synthetic), ("trtr", case.draw(case.split.train)))
    }


def _dcr(case: Case) -> Figures:
    holdout = case.split.holdout if case.is_whole_holdout else case.holdout
    share = nearest.nearest_share(case.split.train, holdout, case.synthetic, seed=case.seed)
    return {"dcr_share": share}


def _copies(case: Case) -> Figures:
    return {
        name: distributions.copies_share(case.split.train, rows, case.schema)
        for name, rows in (("copies", case.synthetic), ("copies_holdout", case.split.holdout))
    }


def _rules(case: Case) -> Figures:
    return dict(rules.broken_share(pa.concat_tables([case.split.train, case.split.holdout]), case.synthetic))


JUDGES: dict[str, Callable[[Case], Figures]] = {
    "shapes": _shapes,
    "pairs": _pairs,
    "c2st_linear": _c2st_linear,
    "c2st": _c2st,
    "coverage": _coverage,
    "tstr": _tstr,
    "dcr": _dcr,
    "copies": _copies,
    "rules": _rules,
}


def judge(case: Case, names: Sequence[str]) -> Figures:
    """Return the figures of the named judges, in the order of the registry."""
    figures: Figures = {}
    for name, score in JUDGES.items():
        if name in names:
            figures |= score(case)
    return figures
