"""Parts of all notations: words for missing values, and the script of digits.

Importing this module loads neither Arrow nor NumPy.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from understudy.tables.notation_scripts import DigitScript
from understudy.tables.notation_words import Words

SHARES_MAX = 1.001
"""Maximum sum of shares. It exceeds 1 because shares are rounded."""


def _require_type(schema: dict[str, Any]) -> None:
    """Require the discriminator in JSON. Python code can omit it."""
    schema["required"] = ["type", *schema.get("required", [])]


class BaseNotation(BaseModel):
    """The base class of notations."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_require_type)

    missing: Words = ()
    missing_shares: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1)], ...],
        Field(
            max_length=20,
            description="Shares of the missing values that are written as the words in `missing`, in order. "
            "The remaining missing values are written as empty text. By default, all missing values are "
            "written as the first word.",
        ),
    ] = ()

    digits: Annotated[
        DigitScript,
        Field(description="Script of the digits, such as `latin`, `arabic` or `devanagari`."),
    ] = "latin"

    @model_validator(mode="after")
    def _shares_fit_words(self) -> Self:
        if len(self.missing_shares) > len(self.missing) or sum(self.missing_shares) > SHARES_MAX:
            raise ValueError("missing_shares must have at most one share per word and a sum of at most 1")
        return self
