"""The kinds of columns: what the values of a column mean."""

from __future__ import annotations

from enum import StrEnum


class ColumnKind(StrEnum):
    """What a column's values mean; each kind has its own transformer."""

    integer = "integer"
    float = "float"
    decimal = "decimal"
    boolean = "boolean"
    category = "category"
    date = "date"
    time = "time"
    timestamp = "timestamp"
    duration = "duration"
    identifier = "identifier"
    text = "text"
    name = "name"
    email = "email"
    phone = "phone"
    address = "address"
    ip = "ip"
    card = "card"
    iban = "iban"
    national_id = "national_id"
    postal_code = "postal_code"
    coordinates = "coordinates"
    url = "url"


# Generated, not learned: such values identify people, or carry nothing that a model could learn.
# Coordinates that are stored as numbers are learned as numbers, and no rare number is kept.
GENERATED_KINDS = frozenset(
    {
        *(ColumnKind.identifier, ColumnKind.text),
        *(ColumnKind.name, ColumnKind.email, ColumnKind.phone, ColumnKind.address),
        *(ColumnKind.ip, ColumnKind.card, ColumnKind.iban, ColumnKind.national_id, ColumnKind.postal_code),
        *(ColumnKind.coordinates, ColumnKind.url),
    }
)

# The values of all other kinds are learned.
LEARNED_KINDS = frozenset(ColumnKind) - GENERATED_KINDS
