"""Contract tests for every metric in METRICS. New entries are tested without changes to this file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from tests.unit.evaluation.people import biased, comparison, destroyed, detailed, related
from tests.unit.evaluation.people import people as plain_people
from understudy.documentation import DOCS_URL
from understudy.evaluation.attacks.canaries import make_canaries, plant
from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics import METRICS, AnyResult
from understudy.evaluation.metrics.base import Metric, UnscoredResult, missing_need
from understudy.parameters.constraints import ColumnConstraint
from understudy.parameters.evaluation_options import AggregateQuery
from understudy.tables.inference import infer_table

# The tolerance is four standard errors of an AUC (0.017) from two samples of 600 rows. It is also three and a
# half standard errors of a share (0.02) among 600 rows.
TOLERANCE = 0.07

# With these options, the needs of all metrics are met.
OPTIONS: dict[str, Any] = {
    "target": "is_member",
    "protected": ("town", "visits"),
    "queries": (
        AggregateQuery(aggregate="mean", column="height", group_by=("is_member",)),
        AggregateQuery(
            aggregate="share", where={"is_member": ColumnConstraint(equals=True)}, group_by=("town",)
        ),
    ),
}

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
faithful = pytest.mark.parametrize(
    "metric",
    [metric for metric in METRICS.values() if metric.topic in ("fidelity", "usefulness")],
    ids=lambda metric: metric.name,
)
fair = pytest.mark.parametrize(
    "metric",
    [metric for metric in METRICS.values() if metric.topic == "bias"],
    ids=lambda metric: metric.name,
)
private = pytest.mark.parametrize(
    "metric",
    [metric for metric in METRICS.values() if metric.topic == "privacy"],
    ids=lambda metric: metric.name,
)


# A table with this number of rows contains at least 100 outliers.
N_ROWS_MANY = 5_000


def people(n_rows: int, *, seed: int) -> pa.Table:
    """Return rows that every metric can score."""
    return detailed(related(plain_people(n_rows, seed=seed), seed=seed), seed=seed)


def canaries_of(table: pa.Table) -> pa.Table:
    return make_canaries(table, infer_table(table).schema, n=20, seed=0)


@pytest.fixture(scope="module")
def canaries() -> pa.Table:
    return canaries_of(people(600, seed=1))


@pytest.fixture(scope="module")
def real(canaries: pa.Table) -> pa.Table:
    return plant(people(600, seed=1), canaries)


@pytest.fixture(scope="module")
def against(real: pa.Table, canaries: pa.Table) -> Callable[[pa.Table], Comparison]:
    holdout = people(600, seed=2)
    return lambda synthetic: comparison(real, synthetic, holdout=holdout, canaries=canaries, **OPTIONS)


@pytest.fixture(scope="module")
def many() -> pa.Table:
    return people(N_ROWS_MANY, seed=1)


@pytest.fixture(scope="module")
def against_many(many: pa.Table) -> Callable[[pa.Table], Comparison]:
    holdout, canaries = people(N_ROWS_MANY, seed=2), canaries_of(many)
    return lambda synthetic: comparison(
        plant(many, canaries), synthetic, holdout=holdout, canaries=canaries, **OPTIONS
    )


def badness(metric: Metric, compared: Comparison) -> float:
    result = metric.score(compared)
    assert result.score is not None
    return abs(result.score - metric.best)


@every_metric
def test_result_class_is_named_after_the_metric(metric: Metric):
    assert metric.result.__name__ == metric.name.title().replace("_", "") + "Result"


@every_metric
def test_documentation_has_a_heading_with_the_metric_name_as_anchor(metric: Metric) -> None:
    headings = DOCUMENTATION.read_text(encoding="utf-8").splitlines()
    assert f"### {metric.title} {{ #{metric.name} }}" in headings
    assert metric.documentation == f"{DOCS_URL}/reference/metrics.html#{metric.name}"


@every_metric
def test_documentation_contains_the_name_score_and_source_of_a_metric(metric: Metric) -> None:
    _, section = DOCUMENTATION.read_text(encoding="utf-8").split(f"{{ #{metric.name} }}\n")
    section = section.partition("\n#")[0]
    assert f"- **Name:** `{metric.name}`\n" in section
    assert f"- **Score:** {score_in_words(metric)}\n" in section
    assert "- **Needs:** " in section
    assert f"- **Real rows:** {metric.real_baseline.value if metric.real_baseline else 'none'}.\n" in section
    assert not metric.source or f"- **Source:** {metric.source}" in section


def score_in_words(metric: Metric) -> str:
    """Return the range and the direction of a metric from the documentation."""
    low, high = metric.range
    if metric.direction == "nearer":
        return f"{low:g} to {high:g}. Closer to {metric.best:g} is better."
    meaning = "is best" if metric.chance is None else "is guessing"
    return f"{low:g} to {high:g}. {metric.direction.capitalize()} is better; {metric.best:g} {meaning}."


@every_metric
def test_registry_entry_is_complete(metric: Metric) -> None:
    assert METRICS[metric.name] is metric
    assert metric.result.model_fields["metric"].default == metric.name
    assert metric.summary.endswith(".")
    assert metric.range[0] <= metric.best <= metric.range[1]


@faithful
def test_table_scores_best_against_itself(
    metric: Metric, real: pa.Table, against: Callable[[pa.Table], Comparison]
) -> None:
    itself = badness(metric, against(real))
    assert itself <= badness(metric, against(destroyed(real)))
    if metric.topic == "fidelity":
        assert itself < TOLERANCE


@faithful
def test_destroyed_columns_score_worse_than_fresh_rows(
    metric: Metric, against: Callable[[pa.Table], Comparison]
) -> None:
    fresh = people(600, seed=3)
    assert badness(metric, against(destroyed(fresh))) > badness(metric, against(fresh)) + 0.02


@fair
def test_rows_that_disadvantage_a_group_score_worse_than_fresh_rows(
    metric: Metric, against: Callable[[pa.Table], Comparison]
) -> None:
    fresh = people(600, seed=3)
    assert badness(metric, against(biased(fresh))) > badness(metric, against(fresh)) + 0.02


@private
def test_copies_score_worse_than_fresh_rows(
    metric: Metric, many: pa.Table, against_many: Callable[[pa.Table], Comparison]
) -> None:
    copies = plant(many, canaries_of(many))
    fresh = people(N_ROWS_MANY, seed=3)
    assert badness(metric, against_many(copies)) > badness(metric, against_many(fresh)) + 0.2


@every_metric
@pytest.mark.parametrize("n_rows", [1, 7, 300])
def test_score_is_within_its_range_or_missing_with_a_reason(
    metric: Metric, n_rows: int, against: Callable[[pa.Table], Comparison]
) -> None:
    result = metric.score(against(people(n_rows, seed=4)))
    if isinstance(result, UnscoredResult):
        assert result.reason
    else:
        assert metric.range[0] <= result.score <= metric.range[1]


@every_metric
def test_order_of_rows_does_not_matter(metric: Metric, against: Callable[[pa.Table], Comparison]) -> None:
    fresh = people(600, seed=3)
    shuffled = fresh.take(np.random.default_rng(5).permutation(600))
    scores = [metric.score(against(table)).score for table in (fresh, shuffled)]
    assert None in scores or scores[0] == pytest.approx(scores[1], abs=TOLERANCE)


@every_metric
def test_input_is_not_changed(metric: Metric, against: Callable[[pa.Table], Comparison]) -> None:
    compared = against(people(300, seed=3))
    tables = [compared.real, compared.synthetic, compared.holdout]
    before = [column.tobytes() for table in tables if table for column in table.columns]
    metric.score(compared)
    assert [column.tobytes() for table in tables if table for column in table.columns] == before


@every_metric
def test_same_seed_produces_the_same_score(metric: Metric, against: Callable[[pa.Table], Comparison]) -> None:
    fresh = people(300, seed=3)
    assert metric.score(against(fresh)) == metric.score(against(fresh))


@every_metric
def test_result_survives_a_round_trip_through_json(
    metric: Metric, against: Callable[[pa.Table], Comparison]
) -> None:
    result = metric.score(against(people(300, seed=3)))
    adapter: TypeAdapter[AnyResult] = TypeAdapter(AnyResult)
    assert adapter.validate_json(result.model_dump_json()) == result


@every_metric
def test_reason_for_a_missing_score_is_the_unmet_need(metric: Metric, real: pa.Table) -> None:
    unmet = missing_need(metric, comparison(real, people(300, seed=3)))
    assert (unmet is None) == (not metric.needs)
    if unmet is not None:
        assert unmet.reason.startswith("needs ")


@every_metric
def test_table_without_values_is_scored_or_a_reason_is_reported(
    metric: Metric, real: pa.Table, against: Callable[[pa.Table], Comparison]
) -> None:
    empty = pa.table({field.name: pa.nulls(100, field.type) for field in real.schema})
    result = metric.score(against(empty))
    assert isinstance(result, UnscoredResult) or np.isfinite(result.score)
