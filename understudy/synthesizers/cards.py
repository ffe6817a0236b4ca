"""What may be told about a fitted model: sizes, choices, what was left out, and what is promised."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.documentation import docs_link
from understudy.synthesizers.base import Json, ModelCard
from understudy.transformers.base import MIN_SUPPORT
from understudy.transformers.table import TableTransformer

N_ROWS_FEW = 100

# What is counted of each column and summed up in the card.
SUPPRESSED = ("levels_pooled", "rows_pooled", "rows_merged", "rows_drawn_in")

# {k} and {who} are filled in: rows, or subjects where the schema names them.
PROMISES = (
    "A level or number is emitted as it was only if at least {k} {who} share it; rarer levels "
    "are replaced by commoner ones, and other numbers are drawn between means of as many neighbours.",
    "Identifiers are generated: unique within a seed, in the table's pattern, and none of them the table's. "
    "Free text, names, e-mail addresses, phone numbers and addresses are made up; nothing of them is learnt "
    "but which are missing, and how long texts are.",
    "No number that fewer than {k} {who} share is kept, and every drawn number lies between the {k}th value "
    "from below and the {k}th from above, counted by {who}. Columns of too few for that give one number: a "
    "mean, or zero.",
    "The same seed gives the same rows, however they are cut into requests.",
)
LIMITS = (
    "A number drawn between others may by chance be one in the table: rarely among floats, often among whole "
    "numbers and few decimals.",
    "How columns go together is learnt from rows, also where subjects are named.",
    "The model file is personal data: it says more about single rows than its samples do. Keep it as you "
    "keep the table; only samples should leave.",
    "A made-up name or address may by chance be somebody's, also in the table. E-mail addresses are at "
    "domains kept for examples; phone numbers are fictional only where the country keeps some.",
    "No formal guarantee such as differential privacy is given. Read the report's distances to the nearest "
    "record before you share a sample.",
)


def make_card(name: str, table: TableTransformer, n_rows: int, *, preset: str | None = None) -> ModelCard:
    """Return the card of a fitted model; values of the table are not in it."""
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
        "promised": [promise.format(k=MIN_SUPPORT, who=f"{unit}s") for promise in PROMISES],
        "not_promised": list(LIMITS),
        "documentation": docs_link("explanation/tree-chain"),
    }


def _warnings(columns: list[Json], n_rows: int, subject: Sequence[str]) -> list[str]:
    who = "subjects" if subject else "rows"
    warnings = []
    if n_rows < N_ROWS_FEW:
        warnings.append(
            f"The table has {n_rows} rows; below {N_ROWS_FEW} there is little to learn from, and little "
            "to hide in."
        )
    for column in columns:
        if column.get("placeholder"):
            warnings.append(
                f"No value of column {column['name']!r} is shared by {MIN_SUPPORT} {who}, or it has fewer "
                "values than that: a placeholder (`_OTHER_`, or zero) stands for all of them."
            )
        elif "generated" in column and column["name"] in subject:
            warnings.append(
                f"Column {column['name']!r} of the subject is generated as {column['generated']} row by row, "
                "so sampled rows do not share subjects: assign subjects to them yourself if you need that."
            )
        elif "generated" in column:
            warnings.append(
                f"Column {column['name']!r} is generated as {column['generated']}, not learnt. "
                "Relations to other columns are not kept."
            )
        elif column["codes"] == 1:
            warnings.append(f"Column {column['name']!r} holds one value, or none, in all rows.")
    return warnings
