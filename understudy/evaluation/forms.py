"""Forms of texts: patterns of letters, digits and other characters, such as `AA-9999` for `BX-0417`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

# `Any` is needed because the stubs of these functions do not support types that are only known at run time.
pc: Any = pyarrow.compute

Codes: TypeAlias = NDArray[np.int64]

_CLASSES = (("[0-9]", "9"), (r"\p{Lu}", "A"), (r"\p{Ll}", "a"))
_RUNS = (("9+", "9"), ("A+", "A"), ("a+", "a"))
# Number of leading characters that determine the form of a text. Longer texts are usually prose.
_LENGTH_MAX = 64
# Minimum share of real rows that must have a frequent form. A form is frequent if at least the second share
# of the real rows has it.
COVERED_MIN = 0.98
FREQUENT_MIN = 0.005
N_ROWS_MIN = 5


@dataclass(frozen=True)
class Forms:
    """The forms of a column's values: exact, with runs of letters collapsed, and with all runs collapsed.

    Parameters
    ----------
    exact, worded, collapsed : int array of shape (n_values,)
        Codes that represent the forms of the values. In the worded forms, only runs of letters are collapsed.
    """

    exact: Codes
    worded: Codes
    collapsed: Codes

    @classmethod
    def of(cls, texts: pa.Array[Any]) -> Forms:
        """Return the forms of distinct values."""
        forms: Any = pc.utf8_slice_codeunits(texts, 0, _LENGTH_MAX)
        exact = _replaced(forms, _CLASSES)
        collapsed = _replaced(exact, _RUNS)
        return cls(_codes(exact), _codes(_replaced(exact, _RUNS[1:])), _codes(collapsed))


def _replaced(texts: Any, replacements: Sequence[tuple[str, str]]) -> Any:
    for pattern, replacement in replacements:
        texts = pc.replace_substring_regex(texts, pattern, replacement)
    return texts


def _codes(texts: Any) -> Codes:
    return np.asarray(texts.dictionary_encode().indices.to_numpy(zero_copy_only=False)).astype(np.int64)


def shares_in_form(forms: Forms, real: Codes, synthetic: Codes) -> tuple[float, float] | None:
    """Return the shares of real and synthetic rows with a frequent real form.

    The result is None if too few real rows have a frequent form.

    Parameters
    ----------
    real, synthetic : int array
        Codes of known values, which are positions in `forms`.
    """
    # Exact forms are used only if word lengths never differ within a worded form, as in codes.
    n_exact, n_worded = (len(np.unique(form[real])) for form in (forms.exact, forms.worded))
    for form in (forms.exact if n_exact == n_worded else forms.worded, forms.collapsed):
        of_real = form[real]
        counts = np.bincount(of_real, minlength=int(form.max(initial=0)) + 1)
        is_frequent = counts >= max(N_ROWS_MIN, FREQUENT_MIN * len(real))
        covered = float(is_frequent[of_real].mean())
        if covered >= COVERED_MIN:
            return covered, float(is_frequent[form[synthetic]].mean())
    return None
