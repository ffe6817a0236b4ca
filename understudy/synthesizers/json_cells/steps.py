"""The step that splits columns. It is imported on first use, because few tables have columns to split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.synthesizers.json_cells.splitting import split_columns

__all__ = ["split_columns"]

__getattr__ = lazy_members(__name__, "understudy.synthesizers.json_cells.splitting:split_columns")
