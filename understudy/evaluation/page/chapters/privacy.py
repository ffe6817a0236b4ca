"""What attackers find, and how little their failure means."""

from __future__ import annotations

from collections.abc import Sequence

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
from understudy.evaluation.page.charts import bars
from understudy.evaluation.page.charts.bars import Estimate
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores

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
TITLE = "Privacy"
LEAD = (
    "Attacks, carried out on the synthetic rows. Each is tried on rows that were learnt from and, as a "
    "control, on held-out rows of the same source: only what it finds beyond the control can come from the "
    "synthetic rows. An attack that fails shows that this attack fails, no more."
)
CAVEAT = (
    '<div class="note gap small"><p><strong>What this does not say.</strong> There is no formal guarantee '
    "here, such as differential privacy would give: another attacker may know more, and do better. "
    "Distances to the nearest row are smoke alarms only. Data that pass them have been shown to be open to "
    "membership inference, the question whether a given person was in the training data (“The DCR "
    "Delusion”, ESORICS 2025).</p>"
    "<p>Whether these data may be shared is a decision about purpose, recipients and remaining risk that a "
    "report cannot take.</p></div>"
)
AXES = ("False alarms", "Members found")
# An attack and its control: title, share found of each, difference or risk, its interval.
Trial = tuple[str, float, float, float, tuple[float, float]]


def draw(report: Report) -> str:
    """Return the attacks and the alarms."""
    parts = (
        elements.reasons(report, METRICS),
        _group("Was a row in the training table?", [*_curves(report), elements.halves(_surest(report))]),
        _group("What else can be learnt of people?", _excesses(report)),
        _group("Rows that came through", [_near(report), _others(report)]),
        CAVEAT,
    )
    return elements.section("privacy", TITLE, LEAD, "".join(parts))


def _group(title: str, parts: Sequence[str]) -> str:
    return f"<h3>{title}</h3>{''.join(parts)}" if any(parts) else ""


def _curves(report: Report) -> list[str]:
    parts = []
    for kind in (MembershipDistanceResult, MembershipDensityResult):
        found = elements.found(report, kind)
        if found is not None:
            parts.append(elements.beside(elements.measured(found[0]), [elements.card(_roc(found[0]))]))
    return parts


def _roc(scores: MetricScores) -> str:
    by_role = {
        role: [(point.false_alarms, point.found) for point in result.roc]
        for role, result in (("leak", scores.leak), ("real", scores.real), ("synthetic", scores.synthetic))
        if isinstance(result, MembershipDistanceResult | MembershipDensityResult)
    }
    return receiver.figures(by_role, AXES, has_log=True)


def _surest(report: Report) -> list[str]:
    cards = []
    low = elements.found(report, MembershipLowFprResult)
    if low is not None:
        scores, result = low
        rows = [
            [escape(one.name), formatting.decimal(one.auc), formatting.percent(one.found)]
            for one in result.attackers
        ]
        heads = [
            Head("Attacker"),
            Head("AUC", is_number=True),
            Head("Found at 1 % false alarms", is_number=True),
        ]
        note = (
            f'<p class="small muted">The best, {escape(result.attacker)}, was chosen on one half of the '
            "rows, and scored on the other.</p>"
        )
        table = elements.table("Attackers, on the half they were chosen on", heads, rows)
        cards.append(elements.measured(scores, table + note))
    outliers = elements.found(report, MembershipOutliersResult)
    if outliers is not None:
        scores, outlying = outliers
        text = (
            f"{escape(scores.summary)} Asked about the {formatting.percent(outlying.share)} of the rows that "
            "are least like any other; on all others the same attacker "
            f"({escape(outlying.attacker)}) reaches {formatting.decimal(outlying.auc_of_others)}."
        )
        cards.append(elements.measured(scores, text=text))
    return cards


def _excesses(report: Report) -> list[str]:
    return [_singled_out(report), _linked(report), _guessed(report)]


def _singled_out(report: Report) -> str:
    found = elements.found(report, SinglingOutResult)
    if found is None:
        return ""
    scores, result = found
    trials = [
        (
            f"{escape(one.kind)}, {formatting.count(one.n)} guesses",
            one.attack,
            one.control,
            one.risk,
            one.interval,
        )
        for one in result.guesses
    ]
    return _measured(scores, "Guesses", trials)


def _linked(report: Report) -> str:
    found = elements.found(report, LinkabilityResult)
    if found is None:
        return ""
    scores, result = found
    trials = [
        (_neighbours(one.n_neighbours), one.attack, one.control, one.risk, one.interval)
        for one in result.neighbours
    ]
    one_file, other = (
        ", ".join(elements.name(column) for column in side) for side in (result.one, result.other)
    )
    note = f'<p class="small muted">One file: {one_file}. The other: {other}.</p>'
    return _measured(scores, "Rows looked at", trials, note)


