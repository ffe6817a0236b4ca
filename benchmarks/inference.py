"""Benchmark the inference of column kinds: ``python -m benchmarks.inference [--data FOLDER]``.

The correct kinds are in `inference_labels.csv`. They were derived from the data's documentation by these
rules:

1. A column has the kind of its stored values: numbers and numeric codes are integers or floats, and labels
   are categories.
2. A column with a unique name for each row is an identifier. A column whose values repeat is an identifier if
   it identifies people or individual things, such as customers, invoices or aircraft. Keys of kinds of
   things, such as products, have the kind of their stored values. Unique names of things are identifiers or
   texts. Titles and prose are texts.
3. Names of people are always names. Towns, states and countries are categories, or addresses if most of their
   values occur once or too few rows share each value to show it.
4. In tables of fewer than 20 rows, values that occur once are not evidence.

Columns that are not in the file have the kind of their type.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from benchmarks.inference_entities import SET_ASIDE, entity_tables
from benchmarks.inference_packages import files_of, packaged_tables
from benchmarks.inference_people import HEADERS, people
from understudy.tables.inference import column_kind, infer_table, storable_type

LABELS = Path(__file__).with_name("inference_labels.csv")
# Kinds without personal data. A personal column must not be inferred as one of these kinds.
HARMLESS = frozenset(
    {"integer", "float", "decimal", "boolean", "category", "date", "time", "timestamp", "duration"}
)
SHARE_REQUIRED = 0.98


def main() -> None:
    """Print the share of correct kinds, the confusions, and personal columns inferred as harmless."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="folder with more CSV files")
    options = parser.parse_args()
    judged = [
        (table, column, expected, inferred)
        for table, rows, labels in _tables(options.data)
        for column, expected, inferred in _judge(rows, labels)
        for table in (table,)
    ]
    _show(judged)
    _show_subjects()


def _show_subjects() -> None:
    for is_set_aside in (False, True):
        tables = [table for table in entity_tables() if (table.name in SET_ASIDE) is is_set_aside]
        subjects = [infer_table(table.rows).schema.subject for table in tables]
        wrong = [
            table.name
            for table, subject in zip(tables, subjects, strict=True)
            if not (set(subject) & set(table.subjects) if table.subjects else not subject)
        ]
        words = "set aside" if is_set_aside else "not set aside"
        print(f"\nsubjects of tables {words}: {len(tables) - len(wrong)} of {len(tables)} correct")
        print("".join(f"  {name}\n" for name in wrong), end="")


def _tables(folder: Path | None) -> Iterator[tuple[str, pa.Table, dict[str, str]]]:
    labels: dict[str, dict[str, str]] = {}
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels.setdefault(row["table"], {})[row["column"]] = row["kind"]
    yield from ((name, table, labels.get(name, {})) for name, table in packaged_tables())
    if folder:
        yield from ((name, table, labels.get(name, {})) for name, table in files_of(folder))
    yield from ((f"people/{locale}", *people(locale)) for locale in HEADERS)
    yield from ((f"entities/{table.name}", table.rows, table.kinds) for table in entity_tables())


def _judge(rows: pa.Table, labels: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for column, field in zip(infer_table(rows).schema.columns, rows.schema, strict=True):
        plain = column_kind(storable_type(field.name, field.type)).value
        yield column.name, labels.get(column.name, plain), column.kind.value


def _show(judged: list[tuple[str, str, str, str]]) -> None:
    wrong = [case for case in judged if case[3] not in case[2].split("|")]
    share = 1 - len(wrong) / len(judged)
    n, n_correct = len(judged), len(judged) - len(wrong)
    print(f"{n_correct:,} of {n:,} columns correct: {share:.2%} (required: {SHARE_REQUIRED:.0%})")
    print("\ncorrect kind -> inferred kind: columns")
    for (expected, inferred), n in sorted(Counter((case[2], case[3]) for case in judged).items()):
        print(f"  {expected:24} {inferred:14} {n:5}{'' if inferred in expected.split('|') else '  *'}")
    print("\nwrong: table, column, correct kind, inferred kind")
    for case in wrong:
        print("  " + ", ".join(case))
    missed = [case for case in wrong if not HARMLESS & set(case[2].split("|")) and case[3] in HARMLESS]
    print(f"\npersonal columns inferred as harmless: {len(missed)}")
    for case in missed:
        print("  " + ", ".join(case))
    if missed or share < SHARE_REQUIRED:
        sys.exit(1)


if __name__ == "__main__":
    main()
