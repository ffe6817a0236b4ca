"""What attackers find, and how little their failure means."""

from __future__ import annotations

from understudy.evaluation.metrics.privacy import ExactCopies, NearestRecord
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.elements import Chapter
from understudy.evaluation.report import Report

TITLE = "Privacy"
LEAD = "Two smoke alarms. They can show that something is wrong; they cannot show that all is well."
CAVEAT = (
    '<div class="note gap small"><p><strong>What this does not say.</strong> Data that pass such '
    "distance checks have been shown to be open to membership inference, the question whether a given "
    "person was in the training data (“The DCR Delusion”, ESORICS 2025). These alarms are no measure of "
    "that risk.</p>"
    "<p>There is no formal guarantee here, such as differential privacy would give. Whether these data "
    "may be shared is a decision about purpose, recipients and remaining risk that a report cannot "
    "take.</p></div>"
)


def draw(report: Report) -> str:
    """Return the attacks and the alarms."""
    body = elements.halves([_nearest(report), _copies(report)])
    missing = elements.reasons(report, ["nearest_record", "exact_copies"])
    return elements.section("privacy", TITLE, LEAD, f"{body}{missing}{CAVEAT}")


def _nearest(report: Report) -> str:
    found = elements.found(report, NearestRecord)
    if found is None:
        return ""
    scores, result = found
    distance = (result.score - 0.5) / result.standard_error if result.standard_error else 0.0
    text = (
        f"Of {formatting.count(result.n_rows['synthetic'])} synthetic rows, this share lies nearer to one "
        f"of {formatting.count(result.n_rows['real'])} training rows than to one of as many rows that were "
        f"held out: {abs(distance):.1f} standard errors {'above' if distance >= 0 else 'below'} 0.5, which "
        "new rows would show. More than 3 standard errors above it ask for a closer look."
    )
    return elements.measured(scores, text=text)


def _copies(report: Report) -> str:
    found = elements.found(report, ExactCopies)
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
        f"{held_out}"
    )
    return elements.measured(scores, text=text)


CHAPTER = Chapter("privacy", "Privacy", draw)
