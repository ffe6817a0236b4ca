"""Model card warnings about individual columns."""

from __future__ import annotations

from understudy.synthesizers.base import Json
from understudy.tables.inference.headers import words_of
from understudy.tables.inference.key_headers import key_header
from understudy.tables.schema import TableSchema
from understudy.transformers.base import MIN_SUPPORT

# A category value is rare if it occurs in fewer than `N_ROWS_RARE` rows. A category with at least
# `N_LEVELS_MANY` values, most of them rare, may identify people or things.
N_ROWS_RARE = 20
N_LEVELS_MANY = 20

_OTHERS_LOST = "Its other dependencies are not preserved."


def warning_of_generated(column: Json, schema: TableSchema) -> str:
    """Return the warning about a generated column with values that do not identify entities."""
    if column["name"] in schema.subject:
        return (
            f"Subject column {column['name']!r} is generated for each row (kind {column['generated']}), "
            "so sampled rows do not share subjects. If several rows must share a subject, assign "
            "subjects to the rows yourself."
        )
    start = f"Column {column['name']!r} is generated (kind {column['generated']}), not learned. "
    if "contains" in column:
        sources = ", ".join(repr(name) for name in column["contains"])
        return f"{start}Each value contains the row's values of {sources}, as in the table. {_OTHERS_LOST}"
    if column.get("form") == "placed":
        return f"{start}Its first characters match the city, state or country of the row. {_OTHERS_LOST}"
    if "locales" in column:
        lists = _without_lists(column["countries_without_lists"], column["locale"])
        return f"{start}Its values match the country of the row. {_OTHERS_LOST}{lists}"
    return f"{start}Its dependencies on other columns are not preserved."


def _without_lists(n: int, locale: str) -> str:
    """Return a sentence about the country values for which there are no word lists."""
    if not n:
        return ""
    return (
        f" No word list exists for {n} of the values in the country column, including missing and rare "
        f"values. Rows with these values use the locale {locale!r}."
    )


def warning_of_learned(column: Json, schema: TableSchema) -> str | None:
    """Return the warning about a column that is learned or replaced by a placeholder, or None."""
    if column.get("placeholder"):
        units = "subjects" if schema.subject else "rows"
        return (
            f"Column {column['name']!r} has values for fewer than {MIN_SUPPORT} {units}, or no value "
            f"that {MIN_SUPPORT} {units} share. A placeholder (`_OTHER_`, or zero) replaces all of its "
            "values."
        )
    if column["codes"] == 1 and not column.get("levels_made_up"):
        return f"Column {column['name']!r} has at most one distinct value."
    if _shows_keys(column):
        return (
            f"Column {column['name']!r} is learned as {column['kind']}, but its name indicates keys of "
            "people, so samples can contain real keys. To generate made-up keys instead, store the column as "
            "whole numbers or text, set its kind to identifier, and fit again."
        )
    if n_personal := column.get("levels_with_personal_items"):
        return (
            f"Samples of column {column['name']!r} contain its real values, {n_personal:,} of which contain "
            "a person's address, name or number. To generate made-up values instead, set the column's kind "
            "to text, and fit again."
        )
    if _shows_rare_values(column):
        return (
            f"Samples of column {column['name']!r} contain {column['levels_kept']:,} real values, most of "
            f"which occur in fewer than {N_ROWS_RARE} rows. If they identify people or things, set the "
            "column's kind to identifier, or to a more specific kind such as name, and fit again."
        )
    return None


def warning_of_rare_levels(column: Json, units: str) -> str:
    """Return the warning about rare category levels, which samples do not contain."""
    levels, rows = _counted(column["levels_pooled"], "level"), _counted(column["rows_pooled"], "row")
    replacement = "made-up levels" if column.get("levels_made_up") else "more common levels"
    return (
        f"Column {column['name']!r} loses {levels} ({rows}), because fewer than {MIN_SUPPORT} {units} share "
        f"each of them. Samples contain {replacement} instead. If the levels are public, declare them in the "
        "column's domain."
    )


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _shows_keys(column: Json) -> bool:
    """Return whether a learned column has the name of a person's key, such as `customer_id`."""
    header = key_header(words_of(column["name"]))
    return header is not None and header.role == "person" and header.has_key and not header.is_code


def _shows_rare_values(column: Json) -> bool:
    """Return whether samples of a category contain many real values, most of which are rare."""
    n_rows = column.get("median_rows_per_level")
    return n_rows is not None and column["levels_kept"] >= N_LEVELS_MANY and n_rows < N_ROWS_RARE
