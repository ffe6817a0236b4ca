"""The family of metrics: one metric a file, one line in the table of its topic.

A member's file contains its result, its `score` and its `Metric`; heavy libraries are imported inside the
functions that use them, so that a process that computes no scores can list the catalogue.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from understudy.evaluation.metrics.base import Metric, MetricResult, UnscoredResult
from understudy.evaluation.metrics.bias import BIAS
from understudy.evaluation.metrics.fidelity import FIDELITY
from understudy.evaluation.metrics.privacy import PRIVACY
from understudy.evaluation.metrics.usefulness import USEFULNESS

METRICS: dict[str, Metric] = {metric.name: metric for metric in (*FIDELITY, *USEFULNESS, *BIAS, *PRIVACY)}

# The result of any metric; reports read and write each one by its class.
if TYPE_CHECKING:
    AnyResult = MetricResult | UnscoredResult
else:
    AnyResult = Annotated[
        reduce(or_, [*(metric.result for metric in METRICS.values()), UnscoredResult]),
        Field(discriminator="metric"),
    ]
