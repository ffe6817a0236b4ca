"""The model card: sizes, parameters, suppressed values, guarantees and warnings. It contains no values."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.documentation import docs_link
from understudy.synthesizers.base import Json, ModelCard
from understudy.transformers.base import MIN_SUPPORT
from understudy.transformers.table import TableTransformer

N_ROWS_FEW = 100

# Counts of suppressed levels and rows, which the card sums over all columns.
SUPPRESSED = ("levels_pooled", "rows_pooled", "rows_merged", "rows_drawn_in")

# {k} is the minimum support; {unit} is "rows", or "subjects" if the schema declares a subject.
PROMISES = (
    "The model reproduces a category level or a number only if at least {k} {unit} share it. It replaces "
    "rarer levels with more common ones, and draws other numbers between means of {k} neighboring values.",
    "Identifiers are generated. They follow the table's pattern, are unique within a seed, and never equal "
    "an identifier of the table. Free text, names, email addresses, phone numbers and addresses are made "
    "up. For these columns, the model learns only which values are missing and how long the text values are.",
    "The model stores no number that fewer than {k} {unit} share. Every sampled number lies between the "
    "{k}th smallest and the {k}th largest value, counted by {unit}. A column with too few values for these "
    "bounds gets a single number: a mean, or zero.",
    "The same seed gives the same rows, regardless of how they are divided into requests.",
)
LIMITS = (
    "A generated number may by chance equal a number in the table. This is rare for "
    "floats and common for integers and for numbers with few decimal places.",
    "Dependencies between columns are learned from rows, even if the schema declares a subject.",
    "The model file is personal data, because it reveals more about single rows than its samples do. "
    "Protect it like the table, and share only samples.",
    "A made-up name or address may by chance belong to a real person, including a person in the table. "
    "Email addresses use domains that are reserved for examples. Phone numbers are fictional only in "
    "countries that reserve numbers for fiction.",
    "The model gives no formal guarantee such as differential privacy. Check the report's distance to "
    "closest record before you share a sample.",
)


def make_card(name: str, table: TableTransformer, n_rows: int, *, preset: str | None = None) -> ModelCard:
    """Return the card of a fitted model. The card contains no values of the table."""
    columns = table.describe()
    unit = "subject" if table.schema.subject else "row"
    return {
        "synthesizer": name,
        "preset": preset,
        "n_rows": n_rows,
        "n_columns": len(columns),
        "columns": columns,
        "protection": {"unit": unit, "k": MIN_SUPPORT}
        | {key: sum(column.get(key, 0) for column in columns) for key in SUPPRESSED},
        "warnings": _warnings(columns, n_rows, table.schema.subject),
        "promised": [promise.format(k=MIN_SUPPORT, unit=f"{unit}s") for promise in PROMISES],
        "not_promised": list(LIMITS),
        "documentation": docs_link("explanation/privacy"),
    }


def _warnings(columns: list[Json], n_rows: int, subject: Sequence[str]) -> list[str]:
    units = "subjects" if subject else "rows"
    warnings = []
    if n_rows < N_ROWS_FEW:
        warnings.append(
            f"The table has {n_rows} rows. With fewer than {N_ROWS_FEW} rows, both fidelity and privacy are "
            "limited."
        )
    for column in columns:
        if column.get("placeholder"):
            warnings.append(
                f"Column {column['name']!r} has values for fewer than {MIN_SUPPORT} {units}, or no value "
                f"that {MIN_SUPPORT} {units} share. A placeholder (`_OTHER_`, or zero) replaces all of its "
                "values."
            )
        elif "generated" in column and column["name"] in subject:
            warnings.append(
                f"Subject column {column['name']!r} is generated for each row (kind {column['generated']}), "
                "so sampled rows do not share subjects. If several rows must share a subject, assign "
                "subjects to the rows yourself."
            )
        elif "generated" in column:
            warnings.append(
                f"Column {column['name']!r} is generated (kind {column['generated']}), not learned. "
                "Its dependencies on other columns are not preserved."
            )
        elif column["codes"] == 1:
            warnings.append(f"Column {column['name']!r} has at most one distinct value.")
    return warnings
