"""Translation of a column constraint to codes, and checks of values where codes are not sufficient."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import InvalidInput
from understudy.tables.notations.words import means_missing
from understudy.tables.predicates import Predicate, as_mask
from understudy.transformers.base import ArrowArray, Mask, Transformer
from understudy.transformers.boolean import BooleanTransformer
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.labels import LabelTransformer
from understudy.transformers.numeric import NumericTransformer


class CodePredicate(Predicate):
    """Predicate on the values of a column. It also determines which codes of the column may satisfy it."""

    def codes(self, transformer: Transformer) -> tuple[Mask, bool]:
        """Return a mask of codes that may satisfy the condition, and whether all of their values satisfy it.

        Raises
        ------
        InvalidInput
            If the column is generated, the range is reversed, or no code satisfies the condition.
        """
        self._check_range()
        has_missing = bool(getattr(transformer, "has_missing", False))
        may = np.zeros(transformer.n_codes, np.bool_)
        if isinstance(transformer, LabelTransformer):
            may, is_whole = self._codes_of_labels(transformer)
        elif self.constraint.is_missing is not None:
            may[:] = not self.constraint.is_missing
            may[: int(has_missing)] = self.constraint.is_missing
            is_whole = True
        elif isinstance(transformer, GeneratedTransformer):
            raise InvalidInput(
                f"Column {self.column.name!r} is generated, so its values cannot be constrained. "
                "Use only is_missing for this column.",
                code="invalid_parameters",
            )
        else:
            may[int(has_missing) :], is_whole = self._codes_of_values(transformer, has_missing)
        if not may.any():
            raise self._impossible()
        return may, is_whole

    def _codes_of_labels(self, transformer: LabelTransformer) -> tuple[Mask, bool]:
        if self.constraint.is_missing is not None:
            fits = as_mask(transformer.labels.is_null()) == self.constraint.is_missing
        else:
            fits = self.holds(transformer.labels)
        code = transformer.code
        may = np.zeros(code.n_codes, np.bool_)
        of_levels = code.codes_of_levels()
        np.logical_or.at(may, of_levels, fits[:-1])
        if code.has_missing:
            may[0] = fits[-1]
        return may, bool(fits[:-1][may[of_levels]].all())

    def _impossible(self) -> InvalidInput:
        constraint, name = self.constraint, self.column.name
        if constraint.is_missing:
            return _refused(f"Column {name!r} has no missing values in the model. Omit is_missing.")
        if constraint.is_missing is not None:
            return _refused(f"Column {name!r} has only missing values in the model. Omit is_missing.")
        if isinstance(constraint.equals, str) and means_missing(constraint.equals, is_date=True):
            return _refused(
                f"No learned value of column {name!r} equals the given word, which often represents a "
                "missing value. To require a missing value, use is_missing or an empty value."
            )
        return impossible(f"No learned value of column {name!r} satisfies the condition")

    def _check_range(self) -> None:
        low, high = self.constraint.minimum, self.constraint.maximum
        if low is not None and high is not None and as_mask(pc.greater(self.typed(low), self.typed(high)))[0]:
            raise _refused(
                f"The range of column {self.column.name!r} is reversed: its minimum is above its maximum. "
                "Swap them."
            )

    @property
    def is_about_missing(self) -> bool:
        """Whether the condition restricts only the presence of a value, with `is_missing`."""
        return self.constraint.is_missing is not None

    @property
    def is_one_value(self) -> bool:
        """Whether the condition sets a single value."""
        return self.constraint.equals is not None

    def constant(self, n: int) -> ArrowArray:
        """Return an array with the single value, repeated n times."""
        assert self.constraint.equals is not None
        value: ArrowArray = self.typed(self.constraint.equals).take(_zeros(n))
        return value

    def _codes_of_values(self, transformer: Transformer, has_missing: bool) -> tuple[Mask, bool]:
        if isinstance(transformer, NumericTransformer):
            low, high = transformer.spans()
            may = self.overlaps(low, high)
            exact = transformer.is_exact[int(has_missing) :]
            if not may.any() and len(low):
                may = self._between_ranges(low, exact)
            return may, bool(exact[may].all())
        n_values = transformer.n_codes - has_missing
        if isinstance(transformer, BooleanTransformer):
            truths = pa.array(transformer.truths, pa.bool_())
            return self.holds(truths), True
        assert isinstance(transformer, CategoricalTransformer)
        fits = self.holds(transformer.levels)
        may = np.zeros(n_values, np.bool_)
        n_groups = len(transformer.first_level)
        if n_groups:
            may[:n_groups] = np.logical_or.reduceat(fits, transformer.first_level)
        return may, bool(transformer.is_exact[int(has_missing) :][may].all())

    def _between_ranges(self, low: ArrowArray, exact: Mask) -> Mask:
        """Return a mask of one range next to the gap that contains the condition's value, or an empty mask.

        Ranges are stored as means of rows, not as their bounds, so there are small gaps between them.
        """
        may = np.zeros(len(low), np.bool_)
        value = self.constraint.equals if self.constraint.equals is not None else self.constraint.minimum
        if value is None:
            return may
        above = int(as_mask(pc.less_equal(low, self.typed(value)[0])).sum())
        # The codes below and above the gap. There is no gap below the lowest or above the highest range.
        beside = [code for code in (above - 1, above) if 0 < above < len(low) and not exact[code]]
        may[beside[:1]] = True
        return may


def _zeros(n: int) -> ArrowArray:
    zeros: ArrowArray = pa.array(np.zeros(n, np.int64))
    return zeros


def _refused(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="impossible_condition")


def impossible(what: str) -> InvalidInput:
    """Return the error for a condition that no row can satisfy."""
    return InvalidInput(
        f"{what}. Choose values that enough rows of the table have.", code="impossible_condition"
    )
