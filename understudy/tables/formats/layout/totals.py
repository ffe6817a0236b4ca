"""Recognize totals rows among the rows of a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from understudy.tables.formats.layout.cells import is_average, is_total_label

# A label such as "Total 2023" can also be a value, so at least this number of rows must have such a label.
_NAMED_MIN = 2
# Maximum share of totals rows.
_SHARE_MAX = 0.5
# A column in which a row of averages is blank must be filled in at least this share of the other rows.
_FILLED_MIN = 0.9


def is_total_row(cells: Sequence[str], required: Collection[int]) -> bool:
    """Return whether a row is labeled as a total and has no value in one of the required columns."""
    if all(cells[column].strip() for column in required):
        return False
    label = next((cell.strip() for cell in cells if cell.strip()), "")
    return label in [cell.strip() for cell in cells[:2]] and is_total_label(label)


def may_be_row(cells: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a row with the label of an average may belong to the table, based on the rows above it.

    This is possible if the label occurs in these rows, or if the row fills the columns that nearly all of
    them fill. A blank cell in a mostly blank column, such as a column of notes, does not indicate averages.
    """
    if not is_average(cells):
        return False
    width = len(cells)
    fitting = [row for row in rows if len(row) == width]
    if any(row[0].strip() == cells[0].strip() for row in fitting):
        return True
    blank = [column for column in range(width) if not cells[column].strip()]
    n_min = max(1, _FILLED_MIN * len(fitting))
    return not any(sum(bool(row[column].strip()) for row in fitting) >= n_min for column in blank)


def required_columns(rows: Sequence[Sequence[str]], width: int) -> frozenset[int] | None:
    """Return the columns that all rows except rows of totals fill, or None if no row contains totals.

    Parameters
    ----------
    rows : sequence of sequence of str
        Rows below the header.
    """
    fitting = [row for row in rows if len(row) == width and any(map(str.strip, row))]
    labeled = [row for row in fitting if any(is_total_label(cell.strip()) for cell in row[:2])]
    if not labeled or len(labeled) > _SHARE_MAX * len(fitting):
        return None
    others = [row for row in fitting if row not in labeled]
    required = frozenset(column for column in range(width) if all(row[column].strip() for row in others))
    totals = [row for row in labeled if is_total_row(row, required)]
    n_exact = sum(is_total_label(_label(row), is_exact=True) for row in totals)
    return required if n_exact or len(totals) >= _NAMED_MIN else None


def _label(row: Sequence[str]) -> str:
    return next(cell.strip() for cell in row if cell.strip())
