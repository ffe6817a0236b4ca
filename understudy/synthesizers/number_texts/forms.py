"""The forms of a column's strings, and the style of the numbers in each form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from understudy.tables.quantities import N_SLOTS_MAX, SLOT, clip_days

Numbers = npt.NDArray[np.float64]


class SlotStyle(BaseModel):
    """The style of the numbers in one slot of a form.

    Parameters
    ----------
    decimals : int
        Maximum number of decimal places.
    is_fixed : bool
        Whether all numbers have exactly `decimals` decimal places.
    width : int
        Minimum number of digits before the decimal mark.
    group : str
        Separator between groups of three digits, or an empty string.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decimals: int = Field(ge=0, le=12, default=0)
    is_fixed: bool = True
    width: int = Field(ge=0, le=12, default=0)
    group: Annotated[str, Field(max_length=1)] = ""

    def write(self, number: float, mark: str) -> str:
        """Return the text of a number that is not negative."""
        text = f"{number:{',' if self.group else ''}.{self.decimals}f}"
        if not self.is_fixed and "." in text:
            text = text.rstrip("0").rstrip(".")
        whole, _, decimals = text.partition(".")
        whole = whole.replace(",", self.group).rjust(self.width, "0")
        return f"{whole}{mark}{decimals}" if decimals else whole


class Form(BaseModel):
    """A form of strings: the text around the numbers, and the style of each number.

    Parameters
    ----------
    text : str
        Text of the form. `SLOT` represents a number.
    count : int
        Number of table rows with this form.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(max_length=256)]
    slots: Annotated[tuple[SlotStyle, ...], Field(max_length=N_SLOTS_MAX)]
    count: int = Field(ge=0)

    @property
    def n_slots(self) -> int:
        """The number of numbers in a string."""
        return len(self.slots)

    def write(self, numbers: Sequence[Numbers], mark: str) -> list[str]:
        """Return the strings with the given numbers, one array for each slot."""
        pieces = self.text.split(SLOT)
        values = clip_days(self.text, [of_slot.tolist() for of_slot in numbers])
        columns = [
            [style.write(max(number, 0.0), mark) for number in of_slot]
            for style, of_slot in zip(self.slots, values, strict=True)
        ]
        return [
            pieces[0] + "".join(number + piece for number, piece in zip(row, pieces[1:], strict=True))
            for row in zip(*columns, strict=True)
        ]


def style_of(numbers: Sequence[str], mark: str) -> SlotStyle:
    """Return the style of numbers that are given as strings."""
    parts = [number.partition(mark) for number in numbers]
    lengths = {len(decimals) for _, _, decimals in parts}
    padded = {len(whole) for whole, _, _ in parts if whole.startswith("0") and len(whole) > 1}
    groups = {match[0] for whole, _, _ in parts if (match := re.search(r"\D", whole))}
    return SlotStyle(
        decimals=min(max(lengths), 12),
        is_fixed=len(lengths) == 1,
        width=min(min(padded, default=0), 12),
        group=min(groups, default=""),
    )
