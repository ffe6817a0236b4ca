"""Subject numbers for the rows in all tables of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from understudy.tables.split import hash_values

Subjects = NDArray[np.int64]


def number_subjects(tables: Mapping[str, pa.Table], subject: Sequence[str]) -> dict[str, Subjects | None]:
    """Return the subject number of each row by table, or None if no subject is declared.

    The same subject has the same number in every table. Each row with a missing subject counts as a separate
    subject that occurs only in this table.
    """
    if not subject:
        return dict.fromkeys(tables)
    hashed = {role: hash_values(table.select(list(subject))) for role, table in tables.items()}
    hashes, is_missing = (np.concatenate(parts) for parts in zip(*hashed.values(), strict=True))
    numbers = np.unique(hashes, return_inverse=True)[1].astype(np.int64)
    numbers[is_missing] = len(numbers) + np.arange(int(is_missing.sum()))
    ends = np.cumsum([table.num_rows for table in tables.values()])
    return dict(zip(tables, np.split(numbers, ends[:-1]), strict=True))


def count_shared(one: Subjects | None, other: Subjects | None) -> int | None:
    """Return the number of subjects with rows in both tables, or None if no subject is declared."""
    if one is None or other is None:
        return None
    return len(np.intersect1d(one, other))


def count_subjects(subjects: Subjects | None) -> int | None:
    """Return the number of subjects, or None if no subject is declared."""
    return None if subjects is None else len(np.unique(subjects))
