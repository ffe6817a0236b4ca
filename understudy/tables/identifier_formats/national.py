"""National identification, tax and insurance numbers, based on the issuers' published rules.

Dates of birth in new numbers are between days 1 and 28 of a month. Other rules, such as the repeated digit in
a German tax number, are neither checked nor followed.
"""

from __future__ import annotations

from understudy.tables.identifier_formats import checksums
from understudy.tables.identifier_formats.base import (
    CHECK,
    DAY,
    DIGIT,
    MONTH,
    NONZERO,
    UPPER,
    YEAR,
    IdentifierFormat,
    Part,
    numbers,
)

_MM, _DD = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_CONTROL = "TRWAGMYFPDXBNJZSQVHLCKE"
_VOWELS = tuple("AEIOUX")
_CONSONANTS = tuple("BCDFGHJKLMNPQRSTVWXYZ")


def _digits(n: int) -> tuple[Part, ...]:
    return (DIGIT,) * n


_WITHOUT_DATE = (
    # According to the Social Security Administration, areas 000, 666 and 9xx, group 00 and serial 0000 are
    # invalid.
    IdentifierFormat(
        "id_us_ssn",
        "US social security numbers",
        r"(?:00[1-9]|0[1-9]\d|[1-57-8]\d\d|6[0-57-9]\d|66[0-57-9])(?:0[1-9]|[1-9]\d)(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})",
        (numbers(667, 899, 3), numbers(1, 99), NONZERO, *_digits(3)),
        is_distinctive=False,
    ),
    IdentifierFormat(
        "id_es_dni",
        "Spanish DNI numbers",
        r"\d{8}[A-Z]",
        (*_digits(8), CHECK),
        checksums.remainder(8, 23, _CONTROL),
    ),
    IdentifierFormat(
        "id_es_nie",
        "Spanish NIE numbers",
        r"[XYZ]\d{7}[A-Z]",
        (("X", "Y", "Z"), *_digits(7), CHECK),
        checksums.remainder(8, 23, _CONTROL, values=(33,)),
    ),
    IdentifierFormat(
        "id_de_steuer_id",
        "German tax identification numbers",
        r"[1-9]\d{10}",
        (NONZERO, *_digits(9), CHECK),
        checksums.mod_11_10,
    ),
    IdentifierFormat(
        "id_hr_oib",
        "Croatian personal identification numbers",
        r"0\d{10}",
        (("0",), *_digits(9), CHECK),
        checksums.mod_11_10,
    ),
    IdentifierFormat(
        "id_br_cpf",
        "Brazilian CPF numbers",
        r"\d{11}",
        (*_digits(9), CHECK, CHECK),
        checksums.both(
            checksums.WeightedSum((10, 9, 8, 7, 6, 5, 4, 3, 2), 11, place=9, sign=-1, zeros=(10,)),
            checksums.WeightedSum((11, 10, 9, 8, 7, 6, 5, 4, 3, 2), 11, place=10, sign=-1, zeros=(10,)),
        ),
    ),
    IdentifierFormat(
        "id_nl_bsn",
        "Dutch citizen service numbers",
        r"\d{9}",
        (*_digits(8), CHECK),
        checksums.WeightedSum((9, 8, 7, 6, 5, 4, 3, 2), 11),
        bumped=7,
    ),
    IdentifierFormat(
        "id_uk_nino",
        "UK national insurance numbers",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]?|ZZ\d{6}[A-DT]",
        (("JG", "KM", "LP", "SE", "WK", "YC"), *_digits(6), ("A", "B", "C", "D")),
    ),
    IdentifierFormat(
        "id_uk_nhs",
        "NHS numbers",
        r"\d{10}",
        (NONZERO, *_digits(8), CHECK),
        checksums.WeightedSum((10, 9, 8, 7, 6, 5, 4, 3, 2), 11, sign=-1),
        bumped=8,
    ),
    IdentifierFormat(
        "id_pt_nif",
        "Portuguese tax numbers",
        r"[1-35689]\d{8}",
        (("1", "2", "3"), *_digits(7), CHECK),
        checksums.WeightedSum((9, 8, 7, 6, 5, 4, 3, 2), 11, sign=-1, zeros=(10,)),
    ),
    IdentifierFormat(
        "id_ca_sin",
        "Canadian social insurance numbers",
        r"\d{9}",
        (NONZERO, *_digits(7), CHECK),
        checksums.luhn(),
    ),
    IdentifierFormat(
        "id_au_tfn",
        "Australian tax file numbers",
        r"\d{9}",
        (NONZERO, *_digits(7), CHECK),
        checksums.WeightedSum((1, 4, 3, 7, 5, 8, 6, 9), 11),
        bumped=7,
    ),
    IdentifierFormat(
        "id_ch_ahv",
        "Swiss AHV numbers",
        r"756\d{10}",
        (("756",), *_digits(9), CHECK),
        checksums.WeightedSum((1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3), 10, sign=-1),
    ),
    IdentifierFormat(
        "id_tr_tckn",
        "Turkish identity numbers",
        r"[1-9]\d{10}",
        (NONZERO, *_digits(8), CHECK, CHECK),
        checksums.turkish,
    ),
    IdentifierFormat(
        "id_in_aadhaar",
        "Aadhaar numbers",
        r"[2-9]\d{11}",
        (NONZERO[1:], *_digits(10), CHECK),
        checksums.verhoeff,
    ),
    IdentifierFormat(
        "id_in_pan",
        "Indian permanent account numbers",
        r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]",
        (UPPER, UPPER, UPPER, ("P",), UPPER, *_digits(4), UPPER),
    ),
    IdentifierFormat(
        "id_cl_rut",
        "Chilean RUT numbers",
        r"[1-9]\d{7}[\dK]",
        (("1", "2"), *_digits(7), CHECK),
        checksums.WeightedSum((3, 2, 7, 6, 5, 4, 3, 2), 11, sign=-1, alphabet="0123456789K"),
    ),
    IdentifierFormat(
        "id_ru_snils",
        "Russian SNILS numbers",
        r"\d{11}",
        (NONZERO, *_digits(8), CHECK, CHECK),
        checksums.snils,
    ),
)

