"""International bank account numbers with the structures from the IBAN registry (ISO 13616).

New IBANs have the length and character classes of their country, and valid IBAN check digits. The bank code
is fictitious. National check digits within the account number are not computed.
"""

from __future__ import annotations

import re
from pathlib import Path

from understudy.tables.identifier_formats.base import ALNUM, CHECK, DIGIT, UPPER, IdentifierFormat, Part
from understudy.tables.identifier_formats.checksums import mod_97_iban
from understudy.tables.word_lists import WordList

# Each entry is a country and its structure: lengths of runs of digits (n), capital letters (a) or both (c).
_STRUCTURES = WordList(Path(__file__).with_name("ibans.txt"))
_PARTS: dict[str, tuple[Part, str]] = {
    "n": (DIGIT, "[0-9]"),
    "a": (UPPER, "[A-Z]"),
    "c": (ALNUM, "[0-9A-Z]"),
}


def _iban(country: str, structure: str) -> IdentifierFormat:
    runs = [(int(n), *_PARTS[letter]) for n, letter in re.findall(r"(\d+)([nac])", structure)]
    # Many countries allow letters in account numbers, but such letters are rare. New IBANs contain digits in
    # these positions.
    parts = [DIGIT if part is ALNUM else part for n, part, _ in runs for _ in range(n)]
    pattern = "".join(f"{characters}{{{n}}}" for n, _, characters in runs)
    return IdentifierFormat(
        f"iban_{country.lower()}",
        f"IBANs of {country}",
        f"{country}[0-9]{{2}}{pattern}",
        ((country,), CHECK, CHECK, *parts),
        mod_97_iban,
    )


IBANS = tuple(_iban(*entry.split()) for entry in _STRUCTURES)
