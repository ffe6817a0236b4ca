"""Check that attacks detect a leak without false alarms: ``python -m benchmarks.power_check --data FOLDER``.

Two fifths of a table's rows are the training rows, and one fifth is the holdout. Four tables are attacked:

- A noisy copy of the training rows. The check of every attack must be red.
- Independent columns. Each check must be red for at most 1 seed in 20.
- The other two fifths of the real rows. No check is allowed to be red.
- A sample of `tree_chain` with the preset `fast`.

A check is red if its outcome is `fail` under the policy `standard`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.engine.options import names_of
from benchmarks.engine.tables import SOURCES, read_source
from understudy.evaluation.attacks.canaries import make_canaries, plant
from understudy.evaluation.baselines import independent_columns, leaky_copy
from understudy.evaluation.comparison import Comparison, ComparisonTables, compare, encode
from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.privacy import PRIVACY
from understudy.evaluation.scores import MetricScores
from understudy.evaluation.verdict import PolicyCheck, judge
from understudy.kernels.compilation import compile_kernels
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.parameters.policy import STANDARD, Policy
from understudy.synthesizers import TreeChainParameters
from understudy.synthesizers.contexts import FitContext, SampleContext, plan_rows
from understudy.synthesizers.datasets import fit_table, sample_table
from understudy.tables.schema import TableSchema

RESULTS = Path(__file__).parent / "results"
ATTACKS: tuple[Metric, ...] = tuple(metric for metric in PRIVACY if metric.chance is not None)
POLICY = Policy(
    name="attacks",
    thresholds=tuple(
        threshold for threshold in STANDARD.thresholds if threshold.metric in {one.name for one in ATTACKS}
    ),
)
N_CANARIES = 100
ROLES = ("leak", "independent", "real", "tree_chain")
# Allowed minimum and maximum share of seeds with a red attack, by attacked table.
RED_ALLOWED = {"leak": (1.0, 1.0), "independent": (0.0, 0.05), "real": (0.0, 0.0)}

Outcomes = dict[str, dict[str, PolicyCheck]]


def attack(
    table: pa.Table, schema: TableSchema, target: str, *, seed: int, roles: Sequence[str] = ROLES
) -> Outcomes:
    """Return the checks of each attacked table, by metric."""
    order = np.random.default_rng(seed).permutation(len(table))
    training, fresh, holdout = (
        table.take(np.sort(part)) for part in np.split(order, [2 * len(order) // 5, 4 * len(order) // 5])
    )
    canaries = make_canaries(training, schema, n=N_CANARIES, seed=seed)
    training = plant(training, canaries)
    options = EvaluationOptions(target=target)
    attacked: dict[str, Callable[[Comparison], Comparison]] = {
        "leak": lambda one: leaky_copy(one),
        "independent": lambda one: independent_columns(one, training, schema),
        "real": lambda one: one,
        "tree_chain": lambda one: _tree_chain(one, training, schema),
    }
    base = compare(
        ComparisonTables(training, fresh, holdout=holdout, canaries=canaries),
        schema,
        options=options,
        seed=seed,
    )
    return {role: _checks(attacked[role](base)) for role in roles}


def _tree_chain(comparison: Comparison, training: pa.Table, schema: TableSchema) -> Comparison:
    parameters = TreeChainParameters(name="tree_chain", preset="fast")
    synthesizer = fit_table(parameters, training, schema, context=FitContext(seed=comparison.seed))
    plan = plan_rows(synthesizer.schema_, len(training))
    batches = sample_table(synthesizer, plan, context=SampleContext(seed=comparison.seed))
    table = pa.Table.from_batches(batches, schema=schema.to_arrow())
    return comparison.with_tables(
        synthetic=encode(comparison.encoder, table, role="tree_chain", seed=comparison.seed)
    )


def _checks(comparison: Comparison) -> dict[str, PolicyCheck]:
    verdict = judge(POLICY, [_scores(metric, comparison) for metric in ATTACKS])
    return {check.metric: check for check in verdict.checks}


def _scores(metric: Metric, comparison: Comparison) -> MetricScores:
    return MetricScores(
        name=metric.name,
        title=metric.title,
        summary=metric.summary,
        topic=metric.topic,
        direction=metric.direction,
        range=metric.range,
        best=metric.best,
        synthetic=metric.score(comparison),
    )


def summarize(found: Sequence[Outcomes]) -> dict[str, dict[str, Any]]:
    """Return how often each outcome occurred and the range of scores, by table and attack."""
    return {
        role: {
            metric.name: {
                "outcomes": dict(Counter(one[role][metric.name].outcome for one in found)),
                "scores": _range([one[role][metric.name].value for one in found]),
            }
            for metric in ATTACKS
        }
        for role in found[0]
    }


def _range(scores: Sequence[float | None]) -> dict[str, float]:
    known = [score for score in scores if score is not None]
    if not known:
        return {}
    ends = np.quantile(known, [0, 0.5, 1])
    return {name: round(float(end), 4) for name, end in zip(("least", "median", "most"), ends, strict=True)}


def broken_promises(summary: dict[str, dict[str, Any]], n_seeds: int) -> list[str]:
    """Return descriptions of the attacks that are red too rarely or too often."""
    return [
        f"{role}: {name} is red in {n_red} of {n_seeds}"
        for role, (least, most) in RED_ALLOWED.items()
        for name, attack_summary in summary[role].items()
        for n_red in [attack_summary["outcomes"].get("fail", 0)]
        if not least * n_seeds <= n_red <= most * n_seeds
    ]


def main() -> int:
    """Attack each table with all seeds, and return 1 if an attack is red too rarely or too often."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.power_check", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with adult.csv, housing.csv, diamonds.csv")
    parser.add_argument("--tables", type=names_of(SOURCES), default=["adult"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=25_000, help="maximum number of rows of each table")
    parser.add_argument(
        "--write-results", action="store_true", help="write dated JSON into benchmarks/results"
    )
    options = parser.parse_args()
    compile_kernels()
    document: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "command": "python -m benchmarks.power_check --data FOLDER",
        "rows": options.rows,
        "tables": {name: _check_table(name, options) for name in options.tables},
    }
    if options.write_results:
        path = RESULTS / f"{document['date']}-power-check.json"
        path.write_text(json.dumps(document, indent=1) + "\n")
    return int(any(table["broken"] for table in document["tables"].values()))


def _check_table(name: str, options: argparse.Namespace) -> dict[str, Any]:
    table, schema = read_source(name, options.data)
    outcomes, started = [], time.process_time()
    for seed in range(options.seeds):
        rows = np.random.default_rng([seed, 1]).permutation(len(table))[: options.rows]
        outcomes.append(attack(table.take(np.sort(rows)), schema, SOURCES[name].target, seed=seed))
    summary = summarize(outcomes)
    _print(name, summary)
    broken = broken_promises(summary, options.seeds)
    print(*(broken or ["all attacks are red as often as expected"]), sep="\n", flush=True)
    seconds = (time.process_time() - started) / options.seeds
    return {"seeds": options.seeds, "cpu_s_a_seed": round(seconds, 1), "broken": broken, "attacks": summary}


def _print(name: str, summary: dict[str, dict[str, Any]]) -> None:
    print(f"\n== {name}: median score and outcomes")
    for role, attacks in summary.items():
        for metric, attack_summary in attacks.items():
            outcomes = ", ".join(f"{outcome} {n}" for outcome, n in attack_summary["outcomes"].items())
            median = attack_summary["scores"].get("median", float("nan"))
            print(f"{role:12} {metric:20} {median:7.4f}  {outcomes}")


if __name__ == "__main__":
    sys.exit(main())