_WITH_DATE = (
    IdentifierFormat(
        "id_it_cf",
        "Italian codici fiscali",
        r"[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]",
        (*(_CONSONANTS,) * 6, YEAR, tuple("ABCDEHLMPRST"), DAY, UPPER, *_digits(3), CHECK),
        checksums.codice_fiscale,
    ),
    IdentifierFormat(
        "id_fr_nir",
        "French social security numbers",
        rf"[1-478]\d{{2}}(?:{_MM}|[2-9]\d)(?:\d\d|2[AB])\d{{8}}",
        (("1", "2"), YEAR, MONTH, numbers(1, 95), *_digits(6), CHECK, CHECK),
        checksums.key_97,
    ),
    IdentifierFormat(
        "id_pl_pesel",
        "Polish PESEL numbers",
        rf"\d{{2}}(?:[02468][1-9]|[13579][0-2]){_DD}\d{{5}}",
        (YEAR, MONTH, DAY, *_digits(4), CHECK),
        checksums.WeightedSum((1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10, sign=-1),
    ),
    IdentifierFormat(
        "id_se_personnummer_10",
        "Swedish personal identity numbers",
        rf"\d{{2}}{_MM}(?:{_DD}|[67]\d|8\d|9[01])\d{{4}}",
        (YEAR, MONTH, DAY, *_digits(3), CHECK),
        checksums.luhn(),
    ),
    IdentifierFormat(
        "id_se_personnummer_12",
        "Swedish personal identity numbers",
        rf"(?:19|20)\d{{2}}{_MM}(?:{_DD}|[67]\d|8\d|9[01])\d{{4}}",
        (("19",), YEAR, MONTH, DAY, *_digits(3), CHECK),
        checksums.luhn(first=2),
    ),
    IdentifierFormat(
        "id_fi_hetu",
        "Finnish personal identity codes",
        rf"{_DD}{_MM}\d{{5}}[0-9A-Y]",
        (DAY, MONTH, YEAR, *_digits(3), CHECK),
        checksums.remainder(9, 31, "0123456789ABCDEFHJKLMNPRSTUVWXY"),
    ),
    IdentifierFormat(
        "id_dk_cpr",
        "Danish CPR numbers",
        rf"{_DD}{_MM}\d{{6}}",
        (DAY, MONTH, YEAR, *_digits(4)),
        is_distinctive=False,
    ),
    IdentifierFormat(
        "id_no_fnr",
        "Norwegian national identity numbers",
        rf"(?:{_DD}|[4-7]\d){_MM}\d{{7}}",
        (DAY, MONTH, YEAR, *_digits(3), CHECK, CHECK),
        checksums.both(
            checksums.WeightedSum((3, 7, 6, 1, 8, 9, 4, 5, 2), 11, place=9, sign=-1),
            checksums.WeightedSum((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, place=10, sign=-1),
        ),
        bumped=8,
    ),
    IdentifierFormat(
        "id_cz_rc",
        "Czech and Slovak birth numbers",
        rf"\d{{2}}(?:[05][1-9]|[16][0-2]|[27][1-9]|[38][0-2]){_DD}\d{{4}}",
        (YEAR, MONTH, DAY, *_digits(3), CHECK),
        checksums.remainder(9, 11, "01234567890"),
    ),
    IdentifierFormat(
        "id_ro_cnp",
        "Romanian personal numeric codes",
        rf"[1-9]\d{{2}}{_MM}{_DD}\d{{6}}",
        (("1", "2", "5", "6"), YEAR, MONTH, DAY, numbers(1, 46), *_digits(3), CHECK),
        checksums.WeightedSum((2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9), 11, alphabet="01234567891"),
    ),
    IdentifierFormat(
        "id_bg_egn",
        "Bulgarian civil numbers",
        rf"\d{{2}}(?:[024][1-9]|[135][0-2]){_DD}\d{{4}}",
        (YEAR, MONTH, DAY, *_digits(3), CHECK),
        checksums.WeightedSum((2, 4, 8, 5, 10, 9, 7, 3, 6), 11, zeros=(10,)),
    ),
    IdentifierFormat(
        "id_at_svnr",
        "Austrian social insurance numbers",
        rf"[1-9]\d{{3}}{_DD}(?:{_MM}|1[345])\d{{2}}",
        (NONZERO, *_digits(2), CHECK, DAY, MONTH, YEAR),
        checksums.WeightedSum((3, 7, 9, 0, 5, 8, 4, 2, 1, 6), 11, place=3),
        bumped=2,
    ),
    IdentifierFormat(
        "id_gr_amka",
        "Greek AMKA numbers",
        rf"{_DD}{_MM}\d{{7}}",
        (DAY, MONTH, YEAR, *_digits(4), CHECK),
        checksums.luhn(),
    ),
    IdentifierFormat(
        "id_ee_lt",
        "Estonian and Lithuanian personal codes",
        rf"[1-6]\d{{2}}{_MM}{_DD}\d{{4}}",
        (("3", "4", "5", "6"), YEAR, MONTH, DAY, *_digits(3), CHECK),
        checksums.baltic,
    ),
    IdentifierFormat(
        "id_mx_curp",
        "Mexican CURP codes",
        rf"[A-Z]{{4}}\d{{2}}{_MM}{_DD}[HMX][A-Z]{{5}}[A-Z\d]\d",
        (
            _CONSONANTS,
            _VOWELS,
            _CONSONANTS,
            _CONSONANTS,
            YEAR,
            MONTH,
            DAY,
            ("H", "M"),
            ("DF", "JC", "NL", "OC"),
            *(_CONSONANTS,) * 3,
            DIGIT,
            CHECK,
        ),
        checksums.curp,
    ),
    IdentifierFormat(
        "id_za_id",
        "South African identity numbers",
        rf"\d{{2}}{_MM}{_DD}\d{{4}}[012][89]\d",
        (YEAR, MONTH, DAY, *_digits(4), ("0", "1"), ("8",), CHECK),
        checksums.luhn(),
    ),
    IdentifierFormat(
        "id_cn_rid",
        "Chinese resident identity numbers",
        rf"[1-9]\d{{5}}(?:18|19|20)\d{{2}}{_MM}{_DD}\d{{3}}[\dX]",
        (NONZERO, *_digits(5), ("19",), YEAR, MONTH, DAY, *_digits(3), CHECK),
        checksums.WeightedSum(
            (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), 11, alphabet="10X98765432"
        ),
    ),
    IdentifierFormat(
        "id_kr_rrn",
        "South Korean resident registration numbers",
        rf"\d{{2}}{_MM}{_DD}[1-8]\d{{6}}",
        (YEAR, MONTH, DAY, ("1", "2", "3", "4"), *_digits(5), CHECK),
        checksums.WeightedSum((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), 11, sign=-1, alphabet="11234567890"),
    ),
    IdentifierFormat(
        "id_be_nn",
        "Belgian national register numbers",
        rf"\d{{2}}{_MM}{_DD}\d{{5}}",
        (YEAR, MONTH, DAY, *_digits(3), CHECK, CHECK),
        checksums.belgian,
    ),
)

NATIONAL_IDS = _WITHOUT_DATE + _WITH_DATE
