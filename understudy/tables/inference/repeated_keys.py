"""Detect keys for people and individual things, and free text, in columns with repeated values.

A value that many rows share is not necessarily public: all of these rows may belong to one person. The
decision depends on the values, the words of the column's name, and the number of distinct values.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from understudy.tables.inference import headers, other_forms
from understudy.tables.inference.candidates import (
    MOSTLY,
    N_DISTINCT_MIN,
    N_VALUES_MIN,
    PLAUSIBLE,
    Evidence,
    Finding,
)
from understudy.tables.inference.key_headers import KeyHeader, is_login, key_header
from understudy.tables.inference.texts import CountedTexts, count_words, find_matches, lengths_of
from understudy.tables.inference.unrecognized_text import (
    N_LETTERS_TEXT,
    N_WORDS_TEXT,
    UUID_TEXT,
    is_prose,
)
from understudy.tables.inference.values import Occurrence, Sample
from understudy.tables.schema import ColumnKind

# Machine-generated texts: UUIDs, hexadecimal digests, hardware addresses and long random tokens.
_HEX = r"^(?i:[0-9a-f]+)$"
_MAC = r"^(?i:[0-9a-f]{2}([:-][0-9a-f]{2}){5,7}|[0-9a-f]{4}(\.[0-9a-f]{4}){2})$"
_RANDOM = r"^[\w+/=-]+$"
# Codes in capital letters that may contain spaces, such as license plates.
_PLATE = r"^[A-Z\d]{1,5}[ -]?[A-Z\d]{1,5}(?:[ -]?[A-Z\d]{1,5})?$"
# Minimum lengths of hardware addresses, digests and random tokens, in characters.
N_LETTERS_ADDRESS, N_LETTERS_DIGEST, N_LETTERS_TOKEN = 14, 16, 18
_DIGIT, _LETTER, _BLANK = r"\d", r"\pL", r"\s"
# Maximum length of a key, in characters.
N_LETTERS_MAX = 64
# Minimum numbers of distinct values in columns of keys. Fewer values are usually visit numbers, versions or
# short codes.
N_DISTINCT_NUMBERS = 5
N_DISTINCT_THINGS = 20
# Even two long tokens, such as the numbers of two meters, identify individual things.
N_DISTINCT_OPAQUE = 2
# Minimum mean number of rows per value in a column named `id`.
N_ROWS_EACH_MIN = 1.2
# Ratio of rows with low numbers to rows with high numbers above which the numbers are positions within an
# entity, such as visit numbers.
ORDINAL_RATIO = 1.5


def detect_key(evidence: Evidence) -> Finding | None:
    """Detect keys of people and individual things in texts, even if the keys repeat."""
    header = key_header(evidence.words)
    if header is not None and header.role == "class":
        return None
    texts = evidence.texts
    if header is None and evidence.n_distinct < N_DISTINCT_OPAQUE:
        return None
    is_other = other_forms.find_dates(texts.distinct) | find_matches(texts.distinct, r"^[+-]?\d+[.,]\d+$")
    if evidence.share(is_other) >= MOSTLY:
        return None
    if header is not None and _are_keys(evidence, header):
        confidence = 0.93 if header.role == "person" and header.has_key else 0.88
        reason = f"the column name indicates {_NOUNS[header.role]}, and the values look like keys"
        return Finding(ColumnKind.identifier, confidence, f"{reason}; {_repeats(evidence.occurrence)}")
    if evidence.n_distinct >= N_DISTINCT_OPAQUE and are_opaque(texts):
        reason = "the values look like keys that a program generated"
        return Finding(ColumnKind.identifier, 0.8, f"{reason}; {_repeats(evidence.occurrence)}")
    return None


_NOUNS = {
    "person": "keys of people or accounts",
    "thing": "keys of individual things or events",
    "row": "keys",
}


def _are_keys(evidence: Evidence, header: KeyHeader) -> bool:
    texts = evidence.texts
    if evidence.share(lengths_of(texts.distinct) <= N_LETTERS_MAX) < PLAUSIBLE:
        return False
    is_digit = find_matches(texts.distinct, _DIGIT)
    is_code = other_forms.find_codes(texts.distinct) & ~find_matches(texts.distinct, _BLANK)
    has_digits, n = evidence.share(is_digit), evidence.n_distinct
    if is_login(evidence.words) and texts.share(_BLANK) <= 1 - PLAUSIBLE:
        return n >= (N_DISTINCT_MIN if evidence.words == ("user",) and has_digits < MOSTLY else 2)
    if header.has_key and not header.is_code and header.role != "row":
        is_varied = n >= N_DISTINCT_THINGS and texts.share(_BLANK) <= 1 - PLAUSIBLE
        return n >= 2 and (has_digits >= MOSTLY or evidence.share(is_code) >= MOSTLY or is_varied)
    n_needed = N_DISTINCT_THINGS if header.role == "thing" else N_DISTINCT_MIN
    are_codes = max(evidence.share(is_code), texts.share(_PLATE)) >= PLAUSIBLE
    return n >= n_needed and has_digits >= MOSTLY and are_codes


def are_opaque(texts: CountedTexts) -> bool:
    """Return whether nearly all texts are UUIDs, digests, hardware addresses or long random tokens."""
    n_letters = lengths_of(texts.distinct)
    n_needed = PLAUSIBLE * texts.n
    if texts.count(n_letters >= N_LETTERS_ADDRESS) < n_needed or texts.share(_BLANK) > 1 - PLAUSIBLE:
        return False
    has_digit = find_matches(texts.distinct, _DIGIT)
    has_letter = find_matches(texts.distinct, _LETTER)
    is_opaque = find_matches(texts.distinct, UUID_TEXT) | find_matches(texts.distinct, _MAC)
    is_opaque |= find_matches(texts.distinct, _HEX) & has_digit & (n_letters >= N_LETTERS_DIGEST)
    is_token = find_matches(texts.distinct, _RANDOM) & has_digit & has_letter & (n_letters >= N_LETTERS_TOKEN)
    is_opaque |= is_token & ~find_matches(texts.distinct, r"[a-z]{4,}[_-][a-z]{3,}")
    return texts.count(is_opaque) >= n_needed


def detect_unshared(evidence: Evidence) -> Finding | None:
    """Detect identifiers and free text in columns where few or no values are shared by at least 5 rows."""
    occurrence = evidence.occurrence
    if occurrence.n_counted < N_VALUES_MIN or evidence.n_distinct < N_DISTINCT_MIN:
        return None
    if occurrence.share_shared > MOSTLY:
        return None
    prose = is_prose(evidence.texts)
    if occurrence.n_shared and not (prose and _is_long(evidence.texts)):
        return None
    rows = "no value is" if occurrence.n_shared == 0 else "fewer than half of the values are"
    reason = f"{rows} shared by 5 rows; {_repeats(occurrence)}"
    if prose:
        return Finding(ColumnKind.text, 0.75, f"the values look like free text, and {reason}")
    form = headers.address_form(evidence.words)
    if form in ("city", "state", "country", "street") and not headers.names_property(evidence.words):
        return Finding(ColumnKind.address, 0.75, f"the column name indicates an address, and {reason}")
    return Finding(ColumnKind.identifier, 0.7, reason)


def _is_long(texts: CountedTexts) -> bool:
    """Return whether texts have more words or characters than typical labels."""
    n_words, n_letters = count_words(texts.distinct).mean(), lengths_of(texts.distinct).mean()
    return bool(n_words > N_WORDS_TEXT or n_letters >= N_LETTERS_TEXT)


def find_doubtful(evidence: Evidence) -> list[Finding]:
    """Return two findings for codes that may be keys: a category, and as the second choice an identifier."""
    header = key_header(evidence.words)
    if header is not None and header.role == "class":
        return []
    if evidence.n_distinct < N_DISTINCT_THINGS:
        return []
    is_code = other_forms.find_codes(evidence.texts.distinct)
    is_code &= find_matches(evidence.texts.distinct, _DIGIT)
    if evidence.share(is_code) < PLAUSIBLE:
        return []
    reason = f"the values look like codes; {_repeats(evidence.occurrence)}"
    return [
        Finding(ColumnKind.category, 0.6, f"{reason}; the column name does not indicate keys of individuals"),
        Finding(ColumnKind.identifier, 0.38, reason),
    ]


def detect_number_key(
    words: tuple[str, ...], sample: Sample, occurrence: Occurrence, *, has_room: bool
) -> Finding | None:
    """Detect keys of people and individual things in whole numbers that repeat."""
    header = key_header(words)
    if header is None or header.role == "class" or not has_room:
        return None
    if header.may_count:
        return None
    if occurrence.is_unique or occurrence.n_counted < N_VALUES_MIN:
        return None
    numbers = sample.values.cast(pa.int64(), safe=False).to_numpy()
    n = len(numbers)
    if n < _n_needed(header) or int(numbers.min()) < 0:
        return None
    if header.role == "row" and occurrence.n_rows_each < N_ROWS_EACH_MIN:
        return None
    is_named = (header.has_key and header.role == "person") or header.role == "row"
    if not is_named and _are_ordinals(numbers, sample.counts):
        return None
    confidence = 0.92 if header.has_key and header.role == "person" else 0.85
    reason = f"the column name indicates {_NOUNS[header.role]}; {_repeats(occurrence)}"
    return Finding(ColumnKind.identifier, confidence, reason)


def _n_needed(header: KeyHeader) -> int:
    if header.has_key and header.role == "person" and not header.is_code:
        return N_DISTINCT_NUMBERS
    return N_DISTINCT_MIN


def _are_ordinals(numbers: np.ndarray, counts: np.ndarray) -> bool:
    """Return whether numbers start at 0 or 1 and lower numbers are more frequent, as in `visit_no`."""
    n = len(numbers)
    if int(numbers.min()) > 1 or int(numbers.max()) > 2 * n:
        return False
    if n < N_DISTINCT_THINGS:
        return True
    ordered = counts[np.argsort(numbers)].astype(np.float64)
    tenth = max(n // 10, 1)
    return bool(ordered[:tenth].mean() > ORDINAL_RATIO * ordered[-tenth:].mean())


def _repeats(occurrence: Occurrence) -> str:
    sampled = "" if occurrence.is_whole else "sampled "
    return (
        f"{occurrence.n_counted:,} {sampled}rows have {occurrence.n_distinct:,} distinct values, "
        f"{occurrence.n_rows_each:.1f} rows each on average"
    )
