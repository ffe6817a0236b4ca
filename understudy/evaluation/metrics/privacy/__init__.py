"""Whether the synthetic table tells on those whose rows were learnt from."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.privacy.exact_copies import EXACT_COPIES, ExactCopies
from understudy.evaluation.metrics.privacy.nearest_record import NEAREST_RECORD, NearestRecord

__all__ = ["PRIVACY", "ExactCopies", "NearestRecord", "PrivacyResult"]

PRIVACY: tuple[Metric, ...] = (
    NEAREST_RECORD,
    EXACT_COPIES,
)

PrivacyResult = NearestRecord | ExactCopies
