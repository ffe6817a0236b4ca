"""Detect values with a fixed format: e-mail addresses, URLs, IP addresses, IBANs, cards and national IDs."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import numpy as np
import pyarrow as pa

from understudy.tables.identifier_formats import (
    CARDS,
    IBANS,
    IP_ADDRESSES,
    NATIONAL_IDS,
    URLS,
    IdentifierFormat,
)
from understudy.tables.identifier_formats.base import compacted
from understudy.tables.inference import headers
from understudy.tables.inference.candidates import (
    MOSTLY,
    N_DISTINCT_MIN,
    NEARLY_ALL,
    PLAUSIBLE,
    SOME,
    Evidence,
    Finding,
    describe,
)
from understudy.tables.inference.other_forms import find_dates
from understudy.tables.inference.texts import ArrowArray, Mask, find_matches, pc
from understudy.tables.schema import ColumnKind

# Patterns of e-mail addresses, social security numbers, other national IDs, and plain or masked card numbers.
EMAIL_TEXT = r"^(?:mailto:)?[^@\s,;]+@[^@\s,;]+\.[^@\s.,;]{2,}$"
EMAIL_WITHIN = r"[^@\s,;]+@[\w.-]+\.[a-zA-Z]{2,}"
SSN_TEXT = r"^\d{3}-\d{2}-\d{4}$"
ID_TEXT = r"^[A-Za-z]{0,6}[\s./-]?(?:\d[\s./-]?){5,20}[\s./-]?[A-Za-z\d]{0,4}$"
# Codes of letters and digits. They are national IDs only if the column name indicates national IDs.
CODE_TEXT = r"^(?:[A-Za-z]*\d[A-Za-z./-]*){3,}$"
MASKED_CARD = r"(?:[*xX#\x{2022}]{4}[\s-]?){1,3}\d{4}$|^(?:\d[ -]?){12,19}$"
# Minimum number of distinct texts that contain an e-mail address.
N_TEXTS_MIN = 3
# Lengths of national IDs, used to restore leading zeros of IDs that are stored as numbers.
LENGTHS_OF_IDS = (9, 10, 11, 13)


def detect_email(evidence: Evidence) -> Finding | None:
    """Detect e-mail addresses, even in columns that mostly contain other values or longer texts."""
    is_match = find_matches(evidence.texts.distinct, EMAIL_TEXT)
    share, header = evidence.share(is_match), evidence.has_header(headers.EMAIL)
    reason = describe(evidence.texts, is_match, "look like e-mail addresses", header=header)
    if share >= NEARLY_ALL or (header and share >= MOSTLY):
        return Finding(ColumnKind.email, 0.99 if share >= NEARLY_ALL else 0.85, reason)
    if share >= SOME:
        return Finding(ColumnKind.email, 0.6, reason)
    within = find_matches(evidence.texts.distinct, EMAIL_WITHIN)
    # One or two texts are usually labels that contain a public address, such as the address of a help desk.
    is_varied = int(within.sum()) >= N_TEXTS_MIN
    if is_varied and evidence.share(within) >= MOSTLY and not evidence.is_mostly_unique:
        return Finding(ColumnKind.email, 0.6, describe(evidence.texts, within, "contain e-mail addresses"))
    return None


def detect_url(evidence: Evidence) -> Finding | None:
    """Detect URLs."""
    url, domain = URLS
    is_match = find_matches(evidence.texts.distinct, rf"^(?i:{url.pattern})$")
    if not is_match.any():
        is_match = find_matches(evidence.texts.distinct, rf"^(?:{domain.pattern})$")
        if not evidence.has_header(headers.URL):
            return None
    share, header = evidence.share(is_match), evidence.has_header(headers.URL)
    if share >= PLAUSIBLE or (header and share >= MOSTLY) or (share >= MOSTLY / 2):
        confidence = 0.97 if share >= PLAUSIBLE else 0.7
        return Finding(
            ColumnKind.url, confidence, describe(evidence.texts, is_match, "are URLs", header=header)
        )
    return None


def detect_ip(evidence: Evidence) -> Finding | None:
    """Detect IP addresses, unless the column name indicates version numbers, which look similar."""
    *_, four, six = IP_ADDRESSES
    has_format = find_matches(evidence.texts.distinct, rf"^(?:{four.pattern}|{six.pattern})$")
    if not has_format.any() or "version" in evidence.words or "release" in evidence.words:
        return None
    texts = evidence.texts.distinct.to_pylist()
    is_match = np.array(
        [bool(has) and _is_ip(str(text)) for has, text in zip(has_format, texts, strict=True)]
    )
    share, header = evidence.share(is_match), evidence.has_header(headers.IP)
    if share >= PLAUSIBLE or (header and share >= SOME):
        confidence = 0.97 if share >= PLAUSIBLE else 0.75
        return Finding(
            ColumnKind.ip,
            confidence,
            describe(evidence.texts, is_match, "are valid IPv4 or IPv6 addresses", header=header),
        )
    return None


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def detect_iban(evidence: Evidence) -> Finding | None:
    """Detect IBANs. One in 97 random texts in the format of an IBAN passes the check."""
    compact = compacted(evidence.texts.distinct)
    has_format = find_matches(compact, r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$")
    if not has_format.any():
        return _account(evidence)
    is_match = _any_of(IBANS, compact)
    share, header = evidence.share(is_match), evidence.has_header(headers.IBAN)
    reason = "are IBANs with valid check digits"
    if share >= SOME:
        return Finding(
            ColumnKind.iban,
            0.99 if share >= MOSTLY else 0.7,
            describe(evidence.texts, is_match, reason, header=header),
        )
    if header and evidence.share(has_format) >= MOSTLY:
        return Finding(
            ColumnKind.iban,
            _header_confidence(evidence.share(has_format)),
            describe(evidence.texts, has_format, "have the format of an IBAN", header=True),
        )
    return None


def _account(evidence: Evidence) -> Finding | None:
    """Detect IBANs with masked characters in a column with `iban` in its name."""
    masked = find_matches(evidence.texts.distinct, r"^[A-Z]{2}[\dXx*]{2}[\dA-Za-z*\s]{8,}$")
    if "iban" in evidence.words and evidence.share(masked) >= MOSTLY:
        return Finding(
            ColumnKind.iban, 0.6, describe(evidence.texts, masked, "look like masked IBANs", header=True)
        )
    return None


def detect_card(evidence: Evidence) -> Finding | None:
    """Detect card numbers by issuer range, length and Luhn check digit."""
    is_match = _any_of(CARDS, compacted(evidence.texts.distinct))
    share, header = evidence.share(is_match), evidence.has_header(headers.CARD)
    reason = "are in an issuer's range and have a valid Luhn check digit"
    if share >= PLAUSIBLE and (header or evidence.n_distinct >= N_DISTINCT_MIN):
        return Finding(
            ColumnKind.card,
            0.98 if header else 0.95,
            describe(evidence.texts, is_match, reason, header=header),
        )
    # One in ten random numbers has a valid check digit.
    is_varied = evidence.n_distinct >= N_DISTINCT_MIN and share >= MOSTLY
    if is_varied or (header and share >= MOSTLY / 2):
        return Finding(ColumnKind.card, 0.85, describe(evidence.texts, is_match, reason, header=header))
    has_format = find_matches(evidence.texts.distinct, MASKED_CARD)
    if header and evidence.share(has_format) >= MOSTLY:
        return Finding(
            ColumnKind.card,
            _header_confidence(evidence.share(has_format)),
            describe(evidence.texts, has_format, "have the format of card numbers", header=True),
        )
    return None


def detect_national_id(evidence: Evidence) -> Finding | None:
    """Detect national IDs by the column name, the format and the check digits."""
    header = evidence.has_header(headers.NATIONAL_ID)
    best = _best_identifier_format(evidence, header=header)
    if best is not None:
        identifier_format, is_match = best
        share = evidence.share(is_match)
        words = identifier_format.words
        reason = f"are {words} with valid check digits"
        if not identifier_format.complete:
            reason = f"have the format of {words}"
        is_clear = share >= PLAUSIBLE and evidence.n_distinct >= N_DISTINCT_MIN
        if header and share >= MOSTLY:
            return Finding(
                ColumnKind.national_id, 0.98, describe(evidence.texts, is_match, reason, header=True)
            )
        if is_clear and (identifier_format.is_distinctive or evidence.texts.share(SSN_TEXT) >= PLAUSIBLE):
            return Finding(ColumnKind.national_id, 0.94, describe(evidence.texts, is_match, reason))
    return _detect_named_id(evidence) if header else None


def _detect_named_id(evidence: Evidence) -> Finding | None:
    """Detect national IDs of any country by the column name and a general format."""
    is_doubtful = all(word in headers.NATIONAL_DOUBTFUL for word in evidence.words)
    has_format = find_matches(evidence.texts.distinct, ID_TEXT)
    if not is_doubtful:
        has_format |= find_matches(evidence.texts.distinct, CODE_TEXT)
    has_format &= ~find_dates(evidence.texts.distinct)
    share = evidence.share(has_format)
    needed = NEARLY_ALL if is_doubtful else MOSTLY
    if share < needed:
        return None
    return Finding(
        ColumnKind.national_id,
        _header_confidence(share),
        describe(evidence.texts, has_format, "have a format that is common for national IDs", header=True),
    )


def _header_confidence(share: float) -> float:
    """Return the confidence in values with invalid check digits, based on the column name."""
    return 0.92 if share >= PLAUSIBLE else 0.7


def _best_identifier_format(evidence: Evidence, *, header: bool) -> tuple[IdentifierFormat, Mask] | None:
    compact = compacted(evidence.texts.distinct)
    best: tuple[IdentifierFormat, Mask] | None = None
    for texts in _paddings(compact, is_number=evidence.is_number):
        for identifier_format in _of_length(NATIONAL_IDS, texts):
            is_match = identifier_format.find(texts)
            if not is_match.any():
                continue
            # Formats with check digits take precedence over formats without check digits.
            weight = evidence.share(is_match) - (0 if identifier_format.complete else 0.2)
            if best is None or weight > evidence.share(best[1]) - (0 if best[0].complete else 0.2):
                best = identifier_format, is_match
    return best


def _paddings(compact: ArrowArray, *, is_number: bool) -> list[ArrowArray]:
    """Return the texts. For numbers, also return variants with restored leading zeros."""
    if not is_number:
        return [compact]
    longest = pc.max(pc.utf8_length(compact)).as_py() or 0
    lengths = [length for length in LENGTHS_OF_IDS if 0 <= length - longest <= 2]
    return [compact, *(pc.utf8_lpad(compact, width=length, padding="0") for length in lengths)]


def _any_of(identifier_formats: tuple[IdentifierFormat, ...], compact: ArrowArray) -> Mask:
    is_match = np.zeros(len(compact), np.bool_)
    for identifier_format in _of_length(identifier_formats, compact):
        rest = np.flatnonzero(~is_match)
        if not len(rest):
            break
        is_match[rest] = identifier_format.find(compact.take(pa.array(rest, pa.int64())))
    return is_match


def _of_length(
    identifier_formats: tuple[IdentifierFormat, ...], compact: ArrowArray
) -> Iterator[IdentifierFormat]:
    """Yield the formats with a length that occurs in the texts. A check of all formats would be slow."""
    lengths = set(pc.unique(pc.utf8_length(compact)).to_pylist())
    for identifier_format in identifier_formats:
        if not lengths.isdisjoint(identifier_format.lengths):
            yield identifier_format
