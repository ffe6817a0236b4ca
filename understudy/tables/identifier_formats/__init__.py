"""How numbers that stand for people, accounts and cards are built: their form and their check digits.

An `IdentifierFormat` recognises and writes its texts. `IDENTIFIER_FORMATS` lists all by name: a name in a
model file never changes its meaning.
"""

from __future__ import annotations

from understudy.tables.identifier_formats.base import IdentifierFormat
from understudy.tables.identifier_formats.cards import CARDS
from understudy.tables.identifier_formats.ibans import IBANS
from understudy.tables.identifier_formats.national import NATIONAL_IDS
from understudy.tables.identifier_formats.places import ADDRESSES_OF_MACHINES, URLS

IDENTIFIER_FORMATS: dict[str, IdentifierFormat] = {
    identifier_format.name: identifier_format
    for identifier_format in (*CARDS, *IBANS, *NATIONAL_IDS, *ADDRESSES_OF_MACHINES, *URLS)
}

__all__ = [
    "ADDRESSES_OF_MACHINES",
    "CARDS",
    "IBANS",
    "IDENTIFIER_FORMATS",
    "NATIONAL_IDS",
    "URLS",
    "IdentifierFormat",
]
