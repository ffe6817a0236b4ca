"""What the words of a column's name say."""

from __future__ import annotations

import re


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PHONE = _set(
    "phone phones telephone tel mobile cell cellphone fax telefon telefono telefone téléphone handy "
    "phonenumber"
)
_FIRST = _set("firstname forename givenname vorname prenom prénom")
_LAST = _set("lastname surname familyname nachname familienname apellido apellidos cognome")
_FULL = _set("fullname personname customername patientname employeename")
_PEOPLE = _set(
    "full person customer client patient employee contact student member owner teacher doctor "
    "physician author buyer seller guest passenger driver applicant recipient cardholder holder "
    "manager tenant donor kunde"
)
_NO_ADDRESS = _set("ip mac email mail web url wallet memory host")
_ADDRESS_FORMS = {
    "city": _set("city town stadt ort ville ciudad città"),
    "postal_code": _set("zip zipcode postcode postalcode plz postleitzahl"),
    "state": _set("state province county bundesland"),
    "country": _set("country land pays país"),
    "street": _set(
        "street streetname streetaddress address addresses addr addressline adresse anschrift strasse straße "
        "rue calle direccion dirección indirizzo"
    ),
}
_IDENTIFIER = _set("id ids key uuid guid nr no num number identifier phone mobile tel")
# Numbers that count time or places also differ and are close together, and mean something.
_TIME = _set(
    "year years month day days week weeks hour hours minute minutes second seconds quarter date time period "
    "age lag step rank ranking position"
)


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a column's name in small letters: `customerFirst_name` has three."""
    parted = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])", " ", name).lower()
    return tuple(re.findall(r"[^\W\d_]+", parted))


def says_phone(words: tuple[str, ...]) -> bool:
    """Return whether phone numbers are announced."""
    return bool(_PHONE.intersection(words))


def name_form(words: tuple[str, ...]) -> str | None:
    """Return first, last, full, or name where it may be that of anything; None if no name is announced."""
    said = set(words)
    if said & _FIRST or {"first", "name"} <= said or {"given", "name"} <= said:
        return "first"
    if said & _LAST or {"last", "name"} <= said or {"family", "name"} <= said:
        return "last"
    if said & _FULL or ("name" in said and said & _PEOPLE):
        return "full"
    return "name" if words == ("name",) else None


def address_form(words: tuple[str, ...]) -> str | None:
    """Return which part of an address is announced, or None; a whole address is announced as a street."""
    said = set(words)
    if said & _NO_ADDRESS:
        return None
    if {"postal", "code"} <= said:
        return "postal_code"
    return next((form for form, names in _ADDRESS_FORMS.items() if said & names), None)


def says_identifier(words: tuple[str, ...]) -> bool:
    """Return whether identifiers are announced."""
    return bool(words) and (words[-1] in _IDENTIFIER or words[0] == "id")


def says_time(words: tuple[str, ...]) -> bool:
    """Return whether numbers are announced that count time, age or rank."""
    return bool(_TIME.intersection(words))
