"""The model card: sizes, parameters, suppressed values, guarantees and warnings, but no table values."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.documentation import docs_link
from understudy.synthesizers.base import Json, ModelCard
from understudy.synthesizers.card_warnings import (
    warning_of_generated,
    warning_of_learned,
    warning_of_rare_levels,
)
from understudy.synthesizers.entities.description import (
    describe_entities,
    entity_messages,
    names_of_entities,
)
from understudy.synthesizers.entities.groups import Entities
from understudy.tables.schema import TableSchema
from understudy.transformers.base import MIN_SUPPORT
from understudy.transformers.table import TableTransformer

N_ROWS_FEW = 100


# Counts of suppressed levels and rows, which the card sums over all columns.
SUPPRESSED = ("levels_pooled", "rows_pooled", "rows_merged", "rows_drawn_in")

# {k} is the minimum support; {unit} is "rows", or "subjects" if the schema declares a subject.
PROMISES = (
    "The model reproduces a category level or a number only if at least {k} {unit} share it. It replaces "
    "rarer levels with made-up or more common ones, and samples other numbers between means of {k} "
    "neighboring values.",
    "Identifiers are generated. They follow the table's pattern, are unique within a seed, and never equal "
    "an identifier in the table. Free text, names, email addresses, phone numbers and addresses are made "
    "up. For these columns, the model learns only which values are missing and how long the text values are. "
    "Texts such as log lines keep the words that at least {k} rows have in the same position.",
    "The model stores no number that fewer than {k} {unit} share. Every sampled number lies between the "
    "{k}th smallest and the {k}th largest value, counted by {unit}, or in a tail that is fitted without the "
    "values beyond them. In a column with too few values for these bounds, every sampled number is the same: "
    "a mean, or zero.",
    "The same seed gives the same rows, regardless of how they are divided into requests.",
)
LIMITS = (
    "A generated number may by chance equal a number in the table. This is rare for "
    "floats and common for integers and for numbers with few decimal places.",
    "Dependencies between columns are learned from rows, even if the schema declares a subject.",
    "The model file is personal data, because it reveals more about individual rows than its samples do. "
    "Protect it like the table, and share only samples.",
    "A made-up name or address may by chance belong to a real person, including a person in the table. "
    "Email addresses use domains that are reserved for examples. Phone numbers are fictional only in "
    "countries that reserve numbers for fiction.",
    "The model gives no formal guarantee such as differential privacy. Check the report's distance to "
    "closest record before you share a sample.",
)


def make_card(
    name: str, table: TableTransformer, n_rows: int, entities: Entities, *, preset: str | None = None
) -> ModelCard:
    """Return the card of a fitted model. The card contains no values from the table."""
    columns = table.describe()
    unit = "subject" if table.schema.subject else "row"
    return {
        "synthesizer": name,
        "preset": preset,
        "n_rows": n_rows,
        "n_columns": len(columns),
        "columns": columns,
        "subject": _subject(table.schema.subject),
        "entities": describe_entities(entities, table.schema.names),
        "protection": {"unit": unit, "k": MIN_SUPPORT}
        | {key: sum(column.get(key, 0) for column in columns) for key in SUPPRESSED},
        "warnings": _warnings(columns, n_rows, table.schema, entities),
        "promised": [promise.format(k=MIN_SUPPORT, unit=f"{unit}s") for promise in PROMISES],
        "not_promised": list(LIMITS),
        "documentation": docs_link("explanation/privacy"),
    }


def _subject(names: Sequence[str]) -> Json | None:
    """Return the subject's columns with a note on how to change them, or None if no subject is declared."""
    if not names:
        return None
    quoted = ", ".join(repr(name) for name in names)
    note = (
        f"Protection counts subjects, identified by {quoted}, instead of rows. To change this, set "
        "`subject` in the schema to other columns, or to [] to count rows, and fit again."
    )
    return {"columns": list(names), "note": note}


def _warnings(columns: list[Json], n_rows: int, schema: TableSchema, entities: Entities) -> list[str]:
    warnings: list[str | None] = []
    if n_rows < N_ROWS_FEW:
        warnings.append(
            f"The table has {n_rows} {'row' if n_rows == 1 else 'rows'}. With fewer than {N_ROWS_FEW} rows, "
            "both fidelity and privacy are limited."
        )
    of_entities = set(names_of_entities(entities, schema))
    for column in columns:
        if "generated" not in column or column.get("placeholder"):
            warnings.append(warning_of_learned(column, schema))
        elif column["name"] not in of_entities:
            warnings.append(warning_of_generated(column, schema))
        if column.get("levels_pooled") and not column.get("placeholder"):
            rows = "rows or entities" if entities.groups else "rows"
            warnings.append(warning_of_rare_levels(column, "subjects" if schema.subject else rows))
    return [text for text in warnings if text] + entity_messages(entities, schema.names)
