"""Checks that the caller of a use case adds. They run on the locked row before it is changed or deleted."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from sqlalchemy.orm import Session

Row = TypeVar("Row", contravariant=True)


class Check(Protocol[Row]):
    """A function that raises an error if the row must not be changed. It runs in the same transaction."""

    def __call__(self, session: Session, row: Row, /) -> None: ...


def accept(session: Session, row: Any, /) -> None:
    """Accept every row. `Any` is a row of any table."""
