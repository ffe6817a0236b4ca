"""Payment card numbers: issuer ranges and lengths (ISO/IEC 7812-1), and ranges reserved for tests.

New numbers begin with the prefixes of the test numbers that card networks and payment services publish.
"""

from __future__ import annotations

from understudy.tables.identifier_formats.base import CHECK, DIGIT, IdentifierFormat
from understudy.tables.identifier_formats.checksums import luhn


def _card(name: str, words: str, pattern: str, test_prefix: str, length: int) -> IdentifierFormat:
    n_free = length - len(test_prefix) - 1
    return IdentifierFormat(
        f"card_{name}_{length}",
        words,
        pattern,
        ((test_prefix,), *(DIGIT,) * n_free, CHECK),
        luhn(),
    )


CARDS = (
    _card("visa", "Visa card numbers", r"4\d{15}", "400000", 16),
    _card(
        "mastercard",
        "Mastercard numbers",
        r"(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}",
        "555555",
        16,
    ),
    _card("amex", "American Express card numbers", r"3[47]\d{13}", "378282", 15),
    _card("discover", "Discover card numbers", r"(?:6011|64[4-9]\d|65\d{2})\d{12}", "601111", 16),
    _card("jcb", "JCB card numbers", r"35(?:2[89]|[3-8]\d)\d{12}", "353011", 16),
    _card("jcb", "JCB card numbers", r"(?:2131|1800)\d{11}", "213100", 15),
    _card("diners", "Diners Club card numbers", r"3(?:0[0-5]|[689]\d)\d{11}", "305693", 14),
    _card("unionpay", "UnionPay card numbers", r"62\d{14}", "620000", 16),
    _card("mir", "Mir card numbers", r"220[0-4]\d{12}", "220000", 16),
    _card("visa", "Visa card numbers", r"4\d{12}", "422222", 13),
    _card("visa", "Visa card numbers", r"4\d{18}", "400000", 19),
    _card("maestro", "Maestro card numbers", r"(?:5[06-9]|6\d)\d{10}", "501800", 12),
    _card("maestro", "Maestro card numbers", r"(?:5[06-9]|6\d)\d{14}", "501800", 16),
    _card("unionpay", "UnionPay card numbers", r"62\d{17}", "620000", 19),
    _card("maestro", "Maestro card numbers", r"(?:5[06-9]|6\d)\d{11}", "501800", 13),
)
