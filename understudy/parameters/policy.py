"""Policies: named thresholds that turn the scores of a report into pass, warn or fail."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import InvalidInput

Quantity = Literal["score", "loss"]
# How a project's own policy is named in parameters.
PROJECT_POLICY = "project"


class PolicyThreshold(BaseModel):
    """How good a score has to be.

    Which side is the good one, the metric's `direction` says: a score of 0.62 of a metric that is better when
    lower is beyond a bound of 0.6, and one of 0.58 of a metric that is better when higher is as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Annotated[str, Field(description="By name, such as `membership_distance`.")]
    of: Annotated[
        Quantity,
        Field(
            description="`score`; or `loss`: how much worse than real rows score, whichever side is worse."
        ),
    ] = "score"
    warn: Annotated[float | None, Field(description="Beyond this: warn.")] = None
    fail: Annotated[float | None, Field(description="Beyond this: fail.")] = None
    required: Annotated[
        bool, Field(description="Whether a score that could not be computed is a warning.")
    ] = False


class Policy(BaseModel):
    """Thresholds under a name; scores that it does not name have no part in the verdict."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    version: Annotated[str, Field(min_length=1, max_length=32)] = "1"
    description: Annotated[str, Field(max_length=1_000)] = ""
    thresholds: Annotated[tuple[PolicyThreshold, ...], Field(min_length=1, max_length=100)]


# What data have to be like to be of use, whoever gets them.
LIKENESS = (
    PolicyThreshold(metric="column_shapes", of="loss", warn=0.05, fail=0.2),
    PolicyThreshold(metric="column_pairs", of="loss", warn=0.08, fail=0.3),
    PolicyThreshold(metric="mutual_information", of="loss", warn=0.25, fail=0.6),
    PolicyThreshold(metric="rules_kept", of="loss", warn=0.05),
    PolicyThreshold(metric="coverage", of="loss", warn=0.15),
    PolicyThreshold(metric="two_sample", warn=0.8),
    PolicyThreshold(metric="train_synthetic_test_real", of="loss", warn=0.05, fail=0.25),
    PolicyThreshold(metric="rare_class", of="loss", warn=0.1),
    PolicyThreshold(metric="queries", warn=0.1),
    PolicyThreshold(metric="base_rates", of="loss", warn=0.1, fail=0.25),
    PolicyThreshold(metric="demographic_parity", warn=0.1),
    PolicyThreshold(metric="equalised_odds", warn=0.15),
    PolicyThreshold(metric="segments", of="loss", warn=0.1),
)
STANDARD = Policy(
    name="standard",
    description="For use inside an organisation, by people who could see the real data.",
    thresholds=(
        *LIKENESS,
        PolicyThreshold(metric="membership_distance", warn=0.55, fail=0.6, required=True),
        PolicyThreshold(metric="membership_density", warn=0.55, fail=0.6),
        PolicyThreshold(metric="membership_low_fpr", warn=0.03, fail=0.05),
        PolicyThreshold(metric="membership_outliers", warn=0.6, fail=0.7),
        PolicyThreshold(metric="singling_out", warn=0.05, fail=0.1),
        PolicyThreshold(metric="linkability", warn=0.05, fail=0.1),
        PolicyThreshold(metric="attribute_inference", warn=0.05, fail=0.1),
        PolicyThreshold(metric="exact_copies", of="loss", warn=0.002, fail=0.01, required=True),
        PolicyThreshold(metric="near_copies", warn=0.05, fail=0.1),
        PolicyThreshold(metric="canaries", warn=0.65, fail=0.75),
    ),
)
PUBLIC = Policy(
    name="public",
    description="For publication, or recipients that nobody knows.",
    thresholds=(
        *LIKENESS,
        PolicyThreshold(metric="membership_distance", warn=0.53, fail=0.55, required=True),
        PolicyThreshold(metric="membership_density", warn=0.53, fail=0.55, required=True),
        PolicyThreshold(metric="membership_low_fpr", warn=0.02, fail=0.03, required=True),
        PolicyThreshold(metric="membership_outliers", warn=0.55, fail=0.6),
        PolicyThreshold(metric="singling_out", warn=0.03, fail=0.05, required=True),
        PolicyThreshold(metric="linkability", warn=0.03, fail=0.05),
        PolicyThreshold(metric="attribute_inference", warn=0.03, fail=0.05),
        PolicyThreshold(metric="exact_copies", of="loss", warn=0.001, fail=0.002, required=True),
        PolicyThreshold(metric="near_copies", warn=0.02, fail=0.05),
        PolicyThreshold(metric="canaries", warn=0.6, fail=0.7),
    ),
)
POLICIES: dict[str, Policy] = {policy.name: policy for policy in (STANDARD, PUBLIC)}


def resolve_policy(policy: str | Policy) -> Policy:
    """Return a policy that may have been given by its name.

    Raises
    ------
    InvalidInput
        If there is none of that name.
    """
    if isinstance(policy, Policy):
        return policy
    if policy not in POLICIES:
        raise InvalidInput(
            f"There is no policy {policy!r}; name one of {', '.join(POLICIES)}, or give its thresholds.",
            code="unknown_policy",
            pointer="/policy",
        )
    return POLICIES[policy]
