"""Policies: named sets of thresholds that turn the scores of a report into a verdict."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import InvalidInput

Quantity = Literal["score", "loss"]
# The policy name that refers to the policy of the project.
PROJECT_POLICY = "project"


class PolicyThreshold(BaseModel):
    """Bounds on the score of one metric.

    The `direction` of the metric determines which scores are beyond a bound.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Annotated[str, Field(description="Name of the metric, such as `membership_distance`.")]
    of: Annotated[
        Quantity,
        Field(
            description="Quantity that the bounds apply to: the `score`, or the `loss`, which is the amount "
            "by which the score is worse than the score of real rows."
        ),
    ] = "score"
    warn: Annotated[
        float | None,
        Field(description="The check warns if the quantity is beyond this bound."),
    ] = None
    fail: Annotated[
        float | None,
        Field(description="The check fails if the quantity is beyond this bound."),
    ] = None
    required: Annotated[
        bool, Field(description="Whether the check warns if the score could not be computed.")
    ] = False


class Policy(BaseModel):
    """A named set of thresholds. Metrics without a threshold do not affect the verdict."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[a-z0-9][a-z0-9_.-]*$",
            description="Name of the policy.",
        ),
    ]
    version: Annotated[str, Field(min_length=1, max_length=32, description="Version of the policy.")] = "1"
    description: Annotated[
        str, Field(max_length=1_000, description="Purpose of the policy in one sentence.")
    ] = ""
    thresholds: Annotated[
        tuple[PolicyThreshold, ...],
        Field(min_length=1, max_length=100, description="Thresholds that the scores of a report must meet."),
    ]


# Thresholds for fidelity, utility and bias, which both policies contain.
LIKENESS = (
    PolicyThreshold(metric="column_shapes", of="loss", warn=0.05, fail=0.2),
    PolicyThreshold(metric="column_pairs", of="loss", warn=0.08, fail=0.3),
    PolicyThreshold(metric="mutual_information", of="loss", warn=0.25, fail=0.6),
    PolicyThreshold(metric="paired_differences", of="loss", warn=0.07),
    PolicyThreshold(metric="tails", of="loss", warn=0.25),
    PolicyThreshold(metric="rules_kept", of="loss", warn=0.05),
    PolicyThreshold(metric="value_rules", of="loss", warn=0.05),
    PolicyThreshold(metric="code_labels", of="loss", warn=0.05),
    PolicyThreshold(metric="entity_structure", of="loss", warn=0.15),
    PolicyThreshold(metric="notation", of="loss", warn=0.01),
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
    description="For use inside an organization by people who are allowed to see the real data.",
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
    description="For publication, or for sharing with unknown recipients.",
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
    """Return a predefined policy by its name, or a given policy unchanged.

    Raises
    ------
    InvalidInput
        If no policy has this name.
    """
    if isinstance(policy, Policy):
        return policy
    if policy not in POLICIES:
        raise InvalidInput(
            f"There is no policy {policy!r}. Use one of {', '.join(POLICIES)}, or send a policy with"
            " thresholds.",
            code="unknown_policy",
            pointer="/policy",
        )
    return POLICIES[policy]
