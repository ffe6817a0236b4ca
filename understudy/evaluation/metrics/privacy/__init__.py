"""Whether the synthetic table tells on those whose rows were learnt from."""

from __future__ import annotations

from understudy.evaluation.metrics.base import Metric
from understudy.evaluation.metrics.privacy.attribute_inference import ATTRIBUTE_INFERENCE, AttributeInference
from understudy.evaluation.metrics.privacy.canaries import CANARIES, CanariesFound
from understudy.evaluation.metrics.privacy.exact_copies import EXACT_COPIES, ExactCopies
from understudy.evaluation.metrics.privacy.linkability import LINKABILITY, Linkability
from understudy.evaluation.metrics.privacy.membership_density import MEMBERSHIP_DENSITY, MembershipDensity
from understudy.evaluation.metrics.privacy.membership_distance import MEMBERSHIP_DISTANCE, MembershipDistance
from understudy.evaluation.metrics.privacy.membership_low_fpr import MEMBERSHIP_LOW_FPR, MembershipLowFpr
from understudy.evaluation.metrics.privacy.membership_outliers import MEMBERSHIP_OUTLIERS, MembershipOutliers
from understudy.evaluation.metrics.privacy.near_copies import NEAR_COPIES, NearCopies
from understudy.evaluation.metrics.privacy.nearest_record import NEAREST_RECORD, NearestRecord
from understudy.evaluation.metrics.privacy.singling_out import SINGLING_OUT, SinglingOut

__all__ = ["PRIVACY", "ExactCopies", "NearestRecord", "PrivacyResult"]

# Attacks before copies before smoke alarms: as they are to be read.
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

PrivacyResult = (
    MembershipDistance
    | MembershipDensity
    | MembershipLowFpr
    | MembershipOutliers
    | SinglingOut
    | Linkability
    | AttributeInference
    | ExactCopies
    | NearCopies
    | CanariesFound
    | NearestRecord
)
