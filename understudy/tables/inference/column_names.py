"""Check the names of columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from understudy.errors import InvalidInput
from understudy.parameters.base import COLUMN_NAME_LENGTH_MAX

_FAULTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("an empty name", lambda name: not name.strip()),
    (
        f"a name of more than {COLUMN_NAME_LENGTH_MAX:,} characters",
        lambda name: len(name) > COLUMN_NAME_LENGTH_MAX,
    ),
    # PostgreSQL does not accept NUL characters.
    ("a name with a NUL character", lambda name: "\0" in name),
)


def check_names(names: Sequence[str]) -> None:
    """Check that a table has columns, and that their names are valid and unique.

    Raises
    ------
    InvalidInput
        If the table has no columns, or if a name is empty, too long or repeated, or contains a NUL character.
        The message contains the positions of the columns, counted from 1.
    """
    if not names:
        raise InvalidInput("The table has no columns. Add at least one column.", code="no_columns")
    for fault, is_faulty in _FAULTS:
        if positions := [position for position, name in enumerate(names, start=1) if is_faulty(name)]:
            raise InvalidInput(
                f"{_positions(positions)} {fault}. "
                f"Give every column a name of 1 to {COLUMN_NAME_LENGTH_MAX:,} characters without NUL "
                "characters.",
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
        return f"Column {shown} has"
    more = f" and {len(positions) - 10} more" if len(positions) > 10 else ""
    return f"Columns {shown}{more} have"
