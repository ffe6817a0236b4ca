"""Whether the synthetic table treats groups of people as the real one does."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.bias.base_rates import BASE_RATES, BaseRates
from understudy.evaluation.metrics.bias.demographic_parity import DEMOGRAPHIC_PARITY, DemographicParity
from understudy.evaluation.metrics.bias.equalised_odds import EQUALISED_ODDS, EqualisedOdds
from understudy.evaluation.metrics.bias.rebalancing import REBALANCING, Rebalancing
from understudy.evaluation.metrics.bias.segments import SEGMENTS, Segments

__all__ = [
    "BIAS",
    "BaseRates",
    "BiasResult",
    "DemographicParity",
    "EqualisedOdds",
    "Rebalancing",
    "Segments",
]

BIAS: tuple[Metric, ...] = (BASE_RATES, DEMOGRAPHIC_PARITY, EQUALISED_ODDS, SEGMENTS, REBALANCING)

BiasResult = BaseRates | DemographicParity | EqualisedOdds | Segments | Rebalancing
