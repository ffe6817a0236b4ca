"""The catalog of metrics. Each metric has its own file and one line in the tuple of its topic.

Each file contains the metric's result class, its `score` function and its `Metric`. Large libraries are
imported inside the functions that use them so that listing the metrics is fast.
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

# Union of the results of all metrics; the field `metric` selects the class when a report is read.
if TYPE_CHECKING:
    AnyResult = MetricResult | UnscoredResult
else:
    AnyResult = Annotated[
        reduce(or_, [*(metric.result for metric in METRICS.values()), UnscoredResult]),
        Field(discriminator="metric"),
    ]
