"""The view model of the chapter on subgroups: the similarity of synthetic and real rows in each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.evaluation.metrics.fidelity import SubgroupsResult
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.cells import Cell, Names, Segment
from understudy.evaluation.page.elements import Chapter, Head, Measured, Reason, Table, numbers

if TYPE_CHECKING:
    from understudy.evaluation.report import Report

HEADS = (
    Head("Group"),
    *numbers("Real rows", "Synthetic rows", "Similarity", "Chance level"),
    Head("Column that differs most"),
)


@dataclass(frozen=True)
class SubgroupsView:
    """The scores of groups; if `card` is None, `reasons` contains the reason."""

    reasons: Sequence[Reason]
    card: Measured | None
    whole: str
    groups: Table
    too_small: Sequence[Segment]


def view(report: Report) -> SubgroupsView | None:
    """Return the groups in descending order of their shortfall against the chance level."""
    reasons = elements.reasons(report, ["subgroups"])
    scored = elements.scored_result(report, SubgroupsResult)
    if scored is None:
        return SubgroupsView(reasons, None, "", Table(HEADS, ()), ()) if reasons else None
    scores, result = scored
    rows: list[list[Cell]] = [
        [
            Segment(group.column, group.group),
            formatting.count(group.n_real),
            formatting.count(group.n_synthetic),
            formatting.decimal(group.score),
            formatting.decimal(group.chance),
            Names((group.worst,)),
        ]
        for group in result.groups
    ]
    return SubgroupsView(
        reasons,
        elements.measured(scores),
        formatting.decimal(result.whole),
        Table(HEADS, rows),
        [Segment(group.column, group.group) for group in result.too_small],
    )


CHAPTER = Chapter("subgroups", "Subgroups", view)