def _guessed(report: Report) -> str:
    found = elements.found(report, AttributeInferenceResult)
    if found is None:
        return ""
    scores, result = found
    trials = [
        (elements.name(one.column), one.attack, one.control, one.excess, one.interval)
        for one in result.columns
    ]
    return _measured(scores, "Column guessed", trials)


def _neighbours(n: int) -> str:
    return "the nearest" if n == 1 else f"the {n} nearest"


def _measured(scores: MetricScores, head: str, trials: Sequence[Trial], note: str = "") -> str:
    """Return a score, and the attacks that it is made of beside their controls."""
    heads = [
        Head(head),
        Head("Attack", is_number=True),
        Head("Control", is_number=True),
        Head("Excess, drawn", is_drawn=True),
        Head("Excess", is_number=True),
    ]
    estimates = [[Estimate("synthetic", excess, interval)] for *_, excess, interval in trials]
    axis = bars.reach(estimates, 0.0, 0.05)
    rows = [
        [
            title,
            formatting.percent(attack),
            formatting.percent(control),
            bars.whiskers(drawn, axis, zero=0.0),
            f'{formatting.change(excess)}<br><span class="small muted">{formatting.span(interval)}</span>',
        ]
        for (title, attack, control, excess, interval), drawn in zip(trials, estimates, strict=True)
    ]
    table = elements.table("Success on rows learnt from, and on held-out rows", heads, rows)
    return elements.beside(elements.measured(scores), [elements.card(table + note)])


def _near(report: Report) -> str:
    found = elements.found(report, NearCopiesResult)
    if found is None:
        return ""
    scores, result = found
    trials = [
        (_differing(one.n_different), one.attack, one.control, one.excess, one.interval)
        for one in result.copies
    ]
    return _measured(scores, "Columns that differ", trials)


def _others(report: Report) -> str:
    cards = [card for card in (_exact(report), _canaries(report), _nearest(report)) if card]
    return f'<div class="thirds">{"".join(cards)}</div>' if cards else ""


def _differing(n: int) -> str:
    return "none" if n == 0 else f"at most {n}"


def _exact(report: Report) -> str:
    found = elements.found(report, ExactCopiesResult)
    if found is None:
        return ""
    scores, result = found
    held_out = (
        "Among fresh real rows it is "
        f"<strong>{formatting.score(scores.floor.score, 'exact_copies')}</strong>: "
        "that much repeats by nature."
        if scores.floor is not None
        else "There are no fresh real rows to show how much repeats by nature."
    )
    text = (
        "Share of the synthetic rows that equal a training row in every column: "
        f"{formatting.count(result.n_copies)} of {formatting.count(result.n_rows['synthetic'])} "
        f"rows; {formatting.count(result.n_copies_of_unique)} equal a training row that occurs only once. "
        f"{held_out}{_likelihood(result)}"
    )
    return elements.measured(scores, text=text)


def _likelihood(result: ExactCopiesResult) -> str:
    said = ""
    if result.is_telling:
        said = " The table has columns of so many values that no row which occurs once should be copied."
    if result.p_value is not None:
        chance = formatting.p_value(result.p_value)
        said += f" By chance alone, so many would be met with a probability of {chance}."
    return said


def _canaries(report: Report) -> str:
    found = elements.found(report, CanariesResult)
    if found is None:
        return ""
    scores, result = found
    rows = [
        ["Planted", formatting.count(result.n_planted)],
        ["Found as they are among the synthetic rows", formatting.count(result.n_found)],
        ["Exposure in bits", formatting.decimal(result.exposure)],
        ["Exposure by chance", formatting.decimal(result.exposure_by_chance)],
        ["Exposure if all were known", formatting.decimal(result.exposure_most)],
    ]
    heads = [Head("Canaries"), Head('<span class="visually-hidden">Value</span>', is_number=True)]
    return elements.measured(scores, elements.table("What became of the planted rows", heads, rows))


def _nearest(report: Report) -> str:
    found = elements.found(report, NearestRecordResult)
    if found is None:
        return ""
    scores, result = found
    distance = (result.score - 0.5) / result.standard_error if result.standard_error else 0.0
    text = (
        "A smoke alarm, no measure of risk. "
        f"Of {formatting.count(result.n_rows['synthetic'])} synthetic rows, this share lies nearer to one "
        f"of {formatting.count(result.n_rows['real'])} training rows than to one of as many rows that were "
        f"held out: {abs(distance):.1f} standard errors {'above' if distance >= 0 else 'below'} 0.5, which "
        "new rows would show. More than 3 standard errors above it ask for a closer look. The distance to "
        "the nearest over that to the second nearest row (NNDR) is "
        f"{formatting.decimal(result.ratio_to_training)} to training rows, and "
        f"{formatting.decimal(result.ratio_to_holdout)} to held-out rows."
    )
    return elements.measured(scores, text=text)


CHAPTER = Chapter("privacy", "Privacy", draw)
