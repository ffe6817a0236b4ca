"""Privacy metrics: the information that the synthetic table reveals about its training rows."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.privacy.attribute_inference import (
    ATTRIBUTE_INFERENCE,
    AttributeInferenceResult,
)
from understudy.evaluation.metrics.privacy.canaries import CANARIES, CanariesResult
from understudy.evaluation.metrics.privacy.exact_copies import EXACT_COPIES, ExactCopiesResult
from understudy.evaluation.metrics.privacy.linkability import LINKABILITY, LinkabilityResult
from understudy.evaluation.metrics.privacy.membership_density import (
    MEMBERSHIP_DENSITY,
    MembershipDensityResult,
)
from understudy.evaluation.metrics.privacy.membership_distance import (
    MEMBERSHIP_DISTANCE,
    MembershipDistanceResult,
)
from understudy.evaluation.metrics.privacy.membership_low_fpr import (
    MEMBERSHIP_LOW_FPR,
    MembershipLowFprResult,
)
from understudy.evaluation.metrics.privacy.membership_outliers import (
    MEMBERSHIP_OUTLIERS,
    MembershipOutliersResult,
)
from understudy.evaluation.metrics.privacy.near_copies import NEAR_COPIES, NearCopiesResult
from understudy.evaluation.metrics.privacy.nearest_record import NEAREST_RECORD, NearestRecordResult
from understudy.evaluation.metrics.privacy.singling_out import SINGLING_OUT, SinglingOutResult

__all__ = [
    "PRIVACY",
    "AttributeInferenceResult",
    "CanariesResult",
    "ExactCopiesResult",
    "LinkabilityResult",
    "MembershipDensityResult",
    "MembershipDistanceResult",
    "MembershipLowFprResult",
    "MembershipOutliersResult",
    "NearCopiesResult",
    "NearestRecordResult",
    "SinglingOutResult",
]

# Order in reports: attacks, copies, canaries, and the distance to the closest record.
PRIVACY: tuple[Metric, ...] = (
    MEMBERSHIP_DISTANCE,
    MEMBERSHIP_DENSITY,
    MEMBERSHIP_LOW_FPR,
    MEMBERSHIP_OUTLIERS,
    SINGLING_OUT,
    LINKABILITY,
    ATTRIBUTE_INFERENCE,
    EXACT_COPIES,
    NEAR_COPIES,
    CANARIES,
    NEAREST_RECORD,
)
