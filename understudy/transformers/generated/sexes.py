"""Find the column that contains a person's sex. Made-up first names agree with this sex.

A column is used if its name and values indicate a sex, and if the first names of the table agree with it. If
too few first names are known, the words of the column names determine the column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.inference import headers, wordlists
from understudy.transformers.base import ArrowColumn, Codes, RowStream, Transformer, consecutive_rows

# Sex of a person: unknown, female or male.
UNKNOWN, FEMALE, MALE = 0, 1, 2
Sexes = npt.NDArray[np.int8]

SEX_HEADERS = frozenset(
    {
        *("sex", "gender", "salutation", "honorific", "geschlecht", "anrede", "sexe", "genre", "civilite"),
        *("sexo", "genero", "tratamiento", "sesso", "genere", "tratamento", "geslacht", "aanhef"),
    }
)
_FEMALE = frozenset(
    {
        *("f", "female", "woman", "women", "girl", "ms", "mrs", "miss", "w", "weiblich", "frau", "fr"),
        *(
            "femme",
            "feminin",
            "mme",
            "madame",
            "mlle",
            "mujer",
            "femenino",
            "sra",
            "senora",
            "femmina",
            "donna",
        ),
        *("signora", "feminino", "mulher", "v", "vrouw", "vrouwelijk", "mevrouw", "mevr"),
    }
)
_MALE = frozenset(
    {
        *("m", "male", "man", "men", "boy", "mr", "mannlich", "mann", "herr", "hr", "h", "homme", "masculin"),
        *("monsieur", "hombre", "masculino", "sr", "senor", "maschio", "uomo", "signore", "homem"),
        *("mannelijk", "dhr", "meneer"),
    }
)
# Maximum number of codes in a sex column.
N_CODES_MAX = 32
# Minimum number of rows with a known first name, and minimum share of these rows that agree with the sex.
N_ROWS_MIN, AGREEMENT_MIN = 20, 0.8


@dataclass(frozen=True)
class SexColumn:
    """A learned sex column.

    Parameters
    ----------
    place : int
        Position of the column in the table.
    sexes : array of shape (n_codes,)
        Sex that each code in the column represents.
    """

    place: int
    sexes: Sexes

    def of(self, codes: Codes) -> Sexes:
        """Return the sex of each row."""
        return self.sexes[codes]


def find_sex_columns(
    names: Sequence[str], fitted: Sequence[tuple[Any, Codes]], types: Sequence[pa.DataType]
) -> list[SexColumn]:
    """Return the sex columns in a table."""
    found = []
    for place, (name, (transformer, _), type_) in enumerate(zip(names, fitted, types, strict=True)):
        is_text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
        if is_text and set(headers.words_of(name)) & SEX_HEADERS and transformer.n_codes <= N_CODES_MAX:
            sexes = _sexes_of_codes(transformer)
            if FEMALE in sexes and MALE in sexes:
                found.append(SexColumn(place, sexes))
    return found


def _sexes_of_codes(transformer: Transformer) -> Sexes:
    n = transformer.n_codes
    values = transformer.decode(np.arange(n).astype(np.uint16), RowStream(0, 0, consecutive_rows(0, n)))
    words = [wordlists.plain(str(value or "")).strip(" .") for value in values.to_pylist()]
    if "m" in words and {"h", "hombre"} & set(words) and not {"f", "femme"} & set(words):
        # Spanish tables contain H for hombre and M for mujer.
        words = ["mujer" if word == "m" else word for word in words]
    sexes = [FEMALE if word in _FEMALE else MALE if word in _MALE else UNKNOWN for word in words]
    return np.where(transformer.is_exact, np.array(sexes, np.int8), np.int8(UNKNOWN))


def agrees(values: ArrowColumn, sexes: Sexes, *, is_likely: bool) -> bool:
    """Return whether first names agree with the sexes of their rows.

    Parameters
    ----------
    values : ChunkedArray
        Names of people, in any form.
    sexes : array of shape (n_rows,)
        Sexes of the same rows.
    is_likely : bool
        Result if too few first names are known.
    """
    known = wordlists.sexes_of_first_names()
    pairs = [
        (_sex_of(str(text), known), int(sex))
        for text, sex in zip(values.to_pylist(), sexes, strict=True)
        if text is not None and sex != UNKNOWN
    ]
    hits = [left == right for left, right in pairs if left != UNKNOWN]
    if len(hits) < N_ROWS_MIN:
        return is_likely
    return sum(hits) >= AGREEMENT_MIN * len(hits)


def _sex_of(text: str, known: dict[str, int]) -> int:
    """Return the sex of the first names in a text, if all of these names have the same sex."""
    sexes = {known[word] for word in headers.words_of(text) if word in known}
    return sexes.pop() if len(sexes) == 1 else UNKNOWN
