"""Whether the synthetic table says what the real one says."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.fidelity.alpha_precision import ALPHA_PRECISION, AlphaPrecision
from understudy.evaluation.metrics.fidelity.beta_recall import BETA_RECALL, BetaRecall
from understudy.evaluation.metrics.fidelity.column_adherence import COLUMN_ADHERENCE, ColumnAdherence
from understudy.evaluation.metrics.fidelity.column_coverage import COLUMN_COVERAGE, ColumnCoverage
from understudy.evaluation.metrics.fidelity.column_pairs import COLUMN_PAIRS, ColumnPairs
from understudy.evaluation.metrics.fidelity.column_shapes import COLUMN_SHAPES, ColumnShapes
from understudy.evaluation.metrics.fidelity.contingency import CONTINGENCY, Contingency
from understudy.evaluation.metrics.fidelity.correlations import CORRELATIONS, Correlations
from understudy.evaluation.metrics.fidelity.coverage import COVERAGE, Coverage
from understudy.evaluation.metrics.fidelity.density import DENSITY, Density
from understudy.evaluation.metrics.fidelity.missing_values import MISSING_VALUES, MissingValues
from understudy.evaluation.metrics.fidelity.mutual_information import MUTUAL_INFORMATION, MutualInformation
from understudy.evaluation.metrics.fidelity.rules_kept import RULES_KEPT, RulesKept
from understudy.evaluation.metrics.fidelity.subgroups import SUBGROUPS, Subgroups
from understudy.evaluation.metrics.fidelity.two_sample import TWO_SAMPLE, TwoSample
from understudy.evaluation.metrics.fidelity.two_sample_linear import TWO_SAMPLE_LINEAR, TwoSampleLinear

__all__ = [
    "FIDELITY",
    "AlphaPrecision",
    "BetaRecall",
    "ColumnAdherence",
    "ColumnCoverage",
    "ColumnPairs",
    "ColumnShapes",
    "Contingency",
    "Correlations",
    "Coverage",
    "Density",
    "FidelityResult",
    "MissingValues",
    "MutualInformation",
    "RulesKept",
    "Subgroups",
    "TwoSample",
    "TwoSampleLinear",
]

# In the order of a report: what to read first, then columns, pairs, groups, rules, and whole rows.
FIDELITY: tuple[Metric, ...] = (
    COLUMN_SHAPES,
    COLUMN_PAIRS,
    TWO_SAMPLE,
    TWO_SAMPLE_LINEAR,
    MISSING_VALUES,
    COLUMN_COVERAGE,
    COLUMN_ADHERENCE,
    CORRELATIONS,
    CONTINGENCY,
    MUTUAL_INFORMATION,
    SUBGROUPS,
    RULES_KEPT,
    ALPHA_PRECISION,
    BETA_RECALL,
    DENSITY,
    COVERAGE,
)

FidelityResult = (
    ColumnShapes
    | ColumnPairs
    | TwoSample
    | TwoSampleLinear
    | MissingValues
    | ColumnCoverage
    | ColumnAdherence
    | Correlations
    | Contingency
    | MutualInformation
    | Subgroups
    | RulesKept
    | AlphaPrecision
    | BetaRecall
    | Density
    | Coverage
)
