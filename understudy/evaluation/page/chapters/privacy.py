"""The view model of the privacy chapter: attacks, their controls, and copies of training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.privacy.attribute_inference import AttributeInferenceResult
from understudy.evaluation.metrics.privacy.canaries import CanariesResult
from understudy.evaluation.metrics.privacy.exact_copies import ExactCopiesResult
from understudy.evaluation.metrics.privacy.linkability import LinkabilityResult
from understudy.evaluation.metrics.privacy.membership_density import MembershipDensityResult
from understudy.evaluation.metrics.privacy.membership_distance import MembershipDistanceResult
from understudy.evaluation.metrics.privacy.membership_low_fpr import MembershipLowFprResult
from understudy.evaluation.metrics.privacy.membership_outliers import MembershipOutliersResult
from understudy.evaluation.metrics.privacy.near_copies import NearCopiesResult
from understudy.evaluation.metrics.privacy.nearest_record import NearestRecordResult
from understudy.evaluation.metrics.privacy.singling_out import SinglingOutResult
from understudy.evaluation.page import elements, formatting, receiver
from understudy.evaluation.page.cells import Cell, Names, Noted
from understudy.evaluation.page.charts.curves import Figures
from understudy.evaluation.page.charts.whiskers import Estimate, reach, whiskers
from understudy.evaluation.page.elements import Chapter, Head, Measured, Reason, Table, numbers
from understudy.evaluation.scores import MetricScores

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

METRICS = (
    "membership_distance",
    "membership_density",
    "membership_low_fpr",
    "membership_outliers",
    "singling_out",
    "linkability",
    "attribute_inference",
    "near_copies",
    "canaries",
    "exact_copies",
    "nearest_record",
)
AXES = ("False positive rate", "True positive rate (members)")
CANARY_HEADS = (Head("Canaries"), Head("Value", is_number=True, is_hidden=True))


@dataclass(frozen=True)
class Trial:
    """Success rates of an attack on training rows and on holdout rows (the control).

    Parameters
    ----------
    excess : float
        The difference between the two success rates, or the risk that is computed from them.
    """

    title: Cell
    attack: float
    control: float
    excess: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class AttackCards:
    """A score, and a table of the attacks and controls that determine it.

    Parameters
    ----------
    files : (Names, Names) or None
        The columns of the two files that a linkability attack joins.
    """

    card: Measured
    table: Table
    files: tuple[Names, Names] | None = None


@dataclass(frozen=True)
class SurestCard:
    """The success rates of all attackers at a low false positive rate, and the name of the best attacker."""

    card: Measured
    attackers: Table
    best: str


@dataclass(frozen=True)
class OutliersCard:
    """A membership inference attack on the rows that are least similar to all other rows."""

    card: Measured
    share: str
    attacker: str
    auc_of_others: str


@dataclass(frozen=True)
class CopiesCard:
    """Synthetic rows that are identical to training rows.

    Parameters
    ----------
    by_nature : str
        The share of other real rows that are identical to a training row; empty if there are no other rows.
    chance : str
        The p-value of the copied unique rows; empty if it is unknown or no unique rows were copied.
    """

    card: Measured
    n_copies: int
    n_rows: int
    n_copies_of_unique: int
    by_nature: str
    is_telling: bool
    chance: str


@dataclass(frozen=True)
class CanariesCard:
    """The score and the results for planted canaries."""

    card: Measured
    table: Table


@dataclass(frozen=True)
class NearestCard:
    """The share of synthetic rows that are closest to a training row, with details."""

    card: Measured
    n_synthetic: int
    n_training: int
    distance: str
    side: str
    ratio_to_training: str
    ratio_to_holdout: str


@dataclass(frozen=True)
class PrivacyView:
    """The content of the chapter on privacy."""

    reasons: Sequence[Reason]
    memberships: Sequence[tuple[Measured, Figures]]
    surest: SurestCard | None
    outliers: OutliersCard | None
    attacks: Sequence[AttackCards]
    near_copies: AttackCards | None
    copies: CopiesCard | None
    canaries: CanariesCard | None
    nearest: NearestCard | None


def view(report: Report) -> PrivacyView:
    """Return the cards of the privacy metrics that were scored."""
    attacks = (_singled_out(report), _linked(report), _inferred(report))
    return PrivacyView(
        reasons=elements.reasons(report, METRICS),
        memberships=_memberships(report),
        surest=_surest(report),
        outliers=_outliers(report),
        attacks=[attack for attack in attacks if attack is not None],
        near_copies=_near(report),
        copies=_exact(report),
        canaries=_canaries(report),
        nearest=_nearest(report),
    )


def _memberships(report: Report) -> list[tuple[Measured, Figures]]:
    kinds = (MembershipDistanceResult, MembershipDensityResult)
    scored = [pair[0] for kind in kinds if (pair := elements.scored_result(report, kind)) is not None]
    return [(elements.measured(scores), _roc(scores)) for scores in scored]


def _roc(scores: MetricScores) -> Figures:
    by_role = {
        role: [(point.false_alarms, point.found) for point in result.roc]
        for role, result in (("leak", scores.leak), ("real", scores.real), ("synthetic", scores.synthetic))
        if isinstance(result, MembershipDistanceResult | MembershipDensityResult)
    }
    return receiver.figures(by_role, AXES, has_log=True)


def _surest(report: Report) -> SurestCard | None:
    scored = elements.scored_result(report, MembershipLowFprResult)
    if scored is None:
        return None
    scores, result = scored
    rows = [
        [attacker.name, formatting.decimal(attacker.auc), formatting.percent(attacker.found)]
        for attacker in result.attackers
    ]
    heads = (Head("Attacker"), *numbers("AUC", "True positive rate at 1% false positives"))
    return SurestCard(elements.measured(scores), Table(heads, rows), result.attacker)


def _outliers(report: Report) -> OutliersCard | None:
    scored = elements.scored_result(report, MembershipOutliersResult)
    if scored is None:
        return None
    scores, result = scored
    return OutliersCard(
        elements.measured(scores),
        formatting.percent(result.share),
        result.attacker,
        formatting.decimal(result.auc_of_others),
    )


def _singled_out(report: Report) -> AttackCards | None:
    scored = elements.scored_result(report, SinglingOutResult)
    if scored is None:
        return None
    scores, result = scored
    trials = [
        Trial(
            f"{guesses.kind}, {formatting.count(guesses.n)} guesses",
            guesses.attack,
            guesses.control,
            guesses.risk,
            guesses.interval,
        )
        for guesses in result.guesses
    ]
    return AttackCards(elements.measured(scores), _trials("Guess", trials))


def _linked(report: Report) -> AttackCards | None:
    scored = elements.scored_result(report, LinkabilityResult)
    if scored is None:
        return None
    scores, result = scored
    trials = [
        Trial(_neighbours(attack.n_neighbours), attack.attack, attack.control, attack.risk, attack.interval)
        for attack in result.neighbours
    ]
    files = (Names(tuple(result.one)), Names(tuple(result.other)))
    return AttackCards(elements.measured(scores), _trials("Synthetic rows used", trials), files)


def _inferred(report: Report) -> AttackCards | None:
    scored = elements.scored_result(report, AttributeInferenceResult)
    if scored is None:
        return None
    scores, result = scored
    trials = [
        Trial(Names((attack.column,)), attack.attack, attack.control, attack.excess, attack.interval)
        for attack in result.columns
    ]
    return AttackCards(elements.measured(scores), _trials("Inferred column", trials))


def _near(report: Report) -> AttackCards | None:
    scored = elements.scored_result(report, NearCopiesResult)
    if scored is None:
        return None
    scores, result = scored
    trials = [
        Trial(_differing(attack.n_different), attack.attack, attack.control, attack.excess, attack.interval)
        for attack in result.copies
    ]
    return AttackCards(elements.measured(scores), _trials("Differing columns", trials))


def _neighbours(n: int) -> str:
    return "the nearest" if n == 1 else f"the {n} nearest"


def _differing(n: int) -> str:
    return "none" if n == 0 else f"at most {n}"


def _trials(head: str, trials: Sequence[Trial]) -> Table:
    heads = (
        Head(head),
        *numbers("Attack", "Control"),
        Head("Excess risk, chart", is_drawn=True),
        *numbers("Excess risk"),
    )
    estimates = [[Estimate("synthetic", trial.excess, trial.interval)] for trial in trials]
    axis = reach(estimates, 0.0, 0.05)
    rows = [
        [
            trial.title,
            formatting.percent(trial.attack),
            formatting.percent(trial.control),
            whiskers(drawn, axis, zero=0.0),
            Noted(formatting.change(trial.excess), formatting.span(trial.interval)),
        ]
        for trial, drawn in zip(trials, estimates, strict=True)
    ]
    return Table(heads, rows)


def _exact(report: Report) -> CopiesCard | None:
    scored = elements.scored_result(report, ExactCopiesResult)
    if scored is None:
        return None
    scores, result = scored
    return CopiesCard(
        card=elements.measured(scores),
        n_copies=result.n_copies,
        n_rows=result.n_rows["synthetic"],
        n_copies_of_unique=result.n_copies_of_unique,
        by_nature="" if scores.floor is None else formatting.score(scores.floor.score, scores.name),
        is_telling=result.is_telling,
        chance=formatting.p_value(result.p_value)
        if result.p_value is not None and result.n_copies_of_unique
        else "",
    )


def _canaries(report: Report) -> CanariesCard | None:
    scored = elements.scored_result(report, CanariesResult)
    if scored is None:
        return None
    scores, result = scored
    rows = [
        ["Planted", formatting.count(result.n_planted)],
        ["Found unchanged in the synthetic rows", formatting.count(result.n_found)],
        ["Exposure (bits)", formatting.decimal(result.exposure)],
        ["Exposure expected by chance (bits)", formatting.decimal(result.exposure_by_chance)],
        ["Maximum exposure (bits)", formatting.decimal(result.exposure_most)],
    ]
    return CanariesCard(elements.measured(scores), Table(CANARY_HEADS, rows))


def _nearest(report: Report) -> NearestCard | None:
    scored = elements.scored_result(report, NearestRecordResult)
    if scored is None:
        return None
    scores, result = scored
    distance = (result.score - 0.5) / result.standard_error if result.standard_error else 0.0
    return NearestCard(
        card=elements.measured(scores),
        n_synthetic=result.n_rows["synthetic"],
        n_training=result.n_rows["real"],
        distance=f"{abs(distance):.1f}",
        side="above" if distance >= 0 else "below",
        ratio_to_training=formatting.decimal(result.ratio_to_training),
        ratio_to_holdout=formatting.decimal(result.ratio_to_holdout),
    )


CHAPTER = Chapter("privacy", "Privacy", view)
