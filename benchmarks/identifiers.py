"""Count real identifiers in samples of entity-heavy tables: ``python -m benchmarks.identifiers``.

Each table is fitted and sampled ten times. The benchmark counts real values of all columns that identify
somebody or something: identifiers, names, e-mail and IP addresses, phone, card and account numbers. A value
counts wherever it occurs in a sample, also within other texts. First and last names alone are counted
separately, because many people share them. In the second version of each table, each value is in at least a
hundred rows.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple  # `Any` is a value or an Arrow array of any type.

import numpy as np
import pyarrow as pa

import understudy
from benchmarks.inference_entities import entity_tables
from benchmarks.inference_people import people
from understudy.tables.inference import headers

# Kinds of values that identify somebody or something.
IDENTIFYING = frozenset(("identifier", "name", "email", "ip", "phone", "iban", "card", "national_id"))
ENTITIES = (
    *("shop_orders", "clinical_visits", "web_log", "bank", "taxi", "time_sheets", "library", "school"),
    *("claims", "help_desk", "games", "airline", "calls"),
)
LOCALES = ("en_US", "de_DE", "fr_FR", "pl_PL")
N_ROWS_FREQUENT = 3000
# Number of rows of the original table that the version with frequent values repeats.
_N_ROWS_KEPT = 24
# A shorter text may occur within another text by chance.
_LENGTH_WITHIN_MIN = 5


class Identified(NamedTuple):
    """A table and the kinds of its columns."""

    name: str
    rows: pa.Table
    kinds: dict[str, str]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that identify somebody or something."""
        return tuple(c for c, kind in self.kinds.items() if set(kind.split("|")) & IDENTIFYING)


def tables() -> Iterator[Identified]:
    """Yield each table twice: unchanged, and with values that occur in at least a hundred rows each."""
    for table in _sources():
        yield table
        yield table._replace(name=f"{table.name}, frequent", rows=frequent(table.rows))


def frequent(rows: pa.Table) -> pa.Table:
    """Return a table that repeats a few rows many times."""
    few = rows.take(np.linspace(0, len(rows) - 1, _N_ROWS_KEPT).astype(np.int64))
    return few.take(np.random.default_rng(0).permutation(N_ROWS_FREQUENT) % _N_ROWS_KEPT)


def _sources() -> Iterator[Identified]:
    for table in entity_tables():
        if table.name in ENTITIES:
            yield Identified(f"entities/{table.name}", table.rows, table.kinds)
    for locale in LOCALES:
        rows, kinds = people(locale)
        yield Identified(f"people/{locale}", _repeated(rows), kinds)


def _repeated(rows: pa.Table) -> pa.Table:
    """Return one to nine rows per person, with amounts that differ between the rows."""
    rng = random.Random(3)  # noqa: S311 - not a secret
    owners = [owner for owner in range(len(rows)) for _ in range(rng.randint(1, 9))]
    amounts = [round(rng.uniform(1, 900), 2) for _ in owners]
    return rows.take(owners).append_column("paid", pa.array(amounts))


def emitted(table: Identified, sample: pa.Table) -> dict[str, list[Any]]:
    """Return the real values of each identifying column that occur in a sample."""
    cells = {str(cell) for column in sample.column_names for cell in _distinct(sample[column])}
    text = "\n".join(sorted(cells))
    found = {}
    for column in table.columns:
        own = set(_distinct(sample[column]))
        values = [value for value in _distinct(table.rows[column]) if value in own or _is_within(value, text)]
        if values:
            found[column] = values
    return found


def _distinct(column: Any) -> list[Any]:
    return [value for value in column.unique().to_pylist() if value is not None]


def _is_within(value: Any, text: str) -> bool:
    """Return whether a text contains a value that is not a part of a longer word or number."""
    if not isinstance(value, str) or len(value) < _LENGTH_WITHIN_MIN or value not in text:
        return False
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


def _is_part(value: Any, column: str, kind: str) -> bool:
    """Return whether a value is only a first or only a last name."""
    form = headers.name_form(headers.words_of(column))
    return "name" in kind.split("|") and (form in ("first", "last") or len(str(value).split()) == 1)


def main() -> None:
    """Print the number of real values that occur in samples, by table and column."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--only", default="", help="measure only tables whose names contain this text")
    options = parser.parse_args()
    n_emitted, n_parts = 0, 0
    for table in tables():
        if options.only not in table.name:
            continue
        model = understudy.fit(table.rows, synthesizer=options.preset, seed=0)
        found: dict[str, set[Any]] = {}
        for seed in range(options.samples):
            sample: Any = model.sample(len(table.rows), seed=seed)
            for column, values in emitted(table, sample).items():
                found.setdefault(column, set()).update(values)
        parts = {c: {v for v in values if _is_part(v, c, table.kinds[c])} for c, values in found.items()}
        found = {c: values - parts[c] for c, values in found.items() if values - parts[c]}
        n_real = sum(len(_distinct(table.rows[column])) for column in table.columns)
        shown = ", ".join(f"{column} {len(values)}" for column, values in found.items())
        print(f"{table.name:32} {n_real:6} real values, emitted: {shown or 0}", flush=True)
        n_emitted += sum(map(len, found.values()))
        n_parts += sum(map(len, parts.values()))
    print(f"real values in samples: {n_emitted}; first and last names alone: {n_parts}")
    sys.exit(1 if n_emitted else 0)


if __name__ == "__main__":
    main()
