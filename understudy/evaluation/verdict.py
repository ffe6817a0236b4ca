"""What a policy says of a report: pass, warn or fail, check by check, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import InvalidInput
from understudy.evaluation.metrics import METRICS
from understudy.evaluation.metrics.base import Metric, Need, UnscoredResult
from understudy.evaluation.overlap import HoldoutOverlap
from understudy.parameters.policy import Policy, PolicyThreshold, Quantity

if TYPE_CHECKING:
    from understudy.evaluation.scores import MetricScores

Outcome = Literal["pass", "warn", "fail", "inconclusive", "unscored"]
Overall = Literal["pass", "warn", "fail"]
Interval = tuple[float, float]
# From the one that matters least to the one that matters most.
SEVERITY: tuple[Outcome, ...] = ("unscored", "pass", "warn", "inconclusive", "fail")


# The name of the check that the holdout shares no rows and no subjects with training; it is of no metric.
HOLDOUT = "holdout"


class PolicyCheck(BaseModel):
    """One threshold of the policy, held against its score; or, under the name `holdout`, the split itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    title: str
    of: Quantity
    value: float | None
    interval: Interval | None = None
    warn: float | None
    fail: float | None
    outcome: Annotated[
        Outcome,
        Field(
            description="`inconclusive`: the interval reaches beyond a bound, and also to what chance alone "
            "would show, or rows or subjects of the holdout are in the training rows; it counts as `warn`. "
            "`unscored`: there is no score to judge by."
        ),
    ]
    sentence: Annotated[str, Field(description="For a reader who is no statistician.")]


class Verdict(BaseModel):
    """Whether the synthetic table may be used, as far as a policy can say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Overall
    sentence: str
    policy: str
    policy_version: str
    checks: list[PolicyCheck]

    def outcomes(self) -> dict[str, Outcome]:
        """Return the worst outcome of each metric that the policy names, by the metric's name."""
        ranked = sorted(self.checks, key=lambda check: SEVERITY.index(check.outcome))
        return {check.metric: check.outcome for check in ranked}


def check_policy(policy: Policy) -> None:
    """Raise `InvalidInput` if a policy asks for a score that no report holds."""
    for number, threshold in enumerate(policy.thresholds):
        if threshold.metric not in METRICS:
            raise InvalidInput(
                f"The policy {policy.name!r} has a threshold for {threshold.metric!r}, and there is no such "
                "metric; GET /v1/metrics lists them.",
                code="unknown_policy",
                pointer=f"/policy/thresholds/{number}/metric",
            )


def judge(
    policy: Policy, metrics: Sequence[MetricScores], *, overlap: HoldoutOverlap | None = None
) -> Verdict:
    """Hold the scores against the policy.

    Parameters
    ----------
    overlap : HoldoutOverlap, optional
        What the real table and the holdout have in common; None where there is no holdout, or nothing was
        counted. Under every policy, no attack that needs a holdout passes if rows or subjects are shared.
    """
    by_name = {scores.name: scores for scores in metrics}
    checks = [_check(threshold, by_name[threshold.metric]) for threshold in policy.thresholds]
    missing = _missing_scores(policy, checks, by_name)
    if overlap is not None:
        split = _check_of_split(overlap)
        checks = [split, *(_without_control(check) if overlap.is_shared else check for check in checks)]
    outcome = _overall(checks, missing)
    return Verdict(
        outcome=outcome,
        sentence=_sentence(outcome, policy, checks, missing),
        policy=policy.name,
        policy_version=policy.version,
        checks=checks,
    )


def _check_of_split(overlap: HoldoutOverlap) -> PolicyCheck:
    n_shared, most = overlap.n_rows, overlap.n_rows_max
    if overlap.is_of_subjects:
        n_shared, most = overlap.n_subjects, 0
    return PolicyCheck(
        metric=HOLDOUT,
        title="Holdout of whole subjects" if overlap.is_of_subjects else "Holdout of unseen rows",
        of="score",
        value=n_shared,
        warn=most,
        fail=None,
        outcome="inconclusive" if overlap.is_shared else "pass",
        sentence=_overlap_sentence(overlap),
    )


def _overlap_sentence(overlap: HoldoutOverlap) -> str:
    if not overlap.is_shared:
        if overlap.is_of_subjects:
            return "No subject of the holdout is in the training rows."
        return "The holdout has no more rows of the training table than chance explains."
    if overlap.is_of_subjects:
        return (
            f"Subjects that are in the holdout and in the training rows, too: {overlap.n_subjects:,}. The "
            "attacks have no control. Hold out whole subjects."
        )
    return (
        f"Rows of the holdout that are training rows, too: {overlap.n_rows:,}, where chance explains at most "
        f"{overlap.n_rows_max:,}. The attacks have no control. Give rows that the model did not learn from."
    )


