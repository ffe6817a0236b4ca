"""International bank account numbers: the structures of the IBAN registry (ISO 13616).

New ones have the country's length and classes of characters and right check digits of the IBAN; the bank is
made up, and countries' own check digits within the account are not computed.
"""

from __future__ import annotations

import re

from understudy.tables.schemes.base import ALNUM, CHECK, DIGIT, UPPER, Part, Scheme
from understudy.tables.schemes.checksums import mod_97_iban

# Behind the country and the check digits: n digits, a capital letters, c either, with their number.
_STRUCTURES = """
AD 8n12c AE 19n AL 8n16c AT 16n AZ 4a20c BA 16n BE 12n BG 4a6n8c BH 4a14c BR 23n1a1c BY 4c4n16c CH
5n12c CR 18n CY 8n16c CZ 20n DE 18n DK 14n DO 4c20n EE 16n EG 25n ES 20n FI 14n FO 14n FR 10n11c2n
GB 4a14n GE 2a16n GI 4a15c GL 14n GR 7n16c GT 4c20c HR 17n HU 24n IE 4a14n IL 19n IQ 4a15n IS 22n IT
1a10n12c JO 4a4n18c KW 4a22c KZ 3n13c LB 4n20c LC 4a24c LI 5n12c LT 16n LU 3n13c LV 4a13c MC
10n11c2n MD 2c18c ME 18n MK 3n10c2n MR 23n MT 4a5n18c MU 4a19n3a NL 4a10n NO 11n PK 4a16c PL 24n PS
4a21c PT 21n QA 4a21c RO 4a16c RS 18n SA 2n18c SE 20n SI 15n SK 20n SM 1a10n12c TN 20n TR 5n1n16c UA
6n19c VA 18n VG 4a16n XK 16n
"""
_PARTS: dict[str, tuple[Part, str]] = {
    "n": (DIGIT, "[0-9]"),
    "a": (UPPER, "[A-Z]"),
    "c": (ALNUM, "[0-9A-Z]"),
}


def _iban(country: str, structure: str) -> Scheme:
    runs = [(int(n), *_PARTS[letter]) for n, letter in re.findall(r"(\d+)([nac])", structure)]
    # Letters are allowed in many accounts and rare in them: new ones have digits there.
    parts = [DIGIT if part is ALNUM else part for n, part, _ in runs for _ in range(n)]
    pattern = "".join(f"{characters}{{{n}}}" for n, _, characters in runs)
    return Scheme(
        f"iban_{country.lower()}",
        f"IBANs of {country}",
        f"{country}[0-9]{{2}}{pattern}",
        ((country,), CHECK, CHECK, *parts),
        mod_97_iban,
    )


IBANS = tuple(
    _iban(country, structure) for country, structure in re.findall(r"([A-Z]{2})\s+(\S+)", _STRUCTURES)
)
