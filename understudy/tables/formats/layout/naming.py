"""Join header rows, and generate names for columns without a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from understudy.parameters.base import COLUMN_NAME_LENGTH_MAX as _LENGTH_MAX

_BETWEEN = " / "
# Maximum number of new names in a message.
_NAMED_MAX = 5
# Maximum length of a name in a message, in characters.
_SHOWN_MAX = 60


def join_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the name of each column from one or more header rows.

    As in merged cells, a blank cell in an upper row repeats the cell to its left if a lower row names the
    column.
    """
    if len(rows) == 1:
        return list(rows[0])
    width = max(map(len, rows))
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    spread = [padded[-1]]
    for row in reversed(padded[:-1]):
        spread.insert(0, _spread(row, spread[0]))
    return [_joined(cells) for cells in zip(*spread, strict=True)]


def _spread(row: Sequence[str], below: Sequence[str]) -> list[str]:
    left, cells = "", []
    for cell, lower in zip(row, below, strict=True):
        left = cell if cell.strip() else left
        cells.append(cell if cell.strip() else left if lower.strip() else "")
    return cells


def _joined(cells: Sequence[str]) -> str:
    parts: list[str] = []
    for cell in cells:
        text = cell.strip()
        if text and text not in parts[-1:]:
            parts.append(text)
    return _BETWEEN.join(parts)


def placeholder_names(names: Sequence[str]) -> list[str]:
    """Return the names. Blank names become `index` (for the first column) or `column_2` and so on."""
    known = set(names)
    complete = []
    for position, name in enumerate(names, start=1):
        if not name.strip():
            name = "index" if position == 1 else f"column_{position}"
            while name in known:
                name += "_"
        complete.append(name)
    return complete


def unique_names(names: Sequence[str]) -> list[str]:
    """Return the names, with long names shortened and repeated names numbered (`price`, `price_2`)."""
    short = [name if len(name) <= _LENGTH_MAX else f"{name[: _LENGTH_MAX - 1]}\u2026" for name in names]
    known = set(short)
    seen: set[str] = set()
    counts: Counter[str] = Counter()
    unique = []
    for name in short:
        candidate = name
        while candidate in seen or (candidate != name and candidate in known):
            counts[name] += 1
            suffix = f"_{counts[name] + 1}"
            candidate = name[: _LENGTH_MAX - len(suffix)] + suffix
        seen.add(candidate)
        unique.append(candidate)
    return unique


def renaming_warnings(names: Sequence[str], unique: Sequence[str]) -> Iterator[str]:
    """Yield a message about columns that `unique_names` renamed."""
    changed = [index for index, (old, new) in enumerate(zip(names, unique, strict=True)) if old != new]
    long = [index + 1 for index in changed if len(names[index]) > _LENGTH_MAX]
    if long:
        yield (
            f"{_columns(long)} a name of more than {_LENGTH_MAX:,} characters, which was shortened. To "
            "choose the names, change them in the file."
        )
    repeated = [index for index in changed if len(names[index]) <= _LENGTH_MAX]
    if repeated:
        new_names = ", ".join(_quoted(unique[index]) for index in repeated[:_NAMED_MAX])
        more = f" and {len(repeated) - _NAMED_MAX:,} more" if len(repeated) > _NAMED_MAX else ""
        yield (
            f"{_columns([index + 1 for index in repeated])} the same name as an earlier column and "
            f"{'was' if len(repeated) == 1 else 'were'} renamed to {new_names}{more}. If the header is on "
            "another line, set the option `header_row`."
        )


def _quoted(name: str) -> str:
    return repr(name if len(name) <= _SHOWN_MAX else f"\u2026{name[-_SHOWN_MAX:]}")


def _columns(numbers: Sequence[int]) -> str:
    one, has = ("Column", "has") if len(numbers) == 1 else ("Columns", "have")
    return f"{one} {_listed(numbers)} {has}"


def blank_warnings(
    names: Sequence[str], unnamed: Collection[int], kept: Collection[int], n_blank_rows: int
) -> Iterator[str]:
    """Yield the messages about columns without a name and about blank rows.

    Parameters
    ----------
    names : sequence of str
        Names of all columns, including generated names for the unnamed columns.
    kept : collection of int
        Indices of the columns that are not dropped.
    """
    dropped = [index + 1 for index in sorted(unnamed) if index not in kept]
    if dropped:
        were = "was" if len(dropped) == 1 else "were"
        yield f"{_columns(dropped)} neither a name nor values and {were} dropped."
    for index in sorted(unnamed):
        if index in kept:
            yield (
                f"Column {index + 1} has no name and was named {names[index]!r}. If the header is on another "
                "line, set the option `header_row`."
            )
    if n_blank_rows:
        rows = "1 blank row was" if n_blank_rows == 1 else f"{n_blank_rows:,} blank rows were"
        yield f"{rows} skipped."


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    return shown + (f" and {len(numbers) - 10:,} more" if len(numbers) > 10 else "")
