"""Rules of the real table that synthetic rows keep or break, and which values are missing together."""

from __future__ import annotations

from understudy.evaluation.metrics.fidelity import MissingValuesResult, RulesKeptResult
from understudy.evaluation.page import elements, formatting
from understudy.evaluation.page.elements import Chapter, Head
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report

METRICS = ("rules_kept", "missing_values")
TITLE = "Rules and missing values"
LEAD = (
    "Rules that nearly all real rows keep, found in the table itself, and whether values are missing where "
    "they are in the real table. A broken rule is what a reader of the rows notices first."
)
SHARES = (Head("Real", is_number=True), Head("Synthetic", is_number=True))


def draw(report: Report) -> str:
    """Return the rules with the shares of rows that keep them, and the patterns of missing values."""
    body = f"{elements.reasons(report, METRICS)}{_rules(report)}{_missing(report)}"
    return elements.section("rules", TITLE, LEAD, body)


def _rules(report: Report) -> str:
    found = elements.found(report, RulesKeptResult)
    if found is None:
        return ""
    scores, result = found
    n_rules = formatting.count(len(result.rules))
    text = (
        f"{escape(scores.summary)} {formatting.percent(result.unbroken)} of the synthetic rows break none of "
        f"the {n_rules} rules; of the real rows, {formatting.percent(result.unbroken_real)}."
    )
    rows = [
        [escape(rule.sentence), formatting.percent(rule.kept_real), formatting.percent(rule.kept_synthetic)]
        for rule in result.rules
    ]
    table = elements.long_table("Rows that keep each rule", [Head("Rule"), *SHARES], rows, "rules")
    return elements.beside(elements.measured(scores, text=text), [elements.card(table)])


def _missing(report: Report) -> str:
    found = elements.found(report, MissingValuesResult)
    if found is None:
        return ""
    scores, result = found
    columns = [
        [elements.name(one.column), formatting.percent(one.real), formatting.percent(one.synthetic)]
        for one in result.columns
    ]
    patterns = [
        [_pattern(one.columns), formatting.percent(one.real), formatting.percent(one.synthetic)]
        for one in result.patterns
    ]
    tables = [
        elements.card(elements.long_table(caption, [Head(head), *SHARES], rows, "rows"))
        for caption, head, rows in (
            ("Missing values of each column", "Column", columns),
            ("Values that are missing together", "Missing", patterns),
        )
        if rows
    ]
    return elements.beside(elements.measured(scores), tables)


def _pattern(columns: list[str]) -> str:
    return ", ".join(elements.name(column) for column in columns) or "nothing"


CHAPTER = Chapter("rules", "Rules", draw)
