"""Personal kinds that are built by a rule: cards, IBANs, national ids, addresses of machines and pages."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import numpy as np
import pyarrow as pa

from understudy.tables.identifier_formats import (
    ADDRESSES_OF_MACHINES,
    CARDS,
    IBANS,
    NATIONAL_IDS,
    URLS,
    IdentifierFormat,
)
from understudy.tables.identifier_formats.base import compacted
from understudy.tables.inference import headers
from understudy.tables.inference.candidates import (
    MOSTLY,
    N_DISTINCT_TELLING,
    NEARLY_ALL,
    PLAUSIBLE,
    SOME,
    Evidence,
    Finding,
    matching,
)
from understudy.tables.inference.texts import ArrowArray, Mask, finds, pc
from understudy.tables.schema import ColumnKind

EMAIL_TEXT = r"^(?:mailto:)?[^@\s,;]+@[^@\s,;]+\.[^@\s.,;]{2,}$"
EMAIL_WITHIN = r"[^@\s,;]+@[\w.-]+\.[a-zA-Z]{2,}"
SSN_TEXT = r"^\d{3}-\d{2}-\d{4}$"
ID_TEXT = r"^[A-Za-z]{0,6}[\s./-]?(?:\d[\s./-]?){5,20}[\s./-]?[A-Za-z\d]{0,4}$"
MASKED_CARD = r"(?:[*xX#\x{2022}]{4}[\s-]?){1,3}\d{4}$|^(?:\d[ -]?){12,19}$"
LENGTHS_OF_IDS = (9, 10, 11, 13)


def as_email(evidence: Evidence) -> Finding | None:
    """Find e-mail addresses, also where they stand among other values."""
    is_so = finds(evidence.texts.distinct, EMAIL_TEXT)
    share, header = evidence.share(is_so), evidence.says(headers.EMAIL)
    what = matching(evidence.texts, is_so, "look like e-mail addresses", header=header)
    if share >= NEARLY_ALL or (header and share >= MOSTLY):
        return Finding(ColumnKind.email, 0.99 if share >= NEARLY_ALL else 0.85, what)
    if share >= SOME:
        return Finding(ColumnKind.email, 0.6, what)
    within = finds(evidence.texts.distinct, EMAIL_WITHIN)
    if evidence.share(within) >= MOSTLY and not evidence.is_mostly_unique:
        return Finding(ColumnKind.email, 0.6, matching(evidence.texts, within, "hold e-mail addresses"))
    return None


def as_url(evidence: Evidence) -> Finding | None:
    """Find web addresses."""
    (identifier_format,) = URLS
    is_so = finds(evidence.texts.distinct, rf"^(?i:{identifier_format.pattern})$")
    if not is_so.any():
        is_so = finds(evidence.texts.distinct, r"^(?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}(?:/\S*)?$")
        if not evidence.says(headers.URL):
            return None
    share, header = evidence.share(is_so), evidence.says(headers.URL)
    if share >= PLAUSIBLE or (header and share >= MOSTLY) or (share >= MOSTLY / 2):
        confidence = 0.97 if share >= PLAUSIBLE else 0.7
        return Finding(
            ColumnKind.url, confidence, matching(evidence.texts, is_so, "are web addresses", header=header)
        )
    return None


def as_ip(evidence: Evidence) -> Finding | None:
    """Find addresses of machines; versions of programs are written alike."""
    four, six = ADDRESSES_OF_MACHINES
    looks = finds(evidence.texts.distinct, rf"^(?:{four.pattern}|{six.pattern})$")
    if not looks.any() or "version" in evidence.words or "release" in evidence.words:
        return None
    texts = evidence.texts.distinct.to_pylist()
    is_so = np.array([bool(look) and _is_ip(str(text)) for look, text in zip(looks, texts, strict=True)])
    share, header = evidence.share(is_so), evidence.says(headers.IP)
    if share >= PLAUSIBLE or (header and share >= SOME):
        confidence = 0.97 if share >= PLAUSIBLE else 0.75
        return Finding(
            ColumnKind.ip,
            confidence,
            matching(evidence.texts, is_so, "are valid IPv4 or IPv6 addresses", header=header),
        )
    return None


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def as_iban(evidence: Evidence) -> Finding | None:
    """Find international account numbers; by chance one in 97 texts of the form passes the check."""
    compact = compacted(evidence.texts.distinct)
    looks = finds(compact, r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$")
    if not looks.any():
        return _account(evidence)
    is_so = _any_of(IBANS, compact)
    share, header = evidence.share(is_so), evidence.says(headers.IBAN)
    what = "match an IBAN with right check digits"
    if share >= SOME:
        return Finding(
            ColumnKind.iban,
            0.99 if share >= MOSTLY else 0.7,
            matching(evidence.texts, is_so, what, header=header),
        )
    if header and evidence.share(looks) >= MOSTLY:
        return Finding(
            ColumnKind.iban,
            _announced(evidence.share(looks)),
            matching(evidence.texts, looks, "have the form of an IBAN", header=True),
        )
    return None


def _account(evidence: Evidence) -> Finding | None:
    """Find masked IBANs and the like beside a header that says IBAN."""
    masked = finds(evidence.texts.distinct, r"^[A-Z]{2}[\dXx*]{2}[\dA-Za-z*\s]{8,}$")
    if "iban" in evidence.words and evidence.share(masked) >= MOSTLY:
        return Finding(
            ColumnKind.iban, 0.6, matching(evidence.texts, masked, "look like masked IBANs", header=True)
        )
    return None


def as_card(evidence: Evidence) -> Finding | None:
    """Find card numbers: an issuer's range and length, and Luhn's check digit."""
    is_so = _any_of(CARDS, compacted(evidence.texts.distinct))
    share, header = evidence.share(is_so), evidence.says(headers.CARD)
    what = "match an issuer's range with a right Luhn check digit"
    if share >= PLAUSIBLE and (header or evidence.n_distinct >= N_DISTINCT_TELLING):
        return Finding(
            ColumnKind.card, 0.98 if header else 0.95, matching(evidence.texts, is_so, what, header=header)
        )
    if header and share >= MOSTLY / 2:
        return Finding(ColumnKind.card, 0.85, matching(evidence.texts, is_so, what, header=True))
    looks = finds(evidence.texts.distinct, MASKED_CARD)
    if header and evidence.share(looks) >= MOSTLY:
        return Finding(
            ColumnKind.card,
            _announced(evidence.share(looks)),
            matching(evidence.texts, looks, "have the form of card numbers", header=True),
        )
    return None


def as_national_id(evidence: Evidence) -> Finding | None:
    """Find numbers by which states know people, by header, form and check digits."""
    header = evidence.says(headers.NATIONAL_ID)
    found = _best_identifier_format(evidence, header=header)
    if found is not None:
        identifier_format, is_so = found
        share = evidence.share(is_so)
        what = f"match {identifier_format.words}" + (
            " with right check digits" if identifier_format.complete else " by their form"
        )
        is_telling = share >= PLAUSIBLE and evidence.n_distinct >= N_DISTINCT_TELLING
        if header and share >= MOSTLY:
            return Finding(ColumnKind.national_id, 0.98, matching(evidence.texts, is_so, what, header=True))
        if is_telling and (identifier_format.is_telling or evidence.texts.share(SSN_TEXT) >= PLAUSIBLE):
            return Finding(ColumnKind.national_id, 0.94, matching(evidence.texts, is_so, what))
    return _announced_id(evidence) if header else None


def _announced_id(evidence: Evidence) -> Finding | None:
    """Find numbers that the header calls so, of whatever country."""
    is_doubtful = all(word in headers.NATIONAL_DOUBTFUL for word in evidence.words)
    looks = finds(evidence.texts.distinct, ID_TEXT)
    share = evidence.share(looks)
    needed = NEARLY_ALL if is_doubtful else MOSTLY
    if share < needed:
        return None
    return Finding(
        ColumnKind.national_id,
        _announced(share),
        matching(evidence.texts, looks, "have the form of such numbers", header=True),
    )


def _announced(share: float) -> float:
    """Return how sure is what the header says of values that have its form, but not its check digits."""
    return 0.92 if share >= PLAUSIBLE else 0.7


def _best_identifier_format(evidence: Evidence, *, header: bool) -> tuple[IdentifierFormat, Mask] | None:
    compact = compacted(evidence.texts.distinct)
    best: tuple[IdentifierFormat, Mask] | None = None
    for texts in _paddings(compact, is_number=evidence.is_number):
        for identifier_format in _of_length(NATIONAL_IDS, texts):
            is_so = identifier_format.find(texts)
            if not is_so.any():
                continue
            # What has check digits goes before what has a form alone.
            weight = evidence.share(is_so) - (0 if identifier_format.complete else 0.2)
            if best is None or weight > evidence.share(best[1]) - (0 if best[0].complete else 0.2):
                best = identifier_format, is_so
    return best


def _paddings(compact: ArrowArray, *, is_number: bool) -> list[ArrowArray]:
    """Return the texts, and for numbers those with the leading zeros that they may have lost."""
    if not is_number:
        return [compact]
    longest = pc.max(pc.utf8_length(compact)).as_py() or 0
    lengths = [length for length in LENGTHS_OF_IDS if 0 <= length - longest <= 2]
    return [compact, *(pc.utf8_lpad(compact, width=length, padding="0") for length in lengths)]


def _any_of(identifier_formats: tuple[IdentifierFormat, ...], compact: ArrowArray) -> Mask:
    is_so = np.zeros(len(compact), np.bool_)
    for identifier_format in _of_length(identifier_formats, compact):
        rest = np.flatnonzero(~is_so)
        if not len(rest):
            break
        is_so[rest] = identifier_format.find(compact.take(pa.array(rest, pa.int64())))
    return is_so


def _of_length(
    identifier_formats: tuple[IdentifierFormat, ...], compact: ArrowArray
) -> Iterator[IdentifierFormat]:
    """Yield the formats of which some text has the length; to try all of them takes long."""
    lengths = set(pc.unique(pc.utf8_length(compact)).to_pylist())
    for identifier_format in identifier_formats:
        if not lengths.isdisjoint(identifier_format.lengths):
            yield identifier_format
