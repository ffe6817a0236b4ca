"""The kinds of columns, and the sets of generated and learned kinds."""

from __future__ import annotations

from enum import StrEnum


class ColumnKind(StrEnum):
    """The kind of a column, which describes the meaning of its values.

    Values of the first nine kinds, `integer` to `duration`, are learned. Values of all other kinds are
    generated, except coordinates stored as numbers, which are learned.
    """

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


# Values of these kinds are generated, not learned, because they identify people or contain no information
# that a model could learn. Coordinates that are stored as numbers are learned like other numbers, and rare
# numbers are not preserved.
GENERATED_KINDS = frozenset(
    {
        *(ColumnKind.identifier, ColumnKind.text),
        *(ColumnKind.name, ColumnKind.email, ColumnKind.phone, ColumnKind.address),
        *(ColumnKind.ip, ColumnKind.card, ColumnKind.iban, ColumnKind.national_id, ColumnKind.postal_code),
        *(ColumnKind.coordinates, ColumnKind.url),
    }
)

LEARNED_KINDS = frozenset(ColumnKind) - GENERATED_KINDS
