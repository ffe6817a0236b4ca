"""Bias metrics: differences between groups that the synthetic table adds."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.bias.base_rates import BASE_RATES, BaseRatesResult
from understudy.evaluation.metrics.bias.demographic_parity import DEMOGRAPHIC_PARITY, DemographicParityResult
from understudy.evaluation.metrics.bias.equalised_odds import EQUALISED_ODDS, EqualisedOddsResult
from understudy.evaluation.metrics.bias.rebalancing import REBALANCING, RebalancingResult
from understudy.evaluation.metrics.bias.segments import SEGMENTS, SegmentsResult

__all__ = [
    "BIAS",
    "BaseRatesResult",
    "DemographicParityResult",
    "EqualisedOddsResult",
    "RebalancingResult",
    "SegmentsResult",
]

BIAS: tuple[Metric, ...] = (BASE_RATES, DEMOGRAPHIC_PARITY, EQUALISED_ODDS, SEGMENTS, REBALANCING)
