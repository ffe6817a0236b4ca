"""Names that columns may have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from understudy.errors import InvalidInput

_FAULTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("is empty", lambda name: not name.strip()),
    ("is longer than 255 characters", lambda name: len(name) > 255),
    # PostgreSQL keeps no NUL.
    ("holds a zero character", lambda name: "\0" in name),
)


def check_names(names: Sequence[str]) -> None:
    """Refuse names that are empty, too long, not unique or hold a zero, and tables without columns.

    Raises
    ------
    InvalidInput
        With the positions of the names, the first column being column 1.
    """
    if not names:
        raise InvalidInput("The table has no columns; it needs at least one.", code="no_columns")
    for fault, is_faulty in _FAULTS:
        if positions := [position for position, name in enumerate(names, start=1) if is_faulty(name)]:
            raise InvalidInput(
                f"The name of {_positions(positions)} {fault}. Name every column, in at most 255 characters.",
                code="invalid_header",
            )
    _check_unique(names)


def _check_unique(names: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if first.setdefault(name, position) != position:
            raise InvalidInput(
                f"Columns {first[name]} and {position} have the same name, {name!r}. Rename one of them.",
                code="invalid_header",
            )


def _positions(positions: Sequence[int]) -> str:
    shown = ", ".join(str(position) for position in positions[:10])
    if len(positions) == 1:
        return f"column {shown}"
    return f"columns {shown}" + (f" and {len(positions) - 10} more" if len(positions) > 10 else "")
