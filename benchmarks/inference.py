"""How many columns are inferred right: ``python -m benchmarks.inference [--data FOLDER]``.

The kinds are those of `inference_labels.csv`, written down from the documentation of the data by rules:

1. A column has the kind of what is stored: numbers and codes in digits are integers or floats, labels are
   categories.
2. What names each row once is an identifier; a reference to it, shared by rows, is of its stored kind.
   Names of things, each once: identifier or text. Titles and prose: text.
3. Names of people are names, whoever they are. Towns, states and countries are categories, or addresses if
   most of their values occur once.
4. In tables of fewer than 20 rows nothing is concluded from values that occur once.

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

from benchmarks.inference_carried import carried_tables, files_of
from benchmarks.inference_people import HEADERS, people
from understudy.tables.inference import column_kind, infer_table, storable_type

LABELS = Path(__file__).with_name("inference_labels.csv")
# What is nobody's: a personal column must not be taken for one of these.
HARMLESS = frozenset(
    {"integer", "float", "decimal", "boolean", "category", "date", "time", "timestamp", "duration"}
)
SHARE_ASKED = 0.98


def main() -> None:
    """Print the share of right kinds, the confusions, and what must not be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="a folder with more CSV files")
    options = parser.parse_args()
    judged = [
        (table, column, right, found)
        for table, rows, labels in _tables(options.data)
        for column, right, found in _judge(rows, labels)
        for table in (table,)
    ]
    _show(judged)


def _tables(folder: Path | None) -> Iterator[tuple[str, pa.Table, dict[str, str]]]:
    labels: dict[str, dict[str, str]] = {}
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            labels.setdefault(row["table"], {})[row["column"]] = row["kind"]
    yield from ((name, table, labels.get(name, {})) for name, table in carried_tables())
    if folder:
        yield from ((name, table, labels.get(name, {})) for name, table in files_of(folder))
    yield from ((f"people/{locale}", *people(locale)) for locale in HEADERS)


def _judge(rows: pa.Table, labels: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for column, field in zip(infer_table(rows).schema.columns, rows.schema, strict=True):
        plain = column_kind(storable_type(field.name, field.type)).value
        yield column.name, labels.get(column.name, plain), column.kind.value


def _show(judged: list[tuple[str, str, str, str]]) -> None:
    wrong = [one for one in judged if one[3] not in one[2].split("|")]
    share = 1 - len(wrong) / len(judged)
    n, n_right = len(judged), len(judged) - len(wrong)
    print(f"{n_right:,} of {n:,} columns right: {share:.2%} (asked: {SHARE_ASKED:.0%})")
    print("\nright kind -> inferred: columns")
    for (right, found), n in sorted(Counter((one[2], one[3]) for one in judged).items()):
        print(f"  {right:24} {found:14} {n:5}{'' if found in right.split('|') else '  *'}")
    print("\nwrong: table, column, right kind, inferred")
    for one in wrong:
        print("  " + ", ".join(one))
    missed = [one for one in wrong if not HARMLESS & set(one[2].split("|")) and one[3] in HARMLESS]
    print(f"\npersonal columns taken for harmless: {len(missed)}")
    for one in missed:
        print("  " + ", ".join(one))
    if missed or share < SHARE_ASKED:
        sys.exit(1)


if __name__ == "__main__":
    main()
