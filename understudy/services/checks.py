"""Checks of a locked row by the caller of a use case, before the use case changes or deletes the row."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from sqlalchemy.orm import Session

Row = TypeVar("Row", contravariant=True)


class Check(Protocol[Row]):
    """A function that raises an error if the row must not be changed. It runs in the same transaction."""

    def __call__(self, session: Session, row: Row, /) -> None: ...


def accept(session: Session, row: Any, /) -> None:
    """Accept every row. `Any` is a row of any table."""
