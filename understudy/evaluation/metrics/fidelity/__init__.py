"""Fidelity metrics: the similarity between the synthetic and the real distributions."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.fidelity.alpha_precision import ALPHA_PRECISION, AlphaPrecisionResult
from understudy.evaluation.metrics.fidelity.beta_recall import BETA_RECALL, BetaRecallResult
from understudy.evaluation.metrics.fidelity.code_labels import CODE_LABELS, CodeLabelsResult
from understudy.evaluation.metrics.fidelity.column_adherence import COLUMN_ADHERENCE, ColumnAdherenceResult
from understudy.evaluation.metrics.fidelity.column_coverage import COLUMN_COVERAGE, ColumnCoverageResult
from understudy.evaluation.metrics.fidelity.column_pairs import COLUMN_PAIRS, ColumnPairsResult
from understudy.evaluation.metrics.fidelity.column_shapes import COLUMN_SHAPES, ColumnShapesResult
from understudy.evaluation.metrics.fidelity.contingency import CONTINGENCY, ContingencyResult
from understudy.evaluation.metrics.fidelity.correlations import CORRELATIONS, CorrelationsResult
from understudy.evaluation.metrics.fidelity.coverage import COVERAGE, CoverageResult
from understudy.evaluation.metrics.fidelity.density import DENSITY, DensityResult
from understudy.evaluation.metrics.fidelity.entity_structure import ENTITY_STRUCTURE, EntityStructureResult
from understudy.evaluation.metrics.fidelity.missing_values import MISSING_VALUES, MissingValuesResult
from understudy.evaluation.metrics.fidelity.mutual_information import (
    MUTUAL_INFORMATION,
    MutualInformationResult,
)
from understudy.evaluation.metrics.fidelity.notation import NOTATION, NotationResult
from understudy.evaluation.metrics.fidelity.paired_differences import (
    PAIRED_DIFFERENCES,
    PairedDifferencesResult,
)
from understudy.evaluation.metrics.fidelity.rules_kept import RULES_KEPT, RulesKeptResult
from understudy.evaluation.metrics.fidelity.subgroups import SUBGROUPS, SubgroupsResult
from understudy.evaluation.metrics.fidelity.tails import TAILS, TailsResult
from understudy.evaluation.metrics.fidelity.two_sample import TWO_SAMPLE, TwoSampleResult
from understudy.evaluation.metrics.fidelity.two_sample_linear import TWO_SAMPLE_LINEAR, TwoSampleLinearResult
from understudy.evaluation.metrics.fidelity.value_rules import VALUE_RULES, ValueRulesResult

__all__ = [
    "FIDELITY",
    "AlphaPrecisionResult",
    "BetaRecallResult",
    "CodeLabelsResult",
    "ColumnAdherenceResult",
    "ColumnCoverageResult",
    "ColumnPairsResult",
    "ColumnShapesResult",
    "ContingencyResult",
    "CorrelationsResult",
    "CoverageResult",
    "DensityResult",
    "EntityStructureResult",
    "MissingValuesResult",
    "MutualInformationResult",
    "NotationResult",
    "PairedDifferencesResult",
    "RulesKeptResult",
    "SubgroupsResult",
    "TailsResult",
    "TwoSampleLinearResult",
    "TwoSampleResult",
    "ValueRulesResult",
]

# Order in reports: the scores to read first, then scores of columns, pairs, groups, rules and whole rows.
FIDELITY: tuple[Metric, ...] = (
    COLUMN_SHAPES,
    COLUMN_PAIRS,
    TWO_SAMPLE,
    TWO_SAMPLE_LINEAR,
    MISSING_VALUES,
    COLUMN_COVERAGE,
    COLUMN_ADHERENCE,
    NOTATION,
    TAILS,
    CORRELATIONS,
    CONTINGENCY,
    MUTUAL_INFORMATION,
    PAIRED_DIFFERENCES,
    SUBGROUPS,
    RULES_KEPT,
    VALUE_RULES,
    CODE_LABELS,
    ENTITY_STRUCTURE,
    ALPHA_PRECISION,
    BETA_RECALL,
    DENSITY,
    COVERAGE,
)
