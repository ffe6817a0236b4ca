"""Formats and check digits of identifiers such as card numbers, IBANs and national IDs.

An `IdentifierFormat` recognizes and writes texts of one format. `IDENTIFIER_FORMATS` contains all formats by
name. Model files contain these names, so the meaning of a name never changes.
"""

from __future__ import annotations

from understudy.tables.identifier_formats.base import IdentifierFormat
from understudy.tables.identifier_formats.cards import CARDS
from understudy.tables.identifier_formats.ibans import IBANS
from understudy.tables.identifier_formats.national import NATIONAL_IDS
from understudy.tables.identifier_formats.places import IP_ADDRESSES, URLS

IDENTIFIER_FORMATS: dict[str, IdentifierFormat] = {
    identifier_format.name: identifier_format
    for identifier_format in (*CARDS, *IBANS, *NATIONAL_IDS, *IP_ADDRESSES, *URLS)
}

__all__ = [
    "CARDS",
    "IBANS",
    "IDENTIFIER_FORMATS",
    "IP_ADDRESSES",
    "NATIONAL_IDS",
    "URLS",
    "IdentifierFormat",
]
