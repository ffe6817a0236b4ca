"""Text columns with values that consist of numbers and units, such as `120/80`, `<5` or `1h 30m`.

The numbers and the form of the surrounding text are learned as separate columns. `forms` describes the style
of the numbers in a form, `learning` finds these columns, and `columns` splits and builds their values.
These modules are imported on first use, because few tables have such columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members

if TYPE_CHECKING:
    from understudy.synthesizers.number_texts.columns import NumberColumn
    from understudy.synthesizers.number_texts.learning import learn_number_column

__all__ = ["NumberColumn", "learn_number_column"]

__getattr__ = lazy_members(
    __name__,
    "understudy.synthesizers.number_texts.columns:NumberColumn",
    "understudy.synthesizers.number_texts.learning:learn_number_column",
)
