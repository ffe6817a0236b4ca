"""Resource IDs: a prefix for the noun, and a UUIDv7 (RFC 9562) as 26 characters of Crockford's Base32.

IDs sort by time of creation and cannot be guessed by counting. The database stores a `uuid`, and only the
borders of the service convert it to and from text.
"""

from __future__ import annotations

import os
import time
from uuid import UUID

from understudy.errors import NotFound

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
N_LETTERS = 26

PREFIXES = {
    "project": "prj",
    "api_key": "key",
    "dataset": "ds",
    "job": "job",
    "pipeline": "pip",
    "model": "mdl",
    "report": "rpt",
    "artifact": "art",
    "upload": "upl",
    "event": "evt",
    "webhook": "whk",
    "delivery": "dlv",
}


def new_id() -> UUID:
    """Return a new UUIDv7 with 48 bits of milliseconds and 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10)) & ((1 << 74) - 1)
    value = milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return UUID(int=value)


def to_text(noun: str, value: UUID) -> str:
    """Return the text form of an ID, such as ``ds_01k…``. `noun` is a key of `PREFIXES`."""
    letters = "".join(ALPHABET[value.int >> shift & 31] for shift in range(5 * (N_LETTERS - 1), -1, -5))
    return f"{PREFIXES[noun]}_{letters}"


def from_text(noun: str, text: str) -> UUID:
    """Return the ID from its text form.

    Raises
    ------
    NotFound
        If the text is not an ID of this noun. A malformed ID is reported like an unknown ID.
    """
    prefix, _, letters = text.partition("_")
    if prefix != PREFIXES[noun] or len(letters) != N_LETTERS or not set(letters) <= set(ALPHABET):
        raise _not_found(noun)
    value = 0
    for letter in letters:
        value = value << 5 | ALPHABET.index(letter)
    if value >= 1 << 128:
        raise _not_found(noun)
    return UUID(int=value)


def _not_found(noun: str) -> NotFound:
    return NotFound(f"No {noun.replace('_', ' ')} has this ID. Check the ID.")