def _without_control(check: PolicyCheck) -> PolicyCheck:
    """Return what a check says if the held-out rows are no control: nothing, unless it is bad news."""
    metric = METRICS[check.metric]
    if metric.topic != "privacy" or Need.canaries in metric.needs or check.outcome != "pass":
        return check
    sentence = f"{metric.title} cannot be judged: the holdout and the training rows overlap."
    return check.model_copy(update={"outcome": "inconclusive", "sentence": sentence})


def _check(threshold: PolicyThreshold, scores: MetricScores) -> PolicyCheck:
    metric = METRICS[threshold.metric]
    value, interval, reason = _quantity(threshold.of, scores)
    outcome: Outcome = "unscored" if value is None else _outcome(threshold, metric, value, interval)
    return PolicyCheck(
        metric=threshold.metric,
        title=scores.title,
        of=threshold.of,
        value=value,
        interval=interval,
        warn=threshold.warn,
        fail=threshold.fail,
        outcome=outcome,
        sentence=_explained(outcome, metric, reason),
    )


def _quantity(of: Quantity, scores: MetricScores) -> tuple[float | None, Interval | None, str]:
    """Return the value, its interval, and why there is none."""
    found = scores.synthetic
    if isinstance(found, UnscoredResult):
        return None, None, found.reason
    if of == "score":
        return found.score, found.interval, ""
    if scores.floor is None:
        return None, None, "has no score of real rows to be held against"
    return _badness(scores, found.score) - _badness(scores, scores.floor.score), None, ""


def _badness(scores: MetricScores, score: float) -> float:
    """Return how far a score is from the best one, on the side that is bad."""
    if scores.direction == "nearer":
        return abs(score - scores.best)
    return scores.best - score if scores.direction == "higher" else score - scores.best


def _outcome(threshold: PolicyThreshold, metric: Metric, value: float, interval: Interval | None) -> Outcome:
    # Of an attack, the whole interval has to keep the bound: a small table must not pass by being small.
    at_worst = interval[1] if interval is not None and metric.chance is not None else value
    fails, warns = (
        bound is not None and _is_beyond(threshold, metric, at_worst, bound)
        for bound in (threshold.fail, threshold.warn)
    )
    if not (fails or warns):
        return "pass"
    if interval is not None and metric.chance is not None and interval[0] <= metric.chance:
        return "inconclusive"
    return "fail" if fails else "warn"


def _is_beyond(threshold: PolicyThreshold, metric: Metric, value: float, bound: float) -> bool:
    if threshold.of == "loss":
        return value > bound
    if metric.direction == "nearer":
        return abs(value - metric.best) > abs(bound - metric.best)
    return value < bound if metric.direction == "higher" else value > bound


def _explained(outcome: Outcome, metric: Metric, reason: str) -> str:
    if outcome == "pass":
        return f"{metric.title} keeps the bounds."
    if outcome == "unscored":
        return f"{metric.title} was not scored: it {reason}."
    if outcome == "inconclusive":
        return (
            f"{metric.title} cannot be judged: the interval is so wide that it fits a good table, and one of "
            f"which {metric.concern}."
        )
    strength = "" if outcome == "fail" else " to some degree"
    return f"{metric.title} is beyond what the policy allows{strength}: {metric.concern}."


def _missing_scores(
    policy: Policy, checks: Sequence[PolicyCheck], by_name: Mapping[str, MetricScores]
) -> list[str]:
    """Return the titles of the scores without which a report cannot pass."""
    return [
        check.title
        for check, threshold in zip(checks, policy.thresholds, strict=True)
        if check.outcome == "unscored" and (threshold.required or _is_fault(by_name[check.metric]))
    ]


def _overall(checks: Sequence[PolicyCheck], missing: Sequence[str]) -> Overall:
    outcomes = {check.outcome for check in checks}
    if "fail" in outcomes:
        return "fail"
    return "warn" if missing or outcomes & {"warn", "inconclusive"} else "pass"


def _is_fault(scores: MetricScores) -> bool:
    # An attack that broke must not pass for one that found nothing.
    return isinstance(scores.synthetic, UnscoredResult) and scores.synthetic.is_fault


def _sentence(outcome: Overall, policy: Policy, checks: Sequence[PolicyCheck], missing: Sequence[str]) -> str:
    found = [check.title for check in checks if check.outcome == outcome]
    listed = " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))
    if outcome == "fail":
        return f"These data fail the policy {policy.name}, because of {listed}."
    n_judged = sum(check.outcome != "unscored" for check in checks)
    if outcome == "warn":
        n_open = sum(check.outcome not in ("pass", "unscored") for check in checks)
        reasons = [f"{n_open} of {n_judged} checks ask for a closer look"] if n_open else []
        reasons += [f"required scores are missing: {', '.join(missing)}"] if missing else []
        return (
            f"These data may be used with care. No check of the policy {policy.name} failed, but "
            f"{', and '.join(reasons)}."
        )
    return (
        f"These data pass all {n_judged} checks of the policy {policy.name} that could be made. That is no "
        "proof that they are safe for every purpose."
    )
