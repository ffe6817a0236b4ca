"""The verdict on a report: a policy's thresholds are compared with the scores, check by check."""

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
# Outcomes in ascending order of severity.
SEVERITY: tuple[Outcome, ...] = ("unscored", "pass", "warn", "inconclusive", "fail")


# Name of the check for overlap of the holdout and the training rows. This check does not belong to a metric.
HOLDOUT = "holdout"


class PolicyCheck(BaseModel):
    """The result for one threshold of a policy, or for the check `holdout`, which tests the holdout split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    title: str
    of: Quantity
    value: float | None
    interval: Interval | None = None
    loss_interval: Annotated[
        Interval | None,
        Field(
            description="Losses relative to the two ends of the prediction interval of real rows. The "
            "interval includes 0 if real rows could have the same score. Null if `of` is `score`."
        ),
    ] = None
    warn: float | None
    fail: float | None
    outcome: Annotated[
        Outcome,
        Field(
            description="Outcome of the check. `unscored` means that the metric has no score. "
            "`inconclusive` counts as `warn`. A check is inconclusive if the score's interval extends "
            "beyond a threshold but includes the score expected by chance, if the loss is beyond a "
            "threshold but `loss_interval` includes 0, or if the holdout and the training rows overlap."
        ),
    ]
    sentence: Annotated[
        str, Field(description="Explanation of the outcome for readers without a background in statistics.")
    ]


class Verdict(BaseModel):
    """The verdict of a policy on a synthetic table, with the outcome of each check."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Overall
    sentence: str
    policy: str
    policy_version: str
    checks: list[PolicyCheck]

    def outcomes(self) -> dict[str, Outcome]:
        """Return the worst outcome of each metric in the policy, by metric name."""
        ranked = sorted(self.checks, key=lambda check: SEVERITY.index(check.outcome))
        return {check.metric: check.outcome for check in ranked}


def check_policy(policy: Policy) -> None:
    """Raise `InvalidInput` if a policy has a threshold for an unknown metric."""
    for number, threshold in enumerate(policy.thresholds):
        if threshold.metric not in METRICS:
            raise InvalidInput(
                f"The policy {policy.name!r} has a threshold for the unknown metric {threshold.metric!r}. "
                "Use one of the metrics that GET /v1/metrics lists.",
                code="unknown_policy",
                pointer=f"/policy/thresholds/{number}/metric",
            )


