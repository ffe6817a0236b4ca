"""How numbers that stand for people, accounts and cards are built: their form and their check digits.

A *scheme* says which texts are of it and writes new ones. `SCHEMES` has them by name; a name that a model
file may hold never changes its meaning.
"""

from __future__ import annotations

from understudy.tables.schemes.base import Scheme
from understudy.tables.schemes.cards import CARDS
from understudy.tables.schemes.ibans import IBANS
from understudy.tables.schemes.national import NATIONAL_IDS
from understudy.tables.schemes.places import ADDRESSES_OF_MACHINES, URLS

SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme for scheme in (*CARDS, *IBANS, *NATIONAL_IDS, *ADDRESSES_OF_MACHINES, *URLS)
}

__all__ = ["ADDRESSES_OF_MACHINES", "CARDS", "IBANS", "NATIONAL_IDS", "SCHEMES", "URLS", "Scheme"]
