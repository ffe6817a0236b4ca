"""The part of a sheet that contains the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """The area of a table in a sheet. Cells above it are ignored.

    Parameters
    ----------
    first_row : int
        Number of the row that is read as the header.
    first_column, width : int
        Index of the first column, and the number of columns.
    is_chosen : bool
        Whether an option selected the columns. If so, cells beside the area are ignored. Otherwise, such
        cells are an error.
    """

    first_row: int
    first_column: int
    width: int
    is_chosen: bool = False

    def ignores(self, row: int, column: int) -> bool:
        """Return whether a cell is ignored."""
        is_beside = not 0 <= column - self.first_column < self.width
        return row < self.first_row or (self.is_chosen and is_beside)
