"""Whether the table is right for groups of rows, not only as a whole."""

from __future__ import annotations

from understudy.evaluation.metrics.fidelity import SubgroupsResult
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report

TITLE = "Groups of rows"
LEAD = (
    "A table can be right as a whole and wrong for the few. Small groups differ by chance alone, so each is "
    "held against what about as many real rows would score."
)
HEADS = (
    Head("Group"),
    Head("Real rows", is_number=True),
    Head("Synthetic rows", is_number=True),
    Head("Similarity", is_number=True),
    Head("By chance", is_number=True),
    Head("Column that differs most"),
)


def draw(report: Report) -> str:
    """Return the groups, those furthest below chance first."""
    found = elements.found(report, SubgroupsResult)
    if found is None:
        reasons = elements.reasons(report, ["subgroups"])
        return elements.section("subgroups", TITLE, LEAD, reasons) if reasons else ""
    scores, result = found
    text = f"{escape(scores.summary)} All rows together: {formatting.decimal(result.whole)}."
    rows = [
        [
            f"{elements.name(one.column)}: {escape(one.group)}",
            formatting.count(one.n_real),
            formatting.count(one.n_synthetic),
            formatting.decimal(one.score),
            formatting.decimal(one.chance),
            elements.name(one.worst),
        ]
        for one in result.groups
    ]
    table = (
        elements.long_table("Groups, those furthest below chance first", HEADS, rows, "groups")
        if rows
        else ""
    )
    body = elements.beside(elements.measured(scores, text=text), [elements.card(table + _too_small(result))])
    return elements.section("subgroups", TITLE, LEAD, body)


def _too_small(result: SubgroupsResult) -> str:
    if not result.too_small:
        return ""
    items = "".join(f"<li>{elements.name(one.column)}: {escape(one.group)}</li>" for one in result.too_small)
    n = len(result.too_small)
    return elements.details(
        f"{n} {'group' if n == 1 else 'groups'} too small to judge", f'<ul class="small">{items}</ul>'
    )


CHAPTER = Chapter("subgroups", "Groups", draw)
