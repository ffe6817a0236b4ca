"""Detect texts that consist of numbers and units, such as `120/80`, which are not identifiers."""

from __future__ import annotations

import re

from understudy.tables.inference.candidates import Evidence, Finding
from understudy.tables.inference.key_headers import key_header
from understudy.tables.quantities import are_partial_dates, are_quantities, have_codes
from understudy.tables.schema import ColumnKind

_PLAIN = re.compile(r"[-+]?[\d.,' ]+")
# Maximum number of distinct texts that are examined.
_N_EXAMINED = 200


def detect_quantity(evidence: Evidence) -> Finding | None:
    """Detect texts with numbers and units in a column that would otherwise be classified as identifiers."""
    header = key_header(evidence.words)
    if evidence.is_number or (header is not None and header.has_key):
        return None
    texts = [str(text).strip() for text in evidence.texts.distinct.slice(0, _N_EXAMINED).to_pylist()]
    if not are_quantities(texts) or have_codes(texts, evidence.words, is_rare=True):
        return None
    if all(map(_PLAIN.fullmatch, texts)) and not are_partial_dates(texts):
        return None
    return Finding(ColumnKind.text, 0.9, "the values consist of numbers with units or separators")