def judge(
    policy: Policy, metrics: Sequence[MetricScores], *, overlap: HoldoutOverlap | None = None
) -> Verdict:
    """Compare the scores with the thresholds of a policy.

    Parameters
    ----------
    overlap : HoldoutOverlap, optional
        The overlap of the real table and the holdout; None if there is no holdout or it was not computed.
        If rows or subjects are shared, no attack that needs a holdout passes, whatever the policy.
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
        title="Subjects shared with the holdout"
        if overlap.is_of_subjects
        else "Rows shared with the holdout",
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
            return "The holdout and the training rows have no subjects in common."
        return "The holdout and the training rows have no more rows in common than expected by chance."
    if overlap.is_of_subjects:
        return (
            f"The holdout and the training rows have {overlap.n_subjects:,} subjects in common, so the "
            "attacks have no valid control. Hold out whole subjects."
        )
    return (
        f"The holdout and the training rows have {overlap.n_rows:,} rows in common, and chance explains at "
        f"most {overlap.n_rows_max:,}, so the attacks have no valid control. Provide holdout rows that the "
        "model was not trained on."
    )


def _without_control(check: PolicyCheck) -> PolicyCheck:
    """Adjust a check for a report without a valid control: a passed attack check becomes inconclusive."""
    metric = METRICS[check.metric]
    if metric.topic != "privacy" or Need.canaries in metric.needs or check.outcome != "pass":
        return check
    sentence = f"{metric.title}: inconclusive, because the holdout and the training rows overlap."
    return check.model_copy(update={"outcome": "inconclusive", "sentence": sentence})


def _check(threshold: PolicyThreshold, scores: MetricScores) -> PolicyCheck:
    metric = METRICS[threshold.metric]
    value, interval, reason = _quantity(threshold.of, scores)
    outcome: Outcome = "unscored"
    if value is not None:
        judge_value = _outcome_of_loss if threshold.of == "loss" else _outcome
        outcome = judge_value(threshold, metric, value, interval)
    return PolicyCheck(
        metric=threshold.metric,
        title=scores.title,
        of=threshold.of,
        value=value,
        interval=interval if threshold.of == "score" else None,
        loss_interval=interval if threshold.of == "loss" else None,
        warn=threshold.warn,
        fail=threshold.fail,
        outcome=outcome,
        sentence=_sentence_of_check(
            outcome,
            metric,
            reason,
            compared="95% interval"
            if threshold.of == "score" and _has_interval(metric, interval)
            else threshold.of,
        ),
    )


def _quantity(of: Quantity, scores: MetricScores) -> tuple[float | None, Interval | None, str]:
    """Return the value and its interval, or the reason for a missing value."""
    result = scores.synthetic
    if isinstance(result, UnscoredResult):
        return None, None, result.reason
    if of == "score":
        return result.score, result.interval, ""
    if scores.floor is None:
        return None, None, "has no baseline of real rows"
    # Scores depend on the number of rows, so a loss compares tables of equal size.
    result = scores.synthetic_cut or result
    if isinstance(result, UnscoredResult):
        return None, None, result.reason
    badness = _badness(scores, result.score)
    interval = None
    if scores.floor.interval is not None:
        low, high = sorted(badness - _badness(scores, end) for end in scores.floor.interval)
        interval = (low, high)
    return badness - _badness(scores, scores.floor.score), interval, ""


def _badness(scores: MetricScores, score: float) -> float:
    """Return the distance from the best score, which is negative if a score is better than `best`."""
    if scores.direction == "nearer":
        return abs(score - scores.best)
    return scores.best - score if scores.direction == "higher" else score - scores.best


def _outcome(threshold: PolicyThreshold, metric: Metric, value: float, interval: Interval | None) -> Outcome:
    # A small table must not pass merely because its interval is wide. For attacks, the whole interval must
    # therefore be within the threshold.
    at_worst = interval[1] if interval is not None and _has_interval(metric, interval) else value
    fails, warns = (
        bound is not None and _is_beyond(threshold, metric, at_worst, bound)
        for bound in (threshold.fail, threshold.warn)
    )
    if not (fails or warns):
        return "pass"
    if interval is not None and metric.chance is not None and interval[0] <= metric.chance:
        return "inconclusive"
    return "fail" if fails else "warn"


def _outcome_of_loss(
    threshold: PolicyThreshold, metric: Metric, value: float, interval: Interval | None
) -> Outcome:
    """Return the outcome of a loss, which is inconclusive if real rows could have the same score."""
    fails, warns = (
        bound is not None and _is_beyond(threshold, metric, value, bound)
        for bound in (threshold.fail, threshold.warn)
    )
    if not (fails or warns):
        return "pass"
    if interval is not None and interval[0] <= 0:
        return "inconclusive"
    return "fail" if fails else "warn"


def _is_beyond(threshold: PolicyThreshold, metric: Metric, value: float, bound: float) -> bool:
    if threshold.of == "loss":
        return value > bound
    if metric.direction == "nearer":
        return abs(value - metric.best) > abs(bound - metric.best)
    return value < bound if metric.direction == "higher" else value > bound


def _has_interval(metric: Metric, interval: Interval | None) -> bool:
    """Return whether a check compares the whole interval, as for attacks, or only the value."""
    return interval is not None and metric.chance is not None


def _sentence_of_check(outcome: Outcome, metric: Metric, reason: str, *, compared: str) -> str:
    if outcome == "pass":
        return f"{metric.title}: the {compared} is within the thresholds."
    if outcome == "unscored":
        return f"{metric.title}: not scored, because it {reason}."
    if outcome == "inconclusive" and compared == "loss":
        return (
            f"{metric.title}: the loss is beyond a threshold, but the same number of real rows can score "
            f"as badly, so there are too few rows to tell whether {metric.concern}."
        )
    if outcome == "inconclusive":
        return (
            f"{metric.title}: the interval includes the score expected by chance, but it is too wide to rule "
            f"out that {metric.concern}."
        )
    value = f"upper end of the {compared}" if "interval" in compared else compared
    threshold = "failure" if outcome == "fail" else "warning"
    return (
        f"{metric.title}: the {value} is beyond the {threshold} threshold, which indicates that "
        f"{metric.concern}."
    )


def _missing_scores(
    policy: Policy, checks: Sequence[PolicyCheck], by_name: Mapping[str, MetricScores]
) -> list[str]:
    """Return the titles of missing scores that prevent a report from passing."""
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
    # An attack that could not be computed must not look like an unsuccessful attack.
    return isinstance(scores.synthetic, UnscoredResult) and scores.synthetic.is_fault


def _sentence(outcome: Overall, policy: Policy, checks: Sequence[PolicyCheck], missing: Sequence[str]) -> str:
    if outcome == "fail":
        failed = [check.title for check in checks if check.outcome == "fail"]
        return (
            f"The synthetic data does not meet the policy {policy.name}. Failed checks: {', '.join(failed)}."
        )
    n_evaluated = sum(check.outcome != "unscored" for check in checks)
    if outcome == "warn":
        n_open = sum(check.outcome not in ("pass", "unscored") for check in checks)
        needs = "needs" if n_open == 1 else "need"
        reasons = [f"{n_open} of {n_evaluated} checks {needs} attention"] if n_open else []
        reasons += [f"required scores are missing: {', '.join(missing)}"] if missing else []
        return (
            f"Use the synthetic data with care. No check of the policy {policy.name} failed, but "
            f"{', and '.join(reasons)}."
        )
    return (
        f"The synthetic data passes all {n_evaluated} checks of the policy {policy.name} that could be "
        "evaluated. This does not prove that it is safe for every purpose."
    )
