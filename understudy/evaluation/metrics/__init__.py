"""FAMILY: one metric a file, one line in the table of its topic.

A member's file holds its result, its `score` and its `Metric`; heavy libraries are imported inside the
functions that use them, so that the catalogue can be listed by a process that never computes a score.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from understudy.evaluation.metrics.base import Metric, UnscoredResult
from understudy.evaluation.metrics.bias import BIAS, BiasResult
from understudy.evaluation.metrics.fidelity import FIDELITY, FidelityResult
from understudy.evaluation.metrics.privacy import PRIVACY, PrivacyResult
from understudy.evaluation.metrics.usefulness import USEFULNESS, UsefulnessResult

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*FIDELITY, *USEFULNESS, *BIAS, *PRIVACY)}

AnyResult = Annotated[
    FidelityResult | UsefulnessResult | BiasResult | PrivacyResult | UnscoredResult,
    Field(discriminator="metric"),
]
