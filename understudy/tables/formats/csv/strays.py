"""Decide whether values that do not follow a column's notation are strays, such as `<0.5`."""

from __future__ import annotations

import re

import pyarrow as pa

from understudy.tables.inference import headers
from understudy.tables.inference.key_headers import key_header
from understudy.tables.notation import DateNotation, DurationNotation, NumberNotation
from understudy.tables.notations.clues import Clues, Detected
from understudy.tables.notations.samples import SampledTexts

# Minimum share of values that follow the notation.
_SHARE_MIN = 0.9
# This share is sufficient if all other values are numbers with a remark, such as the flag in `5.3 b`.
_SHARE_REMARKED_MIN = 0.8
# Minimum share of sampled numbers that have a fraction in a measurement column.
_SHARE_FRACTIONS_MIN = 0.5
# Maximum number and maximum share of codes, such as `V57` or `12B`, among whole numbers.
_N_CODES_MAX, _SHARE_CODES_MAX = 2, 0.005
# A column of whole numbers and words, such as `1`, `2`, `3` and `K`, can be a category. These are the maximum
# number of distinct numbers and the minimum number of rows for each word.
_N_LEVELS_MAX, _N_ROWS_OF_LEVEL = 20, 5

_CODE = re.compile(r"(?=.*\d)(?=.*[^\W\d_])")
# Digits that a number would not preserve, because there is a leading zero or there are too many digits.
_NUMERAL = re.compile(r"[-+]?(?:0\d+|\d{18,})")
# Numbers with a remark, such as `<0.5`, `approx. 5`, `7.1 (est.)` or `12*`.
_NUMBER = r"[-+]?\d[\d.,]*"
_REMARK = re.compile(
    rf"(?:[<>~=\u2264\u2265\u2248\u00b1]{{1,2}}|[^\W\d_]{{1,10}}[.:]? )\s*{_NUMBER}(?:\s*[^\W\d_%]{{1,5}})?"
    rf"|{_NUMBER}(?:\s*[*\u2020\u2021?!#+]+|\s+[(\[]?[^\W\d_]\D*)"
)


def are_strays(detected: Detected, sample: SampledTexts, clues: Clues) -> bool:
    """Return whether the column has the notation although a few values do not follow it.

    Mixed numbers and codes, such as the diagnoses `250`, `V57` and `E909`, have no common notation.
    """
    counts = detected.tally
    n_values = counts.n_fitting + counts.n_odd
    notation = detected.notation
    if counts.n_fitting < _share_min(detected) * n_values:
        return False
    if not isinstance(notation, NumberNotation) or notation.prefix or notation.suffix:
        return isinstance(notation, DateNotation | DurationNotation | NumberNotation)
    if pa.types.is_floating(detected.arrow_type) and _share_of_fractions(sample, notation):
        return True
    if any(_NUMERAL.fullmatch(text) for text in counts.odd):
        return False
    n_codes = sum(n for text, n in counts.odd.items() if _CODE.match(text) and not _REMARK.fullmatch(text))
    if n_codes and (_names_codes(clues) or n_codes > max(_N_CODES_MAX, _SHARE_CODES_MAX * n_values)):
        return False
    n_distinct = sum(value not in counts.odd for value in sample.values)
    return n_distinct > _N_LEVELS_MAX or max(counts.odd.values()) < _N_ROWS_OF_LEVEL


def _share_min(detected: Detected) -> float:
    notation = detected.notation
    is_plain = isinstance(notation, NumberNotation) and not notation.prefix and not notation.suffix
    is_measured = is_plain and pa.types.is_floating(detected.arrow_type)
    has_remarks = all(map(_REMARK.fullmatch, detected.tally.odd))
    return _SHARE_REMARKED_MIN if is_measured and has_remarks else _SHARE_MIN


def _share_of_fractions(sample: SampledTexts, notation: NumberNotation) -> bool:
    n = sum(n for value, n in zip(sample.values, sample.counts, strict=True) if notation.decimal in value)
    return n >= _SHARE_FRACTIONS_MIN * sample.n


def _names_codes(clues: Clues) -> bool:
    return key_header(clues.words) is not None or headers.names_postal_code(clues.words)
